"""A page for each connector's mapping, from its specs and code lists; and the schemas for editors."""

import json
from collections.abc import Iterator

from docs.generate.tables import document, table
from integrationhub.catalogue import Catalogue, Shelf, shipped_connectors
from integrationhub.intake.builders import layout_for
from integrationhub.mapping.cases import cases_schema
from integrationhub.mapping.codes import CodeList
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.mapping.documents import Documents
from integrationhub.mapping.lineage import FieldExplanation
from integrationhub.mapping.spec import EntitySpec, json_schema
from integrationhub.mapping.trial import Trials

INTRODUCTION = """\
What each canonical field of this connector is made from. The language of the specs is described in
[mappings/README.md](../../../mappings/README.md); `integrationhub mapping lineage` draws the same as a graph."""


def pages() -> dict[str, str]:
    """Path below docs/reference → page, one a connector."""
    catalogue = Catalogue([Shelf(origin="shipped", folder=shipped_connectors())])
    return {f"mappings/{name}.md": _page(catalogue, name) for name in catalogue.names()}


def schemas() -> dict[str, str]:
    """The JSON Schemas of specs and of files of golden cases."""
    made = {"schemas/mapping.json": json_schema(), "schemas/mapping-cases.json": cases_schema()}
    return {path: json.dumps(schema, indent=2) + "\n" for path, schema in made.items()}


def _page(catalogue: Catalogue, name: str) -> str:
    descriptor = catalogue.connector(name)
    folder = catalogue.mapping(descriptor.connector.mappings)
    compiled = Mapping.of_folder(folder).compile(layout_for(descriptor))
    documents, cases = compiled.documents, Trials.of(compiled, folder).cases
    parts: list[str | list[str]] = [f"# The mapping of {name}", f"{descriptor.title}. {INTRODUCTION}"]
    for entity in compiled.entities:
        for spec in documents.versions[entity]:
            parts += _entity(compiled, spec)
        shown = [f"- {case.name}" for _, about, _, case in cases if about == entity]
        parts += [["Golden cases:", *shown]] if shown else []
    return document(*parts, *_dates(documents), *_codes(documents))


def _entity(compiled: CompiledMapping, spec: EntitySpec) -> Iterator[str | list[str]]:
    yield f"## {spec.entity}"
    yield f"{spec.title}. Version {spec.version}{_validity(spec)}; {spec.owner} answer for it."
    explained = [
        one
        for one in compiled.explain_fields(spec.entity)
        if one.lineage.mapping_id == compiled.documents.mapping_id(spec)
    ]
    for source in spec.sources:
        rows = [one for one in explained if one.lineage.source == source.label and _is_made(one)]
        where = f", rows where `{' '.join(source.where.split())}`" if source.where else ""
        yield f"From `{source.table}`{f' ({source.name})' if source.name else ''}{where}:"
        yield table(("field", "expression", "source fields", "faults"), map(_row, rows))
    if spec.checks:
        yield table(
            ("check", "severity", "must hold", "why"),
            ((one.code, one.severity, f"`{one.must}`", one.text) for one in spec.checks),
        )


def _validity(spec: EntitySpec) -> str:
    parts = [f"from {spec.valid_from}"] if spec.valid_from else []
    parts += [f"to {spec.valid_to}"] if spec.valid_to else []
    parts += [f"layouts {', '.join(spec.layouts)}"] if spec.layouts else []
    return f" ({', '.join(parts)})" if parts else ""


def _is_made(one: FieldExplanation) -> bool:
    return bool(one.lineage.fields or one.steps) or one.lineage.expression.startswith("'")


def _row(one: FieldExplanation) -> tuple[str, str, str, str]:
    steps = "".join(f"; {name} = {text}" for name, text in one.steps)
    sources = ", ".join(f"`{place}`" for place in one.lineage.fields)
    return f"`{one.lineage.field}`", f"{one.lineage.expression}{steps}", sources, ", ".join(one.reasons)


def _dates(documents: Documents) -> Iterator[str | list[str]]:
    yield "## Date rules"
    rows = [
        (f"`{name}`", one.format, ", ".join(one.open), ", ".join(one.not_recorded), ", ".join(one.sentinels), one.title)
        for name, one in sorted(documents.dates.items())
    ]
    yield table(("rule", "format", "open end", "not recorded", "sentinels", "for"), rows)


def _codes(documents: Documents) -> Iterator[str | list[str]]:
    yield "## Code lists"
    for name in sorted(documents.lists_used):
        yield f"### {name}"
        yield table(("source", "canonical", "meaning", "from", "to"), _lines(documents.codes[name]))


def _lines(listed: CodeList) -> Iterator[tuple[str, str, str, str, str]]:
    for one in listed.codes:
        first = "" if one.valid_from == one.valid_from.min else str(one.valid_from)
        last = "" if one.valid_to == one.valid_to.max else str(one.valid_to)
        yield f"`{one.source or ' '}`", one.canonical, one.title, first, last
