"""`integrationhub mapping`: the specs, what is wrong with them, what they do to data."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.mapping_data import coverage, diff, explain, profile
from integrationhub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from integrationhub.mapping.lineage import FieldExplanation
    from integrationhub.mapping.spec import EntitySpec

FAULTY, BROKEN = 2, 6
"""Exit codes: a spec is faulty; a golden case does not hold."""


@click.group()
def mapping() -> None:
    """Check, test, explain and compare mappings."""


for command in (explain, coverage, diff, profile):
    mapping.add_command(command)

_CONNECTOR = click.argument("connector", required=False)


@mapping.command("list")
@_CONNECTOR
@json_option
@click.pass_obj
def list_mappings(invocation: Invocation, connector: str | None, as_json: bool) -> None:
    """Print the specs of CONNECTOR, or of all: entity, version, owner, what for."""
    rows = [row for name in _names(invocation, connector) for row in _specs_of(invocation, name)]
    if as_json:
        print_json(rows)
        return
    headings = ("connector", "entity", "version", "valid_from", "valid_to", "layouts", "fields", "cases", "title")
    print_table(headings, [[row[heading] for heading in headings] for row in rows])


def _names(invocation: Invocation, connector: str | None) -> Sequence[str]:
    if connector is not None:
        return [invocation.catalogue.connector(connector).name]
    return invocation.catalogue.names()


def _folder(invocation: Invocation, connector: str) -> Path:
    return invocation.catalogue.mapping(invocation.catalogue.connector(connector).connector.mappings)


def _specs_of(invocation: Invocation, connector: str) -> Iterator[dict[str, object]]:
    from integrationhub.mapping.documents import Documents

    documents = Documents.of_folder(_folder(invocation, connector))
    for spec in documents.specs:
        yield _spec_row(spec, documents.mapping_id(spec))


def _spec_row(spec: "EntitySpec", mapping_id: str) -> dict[str, object]:
    own = {name for source in spec.sources for name in source.fields}
    return {
        "connector": spec.connector,
        "entity": spec.entity,
        "version": spec.version,
        "mapping_id": mapping_id,
        "valid_from": spec.valid_from,
        "valid_to": spec.valid_to,
        "layouts": list(spec.layouts),
        "fields": len({*spec.fields, *own}),
        "checks": len(spec.checks),
        "cases": len(spec.cases),
        "owner": spec.owner,
        "title": spec.title,
    }


@mapping.command()
@click.argument("connector")
@click.option(
    "--to",
    "shelf",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    metavar="DIR",
    help="The folder that gets `mappings/`.",
)
@click.pass_obj
def copy(invocation: Invocation, connector: str, shelf: Path) -> None:
    """Copy the specs of CONNECTOR with their cases and code lists to DIR, to be worked on.

    What stands in the working directory goes before what is shipped. Nothing is overwritten.
    """
    import shutil

    from integrationhub.errors import Conflict
    from integrationhub.mapping.documents import Documents

    source = _folder(invocation, connector)
    target, codes = shelf / "mappings" / source.name, shelf / "mappings" / "codes"
    if target.exists():
        raise Conflict(f"{target} is there already", remedy="work on it, or name another folder with --to")
    shutil.copytree(source, target)
    codes.mkdir(exist_ok=True)
    for name in sorted(Documents.of_folder(source).lists_used):
        if not (codes / f"{name}.csv").exists():
            shutil.copyfile(source.parent / "codes" / f"{name}.csv", codes / f"{name}.csv")
    click.echo(f"{target}: specs and cases; {codes}: code lists")


@mapping.command()
@_CONNECTOR
@json_option
@click.pass_obj
def check(invocation: Invocation, connector: str | None, as_json: bool) -> int:
    """Tell every fault of the specs of CONNECTOR, or of all connectors.

    Faults stop a mapping from running; dead parts (rules that never apply, codes that can't occur, names nobody uses)
    mislead whoever reads it. Either gives exit code 2.
    """
    found = {name: _judged(invocation, name) for name in _names(invocation, connector)}
    if as_json:
        rows = [
            {"connector": name, "faults": list(faults), "dead": list(dead)} for name, (faults, dead) in found.items()
        ]
        print_json(rows)
    else:
        for name, (faults, dead) in found.items():
            _tell_check(name, faults, dead)
    return FAULTY if any(faults or dead for faults, dead in found.values()) else 0


def _judged(invocation: Invocation, connector: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from integrationhub.intake.builders import layout_for
    from integrationhub.mapping.compile import Mapping
    from integrationhub.quality.shapes import shapes_of

    descriptor = invocation.catalogue.connector(connector)
    found = Mapping.of_folder(_folder(invocation, connector))
    faults = found.check(layout_for(descriptor))
    return faults, () if faults else found.dead(shapes_of(descriptor))


def _tell_check(name: str, faults: Sequence[str], dead: Sequence[str]) -> None:
    click.echo(f"{name}: {len(faults)} faults, {len(dead)} dead parts" if faults or dead else f"{name}: in order")
    for fault in faults:
        click.echo(f"  fault  {fault}")
    for part in dead:
        click.echo(f"  dead   {part}")


@mapping.command()
@_CONNECTOR
@json_option
@click.pass_obj
def test(invocation: Invocation, connector: str | None, as_json: bool) -> int:
    """Run the golden cases of CONNECTOR, or of all connectors; differences are shown field by field.

    Cases stand in the specs and in `tests/` beside them. Exit code 6 when one does not hold.
    """
    broken = total = 0
    rows = []
    for name in _names(invocation, connector):
        for result in _run(invocation, name):
            total += 1
            broken += not result["holds"]
            rows.append(result)
            if not as_json and not result["holds"]:
                _tell_case(result)
    if as_json:
        print_json({"cases": total, "broken": broken, "results": rows})
    else:
        click.echo(f"{total} cases, {total - broken} hold, {broken} do not")
    return BROKEN if broken else 0


def _run(invocation: Invocation, connector: str) -> Iterator[dict[str, object]]:
    from dataclasses import asdict

    from integrationhub.intake.builders import layout_for
    from integrationhub.mapping.compile import Mapping
    from integrationhub.mapping.trial import Trials

    folder = _folder(invocation, connector)
    layout = layout_for(invocation.catalogue.connector(connector))
    compiled = Mapping.of_folder(folder).compile(layout)
    for result in Trials.of(compiled, folder).run(compiled):
        yield {"connector": connector, **asdict(result), "holds": result.holds}


def _tell_case(result: dict[str, object]) -> None:
    click.echo(f"{result['connector']} {result['origin']}: {result['name']}")
    differences = result["differences"]
    assert isinstance(differences, list | tuple)
    for one in differences:
        place = f"row {one['row']} " if one["row"] else ""
        click.echo(f"  {place}{one['field']}: expected {one['expected']}, found {one['found']}")


@mapping.command()
@click.argument("connector")
@click.argument("field", metavar="[ENTITY[.FIELD]]", required=False)
@click.option("--to", "form", type=click.Choice(["text", "json", "svg"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write (default: stdout).")
@json_option
@click.pass_obj
def lineage(
    invocation: Invocation, connector: str, field: str | None, form: str, out: Path | None, as_json: bool
) -> None:
    """Show what each canonical field of CONNECTOR is made from: source fields, values on the way, expression."""
    import json

    from integrationhub.mapping.graph import Graph

    explanations = _explanations(invocation, connector, field)
    graph = Graph.of(explanations, title=f"{connector} {field or ''}".strip())
    kind = "json" if as_json else form
    if kind == "text":
        text = "".join(_lines(explanations))
    else:
        text = graph.svg() if kind == "svg" else json.dumps(graph.as_dict(), ensure_ascii=False) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _explanations(invocation: Invocation, connector: str, field: str | None) -> "list[FieldExplanation]":
    from integrationhub.errors import NotFound
    from integrationhub.intake.builders import layout_for
    from integrationhub.mapping.compile import Mapping

    layout = layout_for(invocation.catalogue.connector(connector))
    compiled = Mapping.of_folder(_folder(invocation, connector)).compile(layout)
    entity, _, name = (field or "").partition(".")
    if entity and entity not in compiled.entities:
        raise NotFound(f"no spec of {connector} fills {entity}", remedy=f"it fills {', '.join(compiled.entities)}")
    chosen = [one for key in compiled.entities if entity in ("", key) for one in compiled.explain_fields(key)]
    found = [one for one in chosen if name in ("", one.lineage.field)]
    if not found:
        raise NotFound(f"{entity} has no field {name}")
    return found


def _lines(explanations: "list[FieldExplanation]") -> Iterator[str]:
    heading = None
    for one in explanations:
        line = one.lineage
        if (line.entity, line.source) != heading:
            heading = (line.entity, line.source)
            yield f"{line.entity} from {line.source}  [{line.mapping_id}]\n"
        sources = ", ".join(map(str, line.fields))
        yield f"  {line.field} ← {line.expression}" + (f"    [{sources}]" if sources else "") + "\n"
        for name, text in one.steps:
            yield f"      {name} = {text}\n"
