"""Dead parts of a mapping: it runs as if they were not there, so they mislead whoever reads it.

Names that nothing uses, rules that can never be broken or never apply, codes that no field can hold, alternatives
behind others that always come first, things said twice; and identifiers that refer to another entity's rows by another
key than that entity has.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from integrationhub.canonical.units import targets
from integrationhub.mapping import sql
from integrationhub.mapping.codes import CodeList
from integrationhub.mapping.conditions import impossible, shadowed, truth
from integrationhub.mapping.documents import Documents, referred
from integrationhub.mapping.readings import all_made, coded_fields, readings
from integrationhub.mapping.scope import Place, Scope
from integrationhub.mapping.shapes import FieldShape, Shapes
from integrationhub.mapping.spec import Conversion, EntitySpec, FieldSpec, SourceSpec


def dead_parts(documents: Documents, shapes: Shapes) -> Iterator[str]:
    """Everything that is dead in specs without faults."""
    found = _Search(documents, shapes)
    yield from found.unreferred()
    for spec in documents.specs:
        yield from found.references(spec)
        yield from found.readings_of(spec)
        yield from _said_twice(spec)
        for source in spec.sources:
            yield from found.source(spec, source)


@dataclass(frozen=True)
class _Search:
    documents: Documents
    shapes: Shapes

    @cached_property
    def _codes(self) -> Mapping[Place, frozenset[str]]:
        """Of fields that are read as codes, what they may hold without being at fault."""
        return {Place(table=one.table, field=one.field): one.codes for one in coded_fields(self.documents)}

    def _shape(self, place: Place) -> FieldShape | None:
        return self.shapes.fields.get((place.table, place.field))

    def unreferred(self) -> Iterator[str]:
        """Date rules and code lists that no spec refers to; placeholders that no field of a rule can hold."""
        used = [referred(spec) for spec in self.documents.specs]
        rules = {name for one, _ in used for name in one}
        lists = self.documents.lists_used
        prefix = f"{self.documents.connector}-"
        yield from (f"the date rule {name} is used nowhere" for name in sorted(self.documents.dates.keys() - rules))
        mine = {name for name in self.documents.codes if name.startswith(prefix)}
        yield from (f"the code list {name} is used nowhere" for name in sorted(mine - lists))
        for name in sorted(rules & self.documents.dates.keys()):
            yield from self._placeholders(name)

    def _placeholders(self, name: str) -> Iterator[str]:
        rule = self.documents.dates[name]
        read = [place for spec in self.documents.specs for place, one in readings(spec) if one.rule == name]
        shapes = [self._shape(place) for place in read]
        known = [shape for shape in shapes if shape is not None]
        listed = {*rule.open, *rule.not_recorded, *rule.sentinels}
        if "low-values" in listed and len(known) == len(shapes) and not any(one.low_values for one in known):
            yield f"date rule {name}: no field that it reads can be low-values"

    def references(self, spec: EntitySpec) -> Iterator[str]:
        """Identifiers that refer to rows of another entity by another key than it has."""
        entity = targets()[spec.entity]
        keys = {other.entity: other.key.id for other in self.documents.specs}
        for field in entity.fields:
            made = [spec.fields.get(field.name), *(source.fields.get(field.name) for source in spec.sources)]
            target = keys.get(field.references or "")
            for one in made:
                if one is not None and one.id is not None and target is not None and not _same_key(one.id, target):
                    told = f"{target[0]}, {target[1]} and {len(target) - 2} names"
                    yield f"{spec.entity}: {field.name} names rows of {field.references}, whose key is of {told}"

    def readings_of(self, spec: EntitySpec) -> Iterator[str]:
        """Codes and numbers that no field can hold; options that change nothing."""
        for place, reading in dict.fromkeys(readings(spec)):
            shape = self._shape(place)
            where = f"{spec.entity}: {place.field}"
            if shape is not None:
                yield from (f"{where} can't be {code!r}" for code in self._unheld(reading, shape))
                if reading.length is not None and not shape.text and reading.length < shape.size:
                    yield f"{where} has {shape.size} digits, length {reading.length} makes larger ones faults"
            if reading.missing == "null" and reading.conversion in {"text", "nino", "nino_status", "nino_usable"}:
                yield f"{where}: missing = 'null' says nothing, {reading.conversion} may always be missing"
        for name in sorted(referred(spec)[1] & self.documents.codes.keys()):
            yield from _out_of_time(spec, self.documents.codes[name])

    def _unheld(self, reading: Conversion, shape: FieldShape) -> Iterator[str]:
        codes = {*reading.yes, *reading.no, *(str(number) for number in reading.empty)}
        if reading.codes in self.documents.codes:
            codes |= {code.source for code in self.documents.codes[reading.codes or ""].codes}
        yield from sorted(code for code in codes if not shape.can_be(code))

    def source(self, spec: EntitySpec, source: SourceSpec) -> Iterator[str]:
        """What is dead in one source of a spec."""
        label = spec.entity if len(spec.sources) == 1 else f"{spec.entity} ({source.label})"
        made = all_made(spec, source)
        names = set(_names(spec, source))
        yield from (f"{label}: the let {name} is used nowhere" for name in source.let if not _used(name, names))
        for name in spec.let if source is spec.sources[0] else ():
            if not any(_used(name, {*_names(spec, one)}) for one in spec.sources):
                yield f"{spec.entity}: the let {name} is used nowhere"
        for alias in [*(join.alias for join in source.joins), *(pivot.alias for pivot in source.pivots)]:
            if not any(name.startswith(f"{alias}.") for name in names):
                yield f"{label}: nothing of {alias} is used"
        for pivot in source.pivots:
            most = self.shapes.occurs.get(pivot.table)
            if most is not None and pivot.count > most:
                yield f"{label}: the pivot {pivot.alias} asks for {pivot.count}, {pivot.table} occurs {most} times"
        if all(made[name].value is not None for name in spec.key.id[2:] if name in made) and (
            spec.key.id[2:] and all(name in made for name in spec.key.id[2:])
        ):
            yield f"{label}: the key is the same in every row"
        yield from self._expressions(label, spec, source, made)
        yield from self._alternatives(label, source, made)

    def _expressions(
        self, label: str, spec: EntitySpec, source: SourceSpec, made: Mapping[str, FieldSpec]
    ) -> Iterator[str]:
        constants = {name: one.value for name, one in made.items() if one.value is not None and one.when is None}
        scope = Scope(source=source)

        def can_be(name: str, value: str) -> bool:
            return name in made or self._can_be(scope.origin(name).place, value)

        for where, text in _conditions(spec, source, made):
            holds = truth(text, constants)
            if holds is not None:
                yield f"{label}: {where} {'always holds' if holds else 'never holds'}"
        for where, text in [*_conditions(spec, source, made), *_expressions(made)]:
            yield from (f"{label}: {where}: {fault}" for fault in dict.fromkeys(shadowed(text)))
            yield from (f"{label}: {where}: {fault}" for fault in dict.fromkeys(impossible(text, can_be)))
        for name, one in made.items():
            if one.value is not None and one.when is None and one.default is not None:
                yield f"{label}: {name} is a constant, its default never stands"

    def _can_be(self, place: Place | None, value: str) -> bool:
        if place is None:
            return True
        codes, shape = self._codes.get(place.plain), self._shape(place)
        return (codes is None or value in codes) and (shape is None or shape.can_be(value))

    def _alternatives(self, label: str, source: SourceSpec, made: Mapping[str, FieldSpec]) -> Iterator[str]:
        """Of several fields after `from`, those behind one that every row has."""
        scope = Scope(source=source)
        for name, one in made.items():
            origins = one.origin or ()
            shapes = [self._shape(place) if (place := scope.origin(field).place) else None for field in origins]
            for number, shape in enumerate(shapes[:-1]):
                if shape is not None and not shape.variant:
                    yield f"{label}: {name} never gets past {origins[number]}, which every row has"
                    break
            variants = [shape.variant for shape in shapes if shape is not None and shape.variant]
            double = [variant for variant, count in Counter(variants).items() if count > 1]
            yield from (f"{label}: {name} names two fields of {variant}, the second never counts" for variant in double)


def _used(name: str, names: Iterable[str]) -> bool:
    return name in names or f"{name}_mark" in names


def _same_key(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return one[:2] == other[:2] and len(one) == len(other)


def _out_of_time(spec: EntitySpec, code_list: CodeList) -> Iterator[str]:
    """Entries of a list that hold on no day on which the spec does."""
    for code in code_list.codes:
        if code.valid_to < spec.first_day or code.valid_from > spec.last_day:
            yield f"{spec.entity}: code list {code_list.name}: {code.source!r} holds on no day that the spec is for"


def _said_twice(spec: EntitySpec) -> Iterator[str]:
    checks = Counter((one.must, one.when, one.source) for one in spec.checks)
    yield from (f"{spec.entity}: the check {must} stands twice" for (must, _, _), count in checks.items() if count > 1)
    validations = Counter(spec.validations)
    for one, count in validations.items():
        if count > 1:
            yield f"{spec.entity}: the validation of {', '.join(one.fields)} stands twice"
    sources = Counter((one.table, one.where, one.joins, tuple(sorted(one.fields))) for one in spec.sources)
    yield from (
        f"{spec.entity}: two sources give the same rows of {table}"
        for (table, _, _, own), count in sources.items()
        if count > 1 and not own
    )


def _names(spec: EntitySpec, source: SourceSpec) -> Iterator[str]:
    """Every name that anything in one source of a spec refers to."""
    made = all_made(spec, source)
    for name, one in made.items():
        yield from one.origin or ()
        yield from (part for part in (one.id or ())[2:] if part != name)
        for text in (one.sql, one.when):
            yield from (used for used in sql.names(sql.parse(text)) if used != name) if text is not None else ()
    yield from (*spec.key.id[2:], *spec.key.within, *spec.key.unique)
    yield from (here for join in source.joins for here, _ in join.on)
    for validation in spec.validations:
        yield from validation.fields
    for _, text in _conditions(spec, source, {}):
        yield from sql.names(sql.parse(text))
    yield from (check.field for check in spec.checks)


def _conditions(spec: EntitySpec, source: SourceSpec, made: Mapping[str, FieldSpec]) -> Iterator[tuple[str, str]]:
    """Every condition over rows of one source, with where it stands."""
    if source.where is not None:
        yield "where", source.where
    yield from ((f"when of {name}", one.when) for name, one in made.items() if one.when is not None)
    for validation in spec.validations:
        if validation.when is not None and validation.source in {None, source.label}:
            yield f"when of the validation of {', '.join(validation.fields)}", validation.when
    for check in spec.checks:
        if check.source in {None, source.label}:
            yield f"must of {check.code}", check.must
            if check.when is not None:
                yield f"when of {check.code}", check.when


def _expressions(made: Mapping[str, FieldSpec]) -> Iterator[tuple[str, str]]:
    yield from ((name, one.sql) for name, one in made.items() if one.sql is not None)
