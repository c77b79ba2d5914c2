"""A connector's files through its decoder, mapping and judge into a book in memory: no intake, no store."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO

from integrationhub.accounts.book import Book
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Judge, Unit, Verdict
from integrationhub.catalogue import Catalogue
from integrationhub.intake.builders import layout_for
from integrationhub.intake.units.registry import decoder, judge, options_of, rules_of
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import CompiledMapping, Mapping, MappingContext
from integrationhub.records import DecodedBatch
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.units import FileFacts, FileInHand

NOW = datetime(2026, 3, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a file: its facts, and its units with their verdicts (none if the file is refused)."""

    facts: FileFacts
    units: list[Unit]
    verdicts: dict[str, Verdict]

    @property
    def refused(self) -> str | None:
        """Why the file is refused as a whole."""
        fault = self.facts.structure or self.facts.control
        return None if fault is None else fault.code

    @property
    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        """Fate and reason of the units that are listed, by key."""
        return {key: (str(one.fate), one.reason) for key, one in self.verdicts.items() if one.listed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A shipped connector, built once."""

    descriptor: Descriptor
    mapping: CompiledMapping
    judge: Judge

    def take(
        self, name: str, content: bytes, book: Book, *, records: int | None = None, standalone: bool = False
    ) -> Judged:
        """Judge a file's units in its order, if nothing is wrong with the file."""
        facts, batches = self._decoded(name, content, records=records, standalone=standalone)
        context = MappingContext(
            delivery_id="d1",
            sequence=0,
            as_at=facts.as_at or date(2026, 3, 31),
            source_system="TEST",
            synthetic_identities=True,
        )
        arrived = Arrived(feed=self.descriptor.name, delivery_id="d1", at=NOW, as_at=facts.as_at)
        units = [unit for batch in batches for unit in units_of(frames_of(self.mapping.apply(batch, context)), arrived)]
        if facts.structure or facts.control:
            return Judged(facts=facts, units=units, verdicts={})
        wanted = Wanted()
        for unit in units:
            wanted |= self.judge.wants(unit)
        book.fetch(wanted)
        return Judged(facts=facts, units=units, verdicts={unit.key: self.judge.judge(unit, book) for unit in units})

    def _decoded(
        self, name: str, content: bytes, *, records: int | None, standalone: bool
    ) -> tuple[FileFacts, list[DecodedBatch]]:
        kind = self.descriptor.delivery.kind_of(name)
        assert kind is not None
        file = FileInHand(
            name=name, named=kind.named(name) or {}, size=len(content), sha256="", records=records, received_at=NOW,
            standalone=standalone,
        )  # fmt: skip
        stream = decoder(kind.decoder, options_of(self.descriptor)).decode(BytesIO(content), file)
        batches: list[DecodedBatch] = []
        while True:
            try:
                batches.append(next(stream))
            except StopIteration as end:
                facts: FileFacts = end.value
                return facts, batches


@cache
def feed(name: str) -> Feed:
    """The shipped connector of that name."""
    catalogue = Catalogue.standard()
    descriptor = catalogue.connector(name)
    mapping = Mapping.of_folder(catalogue.mapping(descriptor.connector.mappings)).compile(layout_for(descriptor))
    options = options_of(descriptor, synthetic_identities=True)
    return Feed(descriptor=descriptor, mapping=mapping, judge=judge(rules_of(descriptor).judge, options))
