"""Records of the debt manager's extract: checks, flags, canonical fields (debt-manager.md §2, §3, §5)."""

from collections.abc import Mapping
from typing import Any

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Verdict
from tests.feeds.dms import debt, extract, hold, joint, name_of
from tests.feeds.judged import feed
from tests.unit.accounts.conftest import EmptyShelf

BREATHING = {"HOLD": [hold("BS", 20260201, 20260402)]}
TOO_MUCH = 1_000_000_000


def verdict(**values: Any) -> Verdict:
    """What becomes of one debt that a delta inserts."""
    content = extract("DELTA", 1, [debt(**values)])
    ((_, found),) = feed("debt-manager", Book(EmptyShelf())).file(name_of("DELTA", 1), content).units
    return found


def canonical(**values: Any) -> Mapping[str, Any]:
    found = verdict(**values)
    assert found.canonical is not None, found.reason
    return found.canonical


@pytest.mark.parametrize(
    ("reason", "values"),
    [
        ("PACKED_INVALID", {"ADJUSTED": b"\x00\x00\x00\x0a\x00\x0c"}),
        ("PACKED_INVALID", {"ORIGINAL": b"\x00" * 6}),
        ("PACKED_INVALID", {"RATE": b"\xf0\xf0\xf0\xf1\xf1\xf1\xa0"}),
        ("PACKED_INVALID", {"DOB": b"\xf1\xf9\xf7\xf0\xf0\xf1\xf3\xc1"}),
        ("PACKED_INVALID", {"HOLD_COUNT": b"\x40"}),
        ("PACKED_INVALID", {"CHANGE_TS": b"\xf2" * 13 + b"\x5c"}),
        ("PACKED_INVALID", {"JOINT": [{**joint("QQ123457A"), "DM-J-SHARE": b"\x00\x00\x0d"}]}),
        ("DEBT_REF_FORMAT", {"ref": "DM001000001"}),
        ("DEBT_REF_FORMAT", {"ref": "UD0010000017"}),
        ("DEBT_REF_FORMAT", {"ref": ""}),
        ("UNKNOWN_CODE", {"action": "X"}),
        ("UNKNOWN_CODE", {"NINO_STATUS": "X"}),
        ("UNKNOWN_CODE", {"BENEFIT": "ZZZ"}),
        ("UNKNOWN_CODE", {"DEBT_TYPE": "XX"}),
        ("UNKNOWN_CODE", {"CAUSE": "X"}),
        ("UNKNOWN_CODE", {"CAUSE": " "}),
        ("UNKNOWN_CODE", {"DEBT_TYPE": "AD"}),
        ("UNKNOWN_CODE", {"DEBT_TYPE": "SF"}),
        ("UNKNOWN_CODE", {"METHOD": "XX"}),
        ("UNKNOWN_CODE", {"METHOD": b"\x00\x00"}),
        ("UNKNOWN_CODE", {"RATE_FREQ": "X"}),
        ("UNKNOWN_CODE", {"HOLD": [hold("XX", 20260101)]}),
        ("UNKNOWN_CODE", {"HOLD_COUNT": 5}),
        ("UNKNOWN_CODE", {"EVIDENCE": "X"}),
        ("UNKNOWN_CODE", {"JOINT": [joint("QQ123457A", role="X")]}),
        ("UNKNOWN_CODE", {"JOINT_COUNT": 3}),
        ("UNKNOWN_CODE", {"OFFICE": "X00001"}),
        ("UNKNOWN_CODE", {"OFFICE": ""}),
        ("UNKNOWN_CODE", {"STATUS": "X"}),
        ("TEXT_CONTROL_CHAR", {"SURNAME": b"\xc1\x00\xc1" + b"\x40" * 32}),
        ("TEXT_CONTROL_CHAR", {"A_TOWN": b"\xe3\x20" + b"\x40" * 28}),
        ("DATE_INVALID", {"DOB": 20230229}),
        ("DATE_INVALID", {"HOLD": [hold("AP", 0)]}),
        ("DATE_INVALID", {"HOLD": [hold("AP", 20260101, 20261301)]}),
        ("DATE_INVALID", {"PERIOD_TO": 20081231}),
        ("DATE_INVALID", {"DOD": 19700130}),
        ("NINO_FORMAT", {"NINO": "QQ12345A"}),
        ("NINO_FORMAT", {"NINO": ""}),
        ("NINO_FORMAT", {"NINO": "TN010170M"}),
        ("NINO_FORMAT", {"NINO_STATUS": "T"}),
        ("NINO_FORMAT", {"NINO_STATUS": "N"}),
        ("NINO_FORMAT", {"JOINT": [joint("XX1")]}),
        ("AMOUNT_RANGE", {"ORIGINAL": -1, "BALANCE": -2501}),
        ("AMOUNT_RANGE", {"RECOVERED": -1, "BALANCE": 10001}),
        ("AMOUNT_RANGE", {"WRITTEN_OFF": -1, "BALANCE": 7501}),
        ("AMOUNT_RANGE", {"RATE": -1}),
        ("AMOUNT_RANGE", {"ORIGINAL": TOO_MUCH, "BALANCE": TOO_MUCH - 2500}),
        ("BALANCE_MISMATCH", {"BALANCE": 7501}),
        ("STATUS_BALANCE", {"STATUS": "C"}),
        ("STATUS_BALANCE", {"STATUS": "W"}),
        ("JOINT_SHARE", {"JOINT": [joint("QQ123457A", 5000), joint("QQ123458A", 5001)]}),
        ("JOINT_SELF", {"JOINT": [joint("QQ123456B")]}),
        ("JOINT_SELF", {"JOINT": [joint("QQ123457A"), joint("QQ123457")]}),
        ("OUT_OF_SCOPE", {"BENEFIT": "HB", "OFFICE": "L00001"}),
    ],
)
def test_each_broken_record_has_its_reason(reason: str, values: dict[str, Any]) -> None:
    found = verdict(**values)
    outcome = {"PACKED_INVALID": "REJECTED", "DEBT_REF_FORMAT": "REJECTED", "OUT_OF_SCOPE": "EXCLUDED"}
    assert (found.reason, found.fate.value) == (reason, outcome.get(reason, "EXCEPTION"))


