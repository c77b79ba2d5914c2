"""Every canonical value of every sample leads to its source: record, offset, bytes, field, expression, version."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.canonical.model import ENTITIES, SEALED
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.places import Located, SourceField
from integrationhub.intake.tracing import TracedField
from integrationhub.workbench.files import files_in
from tests.acceptance.conftest import Samples
from tests.acceptance.installation import Installation

CONNECTORS = {"csa1993": 30_000, "csa2003": 10_000, "clerical": 400}
"""Connector → how many values its sample has at least."""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub(Settings(synthetic_identities=True), Catalogue.standard(), trial=True) as opened:
        yield opened


def sample_of(hub: Hub, connector: str) -> Path:
    folder = hub.catalogue.connector(connector).folder / "samples"
    return next(path for path in sorted(folder.iterdir()) if path.suffix in {".dat", ".gz", ".csv"})


def bytes_of(path: Path) -> bytes:
    """What offsets count in: the file, or what comes out of it."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_value_of_every_row_leads_to_its_bytes(hub: Hub, connector: str) -> None:
    bench, tracer, path = hub.analyst.workbench(connector), hub.analyst.tracer(connector), sample_of(hub, connector)
    data, traced = bytes_of(path), 0
    (file,) = files_in(path, bench.reader.descriptor)
    ((piece, context),) = bench.reader.read(file)
    view, versions = tracer.view(file, piece), set(bench.mapping.all_mapping_ids)

    for entity, rows in bench.mapping.apply(piece.decoded, context).rows.items():
        for values in rows.iter_rows(named=True):
            found = {one.name: one for one in tracer.fields(entity, values, view, unmasked=True)}
            here = view.at(values["record_no"], values["byte_offset"])
            assert values["mapping_id"] in versions
            for field in ENTITIES[entity].fields:
                if values[field.name] is not None and field.name not in SEALED:
                    one = found[field.name]
                    _judge(entity, one, values, data)
                    own = [source for source in one.sources if _stands_in(here, source)]
                    assert all(here.offset <= source.offset <= here.offset + here.length for source in own)
                    traced += 1

    assert traced > CONNECTORS[connector]
    assert tracer.within == ("uncompressed file" if path.suffix == ".gz" else "file")


def _stands_in(here: Located, source: SourceField) -> bool:
    """Whether a source field is one of this record: a parent element has the record number of its children."""
    whole = here.whole.path
    return source.record == here.record and (whole == "record" or source.path.startswith(whole))


def _judge(entity: str, one: TracedField, values: dict[str, Any], data: bytes) -> None:
    assert one.value == values[one.name]
    assert one.expression
    if " of the delivery" in one.expression or one.expression == repr(one.value) or one.expression == "int(_index)":
        return  # a fact of the delivery, a constant, or a row's place in its table: no bytes stand behind it
    assert one.sources or _says_what_is_absent(one), (entity, one.name, values["record_no"], one.expression)
    for source in one.sources:
        assert source.path
        assert source.hex == data[source.offset : source.offset + source.length].hex()


def _says_what_is_absent(one: TracedField) -> bool:
    """Values that an attribute's absence gives: a default, or what absence means."""
    absent = ("mark of ", "nino_status(", "nino_usable(", "COALESCE(", "CASE ")
    return one.expression.startswith(absent) or " else " in one.expression or "IS NOT NULL" in one.expression


def test_the_bytes_of_a_value_decode_to_it(hub: Hub, samples: Samples) -> None:
    explainer = hub.analyst.explainer("csa1993")
    (file,) = files_in(samples.data, hub.catalogue.connector("csa1993"))

    found = explainer.explain(file, 10).as_dict()

    (ledger,) = [row for row in found["rows"] if row["entity"] == "ledger"]
    (stored,) = [field for field in ledger["fields"] if field["name"] == "stored_pence"]
    assert stored["sources"][0]["decoded"] == stored["value"]
    assert (
        stored["sources"][0]["hex"]
        == f"{stored['value']:09d}".encode("cp037").hex()[:16] + stored["sources"][0]["hex"][-2:]
    )
    assert {"name": "line_kind", "expression": "code(L-KIND, list csa1993-ledger-kind)"} in [
        step for field in ledger["fields"] for step in field["steps"]
    ]


def test_a_value_from_a_joined_record_leads_to_the_bytes_of_that_record(hub: Hub) -> None:
    bench, tracer = hub.analyst.workbench("csa1993"), hub.analyst.tracer("csa1993")
    (file,) = files_in(sample_of(hub, "csa1993"), bench.reader.descriptor)
    ((piece, context),) = bench.reader.read(file)
    rows = bench.mapping.apply(piece.decoded, context, entities=("ledger",)).rows["ledger"]
    reversal = next(row for row in rows.iter_rows(named=True) if row["kind"] == "REVERSAL" and row["pence"])
    undone = next(
        row
        for row in rows.iter_rows(named=True)
        if row["case_id"] == reversal["case_id"] and row["line_no"] == reversal["reverses_line"]
    )

    found = {one.name: one for one in tracer.fields("ledger", reversal, tracer.view(file, piece))}

    amounts = {one.record: one.offset for one in found["pence"].sources if one.name == "L-AMOUNT"}
    assert set(amounts) == {reversal["record_no"], undone["record_no"]}
    there = {one.name: one for one in tracer.fields("ledger", undone, tracer.view(file, piece))}
    assert amounts[undone["record_no"]] == there["stored_pence"].sources[0].offset


@pytest.mark.parametrize(("connector", "entity"), [("csa2003", "ledger"), ("clerical", "balances")])
def test_trace_tells_file_hash_line_and_path_of_documents_and_books(
    hub: Hub, tmp_path: Path, connector: str, entity: str
) -> None:
    installation, path = Installation(tmp_path), sample_of(hub, connector)
    installation.call("ingest", connector, path.parent)
    row = installation.call("export", entity).rows[0]
    identifier = row[ENTITIES[entity].key]

    (found, *_) = json.loads(installation.call("trace", identifier, "--json").out)

    data = bytes_of(path)
    assert found["within"] == ("uncompressed file" if connector == "csa2003" else "file")
    assert found["line"] == data.count(b"\n", 0, found["offset"]) + 1
    (pence,) = [field for field in found["fields"] if field["name"] == "pence"]
    source = pence["sources"][0]
    assert bytes.fromhex(source["hex"]) == data[source["offset"] : source["offset"] + source["length"]]
    assert source["path"].startswith("/CS2Extract/" if connector == "csa2003" else "row ")
