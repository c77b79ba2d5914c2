"""A file of records: how it is cut, and its records in batches of bounded memory, from any place on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import Copybook, Item
from integrationhub.decode.cutting import BlockCutter, Cutter, LengthFieldCutter, LineCutter, SizedCutter, line_end
from integrationhub.decode.framing import Frames, Framing, FramingFault
from integrationhub.decode.numbers import Block, Integers
from integrationhub.decode.sources import Source, open_source
from integrationhub.errors import ConfigurationError, FileRejected

CHUNK = 4 * 1024 * 1024
MOST_RECORD = 256 * 1024 * 1024
"""Bytes that one record (or block) may be long."""

_FRONT = 64 * 1024
_BATCH_BYTES = 64 * 1024 * 1024

Sizer = Callable[[Block, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFormat:
    """How a file is cut into records; the words are those of `integrationhub decode`.

    `file_start` and `file_end` bytes are cut off the file, `record_start` and `record_end` bytes off each record.
    """

    kind: Literal["F", "FB", "V", "VB", "D"] = "F"
    record_length: int | None = None
    length_field: str | None = None
    rdw: Literal["big", "little", "u32", "none"] = "big"
    rdw_adjustment: int = 0
    bdw: Literal["big", "little", "none"] | None = None
    bdw_adjustment: int = 0
    file_start: int = 0
    file_end: int = 0
    record_start: int = 0
    record_end: int = 0

    @property
    def blocked(self) -> bool:
        """Whether block descriptor words are read: in VB unless told otherwise, in FB only if asked for."""
        return (self.kind == "VB" and self.bdw != "none") or (self.kind == "FB" and self.bdw in {"big", "little"})

    def length(self, longest: int) -> int:
        """The length of a fixed record whose layout has that many bytes."""
        return self.record_length or longest + self.record_start + self.record_end


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """Records found: `starts` are indices of their data in the buffer, whose first byte is byte `base` of the file."""

    buffer: Block
    starts: Integers
    lengths: Integers
    base: int
    first_record: int

    def behind(self, records: int) -> "RawBatch":
        """The batch without its first records."""
        return replace(
            self,
            starts=self.starts[records:],
            lengths=self.lengths[records:],
            first_record=self.first_record + records,
        )


class RecordFile:
    """The records of one file. `longest` is the layout's largest length, `size` gives that of one record."""

    def __init__(
        self, path: Path, form: RecordFormat, copybook: Copybook, reading: Reading, *, longest: int, size: Sizer
    ) -> None:
        self.path = path
        self.form = form
        self._longest = longest
        self._cutter = self._cutter_for(copybook, reading, size)

    def _cutter_for(self, copybook: Copybook, reading: Reading, size: Sizer) -> Cutter:
        form = self.form
        if form.kind == "D":
            with open_source(self.path, skip=form.file_start) as source:
                return LineCutter(end=line_end(source.read(_FRONT), ebcdic=reading.page.ebcdic))
        if form.length_field is not None:
            return LengthFieldCutter(length_item(copybook, form.length_field), reading, form.rdw_adjustment)
        records: Cutter
        if form.kind in {"F", "FB"}:
            length = form.length(self._longest)
            if length <= form.record_start + form.record_end:
                raise ConfigurationError("the record offsets leave nothing of a record", code="FRAMING_INVALID")
            records = Framing(kind="F", record_length=length)
        elif form.rdw == "none":
            records = SizedCutter(size=size)
        else:
            records = Framing(kind="V", rdw=form.rdw, adjustment=form.rdw_adjustment)
        if not form.blocked:
            return records
        bdw: Literal["big", "little"] = "little" if form.bdw == "little" else "big"
        return BlockCutter(records=records, bdw=bdw, adjustment=form.bdw_adjustment)

    def batches(self, *, offset: int = 0, record: int = 1) -> Iterator[RawBatch]:
        """All records from byte `offset` of the file on, where record number `record` begins (0: the first one).

        FileRejected (`FRAMING_INVALID`) behind the last good record, when the file can't be cut further.
        """
        base = max(offset, self.form.file_start)
        with open_source(self.path, skip=base, leave=self.form.file_end) as source:
            for buffer, frames in self._frames(source, base):
                data = np.frombuffer(buffer, np.uint8)
                yield from self._cut(data, frames, base, record)
                record += len(frames.starts)
                if frames.fault is not None:
                    raise self._rejected(frames.fault, record)
                base += frames.consumed

    def restarts(self) -> Iterator[tuple[int, int]]:
        """Record number and byte offset of places where `batches` may begin, in order; the last is behind the end."""
        base, record = self.form.file_start, 1
        with open_source(self.path, skip=base, leave=self.form.file_end) as source:
            for _, frames in self._frames(source, base):
                yield record, base
                record += len(frames.starts)
                base += frames.consumed
                if frames.fault is not None:
                    raise self._rejected(frames.fault, record)
        yield record, base

    def _frames(self, source: Source, base: int) -> Iterator[tuple[bytes, Frames]]:
        """The stream in buffers that begin where the last one was done with."""
        kept, want = b"", CHUNK
        while True:
            missing = max(want - len(kept), 0)  # what was kept may be more than a chunk, behind a large record
            block = source.read(missing)
            ended = len(block) < missing
            buffer = kept + block
            frames = self._cutter.scan(buffer, base, final=ended)
            if not ended and frames.fault is None and not frames.consumed:
                if want >= MOST_RECORD:
                    text = f"a record that ends within {MOST_RECORD} bytes"
                    yield buffer, _with_fault(frames, FramingFault(offset=base, expected=text))
                    return
                kept, want = buffer, want * 2
                continue
            yield buffer, frames
            if ended or frames.fault is not None:
                return
            kept, want = buffer[frames.consumed :], CHUNK
            base += frames.consumed

    def _cut(self, data: Block, frames: Frames, base: int, record: int) -> Iterator[RawBatch]:
        starts = frames.starts + self.form.record_start
        lengths = np.maximum(frames.lengths - (self.form.record_start + self.form.record_end), 0)
        rows = max(_BATCH_BYTES // max(self._longest, 1), 1)
        for low in range(0, len(starts), rows):
            yield RawBatch(
                buffer=data,
                starts=starts[low : low + rows],
                lengths=lengths[low : low + rows],
                base=base,
                first_record=record + low,
            )

    def _rejected(self, fault: FramingFault, record: int) -> FileRejected:
        return FileRejected(
            f"{self.path}, record {record}: expected {fault.expected} at offset {fault.offset}",
            code="FRAMING_INVALID",
            remedy="check the record format, its lengths and offsets, and whether the file is complete",
        )


def _with_fault(frames: Frames, fault: FramingFault) -> Frames:
    return Frames(starts=frames.starts, lengths=frames.lengths, consumed=frames.consumed, fault=fault)


def length_item(copybook: Copybook, name: str) -> Item:
    """The field of the first 01 level that holds the record's length; ConfigurationError when there is none."""
    for item in copybook.records[0].walk():
        if item.name == name.upper() and not item.is_group and item.digits and not item.scale:
            return item
    raise ConfigurationError(
        f"no whole number {name} in the first 01 level of {copybook.name} that could be the record length",
        code="LAYOUT_INVALID",
        remedy="correct --record-length-field",
    )
