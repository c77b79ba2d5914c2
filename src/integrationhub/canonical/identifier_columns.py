"""Identifiers derived from natural keys, for columns of them: equal to `identifiers.derive` row by row."""

from collections.abc import Iterable, Sequence
from functools import partial

import polars as pl

from integrationhub.canonical.identifiers import SEPARATOR, digest
from integrationhub.canonical.runs import Runs

FEW = 64
"""Up to so many rows, joining the parts of a key row by row is faster than on columns."""


def derive_column(constants: Sequence[str], parts: Sequence[pl.Expr]) -> pl.Expr:
    """The identifiers of a column of natural keys, constants first; null where any part is null. Equal to `derive` row
    by row.

    Parts are texts, whole numbers or dates; a literal is the same in every row.
    """
    return pl.map_batches(parts, partial(derive_rows, constants), return_dtype=pl.String)


def derive_rows(constants: Sequence[str], parts: Sequence[pl.Series]) -> pl.Series:
    """`derive_column` of columns that are there."""
    return _derived(parts, before="".join(f"{constant}{SEPARATOR}" for constant in constants))


def _derived(parts: Sequence[pl.Series], *, before: str) -> pl.Series:
    """A few rows are joined in Python (half the cost of an expression), many natively, each run of equal keys once."""
    rows = 0 if any(part.is_empty() for part in parts) else max(map(len, parts))
    parts = [part.new_from_index(0, rows) if len(part) != rows else part for part in parts]
    if rows <= FEW and len(parts) == 1:
        return _digests(parts[0].to_list(), before)
    if rows <= FEW:
        return _digests([_joined(key) for key in zip(*(part.to_list() for part in parts), strict=True)], before)
    runs = Runs.of(parts)
    if runs is None:
        return _digest_distinct(parts, before)
    return _derived([part[runs.starts] for part in parts], before=before)[runs.numbers]


def _joined(key: tuple[object, ...]) -> str | None:
    return None if None in key else SEPARATOR.join(map(str, key))


def _digest_distinct(parts: Sequence[pl.Series], before: str) -> pl.Series:
    """Equal keys are digested once: records of one group or case have many. Arrow tells them apart natively."""
    keys = pl.select(pl.concat_str([part.cast(pl.String) for part in parts], separator=SEPARATOR)).to_series()
    encoded = keys.to_arrow().dictionary_encode()
    places = pl.Series(pl.from_arrow(encoded.indices))
    return _digests(encoded.dictionary.to_pylist(), before)[places]


def _digests(keys: Iterable[object], before: str) -> pl.Series:
    return pl.Series([None if key is None else digest(f"{before}{key}") for key in keys], dtype=pl.String)
