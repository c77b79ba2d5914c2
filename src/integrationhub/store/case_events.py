"""Change events of cases: what was kept, which of it applies, and what that does to a case's figures.

Nothing is computed when an event comes: whether it applies follows from the number of the last event that the case's
accepted book contains, and from an unbroken chain of numbers behind it. So events may come in any order, and a later
book makes the events stale that it contains, by itself (csa2003.md §5).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from sqlalchemy import Connection, Row, select, update

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

    def case(self, source_system: str, reference: str) -> tuple[str, int] | None:
        """Identifier and last event number in the book of a case; None for one that no book has."""
        statement = select(CASES.c.case_id, CASES.c.last_event_seq).where(
            CASES.c.source_system == source_system, CASES.c.source_ref == reference, CASES.c.state != "WITHDRAWN"
        )
        row = self._connection.execute(statement).first()
        return None if row is None else (row.case_id, row.last_event_seq or 0)

    def get(self, case_id: str, case_seq: int) -> CaseEvent | None:
        """The event that took this number."""
        chosen = (CASE_EVENTS.c.case_id == case_id) & (CASE_EVENTS.c.case_seq == case_seq)
        row = self._connection.execute(select(CASE_EVENTS).where(chosen)).mappings().first()
        return None if row is None else CaseEvent(**row)

    def add(self, event: CaseEvent) -> None:
        """Keep an event whose number is free."""
        self._connection.execute(CASE_EVENTS.insert().values(**asdict(event)))

    def note_conflict(self, event: CaseEvent) -> None:
        """Note that another event claimed this one's number; the first stays."""
        chosen = (CASE_EVENTS.c.case_id == event.case_id) & (CASE_EVENTS.c.case_seq == event.case_seq)
        self._connection.execute(update(CASE_EVENTS).where(chosen).values(conflicts=CASE_EVENTS.c.conflicts + 1))

    def applied_to(self, case_id: str, book: int) -> int:
        """The last number of the unbroken chain behind the book's."""
        statement = select(CASE_EVENTS.c.case_seq).where(
            CASE_EVENTS.c.case_id == case_id, CASE_EVENTS.c.case_seq > book
        )
        return _chain(book, self._connection.execute(statement.order_by(CASE_EVENTS.c.case_seq)).scalars())

    def standing(self, case_id: str) -> int:
        """The last number that applies to a case now."""
        statement = select(CASES.c.last_event_seq).where(CASES.c.case_id == case_id)
        return self.applied_to(case_id, self._connection.execute(statement).scalar_one() or 0)

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


def _chain(book: int, numbers: Iterable[int]) -> int:
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
    last = _chain(rows[0].last_event_seq, (row.case_seq for row in rows))
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
