"""Invented people: names that nobody could mistake for real ones, numbers with the prefix QQ, postcodes in ZZ.

A person follows from the estate's seed and the party id alone, so the same person can be met in groups that are
generated apart from each other.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from integrationhub.estate.dice import Dice

FIRST_PARTY = 100_000
PARTIES_PER_GROUP = 128
ADULTS_PER_GROUP = 32
NUMBERED_ADULTS = 6
"""So many adults of a case group have a National Insurance number; a million numbers with QQ must go round."""

NUMBER_RANGE = 1_000_000
STRIDE = 387_431  # coprime to NUMBER_RANGE: neighbours get numbers far apart, and no number comes twice

SURNAMES = (
    "Exampleford", "Specimenson", "Mockridge-Test", "Fauxley", "Placeholder", "Samplewick", "O'Fixture", "Dummerworth",
    "Pretendham", "Notreal", "Testerly", "Stubbington-Demo", "Müsterfrau", "Fictionné", "Inventado Ñ", "Prøvesen",
)  # fmt: skip
FORENAMES = (
    "Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima",
    "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey", "X-Ray",
    "Yankee", "Zulu", "Zoë", "Renée",
)  # fmt: skip
STREETS = ("Invented Row", "Specimen Close", "Placeholder Road", "Nowhere Lane", "Fixture Avenue", "Imaginary Terrace")
TOWNS = ("Testborough", "Samplemouth", "Mockington", "Little Fiction", "Demoford-on-Sea")
COUNTIES = ("Exampleshire", "Fauxland")
BAD_PREFIXES = ("OO", "CR", "FY", "MW", "NC", "PP", "PY", "PZ")


class Address(NamedTuple):
    """One address; `start` None is not recorded."""

    current: bool
    start: date | None
    postcode: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A party; `nino` is blank when none is known, `nino_usable` says whether it may join people (E12)."""

    party_id: int
    nino: str
    nino_usable: bool
    surname: str
    forenames: str
    born: date
    sex: str
    confidential: bool
    addresses: tuple[Address, ...]

    @property
    def nino_faulty(self) -> bool:
        """A number that is temporary, administrative or malformed (arrears-errors.md E12)."""
        return bool(self.nino.strip()) and not self.nino_usable


def party_id(index: int, slot: int) -> int:
    """The id of person `slot` of case group `index`: adults have the slots below ADULTS_PER_GROUP."""
    return FIRST_PARTY + index * PARTIES_PER_GROUP + slot


def adult(seed: int, index: int, slot: int) -> Person:
    """An adult of a case group."""
    dice = Dice(seed, "person", index, slot)
    born = _birthday(dice, date(1945, 1, 1), date(1982, 12, 31))
    sex = dice.weigh((("F", 0.48), ("M", 0.48), ("U", 0.04)))
    nino, usable = _nino(dice, seed, index, slot, born)
    return Person(
        party_id=party_id(index, slot), nino=nino, nino_usable=usable, born=born, sex=sex,
        surname=dice.pick(SURNAMES), forenames=_forenames(dice), confidential=dice.chance(0.06),
        addresses=_addresses(dice),
    )  # fmt: skip


def child(seed: int, index: int, slot: int, *, guardian: Person, before: date) -> Person:
    """A child who lives with `guardian` and was born in the sixteen years before `before`."""
    dice = Dice(seed, "person", index, slot)
    return Person(
        party_id=party_id(index, slot), nino=" " * 9, nino_usable=False,
        born=_birthday(dice, date(before.year - 15, 1, 1), before),
        sex=dice.weigh((("F", 0.49), ("M", 0.49), ("U", 0.02))),
        surname=dice.pick((guardian.surname, dice.pick(SURNAMES))), forenames=_forenames(dice),
        confidential=guardian.confidential, addresses=guardian.addresses[:1],
    )  # fmt: skip


def _birthday(dice: Dice, first: date, last: date) -> date:
    """A day of the period that is no sentinel (csa1993.md §3)."""
    day = dice.day(first, last)
    return day if day != date(1980, 1, 1) else date(1980, 1, 2)


def _nino(dice: Dice, seed: int, index: int, slot: int, born: date) -> tuple[str, bool]:
    serial = index * NUMBERED_ADULTS + slot
    if slot >= NUMBERED_ADULTS or serial >= NUMBER_RANGE or dice.chance(0.03):
        return " " * 9, False
    digits = number_digits(seed, serial)
    if dice.chance(0.012):
        return _bad_nino(dice, digits, born), False
    return f"QQ{digits}{dice.weigh((('A', 3), ('B', 3), ('C', 3), ('D', 3), (' ', 1)))}", True


def number_digits(seed: int, serial: int) -> str:
    """The six digits of the estate's number `serial`; like no other below NUMBER_RANGE."""
    return f"{(serial * STRIDE + seed * 7919) % NUMBER_RANGE:06d}"


def _bad_nino(dice: Dice, digits: str, born: date) -> str:
    kind = dice.below(3)
    if kind == 0:
        return f"TN{born:%d%m%y}{dice.pick('FM')}"
    if kind == 1:
        return f"{dice.pick(BAD_PREFIXES)}{digits}{dice.pick('ABCD')}"
    return dice.pick((f"QQ{digits[:5]}X{digits[5]}", f"QQ{digits}E", f"QQ{digits[:5]}A "))


def _forenames(dice: Dice) -> str:
    first = dice.pick(FORENAMES)
    return f"{first} {dice.pick(FORENAMES)}" if dice.chance(0.35) else first


def _addresses(dice: Dice) -> tuple[Address, ...]:
    count = 2 if dice.chance(0.28) else 1
    return tuple(_address(dice, current=place == 0) for place in range(count))


def _address(dice: Dice, *, current: bool) -> Address:
    lines = [f"{dice.between(1, 199)} {dice.pick(STREETS)}", dice.pick(TOWNS)]
    if dice.chance(0.5):
        lines.append(dice.pick(COUNTIES))
    if dice.chance(0.08):
        lines.insert(0, f"Flat {dice.between(1, 30)}")
    start = dice.day(date(1995, 1, 1), date(2009, 12, 31)) if dice.chance(0.4) else None
    return Address(current, start, f"ZZ{dice.between(1, 99)} {dice.below(10)}ZZ", tuple(lines))
