"""The parts of `integrationhub mapping` that look at data: explain, coverage, diff, profile."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.intake.pieces import SourceFile

STORED = "stored"
"""In place of a path: the kept originals of every accepted file."""

_OVER = f"A file or folder, or `{STORED}`: the kept originals of every accepted file."


@click.command()
@click.argument("target", metavar="REF|CONNECTOR")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--record", type=click.IntRange(min=1), help="With CONNECTOR FILE: which record, from 1.")
@click.option("--unmasked", is_flag=True, help="Show personal values; needs --reason, and is logged.")
@click.option("--reason", metavar="TEXT", help="Why personal values are needed.")
@json_option
@click.pass_obj
def explain(
    invocation: Invocation,
    target: str,
    file: Path | None,
    record: int | None,
    unmasked: bool,
    reason: str | None,
    as_json: bool,
) -> None:
    """Show step by step what became of one record: bytes, field, expression, canonical value or fault.

    REF is what `trace` takes, - for stdin; or name CONNECTOR, a FILE of it and `--record N`: that file need not be
    stored. Personal values are masked.
    """
    import sys

    from integrationhub.errors import NotFound
    from integrationhub.telemetry import UnitOfWork

    if unmasked and not (reason or "").strip():
        raise click.UsageError("--unmasked needs --reason TEXT: who looks at personal values says why")
    if (file is None) != (record is None):
        raise click.UsageError("FILE and --record belong together")
    with invocation.hub(trial=True) as hub, UnitOfWork("explain", outcome="UNMASKED" if unmasked else "MASKED"):
        if file is not None and record is not None:
            source, *others = _files(hub, target, str(file))
            if others:
                raise click.UsageError(f"there are {len(others) + 1} files of {target}: name one of them")
            found = [hub.analyst.explainer(target).explain(source, record, unmasked=unmasked)]
        else:
            wanted = sys.stdin.readline().strip() if target == "-" else target
            found = list(hub.analyst.explanations(wanted, unmasked=unmasked))
    if not found:
        raise NotFound("nothing is stored under that reference")
    shown = [one.as_dict() for one in found]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        _tell_record(one)


def _files(hub: "Hub", connector: str, over: str) -> "list[SourceFile]":
    from integrationhub.errors import NotFound
    from integrationhub.workbench.files import files_in

    if over.lower() != STORED:
        return files_in(Path(over), hub.catalogue.connector(connector))
    files = hub.analyst.stored(connector)
    if not files:
        raise NotFound(f"no accepted file of {connector} is stored", remedy="ingest one, or name a file or folder")
    return files


def _tell_record(one: dict[str, Any]) -> None:
    line = f", line {one['line']:,}" if one["line"] else ""
    where = f"at byte {one['offset']:,} of the {one['within']}{line}, {one['length']} bytes"
    place = f"record {one['record']:,} (type {one['record_type']}) {where}"
    click.secho(f"{one['file']}: {place}", bold=True)
    for row in one["rows"]:
        click.echo(f"  {row['entity']} {row['source_ref']}  [{row['mapping_id']}]")
        for field in row["fields"]:
            for source in field["sources"]:
                click.echo(
                    f"      X'{source['hex']}' at byte {source['offset']:,}{_other(source, one)} → {source['path']} = "
                    f"{source['decoded']}"
                )
            for step in field["steps"]:
                click.echo(f"      {step['name']} = {step['expression']}")
            click.echo(f"    {field['name']} = {field['value']}    ← {field['expression']}")
    for kind in ("faults", "notes"):
        for fault in one[kind]:
            click.echo(f"  {kind.removesuffix('s')}: {fault['code']} in {fault['field']} of {fault['table']}")


def _other(source: dict[str, Any], shown: dict[str, Any]) -> str:
    """Where a field stands, if in another record than the one that is shown."""
    return f" of record {source['record']:,}" if source["record"] != shown["record"] else ""


@click.command()
@click.argument("connector")
@click.option("--over", metavar="PATH|stored", help=f"Also look at data. {_OVER}")
@json_option
@click.pass_obj
def coverage(invocation: Invocation, connector: str, over: str | None, as_json: bool) -> None:
    """Say what the mapping of CONNECTOR leaves out: source fields never used, canonical fields never filled.

    With `--over` also the codes of its lists that the data never has, and fields that are empty in every row.
    """
    with invocation.hub(trial=True) as hub:
        files = [] if over is None else _files(hub, connector, over)
        found = hub.analyst.workbench(connector).coverage(files).as_dict()
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['connector']}: {found['source_fields']} source fields")
    for name, rows in found.items():
        if isinstance(rows, list):
            click.echo(f"{name.replace('_', ' ')}: {len(rows)}")
            for row in rows:
                click.echo(f"  {' '.join(repr(value) if key == 'code' else value for key, value in row.items())}")


@click.command()
@click.argument("connector")
@click.argument("before")
@click.argument("after")
@click.option("--over", metavar="PATH|stored", default=STORED, show_default=True, help=_OVER)
@json_option
@click.pass_obj
def diff(invocation: Invocation, connector: str, before: str, after: str, over: str, as_json: bool) -> None:
    """Show what the version AFTER of a mapping changes in past data: counts, pence by owner, examples.

    BEFORE and AFTER are `installed`, `kept` (the version last put to work here), a folder of specs (its code lists in
    `codes` beside it), or a kept version by its digits or a mapping id.
    """
    from integrationhub.workbench.archive import version_of

    with invocation.hub(trial=True) as hub:
        sides = [hub.analyst.version(connector, name) for name in (before, after)]
        found = hub.analyst.workbench(connector).difference(sides[0], sides[1], _files(hub, connector, over))
        versions = [version_of(side) for side in sides]
    shown = {"connector": connector, "before": versions[0], "after": versions[1], **found.as_dict()}
    if as_json:
        print_json(shown)
    else:
        _tell_difference(shown)


def _tell_difference(found: dict[str, Any]) -> None:
    click.echo(f"{found['before']} → {found['after']} over {found['files']} files, {found['records']:,} records")
    if found["same"]:
        click.echo("no canonical value changes")
        return
    rows = [
        (one["entity"], *(f"{one[what]:,}" for what in ("before", "after", "added", "removed", "changed")))
        for one in found["entities"]
        if one["added"] or one["removed"] or one["changed"]
    ]
    print_table(("entity", "rows before", "rows after", "added", "removed", "changed"), rows)
    fields = [(one["entity"], field) for one in found["entities"] for field in one["fields"]]
    if fields:
        click.echo()
        print_table(("field", "owner", "values", "up", "down", "net"), [_field_row(*item) for item in fields])
    quarantine = found["quarantine"]
    for what in ("entered", "left"):
        if quarantine[what]:
            groups = ", ".join(quarantine["groups"].get(what, ()))
            click.echo(
                f"groups that {'enter' if what == 'entered' else 'leave'} quarantine: {quarantine[what]} ({groups})"
            )
    click.echo("examples")
    for one in found["examples"]:
        field = one["field"] or "row"
        click.echo(
            f"  {one['entity']} {one['source_ref']} record {one['record']:,}: {field} {one['before']} → {one['after']}"
        )


def _field_row(entity: str, field: dict[str, Any]) -> tuple[str, ...]:
    name = (f"{entity}.{field['field']}", field["owner"] or "", f"{field['count']:,}")
    if "net_pence" not in field:
        return (*name, "", "", "")
    return (*name, *(f"£{field[part] / 100:,.2f}" for part in ("up_pence", "down_pence", "net_pence")))


@click.command()
@click.argument("connector")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with charts to this file.")
@json_option
@click.pass_obj
def profile(invocation: Invocation, connector: str, paths: Iterable[Path], html: Path | None, as_json: bool) -> None:
    """Judge the data quality of files of CONNECTOR before mapping, on six dimensions.

    Completeness, uniqueness, consistency, timeliness, validity, accuracy. No personal value is shown.
    """
    from integrationhub.quality.page import page
    from integrationhub.workbench.files import files_in

    with invocation.hub(trial=True) as hub:
        descriptor = hub.catalogue.connector(connector)
        files = [file for path in paths for file in files_in(path, descriptor)]
        found = hub.analyst.workbench(connector).quality(files)
    if html is not None:
        html.write_text(page(found), encoding="utf-8")
    if as_json:
        print_json(found.as_dict())
        return
    headings = ("dimension", "score", "measured", "at fault", "what")
    print_table(
        headings, [(one.name, one.percent, f"{one.total:,}", f"{one.faulty:,}", one.what) for one in found.scores]
    )
    click.echo()
    rows = list(found.field_rows())
    print_table(("table", "field", "rows", "filled", "at fault", "placeholders", "earliest", "latest"), rows)
