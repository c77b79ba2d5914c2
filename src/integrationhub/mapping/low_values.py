"""Low-values (X'00') in decoded texts: rare, but where one may be, every text has to be searched for it."""

from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa

FEW = 64
"""In tables of so many rows at most, looking costs more than it could save."""

_OFFSET_BYTES = {pa.string().id: 4, pa.large_string().id: 8}


def may_hold_low_values(tables: Mapping[str, pa.Table], texts: Mapping[str, Collection[str]]) -> bool:
    """Whether one of these columns (table → fields) may have a text with X'00': known from their bytes at once."""
    if all(table.num_rows <= FEW for table in tables.values()):
        return True
    columns = (
        tables[name].column(field)
        for name, fields in texts.items()
        if name in tables
        for field in fields
        if tables[name].schema.get_field_index(field) >= 0
    )
    return any(_may_hold(chunk) for column in columns for chunk in column.chunks)


def _may_hold(texts: "pa.Array[Any]") -> bool:
    size = _OFFSET_BYTES.get(texts.type.id)
    if size is None:
        return not pa.types.is_null(texts.type)
    _, offsets, data = texts.buffers()
    if offsets is None or data is None or not len(texts):
        return False
    first, last = (
        int.from_bytes(offsets.slice(place * size, size).to_pybytes(), "little")
        for place in (texts.offset, texts.offset + len(texts))
    )
    return b"\x00" in data.slice(first, last - first).to_pybytes()
