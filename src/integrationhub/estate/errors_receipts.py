"""Errors in receipts: E02, E10 (a) and (b), E13, E14, and reversals of nothing (E07)."""

from dataclasses import replace
from datetime import timedelta

from integrationhub.estate.book import Case, Receipt, Reversal
from integrationhub.estate.scene import (
    BANK,
    DAYS,
    OWNERS,
    RECEIPTS,
    Injection,
    Scene,
    add,
    charges,
    everywhere,
    exchange,
    free,
    plain_receipts,
)

OTHER_OWNER = {"R": "S", "S": "R"}
NOT_QUOTED = ""
ABSENT_SEQ = 99_999


def _charged_owners(case: Case) -> set[str]:
    return {charge.owner for charge in charges(case.sent)}


def _receipts_of_charged_owners(case: Case) -> list[Receipt]:
    owners = _charged_owners(case)
    return [receipt for receipt in plain_receipts(case) if receipt.owner in owners]


def posted_to_sibling(scene: Scene) -> bool:
    """E02: a receipt of this case, as its payer quoted, was posted to another case of the source group."""
    case, dice = scene.case, scene.dice
    siblings = [other for other in scene.siblings() if free(other, RECEIPTS)]
    receipts = _receipts_of_charged_owners(case)
    if not siblings or not receipts:
        return False
    other, receipt = dice.pick(siblings), dice.pick(receipts)
    suffix = dice.pick(("", receipt.owner))
    right = replace(receipt, quoted=case.rules.quote(case.ref, suffix))
    exchange(case.sent, receipt)
    exchange(case.accepted, receipt, right)
    exchange(case.real, receipt, right)
    wrong_owner = suffix != "" and dice.chance(0.25)
    add(other.sent, replace(right, owner=OTHER_OWNER[right.owner]) if wrong_owner else right)
    other.areas.add(RECEIPTS)
    other.injected.append("E02")
    for touched in (case, other):
        touched.automatic.add("E02")
    return True


def posted_to_other_owner(scene: Scene) -> bool:
    """E02: the payer quoted one owner of the case, the receipt was posted to the other."""
    case = scene.case
    receipts = _receipts_of_charged_owners(case)
    if not receipts:
        return False
    receipt = scene.dice.pick(receipts)
    right = replace(receipt, quoted=case.rules.quote(case.ref, receipt.owner))
    exchange(case.sent, receipt, replace(right, owner=OTHER_OWNER[receipt.owner]))
    exchange(case.accepted, receipt, right)
    exchange(case.real, receipt, right)
    case.automatic.add("E02")
    return True


def quoted_without_charge(scene: Scene) -> bool:
    """E02: the payer quoted a case and owner without any charge: EXC for the case that the receipt stands in."""
    case, dice = scene.case, scene.dice
    targets = [
        (other, owner)
        for other in [case, *(sibling for sibling in scene.siblings() if free(sibling, DAYS, OWNERS))]
        for owner in "RS"
        if owner not in _charged_owners(other)
    ]
    receipts = plain_receipts(case)
    if not targets or not receipts:
        return False
    target, owner = dice.pick(targets)
    receipt = dice.pick(receipts)
    if target is case and owner == receipt.owner:
        return False
    everywhere(case, receipt, replace(receipt, quoted=case.rules.quote(target.ref, owner)))
    target.areas.update((DAYS, OWNERS))
    case.exceptions.add("E02")
    return True


def quoted_elsewhere(scene: Scene) -> bool:
    """E10 (b): the payer quoted a case that is not in this source group; whether it is theirs can't be told."""
    case, dice = scene.case, scene.dice
    receipts = plain_receipts(case)
    if not receipts:
        return False
    receipt = dice.pick(receipts)
    elsewhere = [
        source_case.ref
        for source in scene.group.source_groups
        if source is not scene.source and source.rules is case.rules
        for source_case in source.cases
    ]
    ref = dice.pick(elsewhere) if elsewhere and dice.chance(0.5) else scene.absent_reference()
    quoted = replace(receipt, quoted=case.rules.quote(ref, dice.pick(("", receipt.owner))))
    everywhere(case, receipt, quoted)
    if dice.chance(0.5):
        exchange(case.real, quoted)
    case.exceptions.add("E10")
    return True


