"""What the hub declares on a broker. Declaring is idempotent; an object that is there with other arguments is an error.

For a queue Q:

    Q                quorum; after DELIVERY_LIMIT deliveries in vain its messages are dead-lettered, through the default
                     exchange, to Q.dead, at-least-once (which needs overflow = reject-publish); with a single active
                     consumer where messages about one entity must stay in order across hosts
    Q.dead           quorum
    Q.retry.SECONDS  quorum; its messages expire after so many seconds, and are dead-lettered to Q, at-least-once
    hub.unroutable   quorum
    exchanges        topic (direct where a source has it so), durable, without arguments: whoever declares `hub.events`
                     as documented finds it equal. An alternate exchange would be an argument, so publishers keep what
                     is returned to them instead.

The arguments exist since RabbitMQ 3.10 and mean the same in 4.x. A message that waits in a dead-letter or unroutable
queue waits for people: no length limit, no expiry.
"""

from collections.abc import Mapping

from integrationhub.amqp.link import Link
from integrationhub.errors import NotFound, TransientError
from integrationhub.sdk.transport import (
    DELIVERY_LIMIT,
    RETRY_SECONDS,
    UNROUTABLE_QUEUE,
    Topology,
    dead_letter_queue,
    is_final,
    retry_queue,
)

QUORUM: Mapping[str, object] = {"x-queue-type": "quorum"}


def queue_arguments(queue: str, *, ordered: bool = False) -> Mapping[str, object]:
    """The arguments of a queue that the hub makes."""
    if is_final(queue):
        return QUORUM
    return {
        **QUORUM,
        **({"x-single-active-consumer": True} if ordered else {}),
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead_letter_queue(queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def retry_arguments(queue: str, seconds: int) -> Mapping[str, object]:
    """The arguments of the queue in which messages of `queue` wait for so long."""
    return {
        **QUORUM,
        "x-message-ttl": seconds * 1000,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def declare(link: Link, topology: Topology) -> None:
    """Make what is missing. Where this fails the link is lost.

    ConfigurationError: something is there with other arguments. TransientError: a queue is there, its leader is not.
    """
    try:
        _declare(link, topology)
    except NotFound as unavailable:
        raise TransientError(unavailable.text, code="QUEUE_UNAVAILABLE", remedy="wait for its nodes") from unavailable


def _declare(link: Link, topology: Topology) -> None:
    _queue(link, UNROUTABLE_QUEUE, queue_arguments(UNROUTABLE_QUEUE))
    exchanges = {exchange for bindings in topology.queues.values() for exchange, _ in bindings}
    for exchange in sorted(exchanges.union(topology.exchanges)):
        _exchange(link, exchange, "direct" if exchange in topology.direct else "topic")
    for queue, bindings in topology.queues.items():
        for name in {dead_letter_queue(queue): None, queue: None}:
            _queue(link, name, queue_arguments(name, ordered=name in topology.ordered))
        for seconds in RETRY_SECONDS if not is_final(queue) else ():
            declare_retry(link, queue, seconds)
        for exchange, key in bindings:
            _bind(link, queue, exchange, key)


def _exchange(link: Link, name: str, kind: str) -> None:
    link.call(lambda channel, answer: channel.exchange_declare(name, kind, durable=True, callback=answer))


def _queue(link: Link, name: str, arguments: Mapping[str, object]) -> None:
    wanted = dict(arguments)
    link.call(lambda channel, answer: channel.queue_declare(name, durable=True, arguments=wanted, callback=answer))


def declare_retry(link: Link, queue: str, seconds: int) -> None:
    """Make the queue in which messages of `queue` wait for so long."""
    _queue(link, retry_queue(queue, seconds), retry_arguments(queue, seconds))


def _bind(link: Link, queue: str, exchange: str, key: str) -> None:
    link.call(lambda channel, answer: channel.queue_bind(queue, exchange, key, callback=answer))


def depth(link: Link, queue: str) -> int:
    """Messages that wait in a queue; NotFound (the link is lost then) when it isn't there."""
    answer = link.call(lambda channel, answer: channel.queue_declare(queue, passive=True, callback=answer))
    return int(answer.method.message_count)
