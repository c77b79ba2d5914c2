"""What the hub knows of people beside the records of their debts: names, addresses and deaths that were told it.

A person is the one with a NINO (its first 8 characters). Names and addresses are versions: the one that took effect
last is the current one; of those that life events tell, an older one than is held is history (life-events.md §8).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from integrationhub.accounts.beforehand import CONFIDENTIAL, KNOWN
from integrationhub.accounts.book import Book, letters
from integrationhub.accounts.entries import Debt, Note
from integrationhub.accounts.shelf import Wanted

PEOPLE = "people"
NAME = "name"
ADDRESS = "address"
DEATH = "death"
LIFE_EVENTS = "life-events"


def wants_person(nino: str) -> Wanted:
    """What of the book tells of a person."""
    notes = frozenset((PEOPLE, kind, nino[:8]) for kind in (NAME, ADDRESS, DEATH))
    return Wanted(ninos=frozenset({nino[:8]}), notes=notes | {(KNOWN, CONFIDENTIAL, nino[:8])})


def is_debtor(nino: str, book: Book) -> bool:
    """Whether the person is debtor or joint debtor of any loaded debt."""
    return bool(book.debts_of(nino) or book.joint_debts_of(nino))


def owes(nino: str, debt: Debt, book: Book) -> bool:
    """Whether the person is debtor or joint debtor of that debt."""
    return debt.ref in {owed.ref for owed in (*book.debts_of(nino), *book.joint_debts_of(nino))}


def surnames(nino: str, book: Book) -> set[str]:
    """The person's current surname, letters only: as a life event told it, or as debts have it."""
    told = person_note(NAME, nino, book)
    if told is not None:
        return {letters(told["surname"])}
    return {letters(debt.surname) for debt in book.debts_of(nino) if debt.surname}


def person_note(kind: str, nino: str, book: Book) -> Mapping[str, Any] | None:
    """What is held of the person under that kind."""
    note = book.note(PEOPLE, kind, nino[:8])
    return None if note is None else note.value


def keep_person_note(kind: str, nino: str, value: Mapping[str, Any], book: Book) -> None:
    """Hold it of the person, in place of what was held."""
    book.keep(Note(feed=PEOPLE, kind=kind, key=nino[:8], value=value, about=nino[:8]))


def keep_version(kind: str, nino: str, effective: date, value: Mapping[str, Any], *, feed: str, book: Book) -> bool:
    """Hold a new name or address; False where it is history: a life event told of a later one already.

    The version that takes effect last is the current one, whoever told it.
    """
    held, day = person_note(kind, nino, book) or {}, effective.isoformat()
    told = held.get("told_effective")
    from_register = feed == LIFE_EVENTS
    current = {**value, "effective": day, "feed": feed} if day >= held.get("effective", "") else held
    last_told = max(day, told or "") if from_register else told
    keep_person_note(kind, nino, {**current, "told_effective": last_told}, book)
    return not (from_register and told is not None and day < told)
