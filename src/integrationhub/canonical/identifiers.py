"""Identifiers derived from natural keys.

An identifier is BLAKE2b-128 over the key's parts joined by U+001F, written as 32 hexadecimal digits. The same natural
key gives the same identifier on any machine and in any order, so parallel workers need no coordination, and a repeated
load finds its own rows.
"""

from functools import lru_cache
from hashlib import blake2b

SEPARATOR = "\x1f"
"""Unit separator (ISO 646 US): occurs in no key part, so that joined parts can't collide."""

REMEMBERED = 1 << 15
"""Identifiers that are kept: the rows of a dozen entities name the same groups, cases and debts."""


def derive(*parts: object) -> str:
    """The identifier of one natural key, e.g. `derive("case", "CSCS", "1000000001")`: 32 hexadecimal digits."""
    return digest(SEPARATOR.join(map(str, parts)))


@lru_cache(maxsize=REMEMBERED)
def digest(text: str) -> str:
    """The identifier of parts that are joined already."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
