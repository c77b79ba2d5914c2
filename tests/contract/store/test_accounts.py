"""The book of accounts comes back from the store as it was written, and is found by all that it is looked up by."""

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from sqlalchemy import text

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Hold, JointDebtor, Note, Origin, Receipt, Reversal
from integrationhub.canonical.model import ENTITIES, Type
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.exports import export
from integrationhub.store.invariants import check
from integrationhub.store.schema import CANONICAL
from integrationhub.store.unit_of_work import Store, Work

ORIGIN = Origin(
    delivery_id="0" * 32, record=3, offset=128, mapping_id="debt-manager/debt_records@1+0", at=datetime.now(UTC)
)
DEBT = Debt(
    ref="UD0010000004",
    source_system="UNIVERSAL_CREDIT",
    source_id='{"debtId":"4"}',
    version="2026-03-01T00:00:00.000Z",
    content="c",
    status="ACTIVE",
    kind="OVERPAYMENT",
    benefit="UC",
    cause="FRAUD",
    original_pence=10_000,
    adjusted_pence=0,
    recovered_pence=0,
    written_off_pence=0,
    source_balance_pence=10_000,
    as_at=date(2026, 3, 1),
    nino="QQ000001A",
    nino_status="VERIFIED",
    surname="O'Testcase",
    dob=date(1980, 2, 29),
    postcode="ZZ1 1AA",
    joint=(JointDebtor(nino="QQ000002B", share=2_500, role="P"),),
    holds=(Hold(code="BS", start=date(2026, 1, 1), end=None, origin="debt-manager"),),
    details={"method": "BD"},
)
DELIVERY = Delivery(
    delivery_id=ORIGIN.delivery_id,
    connector="debt-manager",
    name="DMS",
    sha256="0",
    bytes=1,
    state=State.ACCEPTED,
    report={"records": 0, "outcomes": {}},
    path="DMS",
    received_at=ORIGIN.at,
)
RECEIPT = Receipt(
    source="BANK",
    key="k1",
    amount_pence=4_000,
    value_date=date(2026, 3, 2),
    debt_ref=DEBT.ref,
    marks={"end_to_end_id": "E1", "texts": ["x"]},
)


def a_book(work: Work) -> Book:
    book = Book(work.accounts.shelf())
    book.judging(ORIGIN)
    return book


def written(store: Store, *debts: Debt, receipts: tuple[Receipt, ...] = ()) -> None:
    with store.begin() as work:
        book = a_book(work)
        for debt in debts:
            book.put(debt)
        for receipt in receipts:
            book.post(receipt)
        work.accounts.flush(book.changes)
        work.commit()


def test_a_debt_comes_back_as_it_was_by_all_that_it_is_looked_up_by(store: Store) -> None:
    written(store, DEBT)

    with store.begin() as work:
        assert a_book(work).debt(DEBT.ref) == DEBT
        assert a_book(work).debt_by_source_id(DEBT.source_system, DEBT.source_id) == DEBT
        assert a_book(work).debts_of("QQ000001") == [DEBT]
        assert a_book(work).joint_debts_of("QQ000002B") == [DEBT]
        assert a_book(work).debts_of_person("otestcase", date(1980, 2, 29)) == [DEBT]
        assert a_book(work).debts_of("QQ000002") == []
        assert a_book(work).debt_by_source_id("DEBT_MANAGER", DEBT.source_id) is None


def test_a_debt_that_changes_is_found_by_what_it_is_now(store: Store) -> None:
    written(store, DEBT)
    written(store, replace(DEBT, nino="QQ000009C", joint=(), holds=(), details={}, surname=None))

    with store.begin() as work:
        assert a_book(work).debts_of("QQ000001") == []
        assert a_book(work).joint_debts_of("QQ000002") == []
        (found,) = a_book(work).debts_of("QQ000009")
        assert (found.joint, found.holds, found.details) == ((), (), {})


def test_the_balance_counts_what_came_after_the_as_at_date_and_what_went_back(store: Store) -> None:
    early = replace(RECEIPT, key="k0", value_date=date(2026, 3, 1))
    written(store, DEBT, receipts=(early, RECEIPT))

    with store.begin() as work:
        book = a_book(work)
        debt = book.debt(DEBT.ref)
        assert debt is not None
        assert book.balance(debt) == 6_000
        (found,) = book.receipts_marked("BANK", "end_to_end_id", "E1")[1:]
        assert found == replace(RECEIPT, number=found.number)
        book.reverse(Reversal(source="BANK", key="r1", receipt=found, amount_pence=-1_000, value_date=date(2026, 3, 5)))
        assert book.balance(debt) == 7_000
        work.accounts.flush(book.changes)
        work.commit()

    with store.begin() as work:
        book = a_book(work)
        debt = book.debt(DEBT.ref)
        assert debt is not None
        assert book.balance(debt) == 7_000
        again = book.receipt("BANK", "k1")
        assert again is not None
        assert again.reversed_pence == 1_000


def test_receipts_come_in_the_order_of_posting_and_each_once(store: Store) -> None:
    first, second = replace(RECEIPT, key="a"), replace(RECEIPT, key="b")
    written(store, DEBT, receipts=(second, first))

    with store.begin() as work:
        found = work.accounts.shelf().receipts_marked(
            [("BANK", "end_to_end_id", "E1"), ("BANK", "end_to_end_id", "E1")]
        )
        assert [receipt.key for receipt in found] == ["b", "a"]


