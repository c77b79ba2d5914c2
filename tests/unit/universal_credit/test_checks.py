"""Payloads: every check in its order, canonical fields, quirks (universal-credit.md §4 to §8)."""

from typing import Any

import pytest

from integrationhub.accounts.feeds.dms.judge import DebtManagerJudge
from tests.feeds import dms, uc
from tests.feeds.judged import feed as files
from tests.unit.universal_credit.conftest import UniversalCredit

LONG = 10**18
TOO_MUCH = {"originalAmount": "10000000", "recoveredAmount": "0", "balance": "10000000"}


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("ID_MISSING", {"_id": None}),
        ("ID_MISSING", {"_id": {}}),
        ("PAYLOAD_INVALID", {"debtReference": None}),
        ("PAYLOAD_INVALID", {"debtReference": "UD001000001"}),
        ("PAYLOAD_INVALID", {"debtReference": "DM0010000017"}),
        ("PAYLOAD_INVALID", {"citizenId": 5}),
        ("PAYLOAD_INVALID", {"person": None}),
        ("PAYLOAD_INVALID", {"person": "Test"}),
        ("PAYLOAD_INVALID", {"person": {"firstName": "Test", "lastName": "X"}}),
        ("PAYLOAD_INVALID", {"person": {"firstName": "Test", "lastName": None, "dateOfBirth": 0}}),
        ("PAYLOAD_INVALID", {"address": "here"}),
        ("PAYLOAD_INVALID", {"address": {"line1": 1}}),
        ("PAYLOAD_INVALID", {"debtType": "ADVANCE"}),
        ("PAYLOAD_INVALID", {"cause": "NONE"}),
        ("PAYLOAD_INVALID", {"status": "ARCHIVED"}),
        ("PAYLOAD_INVALID", {"decisionDate": "20200430"}),
        ("PAYLOAD_INVALID", {"decisionDate": 20200430.0}),
        ("PAYLOAD_INVALID", {"decisionDate": True}),
        ("PAYLOAD_INVALID", {"nino": 5}),
        ("PAYLOAD_INVALID", {"holds": {}}),
        ("PAYLOAD_INVALID", {"holds": [{"code": "XX", "from": 20260101}]}),
        ("PAYLOAD_INVALID", {"holds": ["BS"]}),
        ("PAYLOAD_INVALID", {"debtManagerRef": 5}),
        ("TEXT_CONTROL_CHAR", {"citizenId": "a\u0085"}),
        ("TEXT_CONTROL_CHAR", {"nino": "QQ123456A\x00"}),
        ("MONEY_FORMAT", {"originalAmount": 100}),
        ("MONEY_FORMAT", {"originalAmount": None}),
        ("MONEY_FORMAT", {"balance": "75.000"}),
        ("MONEY_FORMAT", {"recoveredAmount": ""}),
        ("MONEY_FORMAT", {"recoveredAmount": LONG}),
        ("AMOUNT_RANGE", {"originalAmount": "-1", "recoveredAmount": "0", "balance": "-1"}),
        ("AMOUNT_RANGE", {"recoveredAmount": "-1", "balance": "101"}),
        ("AMOUNT_RANGE", TOO_MUCH),
        ("DATE_INVALID", {"decisionDate": 20230229}),
        ("DATE_INVALID", {"decisionDate": -1}),
        ("DATE_INVALID", {"person": {"firstName": "T", "lastName": "X", "dateOfBirth": 19701301}}),
        ("DATE_INVALID", {"holds": [{"code": "BS", "from": 0}]}),
        ("NINO_FORMAT", {"nino": "QQ12345A"}),
        ("NINO_FORMAT", {"nino": "TN010170M"}),
        ("BALANCE_MISMATCH", {"balance": "75.01"}),
        ("STATUS_BALANCE", {"status": "CLEARED"}),
        ("STATUS_BALANCE", {"status": "WRITTEN_OFF", "balance": "1"}),
        ("DM_REF_UNKNOWN", {"debtManagerRef": "DM0010000017"}),
    ],
)
def test_each_broken_debt_has_its_reason_and_leaves_no_version(
    feed: UniversalCredit, reason: str, change: dict[str, Any]
) -> None:
    assert feed.told(uc.debt(**change), version=2) == f"EXCEPTION {reason}"
    assert feed.told(uc.debt(), version=1) == "LOADED"


@pytest.mark.parametrize("left_out", ["debtReference", "citizenId", "person", "debtType", "decisionDate", "status"])
def test_what_must_stand_in_a_payload_may_not_be_left_out(feed: UniversalCredit, left_out: str) -> None:
    payload = uc.debt()
    del payload[left_out]
    assert feed.told(payload) == "EXCEPTION PAYLOAD_INVALID"


def test_a_whole_number_that_is_too_long_is_no_value_of_any_field(feed: UniversalCredit) -> None:
    assert feed.told(uc.debt(decisionDate=LONG)) == "REJECTED SCHEMA_INVALID"


