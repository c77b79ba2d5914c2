"""Receipts posted, suspended and taken back."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Hold, Receipt, Reversal
from integrationhub.accounts.matching import Match
from integrationhub.accounts.money import receive, suspend, take_back
from tests.unit.accounts.conftest import EmptyShelf, MakeDebt

DAY = date(2026, 3, 2)


def receipt(key: str = "1", pence: int = 1500, day: date = DAY) -> Receipt:
    return Receipt(source="BANK", key=key, amount_pence=pence, value_date=day)


def test_a_matched_receipt_lowers_the_balance_and_its_reversal_restores_it(book: Book, debt: MakeDebt) -> None:
    owed = debt("DM0010000017")
    loaded = receive(receipt(), Match(debt=owed), book)
    assert loaded.canonical == {
        "type": "receipt", "source": "BANK", "amount_pence": 1500, "value_date": "2026-03-02", "debt_ref": owed.ref,
    }  # fmt: skip
    assert book.balance(owed) == 8500
    posted = book.receipt("BANK", "1")
    assert posted is not None
    back = Reversal(source="ARUDD", key="r", receipt=posted, amount_pence=-1500, value_date=DAY, reason="1012")
    take_back(back, book, reason="1012")
    assert book.balance(owed) == 10000
    assert book.receipt("BANK", "1") == replace(posted, reversed_pence=1500)


@pytest.mark.parametrize(
    ("day", "pence", "flags"),
    [
        (date(2026, 3, 1), 99999, set()),  # inside the source's balance
        (DAY, 10000, set()),
        (DAY, 10001, {"OVERPAID"}),
        (date(2026, 3, 10), 1, {"DURING_HOLD"}),
        (date(2026, 3, 20), 10001, {"DURING_HOLD", "OVERPAID"}),
        (date(2026, 3, 21), 1, set()),
    ],
)
def test_flags_say_what_is_odd_about_a_match(
    book: Book, debt: MakeDebt, day: date, pence: int, flags: set[str]
) -> None:
    hold = Hold(code="BS", start=date(2026, 3, 10), end=date(2026, 3, 20), origin="debt-manager")
    owed = debt("DM0010000017", holds=(hold,))
    assert set(receive(receipt(pence=pence, day=day), Match(debt=owed), book).flags) == flags


def test_money_without_a_target_is_in_suspense_and_so_is_what_goes_back_of_it(book: Book) -> None:
    verdict = suspend(receipt(), "UNMATCHED", book, bank_ref="AS1")
    assert verdict.canonical == {
        "type": "receipt", "source": "BANK", "amount_pence": 1500, "value_date": "2026-03-02", "debt_ref": None,
        "suspense": True, "bank_ref": "AS1",
    }  # fmt: skip
    posted = book.receipt("BANK", "1")
    assert posted is not None
    assert posted.in_suspense
    back = take_back(Reversal(source="BANK", key="r", receipt=posted, amount_pence=-1500, value_date=DAY), book)
    assert back.canonical is not None
    assert back.canonical["suspense"] is True


@given(st.lists(st.tuples(st.integers(1, 5000), st.booleans(), st.integers(-2, 2)), max_size=20))
def test_a_balance_is_the_source_s_less_what_stays_received_behind_its_date(
    moves: list[tuple[int, bool, int]],
) -> None:
    book = Book(EmptyShelf())
    owed = _debt()
    book.put(owed)
    expected = owed.source_balance_pence
    for number, (pence, taken_back, days) in enumerate(moves):
        day = date(2026, 3, 3 + days)
        receive(receipt(str(number), pence, day), Match(debt=owed), book)
        posted = book.receipt("BANK", str(number))
        assert posted is not None
        if taken_back:
            take_back(
                Reversal(source="BANK", key=f"r{number}", receipt=posted, amount_pence=-pence, value_date=day), book
            )
        elif day > owed.as_at:
            expected -= pence
        if number % 3 == 0:  # asked for in between or not: the same
            assert book.balance(owed) == expected
    assert book.balance(owed) == expected


def _debt() -> Debt:
    return Debt(
        ref="DM0010000017", source_system="DEBT_MANAGER", source_id="DM0010000017", version="1", content="",
        status="ACTIVE", kind="OVERPAYMENT", benefit="IS", cause=None, original_pence=1, adjusted_pence=0,
        recovered_pence=0, written_off_pence=0, source_balance_pence=100_000, as_at=date(2026, 3, 2), nino=None,
        nino_status=None, surname=None, dob=None, postcode=None,
    )  # fmt: skip
