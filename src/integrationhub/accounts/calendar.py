"""Working days of the payment systems: Monday to Friday, bank holidays excepted (payments.md §1)."""

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from integrationhub.errors import ConfigurationError

_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A calendar of working days. Days outside the years of the list have their weekends only."""

    holidays: Collection[date] = frozenset()

    @classmethod
    def parse(cls, text: str) -> "Calendar":
        """The calendar of a CSV list with the columns `day` (ISO 8601) and `title`; ConfigurationError names a line."""
        rows = csv.DictReader(io.StringIO(text))
        days: set[date] = set()
        for number, row in enumerate(rows, start=2):
            try:
                days.add(date.fromisoformat(row.get("day") or ""))
            except ValueError:
                raise ConfigurationError(
                    f"the list of bank holidays has no day in line {number}", code="CALENDAR_INVALID"
                ) from None
        return cls(holidays=frozenset(days))

    def is_working_day(self, day: date) -> bool:
        """Whether payments are made on that day."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        following = day + timedelta(1)
        while not self.is_working_day(following):
            following += timedelta(1)
        return following
