"""The analyst's tools over one connector: coverage, explanation and difference, on files or on kept originals."""

from collections.abc import Iterable
from dataclasses import dataclass

from integrationhub.intake.staging import RecordStager
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.quality.profile import QualityProfile
from integrationhub.quality.shapes import shapes_of
from integrationhub.workbench.coverage import Coverage
from integrationhub.workbench.difference import Difference
from integrationhub.workbench.files import FileReader, SourceFile

_MEASURED = ("balances", "ledger", "liability_periods")
"""Entities that a profile needs: what is owed, its evidence, and the periods that checks are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Tools that read and compare, and change nothing."""

    reader: FileReader
    mapping: CompiledMapping

    def coverage(self, files: Iterable[SourceFile]) -> Coverage:
        """What the mapping leaves out; with files, also what never occurs in them."""
        found = Coverage(self.mapping)
        for file in files:
            found.files += 1
            for piece, context in self.reader.read(file):
                found.add(piece, self.mapping.apply(piece.decoded, context))
        return found

    def difference(self, before: CompiledMapping, after: CompiledMapping, files: Iterable[SourceFile]) -> Difference:
        """What `after` makes of the files that `before` doesn't, in memory bounded by one slice."""
        found = Difference()
        sides = [(mapping, self._stager(mapping)) for mapping in (before, after)]
        for file in files:
            found.files += 1
            for piece, context in self.reader.read(file):
                found.records += len(piece.kinds)
                one, other = (
                    stager.sort_out(piece, mapping.apply(piece.decoded, context)) for mapping, stager in sides
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
        found = QualityProfile(descriptor, self.mapping, shapes_of(descriptor, self.reader.decoder))
        for file in files:
            for piece, context in self.reader.read(file):
                if piece.number == 0:
                    found.begin(file.name, context)
                found.add(piece, self.mapping.apply(piece.decoded, context, entities=_MEASURED), context.as_at)
            found.end()
        return found

    def _stager(self, mapping: CompiledMapping) -> RecordStager:
        descriptor = self.reader.descriptor
        return RecordStager(
            descriptor.structure,
            reader=self.reader.slices,
            levels=descriptor.layout.record_types,
            mapping=mapping,
        )
