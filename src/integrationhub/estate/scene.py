"""Where errors are put in: one case among its relatives, and the tools every error needs.

An error leaves the case's three ledgers so that `sent` shows the evidence, `accepted` is what arrears-errors.md makes
of it, and `real` is what happened. What is expected therefore follows from how the error was made; nothing here looks
for errors.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from integrationhub.estate.book import Case, CaseGroup, Charge, Line, Receipt, SourceGroup, reversed_lines
from integrationhub.estate.dice import Dice
from integrationhub.estate.references import absent_reference, spare_reference

DAYS = "days"  # which days charges cover, and their amounts
OWNERS = "owners"  # whose charges are
ROWS = "rows"  # the assessment's rows, and what their charges are rated at
RECEIPTS = "receipts"
BANK = "bank"  # what the bank did with a receipt
HEADER = "header"
SUSPENDED = "suspended"
ROLES = "roles"
WHOLE = "whole"
"""Parts of a case that an error may take; WHOLE excludes every other error. Errors of different parts may meet in one
case: each takes lines that no other has touched, and the rules' order of arrears-errors.md then leads to the same
ledger as if each stood alone.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One case, its source group and case group, and the dice."""

    seed: int
    as_at: date
    group: CaseGroup
    source: SourceGroup
    case: Case
    dice: Dice

    def siblings(self) -> list[Case]:
        """Other cases of the source group that errors may be put in."""
        return [case for case in self.source.cases if case is not self.case and may_err(case)]

    def relatives(self) -> list[Case]:
        """Other cases of the case group, in the same system, that errors may be put in."""
        return [
            case
            for case in self.group.cases()
            if case is not self.case and case.rules is self.case.rules and may_err(case)
        ]

    def absent_reference(self, which: int = 0) -> str:
        """A reference that no case of the estate has."""
        return absent_reference(self.seed, self.group.index, self.source.reference, which)

    def spare_reference(self, *, above: str) -> tuple[str, int] | None:
        """An unused reference above another one, with the case's number; None when there is none."""
        taken = {case.number: case.ref for case in self.group.cases()}
        return spare_reference(self.seed, self.group.index, self.source.reference, above=above, taken=taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One way of going wrong. `name` is the code and the kind, as in the samples; `apply` is False if the case has no
    room for it, and then has changed nothing.
    """

    name: str
    weight: float
    areas: tuple[str, ...]
    apply: Callable[[Scene], bool]


def may_err(case: Case) -> bool:
    """Whether errors may be put in: not in cases moved off the system, nor in duplicates."""
    return case.status != "X" and case.duplicate_of is None


def free(case: Case, *areas: str) -> bool:
    """Whether no error has taken these parts of the case."""
    if WHOLE in areas:
        return not case.areas
    return WHOLE not in case.areas and case.areas.isdisjoint(areas)


def charges(lines: Iterable[Line]) -> list[Charge]:
    """The charge lines in ledger order."""
    return [line for line in lines if isinstance(line, Charge)]


def plain_charges(case: Case) -> list[Charge]:
    """Charges that no error has touched: the same lines in the ledger as sent and as it is to be accepted."""
    accepted = {id(line) for line in case.accepted}
    return [charge for charge in charges(case.sent) if id(charge) in accepted]


def unreversed_receipts(lines: Sequence[Line]) -> list[Receipt]:
    """Receipts that no reversal takes back, in ledger order."""
    taken_back = reversed_lines(lines)
    return [line for line in lines if isinstance(line, Receipt) and id(line) not in taken_back]


def plain_receipts(case: Case) -> list[Receipt]:
    """Receipts that no error has touched: in all three ledgers, without a reversal in any, not dishonoured."""
    effective = [{id(line) for line in unreversed_receipts(ledger)} for ledger in case.ledgers()]
    shared = set.intersection(*effective)
    return [line for line in unreversed_receipts(case.sent) if id(line) in shared and line.bank_status != "D"]


def exchange(ledger: list[Line], old: Line, *new: Line) -> None:
    """Put other lines in a line's place (none: take it out) and keep the ledger in order of posting."""
    place = next(place for place, line in enumerate(ledger) if line is old)
    ledger[place : place + 1] = new
    ledger.sort(key=lambda line: line.posted)


def everywhere(case: Case, old: Line, new: Line) -> None:
    """Exchange a line in all three ledgers."""
    for ledger in case.ledgers():
        exchange(ledger, old, new)


def add(ledger: list[Line], *lines: Line) -> None:
    """Add lines behind those of the same posting date."""
    ledger.extend(lines)
    ledger.sort(key=lambda line: line.posted)


def opening_date(case: Case) -> date:
    """The day up to which an opening balance stands for the ledger; `date.min` in a complete one."""
    days = [line.posted for line in case.sent if getattr(line, "reason", "") == "OB"]
    return max(days, default=date.min)
