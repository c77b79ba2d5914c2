"""Numeric edited fields to numbers: `   1,234.50CR` is −1234.50.

Source: IBM Enterprise COBOL for z/OS Language Reference, "PICTURE clause editing". A picture of digits, suppressed
digits, signs, points, commas and a currency sign stands for a number; one with other insertions (`99/99/9999`,
`XXBXX`) for text. Where the picture has an implied point (V), the digits count from there.
"""

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from integrationhub.decode.arrow import Array
from integrationhub.decode.copybook.layout import Category, Item
from integrationhub.decode.copybook.picture import CURRENCY
from integrationhub.decode.numbers import Mask

_NUMERIC = re.compile(rf"(?:[9SZ*VP.,+\-{re.escape(CURRENCY)}]|CR|DB|\(\d+\))+", re.IGNORECASE)
_FILL = dict.fromkeys(map(ord, f" *,{CURRENCY}"))
_VALUE = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(\+|-|CR|DB)?", re.IGNORECASE)
_MOST_DIGITS = 38


def is_numeric(item: Item) -> bool:
    """Whether an edited field stands for a number."""
    return (
        item.category is Category.EDITED
        and item.picture is not None
        and _NUMERIC.fullmatch(item.picture.text) is not None
        and item.picture.digits <= _MOST_DIGITS
    )


def numbers_of(texts: Array, item: Item, kind: pa.DataType) -> tuple[Array, Mask]:
    """Unscaled numbers of trimmed texts, null where there is nothing, and where a text is no number."""
    encoded: Any = texts.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    values = [_unscaled(text, item) if text else None for text in distinct]
    odd = np.array([bool(text) and value is None for text, value in zip(distinct, values, strict=True)], np.bool_)
    whole = [Decimal(value) if value is not None else None for value in values] if kind != pa.int64() else values
    known = pa.array(whole, kind)
    index = encoded.indices
    bad: Mask = odd[index.fill_null(0).to_numpy()] if len(distinct) else np.zeros(len(texts), np.bool_)
    bad &= ~texts.is_null().to_numpy(zero_copy_only=False)
    return known.take(index), bad


def _unscaled(text: str, item: Item) -> int | None:
    """The number in units of the last digit that the picture has; None when it is none."""
    if item.picture is not None and item.picture.text[:1] in "Ss":
        text = _without_overpunch(text)
    match = _VALUE.fullmatch(text.translate(_FILL))
    if match is None:
        return None
    sign, whole, fraction, behind = match.groups()
    if (sign and behind) or not (whole or fraction) or len(fraction or "") > max(item.scale, 0):
        return _zero(text)
    digits = whole + ("" if fraction is None else fraction.ljust(max(item.scale, 0), "0"))
    if len(digits) > _MOST_DIGITS - 1:
        return None
    value = int(digits)
    return -value if sign == "-" or (behind or "+").upper() in {"-", "CR", "DB"} else value


def _without_overpunch(text: str) -> str:
    """A number whose last digit carries the sign (`S9(3).99`) with the sign behind."""
    for digits, sign in (("{ABCDEFGHI", ""), ("}JKLMNOPQR", "-")):
        if text[-1:] in digits:
            return f"{text[:-1]}{digits.index(text[-1])}{sign}"
    return text


def _zero(text: str) -> int | None:
    """A field of asterisks is zero, its digits all suppressed."""
    return 0 if "*" in text and set(text) <= set("*.,") else None
