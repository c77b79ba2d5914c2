"""Single values to the bytes of their field."""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from integrationhub.decode.codepage import CodePage
from integrationhub.decode.columns import Floats
from integrationhub.decode.copybook.layout import Category, Item, Usage
from integrationhub.decode.numbers import INT64_DIGITS
from integrationhub.errors import ConfigurationError, RecordRejected
from integrationhub.records import LOW_VALUES

Writer: TypeAlias = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How values are written: the code page of text and DISPLAY numbers, and the format of floats."""

    page: CodePage
    floats: Floats = "ibm"


_PLUS, _MINUS, _UNSIGNED = "C", "D", "F"
_FIGURATIVE: dict[str, str | bytes] = {
    "ZERO": "0",
    "ZEROS": "0",
    "ZEROES": "0",
    "QUOTE": '"',
    "QUOTES": '"',
    "LOW-VALUE": b"\x00",
    "LOW-VALUES": b"\x00",
    "HIGH-VALUE": b"\xff",
    "HIGH-VALUES": b"\xff",
}


def default_bytes(item: Item, writing: Writing) -> bytes:
    """A field that no value is given for: its VALUE, else zero or blanks."""
    value = item.value or ""
    if item.category in {Category.NUMBER, Category.FLOATING}:
        try:
            number = int(Decimal(value).scaleb(item.scale))
        except InvalidOperation:
            number = 0
        return field_writer(item, writing)(number)
    fill = _FIGURATIVE.get(value, " ")
    blank = (fill if isinstance(fill, bytes) else writing.page.encode(fill)) * item.length
    if value in _FIGURATIVE or value in {"SPACE", "SPACES", "NULL", "NULLS"}:
        return blank
    try:
        raw = bytes.fromhex(value[2:-1]) if value[:2] in {"X'", 'X"'} else writing.page.encode(value)
    except UnicodeEncodeError as exc:
        raise ConfigurationError(
            f"the VALUE of {item.key} has characters that {writing.page.name} hasn't", code="LAYOUT_INVALID"
        ) from exc
    return raw[: item.length] + blank[len(raw) :]


def field_writer(item: Item, writing: Writing) -> Writer:
    """The function that turns a value into the bytes of a field; a value that doesn't fit is RecordRejected."""
    if item.category is Category.FLOATING:
        float_bytes = to_ieee_float if writing.floats == "ieee" else to_hexadecimal_float
        return _guarded(item, writing, lambda value: float_bytes(value, item.length))
    if item.category is not Category.NUMBER:
        return _text_writer(item, writing)
    if item.usage in {Usage.BINARY, Usage.NATIVE, Usage.INDEX, Usage.POINTER}:
        width, signed, whole = item.length, item.signed, int if item.digits > INT64_DIGITS else _as_it_is
        return _guarded(item, writing, lambda value: whole(value).to_bytes(width, signed=signed))
    if item.digits > INT64_DIGITS:  # such numbers are decoded as Decimal
        write = _decimal_writer(item, writing)
        return _guarded(item, writing, lambda value: write(int(value)))
    return _guarded(item, writing, _decimal_writer(item, writing))


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - a value that is no int is found out later
    return value


def _decimal_writer(item: Item, writing: Writing) -> Writer:
    if item.usage is Usage.PACKED:
        return _packed_writer(item)
    if item.usage is Usage.PACKED_UNSIGNED:
        digits = item.length * 2
        return lambda value: bytes.fromhex(f"{value:0{digits}d}")
    return _display_writer(item, writing)


def _guarded(item: Item, writing: Writing, write: Writer) -> Writer:
    """The writer with the values that stand for no number, and with a look at the size."""
    length, low, unsigned = item.length, bytes(item.length), item.category is Category.NUMBER and not item.signed
    nothing = bytes([writing.page.space]) * length if item.usage is Usage.DISPLAY else low

    def guarded(value: Any) -> bytes:  # noqa: ANN401 - values come as the caller has them
        if value is None:
            return nothing
        if value == LOW_VALUES:
            return low
        try:
            if isinstance(value, bytes):
                raw = value
            elif unsigned and value < 0:
                raise _misfit(item)
            else:
                raw = write(value)
        except (ValueError, OverflowError, TypeError, AttributeError) as exc:
            raise _misfit(item) from exc
        if len(raw) != length:
            raise _misfit(item)
        return raw

    return guarded


def _misfit(item: Item) -> RecordRejected:
    picture = item.picture.text if item.picture else "without picture"
    return RecordRejected(
        f"the value for {item.key} doesn't fit its {item.length} bytes ({item.usage.value}, {picture})",
        code="FIELD_OVERFLOW",
    )


def _text_writer(item: Item, writing: Writing) -> Writer:
    length, encoding, fill, low = item.length, writing.page.name, bytes([writing.page.space]), bytes(item.length)
    pad = bytes.rjust if item.justified else bytes.ljust

    def write(value: str | bytes | None) -> bytes:
        if value is None:
            return low
        try:
            raw = pad(value if isinstance(value, bytes) else value.encode(encoding), length, fill)
        except (UnicodeEncodeError, AttributeError) as exc:
            raise _misfit(item) from exc
        if len(raw) != length:
            raise _misfit(item)
        return raw

    return write


def _packed_writer(item: Item) -> Writer:
    digits, plus = item.length * 2 - 1, _PLUS if item.signed else _UNSIGNED

    def write(value: int) -> bytes:
        return bytes.fromhex(f"{-value:0{digits}d}{_MINUS}" if value < 0 else f"{value:0{digits}d}{plus}")

    return write


def _display_writer(item: Item, writing: Writing) -> Writer:
    digits, encoding = item.digits, writing.page.name
    if not item.signed:
        return lambda value: f"{value:0{digits}d}".encode(encoding)
    leading = item.sign.leading
    if item.sign.separate:
        if leading:
            return lambda value: f"{value:+0{digits + 1}d}".encode(encoding)
        return lambda value: f"{abs(value):0{digits}d}{'-' if value < 0 else '+'}".encode(encoding)
    place = 0 if leading else digits - 1
    zones = (0xC0, 0xD0)

    def overpunch(value: int) -> bytes:
        raw = bytearray(f"{abs(value):0{digits}d}".encode(encoding))
        raw[place] = raw[place] & 0x0F | zones[value < 0]
        return bytes(raw)

    return overpunch


def to_hexadecimal_float(value: float, width: int) -> bytes:
    """IBM hexadecimal floating point of four or eight bytes; OverflowError beyond its range, too small a value is 0."""
    bits = 8 * width - 8
    mantissa, exponent = math.frexp(abs(value))
    sixteens = -(-exponent // 4)
    fraction = round(math.ldexp(mantissa, bits - (4 * sixteens - exponent)))
    if fraction == 1 << bits:
        fraction, sixteens = fraction >> 4, sixteens + 1
    if not fraction or sixteens < -64:  # noqa: PLR2004 - the exponent has seven bits
        return bytes(width)
    if sixteens > 63:  # noqa: PLR2004 - as above
        raise OverflowError
    sign = 0x80 if value < 0 else 0
    return bytes([sign | sixteens + 64]) + fraction.to_bytes(width - 1)


def to_ieee_float(value: float, width: int) -> bytes:
    """IEEE 754 of four or eight bytes, high byte first."""
    return struct.pack(">f" if width == 4 else ">d", value)  # noqa: PLR2004 - a word
