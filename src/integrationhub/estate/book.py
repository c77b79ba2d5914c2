"""The book of cases as the generator thinks of it: groups, cases, ledgers, and what is true beside what is sent.

Dates are `datetime.date`; a few days that no case can have stand for what a date field may hold instead of a date.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from integrationhub.estate.persons import Person
from integrationhub.estate.rules import Inputs, MonthlyInputs, Rules


class Figures(NamedTuple):
    """A case's figures in pence, named as in the samples' expected.json."""

    rp: int = 0
    sos: int = 0
    unk: int = 0
    susp_rp: int = 0
    susp_sos: int = 0
    custodian: int = 0

    def arrears(self) -> tuple[int, ...]:
        """The five figures by which a case is right or wrong: all but custodian cash (arrears-errors.md)."""
        return self[:5]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Charge:
    """Ledger line C: liability raised for the days from `first` to `last` at `rate`, by assessment row `row`."""

    owner: str
    posted: date
    pence: int
    first: date
    last: date
    rate: int
    row: int
    event: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Receipt:
    """Ledger line R; `pence` is positive as stored."""

    owner: str
    posted: date
    pence: int
    bank_ref: str
    value_date: date
    quoted: str
    payer: int
    method: str
    bank_status: str
    held: str
    event: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjustment:
    """Ledger line A; `pence` is signed as stored."""

    owner: str
    posted: date
    pence: int
    reason: str
    effective: date
    authority: str
    text: str
    event: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reversal:
    """Ledger line V of `of`; `of_seq` overrides the number that is written for it (a broken reversal)."""

    owner: str
    posted: date
    pence: int
    of: "Receipt | Adjustment"
    reason: str
    of_seq: int | None = None
    event: int = 0


Line = Charge | Receipt | Adjustment | Reversal
"""A ledger line; `event` is the number of the change event that brought it, 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow:
    """One row of a case's assessments."""

    first: date
    last: date
    kind: str
    rate: int
    inputs: Inputs | MonthlyInputs | None = None


class Benefit(NamedTuple):
    """A period in which the parent with care was on benefit."""

    first: date
    last: date
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Record 25: a person's part in a case; `born` as this record writes it."""

    person: Person
    kind: str
    first: date
    last: date
    born: date
    payee: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Record 50: an enforcement (E) or a contact (C)."""

    kind: str
    code: str
    first: date
    last: date
    outcome: str
    party: int


@dataclass(slots=True, kw_only=True)
class Case:
    """A case as it will be sent, with three ledgers: `sent` is written, `accepted` is what a right product must make
    of it, `real` is what happened. In a sound case the three are the same lines.

    `tamper` is added to the sent ledger's sums to give the header. `areas` are the parts of the case that an injected
    error has taken; two errors share a case only when they need different parts. `number` is the case's own in the
    estate; a case that is `split` has two schedules an owner (2003).
    """

    ref: str
    number: int
    rules: Rules
    status: str
    effective: date
    liability_end: date
    last_charged: date
    ledger_complete: bool
    benefit_known: bool
    queried: bool
    benefits: list[Benefit]
    note: str
    roles: list[Role]
    rows: list[AssessmentRow]
    right_rows: list[AssessmentRow]
    sent: list[Line]
    accepted: list[Line]
    real: list[Line]
    history: list[History] = field(default_factory=list)
    tamper: dict[str, int] = field(default_factory=dict)
    injected: list[str] = field(default_factory=list)
    automatic: set[str] = field(default_factory=set)
    exceptions: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    areas: set[str] = field(default_factory=set)
    split: bool = False
    last_event: int = 0
    duplicate_of: str | None = None

    @property
    def key(self) -> str:
        """What the case is called beside the cases of other books."""
        return f"{self.rules.system}:{self.ref}"

    def ledgers(self) -> tuple[list[Line], list[Line], list[Line]]:
        """The three ledgers, for changes that are the same in all of them."""
        return self.sent, self.accepted, self.real

    def benefit_spans(self) -> list[tuple[date, date]]:
        """The benefit periods as the scheme's arithmetic takes them."""
        return [(benefit.first, benefit.last) for benefit in self.benefits]


