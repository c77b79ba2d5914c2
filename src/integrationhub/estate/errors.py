"""Puts errors into a sound case group at the known rate, and marks that raise a flag only.

63 % of the 1993 scheme's cases and 81 % of the 2003 scheme's have their arrears right (arrears-errors.md);
ERROR_SHARES are set so that generated estates come to that.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from integrationhub.estate.book import (
    Adjustment,
    Case,
    CaseGroup,
    History,
    Line,
    Role,
    SourceGroup,
    reversed_lines,
)
from integrationhub.estate.case_groups import CHILD_OF_NOBODY, Family
from integrationhub.estate.dice import Dice
from integrationhub.estate.errors_cases import CASE_ERRORS
from integrationhub.estate.errors_charges import CHARGE_ERRORS
from integrationhub.estate.errors_receipts import RECEIPT_ERRORS
from integrationhub.estate.errors_together import TOGETHER
from integrationhub.estate.persons import child
from integrationhub.estate.references import absent_reference
from integrationhub.estate.rules import OPEN, SCHEME_2003, ZEROS
from integrationhub.estate.scene import RECEIPTS, WHOLE, Injection, Scene, free, may_err, plain_receipts

ERROR_SHARES = {"93": 0.443, "03": 0.23}
FURTHER_ERROR_SHARE = 0.2
TRIES = 4
WITH_WRONG_ROW = {"E05E01", "E06E01", "E11E01"}
INJECTIONS = (*CHARGE_ERRORS, *RECEIPT_ERRORS, *CASE_ERRORS, *TOGETHER)
_WEIGHTED = tuple((injection, injection.weight) for injection in INJECTIONS)


def spoil(group: CaseGroup, family: Family) -> None:
    """Put errors into some cases of a sound group."""
    dice = Dice(family.seed, "errors", group.index)
    for source in group.source_groups:
        for case in list(source.cases):
            scene = Scene(seed=family.seed, as_at=family.as_at, group=group, source=source, case=case, dice=dice)
            share = ERROR_SHARES[case.rules.system]
            while dice.chance(share):
                _inject_one(scene)
                share = FURTHER_ERROR_SHARE
    _mark(group, family, dice)
    derive_flags(group)


def _inject_one(scene: Scene) -> None:
    for _ in range(TRIES):
        if inject(scene, scene.dice.weigh(_WEIGHTED)):
            return


def inject(scene: Scene, injection: Injection) -> bool:
    """Put one error into the scene's case, if it and its parts are free for it."""
    case = scene.case
    if not may_err(case) or not free(case, *injection.areas) or not injection.apply(scene):
        return False
    case.injected.append(injection.name)
    case.areas.update(injection.areas)
    return True


def derive_flags(group: CaseGroup) -> None:
    """Flags that follow from what is written in the records: E01 (b), E04 (a), E11 (a), E12."""
    doubled = _doubled_parties(group)
    for case in group.cases():
        if case.duplicate_of:
            case.flags.clear()
            continue
        open_roles = any(role.kind in {"PWC", "QCH"} and role.last == OPEN for role in case.roles)
        marks = {
            "E01": case.queried and not {"E01a", *WITH_WRONG_ROW} & set(case.injected),
            "E04": any((case.rules.system, role.person.party_id) in doubled for role in case.roles),
            "E11": case.liability_end != OPEN and open_roles,
            "E12": any(role.person.nino_faulty for role in case.roles),
        }
        case.flags.update(code for code, set_ in marks.items() if set_)


def _doubled_parties(group: CaseGroup) -> set[tuple[str, int]]:
    """System and id of people who have more than one id in it."""
    ids: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for case in group.cases():
        for role in case.roles:
            if role.person.nino_usable:
                ids[case.rules.system, role.person.nino[:8]].add(role.person.party_id)
    return {(system, party) for (system, _), parties in ids.items() if len(parties) > 1 for party in parties}


def _mark(group: CaseGroup, family: Family, dice: Dice) -> None:
    """What raises a flag and changes no figure, here and there."""
    for source in group.source_groups:
        if dice.chance(0.006):
            _orphan_role(source, group, family)
        for case in source.cases:
            if case.duplicate_of:
                continue
            if dice.chance(0.025):
                _SENTINEL_MARKS[dice.below(len(_SENTINEL_MARKS))](case, source, dice)
            if dice.chance(0.02) and case.liability_end != OPEN and "E11" not in case.exceptions:
                _leave_role_open(case, dice)


