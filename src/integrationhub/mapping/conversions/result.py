"""What conversions are given and what they give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import polars as pl

from integrationhub.errors import ConfigurationError
from integrationhub.mapping.nearby import did_you_mean
from integrationhub.mapping.spec import DateRule

Found = TypeVar("Found")

FEW = 64
"""Up to so many rows, a value is read in Python: an expression costs several times as much, whatever the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What conversions may look up: date rules and code lists by name, and whether test NINOs count as usable."""

    dates: Mapping[str, DateRule] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    synthetic_identities: bool = False

    def date_rule(self, name: str | None) -> DateRule:
        """The date rule called `name`; ConfigurationError names the closest match."""
        return _pick("date rule", name, self.dates)

    def code_list(self, name: str | None) -> Mapping[str, str]:
        """The code list called `name`, source code → canonical code; ConfigurationError names the closest match."""
        return _pick("code list", name, self.codes)


def _pick(kind: str, name: str | None, known: Mapping[str, Found]) -> Found:
    if name is not None and name in known:
        return known[name]
    raise ConfigurationError(f"there is no {kind} {name}{did_you_mean(name or '', known)}")


Reader = Callable[[pl.Series], pl.Series]
"""Reads a column of source values; null where one can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A column converted: its value, and what a fault looks like.

    `reader` gives the same as `value` without an expression: where a source column is read as it stands, a call costs
    a third of what an expression does.
    """

    value: pl.Expr
    dtype: pl.DataType
    reader: Reader | None = None
    marker: Reader | None = None  # why a date is empty
    marks_absence: bool = False  # does an absent value have a mark?
    code: str | None = None  # reason code of a source value that gives neither value nor mark; None: can't happen
    bad: pl.Expr | None = None  # where that is so, if it isn't simply where the value is null
    needed: bool = True  # is an absent source value a fault unless the spec says otherwise?


def require_text(column: pl.Series) -> None:
    """PolarsError, which `mapping check` tells and a run never meets: the conversion reads text, the column is none."""
    if column.dtype not in (pl.String, pl.Null):
        raise pl.exceptions.InvalidOperationError(f"the conversion reads text, not {column.dtype}")


def require_numbers(column: pl.Series) -> None:
    """PolarsError as for text: the conversion reads whole numbers, the column has none."""
    if not column.dtype.is_integer() and column.dtype != pl.Null:
        raise pl.exceptions.InvalidOperationError(f"the conversion reads whole numbers, not {column.dtype}")


def read(source: pl.Expr, reader: Reader, dtype: pl.DataType) -> pl.Expr:
    """What a reader makes of a source that is no plain column."""
    return pl.map_batches([source], lambda columns: reader(columns[0]), return_dtype=dtype)
