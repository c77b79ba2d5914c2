"""The book's objects as records of the CSCS extract (csa1993.md §4): 01 level and field values, in the file's order."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from integrationhub.estate.book import (
    Adjustment,
    AssessmentRow,
    Case,
    Charge,
    History,
    Line,
    Receipt,
    Reversal,
    Role,
    SourceGroup,
    reversed_seq,
)
from integrationhub.estate.outcomes import header
from integrationhub.estate.persons import Address, Person
from integrationhub.estate.rules import LOW_VALUES, OPEN, ZEROS, Inputs

Record: TypeAlias = tuple[str, Mapping[str, Any]]
NO_CASE = 0
CHILDREN = 4  # entries of the table of children in an assessment row


@lru_cache(maxsize=50_000)
def cyyddd(day: date) -> int | bytes:
    """A packed date 0CYYDDD (§3)."""
    if day == LOW_VALUES:
        return bytes(4)
    if day == ZEROS:
        return 0
    if day == OPEN:
        return 9_999_999
    return (day.year - 1900) * 1_000 + day.timetuple().tm_yday


@lru_cache(maxsize=50_000)
def ccyymmdd(day: date) -> int | bytes:
    """A display date CCYYMMDD (§3)."""
    if day == LOW_VALUES:
        return bytes(8)
    if day == ZEROS:
        return 0
    if day == OPEN:
        return 99_999_999
    return day.year * 10_000 + day.month * 100 + day.day


def group_records(group: SourceGroup) -> Iterator[Record]:
    """All records of a source group, in the order of §2."""
    yield "CSX-GROUP", {
        "G-SRC-GROUP": group.number, "G-NRP-PARTY": group.nrp.party_id, "G-CASE-COUNT": len(group.cases),
        "G-STATUS": group.status, "G-PAY-METHOD": group.pay_method, "G-PV-MARKER": "Y" if group.violent else " ",
    }  # fmt: skip
    for case in group.cases:
        yield from _case_records(group.number, case)
    for person in group.parties() if group.cases else ():
        for address in person.addresses:
            yield _address(group.number, person, address)
    for event in group.history:
        yield _history(group.number, NO_CASE, event)
    for seq, (ref, line) in enumerate(group.orphan_lines, 1):
        yield _line(group.number, int(ref), seq, line, {})
    for ref, role in group.orphan_roles:
        yield _role(group.number, int(ref), role)


def _case_records(number: int, case: Case) -> Iterator[Record]:
    ref = int(case.ref)
    yield _case(number, ref, case)
    for role in case.roles:
        yield _role(number, ref, role)
    if case.rows:
        rows = [_row(row) for row in case.rows]
        yield "CSX-ASSESSMENT", {"M-SRC-GROUP": number, "M-CASE-REF": ref, "M-ROW": rows}
    places = {id(line): seq for seq, line in enumerate(case.sent, 1)}
    for seq, line in enumerate(case.sent, 1):
        yield _line(number, ref, seq, line, places)
    for event in case.history:
        yield _history(number, ref, event)


def _case(number: int, ref: int, case: Case) -> Record:
    total = header(case)
    return "CSX-CASE", {
        "C-SRC-GROUP": number, "C-CASE-REF": ref, "C-STATUS": case.status,
        "C-EFF-DATE": ccyymmdd(case.effective), "C-LIAB-END": cyyddd(case.liability_end),
        "C-LAST-CHARGED": cyyddd(case.last_charged), "C-LEDGER-COMPLETE": "Y" if case.ledger_complete else "N",
        "C-BENEFIT-KNOWN": "Y" if case.benefit_known else "N", "C-QUERY-MARK": "R" if case.queried else " ",
        "C-BAL-RP": total.rp, "C-BAL-SOS": total.sos, "C-BAL-UNK": total.unk,
        "C-SUSP-RP": total.susp_rp, "C-SUSP-SOS": total.susp_sos, "C-CUST-CASH": total.custodian,
        "C-BENEFIT": [
            {"C-BEN-FROM": cyyddd(benefit.first), "C-BEN-TO": cyyddd(benefit.last), "C-BEN-TYPE": benefit.kind}
            for benefit in case.benefits
        ],
        "C-NOTE-CHAR": case.note,
    }  # fmt: skip


def _role(number: int, ref: int, role: Role) -> Record:
    person = role.person
    return "CSX-PARTY-ROLE", {
        "P-SRC-GROUP": number, "P-CASE-REF": ref, "P-PARTY-ID": person.party_id, "P-ROLE": role.kind,
        "P-NINO": person.nino, "P-SURNAME": person.surname, "P-FORENAMES": person.forenames,
        "P-BIRTH": ccyymmdd(role.born), "P-SEX": person.sex, "P-ROLE-FROM": cyyddd(role.first),
        "P-ROLE-TO": cyyddd(role.last), "P-PAYEE": "Y" if role.payee else " ",
    }  # fmt: skip


def _address(number: int, person: Person, address: Address) -> Record:
    return "CSX-ADDRESS", {
        "A-SRC-GROUP": number, "A-PARTY-ID": person.party_id, "A-KIND": "C" if address.current else "P",
        "A-CONFIDENTIAL": "C" if person.confidential else " ",
        "A-FROM": cyyddd(address.start) if address.start else 0, "A-POSTCODE": address.postcode,
        "A-LINE": list(address.lines),
    }  # fmt: skip


def _row(row: AssessmentRow) -> Mapping[str, Any]:
    inputs = row.inputs if isinstance(row.inputs, Inputs) else None
    nights = inputs.nights if inputs else ()
    return {
        "M-FROM": cyyddd(row.first), "M-TO": cyyddd(row.last), "M-TYPE": row.kind, "M-WEEKLY": row.rate,
        "M-INPUTS": "Y" if inputs else "N", "M-NET": inputs.net if inputs else 0,
        "M-EXEMPT": inputs.exempt if inputs else 0, "M-CHILDREN": len(nights),
        "M-CHILD": [{"M-CH-PARTY": party, "M-CH-NIGHTS": stayed} for party, stayed in nights],
    }  # fmt: skip


def _history(number: int, ref: int, event: History) -> Record:
    return "CSX-HISTORY", {
        "E-SRC-GROUP": number, "E-CASE-REF": ref, "E-CLASS": event.kind, "E-CODE": event.code,
        "E-FROM": ccyymmdd(event.first), "E-TO": cyyddd(event.last), "E-OUTCOME": event.outcome,
        "E-PARTY": event.party,
    }  # fmt: skip


def _line(number: int, ref: int, seq: int, line: Line, places: dict[int, int]) -> Record:
    kind, fields = _LINE_FIELDS[type(line)]
    return "CSX-LEDGER", {
        "L-SRC-GROUP": number, "L-CASE-REF": ref, "L-SEQ": seq, "L-KIND": kind, "L-OWNER": line.owner,
        "L-POSTED": ccyymmdd(line.posted), "L-AMOUNT": line.pence, **fields(line, places),
    }  # fmt: skip


def _charge(line: Charge, _: dict[int, int]) -> Mapping[str, Any]:
    return {
        "LC-FROM": cyyddd(line.first), "LC-TO": cyyddd(line.last), "LC-WEEKLY": line.rate, "LC-ASM-ROW": line.row
    }  # fmt: skip


def _receipt(line: Receipt, _: dict[int, int]) -> Mapping[str, Any]:
    return {
        "LR-BANK-REF": line.bank_ref, "LR-VALUE-DATE": cyyddd(line.value_date), "LR-QUOTED": line.quoted,
        "LR-PAYER-PARTY": line.payer, "LR-METHOD": line.method, "LR-BANK-STATUS": line.bank_status,
        "LR-HELD": line.held,
    }  # fmt: skip


def _adjustment(line: Adjustment, _: dict[int, int]) -> Mapping[str, Any]:
    return {
        "LA-REASON": line.reason, "LA-EFF": cyyddd(line.effective), "LA-AUTH": line.authority, "LA-TEXT": line.text
    }  # fmt: skip


def _reversal(line: Reversal, places: dict[int, int]) -> Mapping[str, Any]:
    return {"LV-OF-SEQ": reversed_seq(line, places), "LV-REASON": line.reason, "LV-DATE": cyyddd(line.posted)}


_LINE_FIELDS: dict[type, tuple[str, Callable[[Any, dict[int, int]], Mapping[str, Any]]]] = {
    Charge: ("C", _charge),
    Receipt: ("R", _receipt),
    Adjustment: ("A", _adjustment),
    Reversal: ("V", _reversal),
}
