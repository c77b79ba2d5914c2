"""Plain pika: a blocking consumer that acknowledges each message after its transaction."""

# mypy: ignore-errors
# (what is imported here stands in another environment)

import os
from typing import Any

import pika
from work import take

PREFETCH = 20


def main() -> None:
    """Consume until killed."""
    connection = pika.BlockingConnection(pika.URLParameters(os.environ["PEER_BROKER"]))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=PREFETCH)

    def on_message(channel: Any, method: Any, _properties: Any, body: bytes) -> None:  # noqa: ANN401 - pika has no types
        take(body)
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume("peer-pika", on_message)
    channel.start_consuming()


if __name__ == "__main__":
    main()
