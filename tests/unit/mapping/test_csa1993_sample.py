"""The public sample through decoder and mapping, against the figures published with it."""

import io
import json
from typing import Any

import polars as pl
import pytest

from integrationhub.canonical.model import ENTITIES, SEALED, Type
from integrationhub.decode.slices import SliceReader
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.mapping.tables import Layout
from integrationhub.records import CanonicalBatch
from tests.unit.mapping.extract import CONNECTOR, CONTEXT, DECODER, DESCRIPTOR, SAMPLE, SPECS

EXPECTED = json.loads((CONNECTOR / "samples" / "expected.json").read_text(encoding="utf-8"))
CASES = {key.removeprefix("93:"): case for key, case in EXPECTED["cases"].items() if key.startswith("93:")}
CONTROL = EXPECTED["control"][SAMPLE.name]
OWNERS = {"RECEIVING_PARENT": ("rp", "susp_rp"), "SECRETARY_OF_STATE": ("sos", "susp_sos"), "UNKNOWN": ("unk", None)}
OURS = {name: entity for name, entity in ENTITIES.items() if name not in {"schedules", "clerical_totals"}}
"""The entities that CSCS fills: the other two are of the 2003 scheme and of cases kept by hand."""


def test_the_specs_have_no_fault(layout: Layout) -> None:
    assert Mapping.of_folder(SPECS).check(layout) == ()


def test_every_entity_is_mapped(csa1993: CompiledMapping) -> None:
    assert csa1993.entities == tuple(OURS)


def test_the_sample_has_no_fault(sample: CanonicalBatch) -> None:
    assert sample.faults.is_empty()
    assert sample.notes.is_empty()


def test_frames_have_the_entitys_columns_and_types(sample: CanonicalBatch) -> None:
    kinds = {Type.DATE: pl.Date, Type.BOOL: pl.Boolean, Type.INT: pl.Int64, Type.PENCE: pl.Int64}
    for name, entity in OURS.items():
        schema = {field.name: kinds.get(field.type, pl.String) for field in entity.all_fields()}
        assert sample.rows[name].schema == pl.Schema(schema)


def test_required_values_are_there_and_codes_are_the_models(sample: CanonicalBatch) -> None:
    for name, entity in OURS.items():
        frame = sample.rows[name]
        for field in entity.all_fields():
            sealed = field.name in SEALED
            assert not (field.required and not sealed and frame[field.name].null_count()), (name, field.name)
            if field.codes:
                assert set(frame[field.name].drop_nulls()) <= set(field.codes), (name, field.name)


def test_source_figures_of_every_case_are_the_published_ones(sample: CanonicalBatch) -> None:
    found: dict[str, dict[str, Any]] = {
        ref: {"rp": 0, "sos": 0, "unk": 0, "susp_rp": 0, "susp_sos": 0, "custodian": custodian}
        for ref, custodian in sample.rows["cases"].select("source_ref", "source_custodian_pence").iter_rows()
    }
    balances = sample.rows["balances"].join(sample.rows["debts"].select("debt_id", "legal_owner"), on="debt_id")
    for row in balances.iter_rows(named=True):
        outstanding, suspended = OWNERS[row["legal_owner"]]
        found[row["source_ref"]][outstanding] = row["pence"]
        if suspended is not None:
            found[row["source_ref"]][suspended] = row["suspended_pence"]

    assert found == {ref: case["source"] for ref, case in CASES.items()}


def test_control_totals_add_up(sample: CanonicalBatch) -> None:
    balances = sample.rows["balances"].join(sample.rows["debts"].select("debt_id", "legal_owner"), on="debt_id")
    by_owner = dict(balances.group_by("legal_owner").agg(pl.col("pence").sum()).iter_rows())

    assert {OWNERS[owner][0]: pence for owner, pence in by_owner.items()} == {
        key: CONTROL[key] for key in ("rp", "sos", "unk")
    }
    assert balances["suspended_pence"].sum() == CONTROL["suspended"]
    assert sample.rows["cases"]["source_custodian_pence"].sum() == CONTROL["custodian"]
    assert sample.rows["ledger"]["stored_pence"].sum() == CONTROL["ledger_hash"]


@pytest.mark.parametrize(
    ("entity", "record_type"),
    [("groups", "10"), ("cases", "20"), ("roles", "25"), ("addresses", "27"), ("ledger", "40"), ("history", "50")],
)
def test_every_record_becomes_a_row(sample: CanonicalBatch, entity: str, record_type: str) -> None:
    assert sample.rows[entity].height == CONTROL["counts"][record_type]


