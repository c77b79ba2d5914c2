"""Text fields to Arrow strings, a column at a time.

A column is collected as n × width raw bytes, translated in one go, and becomes a string array without a copy of its
own; trimming then makes the strings compact. Rows with characters beyond ASCII (an EBCDIC byte may be two or three
bytes of UTF-8) are built apart and put in.
"""

from itertools import pairwise
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from integrationhub.decode.arrow import bitmap, buffer_of
from integrationhub.decode.codepage import CodePage

Bytes: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]
Trim = Literal["both", "left", "right", "none"]

_HEXADECIMAL = np.array([list(f"{byte:02X}".encode()) for byte in range(256)], np.uint8)
BLANKS = " \u3000"
"""Blanks of one and of two bytes."""
_TRIMS: dict[str, Any] = {"both": pc.ascii_trim, "left": pc.ascii_ltrim, "right": pc.ascii_rtrim}


def hexadecimal(raw: Bytes) -> pa.StringArray:
    """The bytes of every row as hexadecimal digits."""
    rows, width = raw.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * (2 * width)
    return pa.StringArray.from_buffers(rows, buffer_of(offsets), buffer_of(_HEXADECIMAL[raw]))


def fixed_text(raw: bytearray, width: int, page: CodePage, trim: Trim, null: Mask | None) -> pa.StringArray:
    """The strings of rows of `width` bytes each; `null` marks rows without one."""
    offsets = np.arange(len(raw) // width + 1, dtype=np.int32) * width
    return _strings(raw, offsets, page, trim, null)


def varying_text(raw: Bytes, lengths: npt.NDArray[np.int64], page: CodePage, trim: Trim) -> pa.StringArray:
    """The strings of bytes that follow each other, `lengths[i]` of them for row i."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return _strings(bytearray(raw.tobytes()), offsets, page, trim, None)


def _strings(
    raw: bytearray, offsets: npt.NDArray[np.int32], page: CodePage, trim: Trim, null: Mask | None
) -> pa.StringArray:
    rows = len(offsets) - 1
    if page.multibyte:
        return _by_codec(raw, offsets, page, trim, null)
    characters = raw.translate(page.ascii)
    valid = None if null is None or not null.any() else bitmap(~null)
    strings = pa.StringArray.from_buffers(rows, buffer_of(offsets), pa.py_buffer(characters), valid)
    if not characters.isascii():
        strings = _with_wide_rows(strings, np.frombuffer(raw, np.uint8), offsets, page, null)
    return _TRIMS[trim](strings, " ") if trim in _TRIMS else strings


def _by_codec(
    raw: bytearray, offsets: npt.NDArray[np.int32], page: CodePage, trim: Trim, null: Mask | None
) -> pa.StringArray:
    """The strings of pages whose characters have more than one byte, one after the other."""
    memory, bounds = bytes(raw), offsets.tolist()
    strip: Any = {"both": str.strip, "left": str.lstrip, "right": str.rstrip}.get(trim)
    decode = page.decode
    texts = [decode(memory[start:end]) for start, end in pairwise(bounds)]
    if strip is not None:
        texts = [strip(text, BLANKS) for text in texts]
    return pa.array(texts, pa.string(), mask=null)


def _with_wide_rows(
    strings: pa.StringArray,
    raw: Bytes,
    offsets: npt.NDArray[np.int32],
    page: CodePage,
    null: Mask | None,
) -> pa.StringArray:
    """The strings with every row that has a character beyond ASCII replaced by its UTF-8."""
    places = np.flatnonzero(page.utf8_lengths[raw] > 1)
    wide = np.unique(np.searchsorted(offsets, places, side="right") - 1)
    starts, lengths = offsets[wide].astype(np.int64), np.diff(offsets)[wide].astype(np.int64)
    replaced = _utf8(raw[spans(starts, lengths)], lengths, page)
    index = np.arange(len(strings), dtype=np.int64)
    index[wide] = len(strings) + np.arange(len(wide))
    chosen: Any = pa.array(index) if null is None else pa.array(index, mask=null)
    return pa.concat_arrays([strings, replaced]).take(chosen)


def _utf8(raw: Bytes, lengths: npt.NDArray[np.int64], page: CodePage) -> pa.StringArray:
    """The strings of bytes that follow each other, whatever their characters."""
    sizes = page.utf8_lengths[raw]
    ends = np.cumsum(sizes)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    first = ends - sizes
    for position in range(3):
        has = sizes > position
        out[first[has] + position] = page.utf8[raw[has], position]
    offsets = np.zeros(len(lengths) + 1, np.int32)
    bounds = np.concatenate(([0], ends))
    offsets[1:] = bounds[np.cumsum(lengths)]
    return pa.StringArray.from_buffers(len(lengths), buffer_of(offsets), buffer_of(out))


def spans(starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The indices of all spans, one span behind the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(total)