@pytest.mark.parametrize(
    "values",
    [
        {"HOLD_COUNT": 0, "HOLD": [hold("XX", 20269999)]},
        {"HOLD_COUNT": 0, "HOLD": [{"DM-HOLD-FROM": b"\xff" * 8}]},
        {"JOINT_COUNT": 0, "JOINT": [{"DM-J-SHARE": b"\xff\xff\xff"}]},
        {"ADJUSTED": b"\x00\x00\x00\x00\x00\x0f"},
        {"ADJUSTED": b"\x00\x00\x00\x00\x00\x0b"},
        {"DOB": b"\x40" * 8, "DOD": b"\x00" * 8},
        {"DECISION_DATE": 99999999, "PERIOD_TO": 99991231},
        {"SURNAME": b"\x00" * 35},
        {"NINO": "QQ123456"},
        {"NINO": "TN010170M", "NINO_STATUS": "T"},
        {"NINO": "CR123456A", "NINO_STATUS": "T"},
        {"NINO": "", "NINO_STATUS": "N"},
        {"DEBT_TYPE": "CP", "CAUSE": " "},
        {"DEBT_TYPE": "TC", "CAUSE": "O", "VARIANT": None},
        {"DEBT_TYPE": "AD", "CAUSE": " "},
        {"JOINT": [joint("QQ123457A", 5000), joint("QQ123458A", 5000)]},
        {"BENEFIT": "HB"},
        {"ORIGINAL": 999_999_999, "RECOVERED": 0, "BALANCE": 999_999_999},
        {"STATUS": "C", "RECOVERED": 10000, "BALANCE": 0},
        {"CHANGE_TS": b"\x40" * 14},
    ],
)
def test_what_is_allowed_is_loaded(values: dict[str, Any]) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    assert (verdict(**given).fate.value, verdict(**given).reason) == ("LOADED", None)


@pytest.mark.parametrize(
    ("flags", "values"),
    [
        ({"OVER_RECOVERED"}, {"RECOVERED": 10001, "BALANCE": -1}),
        ({"DOB_SENTINEL"}, {"DOB": 19000101}),
        (set(), {"DOB": 0}),
        ({"EVIDENCE_MISMATCH"}, {"EVIDENCE": "B"}),
        (set(), {"EVIDENCE": "F"}),
        (set(), {"EVIDENCE": " "}),
        (set(), {"HOLD": [hold("BS", 20260201, 20260402)]}),
        ({"HOLD_LONG"}, {"HOLD": [hold("BS", 20260201, 20260403)]}),
        ({"HOLD_LONG"}, {"HOLD": [hold("BS", 20260201)]}),
        (set(), {"HOLD": [hold("MH", 20260201)]}),
        ({"DECEASED_NO_DATE"}, {"HOLD": [hold("DE", 20260302)]}),
        (set(), {"HOLD": [hold("DE", 20260303)]}),
        (set(), {"HOLD": [hold("DE", 20260101)], "DOD": 20260101}),
    ],
)
def test_flags_say_what_is_odd(flags: set[str], values: dict[str, Any]) -> None:
    assert set(verdict(**values).flags) == flags


