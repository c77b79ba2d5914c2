"""Values at and beside the thresholds of arrears-errors.md §4, oftener than life has them."""

from datetime import date, timedelta

from integrationhub.estate.book import Adjustment, Case, History, figures
from integrationhub.estate.dice import Dice
from integrationhub.estate.persons import Person
from integrationhub.estate.rules import ZEROS

OWED = (-1, 0, 1, 6_499, 6_500, 6_501, 49_999, 50_000, 50_001, 99_999, 100_000, 100_001)
"""Pence at which a debt changes its write-off class, and one penny beside."""

LEAP_DAYS = tuple(date(year, 2, 29) for year in (1996, 2000, 2004, 2008, 2012))
OLD_YEARS = 10
RECENT_MONTHS = 6


def months_before(day: date, months: int) -> date:
    """The day so many calendar months earlier, or the last of its month where it has no such day."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    last = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(1)).day
    return date(year, month + 1, min(day.day, last))


def years_after(day: date, years: int) -> date:
    """The day so many calendar years later; 29 February becomes the 28th where there is none."""
    last = (date(day.year + years, day.month % 12 + 1, 1) - timedelta(1)).day if day.month == LEAP_DAYS[0].month else 31
    return date(day.year + years, day.month, min(day.day, last))


def beginnings(as_at: date, first: date, last: date) -> list[date]:
    """Days on which a case is just ten years old, one day less, and leap days."""
    ten = months_before(as_at, 12 * OLD_YEARS)
    days = (ten - timedelta(1), ten, ten + timedelta(1), *LEAP_DAYS)
    return [day for day in days if first <= day <= last]


def silences(as_at: date) -> tuple[date, ...]:
    """Days of a contact or receipt that just counts as recent, or just doesn't."""
    edge = months_before(as_at, RECENT_MONTHS)
    return edge, edge + timedelta(1)


def move_to_edges(case: Case, nrp: Person, dice: Dice, as_at: date) -> None:
    """Let some sound cases owe just what matters, and some parents be reached just in time or just too late."""
    if dice.chance(0.07) and case.status != "X" and case.sent:
        _owe(case, dice.pick(OWED), dice.pick(("R", "R", "S")), as_at)
    if dice.chance(0.05):
        day = dice.pick((*silences(as_at), as_at))
        case.history.append(
            History(kind="C", code="LET", first=day, last=ZEROS, outcome="S", party=nrp.party_id)
        )  # fmt: skip


def _owe(case: Case, pence: int, owner: str, as_at: date) -> None:
    """An adjustment that brings the owner's balance to this."""
    total = figures(case.sent)
    change = pence - (total.rp if owner == "R" else total.sos)
    line = Adjustment(
        owner=owner, posted=as_at, pence=change, reason="DR" if change > 0 else "CR", effective=as_at,
        authority="AUTH09", text="to the penny",
    )  # fmt: skip
    for ledger in case.ledgers() if change else ():
        ledger.append(line)
