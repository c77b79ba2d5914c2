"""Decimals of more than 18 digits, which no machine word holds: built from groups of digits as 128-bit integers.

Arrow's decimal128 is a little-endian two's complement number of 16 bytes; here it is kept as two words per value.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from integrationhub.decode import numbers
from integrationhub.decode.numbers import Block, Integers, Mask, SignCodes

Unsigned: TypeAlias = npt.NDArray[np.uint64]
Pairs: TypeAlias = npt.NDArray[np.uint64]  # n × 2: low word, high word

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@dataclass(slots=True)
class _Sum:
    """n unsigned 128-bit numbers."""

    high: Unsigned
    low: Unsigned

    def append(self, digits: int, group: Integers) -> None:
        """Put `digits` more digits behind every number."""
        factor = np.uint64(10**digits)
        upper, lower = factor >> _HALF, factor & _LOW
        high, low = self.low >> _HALF, self.low & _LOW
        first, second, third = low * lower, low * upper, high * lower
        middle = (first >> _HALF) + (second & _LOW) + (third & _LOW)
        carried = (second >> _HALF) + (third >> _HALF) + (middle >> _HALF)
        self.high = self.high * factor + high * upper + carried
        self.low = (first & _LOW) | (middle << _HALF)
        self.low += group.astype(np.uint64)
        self.high += self.low < group.astype(np.uint64)

    def signed(self, minus: Mask) -> Pairs:
        """The numbers in two's complement."""
        low = np.where(minus, ~self.low + np.uint64(1), self.low)
        high = np.where(minus, ~self.high + (self.low == 0), self.high)
        return np.stack((low, high), axis=1)


def packed(block: Block, offset: int, width: int, signs: SignCodes) -> tuple[Pairs, Mask | None]:
    """Packed decimals of any length."""
    start = offset + width - numbers.WORD
    total, bad = _digits(block, offset, start)
    last, bad_last = numbers.packed(block, start, numbers.WORD, signs)
    minus = numbers.is_minus(block[:, offset + width - 1], signs)
    total.append(numbers.PACKED_DIGITS, np.abs(last))
    return total.signed(minus), numbers.either(bad, bad_last)


def unsigned_packed(block: Block, offset: int, width: int) -> tuple[Pairs, Mask | None]:
    """Packed digits without a sign (COMP-6), of any number."""
    total, bad = _digits(block, offset, offset + width)
    return total.signed(np.zeros(len(block), np.bool_)), bad


def zoned(
    block: Block, offset: int, width: int, signs: SignCodes, *, leading: bool = False
) -> tuple[Pairs, Mask | None]:
    """DISPLAY digits of any number, with the sign in a zone."""
    total, bad = _start(len(block)), None
    start = offset
    position = offset if leading else offset + width - 1
    while start < offset + width:
        count = (offset + width - start - 1) % numbers.WORD_DIGITS + 1
        group, bad_group = numbers.zoned_word(block, start, count, position - start)
        total.append(count, group)
        bad = numbers.either(bad, bad_group)
        start += count
    zone = block[:, position] >> np.uint8(4)
    minus = numbers.is_minus(zone, signs)
    return total.signed(minus), numbers.either(bad, numbers.is_no_sign(zone, signs))


def separate(
    block: Block, offset: int, width: int, signs: tuple[int, int], *, leading: bool
) -> tuple[Pairs, Mask | None]:
    """DISPLAY digits of any number, with a byte of their own for the sign."""
    pairs, bad = zoned(block, offset + leading, width - 1, numbers.STRICT_UNSIGNED)
    minus, odd = numbers.separate_sign(block[:, offset if leading else offset + width - 1], signs)
    return _Sum(pairs[:, 1], pairs[:, 0]).signed(minus), numbers.either(bad, odd)


def binary(block: Block, offset: int, width: int, *, signed: bool) -> Pairs:
    """Two's complement of nine to sixteen bytes, high byte first."""
    split = offset + width - numbers.WORD
    low = numbers.load_words(block, split, numbers.WORD).astype(np.uint64)
    high = numbers.load_words(block, offset, width - numbers.WORD).astype(np.uint64)
    bits = 8 * (width - numbers.WORD)
    if signed and bits < 8 * numbers.WORD:
        high |= np.where(high >> np.uint64(bits - 1) & np.uint64(1), np.uint64(2**64 - 2**bits), np.uint64(0))
    return np.stack((low, high), axis=1)


def _digits(block: Block, start: int, end: int) -> tuple[_Sum, Mask | None]:
    """The number that packed digits spell, and where they are none."""
    total, bad = _start(len(block)), None
    while start < end:
        count = (end - start - 1) % numbers.WORD + 1
        group, bad_group = numbers.unsigned_packed(block, start, count)
        total.append(2 * count, group)
        bad = numbers.either(bad, bad_group)
        start += count
    return total, bad


def _start(rows: int) -> _Sum:
    return _Sum(np.zeros(rows, np.uint64), np.zeros(rows, np.uint64))
