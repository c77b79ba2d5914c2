"""`integrationhub send`: put files or messages on the connector's queue, for tests and drills."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json

if TYPE_CHECKING:
    from integrationhub.sdk.descriptor import Descriptor
    from integrationhub.sdk.transport import Incoming, Outgoing

_AT_ONCE = 1000
_CONTENT_TYPES = {".json": "application/json", ".xml": "application/xml"}


@click.command()
@click.argument("connector")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def send(invocation: Invocation, connector: str, paths: tuple[Path, ...], as_json: bool) -> None:
    """Publish messages of CONNECTOR, or announce its files on the queue integrationhub.files; the daemon takes them.

    A PATH is a capture (.jsonl: one recorded delivery a line, published as it was), a file that holds the body of one
    message, a data file of the connector (its trigger file beside it), or a folder of those. Returns when the broker
    has confirmed everything.
    """
    from integrationhub.errors import NotFound

    descriptor = invocation.catalogue.connector(connector)
    for path in paths:
        if not path.exists():
            raise NotFound(
                f"there is no file {path.name} in that folder", remedy="name captures, messages or data files"
            )
    captures = [path for path in paths if path.suffix == ".jsonl"]
    bodies = [path for path in paths if _is_message(path, descriptor)]
    files = [path for path in paths if path not in (*captures, *bodies)]
    if captures and descriptor.messages is None:
        raise click.UsageError(f"{descriptor.name} takes no messages: name its data files")
    if files and (captures or bodies):
        raise click.UsageError("send files and messages apart: they go to different queues")
    sent: dict[str, object] = {"connector": descriptor.name}
    if captures or bodies:
        sent |= _send_messages(invocation, descriptor, captures, bodies)
    if files:
        sent |= _announce(invocation, descriptor, files)
    if as_json:
        print_json(sent)
        return
    for what in ("messages", "file notices"):
        if what in sent:
            click.echo(f"{sent[what]} {what} sent to {sent['queue']}. What becomes of them: integrationhub status")


def _is_message(path: Path, descriptor: "Descriptor") -> bool:
    """Whether a file is the body of a message: no capture, and neither data nor trigger file of the connector."""
    if descriptor.messages is None or path.suffix == ".jsonl" or path.is_dir():
        return False
    rules = descriptor.delivery
    data = rules.trigger.data_name_for(path.name) if path.name.endswith(rules.trigger.suffix) else path.name
    return rules.sequence_of(data) is None


def _send_messages(
    invocation: Invocation, descriptor: "Descriptor", captures: Sequence[Path], bodies: Sequence[Path]
) -> dict[str, object]:
    from integrationhub.sdk.transport import Topology

    rules = descriptor.messages
    assert rules is not None
    bindings = tuple((item.exchange, item.key) for item in rules.bindings)
    topology = Topology(
        queues={descriptor.queue: bindings},
        ordered=frozenset({descriptor.queue} if rules.ordered else ()),
        direct=rules.direct,
    )
    count = 0
    with invocation.hub() as hub:
        hub.publisher.declare(topology)
        for batch in _batches(_messages(descriptor, captures, bodies)):
            hub.publisher.publish(batch)
            count += len(batch)
    return {"queue": descriptor.queue, "sent": [str(path) for path in (*captures, *bodies)], "messages": count}


def _messages(descriptor: "Descriptor", captures: Sequence[Path], bodies: Sequence[Path]) -> Iterator["Outgoing"]:
    from integrationhub.errors import RecordRejected
    from integrationhub.intake.captures import read_capture

    for path in captures:
        for recorded in read_capture(path):
            if isinstance(recorded, int):
                raise RecordRejected(f"line {recorded} of {path.name} is no recorded delivery", code="CAPTURE_INVALID")
            yield _as_recorded(descriptor, recorded.message)
    for path in bodies:
        yield _body(descriptor, path)


def _as_recorded(descriptor: "Descriptor", message: "Incoming") -> "Outgoing":
    """The delivery to its exchange; where the connector's queue is not bound to that, to the queue itself."""
    from integrationhub.sdk.transport import Outgoing, as_if_from

    rules = descriptor.messages
    assert rules is not None
    bound = any(
        item.exchange == message.exchange and (not item.direct or item.key == message.routing_key)
        for item in rules.bindings
    )
    outgoing = Outgoing(
        exchange=message.exchange,
        routing_key=message.routing_key,
        message_id=message.message_id,
        body=message.body,
        content_type=message.content_type,
        headers=message.headers,
    )
    return outgoing if bound else as_if_from(outgoing, descriptor.queue)


def _body(descriptor: "Descriptor", path: Path) -> "Outgoing":
    import hashlib

    from integrationhub.canonical.identifiers import derive
    from integrationhub.sdk.transport import Outgoing

    body = path.read_bytes()
    return Outgoing(
        exchange="",
        routing_key=descriptor.queue,
        message_id=derive("message", descriptor.name, hashlib.sha256(body).hexdigest()),
        body=body,
        content_type=_CONTENT_TYPES.get(path.suffix),
    )


def _batches(messages: Iterator["Outgoing"]) -> Iterator[list["Outgoing"]]:
    import itertools

    while batch := list(itertools.islice(messages, _AT_ONCE)):
        yield batch


def _announce(invocation: Invocation, descriptor: "Descriptor", paths: Sequence[Path]) -> dict[str, object]:
    from integrationhub.errors import NotFound
    from integrationhub.receive.folder import find_files
    from integrationhub.receive.notices import QUEUE
    from integrationhub.sdk.transport import Topology

    files = [item for item in find_files(paths, descriptor.delivery) if item.trigger is not None]
    if not files:
        raise NotFound(f"there is no complete file of {descriptor.name} there", code="NO_FILES")
    with invocation.hub() as hub:
        hub.publisher.declare(Topology(queues={QUEUE: ()}))
        hub.publisher.publish([_notice(descriptor.name, item.path) for item in files])
    return {"queue": QUEUE, "sent": [str(item.path) for item in files], "file notices": len(files)}


def _notice(connector: str, path: Path) -> "Outgoing":
    import hashlib

    from integrationhub.canonical.identifiers import derive
    from integrationhub.receive.notices import QUEUE, FileNotice
    from integrationhub.sdk.transport import Outgoing

    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    notice = FileNotice(connector=connector, uri=path.resolve().as_uri(), sha256=digest, size=path.stat().st_size)
    return Outgoing(
        exchange="",
        routing_key=QUEUE,
        message_id=derive("notice", connector, path.name, digest),
        body=notice.body(),
        content_type="application/json",
    )
