"""Exports have the interface's columns, sort alike on both databases, and hide what is personal."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from integrationhub.canonical.frames import schema
from integrationhub.canonical.identifiers import derive
from integrationhub.canonical.model import ENTITIES
from integrationhub.errors import NotFound
from integrationhub.store import exports, trace
from integrationhub.store.unit_of_work import Store
from integrationhub.store.worklist import WorklistItem
from tests.contract.store import book
from tests.contract.store.book import NOW, Case, Group, Line, case_id, debt_id, group_id, one_slice

CASE = "1000000001"
STATE_LINE = Line(number=2, pence=300, owner="SECRETARY_OF_STATE")
FILE = one_slice(
    1,
    Group(
        ref="1",
        cases=(
            Case(ref=CASE, lines=(Line(number=1, pence=500), STATE_LINE, Line(number=3, pence=-20))),
            Case(ref="7000000002", lines=(Line(number=1, pence=1),)),
            Case(ref="1000000003"),
        ),
        parties={"p": "ÉMILE", "a": "SMITH", "Z": "JONES"},
    ),
)
CHANGED = one_slice(2, Group(ref="1", cases=(Case(ref=CASE, lines=(Line(number=1, pence=600), STATE_LINE)),)))

INTERFACE_DEBTS = (
    "debt_id scheme host_system source_system source_ref application_ref payee_role legal_owner kind cause status "
    "group_id source_pence recomputed_pence accepted_pence accepted_basis causes exceptions collectability segment "
    "as_at target_ref"
)


@pytest.fixture
def loaded(store: Store) -> Store:
    """One file, and a worklist item of its group."""
    book.load(store, FILE)
    with store.begin() as work:
        work.worklist.open(
            [
                WorklistItem(
                    exception_id=derive("exception", number),
                    code=f"E0{number}",
                    entity="groups",
                    opened_at=NOW,
                    text="to be looked at",
                    connector="csa1993",
                    delivery_id=FILE.delivery_id,
                    group_id=group_id("1"),
                )
                for number in (2, 1)
            ]
        )
        work.commit()
    return store


def _export(store: Store, name: str, *, unmasked: bool = False) -> pl.DataFrame:
    with store.read() as connection:
        return pl.concat(exports.export(connection, name, unmasked=unmasked))


def test_debts_have_the_interfaces_columns_and_both_balances(loaded: Store) -> None:
    frame = _export(loaded, "debts")
    assert " ".join(frame.columns) == INTERFACE_DEBTS
    figures = frame.select("source_ref", "legal_owner", "source_pence", "recomputed_pence", "accepted_pence")
    assert figures.rows() == [
        (CASE, "RECEIVING_PARENT", 480, 480, None),
        (CASE, "SECRETARY_OF_STATE", 300, 300, None),
        ("7000000002", "RECEIVING_PARENT", 1, 1, None),
    ]
    assert frame["exceptions"].to_list() == [["E01", "E02"]] * 3
    assert frame["causes"].to_list() == [[]] * 3


def test_the_recomputed_balance_of_a_debt_is_the_sum_of_its_ledger_not_a_stored_figure(loaded: Store) -> None:
    with loaded.begin() as work:
        work.connection.exec_driver_sql("UPDATE balances SET pence = 1")
        work.commit()
    frame = _export(loaded, "debts")
    assert (frame["source_pence"][0], frame["recomputed_pence"][0]) == (1, 480)


def test_arrears_give_the_sources_figures_of_every_case_in_the_samples_shape(loaded: Store) -> None:
    frame = _export(loaded, "arrears")
    assert frame["case"].to_list() == ["93:1000000001", "93:1000000003", "93:7000000002"]
    first = frame.row(0, named=True)
    assert first["source"] == {"rp": 480, "sos": 300, "unk": 0, "susp_rp": 0, "susp_sos": 0, "custodian": 0}
    assert first["group"] == group_id("1")
    assert (first["outcome"], first["accepted"], first["debts"]) == (None, None, None)


def test_a_withdrawn_case_has_no_arrears_row(loaded: Store) -> None:
    book.load(loaded, CHANGED)
    assert _export(loaded, "arrears")["case"].to_list() == ["93:1000000001"]


def test_exceptions_have_the_interfaces_columns(loaded: Store) -> None:
    frame = _export(loaded, "exceptions")
    columns = "exception_id code entity source_ref owner opened_at due state text"
    assert " ".join(frame.columns) == columns
    assert frame["opened_at"].to_list() == ["2015-07-01T02:30:00.000000Z"] * 2


def test_ledger_rows_come_in_the_order_of_cases_lines_and_time(loaded: Store) -> None:
    book.load(loaded, CHANGED)
    frame = _export(loaded, "ledger")
    order = ["source_system", "source_case_ref", "line_no", "version", "entry_id"]
    assert frame.rows() == frame.sort(order).rows()
    assert frame.columns == list(ENTITIES["ledger"].names())


@pytest.mark.parametrize("name", exports.names())
def test_an_empty_store_exports_the_columns_all_the_same(store: Store, name: str) -> None:
    frame = _export(store, name)
    assert frame.is_empty()
    assert frame.width > 5


def test_an_export_that_does_not_exist_names_those_that_do(store: Store) -> None:
    with store.read() as connection, pytest.raises(NotFound) as refused:
        exports.export(connection, "balance")
    assert "balances" in str(refused.value.remedy)


def test_both_databases_export_the_same_bytes(tmp_path: Path, postgres_url: str) -> None:
    written = []
    for url in (f"sqlite:///{tmp_path / 'hub.db'}", postgres_url):
        store = Store.open(url, create=True)
        book.load(store, FILE)
        book.load(store, CHANGED)
        written.append({name: _export(store, name).write_ndjson() for name in (*ENTITIES, "debts", "arrears")})
        store.close()
    assert written[0] == written[1]


def test_a_big_export_comes_in_pieces_that_are_in_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "ROWS_AT_ONCE", 7)
    lines = tuple(Line(number=number, pence=number) for number in range(1, 51))
    book.load(store, one_slice(1, Group(ref="1", cases=(Case(ref=CASE, lines=lines),))))
    with store.read() as connection:
        pieces = list(exports.export(connection, "ledger"))
    assert max(piece.height for piece in pieces) == 7
    assert pl.concat(pieces)["line_no"].to_list() == list(range(1, 51))


def _personal() -> Iterator[tuple[str, str]]:
    for name, entity in ENTITIES.items():
        yield from ((name, item.name) for item in entity.fields if item.personal)


@pytest.mark.parametrize(("name", "field"), list(_personal()))
def test_a_personal_value_is_masked_and_an_empty_one_stays_empty(name: str, field: str) -> None:
    kind = schema(ENTITIES[name])[field]
    value = date(1970, 1, 1) if kind == pl.Date() else "QQ123456A"
    frame = pl.DataFrame({field: [value, None]}, schema={field: kind})
    assert exports.masked(ENTITIES[name], frame)[field].to_list() == ["***", None]


def test_parties_are_masked_unless_the_caller_says_otherwise(loaded: Store) -> None:
    assert set(_export(loaded, "parties")["surname"]) == {"***", None}
    assert {"SMITH", "JONES", "ÉMILE"} <= set(_export(loaded, "parties", unmasked=True)["surname"])


def test_a_row_is_traced_to_its_delivery_by_identifier_and_by_the_sources_reference(loaded: Store) -> None:
    with loaded.read() as connection:
        (by_id,) = trace.by_identifier(connection, debt_id(CASE, "SECRETARY_OF_STATE"))
        by_reference = trace.by_reference(connection, CASE)
        (nobody, line) = sorted(trace.by_reference(connection, f"{CASE}/3"), key=lambda row: row.entity, reverse=True)
        assert trace.by_identifier(connection, "0" * 32) == []
        assert trace.by_any(connection, debt_id(CASE, "SECRETARY_OF_STATE")) == [by_id]
        assert trace.by_any(connection, CASE) == by_reference
        assert trace.by_reference(connection, "not there/x") == []
    assert (by_id.entity, by_id.values["legal_owner"]) == ("debts", "SECRETARY_OF_STATE")
    assert by_id.delivery is not None
    assert by_id.delivery.delivery_id == FILE.delivery_id
    assert [row.entity for row in by_reference] == ["cases", "debts", "debts"]
    assert [(row.entity, row.values["pence"]) for row in (nobody, line)] == [("receipts", 20), ("ledger", -20)]


def test_a_line_without_a_case_is_found_by_the_reference_it_came_with(store: Store) -> None:
    book.load(store, one_slice(1, Group(ref="1", orphans=(("9999999999", Line(number=4, pence=-5)),))))
    with store.read() as connection:
        found = trace.by_reference(connection, "9999999999/4")
        assert trace.by_reference(connection, "9999999999/" + "4" * 30) == []
    assert [(row.entity, row.values["pence"]) for row in found] == [("ledger", -5), ("receipts", 5)]


def test_a_traced_party_is_masked(loaded: Store) -> None:
    with loaded.read() as connection:
        (row,) = trace.by_reference(connection, "p")
    assert row.values["surname"] == "***"


def test_the_ledger_of_a_debt_shows_what_was_taken_back_and_why_the_sum_is_what_it_is(loaded: Store) -> None:
    book.load(loaded, CHANGED)
    with loaded.read() as connection:
        frame = trace.ledger_of(connection, debt_id(CASE, "RECEIVING_PARENT"))
    assert frame.select("line_no", "kind", "pence").rows() == [
        (1, "LIABILITY", 500),
        (1, "REVERSAL", -500),
        (1, "LIABILITY", 600),
        (3, "RECEIPT", -20),
        (3, "REVERSAL", 20),
    ]


def test_a_record_is_traced_to_the_rows_it_made(loaded: Store) -> None:
    with loaded.read() as connection:
        case = trace.by_identifier(connection, case_id(CASE))[0]
        made = trace.from_record(connection, FILE.delivery_id, case.values["record_no"])
    assert {row.entity for row in made} == {"cases", "debts", "balances"}
