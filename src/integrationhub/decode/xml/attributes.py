"""Attributes of a document's root or records, by their type; None where they are missing, or none of it."""

import re
from datetime import date

_WHOLE = re.compile(r"[0-9]{1,9}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def whole(text: str | None) -> int | None:
    """A whole number without sign."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def day(text: str | None) -> date | None:
    """A day CCYY-MM-DD."""
    try:
        return date.fromisoformat(text) if text is not None and _DAY.fullmatch(text) else None
    except ValueError:
        return None
