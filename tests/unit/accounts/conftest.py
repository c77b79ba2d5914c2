# ruff: noqa: ARG002 - a shelf that knows nothing looks at nothing
"""Books over an empty shelf, and debts to put into them."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, KnownCase, Note, Receipt
from integrationhub.accounts.matching import Matcher

MakeDebt = Callable[..., Debt]


class EmptyShelf:
    """A store that knows nothing but child maintenance cases."""

    def __init__(self, *cases: KnownCase) -> None:
        self._cases = cases

    def debts(self, refs: Iterable[str]) -> Iterable[Debt]:
        return ()

    def debts_of(self, ninos: Iterable[str]) -> Iterable[Debt]:
        return ()

    def debts_by_source_id(self, source_system: str, ids: Iterable[str]) -> Iterable[Debt]:
        return ()

    def debts_by_person(self, surname: str, dob: date) -> Iterable[Debt]:
        return ()

    def cases(self, refs: Iterable[str]) -> Iterable[KnownCase]:
        return [case for case in self._cases if case.ref in refs]

    def receipts(self, keys: Iterable[tuple[str, str]]) -> Iterable[Receipt]:
        return ()

    def receipts_marked(self, marks: Iterable[tuple[str, str, str]]) -> Iterable[Receipt]:
        return ()

    def notes(self, keys: Iterable[tuple[str, str, str]]) -> Iterable[Note]:
        return ()

    def confidential(self, ninos: Iterable[str]) -> Iterable[str]:
        return ()

    def received_since(self, debt_ref: str, day: date) -> int:
        return 0


@pytest.fixture
def book() -> Book:
    open_case, closed_case = KnownCase(ref="121000000018", is_open=True), KnownCase(ref="121000000573", is_open=False)
    return Book(EmptyShelf(open_case, closed_case, KnownCase(ref="7000123466", is_open=True)))


@pytest.fixture
def matcher() -> Matcher:
    return Matcher(synthetic=True)


def put_debt(book: Book, ref: str, **given: object) -> Debt:
    """Put a debt into the book: 100 pounds owed as at 1 March 2026, whatever isn't said otherwise."""
    values: dict[str, object] = {
        "source_system": "DEBT_MANAGER", "source_id": ref, "version": "1", "content": "", "status": "ACTIVE",
        "kind": "OVERPAYMENT", "benefit": "IS", "cause": "FRAUD", "original_pence": 10000, "adjusted_pence": 0,
        "recovered_pence": 0, "written_off_pence": 0, "source_balance_pence": 10000, "as_at": date(2026, 3, 1),
        "nino": None, "nino_status": None, "surname": "Testcase", "dob": date(1970, 1, 1), "postcode": "ZZ1 1AA",
    }  # fmt: skip
    made = Debt(ref=ref, **{**values, **given})  # type: ignore[arg-type]
    book.put(made)
    return made


@pytest.fixture
def debt(book: Book) -> MakeDebt:
    """Puts debts into the book."""
    return partial(put_debt, book)
