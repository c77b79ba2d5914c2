"""The book of cases as the generator thinks of it: groups, cases, ledgers, and what is true beside what is sent.

Dates are `datetime.date`; a few days that no case can have stand for what a date field may hold instead of a date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from integrationhub.estate.persons import Person
from integrationhub.schemes import csa1993

OPEN = date.max
"""Nines: open in a `to` field, a sentinel in any other (csa1993.md §3)."""

ZEROS = date.min
"""Zero digits: "not recorded" in A-FROM, P-ROLE-FROM and the E-TO of a contact, a sentinel in any other field."""

LOW_VALUES = date(1, 1, 2)
"""All bytes X'00': a sentinel."""

SENTINELS = (date(1900, 1, 1), date(1980, 1, 1), LOW_VALUES, ZEROS, OPEN)
"""What may stand in place of a date that isn't a `to` field (csa1993.md §3, arrears-errors.md E06)."""


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
    """Ledger line C: liability raised for the days from `first` to `last` at `weekly`, by assessment row `row`."""

    owner: str
    posted: date
    pence: int
    first: date
    last: date
    weekly: int
    row: int


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reversal:
    """Ledger line V of `of`; `of_seq` overrides the number that is written for it (a broken reversal)."""

    owner: str
    posted: date
    pence: int
    of: "Receipt | Adjustment"
    reason: str
    of_seq: int | None = None


Line = Charge | Receipt | Adjustment | Reversal


class Inputs(NamedTuple):
    """What a full assessment was worked out from; `nights` has (child's party id, nights) a child."""

    net: int
    exempt: int
    nights: tuple[tuple[int, int], ...]

    def weekly(self) -> int:
        """The amount that the formula gives."""
        return csa1993.weekly_amount(self.net, self.exempt, [nights for _, nights in self.nights])


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow:
    """One row of record 30."""

    first: date
    last: date
    kind: str
    weekly: int
    inputs: Inputs | None = None


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
    error has taken; two errors share a case only when they need different parts.
    """

    ref: str
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
    duplicate_of: str | None = None

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
class CaseGroup:
    """The source groups whose cases belong together (csa1993.md §7), number `index` of the estate."""

    index: int
    source_groups: list[SourceGroup]

    def cases(self) -> list[Case]:
        """All cases of the group, in the order in which they are written."""
        return [case for group in self.source_groups for case in group.cases]

    def home_of(self, case: Case) -> SourceGroup:
        """The source group that the case stands in."""
        return next(group for group in self.source_groups if case in group.cases)


def numbered(lines: Sequence[Line]) -> list[csa1993.Line]:
    """The ledger as the scheme's arithmetic takes it, numbered from 1 as it will be written."""
    places = {id(line): place for place, line in enumerate(lines, 1)}
    return [_scheme_line(place, line, places) for place, line in enumerate(lines, 1)]


def _scheme_line(seq: int, line: Line, places: dict[int, int]) -> csa1993.Line:
    match line:
        case Charge():
            return csa1993.Line(seq=seq, kind="C", owner=line.owner, pence=line.pence)
        case Receipt():
            return csa1993.Line(seq=seq, kind="R", owner=line.owner, pence=line.pence, held=line.held)
        case Adjustment():
            return csa1993.Line(seq=seq, kind="A", owner=line.owner, pence=line.pence, reason=line.reason)
        case Reversal():
            target = reversed_seq(line, places)
            return csa1993.Line(seq=seq, kind="V", owner=line.owner, pence=line.pence, reverses=target)


def reversed_seq(line: Reversal, places: dict[int, int]) -> int:
    """The sequence number that a reversal names; `places` has a line's number by its id()."""
    return places[id(line.of)] if line.of_seq is None else line.of_seq


def figures(lines: Sequence[Line]) -> Figures:
    """What a ledger comes to."""
    total = csa1993.balances(numbered(lines))
    return Figures(total.rp, total.sos, total.unk, total.susp_rp, total.susp_sos, total.custodian)


def reversed_lines(lines: Iterable[Line]) -> set[int]:
    """id() of every line that a reversal takes back."""
    return {id(line.of) for line in lines if isinstance(line, Reversal) and line.of_seq is None}
