"""A case group as the rules see it: cases with their assessment rows and ledgers, and what the rules say of them.

Dates are `date`; an open end is `OPEN`, and None is a date that nobody knows (a sentinel stood in its place). Periods
are inclusive at both ends. Money is integer pence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

OPEN = date.max
RECEIVING_PARENT, SECRETARY_OF_STATE = "RECEIVING_PARENT", "SECRETARY_OF_STATE"
CHARGE, RECEIPT, ADJUSTMENT, REVERSAL = "CHARGE", "RECEIPT", "ADJUSTMENT", "REVERSAL"
CSCS, CS2, CLERICAL = "CSCS", "CS2", "CLERICAL"
OFF_SYSTEM = "OFF_SYSTEM"
OPENING_REASONS = ("OB", "OPENING")


class Figures(NamedTuple):
    """A case's figures in pence: outstanding by owner, suspended parts, cash held as custodian."""

    rp: int = 0
    sos: int = 0
    unk: int = 0
    susp_rp: int = 0
    susp_sos: int = 0
    custodian: int = 0

    def plus(self, other: "Figures") -> "Figures":
        """Figure by figure."""
        return Figures(*(mine + its for mine, its in zip(self, other, strict=True)))

    def minus(self, other: "Figures") -> "Figures":
        """Figure by figure."""
        return Figures(*(mine - its for mine, its in zip(self, other, strict=True)))


NOTHING = Figures()


def total(parts: Iterable[Figures]) -> Figures:
    """The sum, figure by figure."""
    return Figures(*map(sum, zip(*parts, strict=True))) if (parts := list(parts)) else NOTHING


@dataclass(slots=True, kw_only=True)
class Line:
    """One ledger line. `effect` is its signed effect on the owner's outstanding balance, `suspends` that on the
    suspended part, `stored` the amount as the source stores it.

    Of a charge: `first`, `last`, `rate` (weekly in the 1993 scheme, monthly in the 2003 one) and `row`, the number of
    its assessment row. Of a receipt: the fields from `value_date` on. Of a reversal: `undoes`, the line it takes back.
    `entry_id` is empty in lines that a rule added; `number` orders the lines of a case.
    """

    entry_id: str
    number: int
    kind: str
    owner: str
    effect: int
    suspends: int = 0
    stored: int = 0
    reason: str | None = None
    posted: date | None = None
    posted_unknown: bool = False
    effective: date | None = None
    effective_unknown: bool = False
    first: date | None = None
    last: date | None = None
    rate: int = 0
    row: int | None = None
    value_date: date | None = None
    bank_reference: str | None = None
    quoted: str | None = None
    dishonoured: bool = False
    held: bool = False
    payer: str | None = None
    method: str | None = None
    text: str | None = None
    undoes: "Line | None" = None
    undone: bool = False  # a reversal names it, or a rule treats it as reversed
    returned: bool = False  # E14: treated as reversed without a line that says so

    @property
    def received(self) -> int:
        """Pence received, positive, whatever sign the scheme stores."""
        return -self.effect

    def figures(self) -> Figures:
        """What the line adds to its case's figures."""
        if self.returned:
            return NOTHING
        held = self.received if self.held and not self.undone else 0
        owner = self.undoes.owner if self.undoes else self.owner
        if owner == RECEIVING_PARENT:
            return Figures(rp=self.effect, susp_rp=self.suspends, custodian=held)
        if owner == SECRETARY_OF_STATE:
            return Figures(sos=self.effect, susp_sos=self.suspends, custodian=held)
        return Figures(unk=self.effect, custodian=held)