def _orphan_role(source: SourceGroup, group: CaseGroup, family: Family) -> None:
    """E10 (d): a role whose case is in no file flags every case of the source group; in 2003 it is counted only."""
    guardian = source.cases[0].roles[0].person
    person = child(family.seed, group.index, CHILD_OF_NOBODY, guardian=guardian, before=family.as_at)
    role = Role(person=person, kind="QCH", first=person.born, last=OPEN, born=person.born)
    source.orphan_roles.append((absent_reference(family.seed, group.index, source.reference, 1), role))
    if source.rules is not SCHEME_2003:
        for case in source.cases:
            case.flags.add("E10")


def _leave_role_open(case: Case, dice: Dice) -> None:
    """E11 (a): a relationship is open although liability has an end."""
    places = [place for place, role in enumerate(case.roles) if role.kind in {"PWC", "QCH"}]
    place = dice.pick(places)
    case.roles[place] = replace(case.roles[place], last=OPEN)


def _substitute(case: Case, old: Line, new: Line) -> None:
    """Exchange a line in all three ledgers where it stands, whatever its posting date now says."""
    for ledger in case.ledgers():
        ledger[next(place for place, line in enumerate(ledger) if line is old)] = new
    case.flags.add("E06")


def _sentinel_in_role(case: Case, _: SourceGroup, dice: Dice) -> None:
    place = dice.below(len(case.roles))
    role = case.roles[place]
    if case.rules is SCHEME_2003:
        _sentinel_in_relationship(case, place, dice)
        return
    if dice.chance(0.5):
        case.roles[place] = replace(role, born=dice.pick(case.rules.sentinels))
    else:
        case.roles[place] = replace(role, first=dice.pick([day for day in case.rules.sentinels if day != ZEROS]))
    case.flags.add("E06")


def _sentinel_in_relationship(case: Case, place: int, dice: Dice) -> None:
    """In the 2003 book a birthday is the party's, so only somebody whom no other case knows loses it."""
    role = case.roles[place]
    if role.kind == "QCH" and not role.person.nino.strip() and dice.chance(0.5):
        case.roles[place] = replace(role, born=dice.pick(case.rules.sentinels))
    else:
        case.roles[place] = replace(role, first=dice.pick(case.rules.sentinels))
    case.flags.add("E06")


def _sentinel_value_date(case: Case, _: SourceGroup, dice: Dice) -> None:
    """A receipt without a usable value date: it counts in balances, and in no test of dates."""
    receipts = plain_receipts(case)
    if receipts and free(case, RECEIPTS):
        receipt = dice.pick(receipts)
        _substitute(case, receipt, replace(receipt, value_date=dice.pick(case.rules.sentinels)))


def _untouched(case: Case) -> list[Line]:
    """Lines that stand in all three ledgers and that no reversal points to."""
    shared = {id(line) for line in case.accepted} & {id(line) for line in case.real}
    pointed_at = reversed_lines([*case.sent, *case.accepted, *case.real])
    return [line for line in case.sent if id(line) in shared and id(line) not in pointed_at]


def _sentinel_posting(case: Case, _: SourceGroup, dice: Dice) -> None:
    lines = _untouched(case)
    if lines and WHOLE not in case.areas:
        line = dice.pick(lines)
        _substitute(case, line, replace(line, posted=dice.pick(case.rules.sentinels)))


def _sentinel_adjustment(case: Case, _: SourceGroup, dice: Dice) -> None:
    lines = [line for line in _untouched(case) if isinstance(line, Adjustment) and line.reason != "OB"]
    if lines and WHOLE not in case.areas:
        line = dice.pick(lines)
        _substitute(case, line, replace(line, effective=dice.pick(case.rules.sentinels)))


def _sentinel_contact(case: Case, source: SourceGroup, dice: Dice) -> None:
    """A contact on an unknown day flags its case, or, standing at the group, all of the group's cases.

    What stands at a 2003 parent belongs to the cases that name him as their parent, so never to one that names none.
    """
    event = History(
        kind="C", code="TEL", first=dice.pick(case.rules.sentinels), last=ZEROS, outcome="S", party=source.nrp.party_id
    )
    if dice.chance(0.5) or all(role.kind != "NRP" for role in case.roles):
        case.history.append(event)
        case.flags.add("E06")
        return
    source.history.append(event)
    for each in source.cases:
        each.flags.add("E06")


_SENTINEL_MARKS: tuple[Callable[[Case, SourceGroup, Dice], None], ...] = (
    _sentinel_in_role,
    _sentinel_value_date,
    _sentinel_posting,
    _sentinel_adjustment,
    _sentinel_contact,
)
"""E06 (c), one way each."""
