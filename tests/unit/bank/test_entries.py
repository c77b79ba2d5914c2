"""Each entry of a statement has the outcome that payments.md §3 gives it, by the first check that says something."""

from datetime import date

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Receipt
from tests.unit.bank.conftest import FIRST, NINO, SECOND
from tests.unit.bank.make import entry, money, mt940, notification, part, statement
from tests.unit.bank.world import World


def taken(world: World, *entries: str, net: int, **given: int | str) -> list[tuple[str, str, str | None]]:
    """What becomes of the entries of a statement that is in order."""
    found = world.take("camt", statement(*entries, net=net, **given))  # type: ignore[arg-type]
    assert (found.outcome, found.reason) == ("LOADED", None)
    return found.shown


@pytest.mark.parametrize(
    ("one", "net", "outcome", "reason"),
    [
        (entry(status="PDNG"), 0, "EXCLUDED", "NOT_BOOKED"),
        (entry(status="INFO", currency="EUR", amount="0.001"), 0, "EXCLUDED", "NOT_BOOKED"),
        (entry(currency="EUR"), 1000, "EXCEPTION", "CURRENCY"),
        (entry(currency="EUR", pence=0), 0, "EXCEPTION", "CURRENCY"),
        (entry(amount="10.00000"), 1000, "EXCEPTION", "UNMATCHED"),
        (entry(amount="123456789012.00"), 12345678901200, "EXCEPTION", "MONEY_FORMAT"),
        (entry(amount="10."), 1000, "EXCEPTION", "MONEY_FORMAT"),
        (entry(pence=0), 0, "EXCLUDED", "ZERO_AMOUNT"),
        (entry(pence=0, side="DBIT"), 0, "EXCLUDED", "ZERO_AMOUNT"),
        (entry(returned="true"), 1000, "EXCEPTION", "RETURNED_REFUND"),
        (entry(returned="1", code=True), 1000, "EXCEPTION", "RETURNED_REFUND"),
        (entry(side="DBIT"), -1000, "EXCLUDED", "OUTGOING_PAYMENT"),
        (entry(side="DBIT", returned="false"), -1000, "EXCLUDED", "OUTGOING_PAYMENT"),
        (entry(side="DBIT", returned="true"), -1000, "EXCEPTION", "REVERSAL_NO_ORIGINAL"),
        (entry(family="IDDT", batch="000101"), 1000, "EXCEPTION", "BULK_MISMATCH"),
        (entry(family="IDDT", parts=[part(FIRST)]), 1000, "LOADED", None),
        (entry(family="RCDT", batch="000101", parts=[part(FIRST)]), 1000, "LOADED", None),
        (entry(pence=1_000_000_000, parts=[part(FIRST)]), 1_000_000_000, "EXCEPTION", "AMOUNT_RANGE"),
        (entry(pence=999_999_999, parts=[part(FIRST)]), 999_999_999, "LOADED", None),
        (entry(parts=[part("\x85 " + FIRST)]), 1000, "EXCEPTION", "TEXT_CONTROL_CHAR"),
        (entry(parts=[part("DM0010000024")]), 1000, "EXCEPTION", "DEBT_CLOSED"),
        (entry(parts=[part(f"{FIRST} {SECOND}")]), 1000, "EXCEPTION", "AMBIGUOUS_REF"),
        (entry(parts=[part("NO REFERENCE")]), 1000, "EXCEPTION", "UNMATCHED"),
        (entry(parts=[part(NINO)]), 1000, "LOADED", None),
        (entry(), 1000, "EXCEPTION", "UNMATCHED"),
    ],
)
def test_the_first_check_that_says_something_decides(
    world: World, one: str, net: int, outcome: str, reason: str | None
) -> None:
    assert taken(world, one, net=net) == [("S1/1", outcome, reason)]


def test_an_amount_with_more_than_two_significant_decimals_counts_exactly_and_is_an_exception(world: World) -> None:
    both = entry(amount="0.005"), entry(amount="0.005")
    assert taken(world, *both, net=1) == [("S1/1", "EXCEPTION", "MONEY_FORMAT"), ("S1/2", "EXCEPTION", "MONEY_FORMAT")]


