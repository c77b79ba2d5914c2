"""`migrate notices`: which clocks run for whom, and what was printed, received, answered."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.migrate.options import DATE, any_wave_option, day_of, plan_argument, run_option
from integrationhub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from integrationhub.migration.handling import Handling


@click.command()
@plan_argument
@any_wave_option
@click.option("--printed", type=DATE, metavar="DATE", help="Record that the wave's closure notices were printed.")
@click.option("--received", type=DATE, metavar="DATE", help="Record that the write-off notice of a debt was received.")
@click.option("--response", type=click.Choice(["AGREES", "OBJECTS"]), help="Record what was answered to it.")
@click.option("--debt", "debt_id", metavar="DEBT", help="The debt of --received and --response.")
@click.option("--on", type=DATE, metavar="DATE", help="Clocks due on this day, or day of the answer (default: today).")
@as_option
@run_option
@json_option
@click.pass_obj
def notices(
    invocation: Invocation,
    plan_name: str,
    wave: str | None,
    printed: datetime | None,
    received: datetime | None,
    response: str | None,
    debt_id: str | None,
    on: datetime | None,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> None:
    """Show which clocks are due: notice, reminder, end of liability, representations; or record what has happened.

    With --printed the segments of the wave stand from that day on. A write-off notice that nobody answers is counted as
    NO_RESPONSE, never as consent.
    """
    from integrationhub.migration.clocks import record_printed, record_received, record_response

    if printed is not None and wave is None:
        raise click.UsageError("--printed needs --wave: notices are printed wave by wave")
    if (received is not None or response is not None) and debt_id is None:
        raise click.UsageError("--received and --response need --debt")
    actor = invocation.actor(who)
    recording = any((printed, received, response))
    with invocation.hub(trial=not recording) as hub:
        handling = hub.handling(plan_name, run_id)
        if printed is not None and wave is not None:
            groups, cases = record_printed(handling, actor, handling.wave(wave), printed.date())
            done = {"wave": wave, "groups": groups, "cases": cases}
            text = f"{wave}: notices of {groups:,} groups printed, the segments of {cases:,} cases stand from now on"
            print_json(done) if as_json else click.echo(text)
        if received is not None and debt_id is not None:
            deadline = record_received(handling, actor, debt_id, received.date())
            print_json({"debt": debt_id, "deadline": deadline}) if as_json else click.echo(f"answers until {deadline}")
        if response is not None and debt_id is not None:
            record_response(handling, actor, debt_id, response, day_of(on) or handling.clock().date())
            print_json({"debt": debt_id, "response": response}) if as_json else click.echo(f"noted: {response}")
        if not recording:
            _show(handling, handling.wave(wave) if wave else None, on, as_json=as_json)


def _show(handling: "Handling", wave: str | None, on: datetime | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from integrationhub.migration.clocks import clocks

    found = clocks(handling, day_of(on), wave=wave)
    if as_json:
        print_json([asdict(item) for item in found])
        return
    rows = [
        (item.group_id, item.wave, item.segment, item.clock, item.on, item.is_due, item.debt_id, item.response)
        for item in found
    ]
    print_table(("group", "wave", "segment", "clock", "on", "due", "debt", "response"), rows)
