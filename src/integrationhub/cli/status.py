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
    from integrationhub.store.status import read_status

    with invocation.hub(trial=True) as hub:
        with hub.store.read() as connection:
            state = read_status(connection)
        rows = [_row(hub, item) for item in state.connectors]
        report = {"connectors": rows, "worklist": dict(state.worklist), **_outbox(state), "queues": _queues(hub)}
    if as_json:
        print_json(report)
    else:
        _tell(report)


def _row(hub: "Hub", item: "ConnectorStatus") -> dict[str, object]:
    feed, last = item.feed, item.last
    return {
        "connector": item.connector,
        "state": "paused" if feed.paused else "stalled" if feed.stopped_sequence is not None else "up",
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
        "missing_since": _instant(_missing(hub, item)),
        "exceptions": item.exceptions,
        "deliveries": dict(item.deliveries),
    }


def _missing(hub: "Hub", item: "ConnectorStatus") -> datetime | None:
    from integrationhub.errors import HubError
    from integrationhub.intake.expectations import missing_since

    try:
        deadline = hub.catalogue.connector(item.connector).delivery.deadline
    except HubError:
        return None  # a connector that was removed expects nothing any more
    return missing_since(now=hub.clock(), deadline=deadline, last_received=item.last.received_at if item.last else None)


def _outbox(state: "StoreStatus") -> dict[str, object]:
    return {"outbox": {"waiting": state.outbox.waiting, "oldest": _instant(state.outbox.oldest)}}


def _queues(hub: "Hub") -> dict[str, int | None]:
    """Messages that wait in the hub's own queues; empty when the broker is away, which `doctor` explains."""
    from integrationhub.errors import HubError
    from integrationhub.receive.notices import QUEUE
    from integrationhub.sdk.transport import UNROUTABLE_QUEUE

    try:
        queues = [QUEUE, *(item.queue for item in hub.catalogue.connectors() if item.messages is not None)]
        names = [name for queue in queues for name in _family(queue)]
        return dict(hub.publisher.depths([*names, UNROUTABLE_QUEUE]))
    except HubError:
        return {}


def _family(queue: str) -> list[str]:
    """A queue, its retry queues and its dead-letter queue."""
    from integrationhub.sdk.transport import RETRY_SECONDS, dead_letter_queue, retry_queue

    return [queue, *(retry_queue(queue, seconds) for seconds in RETRY_SECONDS), dead_letter_queue(queue)]


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
    outbox, queues = report["outbox"], report["queues"]
    assert isinstance(outbox, dict)
    assert isinstance(queues, dict)
    click.echo(f"to publish: {outbox['waiting']:,}" + (f", since {outbox['oldest']}" if outbox["oldest"] else ""))
    for name, depth in queues.items():
        if depth:
            click.echo(f"queue {name}: {depth:,}")
