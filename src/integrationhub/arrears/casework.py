"""Stored rows into the book that the rules judge: whole cases, with everything of theirs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrationhub.arrears.arithmetic import due_1993, due_2003
from integrationhub.arrears.book import (
    ADJUSTMENT,
    CHARGE,
    CLERICAL,
    CSCS,
    OPEN,
    RECEIPT,
    REVERSAL,
    Case,
    Clerical,
    Event,
    Figures,
    Line,
    Party,
    Role,
    Row,
)  # fmt: skip
from integrationhub.arrears.persons import person_of
from integrationhub.canonical.identifiers import SEPARATOR
from integrationhub.store.casework import Dossier

_KINDS = {"LIABILITY": CHARGE, "RECEIPT": RECEIPT, "REVERSAL": REVERSAL}
"""Kinds of ledger entries as the rules name them; all others are adjustments."""

_OWNERS = ("RECEIVING_PARENT", "SECRETARY_OF_STATE", "UNKNOWN")


def _end(row: Any, name: str) -> date | None:  # noqa: ANN401 – a database row
    """A last day: open or a date; None when nobody knows."""
    return OPEN if getattr(row, f"{name}_mark") == "OPEN" else getattr(row, name)


def _unknown(row: Any, *names: str) -> bool:  # noqa: ANN401 – a database row
    return any(getattr(row, f"{name}_mark") == "SENTINEL" for name in names)


def _by_case(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.case_id].append(row)
    return grouped


def _by_group(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    grouped: defaultdict[str, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.group_id].append(row)
    return grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What lies outside the cases: `kept_twice` are those with finding E03, `orphan_payers` the parties who paid into a
    case that is not in the file, where such receipts stand in no source group.
    """

    kept_twice: Collection[str]
    orphan_payers: Collection[str]


def build(dossier: Dossier, surroundings: Surroundings) -> dict[str, Case]:
    """The cases of a dossier by case_id."""
    cases = {row.case_id: _case(row) for row in dossier.cases()}
    row_numbers = _add_assessments(dossier, cases)
    _add_ledgers(dossier, cases, row_numbers)
    _add_people(dossier, cases)
    _add_surroundings(dossier, cases)
    _add_clerical(dossier, cases)
    for case in cases.values():
        case.kept_twice = case.case_id in surroundings.kept_twice
        case.orphan_receipt |= case.nrp_party in surroundings.orphan_payers
    return cases


def _case(row: Any) -> Case:  # noqa: ANN401 – a database row
    return Case(
        case_id=row.case_id,
        group_id=row.group_id,
        ref=row.source_ref,
        system=CLERICAL if row.host_system == CLERICAL else row.source_system,
        scheme=row.scheme,
        status=row.status,
        effective=row.effective_date,
        liability_end=_end(row, "liability_end"),
        last_charged=row.last_charged,
        ledger_complete=row.ledger_complete,
        benefit_known=row.benefit_known,
        queried=row.accuracy_query,
        header=Figures(custodian=row.source_custodian_pence),
    )


def _add_ledgers(dossier: Dossier, cases: Mapping[str, Case], row_numbers: Mapping[tuple[str, str], int]) -> None:
    """Headers and ledgers; `row_numbers`: an assessment row's number by case and the source's identifier of it."""
    receipts = {(row.case_id, row.line_no): row for row in dossier.rows("receipts")}
    for row in dossier.balances():
        if row.case_id in cases:
            case = cases[row.case_id]
            case.header = case.header.plus(_header_part(row))
    for case_id, rows in _by_case(dossier.ledger()).items():
        if case_id in cases:
            rows.sort(key=lambda row: (row.line_no, row.version))
            case = cases[case_id]
            case.lines = [_line(case, row, receipts.get((case_id, row.line_no))) for row in rows]
            _resolve_reversals(case, rows)
            for row, line in zip(rows, case.lines, strict=True):
                if row.assessment_ref is not None:
                    line.row = row_numbers.get((case_id, row.assessment_ref))


