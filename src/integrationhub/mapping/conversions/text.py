"""Text: without blanks at its ends, or as it stands; blank is nothing."""

import polars as pl

from integrationhub.mapping.conversions.result import FEW, Converted, Environment, read, require_text
from integrationhub.mapping.spec import Conversion

_NUL = "\x00"
"""Low-values in a text field: padding on the mainframe, refused by PostgreSQL in any text."""

_ONE = pl.col("")
_NATIVELY = (_ONE.str.strip_chars(" "), _ONE.str.contains(_NUL, literal=True).any().alias("low values"))
_WITHOUT_LOW_VALUES = _ONE.str.replace_all(_NUL, "", literal=True).str.strip_chars(" ")
_NOTHING = pl.Series([None], dtype=pl.String)

CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
"""Characters that no text may have (benefits-common.md §2); tab, CR and LF may stand in one."""

_HAS_CONTROL = _ONE.str.contains(CONTROL)
_AS_IT_STANDS = _ONE.str.strip_chars_end(" ").str.normalize("NFC")


def text(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The text without blanks and low-values around it, and without low-values inside; null where nothing is left."""
    value = read(source, _cleaned, pl.String())
    return Converted(value=value, reader=_cleaned, dtype=pl.String(), needed=False)


def _cleaned(texts: pl.Series) -> pl.Series:
    require_text(texts)
    if len(texts) <= FEW:
        return pl.Series([(text and text.replace(_NUL, "").strip(" ")) or None for text in texts], dtype=pl.String)
    frame = texts.cast(pl.String).alias("").to_frame()
    cleaned, low_values = frame.select_seq(_NATIVELY)
    if low_values[0]:
        cleaned = frame.select_seq(_WITHOUT_LOW_VALUES).to_series()
    return cleaned.zip_with(cleaned != "", _NOTHING)


def plain(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The text as the source has it, in NFC and without blanks at its end; null where nothing is left.

    TEXT_CONTROL_CHAR: there is a control character in it. Low-values that fill a field arrive as null.
    """
    value = read(source, _as_it_stands, pl.String())
    bad = source.str.contains(CONTROL)
    return Converted(
        value=value, reader=_as_it_stands, dtype=pl.String(), code="TEXT_CONTROL_CHAR", bad=bad, needed=False
    )


def _as_it_stands(texts: pl.Series) -> pl.Series:
    require_text(texts)
    frame = texts.cast(pl.String).alias("").to_frame()
    value = frame.select_seq(_AS_IT_STANDS).to_series()
    return value.zip_with((value != "") & ~frame.select_seq(_HAS_CONTROL).to_series(), _NOTHING)
