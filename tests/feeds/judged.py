"""Files and messages of a feed through decoder, mapping and judge, against a book that no store stands behind."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Judge, Unit, Verdict
from integrationhub.intake.units.registry import decoder, judge, options_of, rules_of, unit_layout
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.mapping.compile import Mapping as Specs
from integrationhub.records import DecodedBatch
from integrationhub.sdk.descriptor import Descriptor, load_descriptor
from integrationhub.sdk.units import FileFacts, FileInHand, Options

CHECKOUT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class JudgedFile:
    """What became of a file's units, in order."""

    facts: FileFacts
    units: Sequence[tuple[Unit, Verdict]]

    @property
    def outcomes(self) -> list[tuple[str, str | None]]:
        """Outcome and reason of each unit."""
        return [(verdict.fate.value, verdict.reason) for _, verdict in self.units]


@dataclass(kw_only=True)
class FeedInHand:
    """A connector as it is shipped, and the book that its units are judged against."""

    descriptor: Descriptor
    options: Options
    mapping: CompiledMapping
    book: Book
    judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        self.judge = judge(rules_of(self.descriptor).judge, self.options)

    def file(self, name: str, content: bytes, *, records: int | None = None, at: datetime = NOON) -> JudgedFile:
        """Decode, map and judge a file, whatever its facts say."""
        kind = self.descriptor.delivery.kind_of(name)
        assert kind is not None
        named = kind.named(name) or {}
        file = FileInHand(
            name=name, named=named, size=len(content), sha256="", records=records, received_at=at, delivery_id="D"
        )  # fmt: skip
        pieces = decoder(kind.decoder, self.options).decode(io.BytesIO(content), file)
        as_at = kind.as_at(name)
        units: list[tuple[Unit, Verdict]] = []
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                return JudgedFile(facts=end.value, units=units)
            units += self.batch(piece, at=at, as_at=as_at)

    def batch(self, batch: DecodedBatch, *, at: datetime, as_at: date | None) -> Iterator[tuple[Unit, Verdict]]:
        """Map and judge decoded tables."""
        context = MappingContext(
            delivery_id="D",
            sequence=1,
            as_at=as_at or at.date(),
            source_system=self.descriptor.connector.source_system,
            synthetic_identities=self.options.synthetic_identities,
        )
        mapped = self.mapping.apply(batch, context)
        arrived = Arrived(feed=self.descriptor.name, delivery_id="D", at=at, as_at=as_at)
        for unit in units_of(frames_of(mapped), arrived):
            self.book.fetch(self.judge.wants(unit))
            yield unit, self.judge.judge(unit, self.book)


def feed(connector: str, book: Book, *, keys: Mapping[str, object] | None = None) -> FeedInHand:
    """The connector in the checkout, with test identities."""
    descriptor, options, mapping = _shipped(connector)
    if keys is not None:
        options = Options(
            connector=connector,
            folder=options.folder,
            values=options.values,
            synthetic_identities=True,
            keys=lambda: keys,
        )
    return FeedInHand(descriptor=descriptor, options=options, mapping=mapping, book=book)


@cache
def _shipped(connector: str) -> tuple[Descriptor, Options, CompiledMapping]:
    descriptor = load_descriptor(CHECKOUT / "connectors" / connector)
    options = options_of(descriptor, synthetic_identities=True)
    mappings = CHECKOUT / "mappings"
    specs = Specs.load(sorted((mappings / connector).glob("*.toml")), sorted((mappings / "codes").glob("*.csv")))
    return descriptor, options, specs.compile(unit_layout(descriptor, options))
