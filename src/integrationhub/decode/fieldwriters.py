"""Single values to the bytes of their field."""

import math
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from integrationhub.decode.codepage import CodePage
from integrationhub.decode.copybook.layout import Category, Item, Usage
from integrationhub.errors import RecordRejected
from integrationhub.records import LOW_VALUES

Writer: TypeAlias = Callable[[Any], bytes]

_PLUS, _MINUS, _UNSIGNED = "C", "D", "F"


def default_bytes(item: Item, page: CodePage) -> bytes:
    """A field that no value is given for: its VALUE, else zero or blanks."""
    value = item.value
    if item.category is Category.NUMBER or item.category is Category.FLOATING:
        digits = (value or "").lstrip("+-").replace(".", "")
        number = int(digits) if digits.isdigit() else 0
        return field_writer(item, page)(-number if (value or "").startswith("-") else number)
    if value is None or value in {"SPACE", "SPACES", "ZERO", "ZEROS", "ZEROES", "LOW-VALUE", "LOW-VALUES"}:
        fill = {"Z": page.encode("0"), "L": b"\x00"}.get((value or " ")[0], bytes([page.space]))
        return fill * item.length
    return field_writer(item, page)(value)


def field_writer(item: Item, page: CodePage) -> Writer:
    """The function that turns a value into the bytes of a field; a value that doesn't fit is RecordRejected."""
    if item.category is Category.FLOATING:
        return _guarded(item, page, lambda value: to_hexadecimal_float(value, item.length))
    if item.category is not Category.NUMBER:
        return _text_writer(item, page)
    if item.usage in {Usage.BINARY, Usage.NATIVE, Usage.INDEX, Usage.POINTER}:
        width, signed = item.length, item.signed
        return _guarded(item, page, lambda value: value.to_bytes(width, signed=signed))
    if item.usage is Usage.PACKED:
        return _guarded(item, page, _packed_writer(item))
    if item.usage is Usage.PACKED_UNSIGNED:
        digits = item.length * 2
        return _guarded(item, page, lambda value: bytes.fromhex(f"{value:0{digits}d}"))
    return _guarded(item, page, _display_writer(item, page))


def _guarded(item: Item, page: CodePage, write: Writer) -> Writer:
    """The writer with the values that stand for no number, and with a look at the size."""
    length, low = item.length, bytes(item.length)
    nothing = bytes([page.space]) * length if item.usage is Usage.DISPLAY else low

    def guarded(value: Any) -> bytes:  # noqa: ANN401 - values come as the caller has them
        if value is None:
            return nothing
        if value == LOW_VALUES:
            return low
        try:
            raw = value if isinstance(value, bytes) else write(value)
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


def _text_writer(item: Item, page: CodePage) -> Writer:
    length, encoding, fill, low = item.length, page.name, bytes([page.space]), bytes(item.length)
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


def _display_writer(item: Item, page: CodePage) -> Writer:
    digits, encoding = item.digits, page.name
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
