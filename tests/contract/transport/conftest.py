"""Both transports behind one face, for the tests that hold for either."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pika  # type: ignore[import-untyped]
import pytest

from integrationhub.publish.rabbit import RabbitPublisher
from integrationhub.receive.rabbit import RabbitSource
from integrationhub.sdk.transport import MessageSource, Publisher
from integrationhub.store.embedded_broker import EmbeddedPublisher, EmbeddedSource
from tests.services.processes import free_ports

Bindings = tuple[tuple[str, str], ...]


class Broker(Protocol):
    """A broker with nothing on it."""

    where: str

    def publisher(self) -> Publisher: ...
    def source(self, queue: str, bindings: Bindings = ()) -> MessageSource: ...

    def ordered_source(self, queue: str) -> MessageSource: ...

    def make_foreign_queue(self, queue: str) -> None:
        """A queue of this name as somebody else would make it."""

    def absent_publisher(self) -> Publisher:
        """A publisher whose broker isn't there."""


class Rabbit:
    def __init__(self, where: str) -> None:
        self.where = where
        self.open: list[Publisher | MessageSource] = []

    def publisher(self) -> Publisher:
        publisher = RabbitPublisher(self.where)
        self.open.append(publisher)
        return publisher

    def source(self, queue: str, bindings: Bindings = ()) -> MessageSource:
        source = RabbitSource(self.where, queue, bindings=bindings)
        self.open.append(source)
        return source

    def ordered_source(self, queue: str) -> MessageSource:
        source = RabbitSource(self.where, queue, ordered=True)
        self.open.append(source)
        return source

    def make_foreign_queue(self, queue: str) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.where))
        connection.channel().queue_declare(queue, durable=True)
        connection.close()

    def absent_publisher(self) -> Publisher:
        (port,) = free_ports(1)
        return RabbitPublisher(f"amqp://127.0.0.1:{port}/")


class Embedded:
    def __init__(self, where: Path) -> None:
        self.where = str(where)
        self.open: list[Publisher | MessageSource] = []

    def publisher(self) -> Publisher:
        publisher = EmbeddedPublisher(self.where)
        self.open.append(publisher)
        return publisher

    def source(self, queue: str, bindings: Bindings = ()) -> MessageSource:
        source = EmbeddedSource(self.where, queue, bindings=bindings)
        self.open.append(source)
        return source

    def ordered_source(self, queue: str) -> MessageSource:
        source = EmbeddedSource(self.where, queue, ordered=True)
        self.open.append(source)
        return source

    def make_foreign_queue(self, queue: str) -> None:
        self.publisher().depths([])  # makes the tables
        connection = sqlite3.connect(self.where)
        connection.execute("INSERT INTO broker_queues VALUES (?, '{}')", (queue,))
        connection.commit()
        connection.close()

    def absent_publisher(self) -> Publisher:
        return EmbeddedPublisher(Path(self.where).with_name("absent") / "hub.db")


@pytest.fixture(params=["rabbitmq", "embedded"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    made = Rabbit(request.getfixturevalue("amqp_url")) if request.param == "rabbitmq" else Embedded(tmp_path / "hub.db")
    yield made
    for end in made.open:
        end.close()
