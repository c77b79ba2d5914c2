"""Trees of columns to Arrow tables with nested columns, and to flat columns of text."""

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from integrationhub.decode.arrow import Array
from integrationhub.decode.copybook import Item
from integrationhub.decode.jsonlines import NULL, JsonWriter, error, error_list, leaf_values
from integrationhub.decode.nested import Group, Leaf, NestedBatch, Node, Table
from integrationhub.decode.numbers import Mask
from integrationhub.decode.outline import label, shown
from integrationhub.decode.values import scaled, scaled_type

_PLACES = (("_record", pa.int64()), ("_offset", pa.int64()), ("_length", pa.int32()))
_ERROR = pa.list_(pa.struct([("field", pa.string()), ("code", pa.string()), ("hex", pa.string())]))
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Texts that begin so are evaluated by spreadsheets; in CSV they get an apostrophe in front."""


def schema_of(levels: Sequence[Item], *, fillers: bool) -> pa.Schema:
    """The schema of `table_of`, by the layout alone."""
    fields = [_field(item, fillers=fillers) for level in levels for item in _shown(level, fillers=fillers)]
    return pa.schema([*(pa.field(name, kind) for name, kind in _PLACES), *fields, pa.field("_errors", _ERROR)])


def _shown(group: Item, *, fillers: bool) -> list[Item]:
    if not group.is_group:
        return [group]
    return [item for item in group.children if shown(item, fillers=fillers)]


def _field(item: Item, *, fillers: bool) -> "pa.Field[Any]":
    kind: pa.DataType = scaled_type(item)
    if item.is_group:
        kind = pa.struct([_field(child, fillers=fillers) for child in _shown(item, fillers=fillers)])
    return pa.field(label(item), pa.list_(kind) if item.occurs is not None else kind)


def table_of(batch: NestedBatch, schema: pa.Schema) -> pa.Table:
    """The records of a batch in order; groups are structures, tables lists, what a record doesn't show is null."""
    tables, order = [], [np.zeros(0, np.int64)]
    for part in batch.parts:
        columns: dict[str, Any] = {
            "_record": pa.array(part.records + batch.first_record),
            "_offset": pa.array(batch.offsets[part.records]),
            "_length": pa.array(batch.lengths[part.records].astype(np.int32)),
        }
        for level in part.levels:
            columns |= {node.label: _arrow(node) for node in level.members}
        faults = [part.faults.get(record) for record in part.records.tolist()]
        columns["_errors"] = pa.array(
            [None if found is None else [error(fault) for fault in found] for found in faults], _ERROR
        )
        rows = len(part.records)
        filled = [columns[field.name] if field.name in columns else pa.nulls(rows, field.type) for field in schema]
        tables.append(pa.Table.from_arrays(filled, schema=schema))
        order.append(part.records)
    if not tables:
        return schema.empty_table()
    return pa.concat_tables(tables).take(np.argsort(np.concatenate(order), kind="stable"))


def _arrow(node: Node) -> Array:
    if isinstance(node, Leaf):
        values = scaled(node.values, node.item)
        return values if node.present is None else _masked(values, node.present)
    if isinstance(node, Table):
        offsets: Any = pa.array(node.offsets.astype(np.int32))
        lists: Array = pa.ListArray.from_arrays(offsets, _arrow(node.element))
        return lists
    mask = None if node.present is None else pa.array(~node.present)
    names = [member.label for member in node.members]
    return pa.StructArray.from_arrays([_arrow(member) for member in node.members], names=names, mask=mask)


def _masked(values: Array, present: Mask) -> Array:
    index: Any = pa.array(np.arange(len(values)), mask=~present)
    return values.take(index)


def heading(levels: Sequence[Item], *, fillers: bool) -> list[str]:
    """The names of `flat_rows`: a field's name with those of its groups in front, a table as one column."""
    names = [name for level in levels for item in _shown(level, fillers=fillers) for name in _names(item, fillers)]
    return [*(name for name, _ in _PLACES), *names, "_errors"]


def _names(item: Item, fillers: bool) -> Iterator[str]:  # noqa: FBT001 - handed down
    if not item.is_group or item.occurs is not None:
        yield item.key
    else:
        for child in _shown(item, fillers=fillers):
            yield from _names(child, fillers)


def flat_rows(batch: NestedBatch, names: Sequence[str]) -> list[list[str]]:
    """The records of a batch as texts, one list each in the order of `names`; null is empty.

    Lists of values are joined by `;`, lists of groups are JSON; text that a spreadsheet would evaluate gets an
    apostrophe.
    """
    rows: list[list[str]] = [[]] * len(batch)
    for part in batch.parts:
        number = len(part.records)
        columns = {
            "_record": [str(record + batch.first_record) for record in part.records.tolist()],
            "_offset": [str(offset) for offset in batch.offsets[part.records].tolist()],
            "_length": [str(length) for length in batch.lengths[part.records].tolist()],
            "_errors": [
                error_list(part.faults[record]) if record in part.faults else "" for record in part.records.tolist()
            ],
        }
        for level in part.levels:
            for node in level.members:
                columns |= _flat(node, number)
        filled = [columns.get(name) or [""] * number for name in names]
        for record, row in zip(part.records.tolist(), zip(*filled, strict=True), strict=True):
            rows[record] = list(row)
    return rows


def _flat(node: Node, rows: int) -> dict[str, list[str]]:
    if isinstance(node, Group):
        found: dict[str, list[str]] = {}
        for member in node.members:
            found |= _flat(member, rows)
    elif isinstance(node, Leaf):
        found = {node.item.key: _texts(node)}
    else:
        found = {node.item.key: _joined(node, rows)}
    if node.present is None:
        return found
    there = node.present.tolist()
    return {
        key: [text if here else "" for text, here in zip(texts, there, strict=True)] for key, texts in found.items()
    }


def _texts(leaf: Leaf) -> list[str]:
    if pa.types.is_string(leaf.values.type):
        texts = leaf.values.to_pylist()
        return ["" if not text else f"'{text}" if text.startswith(FORMULA_STARTS) else text for text in texts]
    return ["" if text == NULL else text for text in leaf_values(leaf.values, leaf)]


def _joined(table: Table, rows: int) -> list[str]:
    bounds = table.offsets.tolist()
    if isinstance(table.element, Leaf):
        texts = _texts(table.element)
        return [";".join(texts[low:high]) for low, high in pairwise(bounds)]
    lists = JsonWriter().values(table, rows)
    return ["" if text == json.dumps([]) else text for text in lists]
