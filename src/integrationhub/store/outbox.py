"""The outbox: events written with the change they tell of, sent afterwards by a relay.

Order per subject and audience holds without a global order: an event's position is given while its transaction holds
the subject's row in `subject_sequences`, so a later event of the same subject always has a higher position, although
positions of unrelated subjects may be committed out of turn. The relay therefore takes rows by the mark `published_at`,
never by a high-water position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import Connection, func, literal, select, true, update

from integrationhub.store import staging
from integrationhub.store.dialect import insert_into
from integrationhub.store.schema import OUTBOX, SUBJECT_SEQUENCES
from integrationhub.store.staging import EVENTS

_ROWS_PER_STATEMENT = 500

EVENT_SCHEMA: Mapping[str, pl.DataType] = {
    "event_id": pl.String(),  # identifier, stable over repeats of the same change
    "type": pl.String(),  # without prefix, e.g. debt.created
    "source": pl.String(),
    "subject": pl.String(),  # never personal
    "audience": pl.String(),
    "correlation_id": pl.String(),  # delivery
    "routing_key": pl.String(),
    "data": pl.String(),  # a JSON object
}
"""Columns of a frame of new events, in the order in which they happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as it lies in the outbox; `data` is the JSON text of the CloudEvent's data."""

    position: int
    event_id: str
    type: str
    source: str
    subject: str
    audience: str
    sequence: int
    correlation_id: str
    routing_key: str
    data: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What the relay still has to send."""

    waiting: int
    oldest: datetime | None


class Outbox:
    """Events in, events out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, events: pl.DataFrame, *, at: datetime) -> None:
        """Append events (EVENT_SCHEMA), numbering each subject and audience 1, 2, 3 … in the frame's order.

        The rows of the subjects stay locked until the transaction ends, in one order for everybody.
        """
        if events.is_empty():
            return
        staging.prepare(self._connection, EVENTS)
        staging.fill(self._connection, EVENTS, events.select(*EVENT_SCHEMA).with_row_index("ordinal"))
        self._advance_sequences()
        self._append(at)

    def _advance_sequences(self) -> None:
        key = [EVENTS.c.subject, EVENTS.c.audience]
        numbers = select(*key, func.count().label("last")).where(true()).group_by(*key).order_by(*key)
        statement = insert_into(self._connection.dialect.name, SUBJECT_SEQUENCES).from_select(
            ["subject", "audience", "last"], numbers
        )
        advance = {"last": SUBJECT_SEQUENCES.c.last + statement.excluded.last}
        self._connection.execute(statement.on_conflict_do_update(index_elements=["subject", "audience"], set_=advance))

    def _append(self, at: datetime) -> None:
        same = [EVENTS.c.subject, EVENTS.c.audience]
        rank = func.row_number().over(partition_by=same, order_by=EVENTS.c.ordinal)
        number = SUBJECT_SEQUENCES.c.last - func.count().over(partition_by=same) + rank
        joined = EVENTS.join(
            SUBJECT_SEQUENCES,
            (SUBJECT_SEQUENCES.c.subject == EVENTS.c.subject) & (SUBJECT_SEQUENCES.c.audience == EVENTS.c.audience),
        )
        time = literal(at, OUTBOX.c.time.type)
        rows = (
            select(*(EVENTS.c[name] for name in EVENT_SCHEMA), number.label("sequence"), time.label("time"))
            .select_from(joined)
            .order_by(EVENTS.c.ordinal)
        )
        self._connection.execute(OUTBOX.insert().from_select([*EVENT_SCHEMA, "sequence", "time"], rows))

    def waiting(self, limit: int) -> list[StoredEvent]:
        """The next events to send, in position order."""
        columns = [OUTBOX.c[name] for name in StoredEvent.__dataclass_fields__]
        statement = select(*columns).where(OUTBOX.c.published_at.is_(None)).order_by(OUTBOX.c.position).limit(limit)
        return [StoredEvent(**row) for row in self._connection.execute(statement).mappings()]

    def mark_published(self, positions: Sequence[int], *, at: datetime) -> None:
        """These were confirmed by the broker."""
        for start in range(0, len(positions), _ROWS_PER_STATEMENT):
            chosen = OUTBOX.c.position.in_(positions[start : start + _ROWS_PER_STATEMENT])
            self._connection.execute(update(OUTBOX).where(chosen).values(published_at=at))

    def lag(self) -> Lag:
        """How many events wait, and since when the oldest does."""
        statement = select(func.count(), func.min(OUTBOX.c.time, type_=OUTBOX.c.time.type)).where(
            OUTBOX.c.published_at.is_(None)
        )
        waiting, oldest = self._connection.execute(statement).one()
        return Lag(waiting=waiting, oldest=oldest)
