"""Protocols of message transports. RabbitMQ and the embedded broker implement them and pass the same contract tests.

Delivery is at least once: a consumer acknowledges after its transaction has committed, and what was not acknowledged
comes again. Publishing returns only when the broker has taken responsibility for every message. Nothing is dropped on
the way: a message that no queue wants waits in `hub.unroutable`, one that can't be used in its queue's dead-letter
queue.

    any exchange ──binding──▶ queue ──reject, or delivered DELIVERY_LIMIT times in vain──▶ queue + ".dead"
         │                    ▲   └──postpone──▶ queue + ".retry.SECONDS" ──┐
         │                    └───────────────after so many seconds─────────┘
         └───────no binding wants it───▶ hub.unroutable
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

EVENTS_EXCHANGE = "hub.events"
"""Where the hub publishes; consumers bind their own queues to it."""

UNROUTABLE_QUEUE = "hub.unroutable"
"""Messages that came to an exchange without a binding for them. Headers EXCHANGE_HEADER and ROUTING_KEY_HEADER say
where they were going."""

DELIVERY_LIMIT = 50
"""Deliveries after which the broker itself moves a message to the dead-letter queue: a last line, for a message that
kills every process that takes it. Any interrupted delivery counts, also of innocent messages behind such a one, so it
is far above the number of tries that the hub's own ledger allows."""

RETRY_SECONDS = (10, 300)
"""For how long a message may be postponed: each queue has a retry queue for each of them."""

REASON_HEADER = "hub-reason"
"""On a dead letter: the reason code of the rejection, or `delivery_limit`."""

DIRECT_HEADER = "hub-direct"
"""On a message that was put into its queue directly, in place of the way that it would have come or came before."""

POSTPONED_HEADER = "hub-postponed"
"""On a message in a retry queue: how often it was postponed."""

EXCHANGE_HEADER = "hub-exchange"
ROUTING_KEY_HEADER = "hub-routing-key"
"""On a dead letter and an unroutable message: where it was published to at first."""


def is_final(queue: str) -> bool:
    """Whether messages of this queue wait for people: it has no limits, and no dead-letter queue of its own."""
    return queue == UNROUTABLE_QUEUE or queue.endswith(".dead")


def retry_queue(queue: str, seconds: int) -> str:
    """The queue in which messages wait for so long before they come to `queue` again."""
    return f"{queue}.retry.{seconds}"


def dead_letter_queue(queue: str) -> str:
    """The queue in which a queue's unusable messages wait for people; a final queue's go to its own end."""
    return queue if is_final(queue) else f"{queue}.dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to publish. `message_id` is the consumer's de-duplication key. Exchange "" means the queue itself.

    Of the messages of one call with the same `order_key`, each is sent when the one before it is confirmed: so they
    come in order also from a broker that loses some of what is under way and keeps some.
    """

    exchange: str
    routing_key: str
    message_id: str | None
    body: bytes
    content_type: str | None
    headers: Mapping[str, object] = field(default_factory=dict)
    order_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A delivered message. `tag` identifies the delivery to `acknowledge`; it is valid on its source only, once.

    `redelivered` and `deliveries` (how often it was delivered before, in vain) are what the broker counts: hints to a
    message that kills its consumer, no ledger of tries. `postponed`: how often it was, and came back.
    """

    tag: int
    queue: str
    exchange: str
    routing_key: str
    message_id: str | None
    body: bytes
    content_type: str | None
    headers: Mapping[str, object] = field(default_factory=dict)
    redelivered: bool = False
    deliveries: int = 0
    postponed: int = 0


def restored(delivery: Incoming) -> Incoming:
    """A message that was put into its queue directly, as it would have come: by its exchange and routing key."""
    headers = dict(delivery.headers)
    if not headers.pop(DIRECT_HEADER, False) or is_final(delivery.queue):
        return delivery
    exchange, routing_key = headers.pop(EXCHANGE_HEADER, ""), headers.pop(ROUTING_KEY_HEADER, "")
    times = headers.pop(POSTPONED_HEADER, 0)
    postponed = times if isinstance(times, int) else 0
    return replace(delivery, exchange=str(exchange), routing_key=str(routing_key), headers=headers, postponed=postponed)


