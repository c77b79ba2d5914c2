"""Values out of mainframe bytes, a column at a time: the second reader's own conversions (csa1993.md §1, §3).

A value that can't be read is null. This reader judges nothing: a group with an unreadable field was set aside when it
was loaded, and is reported as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import ebcdic  # type: ignore[import-untyped] # noqa: F401 - registers the EBCDIC code pages
import numpy as np
import numpy.typing as npt
import polars as pl

Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]

LETTERS = np.array([ord(letter) for letter in bytes(range(256)).decode("cp1146")], np.uint32)
"""Code point of each EBCDIC byte."""

DateRule = Literal["day", "until", "day or nothing", "role until", "history until"]

_NINES, _DISPLAY_NINES = 9_999_999, 99_999_999
_PLUS, _MINUS, _UNSIGNED = 0xC, 0xD, 0xF
_ZERO, _NINE = 0xF0, 0xF9
_PLUS_SIGN, _MINUS_SIGN = 0x4E, 0x60
_DIGIT = 9
_FIRST_YEAR, _MONTHS = 1900, 12
_SENTINELS = (np.datetime64("1900-01-01"), np.datetime64("1980-01-01"))

_MARKS: Mapping[DateRule, Mapping[str, str]] = {
    "day": {"zero": "SENTINEL", "low": "SENTINEL", "nines": "SENTINEL", "sentinel": "SENTINEL"},
    "until": {"nines": "OPEN"},
    "day or nothing": {"zero": "NOT_RECORDED", "low": "SENTINEL", "nines": "SENTINEL", "sentinel": "SENTINEL"},
    "role until": {"zero": "SENTINEL", "low": "SENTINEL", "nines": "OPEN", "sentinel": "SENTINEL"},
    "history until": {"zero": "NOT_RECORDED", "low": "SENTINEL", "nines": "OPEN", "sentinel": "SENTINEL"},
}
"""What a field's special values mean: no date, but this mark."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Records, or parts of records, of one kind: where each begins in a buffer that ends with room to spare."""

    buffer: Bytes
    starts: Places

    def __len__(self) -> int:
        return len(self.starts)

    def block(self, position: int, size: int) -> Bytes:
        """The bytes of a field, a row each; `position` counts from 1, as the document does."""
        found: Bytes = self.buffer[self.starts[:, None] + np.arange(position - 1, position - 1 + size)]
        return found

    def text(self, position: int, size: int) -> pl.Series:
        """Text without the blanks behind it; a field of nothing is null."""
        letters = LETTERS[self.block(position, size)]
        joined = np.ascontiguousarray(letters).view(f"<U{size}").ravel()
        text = pl.Series(joined.astype(object), dtype=pl.String).str.strip_chars_end(" \0")
        return text.set(text == "", None)

    def code(self, position: int, size: int, meaning: Mapping[str, str]) -> pl.Series:
        """A code's canonical word; null for one that is not on its list."""
        text = self.text(position, size).fill_null("")
        return text.replace_strict(meaning, default=None, return_dtype=pl.String)

    def flag(self, position: int, yes: str) -> pl.Series:
        """Whether the byte is `yes`."""
        return self.text(position, 1).fill_null("") == yes

    def binary(self, position: int, size: int) -> pl.Series:
        """COMP: two's complement, high byte first."""
        raw = np.ascontiguousarray(self.block(position, size))
        return pl.Series(raw.view(f">i{size}").ravel().astype(np.int64))

    def display(self, position: int, size: int) -> pl.Series:
        """DISPLAY digits without sign."""
        raw = self.block(position, size)
        return _number(raw & 0x0F, bad=(raw < _ZERO) | (raw > _NINE))

    def zoned(self, position: int, size: int) -> pl.Series:
        """S9 DISPLAY: the sign is the zone of the last byte."""
        raw = self.block(position, size)
        zone = raw[:, -1] >> 4
        bad = (raw & 0x0F) > _DIGIT
        bad[:, :-1] |= raw[:, :-1] < _ZERO
        bad[:, -1] |= ~np.isin(zone, (_PLUS, _MINUS, _UNSIGNED))
        return _number(raw & 0x0F, bad=bad, minus=zone == _MINUS)

    def separate(self, position: int, size: int) -> pl.Series:
        """SIGN LEADING SEPARATE: `+` or `-`, then digits; `size` counts the sign."""
        raw = self.block(position, size)
        sign, digits = raw[:, 0], raw[:, 1:]
        bad = (digits < _ZERO) | (digits > _NINE)
        bad[:, 0] |= ~np.isin(sign, (_PLUS_SIGN, _MINUS_SIGN))
        return _number(digits & 0x0F, bad=bad, minus=sign == _MINUS_SIGN)

    def packed(self, position: int, size: int) -> pl.Series:
        """COMP-3: two digits a byte, the last nibble is the sign."""
        raw = self.block(position, size)
        nibbles = np.empty((len(raw), 2 * size), np.uint8)
        nibbles[:, ::2], nibbles[:, 1::2] = raw >> 4, raw & 0x0F
        sign, digits = nibbles[:, -1], nibbles[:, :-1]
        bad = digits > _DIGIT
        bad[:, 0] |= ~np.isin(sign, (_PLUS, _MINUS, _UNSIGNED))
        return _number(digits, bad=bad, minus=sign == _MINUS)

    def packed_date(self, name: str, position: int, rule: DateRule) -> tuple[pl.Series, pl.Series]:
        """`0CYYDDD` COMP-3 as the date and its mark, named `name` and `<name>_mark`."""
        low = (self.block(position, 4) == 0).all(axis=1)
        number = self.packed(position, 4)
        values = number.fill_null(-1).to_numpy()
        days, good = _ordinal_days(_FIRST_YEAR + values // 1_000, values % 1_000)
        special = {"zero": values == 0, "low": low, "nines": values == _NINES}
        return _dated(name, days, good, special, rule)

    def display_date(self, name: str, position: int) -> tuple[pl.Series, pl.Series]:
        """`CCYYMMDD` in digits as the date and its mark."""
        raw = self.block(position, 8)
        low = (raw == 0).all(axis=1)
        values = self.display(position, 8).fill_null(-1).to_numpy()
        days, good = _calendar_days(values // 10_000, values // 100 % 100, values % 100)
        special = {"zero": values == 0, "low": low, "nines": values == _DISPLAY_NINES}
        return _dated(name, days, good, special, "day")


def _number(
    digits: npt.NDArray[np.integer[Any]],
    *,
    bad: npt.NDArray[np.bool_],
    minus: npt.NDArray[np.bool_] | None = None,
) -> pl.Series:
    scale = 10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64)
    values = digits.astype(np.int64) @ scale
    if minus is not None:
        values = np.where(minus, -values, values)
    found = pl.Series(values)
    return found.set(pl.Series(bad.any(axis=1)), None)


def _ordinal_days(years: Places, ordinals: Places) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    first = (np.clip(years, 1, 9999) - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    days = first + (ordinals - 1).astype("timedelta64[D]")
    good = (years >= _FIRST_YEAR) & (ordinals >= 1) & (days.astype("datetime64[Y]") == first.astype("datetime64[Y]"))
    return days, good


def _calendar_days(
    years: Places, months: Places, days: Places
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    month = ((np.clip(years, 1, 9999) - 1970) * _MONTHS + np.clip(months, 1, _MONTHS) - 1).astype("datetime64[M]")
    found = month.astype("datetime64[D]") + (days - 1).astype("timedelta64[D]")
    good = (years >= 1) & (months >= 1) & (months <= _MONTHS) & (days >= 1) & (found.astype("datetime64[M]") == month)
    return found, good


def _dated(
    name: str,
    days: npt.NDArray[np.datetime64],
    good: npt.NDArray[np.bool_],
    special: Mapping[str, npt.NDArray[np.bool_]],
    rule: DateRule,
) -> tuple[pl.Series, pl.Series]:
    marks = _MARKS[rule]
    good = good & ~np.logical_or.reduce([*special.values()])
    told = good & np.isin(days, _SENTINELS)
    mark = pl.Series(f"{name}_mark", [None], dtype=pl.String).new_from_index(0, len(days))
    for kind, where in {**special, "sentinel": told}.items():
        if kind in marks:
            mark = mark.set(pl.Series(where), marks[kind])
    plain = good & ~told if "sentinel" in marks else good
    found = pl.Series(name, days.astype("datetime64[D]")).cast(pl.Date)
    return found.set(pl.Series(~plain), None), mark
