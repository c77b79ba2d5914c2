"""The connector `bank-statements` without a store: files are decoded, mapped and judged against a book in memory."""

import hashlib
import io
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Admission, Refusal, Unit, Verdict
from integrationhub.intake.units import registry
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import CompiledMapping, Mapping, MappingContext
from integrationhub.records import DecodedBatch
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import FileFacts, FileInHand, Options, UnitDecoder

ROOT = Path(__file__).parents[3]
CONNECTOR = ROOT / "connectors" / "bank-statements"
SAMPLES = CONNECTOR / "samples"
IBAN, ACCOUNT = "GB00TEST00009900012345", "00009900067890"
NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)

Shown = tuple[str, str, str | None]
"""Key, outcome and reason of a unit."""


def options(*, synthetic: bool = True) -> Options:
    """What the connector's descriptor says to its decoders and its judge."""
    described = tomllib.loads((CONNECTOR / "connector.toml").read_text(encoding="utf-8"))
    return Options(
        connector="bank-statements",
        folder=CONNECTOR,
        values=described["units"]["options"],
        synthetic_identities=synthetic,
    )


def in_hand(content: bytes, *, before: int = 0, standalone: bool = False) -> FileInHand:
    """What is known of a file with this content."""
    digest = hashlib.sha256(content).hexdigest()
    return FileInHand(
        name="file",
        named={},
        size=len(content),
        sha256=digest,
        records=None,
        received_at=NOW,
        delivery_id=digest[:8],
        units_before=before,
        standalone=standalone,
    )


def decoded_stream(decoder: UnitDecoder, stream: BinaryIO, file: FileInHand) -> FileFacts:
    """The facts of a file whose pieces nobody wants."""
    reading = decoder.decode(stream, file)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            facts: FileFacts = end.value
            return facts


def decoded(decoder: UnitDecoder, content: bytes, file: FileInHand) -> tuple[list[DecodedBatch], FileFacts]:
    """All pieces of a file, and its facts."""
    reading, pieces = decoder.decode(io.BytesIO(content), file), []
    while True:
        try:
            pieces.append(next(reading))
        except StopIteration as end:
            facts: FileFacts = end.value
            return pieces, facts


def compiled() -> CompiledMapping:
    """The connector's mapping."""
    return Mapping.of_folder(ROOT / "mappings" / "bank-statements").compile()


@dataclass
class Taken:
    """What became of a file."""

    outcome: str
    reason: str | None = None
    canonical: Any = None
    units: list[tuple[Unit, Verdict]] = field(default_factory=list)

    @property
    def shown(self) -> list[Shown]:
        """Its units."""
        return [(unit.key, verdict.fate.value, verdict.reason) for unit, verdict in self.units]

    @property
    def only(self) -> Verdict:
        """The verdict on its one unit."""
        ((_, verdict),) = self.units
        return verdict


class World:
    """Takes files one after the other, by the steps of `sdk.units` and `accounts.unit`."""

    def __init__(self, book: Book, mapping: CompiledMapping) -> None:
        self.book = book
        self._mapping = mapping
        self._judge: Any = registry.judge("bank-statements", options())
        self._used: dict[str, int] = {}
        self._kept: dict[str, tuple[str, bytes]] = {}

    def take(self, kind: str, content: bytes | str) -> Taken:
        """Take a file. `kind`: the decoder's name."""
        raw = content.encode() if isinstance(content, str) else content
        pieces, facts = decoded(registry.decoder(kind, options()), raw, file := in_hand(raw))
        if facts.structure is not None:
            return Taken("REJECTED", facts.structure.code)
        self._kept[file.delivery_id] = (kind, raw)
        refused = self._judge.repeats(facts, file, self.book) or self._number(facts)
        admitted = refused or self._judge.admit(facts, file, self.book)
        if isinstance(admitted, Refusal):
            return Taken(admitted.fate.value, admitted.reason.code if admitted.reason else None)
        if facts.control is not None:
            return Taken("REJECTED", facts.control.code)
        taken = Taken("LOADED", canonical=admitted.canonical)
        if not admitted.pending:
            taken.units = self._hear(pieces, file, admitted)
            if facts.sequence is not None:
                self._used[facts.series] = facts.sequence
        self._judge.close(facts, file, self.book)
        return taken

    def _number(self, facts: FileFacts) -> Refusal | None:
        expected = self._used.get(facts.series, 0) + 1
        if facts.sequence in {None, expected}:
            return None
        assert facts.sequence is not None
        return Refusal(fate=Fate.HELD if facts.sequence > expected else Fate.REJECTED)

    def _hear(
        self, pieces: Iterable[DecodedBatch], file: FileInHand, admitted: Admission
    ) -> list[tuple[Unit, Verdict]]:
        units: list[Unit] = []
        for delivery in admitted.earlier:
            kind, raw = self._kept[delivery]
            earlier = in_hand(raw, before=len({unit.record for unit in units}))
            units += self._units(decoded(registry.decoder(kind, options()), raw, earlier)[0], earlier)
        if admitted.earlier:
            kind, raw = self._kept[file.delivery_id]
            file = in_hand(raw, before=len({(unit.delivery_id, unit.record) for unit in units}))
            pieces, _ = decoded(registry.decoder(kind, options()), raw, file)
        units += self._units(pieces, file)
        for unit in units:
            self.book.fetch(self._judge.wants(unit))
        return [(unit, self._judge.judge(unit, self.book)) for unit in units]

    def _units(self, pieces: Iterable[DecodedBatch], file: FileInHand) -> list[Unit]:
        context = MappingContext(
            delivery_id=file.delivery_id, sequence=0, as_at=date(2026, 3, 16), source_system="BANK"
        )
        arrived = Arrived(feed="bank-statements", delivery_id=file.delivery_id, at=NOW, as_at=None)
        return [unit for piece in pieces for unit in units_of(frames_of(self._mapping.apply(piece, context)), arrived)]
