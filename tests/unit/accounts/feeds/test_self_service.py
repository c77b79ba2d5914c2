"""Commands from online accounts: checks in their order, plans, disputes, addresses, replay."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Hold, JointDebtor
from integrationhub.accounts.people import ADDRESS, person_note
from tests.unit.accounts.conftest import MakeDebt
from tests.unit.accounts.feeds.messages import NOON, Messages, said

REF, NINO = "DM0010000017", "QQ000001A"
ADDRESS_OF = {"pao": "12", "street": "Test Street", "town": "Testford", "postcode": "zz12aa", "uprn": None}
PAYLOADS: dict[str, dict[str, Any]] = {
    "plan.offer": {"debtRef": REF, "instalmentPence": 500, "frequency": "MONTHLY", "firstDate": "2026-04-01"},
    "address.change": {"address": ADDRESS_OF, "effectiveDate": "2026-03-20"},
    "debt.dispute": {"debtRef": REF, "grounds": "AMOUNT", "text": "no"},
}


@pytest.fixture(scope="module")
def feed() -> Messages:
    return Messages("self-service")


def body(kind: str = "plan.offer", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A command; `changes` of itself, of its account, or else of its payload."""
    account = {"accountId": "a", "nino": NINO, "vot": "P2.Cl.Cm"}
    payload = {**PAYLOADS.get(kind, {})}
    command = {
        "commandId": str(UUID(int=number)), "commandType": kind, "schemaVersion": 1, "issuedAt": "2026-03-23T11:59:00Z",
        "nonce": f"{number:016}", "account": account, "payload": payload,
    }  # fmt: skip
    for name, value in changes.items():
        next((part for part in (command, account) if name in part), payload)[name] = value
    return command


