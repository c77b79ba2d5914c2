"""A mapping: specs loaded, checked and compiled once, then applied to batches of one row or of many.

mapping = Mapping.of_folder(folder)         # or Mapping.load(files, code lists)
compiled = mapping.compile(layout)          # ConfigurationError lists every fault of every spec
batch = compiled.apply(decoded, context)    # canonical rows and faults
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from integrationhub.canonical.units import targets
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.cases import CaseSpec
from integrationhub.mapping.codes import CodeList
from integrationhub.mapping.dead import dead_parts
from integrationhub.mapping.documents import Documents, referred
from integrationhub.mapping.faults import together
from integrationhub.mapping.lineage import FieldExplanation, Lineage, explained, lineage_of
from integrationhub.mapping.low_values import may_hold_low_values
from integrationhub.mapping.plan import Mapped, MappingContext
from integrationhub.mapping.planner import ANY_DAY, Plan, Planner
from integrationhub.mapping.readings import text_fields
from integrationhub.mapping.shapes import Shapes
from integrationhub.mapping.spec import CheckSpec, EntitySpec
from integrationhub.mapping.tables import Layout, Tables
from integrationhub.records import CanonicalBatch, DecodedBatch, no_faults

__all__ = ["CompiledMapping", "Mapping", "MappingContext"]


class Mapping:
    """The specs, date rules and code lists of one connector."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    @classmethod
    def load(cls, specs: Iterable[Path | str], codes: Iterable[Path | CodeList] = ()) -> "Mapping":
        """The mapping in these files or texts; faults in them are told by `check`. NotFound: a file is missing."""
        return cls(Documents.load(specs, codes))

    @classmethod
    def of_folder(cls, folder: Path) -> "Mapping":
        """The mapping in a folder of specs, with the code lists of the folder `codes` beside it."""
        return cls(Documents.of_folder(folder))

    @property
    def connector(self) -> str:
        """The connector whose records are mapped."""
        return self._documents.connector

    def check(self, layout: Layout | None = None) -> tuple[str, ...]:
        """Every fault of every spec; with the layout of the decoded tables, those of source names and types too."""
        planner = Planner(self._documents, layout)
        planner.plan(self._documents.specs, ANY_DAY, synthetic=False)
        return tuple(dict.fromkeys([*self._documents.faults, *planner.faults]))

    def dead(self, shapes: Shapes | None = None) -> tuple[str, ...]:
        """Dead parts of specs that have no fault: the mapping runs as if they were not there."""
        return tuple(dict.fromkeys(dead_parts(self._documents, shapes or Shapes())))

    def compile(self, layout: Layout | None = None) -> "CompiledMapping":
        """The mapping ready to run. ConfigurationError lists every fault."""
        faults = self.check(layout)
        if faults:
            name = self.connector or "the connector"
            raise ConfigurationError(
                f"the mapping of {name} has {len(faults)} faults: {faults[0]}",
                code="MAPPING_FAULTY",
                faults=faults,
                remedy="correct the specs and run `integrationhub mapping check`",
            )
        return CompiledMapping(self._documents, layout)


