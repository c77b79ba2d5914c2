"""What conversions are given and what they give."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import polars as pl

from integrationhub.errors import ConfigurationError
from integrationhub.mapping.nearby import did_you_mean
from integrationhub.mapping.spec import DateRule

Found = TypeVar("Found")

FEW = 64
"""Up to so many rows, a value is read in Python: an expression costs several times as much, whatever the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What conversions may look up: date rules and code lists by name, and whether test NINOs count as usable.

    `low_values`: whether texts may hold X'00'. Where none does, nothing looks for it.
    """

    dates: Mapping[str, DateRule] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    synthetic_identities: bool = False
    low_values: bool = True

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

Kind = Literal["text", "whole numbers"]
"""What a conversion can read. Of a column of another kind it would make something, but not what the spec means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A column converted: its value, and what a fault looks like.

    `one` reads a single value as `value` reads a column, of null both make null: a few rows are
    read by it, because an expression costs as much as dozens of calls.
    """

    value: pl.Expr
    dtype: pl.DataType
    reads: Kind | None = None
    one: Callable[[Any], object] | None = None
    repeats: bool = False  # do equal values follow each other, so that reading one a run pays?
    marker: Reader | None = None  # why a date is empty
    marks_absence: bool = False  # does an absent value have a mark?
    code: str | None = None  # reason code of a source value that gives neither value nor mark; None: can't happen
    bad: pl.Expr | None = None  # where that is so, if it isn't simply where the value is null
    needed: bool = True  # is an absent source value a fault unless the spec says otherwise?

    def few(self, values: Iterable[object]) -> list[object]:
        """What `value` makes of a few values."""
        one = self.one
        if one is None:
            raise TypeError("the conversion reads columns only")
        return [None if value is None else one(value) for value in values]
