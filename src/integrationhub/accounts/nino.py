"""National Insurance numbers as benefits-common.md §3 has them."""

import re
from enum import StrEnum

_NEVER_ISSUED = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_ADMINISTRATIVE = ("OO", "CR", "FY", "MW", "NC", "PP", "PY", "PZ")
_SHAPE = re.compile(r"(?:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]|QQ|OO|FY)[0-9]{6}[A-D ]?")
_TEMPORARY = re.compile(r"TN([0-9]{2})([0-9]{2})[0-9]{2}[MF]")


class Worth(StrEnum):
    """What a number is worth."""

    USABLE = "USABLE"
    TEMPORARY = "TEMPORARY"  # also administrative prefixes: never identifies anybody across systems
    MALFORMED = "MALFORMED"


def worth(number: str, *, synthetic: bool) -> Worth:
    """What a compact number (no inner spaces, upper case) is worth; `synthetic`: test identities (QQ) are usable."""
    temporary = _TEMPORARY.fullmatch(number)
    if temporary is not None:
        return Worth.TEMPORARY
    if _SHAPE.fullmatch(number) is None or number[:2] in _NEVER_ISSUED:
        return Worth.MALFORMED
    if number[:2] in _ADMINISTRATIVE:
        return Worth.TEMPORARY
    return Worth.USABLE if synthetic or number[:2] != "QQ" else Worth.MALFORMED


def compact(text: str) -> str:
    """A number as it is stored: no inner spaces, upper case, 8 characters and the suffix if there is one."""
    return "".join(text.split()).upper()


def same_person(one: str | None, other: str | None) -> bool:
    """Whether two numbers are equal: their first 8 characters are."""
    return one is not None and other is not None and one[:8] == other[:8]
