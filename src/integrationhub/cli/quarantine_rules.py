"""`integrationhub quarantine rules`: what the daemon does to items by itself."""

from dataclasses import asdict

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.output import json_option, print_json, print_table


@click.group()
def rules() -> None:
    """List, add, remove and test rules: what the daemon does to items by itself, once an item."""


@rules.command("list")
@json_option
@click.pass_obj
def list_rules(invocation: Invocation, as_json: bool) -> None:
    """Print the rules in force, and to how many items each has done something."""
    from integrationhub.quarantine.rules import RuleBook

    with invocation.hub(trial=True) as hub:
        found = RuleBook(desk=hub.quarantine).all()
        with hub.store.begin() as work:
            touched = {rule.name: len(work.quarantine.history.touched_by(rule.name)) for rule in found}
    if as_json:
        print_json([{**asdict(rule), "touched": touched[rule.name]} for rule in found])
        return
    rows = [
        [rule.name, rule.action, rule.label, rule.predicate, touched[rule.name], rule.added_by, rule.reason]
        for rule in found
    ]
    headings = ("name", "action", "label", "predicate", "touched", "by", "reason")
    print_table(headings, rows) if rows else click.echo("There are no rules.")


@rules.command()
@click.argument("name")
@click.option("--where", "predicate", required=True, metavar="PREDICATE", help="Which items, as in `resubmit --where`.")
@click.option("--label", metavar="LABEL", help="Put this label on them.")
@click.option("--resubmit", is_flag=True, help="Resubmit them, each once.")
@click.option("--discard", is_flag=True, help="Discard them.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")
@as_option
@click.pass_obj
def add(
    invocation: Invocation,
    name: str,
    predicate: str,
    label: str | None,
    resubmit: bool,
    discard: bool,
    reason: str,
    who: str | None,
) -> None:
    """Put a rule in force. The daemon applies it within seconds; `rules test` says to what.

    Give --label LABEL, --resubmit or --discard.
    """
    from integrationhub.store.quarantine_rules import QuarantineRule, RuleAction

    wanted = [
        action
        for action, given in (
            (RuleAction.LABEL, label is not None),
            (RuleAction.RESUBMIT, resubmit),
            (RuleAction.DISCARD, discard),
        )
        if given
    ]
    if len(wanted) != 1:
        raise click.UsageError("give one of --label LABEL, --resubmit, --discard")
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        rule = QuarantineRule(
            name=name,
            predicate=predicate,
            action=wanted[0],
            label=label,
            reason=reason,
            added_by=actor.name,
            added_at=hub.clock(),
        )
        done = hub.quarantine.add_rule(rule, actor)
    if done.request is None:
        click.echo(f"rule {name} is in force")
    else:
        click.echo(f"waits for a second person: integrationhub quarantine approve {done.request} --as WHO")


@rules.command()
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")
@as_option
@click.pass_obj
def remove(invocation: Invocation, name: str, reason: str, who: str | None) -> None:
    """Take a rule out of force. What it did stays in the history."""
    from integrationhub.quarantine.rules import RuleBook

    actor = invocation.actor(who)
    with invocation.hub() as hub:
        RuleBook(desk=hub.quarantine).remove(name, actor, reason)
    click.echo(f"rule {name} is removed")


@rules.command()
@click.option("--where", "predicate", required=True, metavar="PREDICATE", help="As for `rules add`.")
@json_option
@click.pass_obj
def test(invocation: Invocation, predicate: str, as_json: bool) -> None:
    """Say which items a predicate means now. Nothing is changed."""
    from integrationhub.quarantine.predicate import parse

    with invocation.hub(trial=True) as hub:
        found = hub.quarantine.find(parse(predicate, now=hub.clock()))
    if as_json:
        print_json({"count": len(found), "items": [item.quarantine_id for item in found]})
        return
    for item in found:
        click.echo(f"{item.quarantine_id} {item.connector} {item.code}")
    click.echo(f"{len(found)} items")
