"""What is wrong with a mapping before it runs: unknown names, wrong types, missing targets, unknown lists, bad SQL.

Without a layout of the source, names of source fields and types of SQL expressions can't be judged; everything else is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from integrationhub.canonical import model
from integrationhub.canonical.frames import POLARS_TYPES
from integrationhub.canonical.units import targets
from integrationhub.mapping.codes import CodeList
from integrationhub.mapping.documents import conversions, referred
from integrationhub.mapping.items import MARK, Item
from integrationhub.mapping.joins import JoinStep
from integrationhub.mapping.nearby import did_you_mean
from integrationhub.mapping.plan import SourcePlan
from integrationhub.mapping.scope import POSITION
from integrationhub.mapping.spec import EntitySpec, FieldSpec
from integrationhub.mapping.tables import Kinds, Layout

GIVEN = frozenset({*(item.name for item in model.PROVENANCE), *model.SEALED}) - {"source_ref"}
"""Provenance and seals, which are not for a spec to fill."""


def faults_of_targets(spec: EntitySpec) -> Iterator[str]:
    """Unknown, forbidden and missing canonical fields of a spec whose entity is known."""
    entity = targets()[spec.entity]
    for source in spec.sources:
        filled = {**spec.fields, **source.fields}
        yield from _unknown_fields(entity, filled)
        for item in entity.all_fields():
            if item.required and item.name not in {*filled, *GIVEN, entity.key}:
                yield f"{entity.name} ({source.label}): the required field {item.name} is not filled"


def _unknown_fields(entity: model.Entity, filled: Mapping[str, FieldSpec]) -> Iterator[str]:
    known = set(entity.names())
    for name, field in filled.items():
        if name not in known:
            yield f"{entity.name}: there is no canonical field {name}{did_you_mean(name, known)}"
        elif name in GIVEN or (name == entity.key and not entity.unit):
            yield f"{entity.name}: {name} is filled by the hub, not by a spec"
        elif field.conversion == "date" and f"{name}{MARK}" in filled:
            yield f"{entity.name}: {name}{MARK} comes with {name}, it can't be filled twice"


def faults_of_readings(spec: EntitySpec, codes: Mapping[str, CodeList]) -> Iterator[str]:
    """Code lists that are faulty themselves, and flags that contradict themselves."""
    for name in sorted(referred(spec)[1] & codes.keys()):
        yield from codes[name].faults
    for reading in conversions(spec):
        both = sorted(set(reading.yes) & set(reading.no))
        if both:
            yield f"{spec.entity}: a flag means both true and false for {', '.join(map(repr, both))}"


def faults_of_plan(plan: SourcePlan, codes: Mapping[str, CodeList], specs: Mapping[str, FieldSpec]) -> Iterator[str]:
    """Targets whose type or codes don't fit what the plan gives them."""
    for item in plan.entity.all_fields():
        made, spec = plan.items.get(item.name), specs.get(item.name)
        if made is not None and made.dtype is not None and made.dtype != POLARS_TYPES[item.type]:
            yield f"{plan.entity.name}: {item.name} is {item.type.value}, but is given {_kind(made.dtype)}"
        if item.codes and made is not None and spec is not None:
            yield from _strange_codes(plan.entity, item, made, codes.get(spec.codes or ""))
    yield from _marks(plan)


def _strange_codes(entity: model.Entity, target: model.Field, made: Item, code_list: CodeList | None) -> Iterator[str]:
    given = {*made.texts, *(code.canonical for code in (code_list.codes if code_list else ()))}
    for code in sorted(given - set(target.codes)):
        yield f"{entity.name}: {target.name} has no code {code}"


def _marks(plan: SourcePlan) -> Iterator[str]:
    names = plan.entity.names()
    for name, item in plan.items.items():
        if item.marked and name in names and not plan.entity.unit and f"{name}{MARK}" not in names:
            yield f"{plan.entity.name}: {name} has no {MARK} beside it, so its date rule may have no placeholders"


def faults_of_layout(
    plan: SourcePlan, wanted: Mapping[str, Iterable[str]], kinds: Kinds, layout: Layout
) -> Iterator[str]:
    """Source tables and fields that the layout doesn't have, or not of a kind that can be read; else types of
    expressions, by a run over no rows.
    """
    faults = [*_unknown_sources(plan, wanted, layout), *_other_kinds(plan, kinds, layout)]
    yield from faults or _types(plan, layout)


def _other_kinds(plan: SourcePlan, kinds: Kinds, layout: Layout) -> Iterator[str]:
    for table, fields in kinds.items():
        for name, kind in sorted(fields):
            dtype = layout.get(table, {}).get(name, pl.Null())
            fits = dtype.is_integer() if kind == "whole numbers" else dtype == pl.String()
            if not fits and dtype != pl.Null():
                where = f"{plan.entity.name} ({plan.label}): {table}.{name}"
                yield f"{where}: the conversion reads {kind}, not {_kind(dtype)}"


def _unknown_sources(plan: SourcePlan, wanted: Mapping[str, Iterable[str]], layout: Layout) -> Iterator[str]:
    for table, fields in wanted.items():
        if table not in layout:
            yield f"{plan.entity.name}: there is no source table {table}{did_you_mean(table, layout)}"
            continue
        for field in sorted(set(fields) - layout[table].keys() - set(POSITION)):
            yield f"{plan.entity.name}: {table} has no field {field}{did_you_mean(field, layout[table])}"


def _types(plan: SourcePlan, layout: Layout) -> Iterator[str]:
    try:
        made = plan.computed(pl.DataFrame(schema=_working_schema(plan, layout))).frame.schema
    except pl.exceptions.PolarsError as exc:
        yield f"{plan.entity.name} ({plan.label}): types don't fit each other: {str(exc).splitlines()[0]}"
        return
    for item in plan.entity.all_fields():
        dtype = made.get(f"={item.name}")
        if dtype is not None and not _fits(dtype, POLARS_TYPES[item.type]):
            yield f"{plan.entity.name}: {item.name} is {item.type.value}, but is given {_kind(dtype)}"


def _working_schema(plan: SourcePlan, layout: Layout) -> dict[str, pl.DataType]:
    position: dict[str, pl.DataType] = dict.fromkeys(POSITION, pl.Int64())
    schema = {name: dtype for name, dtype in {**position, **layout[plan.table]}.items() if name in plan.columns}
    for step in plan.steps:
        if isinstance(step, JoinStep):
            fields = {**position, **layout[step.lookup.table]}
            schema |= {f"{step.alias}.{name}": fields[name] for name in (*step.lookup.keys, *step.fields)}
        else:
            numbers = range(1, step.count + 1)
            child = layout[step.table]
            schema |= {f"{step.alias}.{n}.{name}": child[name] for n in numbers for name in step.fields}
    return schema


def _fits(given: pl.DataType, wanted: pl.DataType) -> bool:
    return given in {wanted, pl.Null()} or (wanted == pl.Int64() and given.is_integer())


def _kind(dtype: pl.DataType) -> str:
    names: Sequence[tuple[pl.DataType, str]] = (
        (pl.String(), "text"),
        (pl.Boolean(), "true or false"),
        (pl.Date(), "a date"),
    )
    return next((name for kind, name in names if dtype == kind), "a number" if dtype.is_numeric() else str(dtype))
