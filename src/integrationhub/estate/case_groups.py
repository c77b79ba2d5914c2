"""Case groups: who is linked to whom, in source groups of a few cases each.

Everything about case group `index` follows from the seed and the index, so that groups can be generated in any order,
one at a time, and a later night finds the same people again.
"""

from dataclasses import dataclass, replace
from datetime import date

from integrationhub.estate.book import Case, CaseGroup, SourceGroup
from integrationhub.estate.dice import Dice
from integrationhub.estate.persons import ADULTS_PER_GROUP, PARTIES_PER_GROUP, Person, adult, child, party_id
from integrationhub.estate.sound import Bank, CaseMaker, Cast

FIRST_SOURCE_GROUP = 1_000
SOURCE_GROUPS_PER_GROUP = 8
CASES_PER_GROUP = 24
SPARE_SLOTS = range(18, 22)  # for duplicates of cases
ABSENT_SLOTS = (22, 23)  # references that no case has
FIRST_REFERENCE = 767_008
REFERENCE_STEP = 7_919  # coprime to the range: no reference comes twice
REFERENCE_RANGE = 10**8
CHILD_OF_NOBODY = PARTIES_PER_GROUP - 1  # the slot of somebody with a role in no case
SHARED_SLOT = 1  # the parent with care who may also be one in the next case group


def case_reference(seed: int, index: int, slot: int) -> str:
    """The reference of case `slot` of case group `index`: ten digits, the first two 10 or 70."""
    number = (FIRST_REFERENCE + REFERENCE_STEP * (index * CASES_PER_GROUP + slot)) % REFERENCE_RANGE
    prefix = "70" if Dice(seed, "reference", index, slot).chance(0.3) else "10"
    return f"{prefix}{number:08d}"


