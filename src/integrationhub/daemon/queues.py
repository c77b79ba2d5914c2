"""How many messages wait in the hub's queues."""

from collections.abc import Mapping

from integrationhub.bootstrap import Hub
from integrationhub.errors import HubError
from integrationhub.receive.notices import QUEUE
from integrationhub.sdk.transport import RETRY_SECONDS, UNROUTABLE_QUEUE, dead_letter_queue, retry_queue


def queue_depths(hub: Hub) -> Mapping[str, int | None]:
    """By queue, None for one that isn't there yet; empty when the broker is away, which `doctor` explains."""
    try:
        queues = [QUEUE, *(item.queue for item in hub.catalogue.connectors() if item.messages is not None)]
        names = [name for queue in queues for name in _family(queue)]
        return hub.publisher.depths([*names, UNROUTABLE_QUEUE])
    except HubError:
        return {}


def _family(queue: str) -> list[str]:
    """A queue, its retry queues and its dead-letter queue."""
    return [queue, *(retry_queue(queue, seconds) for seconds in RETRY_SECONDS), dead_letter_queue(queue)]
