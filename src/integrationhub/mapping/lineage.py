"""Where canonical values come from: source fields and expression of every field, as the specs say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrationhub.canonical import model
from integrationhub.mapping.entity import EntityPlan
from integrationhub.mapping.plan import SourcePlan
from integrationhub.mapping.scope import Place

_PROVENANCE = {
    "source_system": "the connector's source system",
    "delivery_id": "the delivery",
    "record_no": "the record's number in the file",
    "byte_offset": "the byte offset of the record's data",
    "mapping_id": "connector, entity, declared version and content hash of the spec",
    "entry_id": "identifier over digest and origin, made by the store",
    "digest": "digest over the line's content, made by the store",
    "version": "sequence number × 2³² + record number",
}
"""Columns that no spec fills, and what they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One canonical field from one source of its entity. `fields` are all source fields that its value depends on."""

    entity: str
    field: str
    source: str
    fields: tuple[Place, ...]
    expression: str
    mapping_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExplanation:
    """A field's lineage together with what the canonical model says of it, and the reason codes it can give."""

    lineage: Lineage
    title: str
    type: str
    codes: tuple[str, ...]
    required: bool
    personal: bool
    reasons: tuple[str, ...]
    steps: tuple[tuple[str, str], ...]  # lets and other fields it is made from, with their expressions


def lineage_of(plan: EntityPlan) -> Iterator[Lineage]:
    """The lineage of every canonical field of an entity, source by source."""
    for source in plan.sources:
        for item in plan.entity.all_fields():
            yield _lineage(plan, source, item)


def explained(plan: EntityPlan) -> Iterator[FieldExplanation]:
    """Every canonical field of an entity explained, source by source."""
    for source in plan.sources:
        for target in plan.entity.all_fields():
            item = source.items.get(target.name)
            yield FieldExplanation(
                lineage=_lineage(plan, source, target),
                title=target.title,
                type=target.type.value,
                codes=target.codes,
                required=target.required,
                personal=target.personal,
                reasons=tuple(dict.fromkeys(rule.code for rule in item.rules)) if item else (),
                steps=tuple(_steps(source, item.needs if item else ())),
            )


def _lineage(plan: EntityPlan, source: SourcePlan, target: model.Field) -> Lineage:
    return Lineage(
        entity=plan.entity.name,
        field=target.name,
        source=source.label,
        fields=source.places.get(target.name, source.places.get(target.name.removesuffix("_mark"), ())),
        expression=_expression(source, target.name),
        mapping_id=plan.mapping_id,
    )


def _expression(source: SourcePlan, name: str) -> str:
    if name in source.items:
        return source.items[name].text
    if name in source.contexts:
        return f"{source.contexts[name]} of the delivery"
    dated = source.items.get(name.removesuffix("_mark"))
    if dated is not None and dated.marked:
        return f"mark of {dated.text}"
    return _PROVENANCE.get(name, "not filled by this source")


def _steps(source: SourcePlan, needs: Sequence[str] | frozenset[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    waiting = sorted(needs)
    while waiting:
        name = waiting.pop(0)
        if name not in seen and name in source.items:
            seen.add(name)
            yield name, source.items[name].text
            waiting += sorted(source.items[name].needs)
