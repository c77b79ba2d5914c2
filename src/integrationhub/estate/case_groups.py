"""Case groups: who is linked to whom, in source groups of a few cases each.

Everything about case group `index` follows from the seed and the index, so that groups can be generated in any order,
one at a time, and a later night finds the same people again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from integrationhub.estate.book import Case, CaseGroup, History, SourceGroup
from integrationhub.estate.dice import Dice
from integrationhub.estate.edges import move_to_edges
from integrationhub.estate.persons import ADULTS_PER_GROUP, PARTIES_PER_GROUP, Person, adult, child, party_id
from integrationhub.estate.references import case_number, cs2_reference, cscs_reference, parent_reference
from integrationhub.estate.rules import SCHEME_1993, SCHEME_2003, Rules
from integrationhub.estate.sound import Bank, CaseMaker, Cast

FIRST_SOURCE_GROUP = 1_000
SOURCE_GROUPS_PER_GROUP = 8
CHILD_OF_NOBODY = PARTIES_PER_GROUP - 1  # the slot of somebody with a role in no case
SHARED_SLOT = 1  # the parent with care who may also be one in the next case group
BOOKS = ("93", "03", "CL")
"""The books of an estate: the 1993 scheme's, the 2003 scheme's, and the clerical one."""

SCHEMES = {"93": SCHEME_1993, "03": SCHEME_2003}


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

    def is_shared(self, person: Person) -> bool:
        """Whether the person may stand in a neighbouring case group too."""
        return person.party_id in {party_id(index, SHARED_SLOT) for index in (self.index - 1, self.index)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """How a source group leads to the next one: `person` is the next one's parent, as this group knows them."""

    kind: str
    person: Person
    rules: Rules


class _Others(NamedTuple):
    """Who stands in every case of a source group beside its parent."""

    partner: Person | None
    child: Person | None


class Family:
    """Builds one case group without errors; `books` are those that it may stand in."""

    def __init__(self, seed: int, index: int, as_at: date, books: Sequence[str] = ("93",)) -> None:
        self.seed = seed
        self.as_at = as_at
        self.books = books
        self.index = index
        self._dice = Dice(seed, "group", index)
        self._choice = Dice(seed, "books", index)
        self.people = _People(seed=seed, index=index)
        bank = Bank(seed=seed, index=index)
        self._schemes = [SCHEMES[book] for book in BOOKS if book in books and book in SCHEMES]
        self._makers = {rules.system: CaseMaker(self._dice, bank, as_at, rules) for rules in self._schemes}
        self._slot = 0
        self._first_carer: Person | None = None

    def build(self) -> CaseGroup:
        """One to three source groups, each linked to the one before, often across the schemes; at times none, where
        there is a clerical book.
        """
        off_system = "CL" in self.books and self._choice.chance(0.08)
        if off_system or not self._schemes:
            return CaseGroup(index=self.index, source_groups=[])
        count = self._dice.weigh(((1, 0.72), (2, 0.2), (3, 0.08)))
        nrp, rules = self.people.adult(), self._choice.pick((*self._schemes, self._schemes[0]))
        self._first_carer = self.people.adult()
        groups: list[SourceGroup] = []
        for place in range(count):
            link = self._link(nrp, rules, first=place == 0) if place + 1 < count else None
            groups.append(self._source_group(place, nrp, rules, link))
            if link:
                nrp, rules = self._as_the_other_system_knows(link, rules), link.rules
        group = CaseGroup(index=self.index, source_groups=groups)
        _drop_ambiguous_contacts(group)
        return group

    def contact(self, person: Person) -> History:
        """A contact with somebody."""
        return next(iter(self._makers.values())).contact(person)

    def _as_the_other_system_knows(self, link: _Link, rules: Rules) -> Person:
        """The linking person; another system may have the number with another last letter, or without."""
        if link.rules is rules:
            return link.person
        number = link.person.nino
        return replace(link.person, nino=f"{number[:8]}{self._choice.pick((number[8:], 'A', 'D', ' '))}")

    def _link(self, nrp: Person, rules: Rules, *, first: bool) -> _Link:
        """Somebody who stands in this source group and is the parent of the next (csa1993.md §7)."""
        kind = self._dice.weigh((("PTN", 0.75), ("PWC", 0.14), ("QCH", 0.05), ("twin", 0.06)))
        if kind == "twin" and nrp.nino_usable:
            other = self._choice.pick(self._schemes)
            return _Link(kind=kind, person=nrp if first and other is not rules else self.people.alias(nrp), rules=other)
        person = self.people.adult()
        other = self._choice.pick(self._schemes) if person.nino_usable else rules
        return _Link(kind="PTN" if kind == "twin" else kind, person=person, rules=other)

    def _source_group(self, place: int, nrp: Person, rules: Rules, link: _Link | None) -> SourceGroup:
        dice = self._dice
        carers = self._carers(dice.weigh(((1, 0.64), (2, 0.26), (3, 0.1))), link)
        reference = "" if rules is SCHEME_1993 else parent_reference(self.seed, self.index, place, nrp)
        others = _Others(partner=self._partner(link), child=link.person if link and link.kind == "QCH" else None)
        cases = [
            self._case(nrp, carer, self._reference(rules, reference, number), rules, others)
            for number, carer in enumerate(carers, 1)
        ]
        group = SourceGroup(
            number=FIRST_SOURCE_GROUP + self.index * SOURCE_GROUPS_PER_GROUP + 2 * place, rules=rules,
            reference=reference, nrp=nrp, status="F" if dice.chance(0.03) else "A", violent=dice.chance(0.03),
            pay_method=dice.weigh((("SO", 0.6), ("DD", 0.2), ("DE", 0.1), ("  ", 0.1))),
            cases=sorted(cases, key=lambda case: case.ref),
        )  # fmt: skip
        if dice.chance(0.3):
            group.history.append(self.contact(nrp))
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
        if how == "shared" and self.index:
            return adult(self.seed, self.index - 1, SHARED_SLOT)
        if how == "same" and known:
            return known[-1]
        if how == "alias" and known and known[-1].nino_usable and not self.people.is_shared(known[-1]):
            return self.people.alias(known[-1])
        return self.people.adult()

    def _partner(self, link: _Link | None) -> Person | None:
        """The partner of the group's parent: the next group's parent, at times under another id, or somebody else."""
        if link and link.kind == "PTN":
            double = link.person.nino_usable and self._dice.chance(0.06)
            return self.people.alias(link.person) if double else link.person
        return self.people.adult() if self._dice.chance(0.08) else None

    def _reference(self, rules: Rules, parent: str, number: int) -> str:
        if rules is SCHEME_1993:
            return cscs_reference(self.seed, self.index, self._slot)
        return cs2_reference(parent, number)

    def _case(self, nrp: Person, pwc: Person, ref: str, rules: Rules, others: _Others) -> Case:
        maker = self._makers[rules.system]
        effective = maker.effective_date()
        count = self._dice.weigh(((1, 0.35), (2, 0.37), (3, 0.2), (4, 0.08)))
        children = tuple(self.people.child(pwc, effective) for _ in range(count)) + (
            (others.child,) if others.child else ()
        )
        representative = self.people.adult() if self._dice.chance(0.02) else None
        number = case_number(self.index, self._slot)
        self._slot += 1
        cast = Cast(nrp=nrp, pwc=pwc, children=tuple(children), partner=others.partner, representative=representative)
        case = maker.make(ref, number, cast, effective)
        move_to_edges(case, nrp, self._dice, self.as_at)
        return case


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
