"""A big file in pieces: read once from front to back, cut where a group begins, each piece decoded alone.

Memory is bounded by the piece, whatever the file's size: a piece is about `target` bytes and grows only to hold one
group that is larger, up to `target × GROUP_LIMIT`. The cuts depend on the bytes and on `target` alone, so a run that
was killed finds the same pieces again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.framing import RDW, Frames, Framing
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.descriptor import StructureCodes

LARGEST_GROUP = 256 * 1024 * 1024
"""Bytes that one group may be long, where pieces are not larger anyway. Whether a file is good must not hang on how it
is cut, so this does not follow `target`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One piece of a file, decoded: whole groups, with the header in the first and the trailer in the last piece.

    `kinds` holds an index into `kind_names` per record, −1 for an unknown type; `offsets` the byte offset in the file
    of each record's data. [`start`, `end`) are the piece's bytes. `faults` are of the file (framing, record type,
    record length), not of fields.
    """

    number: int
    first_record: int
    start: int
    end: int
    kind_names: tuple[str, ...]
    kinds: npt.NDArray[np.int16]
    offsets: npt.NDArray[np.int64]
    decoded: DecodedBatch
    faults: tuple[Reason, ...] = ()

    def table(self, name: str) -> pa.Table:
        """A decoded table by its name; without rows where the piece has no such record."""
        return self.decoded.tables[name]

    def ends_with(self, kind: str) -> bool:
        """Whether the piece's last record is of this type."""
        return len(self.kinds) > 0 and bool(self.kinds[-1] == self.kind_names.index(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """The records of a slice before they are decoded; `buffer` begins at byte `start` of the file."""

    number: int
    first_record: int
    start: int
    buffer: npt.NDArray[np.uint8]
    frames: Frames
    kinds: npt.NDArray[np.int16]


class SliceReader:
    """Cuts a stream into slices of whole groups.

    `record_types` maps values of the record-type field to 01 levels, one each; `group_type` opens a group.
    """

    def __init__(
        self,
        framing: Framing,
        decoder: RecordDecoder,
        *,
        record_types: Mapping[str, str],
        group_type: str,
        codes: StructureCodes,
        target: int,
    ) -> None:
        self._framing = framing
        self._decoder = decoder
        values = {level: value for value, level in record_types.items()}
        self._kind_names = tuple(values[level] for level in decoder.record_names)
        self._group_kind = self._kind_names.index(group_type)
        self._codes = codes
        self._target = target

    def read(self, stream: BinaryIO, *, cuts: Sequence[int] = ()) -> Iterator[Slice]:
        """The slices of `stream` in order. A framing fault ends the reading: it stands in the last slice's `faults`.

        `cuts`: where the first slices ended when the file was read before, in bytes. It is cut there again, whatever
        `target` is now.
        """
        start, record = 0, 1
        for number, end in enumerate(cuts):
            piece = self._cut(stream.read(end - start), start=start, number=number, record=record, ended=True)
            assert piece is not None  # an ended buffer is never too short
            yield self._decode(piece)
            start, record = end, record + len(piece.kinds)
        yield from self._read_on(stream, start=start, number=len(cuts), record=record)

    def _read_on(self, stream: BinaryIO, *, start: int, number: int, record: int) -> Iterator[Slice]:
        kept, want, most = b"", self._target, max(self._target, LARGEST_GROUP)
        while True:
            missing = max(0, want - len(kept))  # what was kept may be more than a piece, behind a large group
            block = stream.read(missing)
            ended = len(block) < missing
            buffer = kept + block
            piece = self._cut(buffer, start=start, number=number, record=record, ended=ended)
            if piece is None and want < most:
                kept, want = buffer, min(want * 2, most)
                continue
            if piece is None:
                yield self._oversized(buffer, start=start, number=number, record=record)
                return
            yield self._decode(piece)
            if ended or piece.frames.fault:
                return
            start, number, record = start + piece.frames.consumed, number + 1, record + len(piece.kinds)
            kept, want = buffer[piece.frames.consumed :], self._target

    def _cut(self, buffer: bytes, *, start: int, number: int, record: int, ended: bool) -> _Piece | None:
        """The records at the front of the buffer up to the last one that opens a group, all of them when the file ends
        or can't be read further; None when no second group begins in the buffer.
        """
        data = np.frombuffer(buffer, np.uint8)
        frames = self._framing.scan(data, start, final=ended)
        kinds = self._decoder.record_types_of(data, frames.starts, frames.lengths)
        if not ended and frames.fault is None:
            opening = np.flatnonzero(kinds == self._group_kind)
            opening = opening[opening > 0]
            if not len(opening):
                return None
            count = int(opening[-1])
            consumed = int(frames.starts[count]) - RDW
            frames = Frames(starts=frames.starts[:count], lengths=frames.lengths[:count], consumed=consumed)
            kinds = kinds[:count]
        return _Piece(number=number, first_record=record, start=start, buffer=data, frames=frames, kinds=kinds)

    def _decode(self, piece: _Piece) -> Slice:
        frames = piece.frames
        faults = list(self._faults(piece))
        return Slice(
            number=piece.number,
            first_record=piece.first_record,
            start=piece.start,
            end=piece.start + frames.consumed,
            kind_names=self._kind_names,
            kinds=piece.kinds,
            offsets=frames.starts + piece.start,
            decoded=self._decoder.decode(
                piece.buffer,
                frames.starts,
                frames.lengths,
                first_record=piece.first_record,
                base=piece.start,
                types=piece.kinds,
            ),
            faults=tuple(faults),
        )

    def _faults(self, piece: _Piece) -> Iterator[Reason]:
        """The first fault of each sort: framing, record type, record length."""
        frames = piece.frames
        if frames.fault is not None:
            yield Reason(
                code=self._codes.framing,
                text=f"expected {frames.fault.expected}",
                record=piece.first_record + len(piece.kinds),
                offset=frames.fault.offset,
            )
        unknown = np.flatnonzero(piece.kinds < 0)
        if len(unknown):
            place = int(unknown[0])
            yield self._fault(piece, place, code=self._codes.record_type, text="unknown record type")
        check = self._decoder.length_check(piece.buffer, frames.starts, frames.lengths, piece.kinds).first()
        if check is not None:
            expected = "its counts give no length" if check.expected is None else f"by its counts {check.expected}"
            text = f"the record has {check.actual} bytes, {expected}"
            yield self._fault(piece, check.record, code=self._codes.length, text=text, field=check.field)

    def _fault(self, piece: _Piece, record: int, *, code: str, text: str, field: str | None = None) -> Reason:
        """A fault of the record at a place in the piece."""
        offset = int(piece.frames.starts[record]) + piece.start
        return Reason(code=code, text=text, record=piece.first_record + record, offset=offset, field=field)

    def _oversized(self, buffer: bytes, *, start: int, number: int, record: int) -> Slice:
        """No group ends within the limit: a record that runs on for ever, or records of no group."""
        data = np.frombuffer(buffer, np.uint8)
        frames = self._framing.scan(data, start, final=False)
        runs_on = len(buffer) - frames.consumed > self._target
        code, text = self._codes.order, f"no group ends within {len(buffer)} bytes"
        if runs_on:
            code, text = self._codes.framing, f"a record does not end within {len(buffer) - frames.consumed} bytes"
        empty = Frames(starts=frames.starts[:0], lengths=frames.lengths[:0], consumed=0)
        none = _Piece(
            number=number, first_record=record, start=start, buffer=data, frames=empty, kinds=np.zeros(0, np.int16)
        )
        fault = Reason(code=code, text=text, record=record + len(frames.starts), offset=start + frames.consumed)
        piece = self._decode(none)
        return Slice(
            number=number,
            first_record=record,
            start=start,
            end=start,
            kind_names=self._kind_names,
            kinds=piece.kinds,
            offsets=piece.offsets,
            decoded=piece.decoded,
            faults=(fault,),
        )
