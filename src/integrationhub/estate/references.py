"""Case references of both schemes: which a case has, which are spare, and which no case has.

CSCS counts through ten digits whose first two are 10 or 70; CS2 writes a number like the parent's National Insurance
number and two digits more (csa1993.md §4, csa2003.md §2).
"""

from collections.abc import Mapping

from integrationhub.errors import ConfigurationError
from integrationhub.estate.dice import Dice
from integrationhub.estate.persons import NUMBER_RANGE, NUMBERED_ADULTS, Person, number_digits

CASES_PER_GROUP = 24
SPARE_SLOTS = range(18, 22)  # for duplicates of cases
ABSENT_SLOTS = (22, 23)  # references that no case has
ABSENT_CASES = (98, 99)
FIRST_REFERENCE = 767_008
REFERENCE_STEP = 7_919  # coprime to the range: no reference comes twice
REFERENCE_RANGE = 10**8
LARGEST_2003_ESTATE = NUMBER_RANGE // NUMBERED_ADULTS


def case_number(index: int, slot: int) -> int:
    """The estate's own number of case `slot` of case group `index`."""
    return index * CASES_PER_GROUP + slot


def cscs_reference(seed: int, index: int, slot: int) -> str:
    """The 1993 reference of case `slot` of case group `index`."""
    number = (FIRST_REFERENCE + REFERENCE_STEP * case_number(index, slot)) % REFERENCE_RANGE
    prefix = "70" if Dice(seed, "reference", index, slot).chance(0.3) else "10"
    return f"{prefix}{number:08d}"


def parent_reference(seed: int, index: int, place: int, parent: Person) -> str:
    """What the 2003 references of the cases of a case group's source group `place` begin with.

    It is the first parent's own number where he has one, and like nobody's or somebody else's for the others: a
    reference identifies a case, never a person.
    """
    serial = index * NUMBERED_ADULTS + place
    if serial >= NUMBER_RANGE:
        raise ConfigurationError(f"an estate with 2003 cases has at most {LARGEST_2003_ESTATE:,} case groups")
    digits = number_digits(seed, serial)
    own = parent.nino_usable and parent.nino[2:8] == digits and parent.nino[8:].strip()
    return f"QQ{digits}{parent.nino[8] if own else 'ABCD'[serial % 4]}"


def cs2_reference(parent: str, place: int) -> str:
    """The reference of a parent's case `place`, from 1."""
    return f"{parent}/{place:02d}"


def absent_reference(seed: int, index: int, parent: str, which: int = 0) -> str:
    """One of two references that no case of the estate has; a 2003 one where there is a `parent` reference."""
    if parent:
        return cs2_reference(parent, ABSENT_CASES[which])
    return cscs_reference(seed, index, ABSENT_SLOTS[which])


def spare_reference(
    seed: int, index: int, parent: str, *, above: str, taken: Mapping[int, str]
) -> tuple[str, int] | None:
    """An unused reference above another one, with the case's number; None when there is none.

    `taken` has the references of the case group's cases by their numbers.
    """
    for slot in SPARE_SLOTS:
        ref = cs2_reference(parent, slot) if parent else cscs_reference(seed, index, slot)
        number = case_number(index, slot)
        if ref > above and number not in taken and ref not in taken.values():
            return ref, number
    return None
