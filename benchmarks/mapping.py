"""The ledger mapping of the 1993 feed (30 source fields, 2 joins, 33 columns) at batch sizes from one row to 200,000.

Peers, proved to give the same rows: the mapping written as a Python function that goes row by row, once from decoded
tables to canonical ones as the stage does, once with dictionaries kept ready and left; and written by hand as Polars
expressions, which look for no fault and know no lineage.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.child import run_apart
from benchmarks.estates import extract
from benchmarks.ledger_by_hand import Rows, expressions, row_by_row, with_faults
from benchmarks.results import Result, Rival
from integrationhub.catalogue import Catalogue
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.intake.builders import build_decoder, layout_for
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.mapping.plan import MappingContext
from integrationhub.records import DecodedBatch

SIZES = (1, 100, 1_000, 10_000, 200_000)
GOALS = {1_000: (12.0, 20.0), 200_000: (30.0, 40.0)}
"""Size → goal and stretch against the function that goes row by row."""
ONE_MESSAGE = 1_000.0
"""Batches a second that one row a batch must reach: one in a millisecond."""
SECONDS, LEAST = 1.5, 3
AS_AT = date(2015, 6, 30)
RECORDS = 420_000
"""Records of a generated book with at least 200,000 ledger lines."""


def run(records: int) -> Iterator[Result]:
    """One result a size, in rows a second."""
    path = extract(min(records, RECORDS), nights="F").nights[0]
    found = run_apart("benchmarks.mapping:measure", path=str(path))
    for size, rates in ((int(size), rates) for size, rates in found["rates"].items()):
        goal, stretch = GOALS.get(size, (None, None))
        rivals = [
            Rival(name="a per-row Python function, tables to tables", rate=rates["tables"], goal=goal, stretch=stretch),
            Rival(name="its rows and faults alone, dictionaries kept ready", rate=rates["rows"]),
            Rival(name="the same mapping as Polars expressions by hand, without faults", rate=rates["expressions"]),
        ]
        if size == 1:
            rivals.append(Rival(name="one message in a millisecond", rate=ONE_MESSAGE, goal=1.0, stretch=3.3))
        yield Result(
            name=f"{size:,} rows a batch",
            workload="ledger lines of the 1993 feed to canonical rows and faults",
            unit="rows",
            rate=rates["mapping"],
            seconds=size / rates["mapping"],
            rows=size,
            peak_bytes=found["peak_bytes"],
            rivals=rivals,
        )


def measure(path: str) -> dict[str, object]:
    """Rows a second of the three, by size; runs apart."""
    descriptor = Catalogue.standard().connector("csa1993")
    decoder = build_decoder(descriptor)
    mapping = Mapping.of_folder(Catalogue.standard().mapping("csa1993")).compile(layout_for(descriptor))
    tables = _tables(path, decoder.records, decoder.framing.scan)
    lines = tables["CSX-LEDGER"].num_rows
    return {"rates": {size: _rates(mapping, _cut(tables, size)) for size in SIZES if size <= lines}}


def _tables(path: str, records: RecordDecoder, scan: Callable[..., Any]) -> dict[str, pa.Table]:
    """The ledger lines and cases of a file, decoded at once."""
    data = np.fromfile(path, np.uint8)
    frames = scan(data, 0, final=True)
    tables = records.decode(data, frames.starts, frames.lengths).tables
    return {name: tables[name].combine_chunks() for name in ("CSX-LEDGER", "CSX-CASE")}


def _cut(tables: dict[str, pa.Table], size: int) -> dict[str, pa.Table]:
    """The first `size` lines, and the cases up to the last of them."""
    lines = tables["CSX-LEDGER"].slice(0, size)
    last = lines.column("_record")[-1].as_py()
    records = tables["CSX-CASE"].column("_record").to_numpy()
    return {"CSX-LEDGER": lines, "CSX-CASE": tables["CSX-CASE"].slice(0, int(records.searchsorted(last)))}


def _rates(mapping: CompiledMapping, tables: dict[str, pa.Table]) -> dict[str, float]:
    decoded, size = DecodedBatch(tables=tables), tables["CSX-LEDGER"].num_rows
    context = MappingContext(delivery_id="d" * 32, sequence=101, as_at=AS_AT, source_system="CSCS")
    rows = Rows.of(tables, mapping, context)

    def compiled() -> pl.DataFrame:
        return mapping.apply(decoded, context, entities=("ledger",)).rows["ledger"]

    def tables_by_hand() -> pl.DataFrame:
        made, _ = with_faults(Rows.of(tables, mapping, context))
        return pl.DataFrame(made, schema=schema)

    by_hand = pl.DataFrame(row_by_row(rows), schema=compiled().schema)
    assert compiled().equals(by_hand)
    assert compiled().equals(expressions(rows, compiled().schema))
    schema = compiled().schema
    return {
        "mapping": size / _best(compiled),
        "tables": size / _best(tables_by_hand),
        "rows": size / _best(lambda: with_faults(rows)),
        "expressions": size / _best(lambda: expressions(rows, schema)),
    }


def _best(work: Callable[[], object]) -> float:
    """The least seconds of many turns: what the work costs when no neighbour disturbs it."""
    best, until, turns = float("inf"), time.perf_counter() + SECONDS, 0
    while turns < LEAST or time.perf_counter() < until:
        started = time.perf_counter()
        work()
        best, turns = min(best, time.perf_counter() - started), turns + 1
    return best
