"""Versions, moved records, deductions, and messages in any order (universal-credit.md §4 to §6)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.accounts.unit import Verdict
from tests.feeds import uc
from tests.unit.accounts.feeds.messages import Messages, said
from tests.unit.universal_credit.conftest import UniversalCredit

Step = tuple[str, dict[str, Any], int]


def flags(verdict: Verdict) -> set[str]:
    assert verdict.fate == "LOADED", verdict.reason
    return set(verdict.flags)


def test_versions_tell_what_a_message_is_worth(feed: UniversalCredit) -> None:
    assert feed.told(uc.debt(), version=5) == "LOADED"
    assert feed.told(uc.debt(), version=5, kind="MONGO_INSERT") == "DUPLICATE"
    assert feed.told(uc.debt(citizenId="c2"), version=5) == "EXCEPTION VERSION_CONFLICT"
    assert feed.told({"_id": "x", "_archived": uc.debt()}, version=5) == "EXCEPTION VERSION_CONFLICT"
    assert feed.told(uc.debt(citizenId="c2"), version=4) == "DUPLICATE STALE_VERSION"
    assert feed.told(uc.debt(citizenId="c2"), version=6) == "LOADED"


@pytest.mark.parametrize(
    ("changed", "kind", "version"),
    [
        ({"version": "2026-02-20T06:00:00.0379+0100"}, "MONGO_UPDATE", "2026-02-20T05:00:00.037Z"),
        ({"version": "2026-02-20T06:00:00Z"}, "MONGO_INSERT", "2026-02-20T06:00:00.000Z"),
        (
            {"version": "", "inner": {"createdDateTime": "2026-02-19T06:00:00.5Z"}},
            "MONGO_UPDATE",
            "2026-02-19T06:00:00.500Z",
        ),
        ({"version": None}, "MONGO_UPDATE", "1980-01-01T00:00:00.000Z"),
        ({"version": "0001-01-01T00:30:00-0100"}, "MONGO_UPDATE", "0001-01-01T01:30:00.000Z"),
    ],
)  # fmt: skip
def test_the_version_is_the_first_instant_that_is_given(
    feed: UniversalCredit, changed: dict[str, Any], kind: str, version: str
) -> None:
    verdict = feed.send(uc.debt(), kind=kind, **changed)
    assert verdict.canonical is not None
    assert verdict.canonical["version"] == version
    assert flags(verdict) == ({"VERSION_DEFAULTED"} if version.startswith("1980") else set())


def test_a_delete_is_as_old_as_its_envelope_says(feed: UniversalCredit) -> None:
    feed.send(uc.debt(), version="2026-02-20T07:00:00.000Z")
    by_modification: dict[str, Any] = {"outer": {"timestamp": ""}, "version": "2026-02-20T06:00:00.000Z"}
    assert feed.told({}, inner={"_id": {"debtId": "1"}}, kind="MONGO_DELETE", **by_modification) == (
        "DUPLICATE STALE_VERSION"
    )
    removed = feed.send(
        {}, inner={"_id": {"debtId": "1"}}, kind="MONGO_DELETE", version=None,
        outer={"timestamp": "2026-02-20T07:00:00.001+0000"},
    )  # fmt: skip
    assert removed.canonical == {
        "type": "debt", "ref": uc.REF, "status": "REMOVED", "version": "2026-02-20T07:00:00.001Z",
    }  # fmt: skip


def test_a_delete_with_a_payload_goes_by_its_id_and_checks_nothing_else(feed: UniversalCredit) -> None:
    feed.send(uc.debt())
    assert feed.told(uc.debt(balance=5, status="X"), kind="MONGO_DELETE") == "LOADED"
    known = feed.book.debt(uc.REF)
    assert known is not None
    assert known.status == "REMOVED"


def test_what_is_deleted_before_it_is_heard_of_stays_away_until_it_is_newer(feed: UniversalCredit) -> None:
    deletion: dict[str, Any] = {"inner": {"_id": {"debtId": "1"}}, "kind": "MONGO_DELETE"}
    gone = feed.send({}, **deletion)  # at seven o'clock, by its envelope
    assert (flags(gone), gone.canonical) == ({"TOMBSTONE"}, None)
    assert feed.told({}, **deletion) == "DUPLICATE"
    assert feed.told(uc.debt(), version=59) == "DUPLICATE STALE_VERSION"
    assert flags(feed.send(uc.debt(), version="2026-02-20T07:00:01Z")) == {"REVIVED"}


@pytest.mark.parametrize(("member", "status"), [("_removed", "REMOVED"), ("_archived", "ARCHIVED")])
def test_a_record_that_its_source_has_moved_makes_no_second_debt(
    feed: UniversalCredit, member: str, status: str
) -> None:
    feed.send(uc.debt())
    moved = {"_id": {"$oid": "5f"}, member: uc.debt(), f"{member}DateTime": {"$date": "2026-02-20T06:00:02Z"}}
    verdict = feed.send(moved, kind="MONGO_INSERT", version=2)
    assert verdict.canonical is not None
    assert (verdict.canonical["ref"], verdict.canonical["status"]) == (uc.REF, status)
    assert set(feed.book.changes.debts) == {uc.REF}
    assert feed.told(uc.deduction(), "deduction", version=3) == "EXCEPTION DEBT_CLOSED"


def test_a_moved_record_without_an_id_waits_for_a_person(feed: UniversalCredit) -> None:
    assert feed.told({"_id": {"$oid": "5f"}, "_removed": {"a": 1}}) == "EXCEPTION ID_MISSING"
    assert feed.told({"_id": {"$oid": "5f"}, "_archived": "text"}) == "EXCEPTION ID_MISSING"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"b": 1, "a": {"$date": "2026-02-20T06:00:02Z"}}, {"a": "2026-02-20T06:00:02Z", "b": 1}),
        ({"$oid": "5f"}, "5f"),
        (5, "5"),
    ],
)
def test_ids_that_say_the_same_are_the_same(feed: UniversalCredit, one: object, other: object) -> None:
    assert feed.told(uc.debt(_id=one)) == "LOADED"
    assert feed.told(uc.debt(_id=other), version=0) == "DUPLICATE STALE_VERSION"


# ---- deductions


def balance(feed: UniversalCredit) -> int:
    debt = feed.book.debt(uc.REF)
    assert debt is not None
    return feed.book.balance(debt)


def test_a_deduction_is_a_receipt_that_can_be_reversed_once(feed: UniversalCredit) -> None:
    feed.send(uc.debt())
    posted = feed.send(uc.deduction(), "deduction")
    assert posted.canonical == {
        "type": "receipt", "source": "UC_DEDUCTION", "amount_pence": 1500, "value_date": "2026-03-03",
        "debt_ref": uc.REF,
    }  # fmt: skip
    assert balance(feed) == 6000
    back = feed.send(uc.deduction(reversed=True), "deduction", version=2)
    assert back.canonical == {
        "type": "reversal", "source": "UC_DEDUCTION", "amount_pence": -1500, "value_date": "2026-03-03",
        "debt_ref": uc.REF,
    }  # fmt: skip
    assert feed.told(uc.deduction(reversed=True, nino=None), "deduction", version=3) == "LOADED"
    assert feed.told({}, "deduction", inner={"_id": {"deductionId": "1"}}, kind="MONGO_DELETE") == "LOADED"
    assert (balance(feed), len(feed.book.changes.reversals)) == (7500, 1)


def test_another_amount_is_a_reversal_and_a_new_receipt(feed: UniversalCredit) -> None:
    feed.send(uc.debt())
    feed.send(uc.deduction(), "deduction")
    changed = feed.send(uc.deduction(amount="20"), "deduction", version=2)
    assert flags(changed) == {"AMOUNT_CHANGED"}
    assert (balance(feed), len(feed.book.changes.receipts), len(feed.book.changes.reversals)) == (5500, 2, 1)
    assert flags(feed.send(uc.deduction(amount="20.00", nino=None), "deduction", version=3)) == set()
    assert (balance(feed), len(feed.book.changes.receipts)) == (5500, 2)
    feed.send({"_id": "x", "_removed": uc.deduction()}, "deduction", version=4)
    assert balance(feed) == 7500


def test_a_deduction_first_seen_reversed_posts_nothing(feed: UniversalCredit) -> None:
    verdict = feed.send(uc.deduction(reversed=True), "deduction")
    assert verdict.canonical is not None
    assert verdict.canonical["amount_pence"] == 0
    assert feed.book.changes.receipts == []


def test_money_without_an_open_debt_is_suspended_and_sets_the_version(feed: UniversalCredit) -> None:
    suspended = feed.send(uc.deduction(), "deduction")
    assert said(suspended) == "EXCEPTION UNMATCHED"
    assert suspended.canonical is not None
    assert (suspended.canonical["suspense"], suspended.canonical["debt_ref"]) == (True, None)
    assert feed.told(uc.deduction(), "deduction") == "DUPLICATE"
    back = feed.send(uc.deduction(reversed=True), "deduction", version=2)
    assert back.canonical is not None
    assert back.canonical["suspense"] is True


def test_a_closed_debt_takes_no_deduction(feed: UniversalCredit) -> None:
    feed.send(uc.debt(status="CLEARED", recoveredAmount="100", balance="0"))
    assert feed.told(uc.deduction(), "deduction") == "EXCEPTION DEBT_CLOSED"


# ---- any order, any number of times


def story(number: int) -> list[Step]:
    """What happens to one debt: it comes, changes, and goes; a deduction of it comes and goes back."""
    ref, key = f"UD{number:010}", str(number)
    return [
        ("debt", uc.debt(key, debtReference=ref), 1),
        ("debt", uc.debt(key, debtReference=ref, recoveredAmount="30", balance="70"), 2),
        ("deduction", uc.deduction(key, debtReference=ref), 1),
        ("deduction", uc.deduction(key, debtReference=ref, reversed=number % 2 == 0), 3),
        ("debt", {"_id": "x", "_archived": uc.debt(key, debtReference=ref)}, 4),
    ]


def outcome(messages: Messages, steps: Sequence[Step]) -> Mapping[str, tuple[str, int]]:
    feed = UniversalCredit(messages)
    for collection, payload, version in steps:
        feed.send(payload, collection, version=version)
    return {
        ref: (debt.status, feed.book.balance(debt))
        for ref in (f"UD{number:010}" for number in range(3))
        if (debt := feed.book.debt(ref)) is not None
    }


@settings(deadline=None, max_examples=10)
@given(st.permutations([number for number in range(3) for _ in range(5)]), st.data())
def test_messages_about_different_debts_may_come_in_any_order_and_again(
    messages: Messages, turns: list[int], data: st.DataObject
) -> None:
    left = {number: iter(story(number)) for number in range(3)}
    steps = [next(left[number]) for number in turns]
    in_turn = outcome(messages, [step for number in range(3) for step in story(number)])
    again = data.draw(st.lists(st.sampled_from(steps), max_size=4))
    assert outcome(messages, [*steps, *again]) == in_turn
