"""`migrate handover`: the files that wait for the source systems."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json

if TYPE_CHECKING:
    from integrationhub.migration.handover.outgoing import Handed


def tell_files(files: "Iterable[Handed]") -> None:
    """Say on stderr which files lie ready for the source systems."""
    for item in files:
        click.echo(f"handed out: {item.path} ({item.records:,} records)", err=True)


@click.command()
@json_option
@click.pass_obj
def handover(invocation: Invocation, as_json: bool) -> None:
    """Put every notice that waits into return files, and files into the outgoing folders.

    `transfer`, `backout` and `close` do the same when they end; this is for after a killed one, or a removed file.
    Answers come back through `integrationhub ingest csa1993|csa2003 FILE`.
    """
    with invocation.hub() as hub:
        files = hub.handover().hand_over()
    if as_json:
        print_json(
            [
                {"path": str(item.path), "sha256": item.sha256, "bytes": item.size, "records": item.records}
                for item in files
            ]
        )
        return
    tell_files(files)
    if not files:
        click.echo("nothing waits to be handed out")
