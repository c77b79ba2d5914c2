"""From a spec to the plan of one of its sources. Every fault is collected with its place; none stops the others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import polars as pl

from integrationhub.canonical import model
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.conversions import Environment, Kind
from integrationhub.mapping.faults import Rule
from integrationhub.mapping.items import MARK, Compiler, Item
from integrationhub.mapping.joins import JoinStep, PivotStep
from integrationhub.mapping.plan import APART, SourcePlan, in_levels, traced, unfilled, unsure
from integrationhub.mapping.scope import OCCURRENCE, POSITION, Place, Ref, Scope
from integrationhub.mapping.spec import EntitySpec, FieldSpec, JoinSpec, SourceSpec
from integrationhub.mapping.tables import Lookup

Made = TypeVar("Made")


@dataclass(slots=True)
class SourceBuilder:
    """Builds the plan of one source.

    Afterwards `faults` holds what is wrong, `tables` which columns are wanted, `kinds` what conversions can read, and
    `conditions` what chooses rows of a table.
    """

    spec: EntitySpec
    source: SourceSpec
    entity: model.Entity
    environment: Environment
    faults: list[str] = field(default_factory=list)
    tables: dict[str, set[str]] = field(default_factory=dict)
    kinds: dict[str, set[tuple[str, Kind]]] = field(default_factory=dict)
    conditions: dict[str, dict[str, pl.Expr]] = field(default_factory=dict)
    _where: str = ""

    def build(self) -> SourcePlan | None:
        """The plan; None where faults stand in the way."""
        fields = {**self.spec.fields, **self.source.fields}
        lets = {**self.spec.let, **self.source.let}
        both = sorted(lets.keys() & fields.keys())
        self.faults += [f"{self.spec.entity}: {name} is a let and a field" for name in both]
        scope = self._scope({**lets, **fields})
        compiler = Compiler(scope=scope, environment=self.environment, kinds=self.kinds)
        items = self._items(compiler, {**lets, **fields})
        rules = [rule for item in items.values() for rule in item.rules] + self._checks(compiler)
        where, late = self._filters(compiler)
        apart = {f"{APART}{number}": ref.column for number, ref in enumerate(self._apart(scope))}
        steps = tuple(self._steps(scope))
        levels = self._try("", lambda: tuple(in_levels(items)))
        self._want(scope)
        if self.faults or levels is None:
            return None
        return SourcePlan(
            entity=self.entity,
            label=self.source.label,
            table=self.source.table,
            columns=tuple(sorted(self._own(scope))),
            where=where,
            late=late,
            steps=steps,
            levels=levels,
            items=items,
            rules=tuple(rules),
            contexts={name: spec.context for name, spec in fields.items() if spec.context is not None},
            places={name: traced(name, items) for name in items},
            unfilled=dict(unfilled(self.entity, items)),
            unsure=tuple(unsure(self.entity, items)),
            key_place=self._key_place(scope, items),
            names=(*self.entity.names(), *apart),
            required=tuple(
                item.name for item in self.entity.all_fields() if item.required and item.name not in model.SEALED
            ),
            made_of={f"={item.name}": item.origin for item in items.values() if item.origin is not None},
            apart=apart,
        )

    def _try(self, where: str, make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except ConfigurationError as exc:
            label = self.spec.entity if len(self.spec.sources) == 1 else f"{self.spec.entity} ({self.source.label})"
            self.faults.append(f"{label}{where and ': ' + where}: {exc.text}")
            return None

    def _scope(self, made: Mapping[str, FieldSpec]) -> Scope:
        computed = {self.entity.key: self.entity.key}
        for name, spec in made.items():
            computed[name] = name
            if spec.conversion == "date":
                computed[f"{name}{MARK}"] = name
        if self.spec.key.repeats == "number":
            computed[OCCURRENCE] = OCCURRENCE
        late = frozenset(name for name, spec in made.items() if spec.context is not None)
        return Scope(source=self.source, computed={n: o for n, o in computed.items() if n not in late}, late=late)

    def _items(self, compiler: Compiler, made: Mapping[str, FieldSpec]) -> dict[str, Item]:
        items: dict[str, Item] = {}
        for name, spec in made.items():
            item = self._try(name, partial(compiler.field, name, spec))
            if item is not None:
                items[name] = item
        for number, validation in enumerate(self.spec.validations):
            if validation.source in {None, self.source.label}:
                found = self._try("validate", partial(compiler.validation, number, validation))
                items.update({item.name: item for item in found or ()})
        items.update({item.name: item for item in self._try("key", lambda: list(self._key(compiler))) or ()})
        return items

    def _key(self, compiler: Compiler) -> Iterator[Item]:
        parts = self.spec.key.id
        if self.spec.key.repeats == "number":
            yield compiler.occurrence(OCCURRENCE, parts[2:])
            parts = (*parts, OCCURRENCE)
        if self.entity.unit:
            return  # its rows are known by their place
        if self.entity.key in model.SEALED:
            return  # the store makes it from the line's content; a digest of every line would double the cost here
        item = compiler.field(self.entity.key, FieldSpec(id=parts))
        if item is not None:
            yield item

    def _apart(self, scope: Scope) -> Iterator[Ref]:
        """What repeated rows are known by, where it is not the identifier."""
        names, meaning = self.spec.key.within or self.spec.key.unique, scope.origin
        if not names and self.entity.key in model.SEALED:
            names, meaning = self.spec.key.id[2:], scope.resolve
        for name in names:
            ref = self._try("key", partial(meaning, name))
            if ref is not None:
                yield ref

    def _key_place(self, scope: Scope, items: Mapping[str, Item]) -> Place:
        name = (*self.spec.key.id, *self.spec.key.unique)[-1]
        ref = scope.resolve(name)
        found = (ref.place,) if ref.place is not None else traced(ref.computed or name, items)
        return next(iter(found), Place(table=self.source.table, field=name))

    def _checks(self, compiler: Compiler) -> list[Rule]:
        checks = [check for check in self.spec.checks if check.source in {None, self.source.label}]
        made = [self._try(check.code, partial(compiler.check, check)) for check in checks]
        return [rule for rule in made if rule is not None]

    def _filters(self, compiler: Compiler) -> tuple[str | None, pl.Expr | None]:
        text = self.source.where
        if text is None:
            return None, None
        compiler.forget()
        condition = self._try("where", lambda: compiler.condition(text))
        refs = compiler.refs()
        if any(ref.computed for ref in refs):
            self.faults.append(f"{self.spec.entity}: where: source fields only, rows are chosen before values are made")
        own = all(ref.place is not None and not ref.place.alias for ref in refs)
        if own and condition is not None:
            self.conditions.setdefault(self.source.table, {})[text] = condition
            return text, None
        return None, condition

    def _steps(self, scope: Scope) -> Iterator[JoinStep | PivotStep]:
        for here, _ in (pair for join in self.source.joins for pair in join.on):
            self._try("joins", partial(scope.origin, here))  # a join can start from fields of one before it
        for join in self.source.joins:
            step = self._try(f"join {join.alias}", partial(self._join, join, scope))
            if step is not None:
                yield step
        for pivot in self.source.pivots:
            used = scope.used.get(pivot.alias, set())
            self.tables.setdefault(pivot.table, set()).update(used)
            yield PivotStep(table=pivot.table, alias=pivot.alias, count=pivot.count, fields=tuple(sorted(used)))

    def _join(self, join: JoinSpec, scope: Scope) -> JoinStep:
        left = tuple(scope.origin(here).column for here, _ in join.on)
        keys = tuple(there for _, there in join.on)
        inner = Scope(source=SourceSpec(table=join.table))
        if join.where is not None:
            condition = Compiler(scope=inner, environment=self.environment).condition(join.where)
            self.conditions.setdefault(join.table, {})[join.where] = condition
        used = scope.used.setdefault(join.alias, set())
        self.tables.setdefault(join.table, set()).update(used, keys, inner.used.get("", set()))
        lookup = Lookup(table=join.table, keys=keys, where=join.where)
        return JoinStep(lookup=lookup, alias=join.alias, left_on=left, fields=tuple(sorted(used)))

    def _want(self, scope: Scope) -> None:
        self.tables.setdefault(self.source.table, set()).update(self._own(scope))
        for wanted in self.tables.values():
            wanted.update(POSITION)

    @staticmethod
    def _own(scope: Scope) -> set[str]:
        return scope.used.get("", set()) | set(POSITION)
