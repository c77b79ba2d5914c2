"""`integrationhub replay` and `state`: recorded traffic as it would have run, and what came of it."""

from datetime import datetime
from pathlib import Path

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table
from integrationhub.errors import NotFound


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--order", required=True, type=click.Path(path_type=Path), help="One JSON line a delivery.")
@click.option("--setup", type=click.Path(path_type=Path, file_okay=False), help="Folder of what is known before.")
@json_option
@click.pass_obj
def replay(invocation: Invocation, directory: Path, order: Path, setup: Path | None, as_json: bool) -> None:
    """Take the deliveries that --order lists, from DIRECTORY, in that order; "now" is when each one was received.

    An order line is a JSON object with feed, with paths (relative to DIRECTORY), or capture and n for a recorded
    message, and, if known, received_at. With --setup, test identities count as usable, and the folder's files say what
    is known before: keys.json the keys of signed and encrypted feeds, sequences.json the next number of a feed,
    known-cases.json child maintenance cases, cis-requests.json questions that wait for an answer.
    """
    from integrationhub.intake.units.heard import Hearing
    from integrationhub.replay import Takers, begin, read_order
    from integrationhub.replay import replay as run_order

    if not order.is_file():
        raise NotFound(f"there is no order file {order.name}", remedy="name a file with one JSON line a delivery")
    lines = read_order(order.read_text(encoding="utf-8").splitlines())
    with invocation.hub(synthetic_identities=setup is not None, keys_file=_keys_in(setup)) as hub:
        if setup is not None:
            begin(setup, hub.store, connector_of=lambda name: hub.catalogue.connector(name).name, now=hub.clock())
        hub.hearing = Hearing()
        takers = Takers(pipeline=hub.pipeline, captures=hub.captures, hearing=hub.hearing)
        for result in run_order(lines, directory, takers=takers, start=hub.clock()):
            if as_json:
                print_json(result)
            else:
                what = " ".join(result["paths"]) if "paths" in result else f"{result['capture']} {result['n']}"
                click.echo(f"{result['feed']} {what}: {result['outcome']} {result['reason'] or ''}")


def _keys_in(setup: Path | None) -> Path | None:
    """The keys that a setup folder brings."""
    found = None if setup is None else setup / "keys.json"
    return found if found is not None and found.is_file() else None


@click.command()
@click.option("--as-at", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The date on which holds are judged.")
@json_option
@click.pass_obj
def state(invocation: Invocation, as_at: datetime | None, as_json: bool) -> None:
    """Print the canonical state: debts with status and balances, suspense, events by type."""
    from integrationhub.store.state import read_state

    with invocation.hub(trial=True) as hub, hub.store.read() as connection:
        current = read_state(connection, as_at=(as_at or hub.clock()).date())
    if as_json:
        print_json(current)
        return
    debts = current["debts"].values()
    total = sum(debt["balance_pence"] or 0 for debt in debts)
    click.echo(f"{len(debts):,} debts, balances {total:,} pence; {current['suspense_count']:,} receipts in suspense")
    print_table(("event", "number"), list(current["events_internal"].items()))
