"""`integrationhub connector`: the connectors known, and one in detail."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from integrationhub.cli.feed import pause, resume
from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table
from integrationhub.errors import ConfigurationError

if TYPE_CHECKING:
    from integrationhub.decode.copybook import Item
    from integrationhub.sdk.descriptor import Descriptor


@click.group()
def connector() -> None:
    """List the connectors, show one in detail, hold one, let it go on."""


connector.add_command(pause)
connector.add_command(resume)


@connector.command("list")
@json_option
@click.pass_obj
def list_connectors(invocation: Invocation, as_json: bool) -> None:
    """Print all connectors: shipped, local and of installed packages."""
    rows = [_row(invocation, name) for name in invocation.catalogue.names()]
    if as_json:
        print_json(rows)
        return
    headings = ("name", "version", "title", "aliases", "origin", "state")
    print_table(headings, [[row[heading] for heading in headings] for row in rows])


def _row(invocation: Invocation, name: str) -> dict[str, object]:
    overrides = invocation.settings.connectors.get(name)
    row: dict[str, object] = {"name": name, "version": None, "title": None, "aliases": []}
    row["origin"] = invocation.catalogue.origin(name)
    row["state"] = "disabled" if overrides and not overrides.enabled else "enabled"
    try:
        found = invocation.catalogue.connector(name)
    except ConfigurationError as exc:
        return {**row, "state": "faulty", "title": exc.text}
    return {**row, "version": found.version, "title": found.title, "aliases": list(found.aliases)}


@connector.command()
@click.argument("name")
@click.option("--layout", is_flag=True, help="Print the record layout: position, length and type of every field.")
@json_option
@click.pass_obj
def show(invocation: Invocation, name: str, layout: bool, as_json: bool) -> None:
    """Print one connector: how its input arrives, what is checked, which mapping it uses."""
    found = invocation.catalogue.connector(name)
    if layout:
        _show_layout(found, as_json=as_json)
        return
    facts = {**_facts(found, invocation), "origin": invocation.catalogue.origin(found.name)}
    if as_json:
        print_json(facts)
    else:
        print_table(("property", "value"), list(facts.items()))


def _facts(found: "Descriptor", invocation: Invocation) -> dict[str, object]:
    delivery, codes = found.delivery, {**found.delivery.codes.model_dump(), **found.check_codes.model_dump()}
    return {
        "name": found.name,
        "version": found.version,
        "title": found.title,
        "source_system": found.connector.source_system,
        "document": found.connector.document,
        "aliases": list(found.aliases),
        "transports": list(delivery.transports),
        "inbox": str(invocation.settings.inbox(found.name)),
        "file": " or ".join(delivery.patterns),
        "first_sequence": delivery.first_sequence,
        "deadline": delivery.deadline,
        **_layout_facts(found),
        "codes": [f"{check} {code}" for check, code in codes.items()],
        "mappings": found.connector.mappings,
        "folder": str(found.folder),
    }


def _layout_facts(found: "Descriptor") -> dict[str, object]:
    facts: dict[str, object] = {"format": found.format, "layout": found.layout_file, "controls": list(found.totals)}
    if found.records is not None:
        types = [f"{kind} {record}" for kind, record in found.layout.record_types.items()]
        facts |= {"encoding": found.layout.encoding, "record_types": types}
    return facts


def _show_layout(found: "Descriptor", *, as_json: bool) -> None:
    """Positions count from 1 as a mainframe listing does; every table stands at its largest size."""
    from integrationhub.decode.copybook import parse_copybook

    copybook = parse_copybook(found.copybook_text, name=found.layout.copybook)
    rows = [_layout_row(item) for record in copybook.records for item in record.walk()]
    if as_json:
        print_json(rows)
        return
    headings = ("level", "name", "start", "end", "length", "picture", "usage", "occurs", "redefines")
    print_table(headings, [[_indented(row) if key == "name" else row[key] for key in headings] for row in rows])


def _layout_row(item: "Item") -> dict[str, object]:
    return {
        "level": f"{item.level:02}",
        "name": item.name,
        "depth": len(item.path) - 1,
        "start": item.offset + 1,
        "end": item.offset + item.extent,
        "length": item.length,
        "picture": item.picture.text if item.picture else None,
        "usage": None if item.is_group else " ".join(_usage(item)),
        "occurs": " ".join(_occurs(item)) or None,
        "redefines": item.redefines,
    }


_COBOL = {
    "BINARY": "COMP",
    "NATIVE": "COMP-5",
    "PACKED": "COMP-3",
    "PACKED_UNSIGNED": "COMP-6",
    "FLOAT": "COMP-1",
    "DOUBLE": "COMP-2",
    "DBCS": "DISPLAY-1",
}
"""Usages as copybooks spell them, where that is not the usage's own name."""


def _usage(item: "Item") -> Iterator[str]:
    yield _COBOL.get(item.usage, str(item.usage))
    if item.sign.leading:
        yield "LEADING"
    if item.sign.separate:
        yield "SEPARATE"


def _occurs(item: "Item") -> Iterator[str]:
    if item.occurs is None:
        return
    yield f"{item.occurs.most}" if item.occurs.depending_on is None else f"{item.occurs.least}-{item.occurs.most}"
    if item.occurs.depending_on:
        yield f"by {item.occurs.depending_on}"


def _indented(row: dict[str, object]) -> str:
    return "  " * int(str(row["depth"])) + str(row["name"])