def test_ledgers_of_untouched_cases_add_up_to_their_headers(sample: CanonicalBatch) -> None:
    untouched = {ref for ref, case in CASES.items() if not case["injected"]}
    ledger = sample.rows["ledger"].group_by("debt_id").agg(pl.col("pence", "suspended_pence").sum())
    balances = sample.rows["balances"].filter(pl.col("source_ref").is_in(untouched))

    joined = balances.join(ledger, on="debt_id", how="left", suffix="_ledger")

    assert len(untouched) > 40
    assert joined.height > 40
    assert (joined["pence"] == joined["pence_ledger"]).all()
    assert (joined["suspended_pence"] == joined["suspended_pence_ledger"]).all()


def test_identifiers_lead_to_rows_that_are_there(sample: CanonicalBatch) -> None:
    for entity, column, target in (
        ("cases", "group_id", "groups"), ("debts", "case_id", "cases"), ("balances", "debt_id", "debts"),
        ("ledger", "debt_id", "debts"), ("ledger", "case_id", "cases"), ("allocations", "debt_id", "debts"),
        ("allocations", "receipt_id", "receipts"), ("roles", "party_id", "parties"),
        ("addresses", "party_id", "parties"),
        ("liability_periods", "case_id", "cases"), ("benefit_periods", "case_id", "cases"),
    ):  # fmt: skip
        known = set(sample.rows[target][OURS[target].key])
        assert set(sample.rows[entity][column].drop_nulls()) <= known, (entity, column)


def test_keys_are_unique(sample: CanonicalBatch) -> None:
    for name, entity in OURS.items():
        keys = sample.rows[name][entity.key]
        if entity.group_scoped and entity.key not in SEALED:
            assert keys.n_unique() == keys.len(), name


def test_receipts_without_a_case_are_the_published_orphans(sample: CanonicalBatch) -> None:
    orphans = sample.rows["receipts"].filter(pl.col("case_id").is_null())

    assert orphans.select("source_case_ref", "bank_reference", "pence").rows() == [
        (one["reference"], one["bank_reference"], one["amount"])
        for one in EXPECTED["orphan_receipts"]
        if one["case_at_fault"].startswith("93:")
    ]
    allocated = set(sample.rows["allocations"]["receipt_id"])
    assert set(sample.rows["receipts"]["receipt_id"]) - allocated == set(orphans["receipt_id"])


def test_slices_mapped_alone_equal_the_whole(csa1993: CompiledMapping, sample: CanonicalBatch) -> None:
    reader = SliceReader(
        DECODER.framing,
        DECODER.records,
        record_types=DESCRIPTOR.layout.record_types,
        group_type=DESCRIPTOR.structure.group.type,
        codes=DESCRIPTOR.structure.codes,
        target=20_000,
    )
    pieces = [csa1993.apply(piece.decoded, CONTEXT) for piece in reader.read(io.BytesIO(SAMPLE.read_bytes()))]

    assert len(pieces) > 5
    for name, entity in OURS.items():
        parts = pl.concat(piece.rows[name] for piece in pieces)
        assert parts.sort("version", entity.key).equals(sample.rows[name].sort("version", entity.key)), name


def test_every_canonical_column_of_the_sample_has_a_lineage(csa1993: CompiledMapping) -> None:
    found = {(line.entity, line.field) for line in csa1993.lineage()}

    assert found == {(name, field) for name, entity in OURS.items() for field in entity.names()}


def test_no_field_of_the_record_descriptions_is_forgotten(csa1993: CompiledMapping, layout: Layout) -> None:
    read = csa1993.reads
    records = {
        table: fields for table, fields in layout.items() if not table.startswith(("CSX-HEADER", "CSX-TRAILER", "T-"))
    }

    unread = {name for table, fields in records.items() for name in set(fields) - set(read.get(table, ()))}

    assert {name for name in unread if not name.startswith("_")} == {
        *(f"{letter}-REC-TYPE" for letter in "GCPAMLE"),  # which record it is
        "C-BENEFIT-COUNT", "C-NOTE-LEN", "A-LINE-COUNT", "M-COUNT",  # R09
        "M-CH-PARTY",  # a number like any other: the decoder judges it
    }  # fmt: skip


def test_columns_that_the_sample_fills_are_those_that_specs_fill(
    csa1993: CompiledMapping, sample: CanonicalBatch
) -> None:
    unfilled = {
        (line.entity, line.field) for line in csa1993.lineage() if line.expression == "not filled by this source"
    }
    empty = {
        (name, column)
        for name, rows in sample.rows.items()
        for column in rows.columns
        if not rows[column].drop_nulls().len()
    }

    assert unfilled - {("debts", "payee_role")} <= empty
    assert {name for name, _ in unfilled} <= {"ledger", "debts", "cases", "liability_periods"}
