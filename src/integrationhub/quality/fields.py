"""One field over a whole file, added up slice by slice: how often it is filled, readable, which numbers and days.

Values themselves are kept for coded fields only, whose codes stand in a list; everything else is counted, so that no
personal value can reach a profile.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from integrationhub.mapping.conversions.dates import as_number, read_dates
from integrationhub.mapping.readings import CodedField
from integrationhub.mapping.spec import DateRule
from integrationhub.records import LOW_VALUES


@dataclass(slots=True, kw_only=True)
class FieldProfile:
    """Counts of one source field. `least` and `most` are days; numbers and texts have none."""

    table: str
    field: str
    coded: CodedField | None = None
    rule: DateRule | None = None
    personal: bool = False  # of personal dates only years are shown
    rows: int = 0
    filled: int = 0
    faulty: int = 0
    placeholders: int = 0
    late: int = 0
    least: date | None = None
    most: date | None = None
    years: Counter[int] = dataclasses.field(default_factory=Counter)
    codes: Counter[str] = dataclasses.field(default_factory=Counter)
    unlisted: int = 0

    @property
    def earliest(self) -> str | None:
        """The first day, or of a personal field its year."""
        return self._shown(self.least)

    @property
    def latest(self) -> str | None:
        """The last day, or of a personal field its year."""
        return self._shown(self.most)

    def _shown(self, day: date | None) -> str | None:
        return None if day is None else str(day.year) if self.personal else day.isoformat()

    @property
    def name(self) -> str:
        """Table and field."""
        return f"{self.table}.{self.field}"

    def add(self, column: pl.Series, as_at: date) -> None:
        """Take the field's values of one slice, of the rows that have such a field."""
        self.rows += len(column)
        there = column.drop_nulls()
        blank_is_a_code = self.coded is not None and "" in self.coded.codes
        if there.dtype == pl.String and not blank_is_a_code:
            self.filled += int((there != "").sum())
        else:
            self.filled += len(there)
        if self.coded is not None:
            self._count_codes(there.cast(pl.String))
        if self.rule is not None:
            self._count_days(there, as_at)

    def _count_codes(self, there: pl.Series) -> None:
        assert self.coded is not None
        for code, count in there.value_counts().iter_rows():
            if code in self.coded.codes:
                self.codes[code] += count
            else:
                self.unlisted += count

    def _count_days(self, there: pl.Series, as_at: date) -> None:
        assert self.rule is not None
        listed = [as_number(one, self.rule) for one in (*self.rule.open, *self.rule.not_recorded, *self.rule.sentinels)]
        stands_for = there.is_in([*listed, LOW_VALUES])
        days = read_dates(there, self.rule).drop_nulls()
        placeholders = int(stands_for.sum())
        self.placeholders += placeholders
        self.faulty += len(there) - placeholders - len(days)
        if days.is_empty():
            return
        first, last = days.min(), days.max()
        assert isinstance(first, date)
        assert isinstance(last, date)
        self.least = first if self.least is None else min(self.least, first)
        self.most = last if self.most is None else max(self.most, last)
        self.late += int((days > as_at).sum())
        self.years.update(dict(days.dt.year().value_counts().iter_rows()))

    def as_dict(self) -> Mapping[str, Any]:
        """The counts as JSON has them."""
        found: dict[str, Any] = {
            name: getattr(self, name) for name in ("table", "field", "rows", "filled", "faulty", "placeholders")
        }
        if self.coded is not None:
            found["codes"], found["unlisted"] = dict(sorted(self.codes.items())), self.unlisted
        if self.rule is not None:
            found |= {"earliest": self.earliest, "latest": self.latest, "after_as_at": self.late}
            found["years"] = {str(year): count for year, count in sorted(self.years.items())}
        return found