def test_a_note_stands_in_the_place_of_the_one_before_it(store: Store) -> None:
    for number in (1, 2):
        with store.begin() as work:
            book = a_book(work)
            book.keep(Note(feed="cis", kind="request", key="r", value={"n": number}, about=DEBT.ref))
            work.accounts.flush(book.changes)
            work.commit()

    with store.begin() as work:
        note = a_book(work).note("cis", "request", "r")
        assert note == Note(feed="cis", kind="request", key="r", value={"n": 2}, about=DEBT.ref)


FAULTS = {
    "a receipt on two places": (
        "money-in-is-allocated-in-suspense-or-back",
        "UPDATE money SET case_ref = '121000000018' WHERE debt_ref IS NOT NULL",
    ),
    "a receipt nowhere": ("money-in-is-allocated-in-suspense-or-back", "UPDATE money SET debt_ref = NULL"),
    "more back than came": (
        "money-in-is-allocated-in-suspense-or-back",
        "UPDATE money_back SET amount_pence = -amount_pence - 9000",
    ),
    "a forgotten reversal": ("money-in-is-allocated-in-suspense-or-back", "DELETE FROM money_back"),
    "a reversal of nothing": ("money-goes-back-from-where-it-came", "DELETE FROM money"),
    "a balance that does not follow": (
        "balances-follow-from-their-parts", "UPDATE accounts SET source_balance_pence = 1",
    ),
    "an unknown status": ("balances-follow-from-their-parts", "UPDATE accounts SET status = 'PAID'"),
    "a debt that is gone": ("money-and-people-belong-to-known-debts", "DELETE FROM accounts"),
    "a mark of nothing": ("marks-belong-to-known-receipts", "DELETE FROM money"),
    "rows from nowhere": ("accounts-have-provenance", "UPDATE accounts SET record_no = 0"),
    "a receipt with another key": ("receipts-follow-from-their-keys", "UPDATE money SET key = 'other'"),
}  # fmt: skip


@pytest.mark.parametrize(("invariant", "change"), FAULTS.values(), ids=FAULTS)
def test_whatever_is_altered_by_hand_is_found(store: Store, invariant: str, change: str) -> None:
    written(store, DEBT, receipts=(RECEIPT,))
    with store.begin() as work:
        book = a_book(work)
        receipt = book.receipt("BANK", "k1")
        assert receipt is not None
        book.reverse(Reversal(source="BANK", key="r", receipt=receipt, amount_pence=-10, value_date=date(2026, 3, 5)))
        work.accounts.flush(book.changes)
        work.deliveries.save(DELIVERY)
        sound = {found.invariant for found in check(work.connection) if not found.holds}
        if change.startswith("UPDATE accounts SET record_no"):
            work.connection.execute(text("DELETE FROM deliveries"))
        work.connection.execute(text(change))
        broken = {found.invariant for found in check(work.connection) if not found.holds}

    assert "every-record-has-one-outcome" not in sound
    assert invariant not in sound
    assert invariant in broken


def test_numbers_are_used_up_within_their_series(store: Store) -> None:
    with store.begin() as work:
        work.accounts.use_up("employer-deductions", "TST001", 1)
        work.accounts.use_up("employer-deductions", "TST001", 2)
        work.commit()

    with store.begin() as work:
        assert work.accounts.last_in_series("employer-deductions", "TST001") == 2
        assert work.accounts.last_in_series("employer-deductions", "TST002") is None


def test_exports_show_benefit_debts_and_their_money_beside_child_support(store: Store) -> None:
    written(store, DEBT, receipts=(RECEIPT,))

    with store.read() as connection:
        (debt,) = pl.concat(export(connection, "debts")).to_dicts()
        (receipt,) = pl.concat(export(connection, "receipts")).to_dicts()
        (money,) = pl.concat(export(connection, "money")).to_dicts()

    assert (debt["debt_id"], debt["source_pence"], debt["accepted_pence"]) == (DEBT.ref, 10_000, 6_000)
    assert (receipt["receipt_id"], receipt["pence"], receipt["custody"]) == (RECEIPT.receipt_id, 4_000, "PAID")
    assert (money["debt_ref"], money["suspense_reason"]) == (DEBT.ref, None)


def row_of(entity: str, **given: object) -> dict[str, object]:
    """A canonical row; what isn't said is filled by its type, where it must be there."""
    filled = {Type.BOOL: False, Type.INT: 0, Type.PENCE: 0, Type.DATE: date(2026, 3, 1)}
    fields = ENTITIES[entity].all_fields()
    default = {item.name: filled.get(item.type, "0" * 32) if item.required else None for item in fields}
    return {**default, **given}


def test_people_whose_address_is_kept_back_in_any_case_are_known_by_their_numbers(store: Store) -> None:
    people = {"1": "QQ000001A", "2": "QQ000002B", "3": "QQ000003", "4": "QQ000004A"}
    rows = [("parties", row_of("parties", party_id=key * 32, nino=nino)) for key, nino in people.items()]
    for key, marked in (("1", True), ("2", False)):
        rows.append(("addresses", row_of("addresses", address_id=key * 32, party_id=key * 32, confidential=marked)))
    for key, role in (("3", "PWC"), ("4", "NRP")):
        rows.append(("roles", row_of("roles", role_id=key * 32, case_id="c" * 32, party_id=key * 32, role=role)))
    total = row_of("clerical_totals", clerical_total_id="d" * 32, case_id="c" * 32, pwc_address_confidential=True)
    with store.begin() as work:
        for name, row in [*rows, ("clerical_totals", total)]:
            work.connection.execute(CANONICAL[name].insert().values(row))
        book = Book(work.accounts.shelf())
        assert [nino for nino in people.values() if book.is_confidential(nino)] == ["QQ000001A", "QQ000003"]
