"""A consumer of the hub's events that takes them all at the end, and checks what it was promised.

Its queue is there from before the first event. The promise: every event comes at least once, unchanged each time, and
those of a subject come in the order of their numbers, repeats aside.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pika  # type: ignore[import-untyped]

EXCHANGE = "hub.events"
QUEUE = "load-listener"
QUIET_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came: distinct events, repeats, and what broke the promise."""

    distinct: int
    repeats: int
    out_of_order: int
    changed: int


def listen(url: str) -> None:
    """Have everything from now on kept for us."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, "topic", durable=True)
        channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(QUEUE, EXCHANGE, "#")


def heard(url: str) -> Heard:
    """Take everything that was kept."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.basic_qos(prefetch_count=2000)
        bodies = []
        for method, _properties, body in channel.consume(QUEUE, inactivity_timeout=QUIET_SECONDS):
            if method is None:
                break
            bodies.append(body)
            channel.basic_ack(method.delivery_tag)
        channel.cancel()
    return judged(bodies)


def judged(bodies: Iterable[bytes]) -> Heard:
    """Whether the promise was kept."""
    seen: dict[str, bytes] = {}
    last: dict[tuple[str, str], int] = {}
    repeats = out_of_order = changed = 0
    for body in bodies:
        event = json.loads(body)
        name, thread, number = event["id"], (event["subject"], event["audience"]), int(event["sequence"])
        if name in seen:
            repeats += 1
            changed += seen[name] != body
            continue
        seen[name] = body
        out_of_order += number != last.get(thread, 0) + 1
        last[thread] = number
    return Heard(distinct=len(seen), repeats=repeats, out_of_order=out_of_order, changed=changed)
