"""Runs of equal neighbours: records of one group, case or owner follow each other, so that whatever is made of their
keys alone need be made only once a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

FEWEST = 64
"""Fewer rows are not worth looking for runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Where runs begin, and for every row the number of its run (from 0); `goes_on`: for every row but the first,
    whether it is in the run of the one before.
    """

    starts: pl.Series
    numbers: pl.Series
    goes_on: np.ndarray

    @classmethod
    def of(cls, columns: Sequence[pl.Series]) -> "Runs | None":
        """Runs in which all columns stay the same; None where they would not save half of the rows."""
        height = len(columns[0])
        if height < FEWEST:
            return None
        begins = np.empty(height, bool)
        begins[0] = True
        begins[1:] = changes(columns[0])
        for column in columns[1:]:
            begins[1:] |= changes(column)
        starts = np.flatnonzero(begins)
        if 2 * len(starts) > height:
            return None
        numbers = np.repeat(np.arange(len(starts), dtype=np.uint32), np.diff(starts, append=height))
        return cls(starts=pl.Series(starts.astype(np.uint32)), numbers=pl.Series(numbers), goes_on=~begins[1:])


def changes(column: pl.Series) -> np.ndarray:
    """For every row but the first, whether it differs from the one before; nulls are equal to each other."""
    if column.null_count():
        return column.slice(1).ne_missing(column.slice(0, len(column) - 1)).to_numpy()
    if column.dtype.is_integer():
        numbers = column.to_numpy()
        differs: np.ndarray = numbers[1:] != numbers[:-1]
        return differs
    return (column.slice(1) != column.slice(0, len(column) - 1)).to_numpy()


def distinct(columns: Sequence[pl.Series], known: Runs | None = None) -> bool:
    """Whether no two rows agree in all columns. `known`: runs of all columns but the last, if they are there already.

    Mostly the last column counts within runs of the others, and no run comes back: then comparing neighbours proves it.
    """
    *others, last = columns
    if len(last) <= 1:
        return True
    if not others:
        return last.n_unique() == len(last)
    runs = None if last.null_count() else known or Runs.of(others)
    if runs is not None:
        grows = _grows(last)
        if (grows | ~runs.goes_on).all() and distinct([other[runs.starts] for other in others]):
            return True
    return pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)]).n_unique() == len(last)


def _grows(column: pl.Series) -> np.ndarray:
    if column.dtype.is_integer():
        numbers = column.to_numpy()
        grows: np.ndarray = numbers[1:] > numbers[:-1]
        return grows
    return (column.slice(1) > column.slice(0, len(column) - 1)).to_numpy()
