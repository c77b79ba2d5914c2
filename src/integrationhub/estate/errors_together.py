"""Two errors in the same line, where the order of the rules decides (arrears-errors.md §2).

E13 → E02 → E14 → E06 → E11 → E05 → E01 → E09: each rule works on the ledger as those before it have left it.
"""

from dataclasses import replace
from itertools import pairwise

from integrationhub.estate.book import Case, Charge, Receipt, Reversal
from integrationhub.estate.errors_charges import charged_after_the_end, rated_as
from integrationhub.estate.rules import DAY, LOW_VALUES
from integrationhub.estate.scene import (
    BANK,
    DAYS,
    OWNERS,
    RECEIPTS,
    ROLES,
    ROWS,
    Injection,
    Scene,
    add,
    charges,
    everywhere,
    exchange,
    free,
    plain_charges,
    plain_receipts,
)


def _wrong_row(scene: Scene, charge: Charge) -> list[Charge]:
    """Let the row of a charge hold another amount than its inputs give; gives its charges as they are sent then."""
    case = scene.case
    rate = case.rows[charge.row - 1].rate + scene.dice.pick((1, 300))
    case.rows = [replace(row, rate=rate) if place == charge.row else row for place, row in enumerate(case.rows, 1)]
    wrong = []
    for line in charges(case.sent):
        if line.row == charge.row:
            other = replace(line, rate=rate, pence=case.rules.charge(rate, line.first, line.last))
            exchange(case.sent, line, other)
            wrong.append(other)
    case.automatic.add("E01")
    return wrong


def _by_inputs(case: Case) -> list[Charge]:
    """Untouched charges by rows with inputs, all of whose charges are untouched."""
    plain = {id(charge) for charge in plain_charges(case)}
    touched = {charge.row for charge in charges(case.sent) if id(charge) not in plain}
    return [charge for charge in plain_charges(case) if charge.row not in touched and case.rows[charge.row - 1].inputs]


def overlap_at_a_wrong_amount(scene: Scene) -> bool:
    """E05 (a) and E01 (a): a charge begins too early, and its row's amount is wrong: cut, then rated anew."""
    case = scene.case
    pairs = [
        (before, after)
        for before, after in pairwise(_by_inputs(case))
        if before.row == after.row and before.last + DAY == after.first
    ]
    if not pairs or not case.ledger_complete:
        return False
    before, after = scene.dice.pick(pairs)
    wrong = next(line for line in _wrong_row(scene, after) if line.first == after.first)
    exchange(case.sent, wrong, rated_as(case.rules, wrong, first=before.first, last=after.last))
    case.automatic.add("E05")
    return True


def no_start_at_a_wrong_amount(scene: Scene) -> bool:
    """E06 (a) and E01 (a): a charge without a first day, by a row whose amount is wrong."""
    case = scene.case
    found = _by_inputs(case)
    if not found or not case.ledger_complete:
        return False
    charge = scene.dice.pick(found)
    wrong = next(line for line in _wrong_row(scene, charge) if line.first == charge.first)
    exchange(case.sent, wrong, replace(wrong, first=LOW_VALUES))
    case.automatic.add("E06")
    return True


def overlap_of_nobody(scene: Scene) -> bool:
    """E05 (a) and E09: a charge of unknown owner straddles as long as it overlaps; cut, it is one owner's."""
    case = scene.case
    pairs = [
        (before, after)
        for before, after in pairwise(plain_charges(case))
        if before.last + DAY == after.first and (before.row, before.rate) == (after.row, after.rate)
    ]
    pairs = [pair for pair in pairs if pair[0].owner != pair[1].owner] or pairs
    if not pairs or not case.benefit_known:
        return False
    before, after = scene.dice.pick(pairs)
    early = rated_as(case.rules, after, first=before.first, last=after.last)
    exchange(case.sent, after, replace(early, owner=scene.dice.pick(" M")))
    case.automatic.update(("E05", "E09"))
    return True


