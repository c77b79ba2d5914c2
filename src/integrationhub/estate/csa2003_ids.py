"""Row ids of the CS2 extract, like 1-T4F7K2 (csa2003.md §2): the same thing has the same id in every file and event."""

from integrationhub.estate.book import Case, SourceGroup

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OWNERS = {"R": "RECEIVING_PARENT", "S": "SECRETARY_OF_STATE", " ": "UNKNOWN", "M": "MIXED"}
"""Owner as in the generator's ledgers → owner of a schedule."""

_PLACES = {owner: place for place, owner in enumerate(OWNERS)}


def _row_id(kind: str, number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return f"1-{kind}{digits}"


def party_row(party: int) -> str:
    """A person."""
    return _row_id("P", party)


def address_row(party: int, place: int) -> str:
    """A person's address."""
    return _row_id("A", party * 4 + place)


def role_row(case: Case, place: int) -> str:
    """A relationship of a case."""
    return _row_id("L", case.number * 64 + place)


def assessment_row(case: Case, number: int) -> str:
    """An assessment of a case by its number; also of one that isn't there."""
    return _row_id("R", case.number * 128 + number)


def schedule_row(case: Case, owner: str, half: int = 0) -> str:
    """The schedule of an owner, or the second one of a case that is split."""
    return _row_id("S", case.number * 16 + _PLACES[owner] * 2 + half)


def transaction_row(case: Case, number: int) -> str:
    """A transaction of a case by its number; also of one that isn't there."""
    return _row_id("T", case.number * 100_000 + number)


def event_row(case: Case, sequence: int) -> str:
    """The transaction that a change event brings."""
    return _row_id("E", case.number * 1_000 + sequence)


def activity_row(case: Case, place: int) -> str:
    """An activity of a case."""
    return _row_id("V", case.number * 64 + place)


def group_row(group: SourceGroup, kind: str, place: int) -> str:
    """Something that stands beside the cases of a source group."""
    return _row_id(kind, group.number * 64 + place)
