"""Publishing to RabbitMQ: persistent, mandatory, confirmed in windows.

A message that came to an exchange and found no binding comes back from the broker and is put into `hub.unroutable`:
nothing is lost because a consumer has not bound its queue yet. One that was meant for a queue that isn't there is an
error.
"""

import threading
from collections.abc import Mapping, Sequence

from integrationhub.amqp import topology
from integrationhub.amqp.link import Link
from integrationhub.errors import NotFound, TransientError
from integrationhub.sdk.transport import UNROUTABLE_QUEUE, Outgoing, Topology, unroutable


class RabbitPublisher:
    """sdk.transport.Publisher for RabbitMQ. Connects when first used, and again after a failure: one attempt a call.

    What was declared is declared again on each new connection. Threads take turns.
    """

    def __init__(self, url: str, *, name: str = "integrationhub publisher") -> None:
        self._url = url
        self._name = name
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._topology = Topology()

    def declare(self, topology: Topology) -> None:
        """See sdk.transport.Publisher."""
        with self._lock:
            self._topology = Topology(
                exchanges=tuple(dict.fromkeys(self._topology.exchanges + topology.exchanges)),
                queues={**self._topology.queues, **topology.queues},
                ordered=self._topology.ordered | topology.ordered,
                direct=self._topology.direct | topology.direct,
            )
            self._disconnect()
            self._connected()

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """See sdk.transport.Publisher."""
        if not messages:
            return
        with self._lock:
            link = self._connected()
            try:
                self._keep(link, link.publish(messages))
            except NotFound as missing:
                raise TransientError(missing.text, code=missing.code, remedy=missing.remedy) from missing

    def _keep(self, link: Link, returned: Sequence[Outgoing]) -> None:
        """Put what came back from an exchange where people find it."""
        nowhere = sorted({message.routing_key for message in returned if not message.exchange})
        if not nowhere and returned and link.publish([unroutable(message) for message in returned]):
            nowhere = [UNROUTABLE_QUEUE]
        if nowhere:
            self._disconnect()  # the next connection declares what we know of
            raise TransientError(
                f"broker {link.broker}: there is no queue {', '.join(nowhere)}",
                code="QUEUE_MISSING",
                remedy="the hub declares its own queues when it connects: start the daemon, or try again",
            )

    def depths(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        """See sdk.transport.Publisher."""
        with self._lock:
            return {queue: self._depth(queue) for queue in queues}

    def _depth(self, queue: str) -> int | None:
        try:
            return topology.depth(self._connected(), queue)
        except NotFound:
            return None

    def close(self) -> None:
        """See sdk.transport.Publisher."""
        with self._lock:
            self._disconnect()

    def _connected(self) -> Link:
        if self._link is None or self._link.lost:
            self._disconnect()
            self._link = Link(self._url, self._name)
            topology.declare(self._link, self._topology)
        return self._link

    def _disconnect(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
