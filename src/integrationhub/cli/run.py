"""`integrationhub run`: the daemon."""

import click

from integrationhub.cli.invocation import Invocation


@click.command()
@click.option("--connector", "names", multiple=True, metavar="NAME", help="Only these connectors (default: all).")
@click.pass_obj
def run(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Take what arrives, store it, publish what changed, until SIGTERM; then finish what is in hand and end.

    A second SIGTERM ends at once; what was half done is taken up at the next start. Files are taken from the inbox
    folders (`integrationhub init` makes them) and from notices on the queue integrationhub.files.
    """
    from integrationhub.daemon.service import Daemon

    overrides = invocation.settings.connectors
    wanted = names or tuple(
        name for name in invocation.catalogue.names() if name not in overrides or overrides[name].enabled
    )
    with invocation.hub() as hub:
        return Daemon(hub, [invocation.catalogue.connector(name).name for name in wanted]).run()