@dataclass(slots=True, kw_only=True)
class _People:
    """Hands out the people of one case group; slot 0 is the first parent, slot 1 the first parent with care."""

    seed: int
    index: int
    adults: int = 0
    children: int = ADULTS_PER_GROUP

    def adult(self) -> Person:
        self.adults += 1
        return adult(self.seed, self.index, self.adults - 1)

    def child(self, guardian: Person, before: date) -> Person:
        self.children += 1
        return child(self.seed, self.index, self.children - 1, guardian=guardian, before=before)

    def alias(self, person: Person) -> Person:
        """The same person under a second party id, the number's last letter lost (arrears-errors.md E04)."""
        other = self.adult()
        return replace(person, party_id=other.party_id, nino=f"{person.nino[:8]} ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """How a source group leads to the next one: `person` is the next one's parent, as this group knows them."""

    kind: str
    person: Person


class Family:
    """Builds one case group without errors."""

    def __init__(self, seed: int, index: int, as_at: date) -> None:
        self.seed = seed
        self.as_at = as_at
        self._index = index
        self._dice = Dice(seed, "group", index)
        self._people = _People(seed=seed, index=index)
        self._maker = CaseMaker(self._dice, Bank(seed=seed, index=index), as_at)
        self._slot = 0
        self._first_carer: Person | None = None

    def build(self) -> CaseGroup:
        """One to three source groups, each linked to the one before."""
        count = self._dice.weigh(((1, 0.72), (2, 0.2), (3, 0.08)))
        nrp = self._people.adult()
        self._first_carer = self._people.adult()
        groups: list[SourceGroup] = []
        for place in range(count):
            link = self._link(nrp) if place + 1 < count else None
            groups.append(self._source_group(place, nrp, link))
            nrp = link.person if link else nrp
        group = CaseGroup(index=self._index, source_groups=groups)
        _drop_ambiguous_contacts(group)
        return group

    def absent_reference(self, which: int) -> str:
        """One of two references that no case of the estate has."""
        return case_reference(self.seed, self._index, ABSENT_SLOTS[which])

    def _link(self, nrp: Person) -> _Link:
        """Somebody who stands in this source group and is the parent of the next (csa1993.md §7)."""
        kind = self._dice.weigh((("PTN", 0.79), ("PWC", 0.15), ("twin", 0.06)))
        if kind == "twin" and nrp.nino_usable:
            return _Link(kind=kind, person=self._people.alias(nrp))
        return _Link(kind="PWC" if kind == "PWC" else "PTN", person=self._people.adult())

    def _source_group(self, place: int, nrp: Person, link: _Link | None) -> SourceGroup:
        dice = self._dice
        carers = self._carers(dice.weigh(((1, 0.64), (2, 0.26), (3, 0.1))), link)
        partner = self._partner(link)
        cases = [self._case(nrp, carer, partner) for carer in carers]
        group = SourceGroup(
            number=FIRST_SOURCE_GROUP + self._index * SOURCE_GROUPS_PER_GROUP + 2 * place,
            nrp=nrp, status="F" if dice.chance(0.03) else "A", violent=dice.chance(0.03),
            pay_method=dice.weigh((("SO", 0.6), ("DD", 0.2), ("DE", 0.1), ("  ", 0.1))),
            cases=sorted(cases, key=lambda case: case.ref),
        )  # fmt: skip
        if dice.chance(0.3):
            group.history.append(self._maker.contact(nrp))
        return group

    def _carers(self, count: int, link: _Link | None) -> list[Person]:
        """The parents with care of so many cases; the estate's first of the group opens it."""
        carers: list[Person] = []
        if self._first_carer:
            carers.append(self._first_carer)
            self._first_carer = None
        while len(carers) < count:
            carers.append(self._carer(carers))
        if link and link.kind == "PWC":
            carers.append(link.person)
        return carers

    def _carer(self, known: list[Person]) -> Person:
        """A parent with care: mostly new, at times known already, here, under another id, or in the group before."""
        how = self._dice.weigh((("new", 0.87), ("same", 0.05), ("alias", 0.03), ("shared", 0.05)))
        if how == "shared" and self._index:
            return adult(self.seed, self._index - 1, SHARED_SLOT)
        if how == "same" and known:
            return known[-1]
        if how == "alias" and known and known[-1].nino_usable and not self._is_shared(known[-1]):
            return self._people.alias(known[-1])
        return self._people.adult()

    def _is_shared(self, person: Person) -> bool:
        """Whether the person may stand in a neighbouring case group too."""
        return person.party_id in {party_id(index, SHARED_SLOT) for index in (self._index - 1, self._index)}

    def _partner(self, link: _Link | None) -> Person | None:
        """The partner of the group's parent: the next group's parent, at times under another id, or somebody else."""
        if link and link.kind == "PTN":
            double = link.person.nino_usable and self._dice.chance(0.06)
            return self._people.alias(link.person) if double else link.person
        return self._people.adult() if self._dice.chance(0.08) else None

    def _case(self, nrp: Person, pwc: Person, partner: Person | None) -> Case:
        effective = self._maker.effective_date()
        count = self._dice.weigh(((1, 0.35), (2, 0.37), (3, 0.2), (4, 0.08)))
        children = tuple(self._people.child(pwc, effective) for _ in range(count))
        representative = self._people.adult() if self._dice.chance(0.02) else None
        ref = case_reference(self.seed, self._index, self._slot)
        self._slot += 1
        cast = Cast(nrp=nrp, pwc=pwc, children=children, partner=partner, representative=representative)
        return self._maker.make(ref, cast, effective)


def _drop_ambiguous_contacts(group: CaseGroup) -> None:
    """Leave out contacts with a person who is the parent of more than this source group.

    The documents don't say whether a contact counts for the cases of another source group.
    """
    for source in group.source_groups:
        others = [other.nrp for other in group.source_groups if other is not source]
        elsewhere = {person.party_id for person in others}
        twin = any(source.nrp.nino_usable and person.nino[:8] == source.nrp.nino[:8] for person in others)
        for events in [source.history, *(case.history for case in source.cases)]:
            events[:] = [event for event in events if event.kind != "C" or not (twin or event.party in elsewhere)]
