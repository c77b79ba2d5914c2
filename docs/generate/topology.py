"""The page of what the hub makes on a broker, from the code that declares it."""

from collections.abc import Iterator, Mapping

from docs.generate.tables import document, table
from integrationhub.amqp.topology import queue_arguments, retry_arguments
from integrationhub.catalogue import Catalogue, Shelf, shipped_connectors
from integrationhub.receive.notices import QUEUE
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.transport import (
    DIRECT_HEADER,
    EVENTS_EXCHANGE,
    EXCHANGE_HEADER,
    POSTPONED_HEADER,
    REASON_HEADER,
    RETRY_SECONDS,
    ROUTING_KEY_HEADER,
    UNROUTABLE_QUEUE,
    dead_letter_queue,
    retry_queue,
)

INTRODUCTION = """\
What the hub declares on RabbitMQ, 3.10 to 4.x; all of it durable. Declaring is idempotent: the daemon makes what is
missing when it starts and whenever it connects again. Something that is there with other arguments is
`TOPOLOGY_MISMATCH`, which names the first argument that differs: the daemon does not start then (exit 2).
[Messages](../explanation/messages.md) explains why it is so, and
[Run on PostgreSQL and RabbitMQ](../how-to/run-on-postgresql-and-rabbitmq.md) how to mend a mismatch."""

PERMISSIONS = """\
The hub's user needs configure, write and read on `^(hub\\.|integrationhub\\.).*`, read on the exchanges of the sources
(to bind), and write on the default exchange `amq.default`."""

HEADERS = {
    REASON_HEADER: "on a dead letter: the reason code, or `delivery_limit`",
    EXCHANGE_HEADER: "where the message was published to at first",
    ROUTING_KEY_HEADER: "the routing key that it had then",
    DIRECT_HEADER: "the message was put into its queue directly; the hub takes it as if it came by those two",
    POSTPONED_HEADER: "how often it was postponed",
}


def page() -> str:
    """Exchanges, queues with their arguments, headers."""
    return document(
        "# What the hub makes on a broker",
        INTRODUCTION,
        "## Exchanges",
        table(("exchange", "type", "what"), list(_exchanges())),
        "## Queues",
        table(("queue", "bound to", "arguments"), list(_queues())),
        PERMISSIONS,
        "## Headers of the hub's own",
        table(("header", "meaning"), [(f"`{name}`", text) for name, text in HEADERS.items()]),
    )


def _with_messages() -> list[Descriptor]:
    catalogue = Catalogue([Shelf(origin="shipped", folder=shipped_connectors())])
    return [item for item in catalogue.connectors() if item.messages is not None]


def _exchanges() -> Iterator[tuple[str, str, str]]:
    yield f"`{EVENTS_EXCHANGE}`", "topic", "the hub's own events; consumers bind queues of their own"
    for item in _with_messages():
        assert item.messages is not None
        for exchange in dict.fromkeys(binding.exchange for binding in item.messages.bindings):
            kind = "direct" if exchange in item.messages.direct else "topic"
            yield f"`{exchange}`", kind, f"the source of {item.name}"


def _queues() -> Iterator[tuple[str, str, str]]:
    yield from _family(QUEUE, "", ordered=False)
    for item in _with_messages():
        assert item.messages is not None
        bound = ", ".join(f"`{binding.exchange}` by `{binding.key}`" for binding in item.messages.bindings)
        yield from _family(item.queue, bound, ordered=item.messages.ordered)
    yield f"`{UNROUTABLE_QUEUE}`", "what no queue wanted", _told(queue_arguments(UNROUTABLE_QUEUE))


def _family(queue: str, bound: str, *, ordered: bool) -> Iterator[tuple[str, str, str]]:
    yield f"`{queue}`", bound, _told(queue_arguments(queue, ordered=ordered))
    for seconds in RETRY_SECONDS:
        yield f"`{retry_queue(queue, seconds)}`", "", _told(retry_arguments(queue, seconds))
    dead = dead_letter_queue(queue)
    yield f"`{dead}`", "", _told(queue_arguments(dead))


def _told(arguments: Mapping[str, object]) -> str:
    return "<br>".join(f"`{name}` = `{_value(value)}`" for name, value in arguments.items())


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'
