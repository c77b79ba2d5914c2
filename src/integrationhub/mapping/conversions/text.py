"""Text: without blanks at its ends, or as it stands; blank is nothing."""

import re

import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion

_NUL = "\x00"
"""Low-values in a text field: padding on the mainframe, refused by PostgreSQL in any text."""

CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
"""Characters that no text may have (benefits-common.md §2); tab, CR and LF may stand in one."""

_HAS_CONTROL = re.compile(CONTROL).search


def text(source: pl.Expr, _options: Conversion, environment: Environment) -> Converted:
    """The text without blanks and low-values around it, and without low-values inside; null where nothing is left."""
    plain = source.cast(pl.String)
    if environment.low_values:
        plain = plain.str.replace_all(_NUL, "", literal=True)
    value = plain.str.strip_chars(" ").replace("", None)
    return Converted(value=value, one=_cleaned, reads="text", dtype=pl.String(), needed=False)


def _cleaned(text: str) -> str | None:
    return text.replace(_NUL, "").strip(" ") or None


def plain(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The text as the source has it, in NFC and without blanks at its end; null where nothing is left.

    TEXT_CONTROL_CHAR: there is a control character in it. Low-values that fill a field arrive as null.
    """
    bad = source.cast(pl.String).str.contains(CONTROL)
    return Converted(
        value=pl.when(~bad).then(_composed(source.cast(pl.String).str.strip_chars_end(" "))).replace("", None),
        one=_as_it_stands,
        reads="text",
        dtype=pl.String(),
        code="TEXT_CONTROL_CHAR",
        bad=bad,
        needed=False,
    )


def _as_it_stands(text: str) -> str | None:
    if _HAS_CONTROL(text):
        return None
    shown = text.rstrip(" ")
    # Python's Unicode may be another version than Polars', so that of Polars has the say.
    return (shown if shown.isascii() else str(pl.select(_composed(pl.lit(shown))).item())) or None


def _composed(texts: pl.Expr) -> pl.Expr:
    return texts.str.normalize("NFC")
