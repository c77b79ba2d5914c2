"""`check` passes over what was loaded, and finds whatever was altered by hand."""

import pytest
from sqlalchemy import text

from integrationhub.store.invariants import check
from integrationhub.store.schema import CANONICAL
from integrationhub.store.unit_of_work import Store
from tests.contract.store import book
from tests.contract.store.book import Case, Group, Line, case_id, debt_id, group_id, one_slice

CASE, OTHER = "1000000001", "1000000002"
FIRST = Group(
    ref="1",
    cases=(
        Case(ref=CASE, lines=(Line(number=1, pence=500), Line(number=2, pence=-200), Line(number=3, pence=40))),
        Case(ref=OTHER, lines=(Line(number=1, pence=700),)),
    ),
    parties={"p": "A"},
    orphans=(("9999999999", Line(number=1, pence=-5)),),
)
SECOND = Group(ref="2", cases=(Case(ref="7000000003", lines=(Line(number=1, pence=9, owner="SECRETARY_OF_STATE"),)),))
CHANGED = Group(
    ref="1",
    cases=(Case(ref=CASE, lines=(Line(number=1, pence=600), Line(number=2, pence=-200))), FIRST.cases[1]),
    orphans=FIRST.orphans,
)

ENTERED = f"line_no = 2 AND case_id = '{case_id(CASE)}'"
TAKEN_BACK = f"line_no = 3 AND case_id = '{case_id(CASE)}' AND cancels_entry_id IS NULL"
BACK = f"line_no = 1 AND case_id = '{case_id(CASE)}' AND cancels_entry_id IS NOT NULL"
OTHER_DEBT = debt_id(OTHER, "RECEIVING_PARENT")

LEDGER_CHANGES = {
    "pence": "pence = pence + 1",
    "suspended": "suspended_pence = 7",
    "stored": "stored_pence = stored_pence - 1",
    "owner": "owner = 'SECRETARY_OF_STATE'",
    "kind": "kind = 'FEE'",
    "date": "posted = '2014-01-02'",
    "mark": "effective_mark = 'SENTINEL'",
    "debt": f"debt_id = '{OTHER_DEBT}'",
    "case": f"case_id = '{case_id(OTHER)}'",
    "case and debt": f"case_id = '{case_id(OTHER)}', debt_id = '{OTHER_DEBT}'",
    "group": f"group_id = '{group_id('2')}'",
    "line": "line_no = 77",
    "text": "text = 'something'",
    "empty text": "text = ''",
    "digest": "digest = '00'",
    "record": "record_no = record_no + 1",
    "offset": "byte_offset = 0",
    "mapping": "mapping_id = 'other'",
    "version": "version = version + 1",
    "source reference": "source_ref = 'x'",
}

OTHER_CHANGES = {
    "receipts-allocated-or-in-suspense": "UPDATE allocations SET pence = pence - 1",
    "one-source-balance-per-debt": "DELETE FROM balances",
    "every-row-has-provenance": "UPDATE deliveries SET state = 'REJECTED'",
    "every-record-has-one-outcome": 'UPDATE deliveries SET records = 8, report = \'{"records": 8, "outcomes": {}}\'',
    "every-link-leads-somewhere": "DELETE FROM groups WHERE source_ref = '2'",
    "marks-stand-for-empty-dates-only": "UPDATE cases SET effective_date = '2014-01-01', effective_date_mark = 'OPEN'",
    "codes-stand-in-their-lists": "UPDATE debts SET cause = 'LUCK'",
    "identifiers-follow-from-natural-keys": "UPDATE groups SET source_ref = '9' WHERE source_ref = '2'",
    "slices-are-complete": "UPDATE deliveries SET slices = 2",
    "removed-debts-have-no-balance": "UPDATE debts SET status = 'REMOVED'",
    "ledger-belongs-to-its-case": "UPDATE debts SET case_id = group_id",
    "one-debt-per-case-and-owner": "UPDATE debts SET legal_owner = 'UNKNOWN', case_id = group_id",
}


