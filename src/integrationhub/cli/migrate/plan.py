"""`migrate plan check` and `migrate profile`: whether a plan is sound, and its sources are."""

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.migrate.options import plan_argument
from integrationhub.cli.output import json_option, print_json, print_table


@click.group()
def plan() -> None:
    """Check plans."""


@plan.command()
@plan_argument
@json_option
@click.pass_obj
def check(invocation: Invocation, plan_name: str, as_json: bool) -> int:
    """Say every fault of plan and policy, and the hash that a rehearsal binds.

    The hash is over plan, policy, mappings, arrears thresholds, settings and the hub's own code. Exit code 2 when there
    are faults.
    """
    from integrationhub.errors import ConfigurationError

    with invocation.hub(trial=True) as hub:
        try:
            bound = hub.handling(plan_name).bound
        except ConfigurationError as exc:
            if not as_json:
                raise
            print_json({"plan": plan_name, "faults": list(exc.faults), "hash": None, "parts": {}})
            return exc.exit_code
    if as_json:
        print_json({"plan": plan_name, "faults": [], "hash": bound.hash, "parts": dict(bound.parts)})
        return 0
    click.echo(f"{plan_name}: no faults")
    click.echo(f"plan hash {bound.hash}")
    print_table(("bound by the hash", "SHA-256 or value"), sorted(bound.parts.items()))
    return 0


@click.command()
@plan_argument
@json_option
@click.pass_obj
def profile(invocation: Invocation, plan_name: str, as_json: bool) -> None:
    """Judge the newest whole book and what followed it, connector by connector, on six dimensions, before mapping."""
    found = {}
    left_out = []
    with invocation.hub(trial=True) as hub:
        for name in hub.handling(plan_name).bound.plan.plan.connectors:
            files = hub.analyst.stored(name)
            if not files:
                left_out.append((name, "no file was accepted yet"))
            else:
                found[name] = hub.analyst.workbench(name).quality(files)
    if as_json:
        print_json({"plan": plan_name, "profiles": {name: one.as_dict() for name, one in found.items()},
                    "left_out": dict(left_out)})  # fmt: skip
        return
    rows = [
        (name, score.name, score.percent, f"{score.total:,}", f"{score.faulty:,}", score.what)
        for name, one in found.items()
        for score in one.scores
    ]
    print_table(("connector", "dimension", "score", "measured", "at fault", "what"), rows)
    for name, why in left_out:
        click.echo(f"{name}: {why}")
