"""Protocols of message transports. RabbitMQ and the embedded broker implement them and pass the same contract tests.

Delivery is at least once: a consumer acknowledges after its transaction has committed, and what was not acknowledged
comes again. Publishing returns only when the broker has taken responsibility for every message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to publish. `message_id` is the consumer's de-duplication key."""

    exchange: str
    routing_key: str
    message_id: str
    body: bytes
    content_type: str
    headers: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A delivered message. `tag` identifies the delivery to `acknowledge`; it is valid on its source only, once."""

    tag: int
    queue: str
    exchange: str
    routing_key: str
    message_id: str | None
    body: bytes
    content_type: str | None
    headers: Mapping[str, object] = field(default_factory=dict)
    redelivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What must exist on the broker: declared idempotently at start, a mismatch is a ConfigurationError."""

    exchanges: tuple[str, ...] = ()  # durable topic exchanges
    queues: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # queue → (exchange, binding key)…


class Publisher(Protocol):
    """Sends messages with the broker's confirmation."""

    def declare(self, topology: Topology) -> None:
        """Create what is missing; ConfigurationError where something exists with other arguments."""

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish persistently, in order, and return when every message is confirmed and was routed to a queue, or
        the exchange has no queue bound at all and `message` was published without `mandatory`.

        TransientError: the broker is away or refused; any of the messages may or may not have arrived, so all are to
        be sent again (consumers drop repeats by `message_id`).
        """

    def close(self) -> None:
        """Give the connection back; idempotent."""


class MessageSource(Protocol):
    """Takes messages from one queue."""

    def receive(self, *, limit: int, timeout: float) -> list[Incoming]:
        """Up to `limit` messages in queue order, as soon as there is one; an empty list after `timeout` seconds.

        TransientError: the connection is gone; call again to reconnect. Unacknowledged deliveries will come again.
        """

    def acknowledge(self, deliveries: Sequence[Incoming]) -> None:
        """These are done for good. Call only after the work has been committed."""

    def reject(self, deliveries: Sequence[Incoming], *, reason: str) -> None:
        """These can't be used: move them to the dead-letter queue, with the reason code."""

    def close(self) -> None:
        """Give unacknowledged deliveries back to the queue and close; idempotent."""