@dataclass(slots=True, kw_only=True)
class SourceGroup:
    """Record 10 and what stands under it. Orphans carry the reference that they name."""

    number: int
    rules: Rules
    reference: str
    nrp: Person
    status: str
    pay_method: str
    violent: bool
    cases: list[Case]
    history: list[History] = field(default_factory=list)
    orphan_lines: list[tuple[str, Line]] = field(default_factory=list)
    orphaned_from: list["Case"] = field(default_factory=list)
    orphan_roles: list[tuple[str, Role]] = field(default_factory=list)

    def parties(self) -> list[Person]:
        """Everybody with a role in the group, once each, by party id."""
        roles = [role for case in self.cases for role in case.roles] + [role for _, role in self.orphan_roles]
        people = {role.person.party_id: role.person for role in roles}
        people.setdefault(self.nrp.party_id, self.nrp)
        return [people[party] for party in sorted(people)]


@dataclass(slots=True, kw_only=True)
class ClericalCase:
    """A case that is kept by hand (clerical.md §2), with what is true of it.

    Pairs are pence of the receiving parent and the Secretary of State; `off` is added to the true balance in the file.
    `keying` says what is wrong with the double entry, "" for nothing. `linked` tells whether its people join it to the
    other cases of its case group.
    """

    number: int
    system_ref: str
    scheme: str
    nrp: Person
    pwc: Person
    children: int
    application: date
    liability_end: date
    weekly: int
    charged: tuple[int, int]
    received: tuple[int, int]
    custodian: int
    last_payment: date | None
    last_contact: date | None
    notes: str
    off: tuple[int, int] = (0, 0)
    keying: str = ""
    linked: bool = False
    injected: list[str] = field(default_factory=list)
    exceptions: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)

    @property
    def ref(self) -> str:
        """The Clerical Ref."""
        return f"CL{self.number:07d}"

    @property
    def key(self) -> str:
        """What the case is called beside the cases of other books."""
        return f"CL:{self.ref}"

    def balances(self) -> tuple[int, int]:
        """What is really owed."""
        return self.charged[0] - self.received[0], self.charged[1] - self.received[1]


@dataclass(slots=True, kw_only=True)
class CaseGroup:
    """The source groups whose cases belong together (csa1993.md §7), number `index` of the estate."""

    index: int
    source_groups: list[SourceGroup]
    clerical: list[ClericalCase] = field(default_factory=list)

    def cases(self) -> list[Case]:
        """All cases of the group, in the order in which they are written."""
        return [case for group in self.source_groups for case in group.cases]

    def home_of(self, case: Case) -> SourceGroup:
        """The source group that the case stands in."""
        return next(group for group in self.source_groups if case in group.cases)


def figures(lines: Sequence[Line], *, as_stored: bool = False) -> Figures:
    """What a ledger comes to; `as_stored` as in `Rules`."""
    taken_back = reversed_lines(lines)
    total: Counter[str] = Counter()
    for line in lines:
        if isinstance(line, Reversal):
            if as_stored:
                total[_FIGURE_OF[line.owner]] += line.pence if isinstance(line.of, Receipt) else -line.pence
            elif line.of_seq is None:
                total[_FIGURE_OF[line.of.owner]] -= effect(line.of)
            continue
        total[_FIGURE_OF[line.owner]] += effect(line)
        if isinstance(line, Adjustment):
            total[f"susp_{_FIGURE_OF[line.owner]}"] += SUSPENSIONS.get(line.reason, 0) * line.pence
        if isinstance(line, Receipt) and line.held == "H" and id(line) not in taken_back:
            total["custodian"] += line.pence
    return Figures(**total)


_FIGURE_OF = {"R": "rp", "S": "sos", "M": "unk", " ": "unk"}
SUSPENSIONS = {"SU": 1, "SL": -1}
"""Adjustments that move the suspended part and leave the balance alone."""


def effect(line: Charge | Receipt | Adjustment) -> int:
    """By how many pence a line moves its owner's balance."""
    if isinstance(line, Receipt):
        return -line.pence
    return 0 if isinstance(line, Adjustment) and line.reason in SUSPENSIONS else line.pence


def reversed_seq(line: Reversal, places: Mapping[int, int]) -> int:
    """The sequence number that a reversal names; `places` has a line's number by its id()."""
    return places[id(line.of)] if line.of_seq is None else line.of_seq


def reversed_lines(lines: Iterable[Line]) -> set[int]:
    """id() of every line that a reversal takes back."""
    return {id(line.of) for line in lines if isinstance(line, Reversal) and line.of_seq is None}
