"""Columns of unscaled numbers to numbers with a decimal point, exactly: never through binary floats."""

import numpy as np
import pyarrow as pa

from integrationhub.decode.arrow import Array, buffer_of
from integrationhub.decode.columns import column_type
from integrationhub.decode.copybook import Category, Item
from integrationhub.decode.edited import is_numeric

MOST_DIGITS = 38
WHOLE = pa.decimal128(MOST_DIGITS, 0)


def is_decimal(item: Item) -> bool:
    """Whether an item's column holds a number in units of its last digit."""
    return item.category is Category.NUMBER or is_numeric(item)


def scaled(values: Array, item: Item) -> Array:
    """The column with its decimal point where the picture has it: decimal128, or as it is where there is no point.

    A picture that ends in P stands for whole numbers with as many zeros behind.
    """
    if not is_decimal(item) or not item.scale:
        return values
    wide = values if pa.types.is_decimal128(values.type) else _widened(values)
    if item.scale > 0:
        kind = pa.decimal128(MOST_DIGITS, item.scale)
        return pa.Array.from_buffers(kind, len(wide), wide.buffers(), wide.null_count, wide.offset)
    factor = 10**-item.scale
    return pa.array([None if value is None else value * factor for value in wide.to_pylist()], WHOLE)


def scaled_type(item: Item) -> pa.DataType:
    """The type of a field's column with its decimal point."""
    kind = column_type(item, edited=is_numeric(item))
    if not is_decimal(item) or not item.scale:
        return kind
    return pa.decimal128(MOST_DIGITS, item.scale) if item.scale > 0 else WHOLE


def _widened(values: Array) -> Array:
    """64-bit numbers as decimal128: two words each, low word first."""
    numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
    words = np.empty((len(numbers), 2), np.uint64)
    words[:, 0] = numbers.astype(np.uint64, copy=False) if numbers.dtype == np.uint64 else numbers.view(np.uint64)
    words[:, 1] = np.where(numbers < 0, np.uint64(2**64 - 1), np.uint64(0))
    valid = None
    if values.null_count:
        valid = buffer_of(np.packbits(values.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(MOST_DIGITS, 0), len(values), [valid, buffer_of(words)])
