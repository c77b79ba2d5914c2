"""Codes by list, and booleans by flag. A value that no list knows is CODE_UNKNOWN."""

import operator
from collections.abc import Mapping
from functools import partial, reduce

import polars as pl

from integrationhub.mapping.conversions.result import FEW, Converted, Environment, read
from integrationhub.mapping.spec import Conversion


def coded(source: pl.Expr, options: Conversion, environment: Environment) -> Converted:
    """The canonical code that the list gives to the source's."""
    known = environment.code_list(options.codes)
    reader = partial(
        _looked_up,
        known=known,
        sources=pl.Enum(list(known)),
        canonical=pl.Series(list(known.values()), dtype=pl.String),
    )
    value = read(source, reader, pl.String())
    return Converted(value=value, reader=reader, dtype=pl.String(), code="CODE_UNKNOWN")


def _looked_up(codes: pl.Series, *, known: Mapping[str, str], sources: pl.Enum, canonical: pl.Series) -> pl.Series:
    """The cast to an enumeration of the list's source codes numbers many codes natively; the number picks its own."""
    texts = codes.cast(pl.String)
    if len(texts) <= FEW:
        return pl.Series([known.get(text) for text in texts], dtype=pl.String)
    return canonical[texts.cast(sources, strict=False).to_physical()]


def flag(source: pl.Expr, options: Conversion, _environment: Environment) -> Converted:
    """True for the texts in `yes`, false for those in `no`."""
    value = pl.when(_any(source, options.yes)).then(True).when(_any(source, options.no)).then(False)  # noqa: FBT003
    return Converted(value=value, dtype=pl.Boolean(), code="CODE_UNKNOWN")


def _any(source: pl.Expr, texts: tuple[str, ...]) -> pl.Expr:
    return reduce(operator.or_, (source == text for text in texts), pl.lit(value=False))
