"""What a file can do to the embedded broker: it can't be written for a while."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integrationhub.errors import TransientError
from integrationhub.sdk.transport import Incoming, Outgoing, Topology
from integrationhub.store.embedded_broker import EmbeddedPublisher, EmbeddedSource

QUEUE = "a.queue"
HELD = ["m0", "m1"]
ALL = [*HELD, "m2", "m3"]


@contextmanager
def full_disk() -> Iterator[None]:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    publisher = EmbeddedPublisher(tmp_path / "b.db")
    publisher.declare(Topology(queues={QUEUE: ()}))
    publisher.publish(
        [Outgoing(exchange="", routing_key=QUEUE, message_id=each, body=b"x", content_type=None) for each in ALL]
    )
    publisher.close()
    return tmp_path / "b.db"


def ids(messages: list[Incoming]) -> list[str | None]:
    return [message.message_id for message in messages]


def test_what_a_source_held_when_it_failed_comes_again_in_its_place(file: Path) -> None:
    source = EmbeddedSource(file, QUEUE)
    held = source.receive(limit=2, timeout=0)
    with full_disk(), pytest.raises(TransientError) as full:
        source.receive(limit=2, timeout=0)
    assert (ids(held), full.value.code) == (HELD, "DISK_FULL")
    again = source.receive(limit=4, timeout=0)
    assert ids(again) == ALL
    assert [message.redelivered for message in again] == [True, True, False, False]
    source.acknowledge(again)
    source.close()
    assert EmbeddedSource(file, QUEUE).receive(limit=4, timeout=0) == []


def test_what_a_source_held_that_could_not_be_closed_comes_again_to_the_next(file: Path) -> None:
    first = EmbeddedSource(file, QUEUE)
    first.receive(limit=2, timeout=0)
    with full_disk():
        first.close()
    assert ids(EmbeddedSource(file, QUEUE).receive(limit=4, timeout=0)) == ALL
