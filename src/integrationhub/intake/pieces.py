"""Files read piece by piece for looking at, whatever their format: kept originals, or files that nobody delivered.

A piece holds whole source groups, decoded as the mapping wants them. Nothing is judged here but whether the file can be
read at all; what `intake` checks before it loads is not repeated.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa

from integrationhub.decode.controls import Stated, as_at_of
from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.json_body import read_body
from integrationhub.decode.json_table import JsonTable
from integrationhub.decode.slices import Slice, SliceReader
from integrationhub.errors import FileRejected, RecordRejected
from integrationhub.intake.book import BookStager
from integrationhub.intake.document import DocumentStager
from integrationhub.intake.staging import RecordStager, SortedOut, layout_version
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.plan import MappingContext
from integrationhub.records import CanonicalBatch, DecodedBatch
from integrationhub.sdk.descriptor import Descriptor

UNSTORED = "0" * 32
"""Stands for the delivery of a file that was not delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A data file, wherever its bytes lie. Sequence and date are known from its delivery or its trigger file."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    delivery_id: str = UNSTORED
    sequence: int | None = None
    as_at: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Whole groups of a file, decoded; [`start`, `end`) are its bytes, where a part of the file holds it.

    `slice` is there for mainframe records, whose controls need more than their tables; `controls` are those of a file
    that is known as a whole, in its first piece.
    """

    number: int
    decoded: DecodedBatch
    records: int
    first_record: int = 1
    start: int = 0
    end: int = 0
    slice: Slice | None = None
    controls: tuple[Stated, ...] = ()

    def table_of(self, record: int) -> str | None:
        """The table of a record; None where the piece does not hold it."""
        return next((name for name, table in self.decoded.tables.items() if _holds(table, record)), None)

    def rows_of(self, record: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every row of a record, with its table."""
        for name, table in self.decoded.tables.items():
            places = np.flatnonzero(np.asarray(table.column("_record")) == record)
            yield from ((name, row) for row in table.take(places).to_pylist())


def _holds(table: pa.Table, record: int) -> bool:
    return bool((np.asarray(table.column("_record")) == record).any())


