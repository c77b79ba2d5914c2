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
    """One connector: its feed, the file that came last, files that wait, deliveries by state, open exceptions.

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
    deliveries = _by_connector(connection)
    names = sorted({*seen, *(state.connector for state in troubles), *deliveries})
    return StoreStatus(
        connectors=tuple(
            _connector(connection, seen.get(name, Feed(connector=name)), deliveries.get(name, {}), troubles)
            for name in names
        ),
        worklist=_counts(connection, select(WORKLIST.c.state, func.count()).group_by(WORKLIST.c.state)),
        outbox=Outbox(connection).lag(),
        quarantine=tuple(Quarantine(connection).groups(QuarantineFilter(state=QuarantineState.OPEN.value))),
    )


def _by_connector(connection: Connection) -> dict[str, dict[str, int]]:
    """How many deliveries each connector has in each state: one pass over the index of states, whatever they hold."""
    key = (DELIVERIES.c.connector, DELIVERIES.c.state)
    found: dict[str, dict[str, int]] = {}
    for connector, state, count in sorted(connection.execute(select(*key, func.count()).group_by(*key))):
        found.setdefault(connector, {})[state] = count
    return found


def _connector(
    connection: Connection, feed: Feed, counts: Mapping[str, int], troubles: Sequence[IntakeState]
) -> ConnectorStatus:
    deliveries, name = Deliveries(connection), feed.connector
    open_items = select(func.count()).where(WORKLIST.c.connector == name, WORKLIST.c.state != "RESOLVED")
    return ConnectorStatus(
        connector=name,
        feed=feed,
        last=deliveries.last_file(name),
        held=tuple(deliveries.waiting(name)),
        deliveries=counts,
        exceptions=connection.execute(open_items).scalar_one(),
        troubles=tuple(state for state in troubles if state.connector == name),
    )


def _counts(connection: Connection, statement: Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in sorted(connection.execute(statement))}