@pytest.mark.parametrize(
    "one",
    [
        entry(parts=[part(more=f"<RmtInf><Strd><CdtrRefInf><Ref>{FIRST}</Ref></CdtrRefInf></Strd></RmtInf>")]),
        entry(parts=[part(e2e=FIRST)]),
        entry(parts=[part(FIRST)]),
        entry(parts=[part(more=f"<AddtlTxInf>{FIRST}</AddtlTxInf>")]),
        entry(more=f"<AddtlNtryInf>{FIRST}</AddtlNtryInf>"),
        entry(parts=[part(more=f"<RmtInf><Ustrd>{FIRST[:6]}</Ustrd><Ustrd>{FIRST[6:]}</Ustrd></RmtInf>")]),
        entry(parts=[part("A &amp; B " + FIRST)]),
        entry(parts=[part(f"<![CDATA[{FIRST}]]>")]),
        entry(parts=[part(f"{FIRST[:4]}<!-- a comment -->{FIRST[4:]}")]),
    ],
)  # fmt: skip
def test_every_text_of_an_entry_may_name_the_debt(world: World, one: str) -> None:
    assert taken(world, one, net=1000) == [("S1/1", "LOADED", None)]


def test_a_receipt_shows_debt_day_amount_and_the_banks_reference(world: World) -> None:
    dates = "<BookgDt><Dt>2026-03-10</Dt></BookgDt><ValDt><DtTm>2026-03-11T23:59:59+01:00</DtTm></ValDt>"
    found = world.take("camt", statement(entry(ref="A1", dates=dates, parts=[part(FIRST)]), net=1000))
    assert found.only.canonical == {
        "type": "receipt", "source": "BANK", "amount_pence": 1000, "value_date": "2026-03-11", "debt_ref": FIRST,
        "bank_ref": "A1",
    }  # fmt: skip


def test_without_a_value_date_the_booking_date_counts(world: World) -> None:
    for name, dates in {
        "S1": "<BookgDt><Dt>2026-03-09</Dt></BookgDt>",
        "S2": "<BookgDt><Dt>2026-03-09</Dt></BookgDt><ValDt><Dt>1900-01-01</Dt></ValDt>",
    }.items():
        content = statement(entry(ref=name, dates=dates, parts=[part(FIRST)]), net=0 if name == "S0" else 1000,
                            name=name, number=int(name[1]), opening=1000 * (int(name[1]) - 1))  # fmt: skip
        canonical = world.take("camt", content).only.canonical
        assert canonical is not None
        assert canonical["value_date"] == "2026-03-09"


def test_transactions_that_add_up_are_receipts_of_their_own(world: World) -> None:
    split = entry(3000, ref="A1", parts=[part(FIRST, pence=1000), part(SECOND, pence=1500), part("?", pence=500)])
    assert taken(world, split, net=3000) == [
        ("S1/1/1", "LOADED", None),
        ("S1/1/2", "LOADED", None),
        ("S1/1/3", "EXCEPTION", "UNMATCHED"),
    ]
    assert world.book.receipt("BANK", "GB00TEST00009900012345/A1/2") is not None


@pytest.mark.parametrize("parts", [[1000, 1999], [1000, None], [3000, 3000]])
def test_transactions_that_do_not_add_up_put_the_whole_entry_into_suspense(
    world: World, parts: list[int | None]
) -> None:
    split = entry(3000, ref="A1", parts=[part(FIRST, pence=pence) for pence in parts])
    found = world.take("camt", statement(split, net=3000))
    assert found.shown == [("S1/1", "EXCEPTION", "ENTRY_SPLIT_MISMATCH")]
    assert found.only.canonical is not None
    assert (found.only.canonical["amount_pence"], found.only.canonical["suspense"]) == (3000, True)


def test_transactions_of_what_is_no_receipt_are_not_told_apart(world: World) -> None:
    two = [part(FIRST, pence=500), part(SECOND, pence=500)]
    entries = entry(side="DBIT", parts=two), entry(status="PDNG", parts=two), entry(currency="EUR", parts=two)
    assert [reason for _, _, reason in taken(world, *entries, net=0)] == ["OUTGOING_PAYMENT", "NOT_BOOKED", "CURRENCY"]


