"""The brokers that a load can go through, behind one face: where it is published, where the hub's events are heard."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import pika  # type: ignore[import-untyped]

from integrationhub.errors import TransientError
from integrationhub.sdk.transport import EVENTS_EXCHANGE, Outgoing, Topology
from integrationhub.store.embedded_broker import EmbeddedPublisher, EmbeddedSource
from tests.load.listener import Heard, judged
from tests.load.notices import EXCHANGE, QUEUE, ROUTING_KEY
from tests.load.publisher import LoadMessage, LoadPublisher
from tests.services.processes import wait_until

LISTENER = "load-listener"
QUIET_SECONDS = 3.0
READY_SECONDS = 60.0


class Load(Protocol):
    """Messages being published, in a `with` block."""

    attempted: int
    begun: set[str | None]
    confirmed: dict[str | None, float]

    def wait(self, seconds: float) -> None:
        """Until all are confirmed; RuntimeError when it takes longer."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LoadBroker(Protocol):
    """Where the hub takes its messages from and sends its events to. `hub_url`: as the hub is told of it."""

    @property
    def hub_url(self) -> str: ...

    def until_bound(self) -> None:
        """Wait until the hub's queue is bound: what a source publishes before would come back to it."""

    def publishing(self, messages: Iterable[LoadMessage], *, rate: float | None) -> Load:
        """Publish these, at most so many a second."""

    def listen(self) -> None:
        """Have every event from now on kept for us."""

    def heard(self) -> Heard:
        """Take everything that was kept."""


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """`url` is where we see it; `seen_by_hub`, where it differs, where the hub does (a proxy)."""

    url: str
    seen_by_hub: str | None = None

    @property
    def hub_url(self) -> str:
        return self.seen_by_hub or self.url

    def _connected(self) -> pika.BlockingConnection:
        return pika.BlockingConnection(pika.URLParameters(self.url))

    def until_bound(self) -> None:
        def bound() -> bool:
            with contextlib.suppress(pika.exceptions.AMQPError), self._connected() as connection:
                channel = connection.channel()
                channel.confirm_delivery()
                channel.basic_publish(EXCHANGE, ROUTING_KEY, b"{}", unusable, mandatory=True)
                return True
            return False

        unusable = pika.BasicProperties(message_id="probe")
        wait_until(bound, seconds=READY_SECONDS, what="the queue")

    def publishing(self, messages: Iterable[LoadMessage], *, rate: float | None) -> Load:
        return LoadPublisher(self.url, messages, rate=rate)

    def delete_queue(self) -> None:
        """Delete the hub's queue, with what lies in it."""
        with self._connected() as connection:
            connection.channel().queue_delete(QUEUE)

    def listen(self) -> None:
        with self._connected() as connection:
            channel = connection.channel()
            channel.exchange_declare(EVENTS_EXCHANGE, "topic", durable=True)
            channel.queue_declare(LISTENER, durable=True, arguments={"x-queue-type": "quorum"})
            channel.queue_bind(LISTENER, EVENTS_EXCHANGE, "#")

    def heard(self) -> Heard:
        with self._connected() as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=2000)
            bodies = []
            for method, _properties, body in channel.consume(LISTENER, inactivity_timeout=QUIET_SECONDS):
                if method is None:
                    break
                bodies.append(body)
                channel.basic_ack(method.delivery_tag)
            channel.cancel()
        return judged(bodies)


@dataclass(frozen=True, slots=True)
class Embedded:
    """The embedded broker in the file of the hub's store."""

    file: Path
    hub_url: str = "embedded"

    def until_bound(self) -> None:
        def bound() -> bool:
            with contextlib.suppress(sqlite3.OperationalError), sqlite3.connect(self.file, timeout=60) as connection:
                found = connection.execute("SELECT 1 FROM broker_bindings WHERE queue = ?", (QUEUE,)).fetchone()
                return found is not None
            return False

        wait_until(bound, seconds=READY_SECONDS, what="the queue")

    def publishing(self, messages: Iterable[LoadMessage], *, rate: float | None) -> Load:
        return EmbeddedLoad(self.file, messages, rate=rate or 1e9)

    def listen(self) -> None:
        publisher = EmbeddedPublisher(self.file)
        publisher.declare(Topology(exchanges=(EVENTS_EXCHANGE,), queues={LISTENER: ((EVENTS_EXCHANGE, "#"),)}))
        publisher.close()

    def heard(self) -> Heard:
        source = EmbeddedSource(self.file, LISTENER)
        bodies = []
        while batch := source.receive(limit=1000, timeout=QUIET_SECONDS):
            bodies += [message.body for message in batch]
            source.acknowledge(batch)
        source.close()
        return judged(bodies)


class EmbeddedLoad:
    """Publishes all `messages` in a thread, in one go what is due, and again what was not confirmed."""

    def __init__(self, file: Path, messages: Iterable[LoadMessage], *, rate: float) -> None:
        self._publisher = EmbeddedPublisher(file)
        self._messages: Iterator[LoadMessage] = iter(messages)
        self._rate = rate
        self.attempted = 0
        self.begun: set[str | None] = set()
        self.confirmed: dict[str | None, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._publisher.close()

    def wait(self, seconds: float) -> None:
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise RuntimeError(f"{len(self.confirmed)} of {self.attempted} messages confirmed after {seconds} s")

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(0.02):
            due = min(500, int((time.monotonic() - began) * self._rate) - self.attempted)
            batch = [message for _, message in zip(range(due), self._messages, strict=False)]
            if due > 0 and not batch:
                return
            self.attempted += len(batch)
            self.begun.update(message.message_id for message in batch)
            self._publish(batch)

    def _publish(self, batch: list[LoadMessage]) -> None:
        outgoing = [
            Outgoing(
                exchange=message.exchange,
                routing_key=message.routing_key,
                message_id=message.message_id,
                body=message.body,
                content_type=message.content_type,
                headers=message.headers,
            )
            for message in batch
        ]
        while not self._stop.is_set():
            with contextlib.suppress(TransientError):
                self._publisher.publish(outgoing)
                self.confirmed.update(dict.fromkeys((message.message_id for message in batch), time.time()))
                return
