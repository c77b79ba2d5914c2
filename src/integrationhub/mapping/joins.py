"""Columns of other tables beside the rows of one: joins with whole tables, pivots of occurrences."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from integrationhub.mapping.tables import Lookup, Tables

FEW_HERE, FEW_THERE = 64, 1_000
"""Up to so many rows of the frame and of the joined table, rows are found by a dictionary: a join costs three times as
much."""


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
            return _with_nulls(frame, ((column, right.schema[name]) for name, column in names.items()))
        if frame.height <= FEW_HERE and right.height <= FEW_THERE:
            known = tables.places(self.lookup)
            keys = zip(*(frame.get_column(key).to_list() for key in self.left_on), strict=True)
            rows = pl.Series([known.get(key) for key in keys], dtype=pl.UInt32)
            found = [right.get_column(name).gather(rows).alias(column) for name, column in names.items()]
            return frame.hstack(found)
        return frame.join(
            right.select([pl.col(name).alias(column) for name, column in names.items()]),
            left_on=self.left_on,
            right_on=[names[key] for key in self.lookup.keys],
            how="left",
            coalesce=False,
            maintain_order="left",
        )


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
                frame, ((self._column(n, f), child.schema[f]) for n in self._numbers() for f in self.fields)
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
    return frame.hstack([nothing(name, dtype, frame.height) for name, dtype in columns])


def nothing(name: str, dtype: pl.DataType, height: int) -> pl.Series:
    """A column of nulls."""
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, height)
