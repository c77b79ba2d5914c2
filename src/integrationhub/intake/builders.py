"""What a connector's format needs: its stager, its mapping, and the reader of its headers."""

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.json_table import JsonTable
from integrationhub.decode.slices import SliceReader
from integrationhub.decode.xml.header import read_header
from integrationhub.errors import FileRejected
from integrationhub.intake.book import CASES, BookStager, book_layout
from integrationhub.intake.document import DocumentStager, document_layout, mapped_layout
from integrationhub.intake.measure import HeaderReader, no_header, record_header
from integrationhub.intake.pieces import BookPieces, DocumentPieces, MessagePieces, PieceReader, RecordPieces
from integrationhub.intake.places import ElementLocator, Locator, MemberLocator, RecordLocator, RowLocator
from integrationhub.intake.staging import RecordStager, Staged, Stager
from integrationhub.intake.units.registry import unit_layout
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.mapping.tables import Layout, layout_of
from integrationhub.receive.acceptance import HeaderFacts
from integrationhub.sdk.descriptor import CsvLayout, Descriptor, JsonLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The parts of a pipeline that depend on the format of the files."""

    stager: Stager
    header_of: HeaderReader


class NoFiles:
    """The stager of a connector whose messages are all there is. No file has a name that would bring it here."""

    def stage(self, *_: object, **__: object) -> Staged:
        """FileRejected, whatever it is."""
        raise FileRejected("the connector takes messages, no files", code="NO_FILES")


def build_intake(
    descriptor: Descriptor, mapping: Mapping, *, slice_bytes: int, uncompressed_limit: int | None = None
) -> Intake:
    """The parts for a connector. ConfigurationError lists every fault of mapping, layout or descriptor."""
    compiled = mapping.compile(layout_for(descriptor))
    if not descriptor.takes_files:
        return Intake(stager=NoFiles(), header_of=no_header)
    if descriptor.document is not None:
        return Intake(
            stager=DocumentStager(
                descriptor, document_layout(descriptor), compiled, uncompressed_limit=uncompressed_limit
            ),
            header_of=_document_header(descriptor),
        )
    if descriptor.keying is not None:
        return Intake(stager=BookStager(descriptor, compiled), header_of=no_header)
    return _record_intake(descriptor, compiled, slice_bytes=slice_bytes)


def layout_for(descriptor: Descriptor) -> Layout:
    """The tables that a connector's mapping is written for."""
    if descriptor.units is not None:
        return unit_layout(descriptor)
    if isinstance(descriptor.any_layout, JsonLayout):
        return JsonTable(descriptor.any_layout).layout
    if descriptor.document is not None:
        return mapped_layout(document_layout(descriptor), descriptor.document)
    if descriptor.keying is not None:
        assert isinstance(descriptor.any_layout, CsvLayout)
        return book_layout(descriptor.keying, descriptor.any_layout.columns)
    nothing = np.zeros(0, np.int64)
    empty = build_decoder(descriptor).records.decode(np.zeros(0, np.uint8), nothing, nothing)
    return layout_of(empty.tables)


def _record_intake(descriptor: Descriptor, mapping: CompiledMapping, *, slice_bytes: int) -> Intake:
    decoder = build_decoder(descriptor)
    reader = record_slices(descriptor, decoder, slice_bytes=slice_bytes)
    levels = descriptor.layout.record_types
    stager = RecordStager(descriptor.structure, reader=reader, levels=levels, mapping=mapping)
    return Intake(stager=stager, header_of=record_header(descriptor, decoder))


def record_slices(descriptor: Descriptor, decoder: CopybookFileDecoder, *, slice_bytes: int) -> SliceReader:
    """What cuts a connector's mainframe files into slices of whole groups."""
    return SliceReader(
        decoder.framing,
        decoder.records,
        record_types=descriptor.layout.record_types,
        group_type=descriptor.structure.group.type,
        codes=descriptor.structure.codes,
        target=slice_bytes,
    )


def build_pieces(
    descriptor: Descriptor, mapping: CompiledMapping, *, slice_bytes: int, synthetic_identities: bool
) -> PieceReader:
    """What reads a connector's files, or messages, for looking at."""
    if isinstance(descriptor.any_layout, JsonLayout):
        table = JsonTable(descriptor.any_layout)
        return MessagePieces(descriptor=descriptor, table=table, synthetic_identities=synthetic_identities)
    if descriptor.document is not None:
        document = DocumentStager(descriptor, document_layout(descriptor), mapping)
        return DocumentPieces(descriptor=descriptor, stager=document, synthetic_identities=synthetic_identities)
    if descriptor.keying is not None:
        book = BookStager(descriptor, mapping)
        return BookPieces(descriptor=descriptor, stager=book, synthetic_identities=synthetic_identities)
    decoder = build_decoder(descriptor)
    return RecordPieces(
        descriptor=descriptor,
        decoder=decoder,
        slices=record_slices(descriptor, decoder, slice_bytes=slice_bytes),
        synthetic_identities=synthetic_identities,
    )


def build_locator(descriptor: Descriptor) -> Locator:
    """What finds a connector's source fields in the bytes of its files."""
    if descriptor.document is not None:
        return ElementLocator(document_layout(descriptor), descriptor.document)
    if isinstance(descriptor.any_layout, JsonLayout):
        return MemberLocator(descriptor.any_layout)
    if isinstance(descriptor.any_layout, CsvLayout):
        return RowLocator(descriptor.any_layout, CASES)
    return RecordLocator(build_decoder(descriptor))


def _document_header(descriptor: Descriptor) -> HeaderReader:
    rules = descriptor.document
    assert rules is not None

    def header_of(stream: BinaryIO) -> HeaderFacts | None:
        found = read_header(stream, sequence=rules.sequence, as_at=rules.as_at)
        return None if found is None else HeaderFacts(sequence=found[0], as_at=found[1])

    return header_of


def build_decoder(descriptor: Descriptor) -> CopybookFileDecoder:
    """The decoder of a connector's mainframe files, by its descriptor and copybook."""
    layout = descriptor.layout
    return CopybookFileDecoder(
        descriptor.copybook_text,
        name=layout.copybook,
        framing=layout.framing.model_dump(),
        layout={
            "encoding": layout.encoding,
            "record_types": layout.record_types,
            "redefines": {name: (rule.by, rule.when) for name, rule in layout.redefines.items()},
            "signs": layout.signs,
            "blanks": "fault",
            "low_values": frozenset(layout.low_values.fields),
        },
    )
