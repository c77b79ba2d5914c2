"""E13 duplicate receipts, E02 receipts on the wrong case or owner, E14 receipts that the bank took back."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from integrationhub.arrears.book import CHARGE, CLERICAL, RECEIVING_PARENT, SECRETARY_OF_STATE, Case, Line
from integrationhub.arrears.rules.links import quoted_case

_OWNERS = {"R": RECEIVING_PARENT, "S": SECRETARY_OF_STATE}
Posted = tuple[Case, Line]


def duplicate_receipts(cases: Iterable[Case]) -> None:
    """E13: of equal receipts in one case group and system one stays; `cases` are those of one case group."""
    equal: defaultdict[tuple[object, ...], list[Posted]] = defaultdict(list)
    for case in cases:
        for line in case.receipts():
            if (line.bank_reference or "").strip() and line.value_date is not None:
                equal[case.system, line.bank_reference, line.effect, line.value_date].append((case, line))
    for found in equal.values():
        if len(found) > 1:
            _keep_one(found)


def _keep_one(found: Sequence[Posted]) -> None:
    """The one posted to the case it names; of several or none, the lowest by case reference and line number."""
    named = [(case, line) for case, line in found if quoted_case(case, line)[0] == case.ref]
    kept_case, kept = min(named or found, key=lambda posted: (posted[0].ref, posted[1].number))
    for case, line in found:
        if line is not kept:
            where = f"line {kept.number}" if case is kept_case else "a line of another case"
            evidence = f"line {line.number} has the bank reference, amount and value date of {where} of the case group"
            case.find("E13", "AUTO", evidence)
            case.drop("E13", line, evidence)


def misplaced_receipts(cases: Iterable[Case]) -> None:
    """E02: a receipt goes to the case and owner that the payer quoted; `cases` are those of one case group."""
    by_ref = {(case.system, case.ref): case for case in cases}
    moves = [(case, line, *goal) for case in by_ref.values() for line in case.receipts() if (goal := _goal(case, line))]
    decided = [(case, line, _target(by_ref, case, reference), owner) for case, line, reference, owner in moves]
    possible = [move for move in decided if _may_move(*move)]
    for case, line, target, owner in possible:
        if target is not None:
            _move(case, line, target, owner)


def _goal(case: Case, line: Line) -> tuple[str, str] | None:
    """Case and owner that a receipt belongs to when it stands elsewhere; None when it stands right or names nothing."""
    reference, letter = quoted_case(case, line)
    if not reference or reference not in case.siblings:
        return None
    owner = _OWNERS.get(letter, line.owner)
    return None if (reference, owner) == (case.ref, line.owner) else (reference, owner)


def _target(by_ref: Mapping[tuple[str, str], Case], case: Case, reference: str) -> Case | None:
    target = by_ref.get((case.system, reference))
    return None if target is not None and target.duplicate_of else target


def _may_move(case: Case, line: Line, target: Case | None, owner: str) -> bool:
    if target is not None and any(other.kind == CHARGE and other.owner == owner for other in target.lines):
        return True
    evidence = f"line {line.number}: the quoted case has no charge of the owner that the money would go to"
    case.find("E02", "EXC", evidence)
    return False


def _move(case: Case, line: Line, target: Case, owner: str) -> None:
    evidence = f"line {line.number}: the payer quoted another {'owner' if target is case else 'case'}"
    case.find("E02", "AUTO", evidence)
    if target is not case:
        target.find("E02", "AUTO", f"line {line.number} of another case of the source group: the payer quoted this one")
    case.drop("E02", line, evidence, action="MOVED_OUT")
    target.add("E02", replace(line, owner=owner), evidence, action="MOVED_IN")


def dishonoured_receipts(case: Case) -> None:
    """E14: the bank took the money back and nobody has reversed the receipt."""
    for line in list(case.receipts()):
        if line.dishonoured and case.system != CLERICAL:
            before = line.figures()
            line.undone = line.returned = True
            evidence = f"line {line.number}: the bank has not honoured it, and no line reverses it"
            case.find("E14", "AUTO", evidence)
            case.change("E14", "REVERSED", line, before, evidence)
