"""Taking messages from one RabbitMQ queue.

The link's I/O thread puts deliveries into a queue of ours, from which `receive` takes batches: one message when there
is one, hundreds when they have piled up. The prefetch bounds that queue: twice the batch, so that the next batch
arrives while one is worked on. Acknowledgements go out on the I/O thread too, after the caller's commit.

Tags. The broker numbers the deliveries of each channel from 1; ours go on counting over reconnects (tag = base +
delivery tag). So a delivery from a channel that is gone is told by its tag, and its acknowledgement is dropped: the
broker has put the message back, it comes again, and the inbox knows it as a duplicate. `multiple` acknowledges
everything up to a tag, so it is used as far as everything up to there is done; the rest goes singly. No tag is ever
acknowledged twice (the broker would close the channel with PRECONDITION_FAILED).

A broken silence. When a queue is deleted and made again by somebody else in the same moment, RabbitMQ (seen with 3.10)
goes on with our consumer as if nothing had happened, and takes the first messages of the new queue for deliveries that
we have had: we get neither them nor a word. They are in nobody's hands and come again once our connection is another.
So a queue that has given nothing for a while is subscribed to anew.
"""

import contextlib
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from integrationhub.amqp import topology
from integrationhub.amqp.faults import again
from integrationhub.amqp.link import Link, open_patiently
from integrationhub.amqp.publication import Method, Properties
from integrationhub.errors import HubError, TransientError
from integrationhub.sdk.transport import (
    DIRECT_HEADER,
    EXCHANGE_HEADER,
    REASON_HEADER,
    ROUTING_KEY_HEADER,
    Incoming,
    Outgoing,
    Topology,
    dead_letter,
    dead_letter_queue,
    is_final,
    postponed,
    restored,
)

BATCH = 500
DELIVERY_COUNT = "x-delivery-count"
"""A quorum queue's header: how often the message was delivered before and came back."""

QUIET_SECONDS = 60.0
"""How long nothing may come before the queue is subscribed to anew."""

_WAY = ("x-death", "x-first-death-", "x-last-death-")


