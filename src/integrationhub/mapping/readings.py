"""Which source fields a mapping reads as codes, dates or texts: what tools must know that look at source data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from integrationhub.mapping.documents import Documents
from integrationhub.mapping.scope import Place, Scope
from integrationhub.mapping.spec import Conversion, DateRule, EntitySpec, FieldSpec, SourceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedField:
    """A source field read by a code list or as a flag: the codes that it may hold. `list` is empty for flags."""

    table: str
    field: str
    list: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedField:
    """A source field that is read as a date."""

    table: str
    field: str
    rule: DateRule


def readings(spec: EntitySpec) -> Iterator[tuple[Place, Conversion]]:
    """Every source field of a spec with the conversion that reads it, source by source."""
    for source in spec.sources:
        scope = Scope(source=source)
        made = (spec.let, spec.fields, source.let, source.fields)
        for reading in (one for part in made for one in part.values() if one.origin is not None):
            yield from ((place, reading) for place in _places(scope, reading.origin or ()))
        for validation in spec.validations:
            if validation.source in {None, source.label}:
                yield from ((place, validation) for place in _places(scope, validation.fields))


def _places(scope: Scope, names: tuple[str, ...]) -> Iterator[Place]:
    for name in names:
        place = scope.origin(name).place
        if place is not None:
            yield place.plain


def coded_fields(documents: Documents) -> list[CodedField]:
    """All source fields that are read as codes; a field of several lists may hold what any of them knows."""
    found: dict[Place, tuple[str, set[str]]] = {}
    for spec in documents.specs:
        for place, reading in readings(spec):
            codes = _codes(reading, documents)
            if codes is not None:
                name, known = found.setdefault(place, (reading.codes or "", set()))
                known |= codes
                found[place] = (name or reading.codes or "", known)
    return [
        CodedField(table=place.table, field=place.field, list=name, codes=frozenset(codes))
        for place, (name, codes) in found.items()
    ]


def _codes(reading: Conversion, documents: Documents) -> set[str] | None:
    if reading.conversion == "flag":
        return {*reading.yes, *reading.no}
    if reading.conversion == "code" and reading.codes in documents.codes:
        return {code.source for code in documents.codes[reading.codes or ""].codes}
    return None


def text_fields(documents: Documents) -> Mapping[str, frozenset[str]]:
    """The source fields that are read as text, by table."""
    found: dict[str, set[str]] = {}
    for spec in documents.specs:
        for place, reading in readings(spec):
            if reading.conversion == "text":
                found.setdefault(place.table, set()).add(place.field)
    return {table: frozenset(fields) for table, fields in found.items()}


def dated_fields(documents: Documents) -> list[DatedField]:
    """All source fields that are read as dates, each with the first rule that reads it."""
    found: dict[Place, DateRule] = {}
    for spec in documents.specs:
        for place, reading in readings(spec):
            rule = documents.dates.get(reading.rule or "")
            if rule is not None:
                found.setdefault(place, rule)
    return [DatedField(table=place.table, field=place.field, rule=rule) for place, rule in found.items()]


def all_made(spec: EntitySpec, source: SourceSpec) -> Mapping[str, FieldSpec]:
    """Everything that is made in one source of a spec: lets and canonical fields, its own before common ones."""
    return {**spec.let, **source.let, **spec.fields, **source.fields}