def test_amounts_of_transactions_stand_where_either_version_has_them(world: World) -> None:
    new = [f'<TxDtls><Amt Ccy="GBP">{money(500)}</Amt>{part(FIRST)[8:]}' for _ in range(2)]
    content = statement(entry(1000, code=True, parts=new), net=1000, version="08")
    assert [key for key, _, _ in world.take("camt", content).shown] == ["S1/1/1", "S1/1/2"]


def test_a_reversal_takes_back_the_receipt_with_its_reference_or_else_its_text(world: World) -> None:
    paid = [
        entry(ref="A1", parts=[part(FIRST, e2e="E1")]),
        entry(ref="A2", parts=[part(SECOND)]),
        entry(ref="A3", parts=[part("NOBODY", e2e="E3")]),
    ]
    back = [
        entry(side="DBIT", returned="true", ref="R1", parts=[part("OTHER TEXT", e2e="E1")]),
        entry(side="DBIT", returned="true", ref="R2", parts=[part(SECOND)]),
        entry(side="DBIT", returned="true", ref="R3", parts=[part(e2e="E3")]),
        entry(side="DBIT", returned="true", ref="R4", parts=[part(e2e="E3")]),
    ]
    taken(world, *paid, net=3000)
    found = world.take("camt", statement(*back, net=-4000, opening=3000, name="S2", number=2))
    assert [(reason, verdict.canonical and verdict.canonical["amount_pence"]) for (_, verdict), (_, _, reason) in
            zip(found.units, found.shown, strict=True)] == [
        (None, -1000), (None, -1000), (None, -1000), ("REVERSAL_NO_ORIGINAL", None),
    ]  # fmt: skip
    assert [(verdict.canonical or {}).get("debt_ref") for _, verdict in found.units] == [FIRST, SECOND, None, None]


def test_a_reversal_needs_the_same_amount_and_takes_the_oldest_first(world: World) -> None:
    paid = [
        entry(pence, ref=ref, parts=[part(FIRST, e2e="E1")]) for ref, pence in (("A1", 500), ("A2", 700), ("A3", 700))
    ]
    taken(world, *paid, net=1900)
    back = entry(700, "DBIT", returned="true", ref="R1", parts=[part(e2e="E1")])
    world.take("camt", statement(back, net=-700, opening=1900, name="S2", number=2))
    keys = {ref: world.book.receipt("BANK", f"GB00TEST00009900012345/{ref}/1") for ref in ("A1", "A2", "A3")}
    assert {ref: receipt.reversed_pence for ref, receipt in keys.items() if receipt} == {"A1": 0, "A2": 700, "A3": 0}


def test_an_entry_that_was_notified_is_a_duplicate_in_the_statement_and_counts_for_its_balance(world: World) -> None:
    one, zero = entry(ref="A1", parts=[part(FIRST)]), entry(pence=0, ref="A0")
    assert world.take("camt", notification(one, zero)).shown == [
        ("N1/1", "LOADED", None),
        ("N1/2", "EXCLUDED", "ZERO_AMOUNT"),
    ]
    assert taken(world, one, zero, net=1000) == [("S1/1", "DUPLICATE", None), ("S1/2", "EXCLUDED", "ZERO_AMOUNT")]


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (entry(parts=[part(FIRST)]), "NO_BANK_REF"),
        (entry(side="DBIT"), "OUTGOING_PAYMENT"),
        (entry(returned="true"), "RETURNED_REFUND"),
        (entry(side="DBIT", returned="true"), "NO_BANK_REF"),
    ],
)
def test_a_notified_entry_without_the_banks_reference_waits_for_the_statement(
    world: World, one: str, reason: str
) -> None:
    assert world.take("camt", notification(one)).only.reason == reason


@pytest.mark.parametrize(
    ("again", "net", "reason"),
    [
        (entry(999, ref="A1", parts=[part(FIRST)]), 999, "KEY_CONFLICT"),
        (entry(side="DBIT", ref="A1"), -1000, "KEY_CONFLICT"),
        (entry(ref="A1", parts=[part("OTHER")]), 1000, None),
        (entry(pence=0, ref="A1"), 0, "ZERO_AMOUNT"),
        (entry(ref="A1", currency="EUR"), 1000, "CURRENCY"),
    ],
)
def test_the_banks_reference_with_another_amount_or_side_is_a_conflict(
    world: World, again: str, net: int, reason: str | None
) -> None:
    taken(world, entry(ref="A1", parts=[part(FIRST)]), net=1000)
    found = world.take("camt", statement(again, net=net, opening=1000, name="S2", number=2))
    assert found.only.reason == reason


