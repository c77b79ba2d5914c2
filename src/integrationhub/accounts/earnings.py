"""What may be taken from earnings: rates by date, and the part that is protected (employer-deductions.md §2).

All in whole pence; a rate is a whole percentage of the whole net earnings, not of a slice of them.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise

from integrationhub.errors import ConfigurationError

WEEKS = {"W": 1, "F": 2, "4": 4}
"""Weeks that a pay period has, by frequency; M is a month."""

PROTECTED_PERCENT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Percentages for earnings up to a limit in pence, inclusive; None: for all above."""

    up_to: int | None
    percent: dict[str, int]  # by rate: S, H


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The bands of one period of validity, lowest first."""

    valid_from: date
    valid_to: date
    weekly: Sequence[Band]
    monthly: Sequence[Band]

    def rated(self, net: int, *, frequency: str, rate: str) -> int:
        """What the rate takes of the net earnings of a pay period."""
        weeks = WEEKS.get(frequency)
        bands, times = (self.monthly, 1) if weeks is None else (self.weekly, weeks)
        band = next(band for band in bands if band.up_to is None or net <= band.up_to * times)
        return nearest(net, band.percent[rate])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """All tables; no two are valid on one day."""

    tables: Sequence[Table]

    @classmethod
    def parse(cls, text: str) -> "Rates":
        """The tables of a CSV list; ConfigurationError says what is wrong with it.

        Columns: valid_from, valid_to (ISO 8601, inclusive; empty: no end), period (weekly, monthly), up_to_pence
        (empty: above), standard_percent, higher_percent.
        """
        try:
            rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["valid_from"])
            tables = [_table(own) for _, own in groupby(rows, key=lambda row: row["valid_from"])]
        except (KeyError, ValueError, TypeError):
            raise ConfigurationError("a line of the rates can't be read", code="RATES_INVALID") from None
        if any(later.valid_from <= earlier.valid_to for earlier, later in pairwise(tables)):
            raise ConfigurationError("two tables of rates are valid on one day", code="RATES_INVALID")
        return cls(tables=tables)

    def on(self, day: date) -> Table | None:
        """The table that is valid on that day."""
        return next((table for table in self.tables if table.valid_from <= day <= table.valid_to), None)


def nearest(pence: int, percent: int) -> int:
    """A percentage to the nearest penny, an exact half penny down."""
    return (pence * percent * 2 + 99) // 200


def attachable(net: int, other_deductions: int) -> int:
    """The most that may be taken, so that the protected part of the net earnings is left."""
    return max(net * (100 - PROTECTED_PERCENT) // 100 - other_deductions, 0)


def _table(rows: Iterable[dict[str, str]]) -> Table:
    own = list(rows)
    if len({row["valid_to"] for row in own}) > 1:
        raise ValueError("one table, two ends")
    weekly, monthly = (_bands(own, period) for period in ("weekly", "monthly"))
    return Table(
        valid_from=date.fromisoformat(own[0]["valid_from"]),
        valid_to=date.fromisoformat(own[0]["valid_to"]) if own[0]["valid_to"] else date.max,
        weekly=weekly,
        monthly=monthly,
    )


def _bands(rows: Iterable[dict[str, str]], period: str) -> list[Band]:
    bands = [
        Band(
            up_to=int(row["up_to_pence"]) if row["up_to_pence"] else None,
            percent={"S": int(row["standard_percent"]), "H": int(row["higher_percent"])},
        )
        for row in rows
        if row["period"] == period
    ]
    bands.sort(key=lambda band: (band.up_to is None, band.up_to or 0))
    if [band.up_to for band in bands].count(None) != 1:
        raise ValueError("a table has one band without a limit")
    return bands
