"""`integrationhub quarantine correct|resubmit|discard|…`: what people do to items, singly or in bulk."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.quarantine.desk import Done
    from integrationhub.store.quarantine import QuarantineItem

_identifier = click.argument("identifier", metavar="[ID]", required=False)
_where = click.option(
    "--where", metavar="PREDICATE", help="All items that it means, e.g. 'code=SCHEMA_UNKNOWN older-than=2d'."
)
_yes = click.option("--yes", is_flag=True, help="Act; without it --where only says what would be done.")
_count = click.option("--count", type=int, metavar="N", help="Act only if exactly N items are meant.")


def _bulk(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments of commands that take one item, or all that a predicate means."""
    for option in (json_option, as_option, _count, _yes, _where, _identifier):
        command = option(command)
    return command


@click.command()
@click.argument("identifier", metavar="ID")
@click.option(
    "--body",
    "file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The corrected body.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")
@as_option
@json_option
@click.pass_obj
def correct(invocation: Invocation, identifier: str, file: Path, reason: str, who: str | None, as_json: bool) -> None:
    """Put a corrected body beside the original, for the next resubmission. Prints what it alters, by shapes."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        done = hub.quarantine.correct(identifier, file.read_bytes(), actor, reason)
    lines = [change.line(unmasked=False) for change in done.changes]
    if as_json:
        print_json({"id": identifier, "request": done.request, "changes": lines})
        return
    for line in lines or ["nothing is altered"]:
        click.echo(line)
    _tell_request(done)


@click.command()
@_bulk
@click.option("--reason", metavar="TEXT", help="Why; kept with your name.")
@click.pass_obj
def resubmit(
    invocation: Invocation,
    identifier: str | None,
    where: str | None,
    yes: bool,
    count: int | None,
    who: str | None,
    as_json: bool,
    reason: str | None,
) -> None:
    """Give items to whoever takes their like, as if they came now; what fails again stays, its tries counted.

    Ends with 1 when one failed again.
    """
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        ids = _meant(hub, identifier, where, yes=yes, count=count, as_json=as_json)
        if ids is None:
            return
        done = hub.quarantine.resubmit(ids, actor, reason)
        hub.publish_waiting()
    if as_json:
        print_json({"request": done.request, "items": [asdict(result) for result in done.results]})
    else:
        rows = [[result.quarantine_id, result.fate, result.code, result.text] for result in done.results]
        if rows:
            print_table(("id", "fate", "code", "text"), rows)
        _tell_request(done)
    failed = [result for result in done.results if not result.was_taken]
    if failed:
        raise click.exceptions.Exit(1)


@click.command()
@_bulk
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")
@click.option("--undo", is_flag=True, help="Let discarded items be open again.")
@click.pass_obj
def discard(
    invocation: Invocation,
    identifier: str | None,
    where: str | None,
    yes: bool,
    count: int | None,
    who: str | None,
    as_json: bool,
    reason: str,
    undo: bool,
) -> None:
    """Let items rest; they are kept, and --undo opens them again."""
    from integrationhub.store.quarantine import QuarantineState

    state = QuarantineState.DISCARDED if undo else QuarantineState.OPEN
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        ids = _meant(hub, identifier, where, yes=yes, count=count, as_json=as_json, state=state)
        if ids is None:
            return
        if undo:
            items, request = hub.quarantine.restore(ids, actor, reason), None
        else:
            done = hub.quarantine.discard(ids, actor, reason)
            items, request = list(done.items), done.request
    if as_json:
        print_json({"request": request, "items": items})
    elif request is not None:
        click.echo(_waits(request))
    else:
        click.echo(f"{len(items)} {'open again' if undo else 'discarded'}")


@click.command()
@click.argument("name", metavar="LABEL")
@_bulk
@click.option("--remove", is_flag=True, help="Take the label away.")
@click.pass_obj
def label(
    invocation: Invocation,
    name: str,
    identifier: str | None,
    where: str | None,
    yes: bool,
    count: int | None,
    who: str | None,
    as_json: bool,
    remove: bool,
) -> None:
    """Put a label on items, by which they can be listed and meant."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        ids = _meant(hub, identifier, where, yes=yes, count=count, as_json=as_json)
        if ids is None:
            return
        hub.quarantine.label(ids, name, actor, remove=remove)
    print_json({"items": ids}) if as_json else click.echo(f"{len(ids)} labelled")