def moment(seconds: float) -> str:
    """So many seconds after the command arrives."""
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def address(**changes: object) -> dict[str, Any]:
    return {"address": {**ADDRESS_OF, **changes}}


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in (
            "commandId", "commandType", "schemaVersion", "issuedAt", "nonce", "account", "payload", "accountId",
            "nino", "vot",
        )),
        {"commandId": "1"}, {"issuedAt": "2026-03-23 11:59:00Z"}, {"issuedAt": "2026-13-23T11:59:00Z"},
        {"nonce": "x" * 15}, {"nonce": "x" * 65}, {"schemaVersion": "1"}, {"payload": []}, {"schemaVersion": 10**18},
    ],
)  # fmt: skip
def test_an_envelope_that_does_not_fit_is_rejected(feed: Messages, book: Book, changes: dict[str, Any]) -> None:
    assert said(feed.take(body(**changes), book)) == "REJECTED SCHEMA_INVALID"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (body("plan.offer", issuedAt=moment(-300)), "LOADED"),
        (body("plan.offer", issuedAt=moment(-300.001)), "REJECTED STALE_COMMAND"),
        (body("plan.offer", issuedAt=moment(60)), "LOADED"),
        (body("plan.offer", issuedAt=moment(60.001)), "REJECTED FUTURE_COMMAND"),
        (body("plan.cancel", schemaVersion=2), "EXCEPTION UNKNOWN_CODE"),
        (body("plan.offer", schemaVersion=2, vot="P0"), "EXCEPTION UNSUPPORTED_VERSION"),
        (body("plan.offer", vot="P1.Cl.Cm"), "LOADED"),
        (body("plan.offer", vot="P1.Cl"), "EXCEPTION IDENTITY_TOO_LOW"),
        (body("plan.offer", vot="Cl.Cm"), "EXCEPTION IDENTITY_TOO_LOW"),
        (body("plan.offer", vot="P9.Cl.Cm", debtRef=1), "EXCEPTION IDENTITY_TOO_LOW"),
        (body("address.change", vot="P1.Cl.Cm"), "EXCEPTION IDENTITY_TOO_LOW"),
        (body("debt.dispute", vot="P1.Cl"), "LOADED"),
        (body("debt.dispute", vot="P0.Cl.Cm"), "EXCEPTION IDENTITY_TOO_LOW"),
        (body("plan.offer", debtRef=None, nino="X"), "EXCEPTION PAYLOAD_INVALID"),
        (body("plan.offer", instalmentPence=True), "EXCEPTION PAYLOAD_INVALID"),
        (body("plan.offer", instalmentPence=5.0), "EXCEPTION PAYLOAD_INVALID"),
        (body("plan.offer", frequency="DAILY"), "EXCEPTION PAYLOAD_INVALID"),
        (body("plan.offer", firstDate=None), "EXCEPTION PAYLOAD_INVALID"),
        (body("debt.dispute", grounds="WHIM"), "EXCEPTION PAYLOAD_INVALID"),
        (body("debt.dispute", text="x" * 2000), "LOADED"),
        (body("debt.dispute", text="x" * 2001), "EXCEPTION PAYLOAD_INVALID"),
        (body("debt.dispute", text="x\x00", nino="X"), "EXCEPTION TEXT_CONTROL_CHAR"),
        (body("address.change", address=None), "EXCEPTION PAYLOAD_INVALID"),
        (body("address.change", **address(pao=" ")), "EXCEPTION PAYLOAD_INVALID"),
        (body("address.change", **address(pao=None, sao="1")), "LOADED"),
        (body("address.change", **address(street="", town=None)), "EXCEPTION PAYLOAD_INVALID"),
        (body("address.change", **address(town=None)), "LOADED"),
        (body("address.change", **address(postcode="")), "EXCEPTION PAYLOAD_INVALID"),
        (body("address.change", **address(street="x" * 60, uprn=100)), "LOADED"),
        (body("address.change", **address(street="x" * 61)), "EXCEPTION PAYLOAD_INVALID"),
        (body("address.change", **address(locality="x\x9f")), "EXCEPTION TEXT_CONTROL_CHAR"),
        (body("plan.offer", nino="QQ00001A"), "EXCEPTION NINO_FORMAT"),
        (body("plan.offer", nino="qq 00 00 01"), "LOADED"),
        (body("plan.offer", nino="QQ000002A", debtRef="?"), "EXCLUDED NOT_A_DEBTOR"),
        (body("plan.offer", nino="TN010170M"), "EXCLUDED NOT_A_DEBTOR"),
        (body("address.change", **address(postcode="NOT A PC")), "EXCEPTION ADDRESS_INVALID"),
        (body("address.change", **address(postcode="ß1 1AA")), "EXCEPTION ADDRESS_INVALID"),
        (body("address.change", effectiveDate="2026-04-23"), "LOADED"),
        (body("address.change", effectiveDate="2026-04-24"), "EXCEPTION DATE_INVALID"),
        (body("address.change", effectiveDate="2026-02-29"), "EXCEPTION DATE_INVALID"),
        (body("plan.offer", debtRef="DM0010000018"), "EXCEPTION DEBT_UNKNOWN"),
        (body("debt.dispute", debtRef="DM0010000024"), "EXCEPTION NOT_DEBTOR"),
        (body("plan.offer", debtRef="DM0010000024"), "EXCEPTION NOT_DEBTOR"),
        (body("plan.offer", debtRef="DM0010000031"), "EXCEPTION DEBT_CLOSED"),
        (body("plan.offer", debtRef="DM0010000038", instalmentPence=0), "EXCEPTION HOLD_ACTIVE"),
        (body("plan.offer", debtRef="DM0010000045"), "LOADED"),
        (body("plan.offer", instalmentPence=0, firstDate="x"), "EXCEPTION AMOUNT_RANGE"),
        (body("plan.offer", instalmentPence=10000), "LOADED"),
        (body("plan.offer", instalmentPence=10001), "EXCEPTION AMOUNT_RANGE"),
        (body("plan.offer", instalmentPence=10**18), "EXCEPTION AMOUNT_RANGE"),
        (body("plan.offer", firstDate="2026-03-22"), "EXCEPTION DATE_INVALID"),
        (body("plan.offer", firstDate="2026-03-23"), "LOADED"),
        (body("plan.offer", firstDate="2026-05-24"), "LOADED"),
        (body("plan.offer", firstDate="2026-05-25"), "EXCEPTION DATE_INVALID"),
        (body("plan.offer", firstDate="01/04/2026"), "EXCEPTION DATE_INVALID"),
    ],
)
def test_checks_are_made_in_the_order_of_the_document(
    feed: Messages, book: Book, debt: MakeDebt, command: dict[str, Any], expected: str
) -> None:
    debt(REF, nino=NINO)
    debt("DM0010000024", nino="QQ000003A")
    debt("DM0010000031", nino=NINO, status="CLEARED", source_balance_pence=0)
    until_today = Hold(code="BS", start=date(2026, 3, 1), end=NOON.date(), origin="debt-manager")
    over = Hold(code="BS", start=date(2026, 3, 1), end=date(2026, 3, 22), origin="debt-manager")
    debt("DM0010000038", nino=NINO, holds=(until_today,))
    debt("DM0010000045", joint=(JointDebtor(nino="QQ000001", share=0, role="P"),), holds=(over,))
    assert said(feed.take(command, book)) == expected