def _header_part(row: Any) -> Figures:  # noqa: ANN401 – a database row
    if row.legal_owner == "RECEIVING_PARENT":
        return Figures(rp=row.pence, susp_rp=row.suspended_pence)
    if row.legal_owner == "SECRETARY_OF_STATE":
        return Figures(sos=row.pence, susp_sos=row.suspended_pence)
    return Figures(unk=row.pence)


def _line(case: Case, row: Any, receipt: Any) -> Line:  # noqa: ANN401 – database rows
    kind = _KINDS.get(row.kind, ADJUSTMENT)
    line = Line(
        entry_id=row.entry_id,
        number=row.line_no,
        kind=kind,
        owner=row.owner,
        effect=row.pence,
        suspends=row.suspended_pence,
        stored=row.stored_pence,
        reason=row.reason,
        posted=row.posted,
        posted_unknown=row.posted_mark == "SENTINEL",
        effective=row.effective,
        effective_unknown=row.effective_mark == "SENTINEL",
        text=f"{row.authority or ''}{SEPARATOR}{row.text or ''}",
    )
    if kind == CHARGE:
        line.first, line.last, line.row = row.from_date, row.to_date, row.assessment_row
        line.rate = (row.weekly_pence if case.scheme == "1993" else row.monthly_pence) or 0
    if receipt is not None and kind == RECEIPT:
        line.value_date = receipt.value_date
        line.bank_reference, line.quoted = receipt.bank_reference, receipt.quoted_reference
        line.dishonoured, line.held = receipt.bank_status == "DISHONOURED", receipt.custody == "HELD"
        line.payer, line.method = receipt.payer_party_id, receipt.method
    return line


def _resolve_reversals(case: Case, rows: Collection[Any]) -> None:
    """Tell every reversal the line that it takes back; a reversal itself is never taken back."""
    by_number = {line.number: line for line in case.lines if line.kind != REVERSAL}
    by_id = {row.source_id: line for row, line in zip(rows, case.lines, strict=True) if line.kind != REVERSAL}
    for row, line in zip(rows, case.lines, strict=True):
        if line.kind == REVERSAL:
            line.undoes = by_id.get(row.reverses_ref) if row.reverses_ref else by_number.get(row.reverses_line)
            if line.undoes is not None:
                line.undoes.undone = True


def _add_assessments(dossier: Dossier, cases: Mapping[str, Case]) -> dict[tuple[str, str], int]:
    """Assessment rows and benefit periods; the rows' numbers by case and the source's identifier of the row."""
    numbers: dict[tuple[str, str], int] = {}
    for case_id, rows in _by_case(dossier.rows("liability_periods")).items():
        if case_id in cases:
            case = cases[case_id]
            numbers |= {(case_id, row.source_ref): row.row_no for row in rows}
            case.rows = sorted((_row(case, row) for row in rows), key=lambda row: row.number)
            if case.scheme != "1993":  # only the 1993 document promises that rows ascend
                case.rows.sort(key=lambda row: row.first or row.last or OPEN)
    for row in dossier.rows("benefit_periods"):
        if row.case_id in cases:
            cases[row.case_id].benefits.append((row.from_date, _end(row, "to_date")))
    return numbers


def _row(case: Case, row: Any) -> Row:  # noqa: ANN401 – a database row
    monthly = case.scheme != "1993"
    return Row(
        number=row.row_no,
        first=row.from_date,
        last=_end(row, "to_date"),
        basis=row.basis,
        amount=(row.monthly_pence if monthly else row.weekly_pence) or 0,
        due=(_due_2003(row) if monthly else _due_1993(row)) if row.inputs_held else None,
    )


def _due_1993(row: Any) -> int | None:  # noqa: ANN401 – a database row
    nights = [row.nights_1, row.nights_2, row.nights_3, row.nights_4][: row.children or 0]
    if not nights:
        return None
    return due_1993(row.net_weekly_pence or 0, row.exempt_weekly_pence or 0, [stayed or 0 for stayed in nights])


def _due_2003(row: Any) -> int:  # noqa: ANN401 – a database row
    return due_2003(row.net_monthly_pence or 0, row.children or 0, row.nights_1 or 0)


