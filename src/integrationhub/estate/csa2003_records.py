"""The book's objects as elements of the CS2 extract (csa2003.md §2 and §3): section and XML text.

Periods get exclusive ends, receipts and reversals the sign of their effect, owners become schedules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from xml.sax.saxutils import escape

from integrationhub.estate.book import (
    SUSPENSIONS,
    Adjustment,
    Case,
    CaseGroup,
    Charge,
    History,
    Line,
    Receipt,
    Reversal,
    Role,
    SourceGroup,
    effect,
    reversed_seq,
)
from integrationhub.estate.csa2003_ids import (
    OWNERS,
    activity_row,
    address_row,
    assessment_row,
    event_row,
    group_row,
    party_row,
    role_row,
    schedule_row,
    transaction_row,
)
from integrationhub.estate.outcomes import header
from integrationhub.estate.persons import Person
from integrationhub.estate.rules import LOW_VALUES, OPEN, SCHEME_2003, SENTINELS, ZEROS, MonthlyInputs

SECTIONS = (
    "Parties", "Addresses", "Cases", "Relationships", "Assessments", "Schedules", "Transactions", "Activities",
)  # fmt: skip
STATUS = {"L": "LIVE", "A": "ARREARS", "C": "CLOSED", "X": "OFFSYSTEM"}
ROLES = {"NRP": "NRP", "PWC": "PWC", "QCH": "QC", "PTN": "PARTNER", "REP": "REP"}
ASSESSMENTS = {"F": "FULL", "I": "DEFAULT", "N": "NIL", "X": "CANCELLED"}
BANK_STATUS = {"C": "CLEARED", "D": "DISHONOURED", " ": "UNKNOWN"}
DISBURSEMENT = {"H": "HELD", "P": "PAID", "K": "KEPT"}
REASONS = {
    "OB": "OPENING", "DR": "DEBIT", "CR": "CREDIT", "WO": "WRITEOFF", "TR": "TRANSFER", "SU": "SUSPEND",
    "SL": "UNSUSPEND",
}  # fmt: skip
OUTCOMES = {"S": "SUCCESS", "F": "FAILED", "W": "WITHDRAWN"}

Element = tuple[str, str]
"""Name of the section, and one element of it as XML."""


@lru_cache(maxsize=50_000)
def iso(day: date) -> str:
    """A date as written; what stands in place of one, too."""
    return "0001-01-01" if day in {LOW_VALUES, ZEROS} else day.isoformat()


@lru_cache(maxsize=50_000)
def until(day: date) -> str:
    """The exclusive end of a period whose last day this is; a sentinel stays as it is."""
    return iso(day) if day in SENTINELS else iso(day + timedelta(1))


def money(pence: int) -> str:
    """Decimal pounds."""
    pounds, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}{pounds}.{rest:02d}"


def element(name: str, attributes: Mapping[str, object], inner: str = "") -> str:
    """One element; attributes that are None are left out, the others stand in the order given."""
    said = "".join(
        f' {key}="{escape(str(value), _IN_ATTRIBUTES)}"' for key, value in attributes.items() if value is not None
    )
    return f"<{name}{said}>{inner}</{name}>\n" if inner else f"<{name}{said}/>\n"


_IN_ATTRIBUTES = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"}


def _said(truth: bool) -> str:  # noqa: FBT001 - it is what it says
    return "true" if truth else "false"


@dataclass(slots=True, kw_only=True)
class Schedule:
    """One schedule with what its own lines come to, and what was added to that."""

    row: str
    owner: str
    balance: int = 0
    suspended: int = 0

    def add(self, line: Line) -> None:
        """Take one of its lines into account."""
        self.balance += stored(line)
        if isinstance(line, Adjustment) and line.reason in SUSPENSIONS:
            self.balance -= line.pence
            self.suspended += SUSPENSIONS[line.reason] * line.pence


def stored(line: Line) -> int:
    """The amount as CS2 stores it: signed by its effect, but a suspension is what it suspends (§3)."""
    if isinstance(line, Reversal):
        return line.pence if isinstance(line.of, Receipt) else -line.pence
    if isinstance(line, Adjustment) and line.reason in SUSPENSIONS:
        return line.pence
    return effect(line)


def _half(case: Case, number: int) -> int:
    return number % 2 if case.split else 0


def schedules(case: Case) -> list[Schedule]:
    """The schedules of a case; every case has one of the receiving parent's."""
    found: dict[str, Schedule] = {}

    def of(owner: str, half: int = 0) -> Schedule:
        row = schedule_row(case, owner, half)
        return found.setdefault(row, Schedule(row=row, owner=OWNERS[owner]))

    first = of("R")
    for number, line in enumerate(case.sent, 1):
        of(line.owner, _half(case, number)).add(line)
    for name, pence in case.tamper.items():
        if name.startswith("susp_"):
            of(_OWNER_OF[name.removeprefix("susp_")]).suspended += pence
        elif name != "custodian":
            of(_OWNER_OF[name]).balance += pence
    return [first, *(schedule for schedule in found.values() if schedule is not first)]


