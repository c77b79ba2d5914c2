"""Where a case stands on a day: segment, collectability label, write-off class (arrears-errors.md §4).

Everything about a case that may change with the day is in its `Facts`, which are kept beside the verdict: the answer
for any day needs no second judging.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from integrationhub.arrears.arithmetic import weekly
from integrationhub.arrears.book import (
    CLERICAL,
    OFF_SYSTEM,
    OPEN,
    RECEIPT,
    RECEIVING_PARENT,
    SECRETARY_OF_STATE,
    Case,
    Figures,
)  # fmt: skip
from integrationhub.arrears.policy import Thresholds

SEGMENTS = ("1", "2", "3", "4", "5")
ARREARS_ONLY, CLOSED, OFF, HELD = "ARREARS_ONLY", "CLOSED", "OFF", "HELD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the tests of a day look at; dates as ISO texts, an open end is 9999-12-31.

    `rows`: first day, last day, weekly pence. `enforced`: periods of successful enforcement. `paid`: value date and
    pence of every effective receipt. `reached`: days on which the non-resident parent was reached.
    """

    off: bool
    clerical: bool
    ends: str
    effective: str | None
    payee: str | None
    owners: tuple[str, ...]
    rows: tuple[tuple[str, str, int], ...] = ()
    enforced: tuple[tuple[str, str], ...] = ()
    paid: tuple[tuple[str, int], ...] = ()
    reached: tuple[str, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """The facts as JSON holds them."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> "Facts":
        """The facts from JSON."""
        return cls(**document)


def facts_of(case: Case) -> Facts:
    """The facts of a judged case."""
    carer = case.party("PWC")
    shared: dict[str, Any] = {
        "off": case.status == OFF_SYSTEM or case.duplicate_of is not None,
        "clerical": case.system == CLERICAL,
        "ends": _iso(case.liability_end or OPEN),
        "effective": _iso(case.effective) if case.effective else None,
        "payee": carer.ref if carer else None,
    }
    if case.clerical:
        book = case.clerical
        names = (RECEIVING_PARENT, SECRETARY_OF_STATE)
        owners = tuple(name for place, name in enumerate(names) if book.charged[place] or book.received[place])
        paid = ((_iso(book.last_payment), 1),) if book.last_payment else ()
        return Facts(**shared, owners=owners, paid=paid, reached=_isos([book.last_contact]))
    return Facts(
        **shared,
        owners=tuple(sorted({line.owner for line in case.lines} & {RECEIVING_PARENT, SECRETARY_OF_STATE})),
        rows=tuple((_iso(row.first), _iso(row.last), weekly(case.scheme, row.amount))
                   for row in case.rows if row.first and row.last),
        enforced=tuple(sorted((_iso(event.first), _iso(event.last)) for event in [*case.events, *case.group_events]
                              if event.enforcement and event.succeeded and event.first and event.last)),
        paid=tuple(sorted((_iso(line.value_date), line.received) for line in case.lines
                          if line.kind == RECEIPT and not line.undone and line.value_date)),
        reached=_isos(event.first for event in [*case.events, *case.group_events, *case.sibling_events]
                      if not event.enforcement and event.succeeded and event.party_id == case.nrp_party),
    )  # fmt: skip


def _iso(day: date) -> str:
    return day.isoformat()


def _isos(days: Iterable[date | None]) -> tuple[str, ...]:
    return tuple(sorted({day.isoformat() for day in days if day}))


def months_before(day: date, months: int) -> date:
    """The day so many calendar months earlier; the last of its month where it has no such day."""
    return months_after(day, -months)


def months_after(day: date, months: int) -> date:
    """The day so many calendar months later; the last of its month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _paid_between(facts: Facts, first: str, last: str) -> int | None:
    """Pence of effective receipts from `first` to `last`; None when there is no receipt."""
    found = [pence for day, pence in facts.paid if first <= day <= last]
    return sum(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case on a day: its segment, its label, and the write-off class of each of its debts by owner."""

    segment: str
    uncollectable: bool
    debts: tuple[dict[str, Any], ...]


def standing(facts: Facts, accepted: Figures, day: date, thresholds: Thresholds) -> Standing:
    """Where an accepted case stands on a day."""
    today = day.isoformat()
    since = (months_before(day, thresholds.quiet_months) + timedelta(1)).isoformat()
    owed = accepted.rp + accepted.sos
    paid = _paid_between(facts, since, today) is not None
    paid_since = _paid_between(facts, since, _iso(OPEN)) is not None  # money that came after the day counts here, too
    reached = any(since <= contact <= today for contact in facts.reached)
    segment = _segment(facts, owed, day, thresholds)

    def debt(owner: str) -> dict[str, Any]:
        write_off = _write_off(facts, accepted, owner, segment, paid=paid_since, day=day, limits=thresholds)
        return _debt(facts, accepted, owner, write_off)

    debts = tuple(debt(owner) for owner in (RECEIVING_PARENT, SECRETARY_OF_STATE) if owner in facts.owners)
    return Standing(segment=segment, uncollectable=owed > 0 and not paid and not reached, debts=debts)


def _segment(facts: Facts, owed: int, day: date, thresholds: Thresholds) -> str:
    """The first of the table's segments that applies."""
    today = day.isoformat()
    if facts.off:
        return OFF
    if facts.ends < today:
        return ARREARS_ONLY if owed > 0 else CLOSED
    if facts.clerical:
        return "3"
    if any(first <= today <= last for first, last in facts.enforced):
        return "5"
    return _by_payment(facts, day, thresholds)


def _by_payment(facts: Facts, day: date, thresholds: Thresholds) -> str:
    """Segments 1 to 4: what is due, and what has been paid of late."""
    today = day.isoformat()
    due = next((pence for first, last, pence in facts.rows if first <= today <= last), 0)
    if due == 0:
        return "1"
    paid = _paid_between(facts, (day - timedelta(thresholds.recent_days)).isoformat(), today) or 0
    if paid == 0:
        return "2"
    return "3" if paid >= thresholds.full_weeks * due else "4"


def _debt(facts: Facts, accepted: Figures, owner: str, write_off: str) -> dict[str, Any]:
    ours = owner == RECEIVING_PARENT
    return {
        "owner": owner,
        "payee": facts.payee if ours else owner,
        "outstanding": accepted.rp if ours else accepted.sos,
        "suspended": accepted.susp_rp if ours else accepted.susp_sos,
        "writeoff": write_off,
    }


def _write_off(
    facts: Facts, accepted: Figures, owner: str, segment: str, *, paid: bool, day: date, limits: Thresholds
) -> str:
    """The first of the table's classes that applies."""
    outstanding = accepted.rp if owner == RECEIVING_PARENT else accepted.sos
    if outstanding <= 0:
        return "NONE"
    if segment != ARREARS_ONLY or paid:
        return "NOT_ELIGIBLE"
    if owner == SECRETARY_OF_STATE:
        return "GOV"
    if outstanding < limits.floor_pence:
        return "FLOOR"
    old = facts.effective is not None and years_after(date.fromisoformat(facts.effective), limits.old_years) <= day
    limit = limits.old_representation_pence if old else limits.representation_pence
    return "REPRESENTATION" if outstanding > limit else "NO_REPRESENTATION"


def years_after(day: date, years: int) -> date:
    """The day so many years later; 29 February becomes the 28th where there is none."""
    return months_after(day, 12 * years)


def group_segment(segments: Sequence[str | None], precedence: Sequence[str] = SEGMENTS) -> str:
    """The segment of a case group; None stands for an exception. `precedence`: the numbered ones, the last wins."""
    if None in segments:
        return HELD
    numbered = [segment for segment in segments if segment in precedence]
    if numbered:
        return str(max(numbered, key=lambda segment: list(precedence).index(str(segment))))
    return ARREARS_ONLY if ARREARS_ONLY in segments else CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureClock:
    """The dates that run from a printed closure notice."""

    printed: date
    reminder: date
    liability_ends: date


def closure_clock(printed: date, thresholds: Thresholds) -> ClosureClock:
    """When liability ends after a notice was printed, and when the reminder is due."""
    ends = months_after(printed, thresholds.closure_months)
    reminder = months_before(ends, thresholds.reminder_months)
    return ClosureClock(printed=printed, reminder=reminder, liability_ends=ends)


def representation_ends(received: date, thresholds: Thresholds) -> date:
    """The last day on which a person may answer a write-off notice received on a day; silence is no consent."""
    return received + timedelta(thresholds.representation_days)
