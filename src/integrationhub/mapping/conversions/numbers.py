"""Whole numbers: counts, pence, and numbers that are written as digits because they are references."""

import operator
from functools import reduce

import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion


def integer(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The number; null where it is one of `empty` (often 0: nobody, nothing)."""
    value = pl.when(~_one_of(source, options.empty)).then(source) if options.empty else source
    return Converted(value=value.cast(pl.Int64), dtype=pl.Int64())


def pence(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The unscaled number of a V99 field, whose digits are pence, or of a field that counts pence.

    With a ratio (times, over) it is `times × pence ÷ over` to the nearest penny; half a penny is rounded up.
    """
    value = source.cast(pl.Int64)
    if options.ratio is not None:
        times, over = options.ratio
        value = (2 * times * value + over) // (2 * over)
    return Converted(value=value, dtype=pl.Int64())


def digits(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The number as text of `length` digits; null where it is one of `empty`. DIGITS_INVALID: negative or too long."""
    length = options.length or 1
    fits = (source >= 0) & (source < 10**length)
    wanted = fits & ~_one_of(source, options.empty) if options.empty else fits
    value = pl.when(wanted).then(source.cast(pl.String).str.pad_start(length, "0"))
    return Converted(value=value, dtype=pl.String(), code="DIGITS_INVALID", bad=~fits)


def present(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The value as it is: only its presence is judged."""
    return Converted(value=source, dtype=pl.Null())


def _one_of(source: pl.Expr, values: tuple[int, ...]) -> pl.Expr:
    return reduce(operator.or_, (source == value for value in values))
