"""A process that publishes or consumes until it is killed: `python -m tests.contract.transport.peer DO WHERE QUEUE`.

Each line it prints was true when it was printed: a batch that was confirmed, a message that was received.
"""

import itertools
import sys
import time

from integrationhub.publish.rabbit import RabbitPublisher
from integrationhub.receive.rabbit import RabbitSource
from integrationhub.sdk.transport import Outgoing, Topology
from integrationhub.store.embedded_broker import EmbeddedPublisher, EmbeddedSource

BATCH = 20


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def publish(where: str, queue: str) -> None:
    publisher = RabbitPublisher(where) if "://" in where else EmbeddedPublisher(where)
    publisher.declare(Topology(queues={queue: ()}))
    for number in itertools.count():
        batch = [
            Outgoing(exchange="", routing_key=queue, message_id=f"{number}-{n}", body=b"x" * 500, content_type=None)
            for n in range(BATCH)
        ]
        publisher.publish(batch)
        say(str(number))


def consume(where: str, queue: str) -> None:
    source = RabbitSource(where, queue) if "://" in where else EmbeddedSource(where, queue)
    while True:
        taken = source.receive(limit=10, timeout=10)
        source.acknowledge(taken[:2])
        time.sleep(0.2)  # the acknowledgement goes out on the I/O thread
        for message in taken:
            say(str(message.message_id))
        time.sleep(600)


if __name__ == "__main__":
    {"publish": publish, "consume": consume}[sys.argv[1]](*sys.argv[2:])
