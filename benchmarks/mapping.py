"""Mappings at batch sizes from one row to 200,000, each against the same mapping as a Python function row by row.

Two mappings: the workload that the goals are stated for, 20 canonical fields from 30 columns (feeds/counter), and the
heaviest real one, the ledger of the 1993 feed (30 source fields, 2 joins, 33 columns), which has no goals.

The function is measured twice: from decoded tables to canonical ones, as the stage works, and from dictionaries that
are kept ready to dictionaries that nobody stores. Both are proved to give the same rows and faults. The ledger is also
written by hand as Polars expressions, which look for no fault and know no lineage.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks.child import run_apart
from benchmarks.counter import ByRow, lines
from benchmarks.estates import extract
from benchmarks.ledger_by_hand import Rows, expressions, row_by_row, with_faults
from benchmarks.results import Result, Rival
from integrationhub.catalogue import Catalogue
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.intake.builders import build_decoder, layout_for
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.mapping.plan import MappingContext
from integrationhub.mapping.tables import layout_of
from integrationhub.records import CanonicalBatch, DecodedBatch

SIZES = (1, 100, 1_000, 10_000, 200_000)
GOALS = {1_000: (12.0, 20.0), 200_000: (30.0, 40.0)}
"""Size → goal and stretch against the function that goes row by row."""
ONE_MESSAGE = 1_000.0
"""Batches a second that one row a batch must reach: one in a millisecond."""
SECONDS, LEAST = 1.5, 3
AS_AT = date(2015, 6, 30)
RECORDS = 420_000
"""Records of a generated book with at least 200,000 ledger lines."""


FEED = Path(__file__).parent / "feeds" / "counter"


def run(records: int) -> Iterator[Result]:
    """One result a mapping and size, in rows a second."""
    found = run_apart("benchmarks.mapping:measure_counter")
    yield from _results("20 fields of 30 columns, with conversions, faults and checks", found, goals=True)
    path = extract(min(records, RECORDS), nights="F").nights[0]
    found = run_apart("benchmarks.mapping:measure_ledger", path=str(path))
    yield from _results("ledger lines of the 1993 feed, with two joins", found, goals=False)


def _results(workload: str, found: dict[str, Any], *, goals: bool) -> Iterator[Result]:
    for size, rates in ((int(size), rates) for size, rates in found["rates"].items()):
        goal, stretch = GOALS.get(size, (None, None)) if goals else (None, None)
        rivals = [
            Rival(name="a per-row Python function, tables to tables", rate=rates["tables"], goal=goal, stretch=stretch),
            Rival(name="its rows and faults alone, dictionaries kept ready", rate=rates["rows"]),
        ]
        if "expressions" in rates:
            name = "the same mapping as Polars expressions by hand, without faults"
            rivals.append(Rival(name=name, rate=rates["expressions"]))
        if size == 1:
            rivals.append(Rival(name="one message in a millisecond", rate=ONE_MESSAGE, goal=1.0, stretch=3.3))
        yield Result(
            name=f"{size:,} rows a batch",
            workload=workload,
            unit="rows",
            rate=rates["mapping"],
            seconds=size / rates["mapping"],
            rows=size,
            peak_bytes=found["peak_bytes"],
            rivals=rivals,
        )


def measure_counter() -> dict[str, object]:
    """Rows a second of the counter's mapping and its peers, by size; runs apart."""
    table = lines(SIZES[-1])
    mapping = Mapping.of_folder(FEED).compile(layout_of({"LINE": table}))
    return {"rates": {size: counter_rates(mapping, table.slice(0, size)) for size in SIZES}}


def counter_rates(mapping: CompiledMapping, table: pa.Table) -> dict[str, float]:
    """Rows a second over one batch of counter lines, after proof that both ways give the same rows and faults."""
    decoded, size = DecodedBatch(tables={"LINE": table}), table.num_rows
    context = MappingContext(delivery_id="d" * 32, sequence=101, as_at=AS_AT, source_system="COUNTER")
    by_row, rows = ByRow.of(mapping, context), table.to_pylist()
    batch, (made, faults) = mapping.apply(decoded, context), by_row.run(rows)
    schema = batch.rows["ledger"].schema
    assert batch.rows["ledger"].equals(pl.DataFrame(made, schema=schema))
    assert _told(batch) == sorted(faults)
    return {
        "mapping": size / _best(lambda: mapping.apply(decoded, context)),
        "tables": size / _best(lambda: pl.DataFrame(by_row.run(table.to_pylist())[0], schema=schema)),
        "rows": size / _best(lambda: by_row.run(rows)),
    }


def _told(batch: CanonicalBatch) -> list[tuple[Any, ...]]:
    """Faults and notes: record, field, code."""
    both = pl.concat([batch.faults, batch.notes])
    return sorted(both.select("record", "field", "code").iter_rows())


def measure_ledger(path: str) -> dict[str, object]:
    """Rows a second of the ledger's mapping and its peers, by size; runs apart."""
    descriptor = Catalogue.standard().connector("csa1993")
    decoder = build_decoder(descriptor)
    mapping = Mapping.of_folder(Catalogue.standard().mapping("csa1993")).compile(layout_for(descriptor))
    tables = _tables(path, decoder.records, decoder.framing.scan)
    count = tables["CSX-LEDGER"].num_rows
    return {"rates": {size: ledger_rates(mapping, _cut(tables, size)) for size in SIZES if size <= count}}


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


def ledger_rates(mapping: CompiledMapping, tables: dict[str, pa.Table]) -> dict[str, float]:
    """Rows a second over one batch of ledger lines, after proof that all ways give the same rows."""
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
