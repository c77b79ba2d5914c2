"""What the hub declares on a broker. Declaring is idempotent; an object that is there with other arguments is an error.

For a queue Q:

    Q                quorum; after DELIVERY_LIMIT deliveries in vain its messages are dead-lettered, through the default
                     exchange, to Q.dead, at-least-once (which needs overflow = reject-publish)
    Q.dead           quorum
    hub.unroutable   quorum
    exchanges        topic, durable, without arguments: whoever declares `hub.events` as documented finds it equal. An
                     alternate exchange would be an argument, so publishers keep what is returned to them instead.

The arguments exist since RabbitMQ 3.10 and mean the same in 4.x. A message that waits in a dead-letter or unroutable
queue waits for people: no length limit, no expiry.
"""

from collections.abc import Mapping

from integrationhub.amqp.link import Link
from integrationhub.errors import NotFound, TransientError
from integrationhub.sdk.transport import DELIVERY_LIMIT, UNROUTABLE_QUEUE, Topology, dead_letter_queue, is_final

QUORUM: Mapping[str, object] = {"x-queue-type": "quorum"}


def queue_arguments(queue: str) -> Mapping[str, object]:
    """The arguments of a queue that the hub makes."""
    if is_final(queue):
        return QUORUM
    return {
        **QUORUM,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead_letter_queue(queue),
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
    _queue(link, UNROUTABLE_QUEUE)
    exchanges = {exchange for bindings in topology.queues.values() for exchange, _ in bindings}
    for exchange in sorted(exchanges.union(topology.exchanges)):
        _exchange(link, exchange)
    for queue, bindings in topology.queues.items():
        for name in {dead_letter_queue(queue): None, queue: None}:
            _queue(link, name)
        for exchange, key in bindings:
            _bind(link, queue, exchange, key)


def _exchange(link: Link, name: str) -> None:
    link.call(lambda channel, answer: channel.exchange_declare(name, "topic", durable=True, callback=answer))


def _queue(link: Link, name: str) -> None:
    arguments = dict(queue_arguments(name))
    link.call(lambda channel, answer: channel.queue_declare(name, durable=True, arguments=arguments, callback=answer))


def _bind(link: Link, queue: str, exchange: str, key: str) -> None:
    link.call(lambda channel, answer: channel.queue_bind(queue, exchange, key, callback=answer))


def depth(link: Link, queue: str) -> int:
    """Messages that wait in a queue; NotFound (the link is lost then) when it isn't there."""
    answer = link.call(lambda channel, answer: channel.queue_declare(queue, passive=True, callback=answer))
    return int(answer.method.message_count)
