"""A small feed for tests of the spec language: cases with lines and notes, in tables made by hand."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa

from integrationhub.mapping.codes import CodeList
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.mapping.compile import Mapping as Specs
from integrationhub.mapping.tables import Layout, layout_of
from integrationhub.records import CanonicalBatch, DecodedBatch, no_faults

RULES = """
connector = "toy"

[dates.day]
format = "ccyymmdd"
sentinels = ["1900-01-01"]

[dates.until]
format = "cyyddd"
open = ["nines"]

[dates.bare]
format = "ccyymmdd"
"""

HISTORY = """
connector = "toy"
entity = "history"
version = "1"
title = "History of toy cases"
owner = "tests"

[key]
id = ["history", "TOY", "GRP", "SEQ"]

[[sources]]
table = "EVENT"

[let]
who = { from = "WHO", as = "int", empty = [0] }

[fields]
group_id = { id = ["group", "TOY", "GRP"] }
class = { value = "CONTACT" }
code = { from = "CODE", as = "code", codes = "toy-code" }
from_date = { from = "DAY", as = "date", rule = "day" }
outcome = { sql = "CASE [FLAG] WHEN 'Y' THEN 'SUCCESS' ELSE 'FAILED' END" }
party_id = { id = ["party", "TOY", "who"] }
source_ref = { from = "SEQ", as = "digits", length = 4 }
"""
"""A spec without a fault; tests change a piece of it."""

CODES = """source,canonical,title,valid_from,valid_to,owner
T,TEL,telephone,,,tests
L,LET,letter,,2009-12-31,tests
L,NOC,letters are notices now,2010-01-01,,tests
"""

SCHEMAS: Mapping[str, Mapping[str, pa.DataType]] = {
    "EVENT": {
        "GRP": pa.int64(), "SEQ": pa.int64(), "CODE": pa.string(), "DAY": pa.int64(), "UNTIL": pa.int64(),
        "FLAG": pa.string(), "WHO": pa.int64(), "OTHER": pa.string(), "PENCE": pa.int64(), "OTHER-DAY": pa.int64(),
    },
    "CASE": {"GRP": pa.int64(), "REF": pa.int64(), "NAME": pa.string()},
    "NOTE": {"TEXT": pa.string(), "NUMBER": pa.int64()},
}  # fmt: skip
"""Tables of the toy feed; NOTE stands below EVENT."""

SOUND: Mapping[str, Any] = {
    "GRP": 1, "SEQ": 1, "CODE": "T", "DAY": 20150630, "UNTIL": 9_999_999, "FLAG": "Y", "WHO": 7, "OTHER": "",
    "PENCE": 1, "OTHER-DAY": None,
}  # fmt: skip
"""A row of EVENT with nothing wrong."""

CONTEXT = MappingContext(delivery_id="d" * 32, sequence=3, as_at=date(2015, 6, 30), source_system="TOY")


def table(name: str, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """A decoded table; rows that say nothing of their place are records 1, 2, 3 … at offsets 100, 200, 300 …"""
    placed = [
        {"_record": number, "_offset": 100 * number, "_index": 1, **row} for number, row in enumerate(rows, start=1)
    ]
    kinds = {"_record": pa.int64(), "_offset": pa.int64(), **SCHEMAS[name]}
    if name == "NOTE":
        kinds["_index"] = pa.int32()
    return pa.table({column: pa.array([row.get(column) for row in placed], kind) for column, kind in kinds.items()})


def events(*rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of EVENT that differ from a sound one only in what they say; SEQ counts up."""
    return [{**SOUND, "SEQ": number, **row} for number, row in enumerate(rows, start=1)]


def batch(faults: pl.DataFrame | None = None, **tables: Sequence[Mapping[str, Any]]) -> DecodedBatch:
    """A decoded batch; tables that aren't given are empty."""
    made = {name: table(name, tables.get(name, ())) for name in SCHEMAS}
    return DecodedBatch(tables=made, faults=no_faults() if faults is None else faults)


def layout() -> Layout:
    """The layout of the toy feed."""
    return layout_of(batch().tables)


def specs(*texts: str, codes: str = CODES) -> Specs:
    """A mapping of spec texts, with the toy feed's date rules and code list."""
    return Specs.load([RULES, *texts], [CodeList.parse("toy-code", codes)])


def compiled(text: str = HISTORY, *, codes: str = CODES) -> CompiledMapping:
    """A spec, checked against the toy layout."""
    return specs(text, codes=codes).compile(layout())


def changed(*pieces: tuple[str, str], text: str = HISTORY) -> str:
    """The sound spec with pieces of its text exchanged; each must be there."""
    for old, new in pieces:
        assert old in text
        text = text.replace(old, new)
    return text


def mapped(text: str, *rows: Mapping[str, Any], context: MappingContext = CONTEXT, **others: Any) -> CanonicalBatch:
    """The canonical batch of rows of EVENT under a spec of `history`."""
    return compiled(text).apply(batch(EVENT=events(*rows), **others), context)


def told(found: pl.DataFrame) -> list[tuple[int, str, str, str]]:
    """Faults as (record, table, field, code)."""
    return [tuple(row) for row in found.select("record", "table", "field", "code").iter_rows()]
