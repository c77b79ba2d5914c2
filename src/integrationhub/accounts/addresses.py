"""Postal addresses that people tell."""

import re

_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9][A-Z]{2})")


def postcode(text: str) -> str | None:
    """A postcode in upper case with one space (self-service.md, address.change); None: it is none."""
    found = _POSTCODE.fullmatch(text.upper()) if text.isascii() else None
    return None if found is None else " ".join(found.groups())
