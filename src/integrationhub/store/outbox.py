"""The outbox: events written with the change they tell of, sent afterwards by a relay.

Order per subject and audience holds without a global order: an event's position is given while its transaction holds
the subject's row in `subject_sequences`, so a later event of the same subject always has a higher position, although
positions of unrelated subjects may be committed out of turn. The relay therefore takes rows by the mark `published_at`,
never by a high-water position.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select, update

from integrationhub.store.bulk import Same, among, insert_returning, insert_rows
from integrationhub.store.schema import DELIVERIES, OUTBOX, SUBJECT_SEQUENCES

_ROWS_PER_STATEMENT = 500
_ADVANCE = """
ON CONFLICT (subject, audience) DO UPDATE SET last = subject_sequences.last + excluded.last
"""

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
    """An event as it lies in the outbox; `data` is the JSON text of the CloudEvent's data. The trace context is that of
    the message which caused it.
    """

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
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """What the relay still has to send."""

    waiting: int
    oldest: datetime | None


class Outbox:
    """Events in, events out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, events: pl.DataFrame | Mapping[str, Sequence[Any]], *, at: datetime) -> None:
        """Append events (columns of EVENT_SCHEMA), numbering each subject and audience 1, 2, 3 … in their order.

        The rows of the subjects stay locked until the transaction ends, in one order for everybody.
        """
        columns = {name: list(events[name]) for name in EVENT_SCHEMA}
        if not columns["event_id"]:
            return
        subjects = list(zip(columns["subject"], columns["audience"], strict=True))
        columns["sequence"] = self._numbers(subjects)
        insert_rows(self._connection, OUTBOX, columns | {"time": Same(at)})

    def _numbers(self, subjects: Sequence[tuple[str, str]]) -> list[int]:
        """The number of each event of its subject and audience."""
        counts = Counter(subjects)
        keys = sorted(counts)
        given: dict[str, Sequence[object]] = {
            "subject": [subject for subject, _ in keys],
            "audience": [audience for _, audience in keys],
            "last": [counts[key] for key in keys],
        }
        rows = insert_returning(
            self._connection, SUBJECT_SEQUENCES, given, conflict=_ADVANCE, returning=("subject", "audience", "last")
        )
        next_number = {(subject, audience): last - counts[subject, audience] for subject, audience, last in rows}
        numbers = []
        for key in subjects:
            next_number[key] += 1
            numbers.append(next_number[key])
        return numbers

    def counts(self, subjects: Sequence[str], audience: str) -> dict[str, int]:
        """How many events these subjects have had; those without one are missing."""
        numbers = SUBJECT_SEQUENCES.c
        chosen = (among(self._connection, numbers.subject, subjects), numbers.audience == audience)
        rows = self._connection.execute(select(numbers.subject, numbers.last).where(*chosen))
        return {row.subject: row.last for row in rows}

    def waiting(self, limit: int) -> list[StoredEvent]:
        """The next events to send, in position order."""
        columns = [OUTBOX.c[name] for name in StoredEvent.__dataclass_fields__ if name in OUTBOX.c]
        trace = DELIVERIES.c.envelope["headers", "traceparent"].as_string().label("traceparent")
        joined = OUTBOX.outerjoin(DELIVERIES, DELIVERIES.c.delivery_id == OUTBOX.c.correlation_id)
        statement = select(*columns, trace).select_from(joined).where(OUTBOX.c.published_at.is_(None))
        statement = statement.order_by(OUTBOX.c.position).limit(limit)
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
