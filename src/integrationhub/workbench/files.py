"""Files for the workbench: kept originals or files of a folder, read slice by slice, mapped without any effect."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from integrationhub.decode.controls import as_at_of
from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.slices import Slice, SliceReader
from integrationhub.errors import FileRejected, NotFound
from integrationhub.intake.staging import layout_version
from integrationhub.mapping.plan import MappingContext
from integrationhub.receive.folder import find_files
from integrationhub.receive.originals import Originals
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store.deliveries import Delivery

UNSTORED = "0" * 32
"""Stands for the delivery of a file that was not delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A data file, wherever its bytes lie."""

    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    delivery_id: str = UNSTORED


def files_in(path: Path, descriptor: Descriptor) -> list[SourceFile]:
    """The connector's files at a path (a data file or a folder), in sequence order. NotFound: there is none."""
    found = find_files([path], descriptor.delivery)
    if not found:
        raise NotFound(f"there is no file of {descriptor.name} there", code="NO_FILES")
    return [SourceFile(name=item.name, open=_opener(item.path)) for item in found]


def _opener(path: Path) -> Callable[[], AbstractContextManager[BinaryIO]]:
    return lambda: path.open("rb")


def stored(deliveries: list[Delivery], originals: Originals) -> list[SourceFile]:
    """Deliveries as files."""
    return [
        SourceFile(name=item.name, open=_kept(item.sha256, originals), delivery_id=item.delivery_id)
        for item in deliveries
    ]


def _kept(sha256: str, originals: Originals) -> Callable[[], AbstractContextManager[BinaryIO]]:
    return lambda: originals.open(sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReader:
    """Reads the files of one connector in bounded memory."""

    descriptor: Descriptor
    decoder: CopybookFileDecoder
    slices: SliceReader
    synthetic_identities: bool

    def read(self, file: SourceFile) -> Iterator[tuple[Slice, MappingContext]]:
        """Every slice of a file with what a mapping must be told. FileRejected: it has no header to tell it by."""
        context: MappingContext | None = None
        with file.open() as stream:
            for piece in self.slices.read(stream):
                context = context or self._context(file, piece)
                yield piece, context

    def _context(self, file: SourceFile, first: Slice) -> MappingContext:
        structure, levels = self.descriptor.structure, self.descriptor.layout.record_types
        rows = first.table(levels[structure.header]).slice(0, 1).to_pylist()
        as_at = as_at_of(rows[0], structure) if rows else None
        sequence = rows[0].get(structure.header_fields.sequence) if rows else None
        if as_at is None or sequence is None:
            raise FileRejected(f"{file.name} does not begin with a header that tells its date and sequence number")
        context = MappingContext(
            delivery_id=file.delivery_id,
            sequence=sequence,
            as_at=as_at,
            source_system=self.descriptor.connector.source_system,
            synthetic_identities=self.synthetic_identities,
        )
        return replace(context, layout_version=layout_version(first, structure, levels))
