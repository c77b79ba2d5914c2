"""What travels between the stages: reasons, decoded batches, canonical batches.

Stages hand each other columns, never single records. Bad data is a value here, not an exception: a batch carries its
rows and, beside them, every fault of every row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa  # with numpy it takes a fifth of a second to import, and most commands decode nothing

FAULT_SCHEMA: Mapping[str, pl.DataType] = {
    "record": pl.Int64(),  # record number in the file, from 1, the header counted
    "offset": pl.Int64(),  # byte offset of the record's data in the file (behind any RDW)
    "table": pl.String(),  # decoded table: the 01 level, or the OCCURS group below it
    "field": pl.String(),  # source field name
    "code": pl.String(),  # reason code, e.g. PACKED_INVALID, DATE_INVALID, CODE_UNKNOWN
    "hex": pl.String(),  # the field's bytes; for `decode` and `trace` only, never logged
}
"""Columns of a fault table: one row a bad field."""

LOW_VALUES = -(2**63) + 1
"""What a decoded number holds whose bytes are all X'00', where the layout gives low-values a meaning of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something was refused, held or set aside: a stable code, a sentence, and the place."""

    code: str
    text: str
    record: int | None = None
    offset: int | None = None
    field: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The reason in the shape of INTERFACE's `reasons`, without empty places."""
        row = {"code": self.code, "text": self.text, "record": self.record, "offset": self.offset, "field": self.field}
        return {name: value for name, value in row.items() if value is not None}


@cache
def no_faults() -> pl.DataFrame:
    """The empty fault table."""
    return pl.DataFrame(schema=dict(FAULT_SCHEMA))


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedBatch:
    """Columns decoded from one slice of an input, one table per record type and per OCCURS below it.

    Every table has `_record` (int64, from 1 over the whole file) and `_offset` (int64, byte offset in the whole file:
    of the record's data, in a child table of the element); child tables also have `_index` (int32, occurrence from 1).
    """

    tables: "Mapping[str, pa.Table]"
    faults: pl.DataFrame = field(default_factory=no_faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalBatch:
    """Rows ready for the store: one frame per canonical entity, with the entity's columns and its provenance.

    `faults` names every source field that could not be understood; the caller decides what becomes of the rows of
    those records (a record, or the whole group it stands in). `notes` has the same columns: worth telling, but the rows
    are good.
    """

    rows: Mapping[str, pl.DataFrame]
    faults: pl.DataFrame = field(default_factory=no_faults)
    notes: pl.DataFrame = field(default_factory=no_faults)
