"""Versions of debts over several extracts (debt-manager.md §4)."""

from dataclasses import replace
from datetime import date
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Hold, Receipt
from integrationhub.accounts.unit import Verdict
from tests.feeds.dms import debt, extract, hold, name_of
from tests.feeds.judged import FeedInHand, feed
from tests.unit.accounts.conftest import EmptyShelf

REF = "DM0010000017"
Told = tuple[str, str | None, set[str]]


@pytest.fixture
def debts() -> FeedInHand:
    return feed("debt-manager", Book(EmptyShelf()))


def deliver(debts: FeedInHand, sequence: int, *records: dict[str, Any], kind: str = "DELTA") -> list[Verdict]:
    content = extract(kind, sequence, records, as_at=20260300 + sequence)
    return [verdict for _, verdict in debts.file(name_of(kind, sequence, 20260300 + sequence), content).units]


def told(debts: FeedInHand, sequence: int, *records: dict[str, Any], kind: str = "DELTA") -> list[Told]:
    return [(one.fate.value, one.reason, set(one.flags)) for one in deliver(debts, sequence, *records, kind=kind)]


def held(debts: FeedInHand) -> Debt:
    found = debts.book.debt(REF)
    assert found is not None
    return found


LOADED: Told = ("LOADED", None, set())
DUPLICATE: Told = ("DUPLICATE", None, set())
STALE: Told = ("DUPLICATE", "STALE_VERSION", set())
CONFLICT: Told = ("EXCEPTION", "VERSION_CONFLICT", set())


def test_versions_tell_what_a_record_is_worth(debts: FeedInHand) -> None:
    first, other = debt(version=5), debt(version=5, SURNAME="Placeholder")
    assert told(debts, 1, first, first, other, debt(version=4), debt(version=-1)) == [
        LOADED, DUPLICATE, CONFLICT, STALE, STALE,
    ]  # fmt: skip
    assert told(debts, 2, debt(action="C", version=9, SURNAME="Stub")) == [LOADED]
    assert (held(debts).version, held(debts).surname, held(debts).as_at) == ("9", "Stub", date(2026, 3, 2))


def test_what_lies_behind_the_content_makes_no_difference(debts: FeedInHand) -> None:
    content = extract("DELTA", 1, [debt()])
    debts.file(name_of("DELTA", 1), content)
    filler = content[: 600 + 553] + b"\xc1" * 47 + content[1200:]
    ((_, verdict),) = debts.file(name_of("DELTA", 1), filler).units
    assert (verdict.fate.value, verdict.reason) == ("DUPLICATE", None)


def test_changes_and_deletes_need_a_known_debt(debts: FeedInHand) -> None:
    assert told(debts, 1, debt(action="C"), debt(action="D")) == [
        ("EXCEPTION", "CHANGE_UNKNOWN_DEBT", set()),
        ("EXCEPTION", "DELETE_UNKNOWN_DEBT", set()),
    ]


def test_an_insert_of_a_held_debt_is_told_in_a_delta_and_not_in_a_full(debts: FeedInHand) -> None:
    assert told(debts, 1, debt(), kind="FULL") == [LOADED]
    assert told(debts, 2, debt(version=2)) == [("LOADED", None, {"INSERT_OF_EXISTING"})]
    assert told(debts, 3, debt(version=3), kind="FULL") == [LOADED]
    assert told(debts, 4, debt(version=3), kind="FULL") == [DUPLICATE]


def test_a_removed_debt_keeps_its_amounts_and_can_be_revived(debts: FeedInHand) -> None:
    deliver(debts, 1, debt())
    assert told(debts, 2, debt(action="D", version=2)) == [("LOADED", None, {"DELETED_WITH_BALANCE"})]
    assert (held(debts).status, held(debts).source_balance_pence) == ("REMOVED", 7500)
    assert told(debts, 3, debt(action="D", version=2, SURNAME="Ignored"), debt(version=2), debt(version=1)) == [
        DUPLICATE, CONFLICT, STALE,
    ]  # fmt: skip
    assert told(debts, 4, debt(version=3)) == [("LOADED", None, {"REVIVED"})]
    deliver(debts, 5, debt(action="D", version=4))
    assert told(debts, 6, debt(action="C", version=5)) == [("LOADED", None, {"REVIVED"})]
    assert told(debts, 7, debt(action="D", version=5)) == [CONFLICT]


def test_a_delete_is_told_with_the_balance_that_receipts_have_left(debts: FeedInHand) -> None:
    deliver(debts, 1, debt())
    paid = Receipt(source="BANK", key="1", amount_pence=7500, value_date=date(2026, 3, 2), debt_ref=REF)
    debts.book.post(paid)
    assert told(debts, 2, debt(action="D", version=2)) == [LOADED]


def test_of_a_delete_nothing_else_is_read(debts: FeedInHand) -> None:
    deliver(debts, 1, debt())
    spoilt = debt(action="D", version=2, BENEFIT="ZZZ", DOB=20231399, ORIGINAL=b"\xff" * 6, NINO="X", HOLD_COUNT=9)
    assert told(debts, 2, spoilt) == [("LOADED", None, {"DELETED_WITH_BALANCE"})]


def test_what_is_set_aside_left_out_or_refused_changes_no_version(debts: FeedInHand) -> None:
    deliver(debts, 1, debt())
    broken: list[dict[str, Any]] = [{"BALANCE": 1}, {"BENEFIT": "HB", "OFFICE": "L1"}, {"ADJUSTED": b"\xff" * 6}]
    assert [one[0] for one in told(debts, 2, *(debt("DM0010000017", "C", 3, **change) for change in broken))] == [
        "EXCEPTION", "EXCLUDED", "REJECTED",
    ]  # fmt: skip
    assert held(debts).version == "1"
    assert told(debts, 3, debt(action="C", version=2)) == [LOADED]


def test_holds_of_other_feeds_survive_a_new_record(debts: FeedInHand) -> None:
    deliver(debts, 1, debt(HOLD=[hold("AP", 20260101)]))
    disputed = Hold(code="DI", start=date(2026, 3, 1), end=None, origin="self-service")
    debts.book.put(replace(held(debts), holds=(*held(debts).holds, disputed)))
    (verdict,) = deliver(debts, 2, debt(action="C", version=2))
    assert held(debts).holds == (disputed,)
    assert verdict.canonical is not None
    assert verdict.canonical["recovery_allowed"] is False


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ICD"), st.integers(0, 2)), max_size=8))
def test_sending_everything_again_changes_nothing(changes: list[tuple[str, int]]) -> None:
    debts = feed("debt-manager", Book(EmptyShelf()))
    versions = accumulate((step for _, step in changes), initial=1)
    made = [
        debt(action=action, version=version)
        for action, version in zip(["I", *(a for a, _ in changes)], versions, strict=True)
    ]
    deliver(debts, 1, *made)
    before = held(debts)
    again = deliver(debts, 2, *made)
    assert held(debts) == before
    assert all(one.fate.value in {"DUPLICATE", "EXCEPTION"} for one in again)
