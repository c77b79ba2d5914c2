"""`integrationhub trace`: from a canonical row back to its source bytes, and on to what was published."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json
from integrationhub.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from integrationhub.bootstrap import Hub
    from integrationhub.intake.tracing import Trace


@click.command()
@click.argument("reference")
@json_option
@click.pass_obj
def trace(invocation: Invocation, reference: str, as_json: bool) -> None:
    """Show where the rows called REFERENCE came from: file, record, byte offset, bytes, expression, mapping version.

    REFERENCE is an opaque identifier, a source reference that is not personal (a case, a group, `case/line`), or - to
    read it from stdin. Personal values and their bytes are masked.
    """
    wanted = sys.stdin.readline().strip() if reference == "-" else reference
    with invocation.hub(trial=True) as hub, hub.store.read() as connection:
        found = [_told(connection, item) for item in _traces(hub, connection, wanted)]
    if not found:
        raise NotFound(
            "nothing is stored under that reference",
            remedy="give an identifier from `integrationhub export`, or a case reference as the source writes it",
        )
    if as_json:
        print_json(found)
        return
    for row in found:
        _print(row)


def _traces(hub: "Hub", connection: "Connection", reference: str) -> "Iterator[Trace]":
    from integrationhub.store.slices import Slices
    from integrationhub.store.trace import by_identifier, by_reference, of_debt

    bare = reference.removeprefix("93:")
    rows = by_identifier(connection, bare.replace("-", "")) or by_reference(connection, bare)
    for row in rows:
        for item in [row, *(of_debt(connection, row.identifier) if row.entity == "debts" else [])]:
            assert item.delivery is not None  # every canonical row came in a delivery
            slices = Slices(connection).all(item.delivery.delivery_id)
            yield hub.tracer(item.delivery.connector).trace(item, slices)


def _told(connection: "Connection", item: "Trace") -> dict[str, Any]:
    """A trace as JSON, with the events that were published of the row."""
    from dataclasses import asdict

    from integrationhub.store.trace import events_of

    return {**asdict(item), "events": events_of(connection, item.identifier)}


def _print(row: dict[str, Any]) -> None:
    click.secho(f"{row['entity']} {row['identifier']}", bold=True)
    click.echo(f"  file    {row['file']}  sha256 {row['sha256']}")
    click.echo(f"  record  {row['record']:,} at byte {row['offset']:,}, {row['length']} bytes")
    click.echo(f"  mapping {row['mapping_id']}")
    for field in row["fields"]:
        click.echo(f"  {field['name']} = {field['value']}    ← {field['expression']}")
        for source in field["sources"]:
            click.echo(f"      {source['name']} at byte {source['offset']:,}: X'{source['hex']}'")
    for event in row["events"]:
        state = f"published {event['published_at']}" if event["published_at"] else "not published yet"
        click.echo(f"  event   {event['type']} {event['event_id']} to {event['audience']}: {state}")
