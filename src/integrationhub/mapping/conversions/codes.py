"""Codes by list, and booleans by flag. A value that no list knows is CODE_UNKNOWN."""

import operator
from functools import reduce

import polars as pl

from integrationhub.mapping.conversions.result import Converted, Environment
from integrationhub.mapping.spec import Conversion


def coded(source: pl.Expr, options: Conversion, environment: Environment) -> Converted:
    """The canonical code that the list gives to the source's.

    The cast to an enumeration of the list's source codes numbers them natively; the number picks the canonical one.
    """
    known = environment.code_list(options.codes)
    canonical = pl.lit(pl.Series(list(known.values()), dtype=pl.String))
    number = source.cast(pl.String).cast(pl.Enum(list(known)), strict=False).to_physical()
    return Converted(
        value=canonical.gather(number, null_on_oob=True),
        one=lambda code: known.get(str(code)),
        dtype=pl.String(),
        code="CODE_UNKNOWN",
    )


def flag(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """True for the texts in `yes`, false for those in `no`."""
    code = source.cast(pl.String)
    value = pl.when(_any(code, options.yes)).then(True).when(_any(code, options.no)).then(False)  # noqa: FBT003
    meaning = {**dict.fromkeys(options.no, False), **dict.fromkeys(options.yes, True)}
    return Converted(value=value, one=lambda code: meaning.get(str(code)), dtype=pl.Boolean(), code="CODE_UNKNOWN")


def _any(source: pl.Expr, texts: tuple[str, ...]) -> pl.Expr:
    return reduce(operator.or_, (source == text for text in texts), pl.lit(value=False))
