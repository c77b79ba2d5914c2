"""Where the book of accounts is read from: what units want of it, and how the store is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from integrationhub.accounts.entries import Debt, KnownCase, Note, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What units may need of the book.

    `ninos` are 8 characters; `receipts` (source, key); `marks` (source, mark, value); `notes` (feed, kind, key).
    """

    debts: frozenset[str] = frozenset()
    cases: frozenset[str] = frozenset()
    ninos: frozenset[str] = frozenset()
    receipts: frozenset[tuple[str, str]] = frozenset()
    marks: frozenset[tuple[str, str, str]] = frozenset()
    notes: frozenset[tuple[str, str, str]] = frozenset()

    def __or__(self, other: "Wanted") -> "Wanted":
        return Wanted(**{name: getattr(self, name) | getattr(other, name) for name in self.__dataclass_fields__})


class Shelf(Protocol):
    """What the store knows. Each method takes many keys and leaves out what there is none of.

    Debts are locked until the transaction ends. Receipts come in the order of posting.
    """

    def debts(self, refs: Iterable[str]) -> Iterable[Debt]:
        """Debts by reference."""
        ...

    def debts_of(self, ninos: Iterable[str]) -> Iterable[Debt]:
        """Debts whose debtor or joint debtor has one of these numbers (first 8 characters)."""
        ...

    def debts_by_source_id(self, source_system: str, ids: Iterable[str]) -> Iterable[Debt]:
        """Debts by their source's identity."""
        ...

    def debts_by_person(self, surname: str, dob: date) -> Iterable[Debt]:
        """Debts whose debtor has this birth date and surname (letters only, any case)."""
        ...

    def cases(self, refs: Iterable[str]) -> Iterable[KnownCase]:
        """Child maintenance cases by reference: those known beforehand, the crosswalk, loaded ones."""
        ...

    def receipts(self, keys: Iterable[tuple[str, str]]) -> Iterable[Receipt]:
        """Receipts by (source, key)."""
        ...

    def receipts_marked(self, marks: Iterable[tuple[str, str, str]]) -> Iterable[Receipt]:
        """Receipts by (source, mark, value)."""
        ...

    def notes(self, keys: Iterable[tuple[str, str, str]]) -> Iterable[Note]:
        """Notes by (feed, kind, key)."""
        ...

    def confidential(self, ninos: Iterable[str]) -> Iterable[str]:
        """Those of these people (8 characters) whose address is kept back in any child maintenance case."""
        ...

    def received_since(self, debt_ref: str, day: date) -> int:
        """Σ receipts − Σ what was taken back of receipts, of the debt, whose receipt's value date is after that day."""
        ...
