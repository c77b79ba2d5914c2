"""The analyst's tools over one connector: coverage, explanation and difference, on files or on kept originals."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from integrationhub.decode.controls import FileControls
from integrationhub.intake.pieces import PieceReader, SourceFile
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.plan import MappingContext
from integrationhub.mapping.scope import Place
from integrationhub.mapping.shapes import Shapes
from integrationhub.quality.profile import QualityProfile
from integrationhub.workbench.coverage import Coverage
from integrationhub.workbench.difference import Difference

_MEASURED = ("balances", "ledger", "liability_periods")
"""Entities that a profile needs: what is owed, its evidence, and the periods that checks are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Tools that read and compare, and change nothing."""

    reader: PieceReader
    mapping: CompiledMapping
    shapes: Shapes
    is_made: Callable[[Place], bool]

    def coverage(self, files: Iterable[SourceFile]) -> Coverage:
        """What the mapping leaves out; with files, also what never occurs in them."""
        found = Coverage(self.mapping, self.is_made)
        for file in files:
            found.files += 1
            for piece, context in self.reader.read(file):
                found.add(piece, self.mapping.apply(piece.decoded, context))
        return found

    def difference(self, before: CompiledMapping, after: CompiledMapping, files: Iterable[SourceFile]) -> Difference:
        """What `after` makes of the files that `before` doesn't, in memory bounded by one slice."""
        found = Difference()
        for file in files:
            found.files += 1
            for piece, context in self.reader.read(file):
                found.records += piece.records
                one, other = (
                    self.reader.sorted_out(mapping, piece, mapping.apply(piece.decoded, context))
                    for mapping in (before, after)
                )
                found.add(one.rows, other.rows)
                found.add_quarantine(
                    {group.group_id: group.source_ref for group in one.quarantined},
                    {group.group_id: group.source_ref for group in other.quarantined},
                )
        return found

    def quality(self, files: Iterable[SourceFile]) -> QualityProfile:
        """The data quality of files before mapping."""
        descriptor = self.reader.descriptor
        found = QualityProfile(descriptor, self.mapping, self.shapes, self.is_made)
        for file in files:
            totals: FileControls | None = None
            for piece, context in self.reader.read(file):
                if piece.number == 0:
                    found.begin(file.name, context)
                    totals = self._totals(context)
                if totals is not None and piece.slice is not None:
                    totals.feed(piece.slice)
                mapped = self.mapping.apply(piece.decoded, context, entities=_MEASURED)
                found.add(piece.decoded, mapped, context.as_at, records=piece.records, controls=piece.controls)
            if totals is not None:
                found.controls += totals.verdict().controls
            found.end()
        return found

    def _totals(self, context: MappingContext) -> FileControls | None:
        """The controls of a file that states them in its trailer."""
        descriptor = self.reader.descriptor
        if descriptor.records is None:
            return None
        levels = descriptor.layout.record_types
        return FileControls(descriptor.structure, levels, sequence=context.sequence, records=None)
