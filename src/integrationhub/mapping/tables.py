"""The decoded tables of a batch as frames: only the columns that specs use, each table taken over once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from integrationhub.canonical.runs import distinct
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.conversions import FEW, Kind
from integrationhub.mapping.scope import POSITION

IN_TURN = 1_000
"""Up to so many rows, columns are made one after the other: handing them to threads costs more than it gains."""

Layout = Mapping[str, Mapping[str, pl.DataType]]
"""Source tables, their fields and the types that the decoder gives them."""

Kinds = Mapping[str, Iterable[tuple[str, Kind]]]
"""Source tables, and what conversions can read of their fields."""


def layout_of(tables: Mapping[str, pa.Table]) -> Layout:
    """The layout that decoded tables show, empty ones included."""
    return {name: dict(_frame(table.slice(0, 0)).schema) for name, table in tables.items()}


def _frame(table: pa.Table) -> pl.DataFrame:
    batches = table.to_batches()
    # One batch is taken over in half the time of a table.
    frame = pl.DataFrame(batches[0]) if len(batches) == 1 else pl.from_arrow(table)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a decoded table is no table")
    casts = [
        pl.col(name).cast(pl.Int64 if name in POSITION else pl.String)
        for name, dtype in zip(table.schema.names, table.schema.types, strict=True)
        if dtype.id == _DICTIONARY or (name in POSITION and dtype.id != _INT64)
    ]
    return frame.with_columns(casts) if casts else frame


_DICTIONARY, _INT64, _NULL = pa.dictionary(pa.int32(), pa.string()).id, pa.int64().id, pa.null().id
_SIGNED = (pa.int8(), pa.int16(), pa.int32(), pa.int64())
_UNSIGNED = (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
_OF_KIND: Mapping[Kind, frozenset[int]] = {
    "text": frozenset({pa.string().id, pa.large_string().id, pa.string_view().id, _DICTIONARY, _NULL}),
    "whole numbers": frozenset({_NULL, *(dtype.id for dtype in (*_SIGNED, *_UNSIGNED))}),
}
"""The types of Arrow that hold what a conversion can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A table made ready for joining: its rows that meet a condition, the first of each key."""

    table: str
    keys: tuple[str, ...]
    where: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a plan wants of source tables: columns, of what kind some of them must be, conditions that choose rows.

    Conditions are known by their text, and need columns of their table alone.
    """

    columns: Mapping[str, Sequence[str]]
    kinds: Kinds
    conditions: Mapping[str, Mapping[str, pl.Expr]]


class Tables:
    """The tables of one batch; what was taken over, or chosen, is kept.

    A field that is of another kind than the conversions read is refused.
    """

    def __init__(self, tables: Mapping[str, pa.Table], wanted: Wanted, layout: Layout) -> None:
        self._tables = tables
        self._wanted = wanted
        self._layout = layout
        self._frames: dict[str, pl.DataFrame] = {}
        self._chosen: dict[str, Mapping[str, pl.DataFrame]] = {}
        self._lookups: dict[Lookup, pl.DataFrame] = {}
        self._places: dict[Lookup, dict[tuple[object, ...], int]] = {}

    def is_empty(self, name: str) -> bool:
        """Whether the batch has no row of a table."""
        table = self._tables.get(name)
        return table is None or table.num_rows == 0

    def frame(self, name: str) -> pl.DataFrame:
        """The wanted columns of a table. A table that this batch has none of is empty."""
        if name not in self._frames:
            self._frames[name] = self._taken_over(name)
        return self._frames[name]

    def chosen(self, name: str, where: str | None) -> pl.DataFrame:
        """The rows of a table that meet a condition. All conditions on a table are asked at once."""
        if where is None:
            return self.frame(name)
        if name not in self._chosen:
            self._chosen[name] = _by_conditions(self.frame(name), self._wanted.conditions[name])
        return self._chosen[name][where]

    def lookup(self, lookup: Lookup) -> pl.DataFrame:
        """The rows to join with."""
        if lookup not in self._lookups:
            frame = self.chosen(lookup.table, lookup.where)
            if not distinct([frame.get_column(key) for key in lookup.keys]):
                frame = frame.unique(subset=lookup.keys, keep="first", maintain_order=True)
            self._lookups[lookup] = frame
        return self._lookups[lookup]

    def places(self, lookup: Lookup) -> dict[tuple[object, ...], int]:
        """Of a lookup with few rows: its keys, and the row of each. A key with a null agrees with nothing."""
        if lookup not in self._places:
            keys = zip(*(self.lookup(lookup).get_column(key).to_list() for key in lookup.keys), strict=True)
            self._places[lookup] = {key: row for row, key in enumerate(keys) if None not in key}
        return self._places[lookup]

    def _taken_over(self, name: str) -> pl.DataFrame:
        table = self._tables.get(name)
        wanted = self._wanted.columns[name]
        if table is None:
            known = self._layout.get(name, {})
            return pl.DataFrame(schema={column: known.get(column, _guess(column)) for column in wanted})
        have = set(table.column_names)
        lacking = sorted(set(wanted) - have - set(POSITION))
        if lacking:
            raise _unfit(name, [f"{name} has no field {field}" for field in lacking])
        chosen = table.select([column for column in wanted if column in have])
        faults = list(_of_other_kinds(name, chosen.schema, self._wanted.kinds.get(name, ())))
        if faults:
            raise _unfit(name, faults)
        return _frame(chosen)


def _by_conditions(frame: pl.DataFrame, conditions: Mapping[str, pl.Expr]) -> Mapping[str, pl.DataFrame]:
    if frame.is_empty():
        return dict.fromkeys(conditions, frame)
    asked = (condition.alias(str(number)) for number, condition in enumerate(conditions.values()))
    _, *answers = frame.select_seq(pl.col("_record"), *asked)
    return {text: where_true(frame, answer) for text, answer in zip(conditions, answers, strict=True)}


def where_true(frame: pl.DataFrame, answers: pl.Series) -> pl.DataFrame:
    """The rows whose answer is true. Mostly these are all or none, and a few are picked; a filter starts threads."""
    count = answers.sum()
    if count == frame.height:
        return frame
    if not count:
        return frame.slice(0, 0)
    if frame.height <= FEW:
        return frame[[row for row, answer in enumerate(answers.to_list()) if answer]]
    return frame.filter(answers)


def _of_other_kinds(table: str, schema: pa.Schema, kinds: Iterable[tuple[str, Kind]]) -> Iterator[str]:
    dtypes = dict(zip(schema.names, schema.types, strict=True))
    for name, kind in kinds:
        if name in dtypes and dtypes[name].id not in _OF_KIND[kind]:
            yield f"{table}.{name}: the conversion reads {kind}, not {dtypes[name]}"


def _guess(column: str) -> pl.DataType:
    return pl.Int64() if column in POSITION else pl.Null()


def _unfit(table: str, faults: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        f"the mapping asks for fields that the decoded table {table} does not have",
        code="SOURCE_FIELD",
        faults=faults,
        remedy="bring mapping and record layout to the same version",
    )
