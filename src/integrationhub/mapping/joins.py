"""Columns of other tables beside the rows of one: joins with whole tables, pivots of occurrences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from integrationhub.canonical.runs import Runs
from integrationhub.mapping.tables import Lookup, Tables

FEW_HERE, FEW_THERE = 64, 1_000
"""Up to so many rows of the frame and of the joined table, rows are found by a dictionary: a join costs three times as
much."""

_HERE, _THERE = "/here", "/there"
"""Numbers of rows; no source field is called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinStep:
    """A left join with the first row that agrees: adds `alias.FIELD` for each field, null where no row agrees."""

    lookup: Lookup
    alias: str
    left_on: tuple[str, ...]
    fields: tuple[str, ...]

    def apply(self, frame: pl.DataFrame, tables: Tables) -> pl.DataFrame:
        """The frame with the joined columns, its rows as they were."""
        right = tables.lookup(self.lookup)
        names = {name: f"{self.alias}.{name}" for name in dict.fromkeys((*self.lookup.keys, *self.fields))}
        if right.is_empty() or any(_all_null(frame, key) for key in self.left_on):
            return _with_nulls(frame, ((column, right.get_column(name).dtype) for name, column in names.items()))
        keys = [frame.get_column(key) for key in self.left_on]
        if frame.height <= FEW_HERE and right.height <= FEW_THERE:
            known = tables.places(self.lookup)
            rows = pl.Series([known.get(key) for key in zip(*keys, strict=True)], dtype=pl.UInt32)
        else:
            rows = _rows_of(keys, right, self.lookup.keys)
        return frame.hstack([right.get_column(name)[rows].alias(column) for name, column in names.items()])


def _rows_of(keys: Sequence[pl.Series], right: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """The row of `right` that agrees with each key; null where none does. Each run of equal keys is looked up once."""
    runs = Runs.of(keys)
    if runs is not None:
        return _rows_of([key[runs.starts] for key in keys], right, names)[runs.numbers]
    left = pl.DataFrame([key.alias(name) for key, name in zip(keys, names, strict=True)])
    wanted = left.with_row_index(_HERE).drop_nulls()
    found = wanted.join(right.select(names).with_row_index(_THERE), on=names, how="inner").select(_HERE, _THERE)
    rows = pl.select(pl.int_range(left.height, dtype=pl.UInt32).alias(_HERE))
    return rows.join(found, on=_HERE, how="left", maintain_order="left").get_column(_THERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PivotStep:
    """Occurrences of a child table as columns: adds `alias.1.FIELD` … `alias.COUNT.FIELD`."""

    table: str
    alias: str
    count: int
    fields: tuple[str, ...]

    def apply(self, frame: pl.DataFrame, tables: Tables) -> pl.DataFrame:
        """The frame with the occurrences of each row, null where there are fewer."""
        child = tables.frame(self.table)
        if child.is_empty():
            return _with_nulls(
                frame,
                ((self._column(n, f), child.get_column(f).dtype) for n in self._numbers() for f in self.fields),
            )
        nested = "_parent_index" in child.columns and "_index" in frame.columns
        here, there = (["_record", "_index"], ["_record", "_parent_index"]) if nested else (["_record"], ["_record"])
        wide = child.group_by(there).agg([self._occurrence(n, f) for n in self._numbers() for f in self.fields])
        return frame.join(wide, left_on=here, right_on=there, how="left", maintain_order="left")

    def _numbers(self) -> range:
        return range(1, self.count + 1)

    def _column(self, number: int, name: str) -> str:
        return f"{self.alias}.{number}.{name}"

    def _occurrence(self, number: int, name: str) -> pl.Expr:
        return pl.col(name).filter(pl.col("_index") == number).first().alias(self._column(number, name))


def _all_null(frame: pl.DataFrame, column: str) -> bool:
    return frame.get_column(column).null_count() == frame.height


def _with_nulls(frame: pl.DataFrame, columns: Iterable[tuple[str, pl.DataType]]) -> pl.DataFrame:
    return frame.hstack([nothing(dtype, frame.height).alias(name) for name, dtype in columns])


def nothing(dtype: pl.DataType, height: int) -> pl.Series:
    """A column of nulls."""
    return _null(dtype).new_from_index(0, height)


@cache
def _null(dtype: pl.DataType) -> pl.Series:
    return pl.Series([None], dtype=dtype)
