"""Dates of mainframe records: values in a table, every day of two centuries, and what is no date."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.mapping.conversions import Environment, convert
from integrationhub.mapping.spec import Conversion, DateRule
from integrationhub.records import LOW_VALUES

ALL = ("1900-01-01", "1980-01-01", "low-values", "zero", "nines")
RULES = {
    "packed": DateRule(format="cyyddd", sentinels=ALL),
    "packed-bare": DateRule(format="cyyddd"),
    "packed-until": DateRule(format="cyyddd", open=("nines",)),
    "packed-unrecorded": DateRule(format="cyyddd", not_recorded=("zero",), sentinels=("low-values", "nines")),
    "display": DateRule(format="ccyymmdd", sentinels=ALL),
    "display-bare": DateRule(format="ccyymmdd"),
}
BAD = "DATE_INVALID"


def read(rule: str, *numbers: int | None) -> list[tuple[date | None, str | None]]:
    """Value and mark of each number."""
    found = convert(pl.col("n"), Conversion(conversion="date", rule=rule), Environment(dates=RULES))
    assert found.marker is not None
    column = pl.Series("n", numbers, dtype=pl.Int64)
    return pl.DataFrame(
        {"value": column.to_frame().select(found.value).to_series(), "mark": found.marker(column)}
    ).rows()


@pytest.mark.parametrize(
    ("rule", "number", "value", "mark"),
    [
        ("packed", 96060, date(1996, 2, 29), None),  # csa1993.md §3
        ("packed", 108091, date(2008, 3, 31), None),  # csa1993.md §3
        ("packed", 96366, date(1996, 12, 31), None),
        ("packed", 95365, date(1995, 12, 31), None),
        ("packed", 95366, None, None),
        ("packed", 100366, date(2000, 12, 31), None),
        ("packed", 366, None, None),  # 1900 was no leap year
        ("packed", 365, date(1900, 12, 31), None),
        ("packed", 199365, date(2099, 12, 31), None),
        ("packed", 199366, None, None),
        ("packed", 200001, None, None),  # C is 0 or 1
        ("packed", 96000, None, None),
        ("packed", 96367, None, None),
        ("packed", -96060, None, None),
        ("packed", None, None, None),
        ("packed", 1, None, "SENTINEL"),
        ("packed", 80001, None, "SENTINEL"),
        ("packed", 0, None, "SENTINEL"),
        ("packed", 9_999_999, None, "SENTINEL"),
        ("packed", LOW_VALUES, None, "SENTINEL"),
        ("packed", 9_999_998, None, None),
        ("packed-bare", 1, date(1900, 1, 1), None),
        ("packed-bare", 80001, date(1980, 1, 1), None),
        ("packed-bare", 0, None, None),
        ("packed-bare", LOW_VALUES, None, None),
        ("packed-until", 9_999_999, None, "OPEN"),
        ("packed-until", 80001, date(1980, 1, 1), None),
        ("packed-until", 0, None, None),
        ("packed-until", LOW_VALUES, None, None),
        ("packed-unrecorded", 0, None, "NOT_RECORDED"),
        ("packed-unrecorded", LOW_VALUES, None, "SENTINEL"),
        ("packed-unrecorded", 9_999_999, None, "SENTINEL"),
        ("display", 19960229, date(1996, 2, 29), None),
        ("display", 19950229, None, None),
        ("display", 19000229, None, None),
        ("display", 20000229, date(2000, 2, 29), None),
        ("display", 19991231, date(1999, 12, 31), None),
        ("display", 19991301, None, None),
        ("display", 19990001, None, None),
        ("display", 19990100, None, None),
        ("display", 19990132, None, None),
        ("display", 19990431, None, None),
        ("display", 10101, date(1, 1, 1), None),
        ("display", 101, None, None),  # there is no year 0
        ("display", 99991231, date(9999, 12, 31), None),
        ("display", -19960229, None, None),
        ("display", None, None, None),
        ("display", 19000101, None, "SENTINEL"),
        ("display", 19800101, None, "SENTINEL"),
        ("display", 0, None, "SENTINEL"),
        ("display", 99_999_999, None, "SENTINEL"),
        ("display", LOW_VALUES, None, "SENTINEL"),
        ("display-bare", 19000101, date(1900, 1, 1), None),
        ("display-bare", 100_000_000, None, None),
        ("display-bare", LOW_VALUES, None, None),
    ],
)
def test_a_number_is_a_date_a_mark_or_nothing(
    rule: str, number: int | None, value: date | None, mark: str | None
) -> None:
    assert read(rule, number) == [(value, mark)]


def test_every_day_of_two_centuries_is_read_in_both_formats() -> None:
    days = [date(1900, 1, 1) + timedelta(number) for number in range((date(2100, 1, 1) - date(1900, 1, 1)).days)]

    packed = read("packed-bare", *((day.year - 1900) * 1000 + day.timetuple().tm_yday for day in days))
    display = read("display-bare", *(day.year * 10_000 + day.month * 100 + day.day for day in days))

    assert packed == [(day, None) for day in days]
    assert display == packed


@settings(deadline=None)
@given(st.integers(-(10**9), 10**9))
def test_a_display_number_is_a_date_exactly_when_the_calendar_has_it(number: int) -> None:
    try:
        day = date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        day = None

    assert read("display-bare", number) == [(day, None)]


@settings(deadline=None)
@given(st.dates(), st.integers(0, 99))
def test_a_display_date_with_another_day_number_is_judged_by_its_month(day: date, other: int) -> None:
    number = day.year * 10_000 + day.month * 100 + other
    try:
        expected = day.replace(day=other)
    except ValueError:
        expected = None

    assert read("display-bare", number) == [(expected, None)]


def test_only_what_is_neither_date_nor_mark_is_at_fault() -> None:
    found = convert(pl.col("n"), Conversion(conversion="date", rule="packed"), Environment(dates=RULES))

    assert found.code == BAD
    assert found.needed
