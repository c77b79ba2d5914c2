"""Headers of messages that pika would not read: each would end the connection, again at each delivery.

A moment that no calendar has (milliseconds where seconds belong) comes as text; tables and lists within each other
beyond DEEPEST come as None. A number with a fraction comes as text too: pika would cut it off, and sends none.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from struct import Struct
from typing import Any

import pika.data  # type: ignore[import-untyped]

DEEPEST = 16
"""Levels of tables and lists within each other that are read."""

_LENGTH, _MOMENT = Struct(">I"), Struct(">Q")
_NUMBERS = {b"f": Struct(">f"), b"d": Struct(">d")}
_MOST = 2**63
_BY_PIKA = pika.data.decode_value


class _Depth(threading.local):
    levels = 0


_DEPTH = _Depth()


@contextmanager
def _deeper() -> Iterator[None]:
    _DEPTH.levels += 1
    try:
        yield
    finally:
        _DEPTH.levels -= 1


def _value(encoded: bytes, offset: int) -> tuple[Any, int]:
    """The value at a place, and where the next one begins: as `pika.data.decode_value`."""
    kind, start = encoded[offset : offset + 1], offset + 1
    if kind == b"T":
        return _moment(encoded, offset)
    if kind in _NUMBERS:
        (number,) = _NUMBERS[kind].unpack_from(encoded, start)
        return _number(number), start + _NUMBERS[kind].size
    if kind not in (b"A", b"F"):
        return _BY_PIKA(encoded, offset)  # type: ignore[no-any-return]
    if _DEPTH.levels == DEEPEST:
        return None, start + _LENGTH.size + _LENGTH.unpack_from(encoded, start)[0]
    with _deeper():
        return _BY_PIKA(encoded, offset)  # type: ignore[no-any-return]


def _number(value: float) -> int | str:
    return int(value) if value.is_integer() and abs(value) < _MOST else repr(value)


def _moment(encoded: bytes, offset: int) -> tuple[Any, int]:
    try:
        return _BY_PIKA(encoded, offset)  # type: ignore[no-any-return]
    except (ValueError, OverflowError, OSError):
        return str(_MOMENT.unpack_from(encoded, offset + 1)[0]), offset + 1 + _MOMENT.size


def read_leniently() -> None:
    """Have pika read headers this way, in all connections of the process: it offers no other place for it."""
    pika.data.decode_value = _value
