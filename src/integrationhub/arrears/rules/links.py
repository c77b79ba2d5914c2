"""E10 orphans, E03 kept twice, E04 duplicates, DE and the other findings of clerical cases."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from integrationhub.arrears.book import CLERICAL, NOTHING, RECEIPT, Case, Correction, Line

REFERENCE_LENGTH = {"CSCS": 10, "CS2": 12}
"""Characters of a case reference at the start of what a payer quotes; the owner's letter may follow."""


def quoted_case(case: Case, line: Line) -> tuple[str, str]:
    """The case reference and the owner's letter (R, S or none) that the payer quoted; empty when nothing was."""
    quoted = (line.quoted or "").strip()
    length = REFERENCE_LENGTH[case.system]
    return quoted[:length], quoted[length:].removeprefix("/").strip()


def orphans(case: Case) -> None:
    """E10: money or people whose case is not there, and cases without their people."""
    if case.orphan_receipt:
        case.find("E10", "EXC", "a receipt of this source group names a case that is not in the file")
    for line in (line for line in case.lines if line.kind == RECEIPT):
        reference, _ = quoted_case(case, line)
        if reference and reference not in case.siblings:
            case.find("E10", "EXC", f"line {line.number}: the payer quoted a case that is not of this source group")
    for kind, name in (("NRP", "non-resident parent"), ("PWC", "parent with care")):
        if not case.persons(kind):
            case.find("E10", "EXC", f"the case has no {name}")


def kept_twice(case: Case) -> None:
    """E03: a case that is kept by hand and is on a system that has not given it up."""
    if case.kept_twice:
        where = "an extract that has not given it up" if case.system == CLERICAL else "the clerical book"
        case.find("E03", "EXC", f"the case is also in {where}")


def duplicates(cases: Sequence[Case]) -> None:
    """E04 (b), (c): cases of one system that are the same case; with equal ledgers the higher reference is empty."""
    alike: defaultdict[tuple[object, ...], list[Case]] = defaultdict(list)
    for case in cases:
        if case.system != CLERICAL and case.persons("NRP") and case.persons("PWC"):
            alike[_identity(case)].append(case)
    for same in alike.values():
        if len(same) > 1:
            _split_by_ledger(sorted(same, key=lambda case: case.ref))


def _identity(case: Case) -> tuple[object, ...]:
    children = sorted(role.party.party_id for role in case.roles if role.kind == "QCH")
    return case.system, case.persons("NRP")[0], case.persons("PWC")[0], tuple(children), case.effective


def _split_by_ledger(same: Sequence[Case]) -> None:
    """Of cases with equal ledgers the lowest stays; if several stay, nobody can say which is right."""
    kept: dict[tuple[object, ...], Case] = {}
    for case in same:
        original = kept.setdefault(_ledger(case), case)
        if original is not case:
            case.duplicate_of = original
    if len(kept) > 1:
        for case in kept.values():
            case.find("E04", "EXC", "a case with the same parents, children and effective date has another ledger")


def _ledger(case: Case) -> tuple[object, ...]:
    """All lines in all fields but references and row identifiers."""
    return tuple(
        (
            line.number, line.kind, line.owner, line.stored, line.reason, line.posted, line.effective, line.first,
            line.last, line.rate, line.value_date, line.bank_reference, line.quoted, line.dishonoured, line.held,
            line.payer, line.method, line.text, line.undoes.number if line.undoes else None,
            line.row if case.scheme == "1993" else None,
        )
        for line in case.lines
    )  # fmt: skip


def empty_duplicates(cases: Iterable[Case]) -> None:
    """A duplicate owes nothing, has no flags, and no other rule is applied to it."""
    for case in cases:
        if case.duplicate_of is None:
            continue
        case.findings.clear()
        case.find("E04", "AUTO", "a lower case reference has the same parents, children, effective date and ledger")
        case.lines.clear()
        case.corrections.append(
            Correction(rule="E04", action="DUPLICATE", entry_id="", line_no=None, text="all figures become nil",
                       delta=NOTHING.minus(case.header))
        )  # fmt: skip


def clerical(case: Case) -> None:
    """What can be wrong in the clerical book itself (clerical.md §4)."""
    book = case.clerical
    if book is None:
        return
    if not book.double_entry_agrees:
        case.find("DE", "EXC", "the two keyings of this case do not agree, or there are not exactly two")
    if book.application_unknown:
        case.find("E06", "EXC", "the application date is not known")
    for owner, name in enumerate(("receiving parent", "Secretary of State")):
        if book.legible[owner] and book.charged[owner] - book.received[owner] != case.header[owner]:
            case.find("E07", "EXC", f"charged less received is not the balance of the {name}")