@pytest.mark.parametrize(
    "change",
    [
        {"nino": None, "cause": None, "address": None, "holds": None, "unknown": {"deep": [1, LONG]}},
        {"decisionDate": 0},
        {"decisionDate": None},
        {"decisionDate": 19000101},
        {"nino": "qq 12 34 56 a"},
        {"nino": "QQ123456"},
        {"recoveredAmount": None, "balance": "100"},
        {"status": "WRITTEN_OFF", "balance": "0"},
        {"status": "CLEARED", "recoveredAmount": "100", "balance": "0.00"},
        {"originalAmount": "9999999.99", "recoveredAmount": "0", "balance": "9999999.99"},
        {"recoveredAmount": "100.01", "balance": "-0.01"},
        {"holds": [{"code": "BS", "from": 20260101, "to": None}, {"code": "DI", "from": 20260101, "to": 99991231}]},
    ],
)
def test_what_is_allowed_is_loaded(feed: UniversalCredit, change: dict[str, Any]) -> None:
    assert feed.told(uc.debt(**change)) == "LOADED"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("PAYLOAD_INVALID", {"repaymentMonths": 0}),
        ("PAYLOAD_INVALID", {"repaymentMonths": 25}),
        ("PAYLOAD_INVALID", {"repaymentMonths": "12"}),
        ("PAYLOAD_INVALID", {"advanceType": "OTHER"}),
        ("MONEY_FORMAT", {"outstanding": None}),
        ("AMOUNT_RANGE", {"amountPaid": "-1", "repaid": "0", "outstanding": "-1"}),
        ("DATE_INVALID", {"paidDate": 0}),
        ("DATE_INVALID", {"paidDate": 99991231}),
        ("BALANCE_MISMATCH", {"outstanding": "74"}),
    ],
)
def test_each_broken_advance_has_its_reason(feed: UniversalCredit, reason: str, change: dict[str, Any]) -> None:
    assert feed.told(uc.advance(**change), "advance") == f"EXCEPTION {reason}"


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("PAYLOAD_INVALID", {"reversed": "false"}),
        ("PAYLOAD_INVALID", {"reversed": None}),
        ("PAYLOAD_INVALID", {"assessmentPeriod": None}),
        ("MONEY_FORMAT", {"amount": 15}),
        ("MONEY_FORMAT", {"amount": None}),
        ("AMOUNT_RANGE", {"amount": "0"}),
        ("AMOUNT_RANGE", {"amount": "-1"}),
        ("DATE_INVALID", {"deductedDate": 0}),
        ("DATE_INVALID", {"assessmentPeriod": {"startDate": 20260230, "endDate": 20260302}}),
    ],
)
def test_each_broken_deduction_has_its_reason_and_posts_no_money(
    feed: UniversalCredit, reason: str, change: dict[str, Any]
) -> None:
    assert feed.told(uc.deduction(**change), "deduction") == f"EXCEPTION {reason}"
    assert feed.book.changes.receipts == []


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("PAYLOAD_INVALID", {"people": None}),
        ("PAYLOAD_INVALID", {"people": [{"citizenId": "c1"}]}),
        ("MONEY_FORMAT", {"totalPayment": 1}),
        ("AMOUNT_RANGE", {"totalPayment": "10000000"}),
        ("DATE_INVALID", {"assessmentPeriod": {"startDate": 20260203, "endDate": 20261302}}),
    ],
)
def test_each_broken_statement_has_its_reason(feed: UniversalCredit, reason: str, change: dict[str, Any]) -> None:
    assert feed.told(uc.statement(**change), "statement") == f"EXCEPTION {reason}"


def test_debts_and_advances_are_shown_with_their_canonical_fields(feed: UniversalCredit) -> None:
    assert feed.send(uc.debt()).canonical == {
        "type": "debt", "ref": uc.REF, "source_system": "UNIVERSAL_CREDIT", "benefit": "UC",
        "debt_type": "OVERPAYMENT", "cause": "FRAUD", "original_pence": 10000, "recovered_pence": 2500,
        "source_balance_pence": 7500, "status": "ACTIVE", "decision_date": "2020-04-30", "nino": "QQ123456A",
        "version": "2026-02-20T06:00:01.037Z",
    }  # fmt: skip
    shown = feed.send(uc.advance(), "advance").canonical
    assert shown is not None
    assert (shown["debt_type"], shown["cause"], shown["decision_date"]) == ("ADVANCE", None, "2020-04-30")


def test_a_statement_is_kept_as_evidence(feed: UniversalCredit) -> None:
    assert feed.send(uc.statement(), "statement").canonical == {
        "type": "statement_evidence", "deductions_pence": 5750, "advances_pence": 0, "payment_pence": 31782,
    }  # fmt: skip
    assert not feed.book.changes.debts
    assert not feed.book.changes.receipts


def test_a_sentinel_birth_date_is_told(feed: UniversalCredit) -> None:
    person = {"firstName": "Test", "lastName": "X", "dateOfBirth": 19000101}
    assert set(feed.send(uc.debt(person=person)).flags) == {"DOB_SENTINEL"}


def test_a_debt_of_the_debt_manager_is_never_entered_twice(feed: UniversalCredit) -> None:
    held = files("debt-manager", feed.book)
    assert isinstance(held.judge, DebtManagerJudge)
    held.file(dms.name_of("DELTA", 1), dms.extract("DELTA", 1, [dms.debt("DM0010000017")]))
    assert feed.told(uc.debt(debtManagerRef="DM0010000017")) == "EXCLUDED HELD_IN_DEBT_MANAGER"
    assert feed.book.debt(uc.REF) is None


def test_a_reference_belongs_to_one_record(feed: UniversalCredit) -> None:
    feed.send(uc.debt("1"))
    assert feed.told(uc.debt("2"), version=2) == "EXCEPTION REFERENCE_CLASH"
    assert feed.told(uc.advance(debtReference=uc.REF), "advance") == "EXCEPTION REFERENCE_CLASH"
    assert feed.told(uc.debt("1", debtReference="UD0010000031"), version=3) == "EXCEPTION REFERENCE_CLASH"
