"""Amounts and dates in the texts of bank files, column by column and exactly.

Sums are kept in hundred-thousandths of a unit of currency, the finest that ISO 20022 allows, whatever the entries are.
"""

import re

import polars as pl

SCALE = 100_000
"""Hundred-thousandths in a unit."""

TO_PENCE = SCALE // 100

BLANKS = " \t\r\n"
"""What may stand around a value in XML; other white space is a part of it."""

_DECIMAL = r"^(?:[0-9]{1,13}(?:\.[0-9]{0,5})?|\.[0-9]{1,5})$"
_AGREED = r"^[0-9]{1,11}(?:\.[0-9]{1,5})?$"
_DAY = r"^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*|Z|[+-][0-9]{2}:[0-9]{2})?$"
_DECIMAL_TEXT = re.compile(_DECIMAL)


def exact(text: str | None) -> int | None:
    """An amount in hundred-thousandths; None where it is no amount."""
    if text is None or _DECIMAL_TEXT.fullmatch(text) is None:
        return None
    whole, _, part = text.partition(".")
    return int(whole or "0") * SCALE + int(part.ljust(5, "0"))


def whole_part(text: pl.Expr) -> pl.Expr:
    """The units of amounts; null where it is none."""
    fits = pl.when(text.str.contains(_DECIMAL)).then(text)
    return fits.str.extract(r"^([0-9]*)").replace("", "0").cast(pl.Int64)


def small_part(text: pl.Expr) -> pl.Expr:
    """The hundred-thousandths of amounts behind their units; null where it is none."""
    fits = pl.when(text.str.contains(_DECIMAL)).then(text)
    return fits.str.extract(r"\.([0-9]*)$").fill_null("").str.pad_end(5, "0").cast(pl.Int64)


def pence(text: pl.Expr, whole: pl.Expr, small: pl.Expr) -> pl.Expr:
    """Pence where an amount is of the agreed form and has no more than two significant decimals, else null."""
    return pl.when(text.str.contains(_AGREED) & (small % TO_PENCE == 0)).then(whole * 100 + small // TO_PENCE)


def is_day(text: pl.Expr) -> pl.Expr:
    """Whether a date, or date and time, names a day of the calendar."""
    days = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(text.is_not_null()).then(text.str.contains(_DAY) & days.is_not_null())


def day(text: pl.Expr) -> pl.Expr:
    """Dates, or dates and times, as whole numbers CCYYMMDD."""
    return pl.when(is_day(text)).then(text.str.slice(0, 10).str.replace_all("-", "", literal=True)).cast(pl.Int64)


def filled(name: str) -> pl.Expr:
    """The text of a column without blanks around it; null where it is blank."""
    text = pl.col(name).str.strip_chars(BLANKS)
    return pl.when(text != "").then(text)
