"""`migrate exceptions`: the worklist of a plan."""

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.migrate.options import run_option, said
from integrationhub.cli.output import json_option, print_json, print_table

_ACTIONS = click.Choice(["list", "assign", "resolve"])


@click.command()
@click.argument("plan_name", metavar="PLAN")
@click.argument("action", type=_ACTIONS, default="list")
@click.argument("exception_ids", nargs=-1, metavar="[ID…]")
@click.option("--to", "owner", metavar="WHO", help="With assign: who takes care of it (default: whoever acts).")
@click.option("--reason", metavar="TEXT", help="With resolve: what was found and done.")
@click.option("--all", "everything", is_flag=True, help="With list: resolved ones, too.")
@as_option
@run_option
@json_option
@click.pass_obj
def exceptions(
    invocation: Invocation,
    plan_name: str,
    action: str,
    exception_ids: tuple[str, ...],
    owner: str | None,
    reason: str | None,
    everything: bool,
    who: str | None,
    run_id: str | None,
    as_json: bool,
) -> None:
    """Show what of the plan waits for a person; assign it; resolve it.

    A corrected record re-enters by itself: its item is resolved when the group comes again in good order.
    """
    from integrationhub.migration.waiting import ExceptionDesk

    actor = invocation.actor(who)
    with invocation.hub(trial=action == "list") as hub:
        desk = ExceptionDesk(handling=hub.handling(plan_name, run_id))
        if action != "list" and not exception_ids:
            raise click.UsageError(f"{action} needs the identifier of an exception; see list")
        if action == "assign":
            desk.assign(exception_ids, owner or actor.name)
        elif action == "resolve":
            desk.resolve(exception_ids, actor, said(reason or ""))
        found = desk.items(everything=everything or action == "resolve", only=exception_ids)
    if as_json:
        print_json(found)
        return
    headings = ("exception", "code", "group", "owner", "age in days", "state", "what to do", "text")
    rows = [
        (item["exception_id"], item["code"], item["group"], item["owner"], item["age_days"], item["state"],
         item["next_action"], item["text"])
        for item in found
    ]  # fmt: skip
    print_table(headings, rows)
