"""`migrate segment` and `group`: who may move."""

import sys
from datetime import datetime
from typing import Any

import click

from integrationhub.cli.arrears import PERSONAL
from integrationhub.cli.invocation import Invocation
from integrationhub.cli.migrate.options import DATE, day_of, plan_argument, pounds, run_option
from integrationhub.cli.output import json_option, print_json, print_table


@click.command()
@plan_argument
@click.option("--as-at", type=DATE, metavar="DATE", help="The day; default: that of the newest file.")
@run_option
@json_option
@click.pass_obj
def segment(invocation: Invocation, plan_name: str, as_at: datetime | None, run_id: str | None, as_json: bool) -> None:
    """Show cases per segment, groups per wave, who stays out and why, and how the pilot compares."""
    from integrationhub.migration.desk import segments

    with invocation.hub(trial=True) as hub:
        found = segments(hub.handling(plan_name, run_id), day_of(as_at))
    if as_json:
        print_json(found)
        return
    click.echo(f"{plan_name} as at {found['as_at']}: {found['groups']:,} case groups, {found['cases']:,} cases\n")
    rows = [(name, f"{item['groups']:,}", f"{item['cases']:,}") for name, item in found["segments"].items()]
    print_table(("segment", "groups", "cases"), rows)
    click.echo()
    _print_waves(found)
    if found["exclusions"]:
        click.echo()
        kept_out = [(item["code"], f"{item['groups']:,}", item["reason"]) for item in found["exclusions"]]
        print_table(("stays out", "groups", "because"), kept_out)
    if found["held_codes"]:
        click.echo(f"exceptions: {', '.join(f'{code} {count}' for code, count in found['held_codes'].items())}")
    _print_pilot(found["pilot"])


def _print_waves(found: dict[str, Any]) -> None:
    rows = [
        (
            item["wave"], f"{item['groups']:,}", f"{item['cases']:,}",
            " ".join(f"{name}:{count}" for name, count in item["segments"].items()),
            pounds(item["rp_pence"]), pounds(item["sos_pence"]), pounds(item["custodian_pence"]),
        )
        for item in found["waves"]
    ]  # fmt: skip
    print_table(("wave", "groups", "cases", "segments", "RP", "SoS", "custodian"), rows)
    if found["left"]:
        click.echo(f"{found['left']:,} groups that could move are in no wave")


def _print_pilot(pilot: dict[str, Any] | None) -> None:
    if pilot is None:
        return
    click.echo(f"\n{pilot['verdict']}")
    rows = [
        (item["trait"], f"{item['pilot_percent']:.1f} %", f"{item['population_percent']:.1f} %", item["points_apart"])
        for item in pilot["traits"]
    ]
    print_table(("trait", "pilot", "population", "points apart"), rows)


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--as-at", type=DATE, metavar="DATE", help="The day; default: that of the newest file.")
@json_option
@click.pass_obj
def group(invocation: Invocation, reference: str, as_at: datetime | None, as_json: bool) -> None:
    """Show one case group. REF: its identifier, or a case's identifier or reference; - reads it from stdin."""
    if PERSONAL.search(reference):
        raise click.UsageError("references of the 2003 scheme are personal: give - and write the reference to stdin")
    wanted = sys.stdin.readline().strip() if reference == "-" else reference
    with invocation.hub(trial=True) as hub:
        found = hub.group_desk().show(wanted, as_at=day_of(as_at))
    if as_json:
        print_json(found)
        return
    frozen = " (frozen by its notice)" if found["segment_frozen"] else ""
    click.echo(f"case group {found['group']}\nas at {found['as_at']}, segment {found['segment']}{frozen}")
    if found["exceptions"]:
        click.echo(f"held for {', '.join(found['exceptions'])}")
    parts = [
        (item["person"], item["name"], " ".join(f"{part['role']}:{part['case'][:8]}" for part in item["parts"]))
        for item in found["parties"]
    ]
    click.echo()
    print_table(("person", "name", "part in cases"), parts)
    click.echo()
    _print_debts(found)
    if found["history"]:
        click.echo()
        history = [
            (item["at"], item["step"], item["outcome"], _named(item), item["reason"]) for item in found["history"]
        ]
        print_table(("at", "step", "outcome", "by", "reason"), history)


def _named(item: dict[str, Any]) -> str:
    return f"{item['by']}{'' if item['authenticated'] else ' (unauthenticated)'}"


def _print_debts(found: dict[str, Any]) -> None:
    rows = []
    for case in found["cases"]:
        named = (case["case"][:8], case["scheme"], case["outcome"], case["segment"], case["relation"])
        for debt in case["debts"] or [{}]:
            amounts = [debt.get(f"{what}_pence") for what in ("source", "recomputed", "accepted")]
            rows.append(
                (*named, debt.get("owner"), *("" if pence is None else pounds(pence) for pence in amounts),
                 debt.get("write_off"), found["references"].get(case["case"]))
            )  # fmt: skip
    headings = ("case", "scheme", "outcome", "segment", "relation", "owner", "source", "recomputed", "accepted",
                "write-off class", "target reference")  # fmt: skip
    print_table(headings, rows)
