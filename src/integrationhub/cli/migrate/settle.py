"""`migrate backout`, `parallel`, `signoff`, `close`: back, or for good."""

from datetime import datetime

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.migrate.files import tell_files
from integrationhub.cli.migrate.options import (
    DATE,
    any_wave_option,
    day_of,
    plan_argument,
    pounds,
    reason_option,
    run_option,
    said,
    wave_option,
)
from integrationhub.cli.output import json_option, print_json, print_table

BROKEN = 6
"""Exit code when old and new balances differ."""


@click.command()
@plan_argument
@any_wave_option
@click.option("--group", "group_id", metavar="GROUP", help="One case group, by its identifier.")
@click.option("--phase", is_flag=True, help="The whole phase: every wave of the run.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen and what can't be undone.")
@click.option("--reason", metavar="TEXT", default="backed out", show_default=True, help="Why; it stays on record.")
@as_option
@run_option
@json_option
@click.pass_obj
def backout(
    invocation: Invocation,
    plan_name: str,
    wave: str | None,
    group_id: str | None,
    phase: bool,
    dry_run: bool,
    reason: str,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> None:
    """Return a group, a wave or a phase to its sources, until sign-off.

    What can't be undone is said before anything is done.
    """
    from dataclasses import asdict

    from integrationhub.migration.back_out import back_out, foresee

    if [wave is not None, group_id is not None, phase].count(True) != 1:
        raise click.UsageError("give one of --wave, --group, --phase")
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        prospect = foresee(handling, wave=handling.wave(wave) if wave else None, group=group_id)
        click.echo(f"{len(prospect.groups):,} groups, {prospect.cases:,} cases, {pounds(prospect.pence)}", err=True)
        for sentence in (*prospect.hindrances, *prospect.lasting, *prospect.carried):
            click.echo(f"  {sentence}", err=True)
        done = 0 if dry_run else back_out(handling, actor, prospect, said(reason))
        tell_files([] if dry_run else hub.handover().hand_over())
    if as_json:
        print_json({**asdict(prospect), "groups": list(prospect.groups), "backed_out": done})
    elif not dry_run:
        click.echo(f"{done:,} groups are with their sources again: accounts empty, mastery back, references retired")


@click.command()
@plan_argument
@any_wave_option
@click.option("--on", type=DATE, metavar="DATE", help="The day to record (default: today).")
@as_option
@run_option
@json_option
@click.pass_obj
def parallel(
    invocation: Invocation,
    plan_name: str,
    wave: str | None,
    on: datetime | None,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> int:
    """Compare old and new balances of moved waves and keep the day; then hold the groups that have changed.

    Exit code 6 when balances differ.
    """
    from integrationhub.migration.desk import moved_waves
    from integrationhub.migration.settling import CLASSES, compare

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        waves = [handling.wave(wave)] if wave else moved_waves(handling)
        days = [compare(handling, actor, name, day_of(on)) for name in waves]
        held = hub.watch().look()
    if as_json:
        rows = [
            {"wave": day.wave, "day": day.day, "accounts": day.accounts, "clean": day.clean,
             "differences": dict(day.differences)}
            for day in days
        ]  # fmt: skip
        print_json({"plan": plan_name, "days": rows, "held": held})
    else:
        print_table(
            ("wave", "day", "accounts", "clean", "differences"),
            [(day.wave, day.day, f"{day.accounts:,}", day.clean,
              "; ".join(f"{count} {name}: {CLASSES[name]}" for name, count in day.differences.items()))
             for day in days],
        )  # fmt: skip
        if held:
            click.echo(f"{len(held):,} groups were taken back to held; see `migrate exceptions {plan_name} list`")
    return 0 if all(day.clean for day in days) else BROKEN


@click.command()
@plan_argument
@wave_option
@as_option
@reason_option
@run_option
@json_option
@click.pass_obj
def signoff(
    invocation: Invocation, plan_name: str, wave: str, who: str | None, reason: str, run_id: str | None, as_json: bool
) -> None:
    """Sign a wave off: from then on it can't be backed out.

    Refused (4) to whoever rehearsed it, (5) while groups are left to move, (6) when an exit gate does not hold.
    """
    from integrationhub.migration.settling import sign_off

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        hub.watch().look()
        totals = sign_off(handling, actor, handling.wave(wave), said(reason))
    if as_json:
        print_json({"plan": plan_name, "wave": wave, "by": actor.name, "authenticated": actor.authenticated, **totals})
        return
    click.echo(f"{wave}: {totals['groups']:,} groups, {totals['cases']:,} cases signed off by {actor.name}")
    names = {"rp": "RP", "sos": "SoS", "susp_rp": "RP suspended", "susp_sos": "SoS suspended", "custodian": "custodian"}
    print_table(("figure", "amount"), [(label, pounds(totals[name])) for name, label in names.items()])


@click.command()
@plan_argument
@wave_option
@as_option
@run_option
@json_option
@click.pass_obj
def close(
    invocation: Invocation, plan_name: str, wave: str, who: str | None, run_id: str | None, as_json: bool
) -> None:
    """Send the CLOSE notices and crosswalk of a signed-off wave, and close groups whose notices are all accepted.

    Repeating it adds no notice; run it again when answers have come.
    """
    from dataclasses import asdict

    from integrationhub.migration.settling import close as close_wave

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        found = close_wave(handling, actor, handling.wave(wave))
        handover = hub.handover()
        with hub.store.read() as connection:
            current = handling.run(connection)
        tell_files([*handover.hand_over(), *handover.hand_crosswalk(current.run_id, wave)])
    if as_json:
        print_json(asdict(found))
        return
    click.echo(f"{wave}: {found.told:,} CLOSE notices made; {found.closed:,} groups closed")
    if found.waiting:
        click.echo(f"{found.waiting:,} groups wait for {found.answers:,} answers of their sources")
