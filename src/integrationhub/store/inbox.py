"""The inbox of messages: what was seen under which id, what became of it, and the bytes as they came.

A message's delivery is named by its connector, its id and its content, so the same message finds itself, and another
content under a known id shows. A repeat leaves no trace. One that was refused may be taken the next time it comes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, select, update

from integrationhub.errors import TransientError
from integrationhub.records import Reason
from integrationhub.store.bulk import Same, among, insert_rows
from integrationhub.store.deliveries import Kind, State
from integrationhub.store.schema import DELIVERIES

LOADED, REJECTED, HELD = "LOADED", "REJECTED", "HELD"
STATES: Mapping[str, State] = {
    LOADED: State.ACCEPTED,
    "EXCLUDED": State.ACCEPTED,
    "EXCEPTION": State.ACCEPTED,
    "SUPERSEDED": State.DUPLICATE,
    "DUPLICATE": State.DUPLICATE,
    HELD: State.HELD,
    REJECTED: State.REJECTED,
}
"""The state of a delivery by the outcome of its message."""

_TAKE_AGAIN = """
ON CONFLICT (delivery_id) DO UPDATE SET state = excluded.state, outcome = excluded.outcome, reasons = excluded.reasons,
    entity_id = excluded.entity_id, sequence = excluded.sequence, completed_at = excluded.completed_at
WHERE deliveries.outcome = 'REJECTED'
"""


_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message as it is kept. `body` is None where the original is kept elsewhere (`original_uri`)."""

    delivery_id: str
    message_id: str
    sha256: str
    body: bytes | None = field(repr=False)
    bytes: int
    original_uri: str | None = None
    envelope: Mapping[str, Any] = field(repr=False)
    outcome: str
    reason: Reason | None = None
    entity_id: str | None = None
    sequence: int | None = None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was seen under a message id before."""

    delivery_id: str
    message_id: str
    sha256: str
    outcome: str


class Inbox:
    """Messages by id, entity and delivery."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, connector: str, message_ids: Sequence[str]) -> dict[str, list[Known]]:
        """What was seen under these ids; an id that is new is missing."""
        columns = [DELIVERIES.c[name] for name in Known.__dataclass_fields__]
        chosen = among(self._connection, DELIVERIES.c.message_id, message_ids)
        statement = select(DELIVERIES.c.connector, *columns).where(DELIVERIES.c.message_id.is_not(None), chosen)
        found: dict[str, list[Known]] = {}
        # Whose they are is looked at here: PostgreSQL would rather go through all messages of the connector.
        for whose, *values in self._connection.execute(statement):
            if whose == connector:
                known = Known(**dict(zip(Known.__dataclass_fields__, values, strict=True)))
                found.setdefault(known.message_id, []).append(known)
        return found

    def add(self, connector: str, rows: Sequence[Received], *, path: str) -> None:
        """Keep messages, new or refused before. TransientError: another process takes one of them right now."""
        kept = insert_rows(self._connection, DELIVERIES, _columns(connector, rows, path), conflict=_TAKE_AGAIN)
        if kept != len(rows):
            raise TransientError(
                "another process has just taken one of these messages",
                code="TAKEN_ELSEWHERE",
                remedy="the same batch can be taken again: it will know the message",
            )

    def release(self, delivery_ids: Sequence[str], *, at: datetime) -> None:
        """These waited and have been applied now."""
        if delivery_ids:
            chosen = among(self._connection, DELIVERIES.c.delivery_id, delivery_ids)
            changes = {"outcome": LOADED, "state": State.ACCEPTED, "reasons": [], "completed_at": at}
            self._connection.execute(update(DELIVERIES).where(chosen, DELIVERIES.c.outcome == HELD).values(**changes))

    def settle(self, delivery_id: str, outcome: str, reason: Reason, *, at: datetime) -> None:
        """This one waited, and something else has become of it than to be applied."""
        values = {"outcome": outcome, "state": STATES[outcome], "reasons": [reason.as_dict()], "completed_at": at}
        self._connection.execute(update(DELIVERIES).where(DELIVERIES.c.delivery_id == delivery_id).values(**values))

    def held(self, entity_ids: Sequence[str]) -> list[Received]:
        """Messages about these entities that wait, in the order of their numbers."""
        chosen = among(self._connection, DELIVERIES.c.entity_id, entity_ids)
        statement = _received().where(DELIVERIES.c.outcome == HELD, chosen)
        return self._all(statement.order_by(DELIVERIES.c.entity_id, DELIVERIES.c.sequence))

    def get(self, delivery_id: str) -> Received | None:
        """The message of a delivery; None for a file, and for one that doesn't exist."""
        chosen = (DELIVERIES.c.delivery_id == delivery_id) & DELIVERIES.c.message_id.is_not(None)
        return next(iter(self._all(_received().where(chosen))), None)

    def kept(self, connector: str) -> Iterator[Received]:
        """Messages of a connector that were not refused, in the order in which they were taken; one that contradicts
        another comes behind that.
        """
        of_connector = (DELIVERIES.c.connector == connector) & (DELIVERIES.c.kind == Kind.MESSAGE.value)
        contradicts = case((DELIVERIES.c.outcome == "EXCEPTION", 1), else_=0)
        ordered = _received().where(of_connector, DELIVERIES.c.outcome != REJECTED)
        statement = ordered.order_by(contradicts, DELIVERIES.c.received_at, DELIVERIES.c.delivery_id)
        for row in self._connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}):
            yield _of_row(row._asdict())

    def outcomes(self, delivery_ids: Sequence[str]) -> dict[str, str]:
        """delivery_id → what has become of the message by now."""
        chosen = among(self._connection, DELIVERIES.c.delivery_id, delivery_ids)
        statement = select(DELIVERIES.c.delivery_id, DELIVERIES.c.outcome).where(chosen)
        return {row.delivery_id: row.outcome for row in self._connection.execute(statement)}

    def _all(self, statement: Select[Any]) -> list[Received]:
        return [_of_row(row._asdict()) for row in self._connection.execute(statement)]


_FIELDS = tuple(name for name in Received.__dataclass_fields__ if name != "reason")


def _received() -> Select[Any]:
    return select(*(DELIVERIES.c[name] for name in _FIELDS), DELIVERIES.c.reasons)


def _of_row(row: dict[str, Any]) -> Received:
    reasons = row.pop("reasons")
    return Received(**row, reason=Reason(**reasons[0]) if reasons else None)


def _columns(connector: str, rows: Sequence[Received], path: str) -> dict[str, Any]:
    given = {name: [getattr(row, name) for row in rows] for name in _FIELDS}
    received = given["received_at"]
    return given | {
        "connector": Same(connector),
        "kind": Same(Kind.MESSAGE.value),
        "name": Same("message"),
        "state": [STATES[row.outcome].value for row in rows],
        "reasons": [[row.reason.as_dict()] if row.reason else [] for row in rows],
        "records": Same(1),
        "path": Same(path),
        "completed_at": [None if row.outcome == HELD else at for row, at in zip(rows, received, strict=True)],
    }