LIABILITY_PERIOD = """
    INSERT INTO liability_periods (
        liability_period_id, group_id, case_id, source_case_ref, row_no, from_date, to_date, to_date_mark, basis,
        weekly_pence, inputs_held, source_system, source_ref, delivery_id, record_no, byte_offset, mapping_id, version
    )
    SELECT '{key}', group_id, case_id, source_ref, {row}, '{first}', {last}, 'FULL', 5, 1 = 0,
        source_system, source_ref, delivery_id, record_no, byte_offset, mapping_id, version
    FROM cases WHERE source_ref = '1000000001'
"""


@pytest.fixture(scope="module")
def loaded(session_store: Store) -> Store:
    """Two files: lines entered, taken back, entered anew; an orphan; two groups."""
    book.wipe(session_store)
    book.load(session_store, one_slice(1, FIRST, SECOND))
    book.load(session_store, one_slice(2, CHANGED))
    return session_store


def _broken_after(store: Store, *statements: str) -> dict[str, tuple[str, ...]]:
    """What doesn't hold after these statements; they are rolled back."""
    with store.begin() as work:
        for statement in statements:
            assert work.connection.execute(text(statement)).rowcount > 0
        return {found.invariant: found.examples for found in check(work.connection) if not found.holds}


def test_every_invariant_holds_after_a_load_and_a_correction(loaded: Store) -> None:
    assert book.broken(loaded) == {}


@pytest.mark.parametrize("row", [ENTERED, TAKEN_BACK, BACK], ids=["entered", "taken back", "taking back"])
@pytest.mark.parametrize("change", LEDGER_CHANGES.values(), ids=LEDGER_CHANGES.keys())
def test_a_ledger_entry_altered_by_hand_is_found(loaded: Store, change: str, row: str) -> None:
    broken = _broken_after(loaded, f"UPDATE ledger SET {change} WHERE {row}")  # noqa: S608 – the test's own text
    assert set(broken) & {"ledger-is-unaltered", "entries-are-taken-back-whole"}


@pytest.mark.parametrize("row", [ENTERED, TAKEN_BACK, BACK], ids=["entered", "taken back", "taking back"])
def test_a_deleted_ledger_entry_is_found_by_the_control_sums_of_its_delivery(loaded: Store, row: str) -> None:
    assert "ledger-is-complete" in _broken_after(loaded, f"DELETE FROM ledger WHERE {row}")  # noqa: S608 – the same


def test_a_taken_back_entry_that_is_set_free_again_is_found(loaded: Store) -> None:
    set_free = f"UPDATE ledger SET cancels_entry_id = NULL WHERE {BACK}"  # noqa: S608 – the test's own text
    assert "ledger-is-unaltered" in _broken_after(loaded, set_free)


def test_a_forged_copy_of_an_entry_is_found(loaded: Store) -> None:
    names = ", ".join(f'"{column.name}"' for column in CANONICAL["ledger"].columns if column.name != "entry_id")
    copied = f"SELECT '{'0' * 32}', {names} FROM ledger WHERE {ENTERED}"  # noqa: S608 – the test's own text
    broken = _broken_after(loaded, f"INSERT INTO ledger (entry_id, {names}) {copied}")
    assert {"ledger-is-unaltered", "ledger-is-complete"} <= set(broken)


@pytest.mark.parametrize(("invariant", "change"), OTHER_CHANGES.items(), ids=OTHER_CHANGES)
def test_each_other_invariant_can_fail_and_names_examples(loaded: Store, invariant: str, change: str) -> None:
    broken = _broken_after(loaded, change)
    assert invariant in broken
    assert all(len(example) == 32 for example in broken[invariant])
    assert 1 <= len(broken[invariant]) <= 5


def test_overlapping_liability_periods_are_found_and_adjacent_ones_are_not(loaded: Store) -> None:
    first = LIABILITY_PERIOD.format(key="1" * 32, row=1, first="2014-01-01", last="'2014-03-31', NULL")
    second = LIABILITY_PERIOD.format(key="2" * 32, row=2, first="2014-04-01", last="NULL, 'OPEN'")
    third = LIABILITY_PERIOD.format(key="3" * 32, row=3, first="2015-01-01", last="'2015-02-01', NULL")
    assert _broken_after(loaded, first, second) == {}
    assert _broken_after(loaded, first, second, third) == {"liability-periods-do-not-overlap": ("3" * 32,)}
