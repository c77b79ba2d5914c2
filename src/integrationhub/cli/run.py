"""`integrationhub run`: the daemon."""

import click

from integrationhub.cli.invocation import Invocation


@click.command()
@click.option("--connector", "names", multiple=True, metavar="NAME", help="Only these connectors (default: all).")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that take messages."
)
@click.pass_obj
def run(invocation: Invocation, names: tuple[str, ...], workers: int) -> int:
    """Take what arrives, store it, publish what changed, until SIGTERM; then finish what is in hand and end.

    A second SIGTERM ends at once; what was half done is taken up at the next start. SIGHUP reads connectors and
    mappings anew. Messages are taken from the queue integrationhub.CONNECTOR of each connector that has any; files from
    the inbox folders (`integrationhub init` makes them) and from notices on the queue integrationhub.files.
    """
    from integrationhub.daemon.service import Daemon

    with invocation.hub() as hub:
        return Daemon(hub, names, workers).run()
