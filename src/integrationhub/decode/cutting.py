"""Cutting a buffer into records where no RDW chain tells: blocks, lines, length fields, counts.

A cutter has `scan` as `Framing` has it: the whole records at the front of a buffer, how many bytes are done with, and
the fault that stopped it. What it consumed always ends where a scan may begin again.

    VB  blocks with a block descriptor word (BDW) of four bytes in front, records with their RDWs inside
    FB  the same with records of one length inside, where a BDW is asked for
    D   lines: ended by LF or CR LF, in EBCDIC by NEL X'15', LF X'25' or X'0A', whichever comes first in the file

Source: z/OS DFSMS Using Data Sets, "Variable-length record formats"; a big-endian BDW with its first bit on is the
extended one, whose other 31 bits are the length.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from integrationhub.decode.chains import LengthField, walk
from integrationhub.decode.columns import Reading, number_reader
from integrationhub.decode.copybook import Item, Usage
from integrationhub.decode.framing import Buffer, Frames, FramingFault
from integrationhub.decode.plan import Frame, Place

BDW = 4
EXTENDED = 0x8000
CARRIAGE_RETURN = 0x0D
_END_OF_FILE = 0x1A
_LINE_ENDS = {False: (0x0A,), True: (0x15, 0x25, 0x0A)}

Bytes = npt.NDArray[np.uint8]


class Cutter(Protocol):
    """Finds records."""

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:
        """The whole records at the front of a buffer whose first byte is byte `base` of the file."""


def frames_of(starts: list[int], lengths: list[int], consumed: int, fault: FramingFault | None = None) -> Frames:
    """Frames from plain numbers."""
    return Frames(
        starts=np.array(starts, np.int64), lengths=np.array(lengths, np.int32), consumed=consumed, fault=fault
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCutter:
    """Records in blocks; `records` cuts what is in a block."""

    records: Cutter
    bdw: Literal["big", "little"] = "big"
    adjustment: int = 0

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:
        """Whole blocks only: a block is cut when all of it is there."""
        data = np.frombuffer(buffer, np.uint8)
        starts, lengths = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        position, fault = 0, None
        while fault is None and position + BDW <= len(data):
            length = self._length(data[position : position + BDW].tolist())
            if length < BDW:
                fault = FramingFault(offset=base + position, expected=f"a block length of at least {BDW}")
            elif position + length > len(data):
                break
            else:
                inside = self.records.scan(data[position + BDW : position + length], base + position + BDW, final=True)
                starts.append(inside.starts + (position + BDW))
                lengths.append(inside.lengths)
                fault = None if inside.fault is None else _in_block(inside.fault)
                position += length
        if fault is None and final and position < len(data):
            left = len(data) - position
            text = f"a block that ends within the {left} bytes left in the file"
            fault = FramingFault(offset=base + position, expected=text)
        return Frames(starts=np.concatenate(starts), lengths=np.concatenate(lengths), consumed=position, fault=fault)

    def _length(self, word: list[int]) -> int:
        if self.bdw == "little":
            return (word[3] << 8 | word[2]) + self.adjustment
        length = word[0] << 8 | word[1]
        if length & EXTENDED:
            length = (length & ~EXTENDED) << 16 | word[2] << 8 | word[3]
        return length + self.adjustment


def _in_block(fault: FramingFault) -> FramingFault:
    return replace(fault, expected=fault.expected.replace("the file", "the block"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCutter:
    """Lines, each a record without its end; an empty line is an empty record."""

    end: int = 0x0A

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:  # noqa: ARG002 - as the protocol has it
        """The lines that are complete; with `final` the last one needs no end."""
        data = np.frombuffer(buffer, np.uint8)
        ends = np.flatnonzero(data == self.end)
        consumed = int(ends[-1]) + 1 if len(ends) else 0
        rest = data[consumed:]
        if final and len(rest) and not (len(rest) == 1 and rest[0] == _END_OF_FILE):
            ends, consumed = np.append(ends, len(data)), len(data)
        starts = np.concatenate([np.zeros(min(len(ends), 1), np.int64), ends[:-1] + 1])
        if len(ends):
            returns = (ends > starts) & (data[np.maximum(ends - 1, 0)] == CARRIAGE_RETURN)
            ends = ends - returns
        return Frames(
            starts=starts, lengths=(ends - starts).astype(np.int32), consumed=len(data) if final else consumed
        )


def line_end(front: bytes, *, ebcdic: bool) -> int:
    """The byte that ends lines, by the first bytes of a file."""
    found = {front.find(end): end for end in _LINE_ENDS[ebcdic] if end in front}
    return found[min(found)] if found else _LINE_ENDS[ebcdic][0]


class LengthFieldCutter:
    """Records that say their whole length in a field: its value plus `adjustment`."""

    def __init__(self, item: Item, reading: Reading, adjustment: int) -> None:
        self._item = item
        self._read = number_reader(item, reading)
        self._adjustment = adjustment
        self._end = item.offset + item.length
        self._chain: LengthField | None = None
        if item.usage in {Usage.BINARY, Usage.NATIVE} and item.length <= 4:  # noqa: PLR2004 - a word
            self._chain = LengthField(
                size=item.length,
                shift=item.offset,
                little=False,
                adjustment=adjustment,
                minimum=self._end,
                header=self._end,
            )

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:
        """Records that are there as a whole."""
        data = np.frombuffer(buffer, np.uint8)
        starts, position = self._walk(data)
        if position > len(data):
            position = int(starts[-1])
            starts = starts[:-1]
        lengths = np.diff(starts, append=position).astype(np.int32)
        return Frames(starts=starts, lengths=lengths, consumed=position, fault=self._fault(data, position, base, final))

    def _walk(self, data: Bytes) -> tuple[npt.NDArray[np.int64], int]:
        if self._chain is not None and len(data) >= self._end:
            return walk(data, self._chain)
        found: list[int] = []
        position = 0
        while position + self._end <= len(data):
            length = self._length(data, position)
            if length is None:
                break
            found.append(position)
            position += length
        return np.array(found, np.int64), position

    def _length(self, data: Bytes, position: int) -> int | None:
        block = data[position + self._item.offset : position + self._end].reshape(1, -1)
        values, bad = self._read(block, 0)
        length = int(values[0]) + self._adjustment
        return None if (bad is not None and bad[0]) or length < max(self._end, 1) else length

    def _fault(self, data: Bytes, position: int, base: int, final: bool) -> FramingFault | None:  # noqa: FBT001 - handed on
        left = len(data) - position
        if left >= self._end and self._length(data, position) is None:
            text = f"a record length of at least {self._end} in {self._item.name}"
            return FramingFault(offset=base + position, expected=text)
        if not final or not left:
            return None
        return FramingFault(
            offset=base + position, expected=f"a record that ends within the {left} bytes left in the file"
        )


class CountMissing(Exception):
    """The buffer ends before a count."""


class CountInvalid(Exception):
    """A count is no number, or out of its range."""


class RecordSize:
    """How long a record is, by its counts: one record at a time."""

    def __init__(self, frame: Frame, reading: Reading) -> None:
        self._frame = frame
        self._reading = reading
        self._readers: dict[str, Callable[[Bytes, int], tuple[npt.NDArray[np.generic], npt.NDArray[np.bool_] | None]]]
        self._readers = {}

    def __call__(self, data: Bytes, start: int) -> int:
        """The bytes of the record at that place; CountMissing, CountInvalid."""
        length = self._end(self._frame, data, start, {}) - start
        if length < 1:
            raise CountInvalid
        return length

    def _end(self, frame: Frame, data: Bytes, start: int, bases: dict[int, list[int]]) -> int:
        runs = [start]
        bases[frame.number] = runs
        for table in frame.tables:
            if not table.varies:
                continue
            count = table.most if table.count is None else self._count(table.count, data, bases)
            if not table.least <= count <= table.most:
                raise CountInvalid
            position = runs[table.place.run] + table.place.offset
            if table.element.varies:
                for _ in range(count):
                    position = self._end(table.element, data, position, bases)
            else:
                position += count * table.element.tail
            runs.append(position)
        return runs[-1] + frame.tail

    def _count(self, place: Place, data: Bytes, bases: dict[int, list[int]]) -> int:
        item = place.item
        start = bases[place.frame][place.run] + place.offset
        if start + item.length > len(data):
            raise CountMissing
        read = self._readers.get(item.key)
        if read is None:
            read = self._readers[item.key] = number_reader(item, self._reading)
        values, bad = read(data[start : start + item.length].reshape(1, -1), 0)
        if bad is not None and bad[0]:
            raise CountInvalid
        return int(values[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedCutter:
    """Records that follow each other without anything between, each as long as its counts say."""

    size: Callable[[Bytes, int], int]

    def scan(self, buffer: Buffer, base: int, *, final: bool) -> Frames:
        """Records that are there as a whole."""
        data = np.frombuffer(buffer, np.uint8)
        starts, lengths = list[int](), list[int]()
        position = 0
        try:
            while position < len(data):
                length = self.size(data, position)
                if position + length > len(data):
                    break
                starts.append(position)
                lengths.append(length)
                position += length
        except CountMissing:
            pass
        except CountInvalid:
            text = "a record whose counts give a length"
            return frames_of(starts, lengths, position, FramingFault(offset=base + position, expected=text))
        fault = None
        if final and position < len(data):
            left = len(data) - position
            text = f"a record that ends within the {left} bytes left in the file"
            fault = FramingFault(offset=base + position, expected=text)
        return frames_of(starts, lengths, position, fault)
