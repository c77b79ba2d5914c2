"""`integrationhub replay` and `state`: recorded traffic as it would have run, and what came of it."""

from pathlib import Path

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table
from integrationhub.errors import NotFound


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--order", required=True, type=click.Path(path_type=Path), help="One JSON line a delivery.")
@click.option("--setup", type=click.Path(path_type=Path, file_okay=False), help="Folder that may hold sequences.json.")
@json_option
@click.pass_obj
def replay(invocation: Invocation, directory: Path, order: Path, setup: Path | None, as_json: bool) -> None:
    """Take the deliveries that --order lists, from DIRECTORY, in that order; "now" is when each one was received.

    An order line is a JSON object with feed, paths (relative to DIRECTORY) and, if known, received_at. With --setup,
    test identities count as usable, and sequences.json gives the next sequence number of a feed.
    """
    from integrationhub.replay import begin_sequences, read_order
    from integrationhub.replay import replay as run_order

    if not order.is_file():
        raise NotFound(f"there is no order file {order.name}", remedy="name a file with one JSON line a delivery")
    lines = read_order(order.read_text(encoding="utf-8").splitlines())
    with invocation.hub(synthetic_identities=setup is not None) as hub:
        if setup is not None:
            begin_sequences(setup, hub.store)
        for result in run_order(lines, directory, pipeline=hub.pipeline, start=hub.clock()):
            if as_json:
                print_json(result)
            else:
                click.echo(
                    f"{result['feed']} {' '.join(result['paths'])}: {result['outcome']} {result['reason'] or ''}"
                )


@click.command()
@click.option("--as-at", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The date on which holds are judged.")
@json_option
@click.pass_obj
def state(invocation: Invocation, as_at: object, as_json: bool) -> None:  # noqa: ARG001 - no feed sets holds yet
    """Print the canonical state: debts with status and balances, suspense, events by type."""
    from integrationhub.store.state import read_state

    with invocation.hub(trial=True) as hub, hub.store.read() as connection:
        current = read_state(connection)
    if as_json:
        print_json(current)
        return
    debts = current["debts"].values()
    total = sum(debt["balance_pence"] or 0 for debt in debts)
    click.echo(f"{len(debts):,} debts, balances {total:,} pence; {current['suspense_count']:,} receipts in suspense")
    print_table(("event", "number"), list(current["events_internal"].items()))