def postponed(delivery: Incoming, seconds: int) -> Outgoing:
    """The delivery as it waits in a retry queue."""
    message = Outgoing(
        exchange=delivery.exchange,
        routing_key=delivery.routing_key,
        message_id=delivery.message_id,
        body=delivery.body,
        content_type=delivery.content_type,
        headers={**delivery.headers, POSTPONED_HEADER: delivery.postponed + 1},
    )
    return as_if_from(message, retry_queue(delivery.queue, seconds))


def dead_letter(delivery: Incoming, reason: str) -> Outgoing:
    """The delivery as it goes to its dead-letter queue, byte for byte, with the reason and where it came from."""
    whence = {EXCHANGE_HEADER: delivery.exchange, ROUTING_KEY_HEADER: delivery.routing_key}
    return Outgoing(
        exchange="",
        routing_key=dead_letter_queue(delivery.queue),
        message_id=delivery.message_id,
        body=delivery.body,
        content_type=delivery.content_type,
        headers={**whence, **delivery.headers, REASON_HEADER: reason},
    )


def as_if_from(message: Outgoing, queue: str) -> Outgoing:
    """The message put into a queue directly; a source gives it as if it came by its own exchange and routing key."""
    whence = {EXCHANGE_HEADER: message.exchange, ROUTING_KEY_HEADER: message.routing_key, DIRECT_HEADER: True}
    return replace(message, exchange="", routing_key=queue, headers={**message.headers, **whence})


def unroutable(message: Outgoing) -> Outgoing:
    """The message as it is kept when no queue wants it."""
    whence = {EXCHANGE_HEADER: message.exchange, ROUTING_KEY_HEADER: message.routing_key}
    return replace(message, exchange="", routing_key=UNROUTABLE_QUEUE, headers={**message.headers, **whence})


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What must exist on the broker: declared idempotently at start, a mismatch is a ConfigurationError.

    A queue's dead-letter queue and `hub.unroutable` come with it and are not named here. Of a queue in `ordered` one
    consumer at a time gets messages, and the others stand by.
    """

    exchanges: tuple[str, ...] = ()  # durable; topic exchanges, as those of bindings, but for those in `direct`
    queues: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # queue → (exchange, binding key)…
    ordered: frozenset[str] = frozenset()
    direct: frozenset[str] = frozenset()


class Publisher(Protocol):
    """Sends messages with the broker's confirmation."""

    def declare(self, topology: Topology) -> None:
        """Create what is missing; ConfigurationError where something exists with other arguments."""

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish persistently, in order, and return when the broker has confirmed that every message lies in a queue.

        Where order must hold whatever happens to the broker, messages need an `order_key`.
        A message that came to an exchange and found no binding is kept in `hub.unroutable`.
        TransientError: the broker is away or refused, or a named queue or exchange does not exist; any of the messages
        may or may not have arrived, so all are to be sent again (consumers drop repeats by `message_id`).
        """

    def depths(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        """Messages that wait in each queue, those being worked on not counted; None for a queue that isn't there."""

    def close(self) -> None:
        """Give the connection back; idempotent."""


class MessageSource(Protocol):
    """Takes messages from one queue, which it declares itself. One thread receives; any may acknowledge and reject."""

    def receive(self, *, limit: int, timeout: float) -> list[Incoming]:
        """Up to `limit` messages in queue order, as soon as there is one; an empty list after `timeout` seconds.

        TransientError: the broker is away, or the connection was lost; call again to reconnect. What was not
        acknowledged will come again.
        ConfigurationError: the queue exists with other arguments, or the broker doesn't let us in.
        """

    def acknowledge(self, deliveries: Sequence[Incoming]) -> None:
        """These are done for good. Call only after the work has been committed.

        A repeat, or a delivery whose connection was lost meanwhile, is passed over: such a message comes again, and
        the inbox knows it as a duplicate.
        """

    def reject(self, deliveries: Sequence[Incoming], *, reason: str) -> None:
        """These can't be used: move them to the dead-letter queue, with the reason code.

        TransientError: they are still in the queue; try again, or let them come again.
        """

    def postpone(self, deliveries: Sequence[Incoming], *, seconds: int) -> None:
        """Have these delivered again after so many seconds (one of RETRY_SECONDS), with nothing held for them.

        They come as they came first, at the end of the queue: not for messages that must keep their place.
        TransientError: they are still in the queue.
        """

    def hold(self) -> None:
        """Have no more delivered. What has arrived is still received, and acknowledged, until the source is closed."""

    def close(self) -> None:
        """Give unacknowledged deliveries back to the queue and close; idempotent."""
