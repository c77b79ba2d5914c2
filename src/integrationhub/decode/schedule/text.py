"""A CSV file of unknown encoding to rows of cells: RFC 4180, in pieces, with the byte at which each row begins."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from integrationhub.records import Reason

PIECE = 1 << 18
LONGEST_CELL = 1_000_000
LONGEST_LINE = 1 << 24
BOM = codecs.BOM_UTF8


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank, and the byte offset at which it begins."""

    offset: int
    cells: list[str]


class Sheet:
    """Reads one file. `fault` has what is wrong with its bytes; the rows end there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._encoding = "cp1252"
        self._ended = 0  # bytes of the lines that were handed out
        self._nul: Reason | None = None
        self._undecodable: Reason | None = None
        self._unreadable: Reason | None = None

    @property
    def fault(self) -> Reason | None:
        """The first fault in the order of the document; a row that can't be cut shows in the number of rows."""
        return self._undecodable or self._nul or self._unreadable

    def rows(self) -> Iterator[Row]:
        """The rows with anything in them. What follows a fault is read to its end for earlier checks, and not given."""
        csv.field_size_limit(LONGEST_CELL)
        lines = self._lines()
        reader = csv.reader(lines)
        start = 0
        while True:
            try:
                cells = next(reader, None)
            except csv.Error:
                text = "a row can't be cut into cells"
                self._unreadable = Reason(code="RECORD_COUNT", text=text, offset=self._ended)
                for _ in lines:
                    pass
                return
            if cells is None:
                return
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield Row(start, cells)
            start = self._ended

    def _lines(self) -> Iterator[str]:
        """The lines with their ends. Nothing more comes behind a byte that can't be decoded."""
        held = b""
        while piece := self._stream.read(PIECE):
            if self._ended == 0 and not held and piece.startswith(BOM):
                self._encoding, piece = "utf-8", piece[len(BOM) :]
                self._ended = len(BOM)
            held += piece
            *whole, held = held.split(b"\n")
            for line in whole:
                yield from self._decoded(line + b"\n")
            if len(held) > LONGEST_LINE:
                text = f"a line is longer than {LONGEST_LINE} bytes"
                self._unreadable = Reason(code="RECORD_COUNT", text=text, offset=self._ended)
                return
        if held:
            yield from self._decoded(held)

    def _decoded(self, line: bytes) -> Iterator[str]:
        start, self._ended = self._ended, self._ended + len(line)
        if b"\0" in line and self._nul is None:
            self._nul = Reason(code="TEXT_CONTROL_CHAR", text="a NUL byte", offset=start + line.index(b"\0"))
        if self._undecodable is not None:
            return
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError as exc:
            text = f"a byte that is no character of {self._encoding}"
            self._undecodable = Reason(code="ENCODING_INVALID", text=text, offset=start + exc.start)
            return
        if self._nul is None:
            yield text
