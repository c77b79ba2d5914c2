"""Errors of a whole case: its header (E07, E08), its duplicates (E04), its people (E10)."""

from dataclasses import replace

from integrationhub.estate.book import Adjustment, Case, Line, Receipt, Reversal
from integrationhub.estate.dice import Dice
from integrationhub.estate.scene import (
    HEADER,
    ROLES,
    SUSPENDED,
    WHOLE,
    Injection,
    Scene,
    add,
    exchange,
    plain_receipts,
)

SUSPENDED_OF = {"R": "susp_rp", "S": "susp_sos"}


def header_off(scene: Scene) -> bool:
    """E07: the header differs from the ledger, by a penny or by much; AUTO in a complete ledger, else EXC."""
    case, dice = scene.case, scene.dice
    delta = dice.pick((1, -1, 100, dice.between(1_000, 500_000), -dice.between(1_000, 500_000)))
    names = dice.weigh(
        ((("rp",), 0.5), (("sos",), 0.15), (("unk",), 0.05), (("custodian",), 0.15), (("rp", "sos"), 0.15))
    )
    for place, name in enumerate(names):
        case.tamper[name] = abs(delta) if name == "custodian" else delta * (-1) ** place
    (case.automatic if case.ledger_complete else case.exceptions).add("E07")
    return True


def suspension_off(scene: Scene) -> bool:
    """E08: the header suspends less than the ledger: AUTO; or more: EXC."""
    case, dice = scene.case, scene.dice
    if not case.sent:
        return False
    owner = dice.pick(case.sent).owner
    if owner not in SUSPENDED_OF:
        return False
    pence = dice.between(1_000, 50_000)
    suspended = Adjustment(
        owner=owner, posted=scene.as_at, pence=pence, reason="SU", effective=scene.as_at, authority="AUTH07",
        text="made for a test",
    )  # fmt: skip
    for ledger in case.ledgers():
        add(ledger, suspended)
    too_little = dice.chance(0.75)
    delta = dice.pick((1, pence, pence // 2))
    case.tamper[SUSPENDED_OF[owner]] = -delta if too_little else delta
    (case.automatic if too_little else case.exceptions).add("E08")
    return True


def doubled(scene: Scene) -> bool:
    """E04 (b): the case stands in the book a second time, line for line; the higher reference is the duplicate."""
    spare = scene.spare_reference(above=scene.case.ref)
    if spare is None or scene.source.orphan_lines:
        return False  # an orphan receipt holds every case; the documents don't say whether a duplicate too
    twin = _copy(scene.case, spare)
    twin.duplicate_of = scene.case.ref
    twin.automatic.add("E04")
    twin.accepted, twin.real = [], []
    _insert(scene, twin)
    return True


def doubled_with_changes(scene: Scene) -> bool:
    """E04 (c): the case stands in the book twice, with different ledgers: EXC for both."""
    spare = scene.spare_reference(above=scene.case.ref)
    if spare is None or not scene.case.sent:
        return False
    twin = _copy(scene.case, spare)
    _requote(twin, scene.case.ref)
    _differ(twin, scene.dice)
    twin.real = []
    for held in (scene.case, twin):
        held.exceptions.add("E04")
    _insert(scene, twin)
    return True


def _copy(case: Case, spare: tuple[str, int]) -> Case:
    """The case under another reference, with ledgers of its own."""
    ref, number = spare
    return replace(
        case, ref=ref, number=number, roles=list(case.roles), rows=list(case.rows), history=[], tamper={}, injected=[],
        automatic=set(), exceptions=set(), flags=set(), areas={WHOLE},
        sent=list(case.sent), accepted=list(case.sent), real=list(case.sent),
    )  # fmt: skip


def _requote(twin: Case, old: str) -> None:
    """Let receipts quote the copy's own reference where they quoted the original's."""
    renewed = {
        id(line): replace(line, quoted=line.quoted.replace(old, twin.ref))
        for line in twin.sent
        if isinstance(line, Receipt)
    }
    twin.sent = [_renewed(line, renewed) for line in twin.sent]


def _renewed(line: Line, renewed: dict[int, Receipt]) -> Line:
    """The line, or its new version; a reversal follows the line that it takes back."""
    if isinstance(line, Reversal):
        return replace(line, of=renewed.get(id(line.of), line.of))
    return renewed.get(id(line), line)


def _differ(twin: Case, dice: Dice) -> None:
    """One thing in the copy's ledger is not as in the original's, and nothing else is wrong with it."""
    receipts = plain_receipts(replace(twin, accepted=twin.sent, real=twin.sent))
    if receipts:
        exchange(twin.sent, dice.pick(receipts))
        return
    last = twin.sent[-1]
    extra = Adjustment(
        owner="R", posted=last.posted, pence=1, reason="DR", effective=last.posted, authority="AUTH08", text=""
    )
    add(twin.sent, extra)


def _insert(scene: Scene, twin: Case) -> None:
    twin.injected.append("E04b" if twin.duplicate_of else "E04c")
    if scene.source.orphan_lines:
        twin.exceptions.add("E10")
    scene.source.cases.append(twin)
    scene.source.cases.sort(key=lambda case: case.ref)


def without_parent(scene: Scene) -> bool:
    """E10 (c): the case has no parent with care, or, standing alone, no non-resident parent."""
    case = scene.case
    alone = len(scene.group.cases()) == 1
    kind = "NRP" if alone and scene.dice.chance(0.4) else "PWC"
    missing = next((role for role in case.roles if role.kind == kind), None)
    parents = {group.nrp.party_id for group in scene.group.source_groups}
    if missing is None or (kind == "PWC" and missing.person.party_id in parents):
        return False  # this person links the source groups
    case.roles.remove(missing)
    case.exceptions.add("E10")
    return True


CASE_ERRORS = (
    Injection(name="E07", weight=4.5, areas=(HEADER,), apply=header_off),
    Injection(name="E08", weight=2, areas=(SUSPENDED,), apply=suspension_off),
    Injection(name="E04b", weight=1.5, areas=(WHOLE,), apply=doubled),
    Injection(name="E04c", weight=0.4, areas=(WHOLE,), apply=doubled_with_changes),
    Injection(name="E10p", weight=0.3, areas=(ROLES,), apply=without_parent),
)
"""Errors of this module, with how often they are tried."""