@dataclass(slots=True, kw_only=True)
class Row:
    """One assessment row. `amount` is weekly in the 1993 scheme, monthly in the 2003 one; `due` is what the formula
    gives for the inputs, None where they are not held. `charged` says whether the kind of row makes liability.
    """

    number: int
    first: date | None
    last: date | None
    basis: str
    amount: int
    due: int | None = None

    def covers(self, day: date) -> bool:
        """Whether the row is in force on the day."""
        return self.first is not None and self.last is not None and self.first <= day <= self.last

    @property
    def charged(self) -> bool:
        """Full, interim and default assessments make liability (arrears-errors.md E05 b)."""
        return self.basis in {"FULL", "INTERIM", "DEFAULT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A person as one source knows them; `person` is who that is over all books."""

    party_id: str
    ref: str
    person: str
    nino_unusable: bool  # a number is recorded, and it may not join people (E12)
    born_unknown: bool = False
    doubled: bool = False  # another party of the same system is the same person (E04 a)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A party's part in a case; `unknown` when a sentinel stands in one of its dates or in the birth date."""

    kind: str
    party: Party
    last: date | None
    unknown: bool
    payee: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An enforcement step or a contact; `party_id` is who it concerns."""

    enforcement: bool
    succeeded: bool
    first: date | None
    last: date | None
    unknown: bool
    party_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerical:
    """What only an off-system case has: totals in place of a ledger, and the two keyings' verdict (clerical.md)."""

    double_entry_agrees: bool = True
    charged: tuple[int, int] = (0, 0)  # receiving parent, Secretary of State
    received: tuple[int, int] = (0, 0)
    last_payment: date | None = None
    last_contact: date | None = None
    dates_unknown: bool = False
    system_ref: str | None = None
    application_unknown: bool = False  # a sentinel; a date that can't be read is a matter of the double entry
    legible: tuple[bool, bool] = (True, True)  # whether charged, received and balance of an owner can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's finding: AUTO, EXC or FLAG, and the evidence in words that hold nothing personal."""

    code: str
    kind: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One change of a ledger line or of the header, with the rule that asked for it and what it adds to the figures."""

    rule: str
    action: str  # DROPPED, CHANGED, ADDED, MOVED_OUT, MOVED_IN, REVERSED, HEADER, DUPLICATE
    entry_id: str
    line_no: int | None
    text: str
    delta: Figures
    line: Line | None = None  # the line that a rule put in


@dataclass(slots=True, kw_only=True)
class Case:
    """One case. `lines` is the corrected ledger once the rules have run; `sent` the sums of the ledger as sent."""

    case_id: str
    group_id: str
    ref: str
    system: str
    scheme: str
    status: str
    effective: date | None
    liability_end: date | None
    last_charged: date | None
    ledger_complete: bool
    benefit_known: bool
    queried: bool
    header: Figures
    rows: list[Row] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    benefits: list[tuple[date | None, date | None]] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    clerical: Clerical | None = None
    siblings: set[str] = field(default_factory=set)  # references of the cases of its source group, its own included
    nrp_party: str | None = None
    orphan_receipt: bool = False
    orphan_role: bool = False
    group_events: list[Event] = field(default_factory=list)  # of the source group, for all its cases
    sibling_events: list[Event] = field(default_factory=list)  # of the other cases of the source group
    kept_twice: bool = False  # E03
    sent: Figures = NOTHING
    findings: list[Finding] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    duplicate_of: "Case | None" = None

    def find(self, code: str, kind: str, evidence: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(code=code, kind=kind, evidence=evidence))

    def codes(self, kind: str) -> list[str]:
        """The codes of one class, sorted, each once."""
        return sorted({finding.code for finding in self.findings if finding.kind == kind})

    def charges(self) -> list[Line]:
        """Charge lines that stand, in the order of their numbers: one that was reversed as a whole charges no day."""
        return sorted(
            (line for line in self.lines if line.kind == CHARGE and not line.undone), key=lambda line: line.number
        )

    def receipts(self) -> Iterator[Line]:
        """Receipts that stand, in ledger order."""
        return (line for line in self.lines if line.kind == RECEIPT and not line.undone)

    def row(self, number: int | None) -> Row | None:
        """The assessment row of this number."""
        return next((row for row in self.rows if row.number == number), None)

    def persons(self, kind: str) -> list[str]:
        """The persons who have this part in the case."""
        return [role.party.person for role in self.roles if role.kind == kind]

    def party(self, kind: str) -> Party | None:
        """The party who has this part; of several, the one who is paid."""
        chosen = sorted((role for role in self.roles if role.kind == kind), key=lambda role: not role.payee)
        return chosen[0].party if chosen else None

    def change(self, rule: str, action: str, line: Line, before: Figures, text: str) -> None:
        """Note that a line was changed: what it adds now, against what it added before."""
        self.note(rule, action, line, line.figures().minus(before), text)

    def note(self, rule: str, action: str, line: Line, delta: Figures, text: str) -> None:
        """Note a correction of a line; the correction keeps the line itself unless it went out."""
        kept = None if action in {"DROPPED", "MOVED_OUT"} else line
        self.corrections.append(
            Correction(rule=rule, action=action, entry_id=line.entry_id, line_no=line.number or None, text=text,
                       delta=delta, line=kept)
        )  # fmt: skip

    def drop(self, rule: str, line: Line, text: str, *, action: str = "DROPPED") -> None:
        """Take a line out of the corrected ledger."""
        self.lines = [other for other in self.lines if other is not line]
        self.note(rule, action, line, NOTHING.minus(line.figures()), text)

    def add(self, rule: str, line: Line, text: str, *, action: str = "ADDED") -> None:
        """Put a line into the corrected ledger."""
        self.lines.append(line)
        self.note(rule, action, line, line.figures(), text)