_OWNER_OF = {"rp": "R", "sos": "S", "unk": " "}


@dataclass(slots=True, kw_only=True)
class Parties:
    """People already written: somebody known to two neighbouring case groups is one party."""

    recent: set[int] = field(default_factory=set)

    def elements(self, group: CaseGroup) -> Iterator[Element]:
        """Parties and addresses of a case group that the group before didn't bring."""
        people: dict[int, tuple[Person, date]] = {}
        for source in group.source_groups:
            if source.rules is SCHEME_2003:
                people |= {person.party_id: (person, person.born) for person in source.parties()}
        for role in (role for case in group.cases() if case.rules is SCHEME_2003 for role in case.roles):
            if role.born != role.person.born:
                people[role.person.party_id] = (role.person, role.born)
        for party in sorted(people.keys() - self.recent):
            yield from _party(*people[party])
        self.recent = set(people)


def group_elements(group: SourceGroup) -> Iterator[Element]:
    """All elements of a source group but its people."""
    for case in group.cases:
        yield from _case_elements(case)
    for place, (ref, role) in enumerate(group.orphan_roles):
        yield "Relationships", _role(group_row(group, "O", place), ref, role, open_as_date=False)
    for place, (_, line) in enumerate(group.orphan_lines):
        row, nowhere = group_row(group, "Q", place), group_row(group, "N", place)
        yield "Transactions", element("Transaction", {"id": row, "scheduleRef": nowhere, "no": 1, **_line(line)})
    for place, event in enumerate(group.history):
        party = group.nrp.party_id if event.kind == "E" else event.party
        yield "Activities", _activity(group_row(group, "W", place), None, event, party)


def _party(person: Person, born: date) -> Iterator[Element]:
    yield "Parties", element("Party", {
        "id": party_row(person.party_id), "nino": _keyed(person), "surname": person.surname,
        "forenames": person.forenames, "birth": iso(born), "sex": person.sex,
    })  # fmt: skip
    for place, address in enumerate(person.addresses):
        lines = "".join(f"<Line>{escape(line)}</Line>" for line in address.lines)
        yield "Addresses", element("Address", {
            "id": address_row(person.party_id, place), "partyRef": party_row(person.party_id),
            "kind": "CURRENT" if address.current else "PREVIOUS", "confidential": _said(person.confidential),
            "postcode": address.postcode,
        }, lines)  # fmt: skip


def _keyed(person: Person) -> str | None:
    """The number as somebody has typed it: at times with blanks and in small letters."""
    number = person.nino.strip()
    if not number or not person.nino_usable:
        return number or None
    spaced = f"{number[:2]} {number[2:4]} {number[4:6]} {number[6:8]} {number[8:]}".strip()
    return {0: number.lower(), 1: spaced}.get(person.party_id % 16, number)


