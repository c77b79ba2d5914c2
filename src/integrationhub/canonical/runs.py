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
    """Where runs begin, and for every row the number of its run (from 0)."""

    starts: pl.Series
    numbers: pl.Series

    @classmethod
    def of(cls, columns: Sequence[pl.Series]) -> "Runs | None":
        """Runs in which all columns stay the same; None where they would not save half of the rows."""
        height = len(columns[0])
        if height < FEWEST:
            return None
        begins = np.zeros(height, bool)
        begins[0] = True
        for column in columns:
            begins[1:] |= changes(column)
        starts = np.flatnonzero(begins)
        if 2 * len(starts) > height:
            return None
        numbers = np.cumsum(begins, dtype=np.uint32)
        numbers -= 1
        return cls(starts=pl.Series(starts.astype(np.uint32)), numbers=pl.Series(numbers))


def changes(column: pl.Series) -> np.ndarray:
    """For every row but the first, whether it differs from the one before; nulls are equal to each other."""
    one, other = column.slice(0, len(column) - 1), column.slice(1)
    differs = other.ne_missing(one) if column.null_count() else other != one
    return differs.to_numpy()


def distinct(columns: Sequence[pl.Series]) -> bool:
    """Whether no two rows agree in all columns.

    Mostly the last column counts within runs of the others, and no run comes back: then comparing neighbours proves it.
    """
    *others, last = columns
    if len(last) <= 1:
        return True
    if not others:
        return last.n_unique() == len(last)
    runs = None if last.null_count() else Runs.of(others)
    if runs is not None:
        goes_on = (runs.numbers.slice(1) == runs.numbers.slice(0, len(last) - 1)).to_numpy()
        grows = (last.slice(1) > last.slice(0, len(last) - 1)).to_numpy()
        if (grows | ~goes_on).all() and distinct([other[runs.starts] for other in others]):
            return True
    return pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)]).n_unique() == len(last)
