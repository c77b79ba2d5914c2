"""Change events of cases: what was kept, and which of it applies.

Nothing is computed when an event comes: whether it applies follows from the number of the last event that the case's
accepted book contains, and from an unbroken chain of numbers behind it. So events may come in any order, and a later
book makes the events stale that it contains, by itself (csa2003.md §5). What that does to the figures of a case:
`store.event_effects`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import polars as pl
from sqlalchemy import Connection, Row, func, select, update

from integrationhub.errors import TransientError
from integrationhub.store.bulk import among, insert_rows
from integrationhub.store.schema import CANONICAL, CASE_EVENTS

CASES = CANONICAL["cases"]


class EventState(StrEnum):
    """How the events of a case stand."""

    APPLIED = "APPLIED"
    WAITING = "WAITING"  # a number is missing: nothing behind it applies
    CONFLICT = "CONFLICT"  # two events claim one number


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One event as it is kept. `pence` is signed as stored; `charged_to` is the last day charged.

    `said` is all that the event says of itself, by the names of its source, address lines under `lines`: personal.
    """

    case_id: str
    case_seq: int
    delivery_id: str
    digest: str
    kind: str
    occurred_on: date
    source_id: str | None = None
    schedule_ref: str | None = None
    reverses_ref: str | None = None
    pence: int = 0
    reason: str | None = None
    charged_to: date | None = None
    is_held: bool = False
    conflicts: int = 0
    said: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What took a number of a case."""

    digest: str
    delivery_id: str


EVENT_SCHEMA: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("source_system", "source_ref"), pl.String()),
    "case_seq": pl.Int64(),
    **dict.fromkeys(("delivery_id", "kind"), pl.String()),
    "occurred_on": pl.Date(),
    **dict.fromkeys(("source_id", "schedule_ref", "reverses_ref"), pl.String()),
    "pence": pl.Int64(),
    "reason": pl.String(),
    "charged_to": pl.Date(),
    "is_held": pl.Boolean(),
    "conflicts": pl.Int64(),
}
"""Columns of `stored_events`. `source_ref` is the case's: personal."""

_ROWS_AT_ONCE = 10_000


def stored_events(connection: Connection) -> Iterator[pl.DataFrame]:
    """Every event that was kept, applied or not: for whoever must prove what is stored."""
    columns = [(CASES if name in ("source_system", "source_ref") else CASE_EVENTS).c[name] for name in EVENT_SCHEMA]
    statement = select(*columns).join_from(CASE_EVENTS, CASES, CASES.c.case_id == CASE_EVENTS.c.case_id)
    result = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
    yield pl.DataFrame(schema=dict(EVENT_SCHEMA))
    for part in result.partitions():
        yield pl.DataFrame([tuple(row) for row in part], schema=dict(EVENT_SCHEMA), orient="row")


class CaseEvents:
    """Events by case and number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def cases(self, source_system: str, references: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Reference → identifier and last event number in the book; a case that no book has is missing."""
        chosen = among(self._connection, CASES.c.source_ref, references)
        statement = select(CASES.c.source_ref, CASES.c.case_id, CASES.c.last_event_seq).where(
            CASES.c.source_system == source_system, chosen, CASES.c.state != "WITHDRAWN"
        )
        rows = self._connection.execute(statement)
        return {row.source_ref: (row.case_id, row.last_event_seq or 0) for row in rows}

    def pending(self, case_ids: Sequence[str]) -> dict[str, dict[int, Taken]]:
        """Case → the events that its book does not contain, by number."""
        columns = [CASE_EVENTS.c[name] for name in ("case_id", "case_seq", "digest", "delivery_id")]
        chosen = among(self._connection, CASE_EVENTS.c.case_id, case_ids)
        statement = select(*columns).join(CASES, CASES.c.case_id == CASE_EVENTS.c.case_id)
        behind = CASE_EVENTS.c.case_seq > func.coalesce(CASES.c.last_event_seq, 0)
        found: dict[str, dict[int, Taken]] = {}
        for row in self._connection.execute(statement.where(chosen, behind)):
            taken = Taken(digest=row.digest, delivery_id=row.delivery_id)
            found.setdefault(row.case_id, {})[row.case_seq] = taken
        return found

    def add(self, events: Sequence[CaseEvent]) -> None:
        """Keep events whose numbers are free. TransientError: another process takes one of the numbers right now."""
        columns = {name: [getattr(event, name) for event in events] for name in CaseEvent.__dataclass_fields__}
        if insert_rows(self._connection, CASE_EVENTS, columns, conflict="ON CONFLICT DO NOTHING") != len(events):
            raise TransientError(
                "another process has just taken one of these events",
                code="TAKEN_ELSEWHERE",
                remedy="the same batch can be taken again: it will know the event",
            )

    def contained(self, case_ids: Collection[str]) -> list[tuple[str, int]]:
        """Case and number of the events of these cases that their book contains by now."""
        chosen = among(self._connection, CASE_EVENTS.c.case_id, sorted(case_ids))
        statement = select(CASE_EVENTS.c.case_id, CASE_EVENTS.c.case_seq).join(
            CASES, CASES.c.case_id == CASE_EVENTS.c.case_id
        )
        rows = self._connection.execute(statement.where(chosen, CASE_EVENTS.c.case_seq <= CASES.c.last_event_seq))
        return [(row.case_id, row.case_seq) for row in rows]

    def note_conflict(self, case_id: str, case_seq: int) -> None:
        """Note that another event claimed this number; the first stays."""
        chosen = (CASE_EVENTS.c.case_id == case_id) & (CASE_EVENTS.c.case_seq == case_seq)
        self._connection.execute(update(CASE_EVENTS).where(chosen).values(conflicts=CASE_EVENTS.c.conflicts + 1))


def unbroken(book: int, numbers: Iterable[int]) -> int:
    """The last of the numbers, given in order, that follow the book's without a gap."""
    last = book
    for number in numbers:
        if number != last + 1:
            break
        last = number
    return last


def event_of(row: Row[Any]) -> CaseEvent:
    """The event of a row of case_events, which may have further columns."""
    values = row._mapping
    return CaseEvent(**{name: values[name] for name in CaseEvent.__dataclass_fields__})
