"""Dates of mainframe records, by format and by the rule that says which values are no dates.

- `cyyddd`: a whole number 0CYYDDD. C is the century (0 = 19xx, 1 = 20xx), DDD the day of the year from 001; 366 exists
  in leap years only. 0096060 is 29 February 1996.
- `ccyymmdd`: a whole number CCYYMMDD of the years 0001–9999.

Both are looked up in tables made once: arithmetic on dates costs three to fifteen times as much. A negative number is
no date. A field whose bytes are all X'00' arrives as LOW_VALUES.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, partial

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.mapping.conversions.result import FEW, Converted, Environment, Reader, read, require_numbers
from integrationhub.mapping.spec import Conversion, DateFormat, DateRule
from integrationhub.records import LOW_VALUES

_NINES = {"cyyddd": 9_999_999, "ccyymmdd": 99_999_999}
_CENTURY_DAYS = 200_000  # every 0CYYDDD with C 0 or 1
_MONTHS = 1_000_000  # every CCYYMM
_LEAP = 366
_SLOT = 32  # more than a month has days


def dated(source: pl.Expr, options: Conversion, environment: Environment) -> Converted:
    """The date, and a mark where the rule explains why there is none; anything else is DATE_INVALID."""
    rule = environment.date_rule(options.rule)
    reader = partial(_dates, form=rule.format, none=_placeholders(rule), exclusive=rule.exclusive)
    return Converted(
        value=read(source, reader, pl.Date()),
        reader=reader,
        dtype=pl.Date(),
        marker=_marker(rule),
        marks_absence=rule.absent is not None,
        code="DATE_INVALID",
    )


def read_dates(numbers: pl.Series, rule: DateRule) -> pl.Series:
    """The dates that a series of numbers gives by a rule; null where it is a placeholder or no date."""
    return _dates(numbers, form=rule.format, none=_placeholders(rule), exclusive=rule.exclusive)


def _dates(numbers: pl.Series, *, form: DateFormat, none: tuple[int, ...], exclusive: bool) -> pl.Series:
    """A few are read one by one, which costs a third of doing it natively; many by tables."""
    require_numbers(numbers)
    one, many = _FORMATS[form]
    if len(numbers) <= FEW:
        read = [None if number is None or number in none else one(number) for number in numbers]
        days = pl.Series(read, dtype=pl.Date)
    else:
        days = many(numbers, none)
    return days.dt.offset_by("-1d") if exclusive else days


def as_number(placeholder: str, rule: DateRule) -> int:
    """How a placeholder of the rule is written in the rule's format."""
    if placeholder == "low-values":
        return LOW_VALUES
    if placeholder == "zero":
        return 0
    if placeholder == "nines":
        return _NINES[rule.format]
    day = date.fromisoformat(placeholder)
    if rule.format == "ccyymmdd":
        return day.year * 10_000 + day.month * 100 + day.day
    return (day.year - 1900) * 1_000 + day.timetuple().tm_yday


def _placeholders(rule: DateRule) -> tuple[int, ...]:
    """All placeholders of a rule in its format."""
    return tuple(as_number(item, rule) for item in (*rule.open, *rule.not_recorded, *rule.sentinels))


def _marker(rule: DateRule) -> Reader:
    """Gives the mark that explains why a number is no date."""
    marks = {"OPEN": rule.open, "NOT_RECORDED": rule.not_recorded, "SENTINEL": rule.sentinels}
    written = {as_number(item, rule): mark for mark, placeholders in marks.items() for item in placeholders}
    return partial(_marks, marks=written, absent=None if rule.absent is None else rule.absent.upper())


def _marks(numbers: pl.Series, *, marks: Mapping[int, str], absent: str | None) -> pl.Series:
    if len(numbers) <= FEW:
        found = [absent if number is None else marks.get(number) for number in numbers]
        return pl.Series(found, dtype=pl.String)
    column = _constant(absent).zip_with(numbers.is_null(), _constant(None)) if absent else _constant(None)
    column = column.new_from_index(0, len(numbers)) if len(column) == 1 else column
    for number, mark in marks.items():
        here = numbers == number
        if here.any():
            column = _constant(mark).zip_with(here, column)
    return column


@cache
def _constant(text: str | None) -> pl.Series:
    return pl.Series([text], dtype=pl.String)


def _cyyddd(number: int) -> date | None:
    year, day = 1900 + number // 1_000, number % 1_000
    if not 0 <= number < _CENTURY_DAYS or not 1 <= day <= _LEAP:
        return None
    found = date(year, 1, 1) + timedelta(day - 1)
    return found if found.year == year else None


def _cyyddd_many(numbers: pl.Series, none: tuple[int, ...]) -> pl.Series:
    known = numbers.zip_with((numbers >= 0) & (numbers < _CENTURY_DAYS), pl.Series([None], dtype=numbers.dtype))
    return _days_of_years(none)[known.cast(pl.UInt32)]


@cache
def _days_of_years(without: tuple[int, ...]) -> pl.Series:
    number = np.arange(_CENTURY_DAYS)
    year, day = 1900 + number // 1_000, number % 1_000
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    starts = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int32)
    is_date = (day >= 1) & (day <= 365 + leap) & ~np.isin(number, without)
    return pl.Series(pa.array((starts + day - 1).astype(np.int32), pa.date32(), mask=~is_date))


def _ccyymmdd(number: int) -> date | None:
    if not 0 < number < _NINES["ccyymmdd"]:
        return None
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def _ccyymmdd_many(numbers: pl.Series, none: tuple[int, ...]) -> pl.Series:
    filled = numbers.fill_null(0) if numbers.null_count() else numbers
    written = filled.cast(pl.Int64).to_numpy()
    # 32 bits without sign are divided four times as fast; what doesn't fit becomes 0, which is no date.
    small = np.where((written > 0) & (written < _NINES["ccyymmdd"]), written, 0).astype(np.uint32)
    month = _months()[small // 100]
    day = (small % 100).astype(np.int32)
    is_date = (day >= 1) & (day <= month % _SLOT)
    for number in none:
        is_date &= written != number
    return pl.Series(pa.array(month // _SLOT + day - 1, pa.date32(), mask=~is_date))


@cache
def _months() -> np.ndarray:
    """Of every CCYYMM the first day (days from 1970) × _SLOT + the number of days; 0 days where there is no month."""
    months = np.arange("0001-01", "10000-01", dtype="datetime64[M]")
    starts = months.astype("datetime64[D]").astype(np.int64)
    lengths = np.diff(starts, append=np.datetime64("10000-01", "D").astype(np.int64))
    serial = np.arange(len(months))
    packed = np.zeros(_MONTHS, np.int32)
    packed[(1 + serial // 12) * 100 + 1 + serial % 12] = starts * _SLOT + lengths
    return packed


_FORMATS = {"cyyddd": (_cyyddd, _cyyddd_many), "ccyymmdd": (_ccyymmdd, _ccyymmdd_many)}
"""How one number is read in a format, and how a column of them."""
