"""Dates of mainframe records, by format and by the rule that says which values are no dates.

- `cyyddd`: a whole number 0CYYDDD. C is the century (0 = 19xx, 1 = 20xx), DDD the day of the year from 001; 366 exists
  in leap years only. 0096060 is 29 February 1996.
- `ccyymmdd`: a whole number CCYYMMDD of the years 0001–9999.

Both are looked up in tables made once: arithmetic on dates costs three to fifteen times as much. A negative number is
no date. A field whose bytes are all X'00' arrives as LOW_VALUES.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache, partial

import numpy as np
import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion, DateRule
from integrationhub.records import LOW_VALUES

_NINES = {"cyyddd": 9_999_999, "ccyymmdd": 99_999_999}
_CENTURY_DAYS = 200_000  # every 0CYYDDD with C 0 or 1
_MONTHS = 1_000_000  # every CCYYMM
FEW = 64
_SLOT = 32  # more than a month has days


def dated(source: pl.Expr, options: Conversion, environment: Environment) -> Converted:
    """The date, and a mark where the rule explains why there is none; anything else is DATE_INVALID."""
    rule = environment.date_rule(options.rule)
    value = (_cyyddd if rule.format == "cyyddd" else _ccyymmdd)(source, rule)
    if rule.exclusive:
        value = value.dt.offset_by("-1d")
    return Converted(value=value, dtype=pl.Date(), mark=_mark(source, rule), code="DATE_INVALID")


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


def _numbers(rule: DateRule) -> list[int]:
    return [as_number(item, rule) for item in (*rule.open, *rule.not_recorded, *rule.sentinels)]


def _mark(source: pl.Expr, rule: DateRule) -> pl.Expr | None:
    marks = {"OPEN": rule.open, "NOT_RECORDED": rule.not_recorded, "SENTINEL": rule.sentinels}
    chain: pl.Expr | None = None
    if rule.absent is not None:
        chain = pl.when(source.is_null()).then(pl.lit(rule.absent.upper()))
    for mark, placeholders in marks.items():
        if placeholders:
            here = pl.any_horizontal([source == as_number(item, rule) for item in placeholders])
            chain = pl.when(here).then(pl.lit(mark)).otherwise(chain)
    return chain


def _cyyddd(source: pl.Expr, rule: DateRule) -> pl.Expr:
    known = pl.when((source >= 0) & (source < _CENTURY_DAYS)).then(source)
    return pl.lit(_days_of_years(tuple(_numbers(rule)))).gather(known)


@cache
def _days_of_years(without: tuple[int, ...]) -> pl.Series:
    number = np.arange(_CENTURY_DAYS)
    year, day = 1900 + number // 1_000, number % 1_000
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    starts = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int32)
    is_date = (day >= 1) & (day <= 365 + leap) & ~np.isin(number, without)
    days = pl.DataFrame({"days": (starts + day - 1).astype(np.int32), "is_date": is_date})
    return days.select(pl.when("is_date").then("days").cast(pl.Date)).to_series()


def _ccyymmdd(source: pl.Expr, rule: DateRule) -> pl.Expr:
    return pl.map_batches([source], partial(_days_of, rule=rule), return_dtype=pl.Date)


def _days_of(columns: Sequence[pl.Series], *, rule: DateRule) -> pl.Series:
    """A few numbers are read one by one in Python (a third of an expression's cost), many natively."""
    numbers = columns[0]
    if len(numbers) > FEW:
        return pl.select(_ccyymmdd_natively(pl.lit(numbers), rule)).to_series()
    none = set(_numbers(rule))
    return pl.Series([_day(number, none) for number in numbers.to_list()], dtype=pl.Date)


def _day(number: int | None, none: set[int]) -> date | None:
    if number is None or number in none or not 0 < number < _NINES["ccyymmdd"]:
        return None
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return None


def _ccyymmdd_natively(source: pl.Expr, rule: DateRule) -> pl.Expr:
    month = pl.lit(_months()).gather(pl.when((source >= 0) & (source < _MONTHS * 100)).then(source // 100))
    day = source % 100
    written = [as_number(item, rule) for item in (*rule.open, *rule.not_recorded, *rule.sentinels)]
    none = [source != number for number in written if _could_be_date(number)]
    is_date = pl.all_horizontal([day >= 1, day <= month % _SLOT, *none])
    return pl.when(is_date).then(month // _SLOT + (day - 1)).cast(pl.Int32).cast(pl.Date)


def _could_be_date(number: int) -> bool:
    return 0 < number < _NINES["ccyymmdd"]


@cache
def _months() -> pl.Series:
    """Of every CCYYMM the first day (days from 1970) × _SLOT + the number of days; 0 days where there is no month."""
    months = np.arange("0001-01", "10000-01", dtype="datetime64[M]")
    starts = months.astype("datetime64[D]").astype(np.int64)
    lengths = np.diff(starts, append=np.datetime64("10000-01", "D").astype(np.int64))
    serial = np.arange(len(months))
    packed = np.zeros(_MONTHS, np.int64)
    packed[(1 + serial // 12) * 100 + 1 + serial % 12] = starts * _SLOT + lengths
    return pl.Series(packed)


def read_dates(numbers: pl.Series, rule: DateRule) -> pl.Series:
    """The dates that a series of numbers gives by a rule; null where it is a placeholder or no date."""
    read = _cyyddd if rule.format == "cyyddd" else _ccyymmdd
    return pl.select(read(pl.lit(numbers), rule)).to_series() if len(numbers) else pl.Series(dtype=pl.Date)
