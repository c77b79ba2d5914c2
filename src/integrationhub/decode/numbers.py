"""Mainframe numbers to integers, a column at a time.

Every function takes a block (n rows of bytes, C order) and the place of a field in it, and gives n values and a mask of
those that mean nothing (None when all are good). Up to eight bytes are loaded into one machine word and all their
digits converted there at once, by shifting and multiplying lanes (the technique is known as SWAR).

    packed  X'01 23 4D'      01234 D -> -1234     two digits a byte, the last half byte is the sign
    zoned   X'F1 F2 F3 D4'   -1234                a digit a byte; the zone of the last (or first) byte is the sign
    binary  X'FF FF FF FE'   -2                   two's complement, high byte first
    float   X'C2 76 A0 00'   -118.625             sign, exponent of 16 (less 64), fraction of six (or fourteen) digits

Source: IBM z/Architecture Principles of Operation, "Decimal instructions" (digit and sign codes) and "Floating-point
overview and support instructions" (hexadecimal floating point).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Block: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[Any]  # uint32 or uint64
Integers: TypeAlias = npt.NDArray[np.int64]
Lengths: TypeAlias = npt.NDArray[np.signedinteger[Any]]
Mask: TypeAlias = npt.NDArray[np.bool_]

WORD = 8
WORD_DIGITS = 8  # zoned digits in a word
PACKED_DIGITS = 15  # digits in a word that holds a sign too
INT64_DIGITS = 18


@dataclass(frozen=True, slots=True)
class SignCodes:
    """Which half-byte codes are a sign: bit n of `plus` or `minus` stands for the code n."""

    plus: int
    minus: int

    @property
    def invalid(self) -> int:
        """The codes that are none, as bits."""
        return 0xFFFF & ~(self.plus | self.minus)


def _codes(digits: Iterable[int]) -> int:
    return sum(1 << digit for digit in digits)


IBM = SignCodes(_codes((0xA, 0xC, 0xE, 0xF)), _codes((0xB, 0xD)))
STRICT = SignCodes(_codes((0xC, 0xF)), _codes((0xD,)))
IBM_UNSIGNED = SignCodes(IBM.plus, 0)
STRICT_UNSIGNED = SignCodes(_codes((0xF,)), 0)


def load_words(block: Block, offset: int, width: int) -> Words:
    """`width` bytes (1 to 8) of every row as one unsigned number, high byte first; up to four bytes as uint32."""
    rows, length = block.shape
    size = 4 if width <= 4 else WORD  # noqa: PLR2004 - a half word holds four bytes
    wide: Any = np.uint32 if size == 4 else np.uint64  # noqa: PLR2004 - as above
    if width in {1, 2, size}:
        return np.ndarray((rows,), f">u{width}", block.data, offset, (length,)).astype(wide)
    if offset + width >= size:
        word = np.ndarray((rows,), f">u{size}", block.data, offset + width - size, (length,)).astype(wide)
        word &= wide((1 << 8 * width) - 1)
        return word
    padded = np.zeros((rows, size), np.uint8)
    padded[:, size - width :] = block[:, offset : offset + width]
    return padded.view(f">u{size}")[:, 0].astype(wide)


def _lanes(word: Words, shift: int, mask: int | None, excess: int) -> None:
    """Join every pair of lanes: the upper one, `shift` bits up, counts `2**shift - excess` times the lower one."""
    upper = word >> word.dtype.type(shift)
    if mask is not None:
        upper &= word.dtype.type(mask & ((1 << 8 * word.itemsize) - 1))
    upper *= word.dtype.type(excess)
    word -= upper


def _join_nibbles(word: Words) -> None:
    """Half bytes 0–9 to the number they spell, in place."""
    _lanes(word, 4, 0x0F0F0F0F0F0F0F0F, 16 - 10)
    _lanes(word, 8, 0x00FF00FF00FF00FF, 256 - 100)
    if word.itemsize == WORD:
        _lanes(word, 16, 0x0000FFFF0000FFFF, 65536 - 10_000)
        _lanes(word, 32, None, 2**32 - 10**8)
    else:
        _lanes(word, 16, None, 65536 - 10_000)


def _join_bytes(word: Words) -> None:
    """Bytes 0–9 to the number they spell, in place."""
    _lanes(word, 8, 0x00FF00FF00FF00FF, 256 - 10)
    if word.itemsize == WORD:
        _lanes(word, 16, 0x0000FFFF0000FFFF, 65536 - 100)
        _lanes(word, 32, None, 2**32 - 10_000)
    else:
        _lanes(word, 16, None, 65536 - 100)


def _bad_nibbles(word: Words) -> Words:
    """Non-zero where a half byte is above 9: its bit 8 is set together with bit 4 or bit 2."""
    bad: Words = word << word.dtype.type(1)
    bad |= word << word.dtype.type(2)
    bad &= word
    bad &= word.dtype.type(0x8888888888888888 & ((1 << 8 * word.itemsize) - 1))
    return bad


def _code_in(codes: int, nibbles: Words) -> Words:
    """1 where the half byte is one of the codes, else 0."""
    found: Words = (nibbles.dtype.type(codes) >> nibbles) & nibbles.dtype.type(1)
    return found


def _mask(bad: Words) -> Mask | None:
    return bad != 0 if bad.any() else None


def either(first: Mask | None, second: Mask | None) -> Mask | None:
    """Where one of two masks holds; None is a mask that holds nowhere."""
    if first is None or second is None:
        return second if first is None else first
    return first | second


def _signed(values: Integers, negative: Words | Mask) -> Integers:
    if negative.any():
        np.negative(values, out=values, where=negative.astype(bool))
    return values


def is_minus(codes: Block, signs: SignCodes) -> Mask:
    """Which bytes have a minus sign in their lower half."""
    return _code_in(signs.minus, (codes & np.uint8(15)).astype(np.uint32)).astype(bool)


def is_no_sign(codes: Block, signs: SignCodes) -> Mask | None:
    """Which bytes have no sign in their lower half."""
    return _mask(_code_in(signs.invalid, (codes & np.uint8(15)).astype(np.uint32)))


def separate_sign(signs: Block, plus_minus: tuple[int, int]) -> tuple[Mask, Mask | None]:
    """Which bytes are the minus sign, and which are neither sign."""
    minus: Mask = signs == plus_minus[1]
    odd = ~(minus | (signs == plus_minus[0]))
    return minus, odd if odd.any() else None


def packed(block: Block, offset: int, width: int, signs: SignCodes) -> tuple[Integers, Mask | None]:
    """Packed decimals of up to 18 digits (10 bytes)."""
    if width > WORD:
        return _wide_packed(block, offset, width, signs)
    word = load_words(block, offset, width)
    sign = word & word.dtype.type(15)
    word >>= word.dtype.type(4)
    bad = _bad_nibbles(word)
    bad |= _code_in(signs.invalid, sign)
    _join_nibbles(word)
    values = word.view(np.int64) if word.itemsize == WORD else word.astype(np.int64)
    return _signed(values, _code_in(signs.minus, sign)), _mask(bad)


def _wide_packed(block: Block, offset: int, width: int, signs: SignCodes) -> tuple[Integers, Mask | None]:
    low, bad = packed(block, offset + width - WORD, WORD, signs)
    high, bad_high = unsigned_packed(block, offset, width - WORD)
    bad = either(bad, bad_high)
    excess = high >= 10 ** (INT64_DIGITS - PACKED_DIGITS)  # the half byte in front of eighteen digits
    bad = either(bad, excess if excess.any() else None)
    high *= 10**PACKED_DIGITS
    low += _signed(high, is_minus(block[:, offset + width - 1], signs))
    return low, bad


def unsigned_packed(block: Block, offset: int, width: int) -> tuple[Integers, Mask | None]:
    """Packed digits without a sign (COMP-6), up to 18 of them."""
    if width > WORD:
        high, bad_high = unsigned_packed(block, offset, width - WORD)
        low, bad = unsigned_packed(block, offset + width - WORD, WORD)
        return high * 10 ** (2 * WORD) + low, either(bad, bad_high)
    word = load_words(block, offset, width)
    bad_digits = _bad_nibbles(word)
    _join_nibbles(word)
    return word.astype(np.int64), _mask(bad_digits)


def zoned(
    block: Block, offset: int, width: int, signs: SignCodes, *, leading: bool = False
) -> tuple[Integers, Mask | None]:
    """DISPLAY digits, up to 18, with the sign in the zone of the last (or first) byte; the other zones are F."""
    position = offset if leading else offset + width - 1
    zone = block[:, position] >> np.uint8(4)
    bad = is_no_sign(zone, signs)
    values: Integers | None = None
    start = offset
    while start < offset + width:
        count = (offset + width - start - 1) % WORD_DIGITS + 1
        part, bad_part = zoned_word(block, start, count, position - start)
        bad = either(bad, bad_part)
        values = part if values is None else values * 10**count + part
        start += count
    if values is None:
        raise ValueError("a number without digits")
    return _signed(values, is_minus(zone, signs)), bad


def zoned_word(block: Block, offset: int, count: int, sign: int) -> tuple[Integers, Mask | None]:
    """Up to eight zoned digits, without a sign; the zone of byte number `sign`, if it is one of them, may be any."""
    word = load_words(block, offset, count)
    lane = word.dtype.type
    if 0 <= sign < count:
        word |= lane(0xF0 << 8 * (count - 1 - sign))
    word ^= lane(0xF0F0F0F0F0F0F0F0 & ((1 << 8 * count) - 1))
    bad = word + lane(0x0606060606060606 & ((1 << 8 * count) - 1))
    bad |= word
    bad &= lane(0xF0F0F0F0F0F0F0F0 & ((1 << 8 * word.itemsize) - 1))
    _join_bytes(word)
    values = word.view(np.int64) if word.itemsize == WORD else word.astype(np.int64)
    return values, _mask(bad)


def separate(
    block: Block, offset: int, width: int, signs: tuple[int, int], *, leading: bool
) -> tuple[Integers, Mask | None]:
    """DISPLAY digits with a byte of their own for the sign, `signs` being the bytes of plus and minus."""
    values, bad = zoned(block, offset + leading, width - 1, STRICT_UNSIGNED)
    minus, odd = separate_sign(block[:, offset if leading else offset + width - 1], signs)
    return _signed(values, minus), either(bad, odd)


def binary(block: Block, offset: int, width: int, *, signed: bool) -> npt.NDArray[np.int64] | npt.NDArray[np.uint64]:
    """Two's complement of two, four or eight bytes; eight unsigned bytes as uint64."""
    rows, length = block.shape
    wide: Any = np.uint64 if width == WORD and not signed else np.int64
    kind = f">{'i' if signed else 'u'}{width}"
    column: Words = np.ndarray((rows,), kind, block.data, offset, (length,))
    return column.astype(wide)


def hexadecimal_float(block: Block, offset: int, width: int) -> npt.NDArray[np.float64]:
    """IBM hexadecimal floating point of four or eight bytes, rounded to the nearest binary double."""
    word = load_words(block, offset, width).astype(np.uint64)
    bits = 8 * width - 8  # of the fraction
    fraction = (word & np.uint64((1 << bits) - 1)).astype(np.float64)
    exponent = ((word >> np.uint64(bits)) & np.uint64(0x7F)).astype(np.int32)
    values: npt.NDArray[np.float64] = np.ldexp(fraction, 4 * (exponent - 64) - bits)
    return np.where((word >> np.uint64(8 * width - 1)) != 0, -values, values)


def finite(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], Mask | None]:
    """The numbers, and which of them are infinite or none at all."""
    odd: Mask = ~np.isfinite(values)
    return values, odd if odd.any() else None


def ieee_float(block: Block, offset: int, width: int) -> npt.NDArray[np.float64]:
    """IEEE 754 floating point of four or eight bytes, high byte first."""
    rows, length = block.shape
    return np.ndarray((rows,), f">f{width}", block.data, offset, (length,)).astype(np.float64)
