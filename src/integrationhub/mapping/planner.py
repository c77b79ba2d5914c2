"""All specs of a mapping compiled, with every fault of every spec collected on the way."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from integrationhub.canonical.units import targets
from integrationhub.mapping import check
from integrationhub.mapping.build import SourceBuilder
from integrationhub.mapping.conversions import Environment, Kind
from integrationhub.mapping.documents import Documents
from integrationhub.mapping.entity import EntityPlan
from integrationhub.mapping.nearby import did_you_mean
from integrationhub.mapping.plan import SourcePlan
from integrationhub.mapping.spec import EntitySpec
from integrationhub.mapping.tables import Layout, Wanted

ANY_DAY = date(2000, 1, 1)
"""For checks and lineage: what a code list says on a day changes no expression's shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All specs compiled for one state of the code lists. `wanted` says what they read of tables."""

    entities: Mapping[str, EntityPlan]  # of an entity's versions the last one
    all: tuple[EntityPlan, ...]
    wanted: Wanted


@dataclass(slots=True)
class _Wishes:
    """What the sources of a plan want of tables, put together."""

    columns: dict[str, set[str]] = field(default_factory=dict)
    kinds: dict[str, set[tuple[str, Kind]]] = field(default_factory=dict)
    conditions: dict[str, dict[str, pl.Expr]] = field(default_factory=dict)

    def add(self, builder: SourceBuilder) -> None:
        """What one source wants, too."""
        for table, columns in builder.tables.items():
            self.columns.setdefault(table, set()).update(columns)
        for table, kinds in builder.kinds.items():
            self.kinds.setdefault(table, set()).update(kinds)
        for table, conditions in builder.conditions.items():
            self.conditions.setdefault(table, {}).update(conditions)

    def wanted(self) -> Wanted:
        """All of it, in an order that no set decides."""
        return Wanted(
            columns={table: tuple(sorted(columns)) for table, columns in self.columns.items()},
            kinds={table: tuple(sorted(kinds)) for table, kinds in self.kinds.items()},
            conditions=self.conditions,
        )


@dataclass(slots=True)
class Planner:
    """Compiles the documents of a mapping; `faults` collects what is wrong with them."""

    documents: Documents
    layout: Layout | None
    faults: list[str] = field(default_factory=list)

    def plan(self, specs: Iterable[EntitySpec], as_at: date, *, synthetic: bool, low_values: bool = True) -> Plan:
        """The plan of every spec that has no fault; without `low_values` for texts in which none stands."""
        codes = {name: code_list.at(as_at) for name, code_list in self.documents.codes.items()}
        environment = Environment(
            dates=self.documents.dates, codes=codes, synthetic_identities=synthetic, low_values=low_values
        )
        wishes = _Wishes()
        made = [self._entity(spec, environment, wishes) for spec in sorted(specs, key=_place_in_model)]
        plans = tuple(plan for plan in made if plan is not None)
        return Plan(
            entities={plan.entity.name: plan for plan in plans},
            all=plans,
            wanted=wishes.wanted(),
        )

    def _entity(self, spec: EntitySpec, environment: Environment, wishes: _Wishes) -> EntityPlan | None:
        if spec.entity not in targets():
            self.faults.append(f"there is no entity {spec.entity}{did_you_mean(spec.entity, targets())}")
            return None
        faults = [*check.faults_of_targets(spec), *check.faults_of_readings(spec, self.documents.codes)]
        sources = list(self._sources(spec, environment, wishes, faults))
        self.faults += faults
        if faults:
            return None
        return EntityPlan(
            entity=targets()[spec.entity],
            mapping_id=self.documents.mapping_id(spec),
            sources=sources,
            repeats=spec.key.repeats,
            names=targets()[spec.entity].names(),
        )

    def _sources(
        self, spec: EntitySpec, environment: Environment, wishes: _Wishes, faults: list[str]
    ) -> Iterator[SourcePlan]:
        for source in spec.sources:
            entity = targets()[spec.entity]
            builder = SourceBuilder(spec=spec, source=source, entity=entity, environment=environment)
            plan = builder.build()
            faults += builder.faults
            wishes.add(builder)
            if plan is not None:
                filled = {**spec.fields, **source.fields}
                faults += check.faults_of_plan(plan, self.documents.codes, filled)
                if self.layout is not None:
                    faults += check.faults_of_layout(plan, builder.tables, builder.kinds, self.layout)
                yield plan


def _place_in_model(spec: EntitySpec) -> int:
    names = list(targets())
    return names.index(spec.entity) if spec.entity in names else len(names)