def test_equal_entries_without_the_banks_reference_are_told_apart_by_their_number_in_the_statement(
    world: World,
) -> None:
    one = entry(parts=[part(FIRST)])
    assert [outcome for _, outcome, _ in taken(world, one, one, net=2000)] == ["LOADED", "LOADED"]
    found = world.take("camt", statement(one, one, one, net=3000, opening=2000, name="S2", number=2))
    assert [outcome for _, outcome, _ in found.shown] == ["DUPLICATE", "DUPLICATE", "LOADED"]


def test_a_bulk_credit_whose_submission_was_itemised_is_left_out(world: World, book: Book) -> None:
    for number, pence in enumerate((600, 400), start=1):
        receipt = Receipt(
            source="BACS_COLLECTION",
            key=f"000101/{number}",
            amount_pence=pence,
            value_date=date(2026, 3, 9),
            marks={"serial": "000101"},
        )
        book.post(receipt)
    bulk = [entry(pence, family="IDDT", batch="000101") for pence in (1000, 999)]
    assert [reason for _, _, reason in taken(world, *bulk, net=1999)] == ["BULK_ALREADY_ITEMISED", "BULK_MISMATCH"]
    assert not book.receipts_marked("BANK", "end_to_end", "")


@pytest.mark.parametrize(
    ("line", "text", "closing", "becomes"),
    [
        (":61:260313C10,00NTRFNONREF//B1", FIRST, "C260313GBP10,", ("LOADED", None)),
        (":61:2603130312C10,NTRFNONREF", FIRST, "C260313GBP10,00", ("LOADED", None)),
        (f":61:260313CP10,0FMSC{FIRST}//B1", "NO REF", "C260313GBP10,0", ("LOADED", None)),
        (":61:260313C10,NTRFNONREF//B1", f"166?00?20{FIRST[:5]}?21{FIRST[5:]}?32X", "C260313GBP10,", ("LOADED", None)),
        (":61:260313C10,00NTRFNONREF//B1", f"166?00{FIRST}?32{SECOND}", "C260313GBP10,", ("EXCEPTION", "UNMATCHED")),
        (":61:260313C0,NTRFNONREF//B1", FIRST, "C260313GBP0,", ("EXCLUDED", "ZERO_AMOUNT")),
        (":61:260313D10,NTRFNONREF//B1", FIRST, "D260313GBP10,", ("EXCLUDED", "OUTGOING_PAYMENT")),
        (":61:260313RD10,NTRFNONREF//B1", FIRST, "C260313GBP10,", ("EXCEPTION", "RETURNED_REFUND")),
        (":61:260313RC10,NTRFNONREF//B1", FIRST, "D260313GBP10,", ("EXCEPTION", "REVERSAL_NO_ORIGINAL")),
    ],
)  # fmt: skip
def test_lines_of_mt940_are_judged_like_entries(
    world: World, line: str, text: str, closing: str, becomes: tuple[str, str | None]
) -> None:
    found = world.take("mt940", mt940(line, f":86:{text}", closing=closing))
    assert (found.outcome, found.shown) == ("LOADED", [("MT1/1", *becomes)])


def test_an_mt940_line_goes_back_by_its_customers_reference(world: World) -> None:
    lines = [":61:260313C10,NTRFC1//B1", f":86:{FIRST}", ":61:260313RC10,NTRFC1//B2", ":86:BACK"]
    found = world.take("mt940", mt940(*lines))
    assert [(outcome, reason) for _, outcome, reason in found.shown] == [("LOADED", None), ("LOADED", None)]
    assert (found.units[1][1].canonical or {})["debt_ref"] == FIRST


def test_statements_in_another_currency_are_not_taken_for_pounds(world: World) -> None:
    content = mt940(":61:260313C10,NTRFC1//B1", f":86:{FIRST}", opening="C260313EUR0,", closing="C260313EUR10,")
    assert world.take("mt940", content).only.reason == "CURRENCY"
