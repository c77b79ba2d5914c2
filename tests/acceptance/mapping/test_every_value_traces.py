"""Every canonical value of the sample leads to its source: file, record, offset, bytes, field, expression, version."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from integrationhub.bootstrap import Hub
from integrationhub.canonical.model import ENTITIES, SEALED
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.tracing import RecordBytes, TracedField, Tracer
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.records import CanonicalBatch
from integrationhub.workbench.files import files_in
from tests.acceptance.conftest import Samples

GIVEN = ("as_at of the delivery",)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub(Settings(synthetic_identities=True), Catalogue.standard(), trial=True) as opened:
        yield opened


def _mapped(hub: Hub, samples: Samples) -> tuple[CompiledMapping, CanonicalBatch, bytes]:
    bench = hub.workbench("csa1993")
    (file,) = files_in(samples.data, bench.reader.descriptor)
    ((piece, context),) = bench.reader.read(file)
    return bench.mapping, bench.mapping.apply(piece.decoded, context), samples.data.read_bytes()


def test_every_value_of_every_row_leads_to_its_bytes(hub: Hub, samples: Samples) -> None:
    mapping, batch, data = _mapped(hub, samples)
    tracer, buffer = hub.tracer("csa1993"), np.frombuffer(data, np.uint8)
    assert isinstance(tracer, Tracer)
    frames = hub.workbench("csa1993").reader.decoder.scan(buffer, 0, final=True)
    versions, traced = set(mapping.all_mapping_ids), 0

    for entity, rows in batch.rows.items():
        for values in rows.iter_rows(named=True):
            at = values["record_no"] - 1
            record = RecordBytes(buffer=buffer, base=0, start=int(frames.starts[at]), length=int(frames.lengths[at]))
            found = {one.name: one for one in tracer.fields(entity, values, record, unmasked=True)}
            assert values["mapping_id"] in versions
            for field in ENTITIES[entity].fields:
                if values[field.name] is not None and field.name not in SEALED:
                    _judge(entity, found[field.name], values, data, record)
                    traced += 1

    assert traced > 30_000


def _judge(entity: str, one: TracedField, values: dict[str, Any], data: bytes, record: RecordBytes) -> None:
    assert one.value == values[one.name]
    assert one.expression
    if one.expression in GIVEN or one.expression == repr(one.value) or one.expression == "int(_index)":
        return  # a fact of the delivery, a constant, or a row's place in its table: no bytes stand behind it
    assert one.sources, (entity, one.name, values["record_no"], one.expression)
    for source in one.sources:
        assert record.start <= source.offset < record.start + record.length
        assert source.hex == data[source.offset : source.offset + source.length].hex()
        assert source.name in one.expression or one.name not in ("pence", "stored_pence", "source_case_ref")


def test_the_bytes_of_a_value_decode_to_it(hub: Hub, samples: Samples) -> None:
    explainer = hub.explainer("csa1993")
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
