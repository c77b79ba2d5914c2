"""`integrationhub config`: the settings in effect, where each came from, and everything that is wrong with them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table
from integrationhub.errors import ConfigurationError

if TYPE_CHECKING:
    from integrationhub.catalogue import Catalogue
    from integrationhub.config import Settings


@click.group()
def config() -> None:
    """Check or show the settings in effect."""


@config.command()
@json_option
@click.pass_obj
def check(invocation: Invocation, as_json: bool) -> int:
    """Print every fault of the configuration at once; exits 2 when there is one."""
    try:
        faults = list(_faults_of_use(invocation.settings, invocation.catalogue))
    except ConfigurationError as exc:
        faults = list(exc.faults)
    if as_json:
        print_json({"faults": faults})
    else:
        for fault in faults:
            click.echo(f"- {fault}")
        click.echo(f"{len(faults)} fault{'' if len(faults) == 1 else 's'}")
    return ConfigurationError.exit_code if faults else 0


def _faults_of_use(settings: "Settings", catalogue: "Catalogue") -> Iterator[str]:
    """What only shows when the settings meet the machine and the catalogue."""
    known = catalogue.names()
    for name in settings.connectors:
        if name not in known:
            yield f"connectors.{name}: there is no such connector; known: {', '.join(known)}"
    if settings.keys_file and not settings.keys_file.is_file():
        yield "keys_file: the file does not exist"
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        yield "data_dir: this is no directory"
    for folder in settings.catalogue_folders:
        if not folder.is_dir():
            yield f"catalogue_folders: {folder.name} is no directory"


@config.command()
@json_option
@click.pass_obj
def show(invocation: Invocation, as_json: bool) -> None:
    """Print the settings in effect, passwords masked, and where each came from."""
    rows = list(invocation.effective.shown())
    if as_json:
        print_json({name: {"value": value, "origin": origin} for name, value, origin in rows})
    else:
        print_table(["setting", "value", "from"], rows)
