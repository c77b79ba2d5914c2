"""`integrationhub send`: put files or recorded messages on the connector's queue, for tests and drills."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from integrationhub.cli.invocation import Invocation
from integrationhub.cli.output import json_option, print_json

if TYPE_CHECKING:
    from integrationhub.sdk.transport import Outgoing


@click.command()
@click.argument("connector")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def send(invocation: Invocation, connector: str, paths: tuple[Path, ...], as_json: bool) -> None:
    """Announce files of CONNECTOR on the queue integrationhub.files; the running daemon takes them.

    A PATH is a data file (its trigger file beside it) or a folder. Returns when the broker has confirmed.
    """
    from integrationhub.errors import NotFound
    from integrationhub.receive.folder import find_files
    from integrationhub.receive.notices import QUEUE
    from integrationhub.sdk.transport import Topology

    descriptor = invocation.catalogue.connector(connector)
    files = [item for item in find_files(paths, descriptor.delivery) if item.trigger is not None]
    if not files:
        raise NotFound(f"there is no complete file of {descriptor.name} there", code="NO_FILES")
    with invocation.hub() as hub:
        hub.publisher.declare(Topology(queues={QUEUE: ()}))
        hub.publisher.publish([_notice(descriptor.name, item.path) for item in files])
    sent = {"connector": descriptor.name, "queue": QUEUE, "sent": [str(item.path) for item in files]}
    if as_json:
        print_json(sent)
    else:
        click.echo(f"{len(files)} file notices sent to {QUEUE}. What becomes of them: integrationhub status")


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
