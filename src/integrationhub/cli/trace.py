"""`integrationhub trace`: from a canonical row back to its source bytes, and on to what was published."""

import sys
from dataclasses import asdict
from typing import Any

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json
from integrationhub.errors import NotFound


@click.command()
@click.argument("reference")
@json_option
@click.pass_obj
def trace(invocation: Invocation, reference: str, as_json: bool) -> None:
    """Show where the rows called REFERENCE came from: file, record, byte offset, bytes, expression, mapping version.

    REFERENCE is an opaque identifier, a source reference that is not personal (a case, a group, `case/line`), or - to
    read it from stdin. Personal values and their bytes are masked. The id of a message, or of its delivery, shows what
    became of the message, the rows that it made and what was published because of it.
    """
    wanted = sys.stdin.readline().strip() if reference == "-" else reference
    with invocation.hub(trial=True) as hub:
        messages = hub.analyst.messages(wanted)
        found = [{**asdict(item), "events": events} for item, events in hub.analyst.traces(wanted)]
    if not found and not messages:
        raise NotFound(
            "nothing is stored under that reference",
            remedy="give an identifier from `integrationhub export`, or a case reference as the source writes it",
        )
    if as_json:
        print_json([*messages, *found])
        return
    for message in messages:
        _print_message(message)
    for row in found:
        _print(row)


def _print_message(message: dict[str, Any]) -> None:
    click.secho(f"message {message['message_id']}", bold=True)
    reasons = "; ".join(f"{reason['code']}: {reason['text']}" for reason in message["reasons"])
    click.echo(f"  {message['outcome']} {reasons}".rstrip())
    click.echo(f"  connector {message['connector']}, received {message['received_at']}")
    click.echo(f"  delivery {message['delivery_id']}, {message['bytes']:,} bytes, sha256 {message['sha256']}")
    for row in message["rows"]:
        click.echo(f"  made    {row['entity']} {row['identifier']}")
    for event in message["case_events"]:
        click.echo(f"  event {event['case_seq']} of case {event['case_id']}: {event['kind']}")
    _print_events(message["events"])


def _print(row: dict[str, Any]) -> None:
    click.secho(f"{row['entity']} {row['identifier']}", bold=True)
    click.echo(f"  file    {row['file']}  sha256 {row['sha256']}")
    line = f", line {row['line']:,}" if row["line"] else ""
    click.echo(
        f"  record  {row['record']:,} at byte {row['offset']:,} of the {row['within']}{line}, {row['length']} bytes"
    )
    click.echo(f"  mapping {row['mapping_id']}")
    for field in row["fields"]:
        click.echo(f"  {field['name']} = {field['value']}    ← {field['expression']}")
        for source in field["sources"]:
            other = f" of record {source['record']:,}" if source["record"] != row["record"] else ""
            click.echo(f"      {source['path']}{other} at byte {source['offset']:,}: X'{source['hex']}'")
    _print_events(row["events"])


def _print_events(events: list[dict[str, Any]]) -> None:
    for event in events:
        state = f"published {event['published_at']}" if event["published_at"] else "not published yet"
        click.echo(f"  event   {event['type']} {event['event_id']} to {event['audience']}: {state}")
