"""Errors in assessments and charges: E01, E05, E06 (a) and (b), E07 (c), E09, E11 (b)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from integrationhub.estate.book import AssessmentRow, Case, Charge
from integrationhub.estate.rules import LOW_VALUES, OPEN, SCHEME_2003, SENTINELS, ZEROS, Rules
from integrationhub.estate.scene import (
    DAYS,
    OWNERS,
    ROLES,
    ROWS,
    Injection,
    Scene,
    add,
    charges,
    exchange,
    opening_date,
    plain_charges,
)
from integrationhub.estate.sound import rated

DAY = timedelta(1)
HIGHEST_AMOUNT = 999_999_999


def _row_of(case: Case, charge: Charge) -> AssessmentRow:
    return case.rows[charge.row - 1]


def _adjacent(case: Case) -> Iterator[tuple[Charge, Charge]]:
    """Pairs of untouched charges that follow each other in the ledger and day by day, by the same row and amount."""
    plain = {id(charge) for charge in plain_charges(case)}
    for before, after in pairwise(charges(case.sent)):
        untouched = id(before) in plain and id(after) in plain
        if untouched and before.last + DAY == after.first and before.row == after.row:
            yield before, after


def _rows_with_charges(case: Case, *, inputs: bool) -> list[int]:
    """Numbers of rows with (without) inputs that charges were raised by, all of them in the ledger."""
    charged = {charge.row for charge in charges(case.sent)}
    opening = opening_date(case)
    return [
        number
        for number, row in enumerate(case.rows, 1)
        if number in charged and (row.inputs is not None) == inputs and row.first > opening
    ]


def _other_rate(scene: Scene, rate: int) -> int:
    """Another amount of an assessment, within the fields' room."""
    change = scene.dice.pick((1, 7, 500, rate // 3 + 1, rate or 1))
    lower = scene.dice.chance(0.5) and rate > change
    return rate - change if lower else min(rate + change, scene.case.rules.highest_rate)


def _rerated(rules: Rules, charge: Charge, rate: int) -> Charge:
    """The charge at another rate; where it has no first day its amount stays as it is."""
    if charge.first in SENTINELS:
        return replace(charge, rate=rate)
    return replace(charge, rate=rate, pence=rules.charge(rate, charge.first, charge.last))


def wrong_assessment(scene: Scene) -> bool:
    """E01 (a): the row holds another amount than its inputs give, and its charges follow the row."""
    case = scene.case
    numbers = _rows_with_charges(case, inputs=True)
    if not numbers:
        return False
    number = scene.dice.pick(numbers)
    wrong = _other_rate(scene, case.rows[number - 1].rate)
    case.rows = [replace(row, rate=wrong) if place == number else row for place, row in enumerate(case.rows, 1)]
    for charge in charges(case.sent):
        if charge.row == number:
            exchange(case.sent, charge, _rerated(case.rules, charge, wrong))
    case.automatic.add("E01")
    return True


def _wrong_without_evidence(scene: Scene, *, queried: bool) -> bool:
    case = scene.case
    numbers = _rows_with_charges(case, inputs=False)
    if not numbers:
        return False
    number = scene.dice.pick(numbers)
    right = _other_rate(scene, case.rows[number - 1].rate)
    for charge in charges(case.real):
        if charge.row == number:
            exchange(case.real, charge, _rerated(case.rules, charge, right))
    case.queried = queried
    return True


def wrong_and_queried(scene: Scene) -> bool:
    """E01 (b): a wrong amount without inputs; only an officer's doubt points to it."""
    return _wrong_without_evidence(scene, queried=True)


def wrong_unnoticed(scene: Scene) -> bool:
    """A wrong amount that leaves no evidence at all: nothing can be found."""
    return _wrong_without_evidence(scene, queried=False)


def charge_against_its_row(scene: Scene) -> bool:
    """E01 (c): a charge by another weekly amount than its row holds, or by a row that does not exist."""
    case = scene.case
    plain = plain_charges(case)
    if not plain:
        return False
    charge = scene.dice.pick(plain)
    if scene.dice.chance(0.5):
        wrong = replace(charge, row=scene.dice.pick((0, len(case.rows) + 1, 99)))
    else:
        wrong = _rerated(case.rules, charge, _other_rate(scene, charge.rate))
    exchange(case.sent, charge, wrong)
    case.exceptions.add("E01")
    return True


def overlapping_start(scene: Scene) -> bool:
    """E05 (a): a charge begins too early, on days that an earlier line has covered; it is cut back to its own."""
    case = scene.case
    pairs = list(_adjacent(case))
    if not pairs:
        return False
    before, after = scene.dice.pick(pairs)
    days = scene.dice.between(1, (before.last - before.first).days + 1)
    first = after.first - timedelta(days)
    exchange(case.sent, after, rated_as(case.rules, after, first=first, last=after.last))
    case.automatic.add("E05")
    return True


def charged_twice(scene: Scene) -> bool:
    """E05 (a): days of one charge are charged again by a later line, which is dropped."""
    case = scene.case
    plain = plain_charges(case)
    if not plain:
        return False
    charge = scene.dice.pick(plain)
    first = scene.dice.day(charge.first, charge.last)
    again = rated_as(case.rules, charge, first=first, last=scene.dice.day(first, charge.last))
    posted = min(scene.as_at, charge.posted + timedelta(scene.dice.between(0, 300)))
    add(case.sent, replace(again, posted=posted))
    case.automatic.add("E05")
    return True


def charged_around(scene: Scene) -> bool:
    """E05 (a): a later line covers the days before and after an earlier one too; two runs of days remain of it."""
    case = scene.case
    triples = [
        (before, middle, after)
        for (before, middle), (twin, after) in pairwise(_adjacent(case))
        if middle is twin and before.owner == middle.owner == after.owner
    ]
    if not triples:
        return False
    before, _, after = scene.dice.pick(triples)
    exchange(case.sent, before)
    exchange(
        case.sent, after, replace(rated_as(case.rules, after, first=before.first, last=after.last), posted=after.posted)
    )
    case.automatic.add("E05")
    return True


def rated_as(rules: Rules, charge: Charge, *, first: date, last: date) -> Charge:
    """A charge like another one, for other days, posted when that one was."""
    other = rated(rules, first=first, last=last, owner=charge.owner, rate=charge.rate, row=charge.row)
    return replace(other, posted=charge.posted)


def uncharged_days(scene: Scene) -> bool:
    """E05 (b): one or two charges are missing; known benefit periods say whose the days are, else EXC."""
    case = scene.case
    found = plain_charges(case)
    if not found:
        return False
    place = scene.dice.below(len(found))
    missing = [found[place]]
    following = found[place + 1] if place + 1 < len(found) else None
    if following and (following.row, following.owner) != (found[place].row, found[place].owner):
        missing += [following] if scene.dice.chance(0.5) else []
    for charge in missing:
        exchange(case.sent, charge)
    (case.automatic if case.benefit_known else case.exceptions).add("E05")
    return True


def days_between_rows(scene: Scene) -> bool:
    """E05 (c): a row ends before the day on which the next one begins."""
    case = scene.case
    places = [place for place, row in enumerate(case.rows[:-1]) if (row.last - row.first).days > 0]
    if not places:
        return False
    place = scene.dice.pick(places)
    row = case.rows[place]
    last = scene.dice.day(row.first, row.last - DAY)
    case.rows = [*case.rows[:place], replace(row, last=last), *case.rows[place + 1 :]]
    case.exceptions.add("E05")
    return True


def charge_without_start(scene: Scene) -> bool:
    """E06 (a): a charge begins on a sentinel; its row, the charge before and the opening balance say on which day."""
    case = scene.case
    found = plain_charges(case)
    if not found:
        return False
    charge = scene.dice.pick(found)
    sentinel = scene.dice.pick(case.rules.sentinels)
    pence = charge.pence
    if sentinel not in {LOW_VALUES, ZEROS, OPEN}:
        pence = case.rules.charge(charge.rate, sentinel, charge.last)
    elif scene.dice.chance(0.3):
        pence = 0
    if pence > HIGHEST_AMOUNT:
        return False
    exchange(case.sent, charge, replace(charge, first=sentinel, pence=pence))
    case.automatic.add("E06")
    return True


def unusable_date(scene: Scene) -> bool:
    """E06 (b): a sentinel in a date that nothing can replace."""
    case = scene.case
    if not case.benefit_known:
        return False  # days without a charge can't be told from days without a date then
    sentinel = scene.dice.pick(case.rules.sentinels[:-1])
    match scene.dice.below(4):
        case 0:
            case.effective = sentinel
        case 1:
            case.last_charged = sentinel
        case 2:
            if not _charge_without_end(scene):
                return False
        case _:
            _row_without_start(scene, sentinel)
    case.exceptions.add("E06")
    return True


def _charge_without_end(scene: Scene) -> bool:
    """The last day of a charge is a sentinel; in `to` fields of the 2003 book only low-values are one."""
    case = scene.case
    found = plain_charges(case)
    if not found:
        return False
    charge = scene.dice.pick(found)
    sentinel = LOW_VALUES if case.rules is SCHEME_2003 else scene.dice.pick(SENTINELS[:2])
    exchange(case.sent, charge, replace(charge, last=sentinel))
    return True


def _row_without_start(scene: Scene, sentinel: date) -> None:
    """A row begins on a sentinel, and often the first charge by it too."""
    case = scene.case
    number = scene.dice.between(1, len(case.rows))
    case.rows = [replace(row, first=sentinel) if place == number else row for place, row in enumerate(case.rows, 1)]
    by_it = [charge for charge in charges(case.sent) if charge.row == number]
    if by_it and scene.dice.chance(0.6):
        exchange(case.sent, by_it[0], replace(by_it[0], first=sentinel))


def misrated_charge(scene: Scene) -> bool:
    """E07 (c): the amount of a charge is not what its own days and weekly amount come to."""
    case = scene.case
    plain = plain_charges(case)
    if not plain:
        return False
    charge = scene.dice.pick(plain)
    wrong = charge.pence + scene.dice.pick((1, 10, 1_000, -1 if charge.pence else 1))
    exchange(case.sent, charge, replace(charge, pence=wrong))
    case.exceptions.add("E07")
    return True


def owner_not_known(scene: Scene) -> bool:
    """E09: charges with owner blank or mixed; the benefit periods tell whose they are, else EXC."""
    case = scene.case
    found = plain_charges(case)
    if not found:
        return False
    for charge in scene.dice.shuffled(found)[: scene.dice.between(1, 3)]:
        exchange(case.sent, charge, replace(charge, owner=scene.dice.pick(" M")))
    (case.automatic if case.benefit_known else case.exceptions).add("E09")
    return True


def owner_straddles(scene: Scene) -> bool:
    """E09: one charge of unknown owner over days of both owners."""
    case = scene.case
    pairs = [(before, after) for before, after in _adjacent(case) if before.owner != after.owner]
    if not pairs:
        return False
    before, after = scene.dice.pick(pairs)
    both = replace(rated_as(case.rules, after, first=before.first, last=after.last), owner=scene.dice.pick(" M"))
    exchange(case.sent, before)
    exchange(case.sent, after, both)
    case.exceptions.add("E09")
    return True


def charged_after_the_end(scene: Scene) -> bool:
    """E11 (b): charges ran on after liability had ended, a relationship being open still; without one: EXC."""
    case = scene.case
    plain = plain_charges(case)
    if not plain or case.liability_end >= scene.as_at or plain[-1].last != case.liability_end:
        return False
    charge = plain[-1]
    latest = min(scene.as_at, _row_of(case, charge).last)
    if latest <= case.liability_end:
        return False
    last = scene.dice.day(case.liability_end + DAY, latest)
    exchange(case.sent, charge, rated_as(case.rules, replace(charge, posted=last), first=charge.first, last=last))
    if last < latest and scene.dice.chance(0.4):
        further = rated_as(case.rules, charge, first=last + DAY, last=scene.dice.day(last + DAY, latest))
        last = further.last
        add(case.sent, replace(further, posted=last))
    case.last_charged = last
    others_open = any(role.kind in {"PTN", "REP"} for role in case.roles)  # "all roles ended" is not clear then
    if others_open or scene.dice.chance(0.75):
        _leave_open(scene)
        case.automatic.add("E11")
    else:
        case.exceptions.add("E11")
    return True


def _leave_open(scene: Scene) -> None:
    """One parent-with-care or child role has not been ended."""
    case = scene.case
    places = [place for place, role in enumerate(case.roles) if role.kind in {"PWC", "QCH"}]
    place = scene.dice.pick(places)
    case.roles[place] = replace(case.roles[place], last=OPEN)


CHARGE_ERRORS = (
    Injection(name="E01a", weight=3, areas=(ROWS,), apply=wrong_assessment),
    Injection(name="E01f", weight=0.8, areas=(ROWS,), apply=wrong_and_queried),
    Injection(name="E01u", weight=0.8, areas=(ROWS,), apply=wrong_unnoticed),
    Injection(name="E01x", weight=0.4, areas=(ROWS, DAYS), apply=charge_against_its_row),
    Injection(name="E05over", weight=2, areas=(DAYS,), apply=overlapping_start),
    Injection(name="E05twice", weight=1.5, areas=(DAYS,), apply=charged_twice),
    Injection(name="E05around", weight=0.5, areas=(DAYS,), apply=charged_around),
    Injection(name="E05gap", weight=3, areas=(DAYS,), apply=uncharged_days),
    Injection(name="E05rows", weight=0.3, areas=(ROWS, DAYS), apply=days_between_rows),
    Injection(name="E06", weight=2.5, areas=(DAYS,), apply=charge_without_start),
    Injection(name="E06x", weight=0.5, areas=(ROWS, DAYS, OWNERS), apply=unusable_date),
    Injection(name="E07c", weight=0.4, areas=(ROWS, DAYS), apply=misrated_charge),
    Injection(name="E09", weight=3, areas=(OWNERS,), apply=owner_not_known),
    Injection(name="E09x", weight=0.4, areas=(DAYS, OWNERS), apply=owner_straddles),
    Injection(name="E11b", weight=1.5, areas=(DAYS, ROLES), apply=charged_after_the_end),
)
"""Errors of this module, with how often they are tried."""
