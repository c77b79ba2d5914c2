"""Whole numbers: counts, pence, and numbers that are written as digits because they are references."""

import operator
from functools import partial, reduce

import polars as pl

from integrationhub.canonical.runs import Runs
from integrationhub.mapping.conversions.result import FEW, Converted, Environment, read, require_numbers, require_text
from integrationhub.mapping.spec import Conversion

_NOTHING = pl.Series([None], dtype=pl.Int64)

_ONE_AMOUNT = pl.col("").str.extract_groups(r"\A(?P<minus>-?)(?P<pounds>[0-9]{1,9})(?:\.(?P<pence>[0-9]{1,2}))?\z")
_UNSIGNED = pl.col("pounds").cast(pl.Int64) * 100 + pl.col("pence").fill_null("0").str.pad_end(2, "0").cast(pl.Int64)
_PENCE = pl.when(pl.col("minus") == "-").then(-_UNSIGNED).otherwise(_UNSIGNED)


def integer(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The number; null where it is one of `empty` (often 0: nobody, nothing)."""
    reader = partial(_whole, empty=options.empty)
    return Converted(value=read(source, reader, pl.Int64()), reader=reader, dtype=pl.Int64())


def pence(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The unscaled number of a V99 field, whose digits are pence, or of a field that counts pence.

    With a ratio (times, over) it is `times × pence ÷ over` to the nearest penny; half a penny is rounded up.
    """
    reader = partial(_whole, ratio=options.ratio)
    return Converted(value=read(source, reader, pl.Int64()), reader=reader, dtype=pl.Int64())


def pounds(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The pence of an amount in pounds, written as text: up to nine digits, perhaps a point and one or two more.

    MONEY_FORMAT: it is written otherwise.
    """
    value = read(source, _from_pounds, pl.Int64())
    return Converted(value=value, reader=_from_pounds, dtype=pl.Int64(), code="MONEY_FORMAT")


def _from_pounds(texts: pl.Series) -> pl.Series:
    require_text(texts)
    parts = pl.DataFrame({"": texts.cast(pl.String)}).select(_ONE_AMOUNT.struct.unnest())
    return parts.select(_PENCE).to_series()


def _whole(numbers: pl.Series, *, empty: tuple[int, ...] = (), ratio: tuple[int, int] | None = None) -> pl.Series:
    require_numbers(numbers)
    value = numbers.cast(pl.Int64)
    for nothing in empty:
        value = value.zip_with(numbers != nothing, _NOTHING)
    if ratio is not None:
        times, over = ratio
        value = (2 * times * value + over) // (2 * over)
    return value


def digits(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """The number as text of `length` digits; null where it is one of `empty`. DIGITS_INVALID: negative or too long."""
    length = options.length or 1
    reader = partial(_written, length=length, empty=options.empty)
    bad = ~((source >= 0) & (source < 10**length))
    value = read(source, reader, pl.String())
    return Converted(value=value, reader=reader, dtype=pl.String(), code="DIGITS_INVALID", bad=bad)


def _written(numbers: pl.Series, *, length: int, empty: tuple[int, ...]) -> pl.Series:
    """References come in runs, as the records of a case follow each other: each is written once."""
    require_numbers(numbers)
    if len(numbers) <= FEW:
        return pl.Series([_in_digits(number, length, empty) for number in numbers], dtype=pl.String)
    runs = Runs.of([numbers])
    if runs is not None:
        return _written(numbers[runs.starts], length=length, empty=empty)[runs.numbers]
    number = pl.lit(numbers)
    wanted = (number >= 0) & (number < 10**length)
    if empty:
        wanted &= ~_one_of(number, empty)
    return pl.select(pl.when(wanted).then(number.cast(pl.String).str.pad_start(length, "0"))).to_series()


def _in_digits(number: int | None, length: int, empty: tuple[int, ...]) -> str | None:
    if number is None or number in empty or not 0 <= number < 10**length:
        return None
    return str(number).rjust(length, "0")


def present(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The value as it is: only its presence is judged."""
    return Converted(value=source, dtype=pl.Null())


def _one_of(source: pl.Expr, values: tuple[int, ...]) -> pl.Expr:
    return reduce(operator.or_, (source == value for value in values))
