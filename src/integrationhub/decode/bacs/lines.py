"""The lines of a text file of any size, in order and with their place, a bounded number at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 1 << 20
LONGEST = 1 << 16
"""Bytes of a line that are kept; what is longer is no line of any standard, and is cut here."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, and the byte offset of its first byte in the file."""

    offset: int
    content: bytes


def lines_of(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a stream, which end with CR LF or LF; the last needs no end."""
    held, offset, cut = b"", 0, 0
    while piece := stream.read(PIECE):
        *whole, rest = piece.split(b"\n")
        for content in whole:
            line = held + content
            yield Line(offset, line.removesuffix(b"\r"))
            offset += len(line) + cut + 1
            held, cut = b"", 0
        held += rest
        if len(held) > LONGEST:
            cut += len(held) - LONGEST
            held = held[:LONGEST]
    if held:
        yield Line(offset, held.removesuffix(b"\r"))