def _case_elements(case: Case) -> Iterator[Element]:
    yield "Cases", _case(case)
    for place, role in enumerate(case.roles):
        yield "Relationships", _role(role_row(case, place), case.ref, role, open_as_date=case.number % 8 == 0)
    for number, row in enumerate(case.rows, 1):
        inputs = row.inputs if isinstance(row.inputs, MonthlyInputs) else None
        yield "Assessments", element("Assessment", {
            "id": assessment_row(case, number), "caseRef": case.ref, "from": iso(row.first),
            "to": None if row.last == OPEN else until(row.last), "type": ASSESSMENTS[row.kind],
            "monthly": money(row.rate), "netMonthly": money(inputs.net) if inputs else None,
            "children": inputs.children if inputs else None, "nights": inputs.nights if inputs else None,
        })  # fmt: skip
    for schedule in schedules(case):
        yield "Schedules", element("Schedule", {
            "id": schedule.row, "caseRef": case.ref, "owner": schedule.owner, "balance": money(schedule.balance),
            "suspended": money(schedule.suspended),
        })  # fmt: skip
    places = {id(line): number for number, line in enumerate(case.sent, 1)}
    for number, line in enumerate(case.sent, 1):
        yield "Transactions", _transaction(case, number, line, places)
    for place, event in enumerate(case.history):
        yield "Activities", _activity(activity_row(case, place), case.ref, event, event.party)


def _case(case: Case) -> str:
    benefits = "".join(
        element("Benefit", {"from": iso(benefit.first), "to": until(benefit.last), "type": benefit.kind.strip()})
        for benefit in case.benefits
    )
    note = f"<Note>{escape(case.note)}</Note>" if case.note else ""
    return element("Case", {
        "ref": case.ref, "status": STATUS[case.status], "applicationDate": iso(case.effective),
        "awardEnd": None if case.liability_end == OPEN else until(case.liability_end),
        "chargedTo": until(case.last_charged), "ledgerComplete": _said(case.ledger_complete),
        "benefitKnown": _said(case.benefit_known), "queryMark": _said(case.queried),
        "custodianCash": money(header(case).custodian), "lastEventSeq": case.last_event,
    }, f"\n{benefits}{note}" if benefits or note else "")  # fmt: skip


def _role(row: str, ref: str, role: Role, *, open_as_date: bool) -> str:
    end = until(role.last) if role.last != OPEN or open_as_date else None
    return element("Relationship", {
        "id": row, "caseRef": ref, "partyRef": party_row(role.person.party_id), "role": ROLES[role.kind],
        "from": None if role.first == ZEROS else iso(role.first), "to": end, "payee": _said(role.payee),
    })  # fmt: skip


def line_row(case: Case, number: int, line: Line | None) -> str:
    """The id of a case's line: that of the event that brought it, or else by its number."""
    return event_row(case, line.event) if line is not None and line.event else transaction_row(case, number)


def _transaction(case: Case, number: int, line: Line, places: Mapping[int, int]) -> str:
    about: dict[str, object] = {}
    if isinstance(line, Charge):
        about["assessmentRef"] = assessment_row(case, line.row)
    elif isinstance(line, Reversal):
        about["reverses"] = line_row(case, reversed_seq(line, places), None if line.of_seq else line.of)
    schedule = schedule_row(case, line.owner, _half(case, number))
    head = {"id": line_row(case, number, line), "scheduleRef": schedule, "no": number}
    return element("Transaction", {**head, **_line(line), **about})


def _line(line: Line) -> dict[str, object]:
    """What a transaction says by its type, without what it points to."""
    said: dict[str, object] = {"type": "CHARGE", "posted": iso(line.posted), "amount": money(stored(line))}
    match line:
        case Charge():
            return said | {"from": iso(line.first), "to": until(line.last), "monthly": money(line.rate)}
        case Receipt():
            return said | {
                "type": "RECEIPT", "bankReference": line.bank_ref, "valueDate": iso(line.value_date),
                "quotedReference": line.quoted or None, "payerRef": party_row(line.payer), "method": line.method,
                "bankStatus": BANK_STATUS[line.bank_status], "disbursement": DISBURSEMENT[line.held],
            }  # fmt: skip
        case Adjustment():
            return said | {"type": "ADJUSTMENT", "reason": REASONS[line.reason], "effective": iso(line.effective)}
        case Reversal():
            return said | {"type": "REVERSAL", "reason": line.reason}


def _activity(row: str, ref: str | None, event: History, party: int) -> str:
    end = None if event.last in {OPEN, ZEROS} else until(event.last)
    return element("Activity", {
        "id": row, "caseRef": ref, "class": "ENFORCEMENT" if event.kind == "E" else "CONTACT", "code": event.code,
        "from": iso(event.first), "to": end, "outcome": OUTCOMES[event.outcome], "partyRef": party_row(party),
    })  # fmt: skip
