"""What an extract says of itself: checks in their order, controls, canonical fields (debt-manager.md §1)."""

from typing import Any

import pytest

from integrationhub.accounts.book import Book
from tests.feeds.dms import debt, detail, extract, hold, name_of
from tests.feeds.judged import JudgedFile, feed
from tests.unit.accounts.conftest import EmptyShelf

LRECL = 600
SOUND = [debt(), debt("DM0010000024", BENEFIT="UC", DEBT_TYPE="AD", CAUSE=" ")]


def judged(content: bytes, *, kind: str = "FULL", sequence: int = 7, records: int | None = None) -> JudgedFile:
    debts = feed("debt-manager", Book(EmptyShelf()))
    return debts.file(name_of(kind, sequence), content, records=records)


def structure(content: bytes, **given: Any) -> str | None:
    fault = judged(content, **given).facts.structure
    return None if fault is None else fault.code


def control(debts: list[dict[str, Any]] = SOUND, **trailer: Any) -> str | None:
    facts = judged(extract("DELTA", 7, debts, trailer=trailer), kind="DELTA").facts
    assert facts.structure is None
    return None if facts.control is None else facts.control.code


def test_a_sound_extract_says_what_it_holds() -> None:
    facts = judged(extract("FULL", 7, SOUND), records=4).facts
    assert (facts.structure, facts.control, facts.whole, facts.sequence) == (None, None, True, 7)
    assert facts.canonical == {
        "kind": "FULL", "seq": 7, "as_at": "2026-03-02", "balance_total_pence": 15000, "details": 2,
    }  # fmt: skip
    assert {item.name: item.actual for item in facts.controls} == {
        "details": 2, "inserts": 2, "changes": 0, "deletes": 0, "balance": 15000, "benefits": 2,
        "count IS": 1, "balance IS": 7500, "count UC": 1, "balance UC": 7500, "ref_hash": 20000041,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["FULL", "DELTA"])
def test_an_extract_without_details_is_sound(kind: str) -> None:
    empty = judged(extract(kind, 7, []), kind=kind, records=2)
    assert (empty.facts.structure, empty.facts.control, empty.units) == (None, None, [])


@pytest.mark.parametrize(
    ("code", "header"),
    [
        ("HEADER_INVALID", {"DM-H-FILE-ID": "DMSOTHER"}),
        ("HEADER_INVALID", {"DM-H-FILE-KIND": "D"}),
        ("HEADER_INVALID", {"DM-H-FILE-KIND": "X"}),
        ("HEADER_INVALID", {"DM-H-SEQ": 8}),
        ("HEADER_INVALID", {"DM-H-SEQ": b"\xf0\xf0\xf0\xf0\xf0\xc1"}),
        ("HEADER_INVALID", {"DM-H-AS-AT": 20260303}),
        ("HEADER_INVALID", {"DM-H-PREV-SEQ": 5}),
        ("HEADER_INVALID", {"DM-H-LAYOUT": "0001"}),
        (None, {"DM-H-RUN-TS": 20260302030001}),
    ],
)
def test_a_header_must_say_what_the_name_says(code: str | None, header: dict[str, Any]) -> None:
    assert structure(extract("FULL", 7, SOUND, header=header)) == code


@pytest.mark.parametrize("action", ["C", "D", "X"])
def test_a_full_extract_only_inserts(action: str) -> None:
    assert structure(extract("FULL", 7, [debt(), debt(action=action)])) == "HEADER_INVALID"


