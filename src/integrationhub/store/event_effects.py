"""What the change events of cases do to their figures (csa2003.md §5), worked out from what is kept.

Events apply arithmetically, in the order of their numbers, behind the transactions of the book: a charge, receipt or
adjustment adds to the figures of the owner of the schedule that it names; a reversal adds to those of the transaction
that it names, and releases the cash if that was held. Address, relationship and status change no figure.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from integrationhub.store.bulk import among
from integrationhub.store.case_events import CaseEvent, EventState, event_of, unbroken
from integrationhub.store.judged import FIGURES
from integrationhub.store.ledger import live
from integrationhub.store.schema import CANONICAL, CASE_EVENTS

CASES, SCHEDULES, LEDGER, RECEIPTS = (CANONICAL[name] for name in ("cases", "schedules", "ledger", "receipts"))

_SUSPENSIONS = {"SUSPEND": 1, "UNSUSPEND": -1}
_FIGURE_OF_OWNER = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos", "UNKNOWN": "unk", "MIXED": "unk"}
_MOVING = frozenset({"Charge", "Receipt", "Adjustment", "ReceiptReversed"})
_SENTINELS = frozenset({"0001-01-01", "1900-01-01", "1980-01-01", "9999-12-31"})


class Money(NamedTuple):
    """A transaction that an event may reverse: its owner's figure; of a receipt value date and pence, and what of it is
    still held as custodian.
    """

    figure: str
    value_date: date | None = None
    pence: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event that the book does not contain. `figures` is what it adds, all nil while it waits.

    `is_lost`: it applies, and names a schedule or transaction that its case does not have, so that nothing moves.
    `paid`, `returned`: value date and pence of the receipt that it adds or takes back.
    """

    event: CaseEvent
    applies: bool
    figures: Mapping[str, int]
    figure: str | None = None  # of which owner's
    is_lost: bool = False
    paid: tuple[date | None, int] | None = None
    returned: tuple[date | None, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What the applied events of a case add to its figures, by their names in exports, and how far they go.

    `last_charged` is the last day charged where an event moved it.
    """

    case_id: str
    state: EventState
    applied_to_seq: int
    figures: Mapping[str, int]
    last_charged: date | None
    steps: tuple[Step, ...]


def effects(connection: Connection, case_ids: Collection[str] | None = None) -> Iterator[Effect]:
    """The effect of every case (or of these) that has events its book does not contain, by case identifier."""
    rows = list(_behind_book(connection, case_ids))
    cases = {str(row.case_id) for row in rows}
    owners, booked = _owners(connection, cases), _booked(connection, rows)
    for case_id, own in groupby(rows, key=lambda row: str(row.case_id)):
        yield _effect(case_id, list(own), owners, booked)


def _behind_book(connection: Connection, case_ids: Collection[str] | None) -> Iterator[Row[Any]]:
    """Events that the book does not contain, with its number as `book`, by case and number."""
    book = func.coalesce(CASES.c.last_event_seq, 0)
    joined = CASE_EVENTS.join(CASES, CASES.c.case_id == CASE_EVENTS.c.case_id)
    statement = select(CASE_EVENTS, book.label("book")).select_from(joined).where(CASE_EVENTS.c.case_seq > book)
    ordered = statement.order_by(CASE_EVENTS.c.case_id, CASE_EVENTS.c.case_seq)
    if case_ids is None:
        yield from connection.execute(ordered)
        return
    yield from connection.execute(ordered.where(among(connection, CASE_EVENTS.c.case_id, sorted(case_ids))))


def _owners(connection: Connection, case_ids: Collection[str]) -> Mapping[tuple[str, str], str]:
    """(case, schedule) → figure."""
    if not case_ids:
        return {}
    columns = (SCHEDULES.c.case_id, SCHEDULES.c.source_id, SCHEDULES.c.owner)
    rows = connection.execute(select(*columns).where(among(connection, SCHEDULES.c.case_id, sorted(case_ids))))
    return {(row.case_id, row.source_id): _FIGURE_OF_OWNER[row.owner] for row in rows}


def _booked(connection: Connection, events: Sequence[Row[Any]]) -> Mapping[tuple[str, str], Money]:
    """(case, transaction) → what a reversal of it moves, of the transactions of the book that events reverse."""
    case_ids = {str(row.case_id) for row in events if row.reverses_ref}
    if not case_ids:
        return {}
    of_cases = among(connection, LEDGER.c.case_id, sorted(case_ids))
    reversed_before = set(
        connection.execute(select(LEDGER.c.reverses_ref).where(of_cases, LEDGER.c.kind == "REVERSAL", live())).scalars()
    )
    same = (RECEIPTS.c.case_id == LEDGER.c.case_id) & (RECEIPTS.c.source_ref == LEDGER.c.source_id)
    columns = (LEDGER.c.case_id, LEDGER.c.source_id, LEDGER.c.owner, RECEIPTS.c.pence, RECEIPTS.c.value_date)
    statement = select(*columns, (RECEIPTS.c.custody == "HELD").label("is_held")).select_from(
        LEDGER.outerjoin(RECEIPTS, same)
    )
    found = {}
    for row in connection.execute(statement.where(of_cases, LEDGER.c.source_id.is_not(None), live())):
        held = row.pence if row.is_held and row.source_id not in reversed_before else 0
        found[row.case_id, row.source_id] = Money(_FIGURE_OF_OWNER[row.owner], row.value_date, row.pence or 0, held)
    return found


def _effect(
    case_id: str,
    rows: Sequence[Row[Any]],
    owners: Mapping[tuple[str, str], str],
    booked: Mapping[tuple[str, str], Money],
) -> Effect:
    last = unbroken(rows[0].book, (row.case_seq for row in rows))
    money = {transaction: found for (case, transaction), found in booked.items() if case == case_id}
    schedules = {schedule: figure for (case, schedule), figure in owners.items() if case == case_id}
    steps = []
    for event in map(event_of, rows):
        applies = event.case_seq <= last
        steps.append(_step(event, schedules, money) if applies else _waiting(event))
    state = EventState.APPLIED if last == rows[-1].case_seq else EventState.WAITING
    if any(row.conflicts for row in rows):
        state = EventState.CONFLICT
    moved = [step.event.charged_to for step in steps if step.applies and step.event.charged_to]
    return Effect(
        case_id=case_id, state=state, applied_to_seq=last, steps=tuple(steps),
        figures={name: sum(step.figures[name] for step in steps) for name in FIGURES},
        last_charged=moved[-1] if moved else None,
    )  # fmt: skip


def _moves(**figures: int) -> Mapping[str, int]:
    return dict.fromkeys(FIGURES, 0) | figures


def _waiting(event: CaseEvent) -> Step:
    return Step(event=event, applies=False, figures=_moves())


def _step(event: CaseEvent, schedules: Mapping[str, str], money: dict[str, Money]) -> Step:
    """What an event does that applies; `money` learns the transaction that it adds and forgets one that it reverses."""
    if event.kind not in _MOVING:
        return Step(event=event, applies=True, figures=_moves())
    if event.kind == "ReceiptReversed":
        return _reversal(event, money)
    figure = schedules.get(event.schedule_ref or "")
    if figure is None:
        return Step(event=event, applies=True, figures=_moves(), is_lost=True)
    if event.kind == "Adjustment" and event.reason in _SUSPENSIONS:
        suspends = {} if figure == "unk" else {f"susp_{figure}": _SUSPENSIONS[event.reason] * event.pence}
        return Step(event=event, applies=True, figures=_moves(**suspends), figure=figure)
    held = -event.pence if event.is_held else 0
    received = (_day((event.said or {}).get("valueDate")), -event.pence) if event.kind == "Receipt" else None
    if event.source_id:
        money[event.source_id] = Money(figure, *(received or (None, 0)), held)
    figures = _moves(**{figure: event.pence, "custodian": held})
    return Step(event=event, applies=True, figures=figures, figure=figure, paid=received)


def _reversal(event: CaseEvent, money: dict[str, Money]) -> Step:
    found = money.get(event.reverses_ref or "")
    if found is None:
        return Step(event=event, applies=True, figures=_moves(), is_lost=True)
    money[event.reverses_ref or ""] = found._replace(held=0)
    figures = _moves(**{found.figure: event.pence, "custodian": -found.held})
    returned = (found.value_date, found.pence) if found.pence else None
    return Step(event=event, applies=True, figures=figures, figure=found.figure, returned=returned)


def _day(text: str | None) -> date | None:
    """A value date; None where a sentinel stands for one that nobody knows (csa2003.md §3)."""
    return None if not text or text.strip()[:10] in _SENTINELS else date.fromisoformat(text.strip()[:10])
