"""Publishing in windows: many messages under way, each confirmed by the broker before the call is done."""

import itertools
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Protocol

import pika  # type: ignore[import-untyped]

from integrationhub.errors import TransientError
from integrationhub.sdk.transport import Outgoing

WINDOW = 1000
"""Messages under way at most: confirms one by one were measured at a twentieth of the rate (PERFORMANCE.md)."""

WINDOW_BYTES = 16 * 1024 * 1024
"""Bytes of bodies under way, beyond which no further message is sent."""

PERSISTENT = 2


class Method(Protocol):
    """What pika tells of a delivered or returned message. A short string that is no UTF-8 comes as bytes."""

    delivery_tag: int
    redelivered: bool
    exchange: str
    routing_key: str


class Properties(Protocol):
    """A message's properties, as pika holds them."""

    message_id: str | None
    content_type: str | None
    headers: dict[str, object] | None


class Publication:
    """Some messages on their way to the broker, in order. Lives on a link's I/O thread, except for `done`.

    Messages of one order key are never under way together: those behind one that is wait for its confirm, and let
    others pass. `done` gives the messages that the broker returned because no queue wants them. `tag` is the delivery
    tag of the last message of the channel; the channel counts them from 1.
    """

    def __init__(self, messages: Iterator[Outgoing]) -> None:
        self.done: Future[list[Outgoing]] = Future()
        self.progress = time.monotonic()
        self._rest = messages
        # By tag, not counted: the broker mixes single confirms with those of all messages up to one.
        self._under_way: dict[int, Outgoing] = {}
        self._behind: dict[str, deque[Outgoing]] = {}  # for each order key under way, what waits for it
        self._ready: deque[Outgoing] = deque()  # these have waited
        self._bytes = 0
        self._returned: list[Outgoing] = []

    def go_on(self, channel: pika.channel.Channel, tag: int) -> int:
        """Fill the window; the tag of the last message."""
        while self._has_room() and (message := self._next()) is not None:
            channel.basic_publish(
                exchange=message.exchange,
                routing_key=message.routing_key,
                body=message.body,
                properties=_properties(message),
                mandatory=True,
            )
            tag += 1
            self._under_way[tag] = message
            self._bytes += len(message.body)
        if not self._under_way and not self.done.done():
            self.done.set_result(self._returned)
        return tag

    def confirmed(self, tag: int, *, multiple: bool) -> bool:
        """Strike off what the broker has taken; whether it is time to go on."""
        self.progress = time.monotonic()
        # Dictionaries keep the order of insertion, and tags rise: those up to `tag` stand first.
        done = list(itertools.takewhile(tag.__ge__, self._under_way)) if multiple else [tag]
        for each in done:
            message = self._under_way.pop(each, None)
            if message is not None:
                self._bytes -= len(message.body)
                self._let_pass(message.order_key)
        return len(self._under_way) <= WINDOW // 2 and self._bytes <= WINDOW_BYTES // 2

    def _next(self) -> Outgoing | None:
        """The next message that may go now."""
        if self._ready:
            return self._ready.popleft()
        for message in self._rest:
            key = message.order_key
            if key is None:
                return message
            if key not in self._behind:
                self._behind[key] = deque()
                return message
            self._behind[key].append(message)
        return None

    def _let_pass(self, key: str | None) -> None:
        """A message of this order key is confirmed: the next one may go."""
        if key is None:
            return
        if self._behind[key]:
            self._ready.append(self._behind[key].popleft())
        else:
            del self._behind[key]

    def _has_room(self) -> bool:
        return len(self._under_way) < WINDOW and self._bytes < WINDOW_BYTES

    def refused(self, broker: str) -> None:
        """The broker could not take a message: a queue is full, or its leader went away."""
        if not self.done.done():
            self.done.set_exception(TransientError(f"broker {broker} refused a message", code="BROKER_REFUSED"))

    def returned(self, method: Method, properties: Properties, body: bytes) -> None:
        """No queue wants this one; its confirm follows."""
        self._returned.append(
            Outgoing(
                exchange=method.exchange,
                routing_key=method.routing_key,
                message_id=properties.message_id,
                body=body,
                content_type=properties.content_type,
                headers=properties.headers or {},
            )
        )


def _properties(message: Outgoing) -> pika.BasicProperties:
    return pika.BasicProperties(
        content_type=message.content_type,
        headers=dict(message.headers),
        delivery_mode=PERSISTENT,
        message_id=message.message_id,
    )
