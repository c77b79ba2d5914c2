"""Attribute values to columns: what the schema's types allow, exactly, or a fault.

Dates become whole numbers CCYYMMDD and money becomes pence, so that the mapping reads them as it reads any feed. A
value that the type's lexical space allows but a column can't hold (a date with a time zone, a year of five digits) is
a fault.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from integrationhub.decode.xml.layout import Kind

TYPES: Mapping[Kind, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Int64(),
    "money": pl.Int64(),
    "flag": pl.String(),
    "int": pl.Int64(),
}
"""Column types by kind."""

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MONEY = r"^[+-]?(?:[0-9]{1,14}(?:\.[0-9]{0,2}0*)?|\.[0-9]{1,2}0*)$"
_INT = r"^(?:\+?[0-9]{1,18}|-0+)$"
_BLANKS = " \t\r\n"


def converted(kind: Kind, texts: Sequence[str | None]) -> tuple[pl.Series, pl.Series]:
    """The column, and where a value is there but can't be held."""
    given = pl.Series("given", texts, dtype=pl.String)
    if kind == "text":
        return given, pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(given))
    plain = given.str.strip_chars(_BLANKS)
    values = pl.select(_EXPRESSIONS[kind](pl.lit(plain))).to_series()
    return values, given.is_not_null() & values.is_null()


def _date(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(_DATE)).then(text.str.replace_all("-", "", literal=True)).cast(pl.Int64)


def _money(text: pl.Expr) -> pl.Expr:
    good = pl.when(text.str.contains(_MONEY)).then(text)
    whole = good.str.extract(r"^[+-]?([0-9]*)").replace("", "0").cast(pl.Int64)
    hundredths = good.str.extract(r"\.([0-9]{0,2})").fill_null("").str.pad_end(2, "0").cast(pl.Int64)
    pence = whole * 100 + hundredths
    return pl.when(good.str.starts_with("-")).then(-pence).otherwise(pence)


def _flag(text: pl.Expr) -> pl.Expr:
    yes, no = text.is_in(["true", "1"]), text.is_in(["false", "0"])
    return pl.when(yes).then(pl.lit("true")).when(no).then(pl.lit("false"))


def _int(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(_INT)).then(text.str.strip_prefix("+")).cast(pl.Int64)


_EXPRESSIONS = {"date": _date, "money": _money, "flag": _flag, "int": _int}
