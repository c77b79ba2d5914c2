"""Webhooks of GOV.UK Pay: checks in their order, receipts, cumulative refunds, settlements."""

from typing import Any

import pytest

from integrationhub.accounts.book import Book
from tests.unit.accounts.conftest import MakeDebt
from tests.unit.accounts.feeds.messages import Messages, said

REF = "DM0010000017"


@pytest.fixture(scope="module")
def feed() -> Messages:
    return Messages("gov-pay")


def body(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A captured payment; `changes` of the resource, or of the message where it has such a field."""
    resource = {
        "amount": 1000, "reference": REF, "description": "Pay back", "payment_id": "p1", "payment_provider": "worldpay",
        "email": "nobody@example.test", "refund_summary": {"amount_submitted": 0},
        "settlement_summary": {"captured_date": "2026-03-05"},
    }  # fmt: skip
    message = {
        "webhook_message_id": f"m{number}", "api_version": 1, "created_date": "2026-03-06T10:36:26.988Z",
        "resource_id": "p1", "resource_type": "payment", "event_type": "card_payment_captured", "resource": resource,
    }  # fmt: skip
    for name, value in changes.items():
        (message if name in message else resource)[name] = value
    return message


def refund(number: int, submitted: object, **changes: Any) -> dict[str, Any]:
    summary = {"amount_submitted": submitted}
    return body(number, event_type="card_payment_refunded", refund_summary=summary, **changes)


def without(name: str) -> dict[str, Any]:
    message = body()
    (message if name in message else message["resource"]).pop(name)
    return message


@pytest.mark.parametrize(
    "message",
    [
        *(without(name) for name in (
            "webhook_message_id", "api_version", "created_date", "resource_id", "resource_type", "event_type",
            "resource", "amount", "reference", "payment_id", "payment_provider",
        )),
        *(body(amount=amount) for amount in (True, 10.0, 10.5, "1000", None)),
        body(total_amount="1"), body(refund_summary=[]), body(resource_id="p2"), body(api_version="1"),
        body(created_date="2026-03-06 10:36:26Z"), body(created_date="2026-02-30T10:36:26Z"),
        body(created_date="2026-03-06T10:36:26.9Z"), body(settlement_summary={"captured_date": 20260305}),
        body(event_type="card_payment_refunded", refund_summary=None), refund(1, None), refund(1, 10.5),
        body(webhook_message_id=""), body(api_version=10**19),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_schema_is_rejected_and_not_remembered(
    feed: Messages, book: Book, debt: MakeDebt, message: dict[str, Any]
) -> None:
    debt(REF)
    assert said(feed.take(message, book)) == "REJECTED SCHEMA_INVALID"
    assert said(feed.take(body(), book)) == "LOADED"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"api_version": 2, "resource_type": "refund"}, "EXCEPTION UNSUPPORTED_VERSION"),
        ({"resource_type": "refund", "payment_provider": "sandbox"}, "EXCLUDED NOT_A_PAYMENT"),
        ({"payment_provider": "sandbox", "event_type": "card_payment_failed"}, "EXCLUDED TEST_PAYMENT"),
        ({"event_type": "card_payment_succeeded", "amount": 0}, "EXCLUDED NOT_MONEY"),
        ({"event_type": "card_payment_failed"}, "EXCLUDED NOT_MONEY"),
        ({"event_type": "card_payment_expired"}, "EXCLUDED NOT_MONEY"),
        ({"event_type": "card_payment_lost", "reference": "\x07"}, "EXCEPTION UNKNOWN_CODE"),
        ({"reference": "a\x85b", "amount": 0}, "EXCEPTION TEXT_CONTROL_CHAR"),
        ({"description": "a\x00b"}, "EXCEPTION TEXT_CONTROL_CHAR"),
        ({"description": "a\tb\r\n"}, "LOADED"),
        ({"amount": 0}, "EXCEPTION AMOUNT_RANGE"),
        ({"amount": 1}, "LOADED"),
        ({"amount": 10_000_000}, "LOADED"),
        ({"amount": 10_000_001}, "EXCEPTION AMOUNT_RANGE"),
        ({"amount": 10**19}, "EXCEPTION AMOUNT_RANGE"),
        ({"total_amount": 10**19}, "EXCEPTION AMOUNT_RANGE"),
        ({"settlement_summary": {"captured_date": "2026-02-30"}}, "EXCEPTION DATE_INVALID"),
    ],
)
def test_checks_are_made_in_the_order_of_the_document(
    feed: Messages, book: Book, debt: MakeDebt, changes: dict[str, Any], expected: str
) -> None:
    debt(REF)
    assert said(feed.take(body(**changes), book)) == expected
    assert said(feed.take(body(**changes), book)) == "DUPLICATE"  # every outcome but REJECTED is remembered
    assert said(feed.take(body(**{**changes, "language": "cy"}), book)) == "EXCEPTION KEY_CONFLICT"


def test_the_debts_part_of_the_payment_is_posted_once(feed: Messages, book: Book, debt: MakeDebt) -> None:
    owed = debt(REF)
    verdict = feed.take(body(reference=f"DM {REF[2:]}", total_amount=1250), book)
    assert verdict.canonical == {
        "type": "receipt", "source": "CARD", "amount_pence": 1000, "value_date": "2026-03-05", "debt_ref": REF,
        "payment_id": "p1",
    }  # fmt: skip
    assert said(feed.take(body(2), book)) == "DUPLICATE"
    assert said(feed.take(body(3, amount=999), book)) == "EXCEPTION KEY_CONFLICT"
    assert book.balance(owed) == 9000


def test_without_a_capture_date_the_messages_day_is_the_value_date(feed: Messages, book: Book, debt: MakeDebt) -> None:
    debt(REF)
    for number, summary in enumerate((None, {}, {"captured_date": "1900-01-01"})):
        changes = {"settlement_summary": summary, "payment_id": f"q{number}", "resource_id": f"q{number}"}
        verdict = feed.take(body(number, **changes), book)
        assert verdict.canonical is not None
        assert verdict.canonical["value_date"] == "2026-03-06"


def test_refunds_are_cumulative_and_come_in_any_order(feed: Messages, book: Book, debt: MakeDebt) -> None:
    owed = debt(REF)
    assert said(feed.take(refund(1, 300), book)) == "EXCEPTION REFUND_NO_PAYMENT"
    feed.take(body(2), book)
    first, again, older, rest, more = (
        feed.take(refund(number, pence), book) for number, pence in ((3, 300), (4, 300), (5, 200), (6, 1000), (7, 1001))
    )
    assert first.canonical == {
        "type": "reversal", "source": "CARD_REFUND", "amount_pence": -300, "value_date": "2026-03-06", "debt_ref": REF,
        "payment_id": "p1",
    }  # fmt: skip
    assert [said(verdict) for verdict in (again, older, more)] == [
        "DUPLICATE", "DUPLICATE STALE_VERSION", "EXCEPTION AMOUNT_RANGE",
    ]  # fmt: skip
    assert rest.canonical is not None
    assert rest.canonical["amount_pence"] == -700
    assert book.balance(owed) == 10000


def test_a_surcharge_may_be_refunded_too(feed: Messages, book: Book, debt: MakeDebt) -> None:
    debt(REF)
    feed.take(body(1, total_amount=1250), book)
    assert said(feed.take(refund(2, 1251, total_amount=1250), book)) == "EXCEPTION AMOUNT_RANGE"
    assert said(feed.take(refund(3, 1250, total_amount=1250), book)) == "LOADED"


def test_a_payment_that_matches_nothing_is_in_suspense_and_so_is_its_refund(feed: Messages, book: Book) -> None:
    suspended = feed.take(body(reference="rent"), book)
    assert said(suspended) == "EXCEPTION UNMATCHED"
    assert said(feed.take(body(2, reference="rent"), book)) == "DUPLICATE"
    refunded = feed.take(refund(3, 1000), book)
    for verdict in (suspended, refunded):
        assert verdict.canonical is not None
        assert (verdict.canonical["suspense"], verdict.canonical["debt_ref"]) == (True, None)


def test_a_settlement_is_told_once_a_payment(feed: Messages, book: Book) -> None:
    settled = {"event_type": "card_payment_settled", "settlement_summary": {"settled_date": "2026-03-07"}}
    verdict = feed.take(body(1, **settled), book)
    assert verdict.canonical == {"type": "settlement", "payment_id": "p1", "settled_date": "2026-03-07"}
    assert said(feed.take(body(2, **settled), book)) == "DUPLICATE"


def test_nothing_of_card_and_payer_reaches_the_unit(feed: Messages) -> None:
    card: dict[str, Any] = {"card_details": {"cardholder_name": "Zz Holder", "last_digits_card_number": "1234"}}
    values = repr(feed.unit(body(**card)))
    assert not any(word in values for word in ("Holder", "1234", "example.test"))
