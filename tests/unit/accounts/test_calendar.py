"""Working days of the payment systems."""

from datetime import date

import pytest

from integrationhub.accounts.calendar import Calendar
from integrationhub.catalogue import shipped_connectors
from integrationhub.errors import ConfigurationError

ENGLAND = Calendar.parse((shipped_connectors() / "connectors/bacs/england-bank-holidays.csv").read_text())


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 3, 9), date(2026, 3, 10)),
        (date(2026, 3, 13), date(2026, 3, 16)),
        (date(2026, 3, 14), date(2026, 3, 16)),
        (date(2026, 4, 2), date(2026, 4, 7)),
        (date(2026, 12, 24), date(2026, 12, 29)),
        (date(2027, 12, 24), date(2027, 12, 29)),
        (date(2027, 12, 31), date(2028, 1, 4)),
    ],
)
def test_the_next_working_day_is_no_weekend_and_no_bank_holiday(day: date, following: date) -> None:
    assert ENGLAND.next_working_day(day) == following


def test_bank_holidays_are_never_on_a_weekend_and_eight_a_year() -> None:
    assert all(day.weekday() < 5 for day in ENGLAND.holidays)
    assert {year: sum(day.year == year for day in ENGLAND.holidays) for year in range(2024, 2029)} == dict.fromkeys(
        range(2024, 2029), 8
    )


def test_a_list_with_a_line_that_is_no_day_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="line 3"):
        Calendar.parse("day,title\n2026-01-01,New Year\n2026-02-30,Never\n")
