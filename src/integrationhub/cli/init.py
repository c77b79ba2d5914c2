"""`integrationhub init`: a place to work in."""

import os
from pathlib import Path

import click

from integrationhub.cli.invocation import Invocation


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.pass_obj
def init(invocation: Invocation, directory: Path) -> None:
    """Write a commented configuration file and the folders into DIRECTORY (default: here).

    What is there already stays as it is, so it can be run again after connectors were added.
    """
    from integrationhub import config

    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / config.FILE_NAME
    if file.exists():
        click.echo(f"kept     {file}")
    else:
        _write(file, config.template())
        click.echo(f"written  {file}")
    settings = config.load(options=invocation.options, file=file).settings
    inboxes = [directory / settings.inbox(name) for name in invocation.catalogue.names()]
    for folder in [*inboxes, directory / settings.data_dir / "outgoing"]:
        state = "kept    " if folder.is_dir() else "written "
        folder.mkdir(parents=True, exist_ok=True)
        click.echo(f"{state} {folder}{os.sep}")
    click.echo("Next: integrationhub config check, then drop files into an inbox folder.")


def _write(file: Path, text: str) -> None:
    """Whole or not at all: a half-written configuration would be worse than none."""
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)
