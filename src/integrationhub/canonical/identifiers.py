"""Identifiers derived from natural keys.

An identifier is BLAKE2b-128 over the key's parts joined by U+001F, written as 32 hexadecimal digits. The same natural
key gives the same identifier on any machine and in any order, so parallel workers need no coordination, and a repeated
load finds its own rows.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import polars as pl

SEPARATOR = "\x1f"
"""Unit separator (ISO 646 US): occurs in no key part, so that joined parts can't collide."""

FEW = 64
"""Up to so many rows, joining the parts of a key row by row is faster than on columns."""


def derive(*parts: object) -> str:
    """The identifier of one natural key, e.g. `derive("case", "CSCS", "1000000001")`: 32 hexadecimal digits."""
    return blake2b(SEPARATOR.join(map(str, parts)).encode(), digest_size=16).hexdigest()


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def derive_column(parts: Sequence[pl.Expr]) -> pl.Expr:
    """The identifiers of a column of natural keys; null where any part is null. Equal to `derive` row by row.

    Parts are texts, whole numbers or dates; constants are given as literals.
    """
    return pl.map_batches(parts, _derive_rows, return_dtype=pl.String)


def _derive_rows(parts: Sequence[pl.Series]) -> pl.Series:
    """A few rows are joined in Python (half the cost of an expression), many natively."""
    rows = _height(parts)
    if rows <= FEW:
        return _digests(None if None in key else SEPARATOR.join(map(str, key)) for key in _tuples(parts, rows))
    return _digest_distinct(pl.select(pl.concat_str([part.cast(pl.String) for part in parts], separator=SEPARATOR)))


def _height(parts: Sequence[pl.Series]) -> int:
    """Rows of columns of which some may be constants of length 1."""
    return 0 if any(part.is_empty() for part in parts) else max(map(len, parts))


def _tuples(parts: Sequence[pl.Series], rows: int) -> Iterable[tuple[object, ...]]:
    return zip(*(part.to_list() * (rows if len(part) == 1 else 1) for part in parts), strict=True)


def _digest_distinct(keys: pl.DataFrame) -> pl.Series:
    """Equal keys are digested once: records of one group or case have many. Arrow tells them apart natively."""
    encoded = keys.to_series().to_arrow().dictionary_encode()
    places = pl.Series(pl.from_arrow(encoded.indices))
    return _digests(encoded.dictionary.to_pylist()).gather(places)


def _digests(keys: Iterable[str | None]) -> pl.Series:
    return pl.Series([None if key is None else _digest(key) for key in keys], dtype=pl.String)
