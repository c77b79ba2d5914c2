"""A shipped feed of files over a book: what its decoder says of the bytes, and its judge of the units in them."""

import io
from datetime import UTC, datetime

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.catalogue import Catalogue
from integrationhub.intake.builders import layout_for
from integrationhub.intake.units import registry
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import Mapping as Specs
from integrationhub.mapping.compile import MappingContext
from integrationhub.records import DecodedBatch
from integrationhub.sdk.units import FileFacts, FileInHand

NOON = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)


class Files:
    """The files of one connector."""

    def __init__(self, connector: str) -> None:
        catalogue = Catalogue.standard()
        self.descriptor = catalogue.connector(connector)
        self.options = registry.options_of(self.descriptor, synthetic_identities=True)
        self.judge = registry.judge(registry.rules_of(self.descriptor).judge, self.options)
        self.mapping = Specs.of_folder(catalogue.mapping(connector)).compile(layout_for(self.descriptor))

    def decode(self, name: str, content: bytes) -> tuple[list[DecodedBatch], FileFacts]:
        """The pieces of a file, and what its decoder knows of it."""
        kind = self.descriptor.delivery.kind_of(name)
        assert kind is not None
        file = FileInHand(
            name=name,
            named=kind.named(name) or {},
            size=len(content),
            sha256="",
            records=None,
            received_at=NOON,
            delivery_id="d",
        )
        pieces: list[DecodedBatch] = []
        decoding = registry.decoder(kind.decoder, self.options).decode(io.BytesIO(content), file)
        while True:
            try:
                pieces.append(next(decoding))
            except StopIteration as end:
                return pieces, end.value

    def refusal(self, name: str, content: bytes) -> str | None:
        """The code for which the whole file is refused."""
        _, facts = self.decode(name, content)
        found = facts.structure or facts.control
        return None if found is None else found.code

    def units(self, name: str, content: bytes) -> list[Unit]:
        """The units of a file that is in order."""
        pieces, facts = self.decode(name, content)
        assert (facts.structure, facts.control) == (None, None)
        context = MappingContext(
            delivery_id="d", sequence=0, as_at=NOON.date(), source_system="T", synthetic_identities=True
        )
        arrived = Arrived(feed=self.descriptor.name, delivery_id="d", at=NOON, as_at=facts.as_at)
        return [unit for piece in pieces for unit in units_of(frames_of(self.mapping.apply(piece, context)), arrived)]

    def take(self, name: str, content: bytes, book: Book) -> list[Verdict]:
        """The verdicts on the units of a file that is in order."""
        units = self.units(name, content)
        for unit in units:
            self.judge.wants(unit)
        return [self.judge.judge(unit, book) for unit in units]
