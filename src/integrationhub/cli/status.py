"""`integrationhub status`: connectors, what waits, what is missing, what is left to publish."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from integrationhub.bootstrap import Hub
    from integrationhub.store.status import ConnectorStatus, StoreStatus


@click.command()
@json_option
@click.pass_obj
def status(invocation: Invocation, as_json: bool) -> None:
    """Show connectors (up, stalled, paused), last files, what waits and why, queues, and what is left to publish."""
    from integrationhub.daemon.queues import queue_depths
    from integrationhub.store.status import read_status

    with invocation.hub(trial=True) as hub:
        with hub.store.read() as connection:
            state = read_status(connection)
        report = {
            "connectors": [_row(hub, item) for item in state.connectors],
            "worklist": dict(state.worklist),
            "quarantine": _quarantine(state),
            **_outbox(state),
            "queues": dict(queue_depths(hub)),
        }
    if as_json:
        print_json(report)
    else:
        _tell(report)


def _row(hub: "Hub", item: "ConnectorStatus") -> dict[str, object]:
    from integrationhub.intake.expectations import missing

    feed, last = item.feed, item.last
    stalled = feed.stopped_sequence is not None or item.troubles
    return {
        "connector": item.connector,
        "state": "paused" if feed.paused else "stalled" if stalled else "up",
        "last_sequence": feed.last_sequence,
        "last_file": last.name if last else None,
        "last_verdict": last.state.value if last else None,
        "last_received": _instant(last.received_at) if last else None,
        "stopped_at_sequence": feed.stopped_sequence,
        "stopped_by": feed.stopped_code,
        "waiting": [
            {"file": held.name, "code": held.reasons[0].code, "text": held.reasons[0].text} for held in item.held
        ],
        "messages_wait_for": [
            {"code": state.waits_for, "host": state.host, "since": _instant(state.since)} for state in item.troubles
        ],
        "missing_since": _instant(missing(hub.catalogue, item, now=hub.clock())),
        "exceptions": item.exceptions,
        "deliveries": dict(item.deliveries),
    }


def _outbox(state: "StoreStatus") -> dict[str, object]:
    return {"outbox": {"waiting": state.outbox.waiting, "oldest": _instant(state.outbox.oldest)}}


def _quarantine(state: "StoreStatus") -> dict[str, object]:
    oldest = min((group.oldest for group in state.quarantine), default=None)
    return {"open": sum(group.count for group in state.quarantine), "oldest": _instant(oldest)}


def _instant(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None


def _tell(report: dict[str, object]) -> None:
    rows = report["connectors"]
    assert isinstance(rows, list)
    if not rows:
        click.echo("Nothing has arrived yet. Drop a file into an inbox folder, or try: integrationhub demo")
    else:
        headings = ("connector", "state", "last_sequence", "last_file", "last_verdict", "exceptions")
        print_table(headings, [[row[name] for name in headings] for row in rows])
    for row in rows:
        if row["stopped_at_sequence"] is not None:
            click.echo(
                f"{row['connector']} stands still at sequence {row['stopped_at_sequence']} ({row['stopped_by']}). "
                f"Deliver it corrected, or: integrationhub connector resume {row['connector']} "
                f"--skip {row['stopped_at_sequence']} --reason TEXT"
            )
        for held in row["waiting"]:
            click.echo(f"{row['connector']} waits: {held['file']} ({held['code']})")
        for trouble in row["messages_wait_for"]:
            click.echo(f"{row['connector']}: messages wait for {trouble['code']} since {trouble['since']}")
        if row["missing_since"]:
            click.echo(f"{row['connector']}: no file since the one before {row['missing_since']}")
    outbox, queues, quarantine = report["outbox"], report["queues"], report["quarantine"]
    assert isinstance(quarantine, dict)
    if quarantine["open"]:
        listed = "integrationhub quarantine list"
        click.echo(f"in quarantine: {quarantine['open']:,}, since {quarantine['oldest']}; look at: {listed}")
    assert isinstance(outbox, dict)
    assert isinstance(queues, dict)
    click.echo(f"to publish: {outbox['waiting']:,}" + (f", since {outbox['oldest']}" if outbox["oldest"] else ""))
    for name, depth in queues.items():
        if depth:
            click.echo(f"queue {name}: {depth:,}")
