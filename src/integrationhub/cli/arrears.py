"""`integrationhub arrears`: judge cases by the written rules, and say why they come to what they do."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table, progress

if TYPE_CHECKING:
    from datetime import datetime

BROKEN = 6
"""Exit code when a control total does not hold."""

PERSONAL = re.compile(r"[A-Z]{2}\d{6}[A-D ]?/\d\d")
"""References of the 2003 scheme: they hold a National Insurance number."""

_as_at = click.option(
    "--as-at", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day; default: that of the newest file."
)


@click.group()
def arrears() -> None:
    """Judge cases by the written rules; explain them; prove the totals."""


@arrears.command()
@click.option("--all", "everything", is_flag=True, help="Judge every case anew, changed or not.")
@json_option
@click.pass_obj
def judge(invocation: Invocation, everything: bool, as_json: bool) -> None:
    """Judge the cases that files have changed. `ingest` and the daemon do so by themselves."""
    with invocation.hub() as hub, progress("cases") as advance:
        judged = hub.judging().run(everything=everything, progress=advance)
        hub.publish_waiting()
    if as_json:
        print_json({"groups": judged.groups, "cases": judged.cases})
    else:
        click.echo(f"{judged.groups:,} source groups had changed, {judged.cases:,} cases judged")


@arrears.command()
@click.argument("case")
@_as_at
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to this file as HTML.")
@click.pass_obj
def explain(invocation: Invocation, case: str, as_at: "datetime | None", html: Path | None) -> None:
    """Show how a case comes to its figures: source ledger, findings, corrections, arithmetic line by line.

    CASE is an opaque identifier, a reference that is not personal, or - to read the reference from stdin.
    """
    if PERSONAL.search(case):
        raise click.UsageError("references of the 2003 scheme are personal: give - and write the reference to stdin")
    wanted = sys.stdin.readline().strip() if case == "-" else case
    with invocation.hub(trial=True) as hub:
        page = hub.arrears_desk().explain(wanted, as_at=as_at.date() if as_at else None)
    if html is None:
        click.echo(page.text())
    else:
        html.write_text(page.html(), encoding="utf-8")


@arrears.command()
@_as_at
@json_option
@click.pass_obj
def groups(invocation: Invocation, as_at: "datetime | None", as_json: bool) -> None:
    """List case groups over all books with their segments."""
    with invocation.hub(trial=True) as hub:
        found = hub.arrears_desk().groups(as_at.date() if as_at else None)
    if as_json:
        print_json(found)
    else:
        print_table(("group", "cases", "segment"), [(item["group"], item["cases"], item["segment"]) for item in found])


@arrears.command()
@json_option
@click.pass_obj
def totals(invocation: Invocation, as_json: bool) -> int:
    """Prove that source = accepted - corrections + held, to the penny. Exit code 6 when it is not so."""
    from dataclasses import asdict

    with invocation.hub(trial=True) as hub:
        found = hub.arrears_desk().totals()
    if as_json:
        print_json([{**asdict(item), "net": item.net, "holds": item.holds} for item in found])
    else:
        headings = ("figure", "source", "accepted", "held", "gross over", "gross under", "net", "holds")
        print_table(
            headings,
            [
                (item.figure, *(f"{pence:,}" for pence in (item.source, item.accepted, item.held, item.gross_over,
                                                           item.gross_under, item.net)), item.holds)
                for item in found
            ],
        )  # fmt: skip
    return 0 if all(item.holds for item in found) else BROKEN
