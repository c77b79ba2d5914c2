"""`migrate rehearse`, `gate`, `approve`: what must be true, and who says so, before anything moves."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.migrate.options import (
    DATE,
    any_wave_option,
    day_of,
    plan_argument,
    reason_option,
    run_option,
    said,
    wave_option,
)
from integrationhub.cli.output import json_option, print_json, print_table, progress

if TYPE_CHECKING:
    from integrationhub.migration.gates import Measured

BROKEN = 6
"""Exit code when a gate does not hold, or a rehearsal has changed something."""


@click.command()
@plan_argument
@any_wave_option
@click.option("--as-at", type=DATE, metavar="DATE", help="The day of segments and labels; default: the newest file's.")
@click.option("--new-run", is_flag=True, help="Begin the plan's next run; the current one must be done with.")
@as_option
@run_option
@json_option
@click.pass_obj
def rehearse(
    invocation: Invocation,
    plan_name: str,
    wave: str | None,
    as_at: datetime | None,
    new_run: bool,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> int:
    """Run the very steps of the live run and roll them back; prove that nothing has changed; forecast the window.

    Exit code 6 when something has changed meanwhile: hold the feeds and rehearse again.
    """
    from integrationhub.migration.rehearsal import rehearse as run_rehearsal

    actor = invocation.actor(who)
    with invocation.hub() as hub, progress("groups rehearsed") as advance:
        handling = hub.handling(plan_name, run_id)
        waves = [handling.wave(wave)] if wave else list(handling.bound.plan.waves())
        found = run_rehearsal(handling, actor, waves, as_at=day_of(as_at), new_run=new_run, progress=advance)
        plan_hash = handling.bound.hash
    passed = all(one.verdict == "PASSED" for one in found)
    if as_json:
        rows = [
            {"wave": one.wave, "verdict": one.verdict, "rehearsal": one.rehearsal_id, **one.report} for one in found
        ]
        print_json({"plan": plan_name, "plan_hash": plan_hash, "by": actor.name, "rehearsals": rows})
        return 0 if passed else BROKEN
    for one in found:
        _print_rehearsal(one.wave, one.verdict, dict(one.report))
    follows = (
        "a second person runs: integrationhub migrate approve {} --wave {} --as WHO --reason TEXT"
        if passed
        else "run again: integrationhub migrate rehearse {} --wave {}"
    )
    click.echo(f"plan hash {plan_hash}; next, {follows.format(plan_name, wave or 'WAVE')}")
    return 0 if passed else BROKEN


def _print_rehearsal(wave: str, verdict: str, report: dict[str, Any]) -> None:
    held = ", ".join(f"{code} {count}" for code, count in report["held"].items()) or "none"
    click.echo(f"{wave}: {verdict}")
    click.echo(
        f"  {report['groups']:,} groups, {report['cases']:,} cases; {report['movable']:,} would move; held: {held}"
    )
    click.echo(
        f"  {report['groups_per_second']:,} groups/s: this wave takes {report['window_seconds']:,} s, "
        f"the whole plan {report['whole_plan_seconds']:,} s"
    )
    changed = ", ".join(report["changed"])
    click.echo(f"  CHANGED MEANWHILE: {changed}" if changed else "  canonical state, outbox, outgoing files: unchanged")


@click.command()
@plan_argument
@any_wave_option
@click.option("--override", "gate_name", metavar="GATE", help="Let the wave pass this gate at its measured value.")
@click.option("--reason", metavar="TEXT", help="Why; needed with --override.")
@click.option(
    "--stage", type=click.Choice(["entry", "exit"]), help="Only the gates before the move, or before sign-off."
)
@as_option
@run_option
@json_option
@click.pass_obj
def gate(
    invocation: Invocation,
    plan_name: str,
    wave: str | None,
    gate_name: str | None,
    reason: str | None,
    stage: str | None,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> int:
    """Measure the gates and say which hold. Exit code 6 when one does not and nobody has overridden it."""
    from integrationhub.migration import gates
    from integrationhub.migration.plan import Stage

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        waves = [handling.wave(wave)] if wave else list(handling.bound.plan.waves())
        if gate_name is not None:
            if wave is None or not (reason or "").strip():
                raise click.UsageError("--override needs --wave and --reason")
            gates.override(handling, wave, gate_name, actor, said(reason or ""))
        found: list[Measured] = []
        with handling.store.begin() as work:
            for name in waves:
                found += gates.measure(handling, work, name, actor, stage=Stage(stage.upper()) if stage else None)
            work.commit()
    _print_gates(found, as_json=as_json)
    return 0 if all(item.passes for item in found) else BROKEN


def _print_gates(found: "list[Measured]", *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json([{**asdict(item), "verdict": item.verdict, "passes": item.passes} for item in found])
        return
    rows = [
        (item.wave, item.stage.value, item.gate, f"{item.measured:g}", f"{item.compare} {item.threshold:g}",
         item.verdict, item.overridden_by, item.reason)
        for item in found
    ]  # fmt: skip
    print_table(("wave", "stage", "gate", "measured", "must be", "verdict", "overridden by", "reason"), rows)


@click.command()
@plan_argument
@wave_option
@as_option
@reason_option
@run_option
@json_option
@click.pass_obj
def approve(
    invocation: Invocation, plan_name: str, wave: str, who: str | None, reason: str, run_id: str | None, as_json: bool
) -> None:
    """Approve the wave's newest rehearsal, as a second person.

    Refused (4) to whoever rehearsed it or last changed the plan, (5) when nothing was rehearsed with this plan hash.
    """
    from dataclasses import asdict

    from integrationhub.migration.approval import approve as keep_approval

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        found = keep_approval(handling, actor, handling.wave(wave), said(reason))
        plan_hash = handling.bound.hash
    if as_json:
        print_json({**asdict(found), "plan_hash": plan_hash, "authenticated": actor.authenticated})
        return
    already = "" if found.is_new else " already"
    click.echo(f"{wave}: {found.groups:,} groups approved{already} by {found.approved_by} for plan hash {plan_hash}")
