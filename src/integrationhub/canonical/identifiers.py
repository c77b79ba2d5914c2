"""Identifiers derived from natural keys, and digests of content.

An identifier is BLAKE2b-128 over the key's parts joined by U+001F, written as 32 hexadecimal digits. The same natural
key gives the same identifier on any machine and in any order, so parallel workers need no coordination, and a repeated
load finds its own rows.
"""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

SEPARATOR = "\x1f"
"""Unit separator (ISO 646 US): occurs in no key part, so that joined parts can't collide."""


def derive(*parts: object) -> str:
    """The identifier of one natural key, e.g. `derive("case", "CSCS", "1000000001")`: 32 hexadecimal digits."""
    return blake2b(SEPARATOR.join(map(str, parts)).encode(), digest_size=16).hexdigest()


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def derive_column(parts: Sequence[pl.Expr]) -> pl.Expr:
    """The identifiers of a column of natural keys; null where any part is null. Equal to `derive` row by row."""
    joined = pl.concat_str([part.cast(pl.String) for part in parts], separator=SEPARATOR)
    return joined.map_elements(_digest, return_dtype=pl.String)


def digest_column(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Digests of content, for change detection and tamper evidence; nulls count as the empty string."""
    joined = pl.concat_str([part.cast(pl.String).fill_null("") for part in parts], separator=SEPARATOR)
    return joined.map_elements(_digest, return_dtype=pl.String)
