"""What a slice and the end of a file do, step by step."""

from dataclasses import replace

import polars as pl
import pytest

from integrationhub.errors import InvariantBroken
from integrationhub.store.unit_of_work import Store
from tests.contract.store import book
from tests.contract.store.book import Case, File, Group, Line, one_slice
from tests.contract.store.model import group_states, stored_balances, stored_cases, stored_lines, surnames

FIRST, SECOND = "1000000001", "1000000002"
CHARGE, RECEIPT = Line(number=1, pence=500), Line(number=2, pence=-200)
TWO_CASES = Group(
    ref="1",
    cases=(Case(ref=FIRST, lines=(CHARGE, RECEIPT)), Case(ref=SECOND, lines=(Line(number=1, pence=700),))),
)
ONE_CASE = Group(ref="1", cases=(Case(ref=FIRST, lines=(CHARGE, RECEIPT)),))


def _entries(store: Store) -> list[tuple[str, int, int]]:
    """Every ledger entry as kind, pence and the sequence number it came with."""
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT kind, pence, version FROM ledger ORDER BY version, pence")
        return [(row[0], row[1], row[2] >> 32) for row in rows]


def _changes(frame: pl.DataFrame) -> list[tuple[str, str, list[str], int | None, int | None]]:
    """Debt changes as case, change, changed fields, balance before and after."""
    return sorted(frame.select("source_ref", "change", "changed", "old_pence", "new_pence").rows())


def test_a_first_load_reports_every_debt_as_created_with_its_source_balance(store: Store) -> None:
    (merged,), closed = book.load(store, one_slice(1, TWO_CASES))
    assert _changes(merged.debts) == [(FIRST, "CREATED", [], None, 300), (SECOND, "CREATED", [], None, 700)]
    assert closed.debts.is_empty()


def test_a_debt_that_only_came_again_is_no_change(store: Store) -> None:
    book.load(store, one_slice(1, TWO_CASES))
    (merged,), closed = book.load(store, one_slice(2, TWO_CASES))
    assert merged.debts.is_empty()
    assert closed.debts.is_empty()


def test_a_changed_debt_names_its_changed_fields_and_both_balances(store: Store) -> None:
    book.load(store, one_slice(1, ONE_CASE))
    changed = replace(ONE_CASE, cases=(Case(ref=FIRST, lines=(Line(number=1, pence=600), RECEIPT)),))
    (merged,), _ = book.load(store, one_slice(2, changed))
    assert _changes(merged.debts) == [(FIRST, "CHANGED", ["balance_pence"], 300, 400)]


def test_a_changed_line_is_taken_back_and_entered_anew_and_the_others_stay(store: Store) -> None:
    book.load(store, one_slice(1, ONE_CASE))
    changed = replace(ONE_CASE, cases=(Case(ref=FIRST, lines=(Line(number=1, pence=600), RECEIPT)),))
    (merged,), _ = book.load(store, one_slice(2, changed))
    assert _entries(store) == [
        ("LIABILITY", 500, 1),
        ("RECEIPT", -200, 1),
        ("REVERSAL", -500, 2),
        ("LIABILITY", 600, 2),
    ]
    assert (merged.ledger.entries, merged.ledger.pence, merged.ledger.stored_pence) == (2, 100, 100)


def test_a_line_that_went_and_came_back_counts_once(store: Store) -> None:
    without = replace(ONE_CASE, cases=(Case(ref=FIRST, lines=(CHARGE,)),))
    for sequence, group in enumerate((ONE_CASE, without, ONE_CASE, without, ONE_CASE), start=1):
        book.load(store, one_slice(sequence, group))
    assert stored_balances(store) == {(FIRST, "RECEIVING_PARENT"): 300}
    assert [kind for kind, _, _ in _entries(store)].count("RECEIPT") == 3
    assert book.broken(store) == {}


def test_identical_lines_of_one_case_all_count(store: Store) -> None:
    twice = Group(ref="1", cases=(Case(ref=FIRST, lines=(CHARGE, CHARGE, CHARGE)),))
    once = Group(ref="1", cases=(Case(ref=FIRST, lines=(CHARGE,)),))
    book.load(store, one_slice(1, twice))
    assert stored_balances(store) == {(FIRST, "RECEIVING_PARENT"): 1500}
    book.load(store, one_slice(2, once))
    assert stored_balances(store) == {(FIRST, "RECEIVING_PARENT"): 500}
    assert book.broken(store) == {}


def test_a_case_that_its_group_came_without_is_withdrawn_its_debt_removed_and_its_lines_taken_back(
    store: Store,
) -> None:
    book.load(store, one_slice(1, TWO_CASES))
    _, closed = book.load(store, one_slice(2, ONE_CASE))
    assert closed.withdrawn_cases == 1
    assert _changes(closed.debts) == [(SECOND, "REMOVED", ["status", "balance_pence"], 700, None)]
    assert stored_cases(store)[SECOND] == ("1", "WITHDRAWN")
    assert stored_balances(store)[SECOND, "RECEIVING_PARENT"] is None
    assert book.broken(store) == {}


