"""Cells of a schedule: money and dates as numbers (employer-deductions.md §1)."""

import re

_MONEY = re.compile(r"£?(-?)([0-9]{1,3}(?:,[0-9]{3})*|[0-9]+)(?:\.([0-9]{1,2}))?")
_DATE = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
LONGEST_MONEY = 24
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters, which no text may have; tab, CR and LF may stand in one (benefits-common.md §2)."""


def pence(text: str) -> int | None:
    """Pounds with a comma or not, as pence; None where it is no such amount."""
    match = _MONEY.fullmatch(text) if len(text) <= LONGEST_MONEY else None
    if match is None:
        return None
    sign, pounds, hundredths = match.groups()
    amount = int(pounds.replace(",", "")) * 100 + int((hundredths or "").ljust(2, "0"))
    return -amount if sign else amount


def ccyymmdd(text: str) -> int | None:
    """dd/mm/yyyy as the number CCYYMMDD, calendar date or not; None where it is not written so."""
    match = _DATE.fullmatch(text)
    return int(match[3] + match[2] + match[1]) if match else None
