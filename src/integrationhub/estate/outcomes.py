"""What a right product must say of the generated cases (arrears-errors.md §1 and §4).

Causes, exceptions and flags were noted when the errors were put in; here they become outcomes, and the accepted ledgers
become debts, segments, labels and write-off classes as at a day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from integrationhub.estate.book import (
    Case,
    CaseGroup,
    Figures,
    Receipt,
    SourceGroup,
    figures,
)
from integrationhub.estate.csa2003_ids import party_row
from integrationhub.estate.edges import OLD_YEARS, RECENT_MONTHS, months_before, years_after
from integrationhub.estate.rules import SCHEME_2003, SENTINELS
from integrationhub.estate.scene import unreversed_receipts

SECRETARY_OF_STATE = "SECRETARY_OF_STATE"
OWNERS = (("R", "RECEIVING_PARENT", "rp"), ("S", SECRETARY_OF_STATE, "sos"))
FLOOR = 6_500
REPRESENTATION_LIMIT = {False: 50_000, True: 100_000}  # by whether the case is ten years old
RECENT = timedelta(90)
FULL_WEEKS = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One case with everything that is expected of it."""

    key: str
    source: Figures
    real: Figures
    accepted: Figures | None
    outcome: str
    segment: str | None
    row: dict[str, object]
    linked: bool = True  # False: nothing joins it to the other cases, so it is a case group of its own

    @property
    def source_right(self) -> bool:
        """Whether the header says what is really owed."""
        return self.source.arrears() == self.real.arrears()

    @property
    def accepted_right(self) -> bool:
        """Whether what a right product accepts is what is really owed."""
        return self.accepted is not None and self.accepted.arrears() == self.real.arrears()


def header(case: Case) -> Figures:
    """The figures that are written in the case record."""
    total = figures(case.sent, as_stored=case.rules.as_stored)
    return total._replace(**{name: getattr(total, name) + delta for name, delta in case.tamper.items()})


def judge(group: CaseGroup, day: date) -> list[Judged]:
    """Every case of a case group, as at `day`."""
    return [judge_case(case, source, day) for source in group.source_groups for case in source.cases]


def judge_case(case: Case, source: SourceGroup, day: date) -> Judged:
    """One case of a source group, as at `day`."""
    key = case.key
    sent, real = header(case), figures(case.real)
    outcome = "EXCEPTION" if case.exceptions else "RECOMPUTED" if case.automatic else "SOURCE"
    accepted = None if case.exceptions else figures(case.accepted)
    view = _View(case=case, source=source, day=day)
    segment = view.segment() if accepted else None
    row: dict[str, object] = {
        "source": sent._asdict(),
        "true": real._asdict(),
        "source_right": sent.arrears() == real.arrears(),
        "injected": list(case.injected),
        "outcome": outcome,
        "causes": sorted(case.exceptions or case.automatic),
        "flags": sorted(case.flags),
        "accepted": accepted._asdict() if accepted else None,
        "segment": segment,
        "uncollectable": view.uncollectable(accepted) if accepted else None,
        "debts": list(view.debts(accepted, segment)) if accepted else [],
    }
    if case.duplicate_of:
        row["duplicate_of"] = f"{case.rules.system}:{case.duplicate_of}"
    return Judged(
        key=key, source=sent, real=real, accepted=accepted, outcome=outcome, segment=segment, row=row
    )  # fmt: skip


def group_segment(judged: Iterable[Judged]) -> str:
    """The segment of a case group: HELD before all, then the highest number, then arrears only."""
    segments = [case.segment for case in judged]
    if None in segments:
        return "HELD"
    numbers = [segment for segment in segments if segment in {"1", "2", "3", "4", "5"}]
    return max(numbers, default=None) or ("ARREARS_ONLY" if "ARREARS_ONLY" in segments else "CLOSED")


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A case as at a day."""

    case: Case
    source: SourceGroup
    day: date

    def _effective_receipts(self) -> list[Receipt]:
        return [line for line in unreversed_receipts(self.case.accepted) if line.value_date not in SENTINELS]

    def _weekly(self) -> int:
        """The amount in force on the day; 0 where no row covers it."""
        return next(
            (self.case.rules.weekly(row.rate) for row in self.case.right_rows if row.first <= self.day <= row.last),
            0,
        )

    def _enforced(self) -> bool:
        return any(
            event.kind == "E" and event.outcome == "S" and event.first <= self.day <= event.last
            for event in [*self.case.history, *self.source.history]
        )

    def segment(self) -> str:
        """The first segment that applies."""
        case = self.case
        if case.status == "X" or case.duplicate_of:
            return "OFF"
        if case.liability_end < self.day:
            total = figures(case.accepted)
            return "ARREARS_ONLY" if total.rp + total.sos > 0 else "CLOSED"
        if self._enforced():
            return "5"
        weekly = self._weekly()
        if weekly == 0:
            return "1"
        start = self.day - RECENT
        paid = sum(line.pence for line in self._effective_receipts() if start <= line.value_date <= self.day)
        if paid == 0:
            return "2"
        return "3" if paid >= FULL_WEEKS * weekly else "4"

    def _paid_since(self, start: date) -> bool:
        return any(start < line.value_date <= self.day for line in self._effective_receipts())

    def _reached_since(self, start: date) -> bool:
        """Whether anybody of the office has reached the parent, in this case or another one of the source group."""
        events = [*self.source.history, *(event for case in self.source.cases for event in case.history)]
        return any(
            event.kind == "C" and event.outcome == "S" and event.party == self.source.nrp.party_id
            and event.first not in SENTINELS and start < event.first <= self.day
            for event in events
        )  # fmt: skip

    def uncollectable(self, accepted: Figures) -> bool:
        """The label: something is owed, and neither money nor contact in six months."""
        start = months_before(self.day, RECENT_MONTHS)
        return accepted.rp + accepted.sos > 0 and not (self._paid_since(start) or self._reached_since(start))

    def debts(self, accepted: Figures, segment: str | None) -> Iterable[dict[str, object]]:
        """One debt for each owner who has a line in the accepted ledger."""
        carer = next((role.person.party_id for role in self.case.roles if role.kind == "PWC"), 0)
        payee = party_row(carer) if self.case.rules is SCHEME_2003 else str(carer)
        for code, owner, name in OWNERS:
            if any(line.owner == code for line in self.case.accepted):
                outstanding = getattr(accepted, name)
                yield {
                    "owner": owner,
                    "payee": SECRETARY_OF_STATE if code == "S" else payee,
                    "outstanding": outstanding,
                    "suspended": getattr(accepted, f"susp_{name}"),
                    "writeoff": self._write_off(code, outstanding, segment),
                }

    def _write_off(self, owner: str, outstanding: int, segment: str | None) -> str:
        start = months_before(self.day, RECENT_MONTHS)
        paid = any(start < line.value_date for line in self._effective_receipts())  # after the day, too
        eligible = segment == "ARREARS_ONLY" and not paid
        return write_off(owner, outstanding, eligible=eligible, begun=self.case.effective, day=self.day)


def write_off(owner: str, outstanding: int, *, eligible: bool, begun: date, day: date) -> str:
    """The write-off class of a debt: the first that applies (arrears-errors.md §4)."""
    if outstanding <= 0:
        return "NONE"
    if not eligible:
        return "NOT_ELIGIBLE"
    if owner == "S":
        return "GOV"
    if outstanding < FLOOR:
        return "FLOOR"
    old = years_after(begun, OLD_YEARS) <= day
    return "REPRESENTATION" if outstanding > REPRESENTATION_LIMIT[old] else "NO_REPRESENTATION"
