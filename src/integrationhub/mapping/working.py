"""The columns of one source's rows while they are made, and columns that are made of others without an expression."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from integrationhub.canonical.runs import Runs


@dataclass(slots=True, kw_only=True)
class Working:
    """A working frame. `origins` are columns that are made of one other alone: they change only where that does."""

    frame: pl.DataFrame
    origins: Mapping[str, str] = field(default_factory=dict)
    _runs: dict[tuple[str, ...], Runs | None] = field(default_factory=dict)

    def runs(self, columns: Sequence[str]) -> Runs | None:
        """Runs in which no column changes; looked for once, whichever columns are made of the same ones."""
        names = tuple(dict.fromkeys(self.origins.get(name, name) for name in columns))
        if names not in self._runs:
            self._runs[names] = Runs.of([self.frame.get_column(name) for name in names])
        return self._runs[names]


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """Working columns, and the function that makes a new one of them: row by row, or of the first row of each run."""

    columns: tuple[str, ...]
    make: Callable[[Sequence[pl.Series]], pl.Series]
    once_a_run: bool = False

    def made(self, working: Working) -> pl.Series:
        """The new column beside a working frame."""
        columns = [working.frame.get_column(name) for name in self.columns]
        runs = working.runs(self.columns) if self.once_a_run else None
        if runs is None:
            return self.make(columns)
        return self.make([column[runs.starts] for column in columns])[runs.numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Why a date is empty: the mark's column, null in rows that have a date or no explanation.

    With `source`, no mark can be where the date is empty only where that working column is.
    """

    column: str  # of the date
    expression: pl.Expr
    direct: Direct | None
    source: str | None

    def is_needed(self, frame: pl.DataFrame) -> bool:
        """Whether null counts leave room for a mark."""
        empty = frame.get_column(self.column).null_count()
        return bool(empty) and (self.source is None or empty != frame.get_column(self.source).null_count())
