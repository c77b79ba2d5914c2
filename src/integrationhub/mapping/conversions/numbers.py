"""Whole numbers: counts, pence, and numbers that are written as digits because they are references."""

import operator
import re
from collections.abc import Sequence
from functools import partial, reduce

import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion

_AMOUNT = r"\A(?P<minus>-?)(?P<pounds>[0-9]{1,9})(?:\.(?P<pence>[0-9]{1,2}))?"
_ONE_AMOUNT = re.compile(_AMOUNT + r"\Z")
_AMOUNTS = pl.col("").str.extract_groups(_AMOUNT + r"\z")
_UNSIGNED = pl.col("pounds").cast(pl.Int64) * 100 + pl.col("pence").fill_null("0").str.pad_end(2, "0").cast(pl.Int64)
_PENCE = pl.when(pl.col("minus") == "-").then(-_UNSIGNED).otherwise(_UNSIGNED)


def integer(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The number; null where it is one of `empty` (often 0: nobody, nothing)."""
    value = source.cast(pl.Int64)
    if options.empty:
        value = pl.when(~_one_of(source, options.empty)).then(value)
    one = partial(_unless, empty=options.empty)
    return Converted(value=value, one=one, reads="whole numbers", dtype=pl.Int64())


def _unless(number: int, *, empty: tuple[int, ...]) -> int | None:
    return None if number in empty else number


def pence(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The unscaled number of a V99 field, whose digits are pence, or of a field that counts pence.

    With a ratio (times, over) it is `times × pence ÷ over` to the nearest penny; half a penny is rounded up.
    """
    value = source.cast(pl.Int64)
    times, over = options.ratio or (1, 1)
    if options.ratio is not None:
        value = (2 * times * value + over) // (2 * over)
    one = partial(_share, times=times, over=over)
    return Converted(value=value, one=one, reads="whole numbers", dtype=pl.Int64())


def _share(number: int, *, times: int, over: int) -> int:
    return (2 * times * number + over) // (2 * over)


def pounds(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The pence of an amount in pounds, written as text: up to nine digits, perhaps a point and one or two more.

    MONEY_FORMAT: it is written otherwise.
    """
    value = pl.map_batches([source], _of_pounds, return_dtype=pl.Int64)
    return Converted(value=value, one=_of_amount, reads="text", dtype=pl.Int64(), code="MONEY_FORMAT")


def _of_pounds(columns: Sequence[pl.Series]) -> pl.Series:
    parts = columns[0].cast(pl.String).alias("").to_frame().select(_AMOUNTS.struct.unnest())
    return parts.select(_PENCE).to_series()


def _of_amount(text: str) -> int | None:
    found = _ONE_AMOUNT.match(text)
    if found is None:
        return None
    pence = int(found["pounds"]) * 100 + int((found["pence"] or "0").ljust(2, "0"))
    return -pence if found["minus"] else pence


def digits(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The number as text of `length` digits; null where it is one of `empty`. DIGITS_INVALID: negative or too long.

    References come in runs, as the records of a case follow each other: each is written once.
    """
    length = options.length or 1
    fits = (source >= 0) & (source < 10**length)
    wanted = fits & ~_one_of(source, options.empty) if options.empty else fits
    return Converted(
        value=pl.when(wanted).then(source.cast(pl.String).str.pad_start(length, "0")),
        one=partial(_in_digits, length, 10**length, options.empty),
        repeats=True,
        reads="whole numbers",
        dtype=pl.String(),
        code="DIGITS_INVALID",
        bad=~fits,
    )


def _in_digits(length: int, limit: int, empty: tuple[int, ...], number: int) -> str | None:
    return f"{number:0{length}d}" if 0 <= number < limit and number not in empty else None


def present(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The value as it is: only its presence is judged."""
    return Converted(value=source, dtype=pl.Null())


def _one_of(source: pl.Expr, values: tuple[int, ...]) -> pl.Expr:
    return reduce(operator.or_, (source == value for value in values))