def orphaned(scene: Scene) -> bool:
    """E10 (a): a receipt of this case names a case that is in no file; all cases of the source group are held."""
    case = scene.case
    receipts = plain_receipts(case)
    if not receipts or any(other.duplicate_of for other in scene.source.cases):
        return False  # the documents don't say whether a duplicate is held with the rest
    receipt = scene.dice.pick(receipts)
    exchange(case.sent, receipt)
    scene.source.orphan_lines.append((scene.absent_reference(), replace(receipt, quoted=NOT_QUOTED)))
    scene.source.orphaned_from.append(case)
    for held in scene.source.cases:
        held.exceptions.add("E10")
    return True


def posted_twice(scene: Scene) -> bool:
    """E13: a receipt stands in its case twice or three times; the first stays."""
    case, dice = scene.case, scene.dice
    receipts = plain_receipts(case)
    if not receipts:
        return False
    receipt = dice.pick(receipts)
    for _ in range(2 if dice.chance(0.1) else 1):
        posted = min(scene.as_at, receipt.posted + timedelta(dice.between(0, 40)))
        add(case.sent, replace(receipt, posted=posted))
    case.automatic.add("E13")
    return True


def posted_to_relative_too(scene: Scene) -> bool:
    """E13: the receipt of another case of the case group stands in this one too, and goes from here."""
    case, dice = scene.case, scene.dice
    relatives = [other for other in scene.relatives() if free(other, RECEIPTS) and plain_receipts(other)]
    if not relatives:
        return False
    other = dice.pick(relatives)
    receipt = dice.pick(plain_receipts(other))
    first_quoted, second_quoted = _quotes(scene, other)
    kept = replace(receipt, quoted=first_quoted)
    everywhere(other, receipt, kept)
    add(case.sent, replace(kept, quoted=second_quoted))
    other.areas.add(RECEIPTS)
    case.automatic.add("E13")
    return True


def _quotes(scene: Scene, other: Case) -> tuple[str, str]:
    """What the two postings quote so that the one in `other` is kept: its own case, or, `other` being the lower
    reference, both their own or neither any.
    """
    case = scene.case
    quote = case.rules.quote
    choices = [(quote(other.ref), NOT_QUOTED)]
    if other in scene.source.cases:
        choices.append((quote(other.ref), quote(other.ref)))
    if other.ref < case.ref:
        choices += [(NOT_QUOTED, NOT_QUOTED), (quote(other.ref), quote(case.ref))]
    return scene.dice.pick(choices)


def bounced(scene: Scene) -> bool:
    """E14: the bank took a receipt back, and no reversal was posted."""
    case, dice = scene.case, scene.dice
    receipts = plain_receipts(case)
    if not receipts:
        return False
    receipt = dice.pick(receipts)
    dishonoured = replace(receipt, bank_status="D")
    everywhere(case, receipt, dishonoured)
    missing = Reversal(owner=receipt.owner, posted=receipt.posted, pence=receipt.pence, of=dishonoured, reason="BD")
    add(case.accepted, missing)
    add(case.real, missing)
    case.automatic.add("E14")
    return True


def broken_reversal(scene: Scene) -> bool:
    """E07: a reversal names no line of the case, or says another amount or owner than the line it names."""
    case = scene.case
    reversals = [line for line in case.sent if isinstance(line, Reversal)]
    if not reversals:
        return False
    line = scene.dice.pick(reversals)
    broken = scene.dice.pick(
        (
            replace(line, of_seq=ABSENT_SEQ),
            replace(line, pence=line.pence + 1),
            replace(line, owner=OTHER_OWNER[line.owner]),
        )
    )
    exchange(case.sent, line, broken)
    case.exceptions.add("E07")
    return True


RECEIPT_ERRORS = (
    Injection(name="E02", weight=3, areas=(RECEIPTS, DAYS, OWNERS), apply=posted_to_sibling),
    Injection(name="E02own", weight=1.5, areas=(RECEIPTS, DAYS, OWNERS), apply=posted_to_other_owner),
    Injection(name="E02x", weight=0.4, areas=(RECEIPTS, DAYS, OWNERS), apply=quoted_without_charge),
    Injection(name="E10", weight=0.4, areas=(RECEIPTS,), apply=orphaned),
    Injection(name="E10q", weight=0.4, areas=(RECEIPTS,), apply=quoted_elsewhere),
    Injection(name="E13", weight=2, areas=(RECEIPTS,), apply=posted_twice),
    Injection(name="E13other", weight=2, areas=(RECEIPTS,), apply=posted_to_relative_too),
    Injection(name="E14", weight=3.5, areas=(BANK,), apply=bounced),
    Injection(name="E07v", weight=2, areas=(RECEIPTS,), apply=broken_reversal),
)
"""Errors of this module, with how often they are tried."""
