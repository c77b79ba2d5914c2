"""Dates of mainframe records, by format and by the rule that says which values are no dates.

- `cyyddd`: a whole number 0CYYDDD. C is the century (0 = 19xx, 1 = 20xx), DDD the day of the year from 001; 366 exists
  in leap years only. 0096060 is 29 February 1996.
- `ccyymmdd`: a whole number CCYYMMDD of the years 0001–9999.

Both are looked up in tables made once: arithmetic on dates costs three to fifteen times as much. A negative number is
no date. A field whose bytes are all X'00' arrives as LOW_VALUES.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.mapping.conversions.result import FEW, Converted, Environment, Reader
from integrationhub.mapping.spec import Conversion, DateRule
from integrationhub.records import LOW_VALUES

_NINES = {"cyyddd": 9_999_999, "ccyymmdd": 99_999_999}
_CENTURY_DAYS = 200_000  # every 0CYYDDD with C 0 or 1
_MONTHS = 1_000_000  # every CCYYMM
_LEAP = 366
_FIRST_DAY = 1_01_01  # the first CCYYMMDD, which no day is before
_SHORTEST, _LONGEST = 28, 31  # days of a month
_ROW = 128  # more than DD can say


def dated(source: pl.Expr, options: Conversion, environment: Environment) -> Converted:
    """The date, and a mark where the rule explains why there is none; anything else is DATE_INVALID."""
    rule = environment.date_rule(options.rule)
    return Converted(
        value=_value(source, rule),
        one=_one(rule),
        reads="whole numbers",
        dtype=pl.Date(),
        marker=_marker(rule),
        marks_absence=rule.absent is not None,
        code="DATE_INVALID",
    )


def read_dates(numbers: pl.Series, rule: DateRule) -> pl.Series:
    """The dates that a series of numbers gives by a rule; null where it is a placeholder or no date."""
    return pl.select(_value(pl.lit(numbers), rule)).to_series()


def _value(source: pl.Expr, rule: DateRule) -> pl.Expr:
    number = source.cast(pl.UInt32, strict=False)
    return _FORMATS[rule.format].column(number, _placeholders(rule), int(rule.exclusive))


def _one(rule: DateRule) -> Callable[[int], date | None]:
    day, none = _FORMATS[rule.format].one, frozenset(_placeholders(rule))
    if not rule.exclusive:
        return lambda number: None if number in none else day(number)
    return lambda number: None if number in none else _day_before(day(number))


def _day_before(day: date | None) -> date | None:
    return None if day in {None, date.min} else day - timedelta(1)


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


def _cyyddd_column(number: pl.Expr, none: tuple[int, ...], back: int) -> pl.Expr:
    return pl.lit(_days_of_years(none, back)).gather(number, null_on_oob=True)


@cache
def _days_of_years(without: tuple[int, ...], back: int) -> pl.Series:
    number = np.arange(_CENTURY_DAYS)
    year, day = 1900 + number // 1_000, number % 1_000
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    starts = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int32)
    is_date = (day >= 1) & (day <= 365 + leap) & ~np.isin(number, without)
    return pl.Series(pa.array((starts + day - 1 - back).astype(np.int32), pa.date32(), mask=~is_date))


def _ccyymmdd(number: int) -> date | None:
    if not 0 < number < _NINES["ccyymmdd"]:
        return None
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def _ccyymmdd_column(number: pl.Expr, none: tuple[int, ...], back: int) -> pl.Expr:
    """The month's first day and the days after it, which a row of another table gives for months of its length."""
    without = frozenset((*none, _FIRST_DAY) if back else none)
    apart = tuple(sorted({other // 100 for other in without if 0 < other < _NINES["ccyymmdd"]}))
    month = number // 100
    first = pl.lit(_first_days()).gather(month, null_on_oob=True)
    row = pl.lit(_rows_less_month(apart)).gather(month, null_on_oob=True)
    later = pl.lit(_days_later(apart, without, back)).gather(row + number, null_on_oob=True)
    return (first + later).cast(pl.Date)


@cache
def _first_days() -> pl.Series:
    """Of every CCYYMM the first day (days from 1970); 0 where there is no month."""
    days = np.zeros(_MONTHS, np.int32)
    days[_calendar()] = np.arange("0001-01", "10000-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int32)
    return pl.Series(days)


@cache
def _lengths() -> np.ndarray:
    """Of every CCYYMM how many days it has; 0 where there is no month."""
    starts = np.arange("0001-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int32)
    lengths = np.zeros(_MONTHS, np.uint8)
    lengths[_calendar()] = np.diff(starts)
    return lengths


def _calendar() -> np.ndarray:
    """Every CCYYMM that is a month of the years 0001–9999, in order."""
    serial = np.arange(9_999 * 12)
    return (1 + serial // 12) * 100 + 1 + serial % 12


@cache
def _rows_less_month(apart: tuple[int, ...]) -> pl.Series:
    """Of every CCYYMM where its row of `_days_later` begins, less CCYYMM00 (modulo 2³²): CCYYMMDD is to be added."""
    row = _lengths().astype(np.uint32)
    row[row > 0] -= _SHORTEST - 1
    for number, month in enumerate(apart, start=_LONGEST - _SHORTEST + 2):
        row[month] = number if row[month] else 0
    return pl.Series(row * np.uint32(_ROW) - np.arange(_MONTHS, dtype=np.uint32) * np.uint32(100))


@cache
def _days_later(apart: tuple[int, ...], without: frozenset[int], back: int) -> pl.Series:
    """Days after the first: a row for no month, one for each length of months, one for each month that stands apart."""
    lengths = [0, *range(_SHORTEST, _LONGEST + 1), *(int(_lengths()[month]) for month in apart)]
    months = [*[0] * (len(lengths) - len(apart)), *apart]
    rows = [
        day - 1 - back if 1 <= day <= length and month * 100 + day not in without else None
        for month, length in zip(months, lengths, strict=True)
        for day in range(_ROW)
    ]
    return pl.Series(rows, dtype=pl.Int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """How one number is read, and how a column of them: without those that are no dates, so many days back."""

    one: Callable[[int], date | None]
    column: Callable[[pl.Expr, tuple[int, ...], int], pl.Expr]


_FORMATS: Mapping[str, _Format] = {
    "cyyddd": _Format(one=_cyyddd, column=_cyyddd_column),
    "ccyymmdd": _Format(one=_ccyymmdd, column=_ccyymmdd_column),
}