class RabbitSource:
    """sdk.transport.MessageSource for RabbitMQ. Connects when first used, and again after a failure.

    `limit` is the largest batch that will be asked for. The queue, its dead-letter queue and its bindings (exchange,
    key) are declared on each connection, exchanges as topic ones but for those in `direct`. One thread receives; any
    may acknowledge.
    """

    def __init__(
        self,
        url: str,
        queue: str,
        *,
        bindings: tuple[tuple[str, str], ...] = (),
        direct: frozenset[str] = frozenset(),
        ordered: bool = False,
        limit: int = BATCH,
        name: str = "integrationhub",
    ) -> None:
        self._url = url
        self._queue = queue
        ordered_queues = frozenset({queue} if ordered else ())
        self._topology = Topology(queues={queue: bindings}, ordered=ordered_queues, direct=direct)
        self._prefetch = 2 * limit
        self._name = f"{name} {queue}"
        self._link: Link | None = None
        self._held = False
        self._aside: Link | None = None  # its own connection: one that publishes may be blocked by the broker
        self._moving = threading.Lock()
        self._changed = threading.Condition()  # guards the five below
        self._arrived: deque[Incoming] = deque()
        self._unacknowledged: dict[int, None] = {}  # tags, in order of delivery
        self._base = 0
        self._last = 0
        self._heard = time.monotonic()  # when something came last
        self._closed = threading.Event()

    def receive(self, *, limit: int, timeout: float) -> list[Incoming]:
        """See sdk.transport.MessageSource."""
        deadline = time.monotonic() + timeout
        if self._held and self._link is None:
            self._closed.wait(timeout)
            return []
        link = self._connected(timeout)
        with self._changed:
            self._changed.wait_for(lambda: self._arrived or link.lost, max(0.0, deadline - time.monotonic()))
            arrived = [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]
        if link.lost is not None:
            self._disconnect()
            raise again(link.lost)  # each loss is told once; the next call connects again
        if not arrived:
            self._break_silence()
        return arrived

    def _break_silence(self) -> None:
        """Subscribe anew, with the next call, when nothing has come for long and nothing is in hand."""
        with self._changed:
            is_quiet = not self._unacknowledged and time.monotonic() - self._heard > QUIET_SECONDS
        if is_quiet and not self._held:
            self._disconnect()

    def acknowledge(self, deliveries: Sequence[Incoming]) -> None:
        """See sdk.transport.MessageSource."""
        with self._changed:
            done = {delivery.tag for delivery in deliveries} & self._unacknowledged.keys()
            first = self._done_from_the_start(done)
            singly = [tag - self._base for tag in sorted(done.difference(first))]
            multiple = first[-1] - self._base if first else None
            for tag in done:
                del self._unacknowledged[tag]
            # A link that is lost gives these deliveries again.
            if done and self._link is not None:
                with contextlib.suppress(HubError):
                    self._link.post(lambda channel: _acknowledge(channel, multiple, singly))

    def _done_from_the_start(self, done: set[int]) -> list[int]:
        """The tags up to the first that is not done: what `multiple` may acknowledge at once."""
        return list(itertools.takewhile(done.__contains__, self._unacknowledged))

    def reject(self, deliveries: Sequence[Incoming], *, reason: str) -> None:
        """See sdk.transport.MessageSource. Acknowledged only when the dead letters are confirmed."""
        self._move(deliveries, lambda delivery: dead_letter(delivery, reason))

    def postpone(self, deliveries: Sequence[Incoming], *, seconds: int) -> None:
        """See sdk.transport.MessageSource. Acknowledged only when the retry queue has them."""
        self._move(deliveries, lambda delivery: postponed(delivery, seconds), retry=seconds)

    def _move(
        self, deliveries: Sequence[Incoming], moved: Callable[[Incoming], Outgoing], *, retry: int | None = None
    ) -> None:
        """Publish what the deliveries become, and acknowledge them once that is confirmed."""
        with self._changed:
            ours = [delivery for delivery in deliveries if delivery.tag in self._unacknowledged]
        with self._moving:
            if self._aside is None or self._aside.lost:
                self._close(self._aside)
                self._aside = Link(self._url, f"{self._name} aside")
            if retry is not None:
                topology.declare_retry(self._aside, self._queue, retry)
            returned = self._aside.publish([moved(delivery) for delivery in ours])
        if returned:
            raise TransientError(
                f"there is no queue {dead_letter_queue(self._queue)}",
                code="QUEUE_MISSING",
                remedy="it is declared when the consumer connects again",
            )
        self.acknowledge(ours)

    def hold(self) -> None:
        """See sdk.transport.MessageSource."""
        self._held = True
        if self._link is not None:
            with contextlib.suppress(HubError):  # a link that is lost delivers nothing
                self._link.stop_consuming()

    def close(self) -> None:
        """See sdk.transport.MessageSource."""
        self._closed.set()
        self._disconnect()
        self._close(self._aside)
        self._aside = None

    # ---- the connection

    def _connected(self, seconds: float) -> Link:
        if self._link is None:
            self._link = open_patiently(self._open, seconds=seconds, give_up=self._closed)
        return self._link

    def _open(self) -> Link:
        with self._changed:
            self._forget()
            self._base = base = self._last
            self._heard = time.monotonic()
        link = Link(self._url, self._name, on_lost=self._wake)
        try:
            topology.declare(link, self._topology)
            link.consume(
                self._queue,
                prefetch=self._prefetch,
                on_message=lambda method, properties, body: self._take(base, method, properties, body),
            )
        except HubError:
            link.close()
            raise
        return link

    def _disconnect(self) -> None:
        self._close(self._link)
        self._link = None
        with self._changed:
            self._forget()

    @staticmethod
    def _close(link: Link | None) -> None:
        if link is not None:
            link.close()

    def _forget(self) -> None:
        """What came through a link that is gone will come again."""
        self._arrived.clear()
        self._unacknowledged.clear()

    # ---- on the I/O thread

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _take(self, base: int, method: Method, properties: Properties, body: bytes) -> None:
        headers = _own_headers(self._queue, properties.headers or {})
        count = headers.get(DELIVERY_COUNT, 0)
        incoming = Incoming(
            tag=base + method.delivery_tag,
            queue=self._queue,
            exchange=_shown(method.exchange),
            routing_key=_shown(method.routing_key),
            message_id=_text(properties.message_id),
            body=body,
            content_type=_text(properties.content_type),
            headers=headers,
            redelivered=method.redelivered,
            deliveries=count if isinstance(count, int) else 0,
        )
        if DIRECT_HEADER in headers:
            incoming = restored(incoming)
        with self._changed:
            if base != self._base:
                return  # a late delivery of an old link
            self._last = incoming.tag
            self._heard = time.monotonic()
            self._unacknowledged[incoming.tag] = None
            self._arrived.append(incoming)
            self._changed.notify()


class _Acknowledging(Protocol):
    def basic_ack(self, delivery_tag: int, multiple: bool = ...) -> None: ...  # noqa: FBT001 - pika's signature


def _acknowledge(channel: _Acknowledging, multiple: int | None, singly: Sequence[int]) -> None:
    if multiple is not None:
        channel.basic_ack(multiple, multiple=True)
    for tag in singly:
        channel.basic_ack(tag)


def _text(given: str | bytes | None) -> str | None:
    """A short string as AMQP means it (0-9-1 §4.2.5.3): UTF-8 without zero octets. What is none counts as not given.

    Brokers let anything through; pika hands on what isn't UTF-8 as bytes, and no database holds a zero octet in text.
    """
    return given if isinstance(given, str) and "\0" not in given else None


def _shown(given: str | bytes) -> str:
    """Where a message came from, with what is no text replaced: only people read it."""
    text = given.decode(errors="replace") if isinstance(given, bytes) else given
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _own_headers(queue: str, headers: Mapping[str, object]) -> Mapping[str, object]:
    """The headers without what the broker writes of a message's way; in a dead-letter queue the reason in its place."""
    deaths = headers.get("x-death")
    if not deaths or not isinstance(deaths, list):
        return headers
    own = {name: value for name, value in headers.items() if not str(name).startswith(_WAY)}
    if not is_final(queue):
        return own if DIRECT_HEADER in headers else headers
    if REASON_HEADER in headers:
        return headers
    last = deaths[0]  # the latest stands first
    whence = {EXCHANGE_HEADER: last["exchange"], ROUTING_KEY_HEADER: last["routing-keys"][0]}
    own.pop(DIRECT_HEADER, None)
    return {**whence, **own, REASON_HEADER: last["reason"]}
