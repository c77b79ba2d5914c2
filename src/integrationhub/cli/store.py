"""`integrationhub store`: bring the schema up to date; prove every invariant over the whole store."""

from dataclasses import asdict

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table

BROKEN = 6
"""Exit code when an invariant does not hold."""


@click.group()
def store() -> None:
    """Bring the store up to date; check every invariant over it."""


@store.command()
@click.pass_obj
def upgrade(invocation: Invocation) -> None:
    """Bring the database to this version's schema revision. Safe to run again; stop the daemon before."""
    from pathlib import Path

    from integrationhub.store import upgrade as revisions
    from integrationhub.store.engine import open_engine

    url = invocation.settings.store_url
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = open_engine(url)
    try:
        before = revisions.upgrade(engine)
    finally:
        engine.dispose()
    was = "up to date before" if before == revisions.HEAD else f"before: {before or 'no tables'}"
    click.echo(f"schema revision {revisions.HEAD} ({was})")


@store.command()
@json_option
@click.pass_obj
def check(invocation: Invocation, as_json: bool) -> int:
    """Check every invariant over the whole store. Exit code 6 when one does not hold."""
    from integrationhub.store.invariants import check as check_all

    with invocation.hub(trial=True) as hub, hub.store.read() as connection:
        findings = check_all(connection)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [(item.invariant, item.holds, item.count) for item in findings]
        print_table(("invariant", "holds", "violations"), rows)
        for item in findings:
            for example in item.examples:
                click.echo(f"  {item.invariant}: {example}", err=True)
    return 0 if all(item.holds for item in findings) else BROKEN
