"""Answers to identity questions: what each result needs, what it does, and parties that are not merged."""

from datetime import date
from typing import Any

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note
from tests.unit.accounts.conftest import MakeDebt
from tests.unit.accounts.feeds.messages import Messages, said

REF, NINO = "DM0010000017", "QQ000001A"


@pytest.fixture(scope="module")
def feed() -> Messages:
    return Messages("cis")


@pytest.fixture(autouse=True)
def _asked(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    book.keep(Note(feed="cis", kind="request", key="q1", value={"debt_ref": REF, "asked_nino": NINO}))


def body(result: str = "VERIFIED", number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "requestId": "q1", "responseId": f"r{number}", "respondedAt": "2026-03-24T09:00:00Z", "result": result,
        "nino": NINO, "confidence": None, "person": {"surname": "Found"}, "supersededBy": None, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("result", "changes", "expected"),
    [
        ("VERIFIED", {"requestId": None}, "REJECTED SCHEMA_INVALID"),
        ("VERIFIED", {"respondedAt": None}, "REJECTED SCHEMA_INVALID"),
        ("VERIFIED", {"nino": 1}, "REJECTED SCHEMA_INVALID"),
        ("TRACED", {"confidence": "97"}, "REJECTED SCHEMA_INVALID"),
        ("VERIFIED", {"requestId": "q2"}, "EXCEPTION REQUEST_UNKNOWN"),
        ("VERIFIED", {"nino": "QQ 00 00 01 C"}, "LOADED"),
        ("VERIFIED", {"nino": "QQ000002A"}, "EXCEPTION NINO_MISMATCH"),
        ("VERIFIED", {"nino": None}, "EXCEPTION NINO_MISMATCH"),
        ("TRACED", {"nino": "TN310150F", "confidence": 99}, "EXCEPTION NINO_FORMAT"),
        ("TRACED", {"nino": "QQ1"}, "EXCEPTION NINO_FORMAT"),
        ("TRACED", {"nino": "QQ000002A", "confidence": 95}, "LOADED"),
        ("TRACED", {"nino": "QQ000002A", "confidence": 94}, "EXCEPTION LOW_CONFIDENCE"),
        ("TRACED", {"nino": "QQ000002A", "confidence": 101}, "EXCEPTION LOW_CONFIDENCE"),
        ("TRACED", {"nino": "QQ000002A"}, "EXCEPTION LOW_CONFIDENCE"),
        ("TEMPORARY", {"nino": "TN310150F"}, "LOADED"),
        ("TEMPORARY", {"nino": "PP000001A"}, "LOADED"),
        ("TEMPORARY", {}, "EXCEPTION NINO_FORMAT"),
        ("MERGED", {"supersededBy": "QQ000002A"}, "LOADED"),
        ("MERGED", {}, "EXCEPTION NINO_FORMAT"),
        ("NOT_FOUND", {"nino": None}, "LOADED"),
        ("PERHAPS", {}, "EXCEPTION UNKNOWN_CODE"),
    ],
)
def test_each_result_needs_what_the_document_says(
    feed: Messages, book: Book, result: str, changes: dict[str, Any], expected: str
) -> None:
    assert said(feed.take(body(result, **changes), book)) == expected


def identity(book: Book) -> tuple[str | None, str | None]:
    debt = book.debt(REF)
    assert debt is not None
    return debt.nino, debt.nino_status


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (body("VERIFIED"), (NINO, "VERIFIED")),
        (body("TRACED", nino="QQ000002B", confidence=100), ("QQ000002B", "TRACED")),
        (body("TEMPORARY", nino="TN310150F"), (None, "TEMPORARY")),
        (body("MERGED", supersededBy="QQ000003C"), ("QQ000003C", "VERIFIED")),
        (body("NOT_FOUND", nino=None), (NINO, "UNVERIFIED")),
        (body("PERHAPS"), (NINO, None)),
    ],
)
def test_the_party_is_known_as_the_answer_says(
    feed: Messages, book: Book, message: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    verdict = feed.take(message, book)
    assert identity(book) == expected
    if verdict.canonical is not None:
        nino, status = expected
        assert verdict.canonical == {"type": "identity", "debt_ref": REF, "nino": nino, "nino_status": status}
        assert book.changes.told == [("identity.changed", {"debt_ref": REF, "nino_status": status})]


def test_all_debts_of_the_party_follow_and_the_old_number_finds_it_no_longer(
    feed: Messages, book: Book, debt: MakeDebt
) -> None:
    debt("DM0010000024", nino="QQ000001")
    feed.take(body("MERGED", supersededBy="QQ000003C"), book)
    assert [owed.ref for owed in book.debts_of("QQ000003C")] == [REF, "DM0010000024"]
    assert book.debts_of(NINO) == []
    assert book.debts_of("QQ000003")[0].details["nino_aliases"] == [NINO]


def test_a_question_is_answered_once(feed: Messages, book: Book) -> None:
    answers = [
        body("NOT_FOUND", 1, requestId="q9"), body("TRACED", 2, confidence=1), body("TRACED", 2, confidence=1),
        body("TRACED", 2, confidence=99), body("TRACED", 3, confidence=99), body("NOT_FOUND", 4),
        body("TRACED", 5, nino="QQ000002A", confidence=99),
    ]  # fmt: skip
    assert [said(feed.take(answer, book)) for answer in answers] == [
        "EXCEPTION REQUEST_UNKNOWN", "EXCEPTION LOW_CONFIDENCE", "DUPLICATE", "EXCEPTION KEY_CONFLICT",
        "DUPLICATE ALREADY_ANSWERED", "EXCEPTION KEY_CONFLICT", "EXCEPTION KEY_CONFLICT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"surname": "TEST case"}, "LOADED SAME_PERSON"),
        ({"surname": "Otherone"}, "EXCEPTION PARTY_MERGE"),
        ({"dob": date(1970, 1, 2)}, "EXCEPTION PARTY_MERGE"),
        ({"dob": None}, "EXCEPTION PARTY_MERGE"),
    ],
)
def test_parties_are_never_merged_unless_they_are_the_same_person(
    feed: Messages, book: Book, debt: MakeDebt, other: dict[str, Any], expected: str
) -> None:
    debt("DM0010000024", nino="QQ000002D", **other)
    number: dict[str, Any] = {"nino": "QQ000002D", "confidence": 99, "supersededBy": "QQ000002D"}
    book.keep(Note(feed="cis", kind="request", key="q2", value={"debt_ref": REF, "asked_nino": NINO}))
    merged = feed.take(body("MERGED", **number), book)
    verdict = feed.take(body("TRACED", 2, requestId="q2", **number), book)
    assert said(merged) == said(verdict)
    assert " ".join([said(verdict), *verdict.flags]) == expected