def test_a_withdrawn_group_takes_all_its_cases_with_it_and_a_later_version_brings_them_back(store: Store) -> None:
    book.load(store, one_slice(1, TWO_CASES))
    book.load(store, one_slice(2, Group(ref="1", withdrawn=True)))
    assert group_states(store) == {"1": "WITHDRAWN"}
    assert stored_lines(store) == []
    (merged,), _ = book.load(store, one_slice(3, TWO_CASES))
    assert _changes(merged.debts) == [
        (FIRST, "CHANGED", ["status", "balance_pence", "suspended_pence"], None, 300),
        (SECOND, "CHANGED", ["status", "balance_pence", "suspended_pence"], None, 700),
    ]
    assert {state for _, state in stored_cases(store).values()} == {"IN_BOOK"}


def test_a_debt_that_its_case_came_without_is_removed_at_once(store: Store) -> None:
    state_line = Line(number=3, pence=900, owner="SECRETARY_OF_STATE")
    both = Group(ref="1", cases=(Case(ref=FIRST, lines=(CHARGE, state_line)),))
    book.load(store, one_slice(1, both))
    (merged,), _ = book.load(store, one_slice(2, Group(ref="1", cases=(Case(ref=FIRST, lines=(CHARGE,)),))))
    assert _changes(merged.debts) == [(FIRST, "REMOVED", ["status", "balance_pence"], 900, None)]
    assert stored_balances(store) == {(FIRST, "RECEIVING_PARENT"): 500, (FIRST, "SECRETARY_OF_STATE"): None}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_case_that_moves_to_another_group_keeps_its_lines_whatever_slice_comes_first(
    store: Store, order: tuple[int, int]
) -> None:
    book.load(store, one_slice(1, TWO_CASES, Group(ref="2")))
    moved = File(sequence=2, slices=((ONE_CASE,), (replace(TWO_CASES, ref="2", cases=TWO_CASES.cases[1:]),)))
    merged, closed = book.load(store, moved, order=order)
    assert stored_cases(store) == {FIRST: ("1", "IN_BOOK"), SECOND: ("2", "IN_BOOK")}
    assert len(_entries(store)) == 3
    assert closed.withdrawn_cases == 0
    assert _changes(pl.concat(part.debts for part in merged)) == [(SECOND, "CHANGED", ["group_id"], 700, 700)]


def test_a_case_that_a_quarantined_group_claims_is_held_not_withdrawn(store: Store) -> None:
    book.load(store, one_slice(1, TWO_CASES))
    claiming = Group(ref="2", cases=TWO_CASES.cases[1:])
    _, closed = book.load(store, File(sequence=2, slices=((ONE_CASE,),), held=(claiming,)))
    assert closed.withdrawn_cases == 0
    assert stored_cases(store)[SECOND] == ("1", "HELD")
    book.load(store, one_slice(3, ONE_CASE))
    assert stored_balances(store)[SECOND, "RECEIVING_PARENT"] == 700
    book.load(store, one_slice(4, claiming))
    assert stored_cases(store)[SECOND] == ("2", "IN_BOOK")


def test_groups_that_a_whole_book_lacks_are_reported_once_and_nothing_of_them_is_deleted(store: Store) -> None:
    other = Group(ref="2", cases=(Case(ref="1000000009", lines=(CHARGE,)),))
    book.load(store, one_slice(1, ONE_CASE, other, whole_book=True))
    _, closed = book.load(store, one_slice(2, ONE_CASE, whole_book=True))
    assert closed.gone_groups == ("2",)
    assert stored_cases(store)["1000000009"] == ("2", "GONE")
    assert stored_balances(store)["1000000009", "RECEIVING_PARENT"] == 500
    _, closed = book.load(store, one_slice(3, ONE_CASE, whole_book=True))
    assert closed.gone_groups == ()
    book.load(store, one_slice(4, ONE_CASE, other, whole_book=True))
    assert group_states(store) == {"1": "IN_BOOK", "2": "IN_BOOK"}


def test_a_correction_file_says_nothing_of_groups_it_does_not_name(store: Store) -> None:
    book.load(store, one_slice(1, ONE_CASE, Group(ref="2"), whole_book=True))
    _, closed = book.load(store, one_slice(2, ONE_CASE))
    assert closed.gone_groups == ()
    assert group_states(store) == {"1": "IN_BOOK", "2": "IN_BOOK"}


