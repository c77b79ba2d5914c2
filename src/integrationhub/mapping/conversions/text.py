"""Text: without blanks at its ends; blank is nothing."""

import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion

_NUL = "\x00"
"""Low-values in a text field: padding on the mainframe, refused by PostgreSQL in any text."""


def text(source: pl.Expr, _options: Conversion, _environment: Environment) -> Converted:
    """The text without blanks and low-values around it, and without low-values inside; null where nothing is left."""
    filled = source.str.strip_chars(" " + _NUL) != ""
    value = source.str.replace_all(_NUL, "", literal=True).str.strip_chars(" ")
    return Converted(value=pl.when(filled).then(value), dtype=pl.String(), needed=False)