@pytest.mark.parametrize(
    ("decided", "stated", "evidence"),
    [
        (20050731, " ", "NOTES_ONLY"),
        (20050801, " ", "FULL"),
        (20121031, " ", "FULL"),
        (20121101, " ", "BASIC"),
        (0, " ", "NOTES_ONLY"),
        (20100101, "N", "NOTES_ONLY"),
        (20100101, "B", "BASIC"),
        (20130101, "F", "BASIC"),
        (20040101, "F", "NOTES_ONLY"),
    ],
)
def test_evidence_is_the_poorer_of_what_is_stated_and_what_the_day_says(
    decided: int, stated: str, evidence: str
) -> None:
    assert canonical(DECISION_DATE=decided, EVIDENCE=stated)["evidence"] == evidence


def test_a_date_of_death_implies_a_hold_unless_one_is_listed() -> None:
    assert canonical(DOD=20260101)["holds"] == [{"code": "DE", "from": "2026-01-01", "to": None}]
    listed = canonical(DOD=20260101, HOLD=[hold("DE", 20260110, 20260115)])
    assert listed["holds"] == [{"code": "DE", "from": "2026-01-10", "to": "2026-01-15"}]
    assert listed["recovery_allowed"] is True


def test_an_active_hold_or_another_status_than_active_stops_recovery() -> None:
    assert canonical()["recovery_allowed"] is True
    assert canonical(HOLD=[hold("AP", 20260302, 20260302)])["recovery_allowed"] is False
    assert canonical(HOLD=[hold("AP", 20260303)])["recovery_allowed"] is True
    assert canonical(STATUS="S")["recovery_allowed"] is False


@pytest.mark.parametrize(
    ("people", "liability"),
    [
        ([], None),
        ([joint("QQ123457A")], "JOINT_AND_SEVERAL"),
        ([joint("QQ123457A", 0), joint("QQ123458A", 1)], "SHARED"),
        ([joint("QQ123457A", 5000)], "SHARED"),
    ],
)
def test_shares_of_nothing_mean_that_each_owes_the_whole(people: list[Any], liability: str | None) -> None:
    shown = canonical(JOINT=people)
    assert (shown["joint_count"], shown["joint_liability"]) == (len(people), liability)


def test_a_temporary_number_identifies_nobody() -> None:
    shown = canonical(NINO="TN010170M", NINO_STATUS="T")
    assert (shown["nino"], shown["temporary_nino"]) == (None, "TN010170M")


def test_a_debt_is_shown_with_its_canonical_fields() -> None:
    assert canonical(BENEFIT="PC", SURNAME="O'Stub") == {
        "type": "debt", "ref": "DM0010000017", "source_system": "DEBT_MANAGER", "benefit": "PC",
        "debt_type": "OVERPAYMENT", "cause": "FRAUD", "original_pence": 10000, "adjusted_pence": 0,
        "recovered_pence": 2500, "written_off_pence": 0, "source_balance_pence": 7500, "status": "ACTIVE",
        "method": "BD", "rate_pence": 1110, "evidence": "FULL", "holds": [], "joint_count": 0,
        "joint_liability": None, "decision_date": "2010-01-01", "nino": "QQ123456A", "temporary_nino": None,
        "dob": "1970-01-31", "surname": "O'Stub", "postcode": "ZZ1 1AA", "as_at": "2026-03-02",
        "recovery_allowed": True,
    }  # fmt: skip


def test_the_worked_bytes_of_the_document_are_read_as_it_says() -> None:
    shown = canonical(
        ORIGINAL=bytes.fromhex("00000123456C"),
        ADJUSTED=bytes.fromhex("00000000001D"),
        RECOVERED=0,
        BALANCE=123455,
        RATE=bytes.fromhex("F0F0F0F1F1F1C0"),
        SURNAME=b"\x5b".ljust(35, b"\x40"),
    )
    assert (shown["original_pence"], shown["adjusted_pence"]) == (123456, -1)
    assert (shown["rate_pence"], shown["surname"]) == (1110, "\u00a3")