@click.command()
@click.argument("identifier", metavar="ID")
@click.option("--to", "owner", required=True, metavar="WHO", help="Who takes care of it.")
@as_option
@click.pass_obj
def assign(invocation: Invocation, identifier: str, owner: str, who: str | None) -> None:
    """Give an item of the worklist to somebody; records set aside inside files too."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        hub.quarantine.assign(identifier, owner, actor)
    click.echo(f"{identifier} is with {owner}")


@click.command()
@json_option
@click.pass_obj
def requests(invocation: Invocation, as_json: bool) -> None:
    """List what waits for a second person ([quarantine] second_person = true)."""
    with invocation.hub(trial=True) as hub:
        found = hub.quarantine.requests()
    if as_json:
        print_json([asdict(request) for request in found])
        return
    rows = [
        [item.action_id, item.details["wish"], len(item.item_ids), item.who, f"{item.at:%Y-%m-%d %H:%M}", item.reason]
        for item in found
    ]
    print_table(("request", "wish", "items", "by", "at", "reason"), rows) if rows else click.echo("Nothing waits.")


@click.command()
@click.argument("number", type=int, metavar="REQUEST")
@as_option
@json_option
@click.pass_obj
def approve(invocation: Invocation, number: int, who: str | None, as_json: bool) -> None:
    """Approve a request as the second person, and do it. Refused (exit 4) to whoever made it."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        done = hub.quarantine.approve(number, actor)
        hub.publish_waiting()
    if as_json:
        print_json({"wish": done.wish, "items": list(done.items), "results": [asdict(one) for one in done.results]})
    else:
        failed = sum(not result.was_taken for result in done.results)
        click.echo(f"{done.wish}: {len(done.items)} items" + (f", {failed} failed again" if failed else ""))


@click.command()
@click.argument("number", type=int, metavar="REQUEST")
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with your name.")
@as_option
@click.pass_obj
def refuse(invocation: Invocation, number: int, reason: str, who: str | None) -> None:
    """Let a request come to nothing; your own too."""
    actor = invocation.actor(who)
    with invocation.hub() as hub:
        hub.quarantine.refuse(number, actor, reason)
    click.echo(f"request {number} is refused")


def _meant(
    hub: "Hub",
    identifier: str | None,
    where: str | None,
    *,
    yes: bool,
    count: int | None,
    as_json: bool,
    state: str = "OPEN",
) -> list[str] | None:
    """The items meant; None where it was only asked what would be done. NotFound, Conflict."""
    from integrationhub.errors import Conflict
    from integrationhub.quarantine.predicate import parse
    from integrationhub.store.quarantine import QuarantineState

    if (identifier is None) == (where is None):
        raise click.UsageError("name one item, or give --where PREDICATE")
    if identifier is not None:
        with hub.store.begin() as work:
            work.quarantine.claim(identifier, QuarantineState(state))
        return [identifier]
    assert where is not None
    found = hub.quarantine.find(parse(where, now=hub.clock(), state=QuarantineState(state)))
    if count is not None and count != len(found):
        raise Conflict(
            f"{len(found)} items are meant, not {count}", code="COUNT_DIFFERS", remedy="look at the dry run again"
        )
    if not yes and count is None:
        _tell_dry_run(found, as_json=as_json)
        return None
    return [item.quarantine_id for item in found]


def _tell_dry_run(found: "list[QuarantineItem]", *, as_json: bool) -> None:
    from collections import Counter

    reasons = Counter((item.connector, item.kind.value, item.code) for item in found)
    if as_json:
        groups = [
            {"connector": connector, "kind": kind, "code": code, "count": number}
            for (connector, kind, code), number in reasons.most_common()
        ]
        print_json({"dry_run": True, "count": len(found), "groups": groups})
        return
    if reasons:
        print_table(("connector", "kind", "code", "count"), [[*key, number] for key, number in reasons.most_common()])
    click.echo(f"{len(found)} items are meant; nothing was done. To act: --yes, or --count {len(found)}")


def _waits(request: int) -> str:
    return f"waits for a second person: integrationhub quarantine approve {request} --as WHO"


def _tell_request(done: "Done") -> None:
    if done.request is not None:
        click.echo(_waits(done.request))