def test_a_quarantined_group_of_a_whole_book_is_not_gone(store: Store) -> None:
    book.load(store, one_slice(1, TWO_CASES, whole_book=True))
    _, closed = book.load(store, File(sequence=2, slices=((),), held=(TWO_CASES,), whole_book=True))
    assert closed.gone_groups == ()
    assert stored_cases(store) == {FIRST: ("1", "IN_BOOK"), SECOND: ("1", "IN_BOOK")}


def test_an_older_file_that_comes_late_changes_nothing(store: Store) -> None:
    book.load(store, one_slice(2, TWO_CASES))
    before = book.dump(store)
    late = one_slice(1, ONE_CASE)
    book.receive(store, late)
    merged = book.merge_slice(store, late, 1, dict(late.slice_frames())[1])
    assert merged is not None
    assert merged.groups == ()
    assert book.dump(store) == before


def test_of_a_party_that_stands_in_two_slices_the_later_record_counts(store: Store) -> None:
    early = Group(ref="1", parties={"p": "EARLY"})
    late = Group(ref="2", parties={"p": "LATE"})
    book.load(store, File(sequence=1, slices=((early,), (late,))), order=(2, 1))
    assert surnames(store) == {"p": "LATE"}


def test_an_unchanged_detail_row_keeps_its_first_provenance(store: Store) -> None:
    book.load(store, one_slice(1, ONE_CASE))
    book.load(store, one_slice(2, ONE_CASE))
    with store.read() as connection:
        versions = connection.exec_driver_sql("SELECT version FROM roles").scalars().all()
    assert [version >> 32 for version in versions] == [1]


def test_nothing_is_stored_without_commit(store: Store) -> None:
    file = one_slice(1, TWO_CASES)
    book.receive(store, file)
    with store.begin() as work:
        assert book.claim(work, file, 1)
        book.merge(work, file, 1, dict(file.slice_frames())[1])
    assert all(not rows for rows in book.dump(store).values())


def test_merging_an_unclaimed_slice_is_refused(store: Store) -> None:
    file = one_slice(1, TWO_CASES)
    book.receive(store, file)
    with store.begin() as work, pytest.raises(InvariantBroken, match="claimed"):
        book.merge(work, file, 1, dict(file.slice_frames())[1])


def test_rows_of_another_delivery_are_refused(store: Store) -> None:
    file = one_slice(1, TWO_CASES)
    frames = dict(one_slice(2, TWO_CASES).slice_frames())[1]
    with store.begin() as work, pytest.raises(InvariantBroken, match="another delivery"):
        book.merge(work, file, 1, frames)


def test_two_rows_with_one_identifier_are_refused_by_their_record_numbers(store: Store) -> None:
    file = one_slice(1, Group(ref="1", cases=(Case(ref=FIRST), Case(ref=FIRST))))
    with store.begin() as work, pytest.raises(InvariantBroken, match=r"cases: records \d+ and \d+"):
        book.merge(work, file, 1, dict(file.slice_frames())[1])


def test_a_missing_required_value_is_refused_without_its_row_being_quoted(store: Store) -> None:
    file = one_slice(1, Group(ref="1", parties={"p": "QQSECRET"}))
    frames = dict(file.slice_frames())[1]
    frames["parties"] = frames["parties"].with_columns(pl.lit(None, dtype=pl.String).alias("kind"))
    book.receive(store, file)
    with store.begin() as work:
        assert book.claim(work, file, 1)
        with pytest.raises(InvariantBroken) as refused:
            book.merge(work, file, 1, frames)
    assert refused.value.code == "ROW_REFUSED"
    assert "QQSECRET" not in repr(refused.value.__cause__) + str(refused.value)


def test_null_the_empty_string_and_odd_characters_are_stored_exactly(store: Store) -> None:
    odd = {
        "a": None,
        "b": "",
        "c": ' "quoted" ',
        "d": "two\nlines\r\n",
        "e": "\\.",
        "f": "é£€\\N,;",
        "g": "NULL",
        "h": "1",
    }
    file = one_slice(1, Group(ref="1", parties=dict.fromkeys(odd, "x")))
    frames = dict(file.slice_frames())[1]
    surnames_in_order = pl.Series("surname", [odd[ref] for ref in frames["parties"]["source_ref"]], dtype=pl.String)
    frames["parties"] = frames["parties"].with_columns(surnames_in_order)
    book.receive(store, file)
    book.merge_slice(store, file, 1, frames)
    with store.read() as connection:
        stored = connection.exec_driver_sql("SELECT source_ref, surname FROM parties")
        assert dict(tuple(row) for row in stored) == odd


def test_a_nul_character_is_stored_as_the_replacement_character_on_both_databases(store: Store) -> None:
    book.load(store, one_slice(1, Group(ref="1", parties={"p": "A\0B"})))
    assert surnames(store) == {"p": "A\ufffdB"}