class PieceReader(Protocol):
    """Reads the files of one connector in bounded memory."""

    @property
    def descriptor(self) -> Descriptor:
        """Whose files it reads."""
        ...

    def read(self, file: SourceFile) -> Iterator[tuple[Piece, MappingContext]]:
        """Every piece of a file with what a mapping must be told. FileRejected: it can't be read."""
        ...

    def sorted_out(self, mapping: CompiledMapping, piece: Piece, batch: CanonicalBatch) -> SortedOut:
        """What of a mapped piece would be loaded, and which groups would be set aside."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPieces:
    """Pieces of mainframe files."""

    descriptor: Descriptor
    decoder: CopybookFileDecoder
    slices: SliceReader
    synthetic_identities: bool

    def read(self, file: SourceFile) -> Iterator[tuple[Piece, MappingContext]]:
        """See `PieceReader`."""
        context: MappingContext | None = None
        with file.open() as stream:
            for found in self.slices.read(stream):
                context = context or self._context(file, found)
                yield _of_slice(found), context

    def sorted_out(self, mapping: CompiledMapping, piece: Piece, batch: CanonicalBatch) -> SortedOut:
        """See `PieceReader`."""
        assert piece.slice is not None
        levels = self.descriptor.layout.record_types
        stager = RecordStager(self.descriptor.structure, reader=self.slices, levels=levels, mapping=mapping)
        return stager.sort_out(piece.slice, batch)

    def _context(self, file: SourceFile, first: Slice) -> MappingContext:
        structure, levels = self.descriptor.structure, self.descriptor.layout.record_types
        rows = first.table(levels[structure.header]).slice(0, 1).to_pylist()
        as_at = as_at_of(rows[0], structure) if rows else None
        sequence = rows[0].get(structure.header_fields.sequence) if rows else None
        if as_at is None or sequence is None:
            raise FileRejected(f"{file.name} does not begin with a header that tells its date and sequence number")
        context = _context(self.descriptor, file, sequence, as_at, synthetic=self.synthetic_identities)
        return replace(context, layout_version=layout_version(first, structure, levels))


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPieces:
    """Pieces of XML documents: portions of whole groups."""

    descriptor: Descriptor
    stager: DocumentStager
    synthetic_identities: bool

    def read(self, file: SourceFile) -> Iterator[tuple[Piece, MappingContext]]:
        """See `PieceReader`. The document's lists are kept on disk while it is read."""
        with file.open() as stream, tempfile.TemporaryDirectory(prefix="integrationhub-") as folder:
            found = self.stager.portions(stream, Path(folder) / "lists")
            context = _context(self.descriptor, file, found.sequence, found.as_at, synthetic=self.synthetic_identities)
            for number, tables in enumerate(found.tables):
                piece = Piece(
                    number=number,
                    decoded=DecodedBatch(tables=tables),
                    records=sum(tables[name].num_rows for name in self.stager.elements),
                    controls=found.controls if number == 0 else (),
                )
                yield piece, context

    def sorted_out(self, mapping: CompiledMapping, piece: Piece, batch: CanonicalBatch) -> SortedOut:  # noqa: ARG002
        """See `PieceReader`."""
        return self.stager.sort_out(piece.decoded.tables, batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPieces:
    """Keyed books, which are one piece each."""

    descriptor: Descriptor
    stager: BookStager
    synthetic_identities: bool

    def read(self, file: SourceFile) -> Iterator[tuple[Piece, MappingContext]]:
        """See `PieceReader`. FileRejected also where neither delivery nor trigger file tell sequence and date."""
        if file.sequence is None or file.as_at is None:
            raise FileRejected(
                f"{file.name} does not say of which day and sequence it is", remedy="put its trigger file beside it"
            )
        with file.open() as stream:
            decoded, records = self.stager.read(stream)
        context = _context(self.descriptor, file, file.sequence, file.as_at, synthetic=self.synthetic_identities)
        yield Piece(number=0, decoded=decoded, records=records), context

    def sorted_out(self, mapping: CompiledMapping, piece: Piece, batch: CanonicalBatch) -> SortedOut:  # noqa: ARG002
        """See `PieceReader`. Whether two keyings agree is judged before the mapping, and sets no case aside."""
        return self.stager.sort_out(piece.decoded, batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePieces:
    """Messages in JSON, each of which is one piece with one row."""

    descriptor: Descriptor
    table: JsonTable
    synthetic_identities: bool

    def read(self, file: SourceFile) -> Iterator[tuple[Piece, MappingContext]]:
        """See `PieceReader`."""
        rules = self.descriptor.feed
        assert rules is not None
        with file.open() as stream:
            body = stream.read(rules.largest + 1)
        try:
            row = self.table.row(read_body(body, largest=rules.largest))
        except RecordRejected as exc:
            raise FileRejected(f"{file.name} can't be read: {exc.text}", code=exc.code) from None
        said = row.values.get(rules.as_at or "")
        as_at = date(said // 10_000, said // 100 % 100, said % 100) if isinstance(said, int) else file.as_at
        if as_at is None:
            raise FileRejected(f"{file.name} does not say of which day it is")
        number = row.values.get(rules.version or "")
        sequence = number if isinstance(number, int) else 0
        context = _context(self.descriptor, file, sequence, as_at, synthetic=self.synthetic_identities)
        yield Piece(number=0, decoded=self.table.batch([row]), records=1, end=len(body)), context

    def sorted_out(self, mapping: CompiledMapping, piece: Piece, batch: CanonicalBatch) -> SortedOut:  # noqa: ARG002
        """See `PieceReader`. A message with a fault changes nothing."""
        rows = batch.rows if batch.faults.is_empty() else {name: rows.clear() for name, rows in batch.rows.items()}
        return SortedOut(rows=rows, quarantined=())


def piece_of(
    reader: PieceReader, file: SourceFile, record: int, cuts: Sequence[tuple[int, int, int, int]] = ()
) -> Piece | None:
    """The piece that holds a record. `cuts` tell where: first and last record, first and end byte of each slice that
    was loaded; without them the file is read from its beginning.
    """
    if isinstance(reader, RecordPieces):
        for first, last, start, end in cuts:
            if first <= record <= last:
                return _decoded_at(reader, file, first, start, end)
        if cuts:
            return None
    return next((piece for piece, _ in reader.read(file) if piece.table_of(record) is not None), None)


def _decoded_at(reader: RecordPieces, file: SourceFile, first: int, start: int, end: int) -> Piece:
    with file.open() as stream:
        stream.seek(start)
        data = np.frombuffer(stream.read(end - start), np.uint8)
    frames = reader.decoder.scan(data, start, final=True)
    decoded = reader.decoder.records.decode(data, frames.starts, frames.lengths, first_record=first, base=start)
    return Piece(number=0, decoded=decoded, records=len(frames.starts), first_record=first, start=start, end=end)


def _of_slice(found: Slice) -> Piece:
    return Piece(
        number=found.number,
        decoded=found.decoded,
        records=len(found.kinds),
        first_record=found.first_record,
        start=found.start,
        end=found.end,
        slice=found,
    )


def _context(
    descriptor: Descriptor, file: SourceFile, sequence: int, as_at: date, *, synthetic: bool
) -> MappingContext:
    return MappingContext(
        delivery_id=file.delivery_id,
        sequence=sequence,
        as_at=as_at,
        source_system=descriptor.connector.source_system,
        synthetic_identities=synthetic,
    )
