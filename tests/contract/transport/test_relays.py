"""The relay on each transport."""

import threading
import time
from collections.abc import Sequence
from datetime import datetime

from integrationhub.publish.relay import Relay
from integrationhub.sdk.transport import EVENTS_EXCHANGE, Incoming, Outgoing
from tests.contract.transport.conftest import Broker
from tests.unit.publish.test_relay import MemoryOutbox, Stored, first_seen, in_order, now

CONSUMER = "a.consumer"
EVENTS = 1000


class SharedOutbox(MemoryOutbox):
    """Two relays read it at once."""

    def __init__(self, subjects: Sequence[str]) -> None:
        super().__init__(subjects)
        self._lock = threading.Lock()

    def waiting(self, limit: int) -> list[Stored]:
        with self._lock:
            return super().waiting(limit)

    def mark_published(self, positions: Sequence[int], *, at: datetime) -> None:
        with self._lock:
            super().mark_published(positions, at=at)


def as_sent(message: Incoming) -> Outgoing:
    return Outgoing(
        exchange=message.exchange,
        routing_key=message.routing_key,
        message_id=message.message_id,
        body=message.body,
        content_type=message.content_type,
        headers=message.headers,
    )


def drain_in_small_rounds(relay: Relay) -> None:
    while relay.send_round(37):
        pass


def test_two_relays_at_once_lose_nothing_and_keep_the_order_of_each_subject(broker: Broker) -> None:
    source = broker.source(CONSUMER, ((EVENTS_EXCHANGE, "internal.#"),))
    assert source.receive(limit=1, timeout=0) == []
    outbox = SharedOutbox([f"subject {number % 7}" for number in range(EVENTS)])
    relays = [Relay(outbox, broker.publisher(), now) for _ in range(2)]
    running = [threading.Thread(target=drain_in_small_rounds, args=(relay,)) for relay in relays]
    for thread in running:
        thread.start()
    got: list[Outgoing] = []
    deadline = time.monotonic() + 30
    while len({message.message_id for message in got}) < EVENTS and time.monotonic() < deadline:
        batch = source.receive(limit=200, timeout=0.5)
        source.acknowledge(batch)
        got += map(as_sent, batch)
    for thread in running:
        thread.join()
    seen = first_seen(got)
    assert len(seen) == EVENTS
    assert in_order(seen)


def test_events_published_before_anybody_listens_are_kept(broker: Broker) -> None:
    publisher = broker.publisher()
    Relay(MemoryOutbox(["a", "b"]), publisher, now).drain()
    assert publisher.depths(["hub.unroutable"]) == {"hub.unroutable": 2}