@pytest.mark.parametrize(
    ("frequency", "most"), [("WEEKLY", 156), ("FORTNIGHTLY", 78), ("FOUR_WEEKLY", 39), ("MONTHLY", 36)]
)
def test_a_plan_of_more_than_three_years_is_long(
    feed: Messages, book: Book, debt: MakeDebt, frequency: str, most: int
) -> None:
    debt(REF, nino=NINO, source_balance_pence=most * 10)
    offers = [feed.take(body(number=pence, frequency=frequency, instalmentPence=pence), book) for pence in (10, 9)]
    assert [set(offer.flags) for offer in offers] == [set(), {"LONG_PLAN"}]
    assert offers[0].canonical == {
        "type": "plan_offer", "debt_ref": REF, "instalment_pence": 10, "frequency": frequency, "instalments": most,
        "first_date": "2026-04-01", "status": "PROPOSED",
    }  # fmt: skip
    assert [event for event, _ in book.changes.told] == ["plan.offered", "plan.offered"]


def test_a_nonce_serves_one_command_for_48_hours(feed: Messages, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    nonce = {"nonce": "n" * 16}
    at = NOON + timedelta(hours=48)
    excluded = feed.take(body(number=1, nino="QQ000009A", **nonce), book)
    loaded = feed.take(body(number=2, **nonce), book)
    replayed = feed.take(body(number=3, **nonce), book)
    still = feed.take(body(number=4, issuedAt="2026-03-25T12:00:00Z", **nonce), book, at=at)
    free = feed.take(body(number=4, issuedAt="2026-03-25T12:00:00Z", **nonce), book, at=at + timedelta(seconds=1))
    assert [said(item) for item in (excluded, loaded, replayed, still, free)] == [
        "EXCLUDED NOT_A_DEBTOR", "LOADED", "REJECTED REPLAY", "REJECTED REPLAY", "LOADED",
    ]  # fmt: skip


def test_a_command_that_comes_again_is_told_by_its_body(feed: Messages, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    feed.take(body(), book)
    late = NOON + timedelta(days=1)
    assert said(feed.take(body(), book, at=late)) == "DUPLICATE"
    assert said(feed.take(body(extra=1, nonce="z" * 20), book, at=late)) == "EXCEPTION KEY_CONFLICT"
    again = feed.take(body(number=2, nonce="z" * 20), book, at=late)
    assert said(again) == "REJECTED REPLAY"  # an exception's nonce counts


def test_a_dispute_holds_the_debt_once(feed: Messages, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    first, second = (feed.take(body("debt.dispute", number), book) for number in (1, 2))
    hold = {"type": "hold", "debt_ref": REF, "code": "DI", "from": "2026-03-23", "to": None}
    assert (first.canonical, set(first.flags)) == (hold, set())
    assert (second.canonical, set(second.flags)) == (hold, {"ALREADY_DISPUTED"})
    held = book.debt(REF)
    assert held is not None
    assert len(held.holds) == 1
    assert not held.recovery_allowed(NOON.date())


def test_a_new_address_is_the_persons_current_one(feed: Messages, book: Book, debt: MakeDebt) -> None:
    debt(REF, nino=NINO)
    verdict = feed.take(body("address.change"), book)
    assert verdict.canonical == {
        "type": "life_event", "kind": "ADDRESS_CHANGED", "effective_date": "2026-03-20", "postcode": "ZZ1 2AA",
    }  # fmt: skip
    older = feed.take(body("address.change", 2, **address(postcode="ZZ9 9ZZ"), effectiveDate="2026-01-01"), book)
    assert said(older) == "LOADED"
    held = person_note(ADDRESS, NINO, book)
    assert held is not None
    assert (held["postcode"], held["effective"]) == ("ZZ1 2AA", "2026-03-20")
    assert NINO not in str(book.changes.told)
