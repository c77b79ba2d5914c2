"""A CSV export to rows that know their place. RFC 4180 with a heading row; strict, because a shifted column is money.

The code page has one byte a character, so that a character's place in the text is its byte offset in the file.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
NUL = 0
LONGEST_FIELD = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A data row: its number (the first after the heading is 1), the byte offset of its first field, its cells."""

    record: int
    offset: int
    cells: tuple[str, ...]


class Unreadable(Exception):
    """Why the file can't be cut into rows, and where. Row 0 is the heading."""

    def __init__(self, text: str, *, record: int, offset: int) -> None:
        super().__init__(text)
        self.text = text
        self.record = record
        self.offset = offset


def read_rows(content: bytes, *, encoding: str, columns: Sequence[str]) -> list[Row]:
    """The data rows. `Unreadable`: a byte outside the code page, a NUL, another heading, another number of fields."""
    text = _decoded(content, encoding)
    found = list(_rows(text))
    if not found or found[0].cells != tuple(columns):
        raise Unreadable("the heading row is not the one agreed", record=0, offset=0)
    for row in found[1:]:
        if len(row.cells) != len(columns):
            said = f"the row has {len(row.cells)} fields, not {len(columns)}"
            raise Unreadable(said, record=row.record, offset=row.offset)
    return found[1:]


def _decoded(content: bytes, encoding: str) -> str:
    place = content.find(NUL)
    if place >= 0:
        raise Unreadable("a NUL byte", record=_row_at(content, place), offset=place)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as exc:
        text = f"a byte that is no character of {encoding}"
        raise Unreadable(text, record=_row_at(content, exc.start), offset=exc.start) from None


def _row_at(content: bytes, place: int) -> int:
    """The number of the row around a byte: rows before it are counted by their line ends outside quotes."""
    before = content[:place]
    lines = re.sub(rb'"[^"]*"', b"", before)
    return lines.count(b"\n")


def _rows(text: str) -> Iterator[Row]:
    """Rows, the heading as number 0."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for match in _LINE.finditer(text):
            taken = match.end()
            yield match.group()

    csv.field_size_limit(LONGEST_FIELD)
    reader, number, start = csv.reader(lines(), strict=True), 0, 0
    try:
        for cells in reader:
            yield Row(record=number, offset=start, cells=tuple(cells))
            number, start = number + 1, taken
    except csv.Error:
        raise Unreadable("a row is not quoted as agreed", record=number, offset=start) from None
