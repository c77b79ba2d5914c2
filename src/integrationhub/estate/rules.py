"""What differs between the 1993 and the 2003 scheme when cases are made up: dates, amounts, formulas.

The arithmetic is written down here a second time, from the documents (csa1993.md §5, csa2003.md §4), so that the truth
of an estate does not hang on the functions that are to be judged by it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

DAY = timedelta(1)
WEEK = 7
SHARED_CARE = 104  # nights a year from which a child's share shrinks (1993)
SEVENTHS = (52, 104, 156)  # nights a year from which one, two, three sevenths are taken off (2003)
HALF = 175  # nights a year from which half is taken off (2003)
HIGHEST_NET, BASIC_FROM, FLAT_TO, NIL_TO = 200_000, 20_000, 10_000, 500  # weekly net income (2003)
MINIMUM = 500
OPEN = date.max
"""Nines: open in a `to` field, a sentinel in any other (csa1993.md §3)."""

ZEROS = date.min
"""Zero digits: "not recorded" in A-FROM, P-ROLE-FROM and the E-TO of a contact, a sentinel in any other field. In the
2003 book an attribute that is not there.
"""

LOW_VALUES = date(1, 1, 2)
"""All bytes X'00', in the 2003 book 0001-01-01: a sentinel."""

SENTINELS = (date(1900, 1, 1), date(1980, 1, 1), LOW_VALUES, ZEROS, OPEN)
"""What may stand in place of a date that isn't a `to` field (csa1993.md §3, arrears-errors.md E06)."""

LAST_BENEFIT_DAY = date(2008, 10, 26)
"""The last day on which maintenance was kept in lieu of benefit (csa1993.md §5.4)."""


def near(dividend: int, divisor: int) -> int:
    """A quotient to the nearest whole number."""
    whole, rest = divmod(dividend, divisor)
    return whole + (2 * rest >= divisor)


class Inputs(NamedTuple):
    """What a full 1993 assessment was worked out from; `nights` has (child's party id, nights) a child."""

    net: int
    exempt: int
    nights: tuple[tuple[int, int], ...]

    def rate(self) -> int:
        """The weekly pence that the formula gives (csa1993.md §5.2)."""
        assessable = max(0, self.net - self.exempt)
        if not assessable:
            return 0
        base, count = assessable // 2, len(self.nights)
        shares = [base // count] * count
        shares[0] += base % count
        for place, (_, nights) in enumerate(self.nights):
            if nights >= SHARED_CARE:
                shares[place] = shares[place] * (365 - nights) // 365
        return max(MINIMUM, min(30_000, sum(shares)))


class MonthlyInputs(NamedTuple):
    """What a full 2003 assessment was worked out from."""

    net: int
    children: int
    nights: int

    def rate(self) -> int:
        """The monthly pence that the formula gives (csa2003.md §4)."""
        net = min(near(self.net * 3, 13), HIGHEST_NET)
        if net <= NIL_TO:
            return 0
        more = min(self.children, 3)
        if net <= FLAT_TO:
            due = MINIMUM
        elif net < BASIC_FROM:
            due = MINIMUM + (net - FLAT_TO) * (15 + 10 * more) // 100
        else:
            due = net * (10 + 5 * more) // 100
        if self.nights >= HALF:
            due //= 2
        else:
            due = due * (7 - sum(self.nights >= edge for edge in SEVENTHS)) // 7
        return near(max(due, MINIMUM) * 13, 3)


def _weekly_charge(weekly: int, first: date, last: date) -> int:
    return weekly * ((last - first).days + 1) // WEEK


def _monthly_charge(monthly: int, first: date, last: date) -> int:
    return near(_weekly_of_monthly(monthly) * ((last - first).days + 1), WEEK)


def _weekly_of_monthly(monthly: int) -> int:
    return near(monthly * 3, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One scheme. A `rate` is the amount of an assessment row: weekly pence in 1993, monthly pence in 2003; `charge`
    gives the pence of the days from first to last at a rate, both included.

    `as_stored`: a reversal moves the balance by its own amount, on its own owner; else by what it reverses.
    """

    system: str
    starts: date
    ends: date
    bank_link: date
    sentinels: tuple[date, ...]
    rates: tuple[int, int]
    highest_rate: int
    charge: Callable[[int, date, date], int]
    weekly: Callable[[int], int]
    as_stored: bool

    def quote(self, ref: str, owner: str = "") -> str:
        """What a payer quotes who means this case, and one owner's part of it if one is given."""
        if self.system == "93":
            return f"{ref}{owner}"
        return f"{ref}/{owner}" if owner else ref


SCHEME_1993 = Rules(
    system="93", starts=date(1993, 4, 5), ends=date(2003, 3, 2), bank_link=date(1999, 1, 1), sentinels=SENTINELS,
    rates=(500, 16_000), highest_rate=40_000, charge=_weekly_charge, weekly=lambda rate: rate, as_stored=False,
)  # fmt: skip
SCHEME_2003 = Rules(
    system="03", starts=date(2003, 3, 3), ends=date(2012, 12, 9), bank_link=date(2003, 3, 3),
    sentinels=tuple(day for day in SENTINELS if day != ZEROS), rates=(2_167, 90_000), highest_rate=200_000,
    charge=_monthly_charge, weekly=_weekly_of_monthly, as_stored=True,
)  # fmt: skip


def owner_runs(first: date, last: date, benefits: Sequence[tuple[date, date]]) -> Iterator[tuple[date, date, str]]:
    """The days in runs of one owner: S within a benefit period up to October 2008, else R (csa1993.md §5.4)."""
    turns = {first, LAST_BENEFIT_DAY + DAY}
    turns.update(start for start, _ in benefits)
    turns.update(end + DAY for _, end in benefits if end < OPEN)
    runs: list[tuple[date, str]] = []
    for turn in sorted(day for day in turns if first <= day <= last):
        owner = "S" if turn <= LAST_BENEFIT_DAY and any(start <= turn <= end for start, end in benefits) else "R"
        if not runs or runs[-1][1] != owner:
            runs.append((turn, owner))
    ends = [start - DAY for start, _ in runs[1:]] + [last]
    for (start, owner), end in zip(runs, ends, strict=True):
        yield start, end, owner
