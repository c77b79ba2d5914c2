"""What is personal in an extract, read from its bytes without the hub's decoder, and a search for any of it."""

import re
from collections.abc import Iterable, Iterator

from integrationhub.estate.faults import PAGE, GoodDelivery

SHORTEST = 4
"""Shorter texts occur by chance everywhere."""

_FIELDS = {
    "25": (("P-NINO", 24, 9), ("P-SURNAME", 33, 35), ("P-FORENAMES", 68, 35)),
    "27": (("A-POSTCODE", 17, 8),),
}
_LINES_AT, _LINE_BYTES = 25, 30
_BENEFITS_AT, _BENEFIT_BYTES = 89, 11
_ADJUSTMENT_TEXT = slice(53, 79)


def personal_texts(good: GoodDelivery) -> frozenset[str]:
    """NINOs, names and each word of them, address lines, postcodes with and without blank, notes, adjustment texts."""
    found: set[str] = set()
    for value in _values(good):
        found |= {value, value.replace(" ", "")}
    found |= {word for value in _names(good) for word in re.split(r"[\s'-]+", value)}
    return frozenset(text for text in found if len(text) >= SHORTEST)


def _values(good: GoodDelivery) -> Iterator[str]:
    for kind, record in zip(good.kinds, good.records, strict=True):
        for _, position, length in _FIELDS.get(kind, ()):
            yield record[position - 1 : position - 1 + length].decode(PAGE).strip()
        if kind == "27":
            for start in range(_LINES_AT, len(record), _LINE_BYTES):
                yield record[start : start + _LINE_BYTES].decode(PAGE).strip()
        if kind == "20":
            start = _BENEFITS_AT + int(record[85:87].decode(PAGE)) * _BENEFIT_BYTES
            yield record[start:].decode(PAGE).strip()
        if kind == "40" and record[20:21].decode(PAGE) == "A":
            yield record[_ADJUSTMENT_TEXT].decode(PAGE).strip()


def _names(good: GoodDelivery) -> Iterator[str]:
    for kind, record in zip(good.kinds, good.records, strict=True):
        for name, position, length in _FIELDS.get(kind, ()):
            if name in ("P-SURNAME", "P-FORENAMES"):
                yield record[position - 1 : position - 1 + length].decode(PAGE).strip()


def leaks(texts: Iterable[str], personal: Iterable[str]) -> set[str]:
    """Which of the personal texts stand in one of the texts, as whole words, in whatever case or notation."""
    words = [re.escape(text) for text in sorted(personal, key=len, reverse=True)]
    pattern = re.compile(rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])", re.IGNORECASE)
    found: set[str] = set()
    for text in texts:
        plain = text.encode().decode("unicode_escape", errors="ignore") if "\\u" in text else text
        found |= {match.casefold() for match in pattern.findall(text) + pattern.findall(plain)}
    return found
