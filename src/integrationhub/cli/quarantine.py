"""`integrationhub quarantine`: the one worklist of what could not be taken."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from integrationhub.cli.invocation import Invocation, as_option
from integrationhub.cli.output import json_option, print_json, print_table
from integrationhub.cli.quarantine_acts import approve, assign, correct, discard, label, refuse, requests, resubmit
from integrationhub.cli.quarantine_rules import rules

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.store.quarantine import QuarantineItem
    from integrationhub.store.unit_of_work import Work
    from integrationhub.store.worklist import WorklistItem

SHOWN = 1000
"""Most items that one call lists."""


@click.group()
def quarantine() -> None:
    """Work what could not be taken: messages, files, and records set aside inside files."""


for command in (correct, resubmit, discard, label, assign, requests, approve, refuse, rules):
    quarantine.add_command(command)


@quarantine.command("list")
@click.option("--connector", metavar="NAME", help="Of this connector only.")
@click.option("--code", metavar="CODE", help="With this reason code only.")
@click.option(
    "--state",
    type=click.Choice(["OPEN", "RESUBMITTED", "RESOLVED", "DISCARDED", "ALL"], case_sensitive=False),
    default="OPEN",
    show_default=True,
    metavar="STATE",
    help="OPEN, RESUBMITTED, RESOLVED, DISCARDED or ALL.",
)
@click.option(
    "--kind",
    type=click.Choice(["MESSAGE", "FILE", "RECORD"], case_sensitive=False),
    metavar="KIND",
    help="MESSAGE, FILE or RECORD.",
)
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    metavar="TIME",
    help="Quarantined then or later (UTC).",
)
@click.option("--label", "labelled", metavar="LABEL", help="With this label only.")
@click.option("--owner", metavar="WHO", help="Assigned to WHO.")
@click.option("--items", "with_items", is_flag=True, help="List the items, not only how many there are.")
@json_option
@click.pass_obj
def list_items(
    invocation: Invocation,
    connector: str | None,
    code: str | None,
    state: str,
    kind: str | None,
    since: datetime | None,
    labelled: str | None,
    owner: str | None,
    with_items: bool,
    as_json: bool,
) -> None:
    """Print what waits, by reason, with counts and age; with --items one by one, oldest first."""
    from datetime import UTC

    from integrationhub.quarantine.overview import entries, groups
    from integrationhub.store.quarantine import QuarantineFilter

    chosen = QuarantineFilter(
        connector=invocation.catalogue.connector(connector).name if connector else None,
        code=code,
        state=None if state.upper() == "ALL" else state.upper(),
        kind=kind.upper() if kind else None,
        since=since.replace(tzinfo=UTC) if since else None,
        label=labelled,
        owner=owner,
    )
    with invocation.hub(trial=True) as hub, hub.store.begin() as work:
        found, now = groups(work, chosen), hub.clock()
        listed = entries(work, chosen, limit=SHOWN) if with_items or as_json else []
    if as_json:
        print_json({"groups": [asdict(group) for group in found], "items": [asdict(entry) for entry in listed]})
        return
    _tell(found, listed, now)


def _tell(found: list[Any], listed: list[Any], now: datetime) -> None:
    from integrationhub.quarantine.overview import REMEDIES, age

    if not found:
        click.echo("Nothing waits.")
        return
    if listed:
        headings = ("id", "kind", "connector", "code", "state", "age", "attempts", "labels", "owner", "text")
        rows = [{**asdict(entry), "age": age(entry.since, now)} for entry in listed]
        print_table(headings, [[row[name] for name in headings] for row in rows])
        every = sum(group.count for group in found)
        if every > len(listed):
            click.echo(f"the oldest {len(listed):,} of {every:,}: narrow them down by --connector, --code, --kind …")
    else:
        counts = [[group.kind, group.connector, group.code, group.count, age(group.oldest, now)] for group in found]
        print_table(("kind", "connector", "code", "count", "oldest"), counts)
    for kind in sorted({group.kind for group in found}):
        click.echo(f"{kind}: {REMEDIES[kind]}")


@quarantine.command()
@click.argument("identifier", metavar="ID")
@click.option("--unmasked", is_flag=True, help="Show values; needs --reason, and is recorded with your name.")
@click.option("--reason", metavar="TEXT", help="Why values are needed.")
@as_option
@json_option
@click.pass_obj
def show(
    invocation: Invocation, identifier: str, unmasked: bool, reason: str | None, who: str | None, as_json: bool
) -> None:
    """Show one item: where it came from, headers, values, versions, and what was done to it.

    Values are shown by their shapes: digits as 9, letters as A and a.
    """
    if unmasked and not (reason or "").strip():
        raise click.UsageError("--unmasked needs --reason TEXT: who looks at values says why")
    with invocation.hub() as hub:
        if unmasked:
            hub.quarantine.look(identifier, invocation.actor(who), reason or "")
        with hub.store.begin() as work:
            exception = _exception(work, identifier)
            sheet = _of_exception(work, exception) if exception else _sheet(hub, work, identifier, unmasked=unmasked)
    if as_json:
        print_json(sheet)
    else:
        _tell_sheet(sheet)


def _exception(work: "Work", identifier: str) -> "WorklistItem | None":
    from integrationhub.store.quarantine import QuarantineFilter
    from integrationhub.store.waiting import exceptions

    found = exceptions(work.connection, QuarantineFilter(ids=frozenset([identifier])), limit=1)
    return found[0] if found else None


def _of_exception(work: "Work", item: "WorklistItem") -> dict[str, Any]:
    from integrationhub.quarantine.overview import REMEDIES
    from integrationhub.store.waiting import RECORD

    history = [asdict(action) for action in work.quarantine.history.of_item(item.exception_id)]
    return {"id": item.exception_id, "kind": RECORD, **asdict(item), "remedy": REMEDIES[RECORD], "history": history}


def _sheet(hub: "Hub", work: "Work", identifier: str, *, unmasked: bool) -> dict[str, Any]:
    from integrationhub.quarantine.content import changes
    from integrationhub.quarantine.overview import REMEDIES, shown_body, shown_headers

    item = work.quarantine.get(identifier)
    versions = work.quarantine.bodies(identifier)
    is_file = item.kind.value == "FILE"
    bodies = {} if is_file else {body.version: hub.quarantine.acts.bytes_of(body) for body in versions}
    altered = {
        body.version: [
            change.line(unmasked=unmasked) for change in changes(bodies[body.corrects], bodies[body.version])
        ]
        for body in versions
        if body.corrects is not None
    }
    return {
        **_facts(item),
        "remedy": REMEDIES[item.kind.value],
        "headers": shown_headers(item.headers, unmasked=unmasked),
        "values": [] if is_file else shown_body(bodies[item.version], unmasked=unmasked),
        "versions": [
            {name: getattr(body, name) for name in ("version", "corrects", "sha256", "bytes", "made_at", "made_by")}
            | {"changes": altered.get(body.version, [])}
            for body in versions
        ],
        "history": [asdict(action) for action in work.quarantine.history.of_item(identifier)],
    }


def _facts(item: "QuarantineItem") -> dict[str, Any]:
    names = (
        "kind", "connector", "state", "code", "text", "attempts", "resubmits", "version", "labels", "owner", "queue",
        "exchange", "routing_key", "message_id", "path", "content_type", "sha256", "bytes", "delivery_id",
        "received_at", "quarantined_at", "settled_at",
    )  # fmt: skip
    return {"id": item.quarantine_id, **{name: getattr(item, name) for name in names}}


def _tell_sheet(sheet: dict[str, Any]) -> None:
    parts = ("headers", "values", "versions", "history")
    rows = [[name, value] for name, value in sheet.items() if name not in parts and value not in (None, ())]
    print_table(("what", "value"), rows)
    for name, value in sheet.get("headers", {}).items():
        click.echo(f"  header {name}: {value}")
    for leaf in sheet.get("values", []):
        click.echo(f"  {leaf['path']}: {leaf['value']}")
    for version in sheet.get("versions", []):
        if version["corrects"] is not None:
            click.echo(f"version {version['version']} by {version['made_by']}, from version {version['corrects']}:")
            click.echo("\n".join(f"  {line}" for line in version["changes"]))
    for action in sheet["history"]:
        mark = "" if action["authenticated"] else " (unauthenticated)"
        rule = f" by rule {action['rule']}" if action["rule"] else ""
        reason = f": {action['reason']}" if action["reason"] else ""
        click.echo(f"{action['at']:%Y-%m-%d %H:%M} {action['what']} {action['who']}{mark}{rule}{reason}")