def test_the_first_check_in_the_documents_order_is_the_reason() -> None:
    whole = extract("FULL", 7, SOUND)
    head, first, second, tail = (whole[start : start + LRECL] for start in range(0, len(whole), LRECL))
    unknown = b"\xe7" + first[1:]
    assert structure(whole[:-1], records=9) == "LENGTH_NOT_MULTIPLE"
    assert structure(first + second + tail, records=4) == "RECORD_COUNT"
    assert structure(first + second + tail) == "HEADER_INVALID"
    assert structure(unknown + head + tail) == "HEADER_INVALID"
    assert structure(head + first + second) == "TRAILER_INVALID"
    assert structure(head + first + head + tail) == "TRAILER_INVALID"
    assert structure(head + first + tail + second + tail) == "TRAILER_INVALID"
    assert structure(head + tail + unknown) == "TRAILER_INVALID"
    assert structure(head) == "TRAILER_INVALID"
    assert structure(head + unknown + tail) == "RECORD_TYPE_UNKNOWN"
    assert structure(b"\x40" * (LRECL - 1)) == "LENGTH_NOT_MULTIPLE"


@pytest.mark.parametrize("trailer", [{"DM-T-SEQ": 6}, {"DM-T-FILE-ID": "DMSOTHER"}])
def test_a_trailer_must_be_that_of_the_file(trailer: dict[str, Any]) -> None:
    assert structure(extract("FULL", 7, SOUND, trailer=trailer)) == "TRAILER_INVALID"


@pytest.mark.parametrize(
    ("code", "trailer"),
    [
        ("CONTROL_COUNT", {"DM-T-DETAILS": 3}),
        ("CONTROL_COUNT", {"DM-T-INSERTS": 1}),
        ("CONTROL_COUNT", {"DM-T-CHANGES": 1}),
        ("CONTROL_COUNT", {"DM-T-DELETES": 1}),
        ("CONTROL_COUNT", {"DM-T-DETAILS": 3, "DM-T-BALANCE": 0}),
        ("CONTROL_TOTAL", {"DM-T-BALANCE": 14999}),
        ("CONTROL_TOTAL", {"DM-T-BALANCE": b"\xff" * 8}),
        ("CONTROL_TOTAL", {"DM-T-BENEFITS": 1}),
        ("CONTROL_TOTAL", {"DM-T-BENEFITS": 31}),
        ("CONTROL_TOTAL", {"DM-T-REF-HASH": 1}),
        (
            "CONTROL_TOTAL",
            {"DM-T-BENEFIT": [{"DM-TB-CODE": "IS", "DM-TB-COUNT": 2, "DM-TB-BALANCE": 7500}, *[{}] * 29]},
        ),
        (None, {}),
    ],
)
def test_the_trailer_s_controls_must_hold(code: str | None, trailer: dict[str, Any]) -> None:
    assert control(**trailer) == code


def test_deletes_count_but_carry_no_money_and_malformed_references_are_in_no_hash() -> None:
    assert control([debt(), debt("DM0010000024", "D", BALANCE=b"\xff" * 6), debt("XX0010000031")]) is None


def test_a_balance_that_cannot_be_read_proves_no_total() -> None:
    spoilt = bytearray(extract("DELTA", 7, SOUND))
    spoilt[LRECL + 387 : LRECL + 393] = b"\x00\x00\x00\x00\x00\x0a"[:5] + b"\x01"
    facts = judged(bytes(spoilt), kind="DELTA").facts
    assert facts.control is not None
    assert (facts.control.code, facts.control.record) == ("CONTROL_TOTAL", 2)


def test_pieces_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    content = extract("FULL", 7, [debt(f"DM{number:010}", HOLD=[hold("AP", 20260101)]) for number in range(7)])
    whole = judged(content)
    monkeypatch.setattr("integrationhub.decode.units.dms.AT_ONCE", 2)
    cut = judged(content)
    assert cut.facts == whole.facts
    assert [unit for unit, _ in cut.units] == [unit for unit, _ in whole.units]


def test_details_are_known_by_reference_and_place() -> None:
    whole = judged(extract("FULL", 7, SOUND))
    assert [(unit.key, unit.record, unit.offset) for unit, _ in whole.units] == [
        ("DM0010000017", 2, 600),
        ("DM0010000024", 3, 1200),
    ]
    assert len(detail(SOUND[0])) == LRECL
