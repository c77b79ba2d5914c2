"""What operators look at first: feeds, what waits, what is left to publish."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from integrationhub.store.deliveries import Deliveries, Delivery
from integrationhub.store.feeds import Feed, Feeds
from integrationhub.store.intakes import Intakes, IntakeState
from integrationhub.store.outbox import Lag, Outbox
from integrationhub.store.quarantine import Quarantine, QuarantineFilter, QuarantineGroup, QuarantineState
from integrationhub.store.schema import DELIVERIES, WORKLIST


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorStatus:
    """One connector: its feed, the delivery that came last, files that wait, deliveries by state, open exceptions.

    `troubles`: what keeps the intake of its messages, host by host, where anything does.
    """

    connector: str
    feed: Feed
    last: Delivery | None
    held: tuple[Delivery, ...]
    deliveries: Mapping[str, int]
    exceptions: int
    troubles: tuple[IntakeState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Everything at one moment. `quarantine`: what is open there, by reason."""

    connectors: tuple[ConnectorStatus, ...]
    worklist: Mapping[str, int]
    outbox: Lag
    quarantine: tuple[QuarantineGroup, ...] = ()


def read_status(connection: Connection) -> StoreStatus:
    """The store at the moment of the connection's snapshot."""
    seen = {feed.connector: feed for feed in Feeds(connection).all()}
    troubles = [state for state in Intakes(connection).all() if state.waits_for is not None]
    names = sorted(
        {
            *seen,
            *(state.connector for state in troubles),
            *connection.execute(select(DELIVERIES.c.connector).distinct()).scalars(),
        }
    )
    return StoreStatus(
        connectors=tuple(
            _connector(connection, name, seen.get(name, Feed(connector=name)), troubles) for name in names
        ),
        worklist=_counts(connection, select(WORKLIST.c.state, func.count()).group_by(WORKLIST.c.state)),
        outbox=Outbox(connection).lag(),
        quarantine=tuple(Quarantine(connection).groups(QuarantineFilter(state=QuarantineState.OPEN.value))),
    )


def _connector(connection: Connection, name: str, feed: Feed, troubles: Sequence[IntakeState]) -> ConnectorStatus:
    deliveries = Deliveries(connection)
    mine = DELIVERIES.c.connector == name
    open_items = select(func.count()).where(WORKLIST.c.connector == name, WORKLIST.c.state != "RESOLVED")
    return ConnectorStatus(
        connector=name,
        feed=feed,
        last=deliveries.last(name),
        held=tuple(deliveries.waiting(name)),
        deliveries=_counts(
            connection, select(DELIVERIES.c.state, func.count()).where(mine).group_by(DELIVERIES.c.state)
        ),
        exceptions=connection.execute(open_items).scalar_one(),
        troubles=tuple(state for state in troubles if state.connector == name),
    )


def _counts(connection: Connection, statement: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in sorted(connection.execute(statement))}