def _add_people(dossier: Dossier, cases: Mapping[str, Case]) -> None:
    members = [row for row in dossier.members() if row.case_id in cases]
    doubled = dossier.doubled({row.party_id for row in members})
    parties: dict[str, Party] = {}
    for row in sorted(members, key=lambda row: row.record_no):
        case = cases[row.case_id]
        party = parties.get(row.party_id) or _party(row, doubled)
        parties[row.party_id] = party
        unknown = _unknown(row, "birth_date", "from_date", "to_date") or party.born_unknown
        case.roles.append(
            Role(kind=row.role, party=party, last=_end(row, "to_date"), unknown=unknown, payee=row.is_payee)
        )
        if row.role == "NRP":
            case.nrp_party = row.party_id


def _party(row: Any, doubled: Collection[tuple[str, str]]) -> Party:  # noqa: ANN401 – a database row
    person = person_of(row.party_id, row.party_nino, usable=row.party_nino_usable)
    return Party(
        party_id=row.party_id,
        ref=row.party_source_ref,
        person=person,
        nino_unusable=bool(row.party_nino) and not row.party_nino_usable,
        born_unknown=row.source_system != "CSCS" and row.party_birth_date_mark == "SENTINEL",
        doubled=(row.source_system, person) in doubled,
    )


def _event(row: Any) -> Event:  # noqa: ANN401 – a database row
    return Event(
        enforcement=getattr(row, "class") == "ENFORCEMENT",
        succeeded=row.outcome == "SUCCESS",
        first=row.from_date,
        last=_end(row, "to_date"),
        unknown=_unknown(row, "from_date", "to_date"),
        party_id=row.party_id,
    )


def _add_surroundings(dossier: Dossier, cases: Mapping[str, Case]) -> None:
    """What the source group says of its cases: siblings, orphans, and history that names no case."""
    groups = {case.group_id for case in cases.values()}
    heads = {row.group_id: row for row in dossier.groups(groups)}
    siblings = _by_group(dossier.siblings(groups))
    history = _by_case(dossier.rows("history"))
    orphan_roles = _by_group(dossier.without_case("roles", groups))
    orphan_receipts = _by_group(dossier.without_case("receipts", groups))
    shared = _by_group(row for row in dossier.without_case("history", groups) if row.source_case_ref is None)
    for case in cases.values():
        mates = siblings.get(case.group_id, [])
        case.siblings = {row.source_ref for row in mates}
        case.orphan_role = case.system == CSCS and case.group_id in orphan_roles  # E10 (d): only counted in CS2
        case.orphan_receipt = case.group_id in orphan_receipts
        if case.nrp_party is None and case.group_id in heads:
            case.nrp_party = heads[case.group_id].nrp_party_id
        case.events = [_event(row) for row in history.get(case.case_id, [])]
        case.group_events = [_event(row) for row in shared.get(case.group_id, [])]
        others = [row.case_id for row in mates if row.case_id != case.case_id]
        case.sibling_events = [_event(row) for other in others for row in history.get(other, [])]


def _add_clerical(dossier: Dossier, cases: Mapping[str, Case]) -> None:
    for row in dossier.rows("clerical_totals"):
        case = cases.get(row.case_id)
        if case is None:
            continue
        case.header = Figures(
            rp=row.balance_rp_pence or 0, sos=row.balance_sos_pence or 0, custodian=row.custodian_pence or 0
        )
        case.clerical = Clerical(
            double_entry_agrees=row.keyings_agree,
            charged=(row.charged_rp_pence or 0, row.charged_sos_pence or 0),
            received=(row.received_rp_pence or 0, row.received_sos_pence or 0),
            last_payment=row.last_payment,
            last_contact=row.last_contact,
            dates_unknown=_unknown(row, "last_payment", "last_contact", "liability_end"),
            system_ref=row.former_case_ref,
            application_unknown=row.effective_date_mark == "SENTINEL",
            legible=(
                None not in {row.charged_rp_pence, row.received_rp_pence, row.balance_rp_pence},
                None not in {row.charged_sos_pence, row.received_sos_pence, row.balance_sos_pence},
            ),
        )
