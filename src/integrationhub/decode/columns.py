"""One column of a decoded table: filled block by block, finished as an Arrow array.

A value that means nothing is null and a fault. Blank and low-values numbers are told apart only there, where good
data never comes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from integrationhub import records
from integrationhub.decode import edited, longnumbers, numbers
from integrationhub.decode.arrow import Array, bitmap, buffer_of
from integrationhub.decode.codepage import ASCII_DIGITS, CodePage, code_page, text_page
from integrationhub.decode.copybook.layout import Category, Item, Usage
from integrationhub.decode.numbers import Block, Integers, Mask
from integrationhub.decode.text import Trim, fixed_text, hexadecimal

INVALID = "PACKED_INVALID"
"""Reason code of a number that can't be read, whatever its storage."""

Signs = Literal["ibm", "strict", "strict-display"]
Blanks = Literal["null", "fault"]
Floats = Literal["ibm", "ieee"]

Values: TypeAlias = npt.NDArray[Any]
Reader: TypeAlias = Callable[[Block, int], tuple[Values, Mask | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How values are understood.

    `signs`: `ibm` takes A C E F as plus and B D as minus, `strict` C F and D only, `strict-display` is `ibm` for packed
    numbers (unsigned ones have no minus) and strict for DISPLAY ones. `blanks`: whether a DISPLAY or packed number of
    blanks or low-values is null or a fault. Fields of up to 18 digits named in `low_values` read as
    records.LOW_VALUES when all their bytes are X'00', and are no fault. `edited`: whether numeric edited fields read as
    numbers or as text. `missing`: what lies past the end of a short record is left to the length check, or
    judged here: elements of a table that begin there are read as null, a number that is cut is a fault.
    """

    page: CodePage
    signs: Signs = "ibm"
    blanks: Blanks = "null"
    low_values: frozenset[str] = frozenset()
    trim: Trim = "right"
    floats: Floats = "ibm"
    edited: Literal["text", "number"] = "text"
    missing: Literal["leave", "null"] = "leave"


@dataclass(frozen=True, slots=True)
class Faulty:
    """Rows of a frame whose field could not be read, and its bytes there."""

    field: str
    rows: Integers
    raw: Block


class Column(Protocol):
    """A column being decoded."""

    def fill(self, block: Block, at: slice, inside: Integers | None) -> None:
        """Decode the field from rows of bytes; `inside` says how many of each row's bytes are the record's."""

    def finish(self) -> Array:
        """The whole column."""

    def faults(self) -> list[Faulty]:
        """What could not be read."""


class TextColumn:
    """Characters; all X'00' is null."""

    def __init__(self, item: Item, offset: int, rows: int, reading: Reading) -> None:
        self._offset = offset
        self._page = text_page(_text_usage(item), reading.page)
        self._width = item.length
        self._reading = reading
        self._memory = bytearray(rows * item.length)
        self._raw = np.frombuffer(self._memory, np.uint8).reshape(rows, item.length)
        self._null: Mask | None = None

    def fill(self, block: Block, at: slice, inside: Integers | None) -> None:
        """Collect the bytes."""
        raw = self._raw[at]
        raw[:] = block[:, self._offset : self._offset + self._width]
        low = raw[:, 0] == 0
        if low.any():
            self._set_null(at, low & ~raw.any(axis=1))
        if inside is not None:
            self._set_null(at, inside <= self._offset)
            if self._page is not self._reading.page:  # the blanks put in are those of the file's page
                beyond = np.arange(self._width) >= (inside - self._offset)[:, None]
                raw[beyond] = np.resize(np.frombuffer(" ".encode(self._page.name), np.uint8), beyond.shape)[beyond]

    def _set_null(self, at: slice, rows: Mask) -> None:
        if self._null is None:
            self._null = np.zeros(len(self._raw), np.bool_)
        self._null[at] |= rows

    def finish(self) -> Array:
        """The trimmed strings."""
        return fixed_text(self._memory, self._width, self._page, self._reading.trim, self._null)

    def faults(self) -> list[Faulty]:
        """None: any byte is a character."""
        return []


class NumberColumn:
    """Numbers as unscaled integers (or doubles)."""

    def __init__(self, item: Item, offset: int, rows: int, reading: Reading) -> None:
        self._item = item
        self._offset = offset
        self._end = offset + item.length
        self._reading = reading
        self._read = number_reader(item, reading)
        self._kind = column_type(item)
        self._values = empty_values(self._kind, rows)
        self._null: Mask | None = None
        self._faults: list[Faulty] = []

    def fill(self, block: Block, at: slice, inside: Integers | None) -> None:
        """Convert the bytes."""
        values, bad = self._read(block, self._offset)
        self._values[at] = values
        if inside is not None:
            absent = inside < self._end
            self._nulls()[at] |= absent
            bad = None if bad is None else bad & ~absent
            if self._reading.missing == "null":
                self._faults += cut(self._item, self._offset, block, at, inside)
        if bad is not None:
            self._judge(block, at, np.flatnonzero(bad))

    def _nulls(self) -> Mask:
        if self._null is None:
            self._null = np.zeros(len(self._values), np.bool_)
        return self._null

    def _judge(self, block: Block, at: slice, rows: Integers) -> None:
        """What unreadable bytes are: reserved, nothing (blank, low-values) or a fault."""
        raw = block[rows, self._offset : self._end]
        low: Mask = np.all(raw == 0, axis=1)
        reserved: Mask = np.zeros(len(rows), np.bool_)
        if self._kind == pa.int64() and not self._reading.low_values.isdisjoint({self._item.key, self._item.name}):
            reserved = low
            self._values[rows[reserved] + at.start] = records.LOW_VALUES
        self._nulls()[rows[~reserved] + at.start] = True
        fault = ~reserved
        if self._reading.blanks == "null":
            fault &= ~low & ~(raw == self._reading.page.space).all(axis=1)
        if fault.any():
            self._faults.append(Faulty(self._item.key, rows[fault] + at.start, raw[fault]))

    def finish(self) -> Array:
        """The numbers; null where there is none."""
        valid = None if self._null is None or not self._null.any() else bitmap(~self._null)
        return pa.Array.from_buffers(self._kind, len(self._values), [valid, buffer_of(self._values)])

    def faults(self) -> list[Faulty]:
        """The values that could not be read."""
        return self._faults


class EditedColumn(TextColumn):
    """Numeric edited fields as unscaled numbers, by the digits behind the point that their picture has."""

    def __init__(self, item: Item, offset: int, rows: int, reading: Reading) -> None:
        super().__init__(item, offset, rows, replace(reading, trim="both"))
        self._item = item
        self._faults: list[Faulty] = []

    def fill(self, block: Block, at: slice, inside: Integers | None) -> None:
        """Collect the bytes of fields that are there as a whole."""
        super().fill(block, at, inside)
        if inside is not None:
            self._set_null(at, inside < self._offset + self._width)
            if self._reading.missing == "null":
                self._faults += cut(self._item, self._offset, block, at, inside)

    def finish(self) -> Array:
        """The numbers; null where there is none."""
        texts = super().finish()
        values, bad = edited.numbers_of(texts, self._item, column_type(self._item, edited=True))
        rows = np.flatnonzero(bad)
        if len(rows):
            self._faults.append(Faulty(self._item.key, rows, self._raw[rows]))
        return values

    def faults(self) -> list[Faulty]:
        """The values that could not be read."""
        return self._faults


def cut(item: Item, offset: int, block: Block, at: slice, inside: Integers) -> list[Faulty]:
    """Numbers of which the end of the record leaves only the front, with what there is of them."""
    there = inside - offset
    partly = (there > 0) & (there < item.length)
    return [
        Faulty(item.key, rows + at.start, block[rows, offset : offset + size])
        for size in np.unique(there[partly]).tolist()
        for rows in [np.flatnonzero(partly & (there == size))]
    ]


def column(item: Item, offset: int, rows: int, reading: Reading) -> Column:
    """The column of a field that stands `offset` bytes into the blocks it will be filled from."""
    if reading.edited == "number" and edited.is_numeric(item):
        return EditedColumn(item, offset, rows, reading)
    if item.category in {Category.NUMBER, Category.FLOATING}:
        return NumberColumn(item, offset, rows, reading)
    return TextColumn(item, offset, rows, reading)


def column_type(item: Item, *, edited: bool = False) -> pa.DataType:
    """The Arrow type of a field's column.

    int64 for numbers, decimal128 without a scale beyond 18 digits, uint64 for an unsigned binary of eight bytes. Edited
    fields are text, or such numbers.
    """
    if item.category is Category.FLOATING:
        return pa.float64()
    if edited:
        return pa.int64() if item.length <= numbers.INT64_DIGITS else pa.decimal128(38, 0)
    if item.category is not Category.NUMBER:
        return pa.string()
    if item.digits > numbers.INT64_DIGITS:
        return pa.decimal128(min(item.digits + 1, 38), 0)  # an even number of packed digits has room for one more
    wide = item.length == numbers.WORD and item.usage in {Usage.BINARY, Usage.NATIVE} and not item.signed
    return pa.uint64() if wide else pa.int64()


def _text_usage(item: Item) -> Usage:
    """NATIONAL for PIC N too, which means it when no USAGE says otherwise."""
    national = item.picture is not None and "N" in item.picture.text.upper()
    return Usage.NATIONAL if national and item.usage is not Usage.DBCS else item.usage


def empty_values(kind: pa.DataType, rows: int) -> Values:
    """Room for the values of a column."""
    if pa.types.is_decimal128(kind):
        return np.empty((rows, 2), np.uint64)
    return np.empty(rows, kind.to_pandas_dtype())


def number_reader(item: Item, reading: Reading) -> Reader:
    """The function that reads a numeric field from a block, given its offset there."""
    width, signed = item.length, item.signed
    if item.category is Category.FLOATING:
        if reading.floats == "ieee":
            return lambda block, offset: numbers.finite(numbers.ieee_float(block, offset, width))
        return lambda block, offset: (numbers.hexadecimal_float(block, offset, width), None)
    if item.usage in {Usage.BINARY, Usage.NATIVE, Usage.INDEX, Usage.POINTER}:
        convert: Any = longnumbers.binary if width > numbers.WORD else numbers.binary
        return lambda block, offset: (convert(block, offset, width, signed=signed), None)
    return _decimal_reader(item, reading)


def _decimal_reader(item: Item, reading: Reading) -> Reader:
    width = item.length
    read: Any = longnumbers if item.digits > numbers.INT64_DIGITS else numbers
    if item.usage is Usage.PACKED_UNSIGNED:
        return lambda block, offset: read.unsigned_packed(block, offset, width)
    signs = _signs(item, reading)
    if item.usage is Usage.PACKED:
        return lambda block, offset: read.packed(block, offset, width, signs)
    if not reading.page.ebcdic:
        return _from_ascii(_decimal_reader(item, replace(reading, page=code_page("cp037"))), width)
    leading = item.sign.leading
    if item.signed and item.sign.separate:
        characters = (reading.page.plus, reading.page.minus)
        return lambda block, offset: read.separate(block, offset, width, characters, leading=leading)
    return lambda block, offset: read.zoned(block, offset, width, signs, leading=leading)


def _from_ascii(read: Reader, width: int) -> Reader:
    """A reader of EBCDIC DISPLAY numbers as one of ASCII numbers."""

    def translated(block: Block, offset: int) -> tuple[Values, Mask | None]:
        return read(np.take(ASCII_DIGITS, block[:, offset : offset + width]), 0)

    return translated


def _signs(item: Item, reading: Reading) -> numbers.SignCodes:
    packed = item.usage is Usage.PACKED
    strict = reading.signs == "strict" or (reading.signs == "strict-display" and not packed)
    if not item.signed and (not packed or reading.signs == "strict-display"):
        return numbers.STRICT_UNSIGNED if strict else numbers.IBM_UNSIGNED
    return numbers.STRICT if strict else numbers.IBM


def fault_frame(found: Iterable[Faulty], *, table: str, record_numbers: Integers, offsets: Integers) -> pl.DataFrame:
    """Faults of one frame's columns in the shape of `records.FAULT_SCHEMA`."""
    frames = [
        pl.DataFrame(
            {
                "record": record_numbers[faulty.rows],
                "offset": offsets[faulty.rows],
                "table": table,
                "field": faulty.field,
                "code": INVALID,
                "hex": pl.Series(hexadecimal(faulty.raw)),
            }
        )
        for faulty in found
    ]
    return pl.concat(frames) if frames else records.no_faults()
