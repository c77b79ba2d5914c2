"""Clerical cases beside a case group: linked to it or not, kept on a system as well (E03) or not, well keyed or not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from integrationhub.estate.book import Case, CaseGroup, ClericalCase
from integrationhub.estate.case_groups import Family
from integrationhub.estate.dice import Dice
from integrationhub.estate.persons import Person
from integrationhub.estate.references import absent_reference
from integrationhub.estate.rules import OPEN

CLERICAL_PER_GROUP = 4
SHARE = 0.16  # of the case groups that have a clerical case, beside those that have nothing else
SENTINEL_DAYS = (date(1900, 1, 1), date(1980, 1, 1))
UNREADABLE_BALANCE = "unreadable balance"
KEYINGS = (
    "other field", "no first", "no second", "third row", "second twice", "same clerk", "unreadable", "unreadable once",
    UNREADABLE_BALANCE,
)  # fmt: skip
"""What may be wrong with the double entry (clerical.md §3, R31 and R33)."""

NOTES = (
    "", "", "Taken off the system by hand", "=1+1 is text", "-see file, page 3", '+"quoted", and a comma',
    "@Café: letter of 3 May\nsecond line", "\tindented", "owes €20 – “agreed”",
)  # fmt: skip


def add_clerical(group: CaseGroup, family: Family) -> None:
    """Put clerical cases beside a group whose other cases are made and spoilt already."""
    dice = Dice(family.seed, "clerical", group.index)
    alone = not group.source_groups
    if not alone and not dice.chance(SHARE):
        return
    _Desk(group, family, dice).open(2 if alone and dice.chance(0.3) else 1)


@dataclass(frozen=True, slots=True)
class _Target:
    """A system case, and its two people where both are known by usable numbers."""

    case: Case
    nrp: Person
    pwc: Person

    @property
    def numbered(self) -> bool:
        return self.nrp.nino_usable and self.pwc.nino_usable


class _Desk:
    """Makes the clerical cases of one case group."""

    def __init__(self, group: CaseGroup, family: Family, dice: Dice) -> None:
        self._group = group
        self._family = family
        self._dice = dice
        self._ways: tuple[tuple[Callable[[], ClericalCase | None], float], ...] = (
            (self._kept_twice_by_reference, 1), (self._kept_twice_by_people, 1), (self._moved_off, 1.5),
            (self._same_parent, 2.5), (self._parent_is_carer, 1), (self._parent_is_partner, 1),
            (self._number_not_known, 1), (self._other_reference, 1),
        )  # fmt: skip

    def open(self, count: int) -> None:
        """Make so many cases, and spoil some."""
        if not self._group.source_groups:
            self._stand_alone(count)
        else:
            for _ in range(6):
                case = self._dice.weigh(self._ways)()
                if case:
                    case.linked = self._is_linked(case)
                    self._group.clerical.append(case)
                    break
        for case in self._group.clerical:
            self._spoil(case)

    def _stand_alone(self, count: int) -> None:
        nrp = self._family.people.adult()
        for _ in range(count):
            case = self._case(nrp, self._family.people.adult())
            case.linked = nrp.nino_usable
            self._group.clerical.append(case)

    def _case(self, nrp: Person, pwc: Person, *, system_ref: str = "") -> ClericalCase:
        dice, as_at = self._dice, self._family.as_at
        number = 1_000 + self._group.index * CLERICAL_PER_GROUP + len(self._group.clerical)
        application = dice.pick(
            (
                dice.day(date(1993, 4, 5), date(2012, 12, 9)),
                _years_before(as_at, 10) + timedelta(dice.pick((-1, 0, 1))),
                date(2004, 2, 29),
            )
        )
        owed = dice.pick((50_000, 50_001, 100_000, 100_001, 6_499, 6_500, 0, 1, dice.between(0, 2_000_000)))
        received = (dice.pick((0, dice.between(1, 900_000))), dice.pick((0, 0, dice.between(0, 50_000))))
        kept = dice.pick((0, 0, dice.between(0, 300_000)))
        recent, old = as_at - timedelta(dice.between(0, 170)), as_at - timedelta(dice.between(190, 4_000))
        contacted = as_at - timedelta(dice.between(0, 170)), as_at - timedelta(dice.between(190, 4_000))
        return ClericalCase(
            number=number, system_ref=system_ref, scheme=dice.pick(("1993", "2003")), nrp=nrp, pwc=pwc,
            children=dice.between(1, 9), application=application,
            liability_end=OPEN if dice.chance(0.5) else as_at + timedelta(dice.pick((-1, 0, 1, -400, -2_000))),
            weekly=dice.pick((0, dice.between(500, 20_000))), charged=(owed + received[0], kept), received=received,
            custodian=dice.pick((0, 0, dice.between(1, 60_000))), notes=dice.pick(NOTES),
            last_payment=dice.pick((recent, old, old, None)) if any(received) else None,
            last_contact=dice.pick((*contacted, None)),
        )  # fmt: skip

    def _is_linked(self, case: ClericalCase) -> bool:
        """Whether its people join a clerical case to the group's other cases (csa1993.md §7)."""
        roles = [role for other in self._group.cases() for role in other.roles if role.person.nino_usable]
        parents = {role.person.nino[:8] for role in roles if role.kind == "NRP"}
        others = {role.person.nino[:8] for role in roles if role.kind in {"PTN", "PWC", "QCH"}}
        by_parent = case.nrp.nino_usable and case.nrp.nino[:8] in parents | others
        return by_parent or (case.pwc.nino_usable and case.pwc.nino[:8] in parents)

    def _targets(self) -> Iterator[_Target]:
        for source in self._group.source_groups:
            doubled = {case.duplicate_of for case in source.cases}
            for case in source.cases:
                nrp, pwc = _person(case, "NRP"), _person(case, "PWC")
                if case.ref not in doubled and case.duplicate_of is None and nrp and pwc:
                    yield _Target(case, nrp, pwc)

    def _pick(self, *, live: bool = True, numbered: bool = False) -> _Target | None:
        fit = [
            target
            for target in self._targets()
            if (target.case.status != "X") == live and (target.numbered or not numbered)
        ]
        return self._dice.pick(fit) if fit else None

    def _pair_is_doubled(self, target: _Target) -> bool:
        """Whether a duplicate under E04 (b) has these people: it has no other findings, and so is left alone."""
        return any(
            case.duplicate_of or case.ref in {other.duplicate_of for other in self._group.cases()}
            for case in self._cases_of(target)
        )

    def _cases_of(self, target: _Target) -> list[Case]:
        """All system cases of the same two people, in any system."""
        pair = (target.nrp.nino[:8], target.pwc.nino[:8])
        found = []
        for case in self._group.cases():
            nrp, pwc = _person(case, "NRP"), _person(case, "PWC")
            if nrp and pwc and (nrp.nino[:8], pwc.nino[:8]) == pair:
                found.append(case)
        return found

    def _kept_twice_by_reference(self) -> ClericalCase | None:
        """E03: System Ref names a case of an extract; at times the parent's number is not on the sheet."""
        target = self._pick()
        if not target:
            return None
        nrp = _without_number(target.nrp) if self._dice.chance(0.3) else target.nrp
        case = self._case(nrp, target.pwc, system_ref=target.case.ref)
        _hold_both(case, [target.case])
        return case

    def _kept_twice_by_people(self) -> ClericalCase | None:
        """E03: no System Ref, and the same two people as in a case of an extract."""
        target = self._pick(numbered=True)
        if not target or self._pair_is_doubled(target):
            return None
        case = self._case(target.nrp, target.pwc)
        _hold_both(case, [other for other in self._cases_of(target) if other.status != "X"])
        return case

    def _moved_off(self) -> ClericalCase | None:
        """System Ref names a case that was moved off: that is what clerical cases are."""
        target = self._pick(live=False)
        if not target:
            return None
        return self._case(target.nrp, target.pwc, system_ref=target.case.ref)

    def _same_parent(self) -> ClericalCase | None:
        """Another carer's case against a parent of the group."""
        source = self._dice.pick(self._group.source_groups)
        if not any(role.kind == "NRP" for case in source.cases for role in case.roles):
            return None
        return self._case(source.nrp, self._family.people.adult())

    def _parent_is_carer(self) -> ClericalCase | None:
        """A parent of the group is the parent with care in the clerical case."""
        source = self._dice.pick(self._group.source_groups)
        if not any(role.kind == "NRP" for case in source.cases for role in case.roles):
            return None
        return self._case(self._family.people.adult(), source.nrp)

    def _parent_is_partner(self) -> ClericalCase | None:
        """The partner in a case of the group is the parent in the clerical one."""
        partners = [role.person for case in self._group.cases() for role in case.roles if role.kind == "PTN"]
        if not partners:
            return None
        partner = self._dice.pick(partners)
        return self._case(partner, self._family.people.adult())

    def _number_not_known(self) -> ClericalCase | None:
        """The parent's number is missing or of no use: nothing joins the case to the group."""
        source = self._dice.pick(self._group.source_groups)
        nrp = _without_number(source.nrp)
        if self._dice.chance(0.5):
            nrp = replace(nrp, nino="TN120355M")
        return self._case(nrp, self._family.people.adult())

    def _other_reference(self) -> ClericalCase | None:
        """The people of a case, but a System Ref that no extract has: not the same case (E03)."""
        target = self._pick(numbered=True)
        if not target:
            return None
        parent = self._group.home_of(target.case).reference
        absent = absent_reference(self._family.seed, self._group.index, parent)
        return self._case(target.nrp, target.pwc, system_ref=absent)

    def _spoil(self, case: ClericalCase) -> None:
        """E06, E07 and DE, each by itself and together; flags E06 and E12."""
        dice = self._dice
        if dice.chance(0.12):
            off = dice.pick((1, -1, 100, -2_500))
            case.off = dice.pick(((off, 0), (0, off), (off, -off)))
            case.exceptions.add("E07")
            case.injected.append("E07")
        if dice.chance(0.06):
            case.application = dice.pick(SENTINEL_DAYS)
            case.exceptions.add("E06")
            case.injected.append("E06")
        if dice.chance(0.18):
            case.keying = dice.pick([keying for keying in KEYINGS if keying != UNREADABLE_BALANCE or not any(case.off)])
            case.exceptions.add("DE")
            case.injected.append("DE")
        if dice.chance(0.05):
            _mark(case, dice)
        if case.nrp.nino_faulty or case.pwc.nino_faulty:
            case.flags.add("E12")


def _person(case: Case, kind: str) -> Person | None:
    return next((role.person for role in case.roles if role.kind == kind), None)


def _mark(case: ClericalCase, dice: Dice) -> None:
    """A sentinel where it raises a flag only."""
    day = dice.pick(SENTINEL_DAYS)
    match dice.below(4):
        case 0:
            case.nrp = replace(case.nrp, born=day)
        case 1:
            case.pwc = replace(case.pwc, born=day)
        case 2:
            case.last_payment = day
        case _:
            case.last_contact = day
    case.flags.add("E06")


def _hold_both(case: ClericalCase, others: list[Case]) -> None:
    case.exceptions.add("E03")
    case.injected.append("E03")
    for other in others:
        other.exceptions.add("E03")
        other.injected.append("E03")


def _without_number(person: Person) -> Person:
    return replace(person, nino=" " * 9, nino_usable=False)


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=min(day.day, 28))