def after_the_end_at_a_wrong_amount(scene: Scene) -> bool:
    """E11 (b) and E01 (a): charges ran on after the end of liability, and their row's amount is wrong."""
    case = scene.case
    plain = plain_charges(case)
    if not plain or plain[-1] not in _by_inputs(case) or not charged_after_the_end(scene):
        return False
    _wrong_row(scene, plain[-1])
    if case.exceptions:
        case.automatic.discard("E01")
    return True


def bounced_twice(scene: Scene) -> bool:
    """E13 and E14: a receipt that the bank took back stands twice, without a reversal of either."""
    case = scene.case
    receipts = plain_receipts(case)
    if not receipts:
        return False
    receipt = scene.dice.pick(receipts)
    dishonoured = replace(receipt, bank_status="D")
    everywhere(case, receipt, dishonoured)
    missing = Reversal(owner=receipt.owner, posted=receipt.posted, pence=receipt.pence, of=dishonoured, reason="BD")
    for ledger in (case.accepted, case.real):
        add(ledger, missing)
    add(case.sent, replace(dishonoured))
    case.automatic.update(("E13", "E14"))
    return True


def posted_twice_to_sibling(scene: Scene) -> bool:
    """E13 and E02: a receipt of this case stands twice in another one; one is dropped there, the other moves."""
    other, right = _for_a_sibling(scene)
    if other is None or right is None:
        return False
    for _ in range(2):
        add(other.sent, replace(right))
    other.automatic.update(("E13", "E02"))
    return True


def bounced_at_sibling(scene: Scene) -> bool:
    """E02 and E14: a receipt of this case was posted to another one and bounced: moved, then reversed."""
    other, right = _for_a_sibling(scene, bank_status="D")
    if other is None or right is None:
        return False
    add(other.sent, right)
    missing = Reversal(owner=right.owner, posted=right.posted, pence=right.pence, of=right, reason="BD")
    for ledger in (scene.case.accepted, scene.case.real):
        add(ledger, missing)
    scene.case.automatic.add("E14")
    other.automatic.add("E02")
    return True


def _for_a_sibling(scene: Scene, **changes: str) -> tuple[Case | None, Receipt | None]:
    """Take a receipt out of the case as sent, for another case of the source group; it quotes its own case."""
    case, dice = scene.case, scene.dice
    siblings = [each for each in scene.siblings() if free(each, RECEIPTS)]
    owners = {charge.owner for charge in charges(case.sent)}
    receipts = [receipt for receipt in plain_receipts(case) if receipt.owner in owners]
    if not siblings or not receipts:
        return None, None
    other, receipt = dice.pick(siblings), dice.pick(receipts)
    right = replace(receipt, quoted=case.rules.quote(case.ref), **changes)  # type: ignore[arg-type] # only texts
    exchange(case.sent, receipt)
    exchange(case.accepted, receipt, right)
    exchange(case.real, receipt, right)
    case.automatic.add("E02")
    other.areas.add(RECEIPTS)
    other.injected.append("E02")
    return other, right


TOGETHER = (
    Injection(name="E05E01", weight=0.5, areas=(ROWS, DAYS), apply=overlap_at_a_wrong_amount),
    Injection(name="E06E01", weight=0.5, areas=(ROWS, DAYS), apply=no_start_at_a_wrong_amount),
    Injection(name="E05E09", weight=0.7, areas=(DAYS, OWNERS), apply=overlap_of_nobody),
    Injection(name="E11E01", weight=0.7, areas=(ROWS, DAYS, ROLES), apply=after_the_end_at_a_wrong_amount),
    Injection(name="E13E14", weight=0.7, areas=(RECEIPTS, BANK), apply=bounced_twice),
    Injection(name="E02E13", weight=0.7, areas=(RECEIPTS, DAYS, OWNERS), apply=posted_twice_to_sibling),
    Injection(name="E02E14", weight=0.7, areas=(RECEIPTS, BANK, DAYS, OWNERS), apply=bounced_at_sibling),
)
"""Errors of this module, with how often they are tried."""
