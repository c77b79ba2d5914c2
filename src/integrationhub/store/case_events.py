"""Change events of cases: what was kept, which of it applies, and what that does to a case's figures.

Nothing is computed when an event comes: whether it applies follows from the number of the last event that the case's
accepted book contains, and from an unbroken chain of numbers behind it. So events may come in any order, and a later
book makes the events stale that it contains, by itself (csa2003.md §5).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from sqlalchemy import Connection, Row, func, select, update

from integrationhub.errors import TransientError
from integrationhub.store.bulk import among, insert_rows
from integrationhub.store.ledger import live
from integrationhub.store.schema import CANONICAL, CASE_EVENTS

CASES, SCHEDULES, LEDGER = CANONICAL["cases"], CANONICAL["schedules"], CANONICAL["ledger"]
RECEIPTS = CANONICAL["receipts"]

_SUSPENSIONS = {"SUSPEND": 1, "UNSUSPEND": -1}
_FIGURES = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos", "UNKNOWN": "unk", "MIXED": "unk"}


class EventState(StrEnum):
    """How the events of a case stand."""

    APPLIED = "APPLIED"
    WAITING = "WAITING"  # a number is missing: nothing behind it applies
    CONFLICT = "CONFLICT"  # two events claim one number


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One event as it is kept. `pence` is signed as stored; `charged_to` is the last day charged."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What took a number of a case."""

    digest: str
    delivery_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the applied events of a case add to its figures, by their names in exports, and how far they go.

    `last_charged` is the last day charged where an event moved it.
    """

    case_id: str
    state: EventState
    applied_to_seq: int
    figures: Mapping[str, int]
    last_charged: date | None = None


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

    def note_conflict(self, case_id: str, case_seq: int) -> None:
        """Note that another event claimed this number; the first stays."""
        chosen = (CASE_EVENTS.c.case_id == case_id) & (CASE_EVENTS.c.case_seq == case_seq)
        self._connection.execute(update(CASE_EVENTS).where(chosen).values(conflicts=CASE_EVENTS.c.conflicts + 1))

    def effects(self) -> Iterator[Effect]:
        """The effect of every case that has events its book does not contain, by case identifier."""
        pending = (CASES.c.case_id == CASE_EVENTS.c.case_id) & (CASE_EVENTS.c.case_seq > CASES.c.last_event_seq)
        statement = (
            select(CASE_EVENTS, CASES.c.last_event_seq)
            .select_from(CASE_EVENTS.join(CASES, pending))
            .order_by(CASE_EVENTS.c.case_id, CASE_EVENTS.c.case_seq)
        )
        rows = list(self._connection.execute(statement))
        owners, receipts = self._owners(), self._receipts(rows)
        for case_id, own in groupby(rows, key=lambda row: row.case_id):
            yield _effect(str(case_id), list(own), owners, receipts)

    def _owners(self) -> Mapping[str, str]:
        """Schedule → figure; of the schedules that events name."""
        named = select(CASE_EVENTS.c.schedule_ref)
        statement = select(SCHEDULES.c.source_id, SCHEDULES.c.owner).where(SCHEDULES.c.source_id.in_(named))
        return {row.source_id: _FIGURES[row.owner] for row in self._connection.execute(statement)}

    def _receipts(self, events: Sequence[Row[tuple[object, ...]]]) -> Mapping[str, tuple[str, int]]:
        """Transaction → figure and custodian pence, of the transactions that events reverse: the book's or events'."""
        named = select(CASE_EVENTS.c.reverses_ref)
        held = RECEIPTS.c.custody == "HELD"
        statement = (
            select(LEDGER.c.source_id, LEDGER.c.owner, RECEIPTS.c.pence, held.label("is_held"))
            .select_from(LEDGER.outerjoin(RECEIPTS, RECEIPTS.c.source_ref == LEDGER.c.source_id))
            .where(LEDGER.c.source_id.in_(named), live())
        )
        found = {
            row.source_id: (_FIGURES[row.owner], row.pence if row.is_held else 0)
            for row in self._connection.execute(statement)
        }
        owners = self._owners()
        for row in events:
            if row.source_id is not None and row.schedule_ref in owners:
                found[row.source_id] = (owners[row.schedule_ref], -row.pence if row.is_held else 0)
        return found


def unbroken(book: int, numbers: Iterable[int]) -> int:
    """The last of the numbers, given in order, that follow the book's without a gap."""
    last = book
    for number in numbers:
        if number != last + 1:
            break
        last = number
    return last


def _effect(
    case_id: str,
    rows: Sequence[Row[tuple[object, ...]]],
    owners: Mapping[str, str],
    receipts: Mapping[str, tuple[str, int]],
) -> Effect:
    last = unbroken(rows[0].last_event_seq, (row.case_seq for row in rows))
    figures = dict.fromkeys(("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian"), 0)
    charged: date | None = None
    for row in rows:
        if row.case_seq <= last:
            _apply(row, figures, owners, receipts)
            charged = row.charged_to or charged
    state = EventState.APPLIED if last == rows[-1].case_seq else EventState.WAITING
    if any(row.conflicts for row in rows):
        state = EventState.CONFLICT
    return Effect(case_id=case_id, state=state, applied_to_seq=last, figures=figures, last_charged=charged)


def _apply(
    row: Row[tuple[object, ...]],
    figures: dict[str, int],
    owners: Mapping[str, str],
    receipts: Mapping[str, tuple[str, int]],
) -> None:
    """Add one event to the figures; one that names nothing known has no effect."""
    if row.kind == "ReceiptReversed":
        figure, custodian = receipts.get(row.reverses_ref, (None, 0))
        if figure is not None:
            figures[figure] += row.pence
            figures["custodian"] -= custodian
        return
    figure = owners.get(row.schedule_ref)
    if figure is None:
        return
    if row.kind == "Adjustment" and row.reason in _SUSPENSIONS:
        if f"susp_{figure}" in figures:
            figures[f"susp_{figure}"] += _SUSPENSIONS[row.reason] * row.pence
        return
    figures[figure] += row.pence
    if row.is_held:
        figures["custodian"] -= row.pence