class CompiledMapping:
    """Column expressions for every entity, built when a state of the code lists is first needed, then reused."""

    def __init__(self, documents: Documents, layout: Layout | None) -> None:
        self._documents = documents
        self._layout = layout
        self._plans: dict[tuple[object, ...], Plan] = {}
        self._texts = text_fields(documents)
        lists = {name for spec in documents.specs for name in referred(spec)[1]}
        turns = {day for name in lists for day in documents.codes[name].turns()}
        self._turns = sorted(turns | {day for spec in documents.specs for day in _turns_of(spec)})

    @property
    def connector(self) -> str:
        """The connector whose records are mapped."""
        return self._documents.connector

    @property
    def layout(self) -> Layout:
        """The layout that the specs were checked against; empty where they were checked without."""
        return self._layout or {}

    @property
    def entities(self) -> tuple[str, ...]:
        """The canonical entities that the specs fill, parents before children."""
        return tuple(name for name in targets() if name in self._documents.versions)

    @property
    def mapping_ids(self) -> MappingOf[str, str]:
        """Entity → `<connector>/<entity>@<declared version>+<content hash>`, as rows carry it; of the last version."""
        return {spec.entity: self._documents.mapping_id(spec) for spec in self._documents.specs}

    @property
    def all_mapping_ids(self) -> tuple[str, ...]:
        """The mapping ids of every version of every entity."""
        return tuple(self._documents.mapping_id(spec) for spec in self._documents.specs)

    @property
    def documents(self) -> Documents:
        """The specs, date rules and code lists it was made from."""
        return self._documents

    @property
    def cases(self) -> MappingOf[str, Sequence[CaseSpec]]:
        """Entity → the golden cases that stand in its specs."""
        return {
            name: [case for spec in versions for case in spec.cases]
            for name, versions in self._documents.versions.items()
        }

    @property
    def checks(self) -> MappingOf[str, Sequence[CheckSpec]]:
        """Entity → its checks: reason codes, severities and the sentences for people."""
        return {
            name: [check for spec in versions for check in spec.checks]
            for name, versions in self._documents.versions.items()
        }

    @property
    def reads(self) -> MappingOf[str, tuple[str, ...]]:
        """Source table → the fields (and positions) that any spec looks at."""
        return {table: tuple(columns) for table, columns in self._whole_plan.wanted.columns.items()}

    def apply(
        self, decoded: DecodedBatch, context: MappingContext, *, entities: Collection[str] | None = None
    ) -> CanonicalBatch:
        """Canonical rows of a batch, every entity's columns in their order, and all faults beside the decoder's.

        Rows of faulty records are there too, with nulls where values could not be read: the caller takes out what the
        faults name (a record, or the group it stands in). `entities`: only these. ConfigurationError: the tables
        aren't those that the specs were written for.
        """
        plan = self._plan(context, low_values=may_hold_low_values(decoded.tables, self._texts))
        tables = Tables(decoded.tables, plan.wanted, self.layout)
        try:
            mapped = {
                name: entity.run(tables, context)
                for name, entity in plan.entities.items()
                if entities is None or name in entities
            }
        except pl.exceptions.PolarsError as exc:
            # Its text may hold values of the batch, so it must not travel on: neither as text nor as cause.
            raise ConfigurationError(
                f"the mapping of {self._documents.connector} does not fit the decoded tables ({type(exc).__name__})",
                code="MAPPING_FAULTY",
                remedy="run `integrationhub mapping check` against the connector's layout",
            ) from None
        return _batch(mapped, decoded)

    def lineage(self) -> tuple[Lineage, ...]:
        """For each canonical field of each source: the source fields it depends on, and the expression."""
        return tuple(one for entity in self._whole_plan.all for one in lineage_of(entity))

    def origins(
        self, line: Lineage, decoded: DecodedBatch, *, record: int, offset: int
    ) -> MappingOf[str, tuple[int, int]]:
        """Which rows stood beside the source row at a place: by the alias of their join, record number and offset."""
        tables = Tables(decoded.tables, self._whole_plan.wanted, self.layout)
        plans = (plan for plan in self._whole_plan.all if plan.mapping_id == line.mapping_id)
        sources = (source for plan in plans for source in plan.sources if source.label == line.source)
        return next((source.origins(tables, record, offset) for source in sources), {})

    def explain_fields(self, entity: str) -> tuple[FieldExplanation, ...]:
        """The fields of an entity, explained source by source. KeyError: no spec fills the entity."""
        plans = [plan for plan in self._whole_plan.all if plan.entity.name == entity]
        if not plans:
            raise KeyError(entity)
        return tuple(one for plan in plans for one in explained(plan))

    def _plan(self, context: MappingContext, *, low_values: bool) -> Plan:
        turn, synthetic = bisect_right(self._turns, context.as_at), context.synthetic_identities
        state = (turn, synthetic, context.layout_version, low_values)
        if state not in self._plans:
            planner = Planner(self._documents, self._layout)
            specs = self._documents.specs_for(context.as_at, context.layout_version)
            self._plans[state] = planner.plan(specs, context.as_at, synthetic=synthetic, low_values=low_values)
        return self._plans[state]

    @cached_property
    def _whole_plan(self) -> Plan:
        """Every version of every spec, for lineage: which day it is changes no expression."""
        return Planner(self._documents, self._layout).plan(self._documents.specs, ANY_DAY, synthetic=False)


def _turns_of(spec: EntitySpec) -> Iterator[date]:
    """The days from which another version may be in force than the day before."""
    if spec.valid_from is not None:
        yield spec.valid_from
    if spec.valid_to is not None and spec.valid_to != date.max:
        yield spec.valid_to + timedelta(1)


def _batch(mapped: MappingOf[str, Mapped], decoded: DecodedBatch) -> CanonicalBatch:
    told = [fault for part in mapped.values() for fault in part.faults]
    faults = together([one for one in told if one.severity != "note"], decoded.faults)
    gaps = [gap for part in mapped.values() for gap in part.gaps]
    if gaps:
        known = faults.get_column("record").unique()
        faults = together([gap.but(known) for gap in gaps], faults)
    notes = together([one for one in told if one.severity == "note"], no_faults())
    return CanonicalBatch(rows={name: part.rows for name, part in mapped.items()}, faults=faults, notes=notes)
