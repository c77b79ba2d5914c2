"""Dramatiq: an actor a message, a durable quorum queue, confirms. With bodies on stdin: publishes them."""

# mypy: ignore-errors
# (what is imported here stands in another environment)

import os
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from work import bodies, take


class QuorumBroker(RabbitmqBroker):
    """Dramatiq has no setting for the queue's type."""

    def _build_queue_arguments(self, queue_name: str) -> Any:  # noqa: ANN401 - as there
        return {**super()._build_queue_arguments(queue_name), "x-queue-type": "quorum"}


dramatiq.set_broker(QuorumBroker(url=os.environ["PEER_BROKER"], confirm_delivery=True))


@dramatiq.actor(queue_name="peer-dramatiq")
def take_message(body: str) -> None:
    """One message."""
    take(body.encode())


if __name__ == "__main__":
    for each in bodies():
        take_message.send(each.decode())
