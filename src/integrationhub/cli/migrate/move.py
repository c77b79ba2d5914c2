"""`migrate transfer`, `pause`, `resume`, `status`: the live run."""

from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.migrate.files import tell_files
from integrationhub.cli.migrate.options import any_wave_option, plan_argument, run_option, wave_option
from integrationhub.cli.output import json_option, print_json, print_table, run_progress

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.identity import Actor
    from integrationhub.migration.handling import Handling
    from integrationhub.migration.live_run import Outcome

PAUSED = 75
"""Exit code of a live run that was paused: the rest is there for another time."""

_workers_option = click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes that move groups (default: the policy's)."
)


@click.command()
@plan_argument
@wave_option
@_workers_option
@click.option("--freeze-only", is_flag=True, help="Freeze and allocate references; load with a later run.")
@as_option
@run_option
@json_option
@click.pass_obj
def transfer(
    invocation: Invocation,
    plan_name: str,
    wave: str,
    workers: int | None,
    freeze_only: bool,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> int:
    """Move an approved wave: freeze, allocate references, load, every group whole in one transaction.

    Killed or paused, the same command goes on where it ended. Refused (5) without a passed rehearsal and an approval of
    this very plan hash, (6) when an entry gate does not hold.
    """
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        outcome = _run(hub, handling, actor, handling.wave(wave), workers=workers, freeze_only=freeze_only)
    return _tell(plan_name, outcome, as_json=as_json)


def _run(
    hub: "Hub", handling: "Handling", actor: "Actor", wave: str, *, workers: int | None, freeze_only: bool = False
) -> "Outcome":
    """Move, look after what has changed since, and make the first comparison of the parallel run."""
    from integrationhub.checkpoints import crash_points
    from integrationhub.migration.live_run import Crew
    from integrationhub.migration.live_run import transfer as run_live
    from integrationhub.migration.settling import compare, waiting_groups

    crew = Crew(
        workers=workers or handling.bound.policy.throttle.workers,
        store_url=hub.settings.store_url,
        checkpoints=crash_points,
    )
    with run_progress("groups moved") as watcher:
        outcome = run_live(handling, actor, wave, crew, freeze_only=freeze_only, watcher=watcher)
    hub.watch().look()
    if not freeze_only and not outcome.left and waiting_groups(handling, wave):
        compare(handling, actor, wave)
    tell_files(hub.handover().hand_over())
    return outcome


def _tell(plan_name: str, outcome: "Outcome", *, as_json: bool) -> int:
    rate = outcome.groups / outcome.seconds if outcome.seconds else 0.0
    paused = outcome.paused_by is not None
    if as_json:
        print_json(
            {"plan": plan_name, "wave": outcome.wave, "groups": outcome.groups, "cases": outcome.cases,
             "held": dict(outcome.held), "left": outcome.left, "seconds": round(outcome.seconds, 3),
             "groups_per_second": round(rate, 1), "paused_by": outcome.paused_by}
        )  # fmt: skip
        return PAUSED if paused else 0
    held = ", ".join(f"{code} {count}" for code, count in sorted(outcome.held.items())) or "none"
    click.echo(f"{outcome.wave}: {outcome.groups:,} groups, {outcome.cases:,} cases moved; held: {held}; {rate:,.0f}/s")
    if paused:
        click.echo(
            f"paused by {outcome.paused_by}, {outcome.left:,} groups left; go on with `migrate resume {plan_name}`"
        )
    return PAUSED if paused else 0


@click.command()
@plan_argument
@any_wave_option
@as_option
@run_option
@click.pass_obj
def pause(invocation: Invocation, plan_name: str, wave: str | None, who: str | None, run_id: str | None) -> None:
    """Let the live run stop after the groups it has in hand; nothing is left half done."""
    from integrationhub.migration.live_run import pause as ask

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        waves = [handling.wave(wave)] if wave else list(handling.bound.plan.waves())
        ask(handling, actor, waves)
    click.echo(f"paused: {', '.join(waves)}; go on with `integrationhub migrate resume {plan_name}`")


@click.command()
@plan_argument
@any_wave_option
@_workers_option
@as_option
@run_option
@json_option
@click.pass_obj
def resume(
    invocation: Invocation,
    plan_name: str,
    wave: str | None,
    workers: int | None,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> int:
    """Take a pause back, and move on with the paused waves that have groups left."""
    from integrationhub.migration.live_run import release_pause, unfinished

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        handling = hub.handling(plan_name, run_id)
        waves = [handling.wave(wave)] if wave else list(handling.bound.plan.waves())
        going = [name for name in release_pause(handling, waves) if unfinished(handling, name)]
        outcomes = [_run(hub, handling, actor, name, workers=workers) for name in going]
    if not outcomes and not as_json:
        click.echo("no paused wave has groups left to move")
    return max((_tell(plan_name, outcome, as_json=as_json) for outcome in outcomes), default=0)


@click.command()
@plan_argument
@run_option
@json_option
@click.pass_obj
def status(invocation: Invocation, plan_name: str, run_id: str | None, as_json: bool) -> None:
    """Show how a run stands: states, rate, remaining time, who decided what, forecast against live run."""
    from integrationhub.migration.desk import status as read_status

    with invocation.hub(trial=True) as hub:
        found = read_status(hub.handling(plan_name, run_id))
    if as_json:
        print_json(found)
        return
    click.echo(f"{plan_name}, run {found['run']}, begun {found['begun_at']} by {found['begun_by']}")
    print_table(
        ("wave", "groups", "held", "rehearsed", "approved", "live run", "signed off"),
        [_status_row(item) for item in found["waves"]],
    )
    for item in found["waves"]:
        if item["score"] is not None:
            click.echo(f"{item['wave']}: {_scored(item['score'])}")


def _scored(score: dict[str, Any]) -> str:
    return (
        f"forecast {score['groups_forecast']:,} groups, {score['held_forecast']:,} held, "
        f"{score['window_forecast_seconds']:,} s; came to {score['groups_moved']:,} groups, {score['held']:,} held, "
        f"{score['window_seconds']:,} s"
    )


def _status_row(item: dict[str, Any]) -> tuple[object, ...]:
    rehearsed, moving = item["rehearsed"], item["progress"]
    stale = "" if rehearsed is None or rehearsed["of_this_plan_hash"] else " (another plan hash)"
    live = ""
    if moving is not None:
        live = f"{moving['done']:,}/{moving['total']:,} at {moving['groups_per_second']}/s"
        live += f", {moving['remaining_seconds']} s left" if moving["remaining_seconds"] else ""
    if item["paused_by"]:
        live += f" paused by {item['paused_by']}"
    return (
        item["wave"],
        ", ".join(f"{state} {count:,}" for state, count in item["groups"].items()),
        ", ".join(f"{code} {count:,}" for code, count in item["held"].items()),
        "" if rehearsed is None else f"{rehearsed['verdict']} by {rehearsed['by']}{stale}",
        f"{item['approved_by']}{'' if item['approval_holds'] else ' (no longer)'}" if item["approved_by"] else "",
        live,
        item["signed_off_by"],
    )
