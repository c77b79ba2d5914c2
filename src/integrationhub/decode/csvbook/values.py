"""Cells normalised and read by kind (clerical.md §1–§3): what two keyings are compared by, and what is mapped.

A cell is text for as long as it is one: what a spreadsheet would evaluate (a leading `=`, `+`, `-`, `@`, TAB or CR)
means nothing here. Such a text is kept as it is, blanks and all; whoever writes a spreadsheet disarms it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

UNREADABLE = object()
"""What a cell gives that is not of its kind."""

Value = str | int | None | object

_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_AMOUNT = r"£?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,13})(?:\.[0-9]{2})?"
_MONEY = re.compile(rf"-?{_AMOUNT}|\({_AMOUNT}\)")
_CHILDREN = re.compile(r"[1-9]")
_NUMBER = re.compile(r"[0-9]{1,18}")


EVALUATED = ("=", "+", "-", "@", "\t", "\r")
"""How texts begin that a spreadsheet would evaluate."""


def normalised(text: str) -> str:
    """Without blanks at its ends; a run of blanks is one blank."""
    return re.sub(r"[ \t\r\n\xa0]+", " ", text).strip(" ")


def read_value(kind: str, text: str, codes: Sequence[str] = ()) -> Value:
    """The value of a cell by its kind: text, number of pence, date as CCYYMMDD; None where it is blank."""
    plain = normalised(text)
    if kind == "nino":
        return plain.replace(" ", "").upper() or None
    if not plain:
        return None
    if kind in {"text", "name"}:
        return text if text.startswith(EVALUATED) else plain
    if kind == "code":
        return plain if plain in codes else UNREADABLE
    return _NUMBERS[kind](plain)


def compared(kind: str, value: Value) -> Value:
    """What two keyings must agree on: texts without regard to blanks, names without regard to letter case."""
    if not isinstance(value, str):
        return value
    return normalised(value).casefold() if kind == "name" else normalised(value)


def _date(text: str) -> Value:
    match = _DATE.fullmatch(text)
    if match is None:
        return UNREADABLE
    day, month, year = map(int, match.groups())
    try:
        date(year, month, day)
    except ValueError:
        return UNREADABLE
    return year * 10_000 + month * 100 + day


def _money(text: str) -> Value:
    if not _MONEY.fullmatch(text):
        return UNREADABLE
    digits = re.sub(r"[^0-9.]", "", text)
    whole, _, hundredths = digits.partition(".")
    pence = int(whole) * 100 + int(hundredths or 0)
    return -pence if text[0] in "-(" else pence


def _count(text: str) -> Value:
    return int(text) if _CHILDREN.fullmatch(text) else UNREADABLE


def _number(text: str) -> Value:
    return int(text) if _NUMBER.fullmatch(text) else UNREADABLE


_NUMBERS: Mapping[str, Callable[[str], Value]] = {
    "date": _date,
    "money": _money,
    "count": _count,
    "number": _number,
}
