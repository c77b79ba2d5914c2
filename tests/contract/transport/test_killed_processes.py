"""Processes on either side of a transport, killed outright."""

import subprocess
import sys
import time

from integrationhub.sdk.transport import Topology
from tests.contract.transport.conftest import Broker
from tests.contract.transport.peer import BATCH
from tests.contract.transport.test_transport import QUEUE, ids, numbered, take, to_queue


def peer(task: str, broker: Broker) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.contract.transport.peer", task, broker.where, QUEUE]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def test_what_a_killed_consumer_held_comes_again_to_another_in_order(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(Topology(queues={QUEUE: ()}))
    publisher.publish(to_queue(*numbered(30)))
    with peer("consume", broker) as consumer:
        held = lines(consumer, 10)
        consumer.kill()
    assert held == numbered(10)
    again = take(broker.source(QUEUE), 28)
    assert ids(again) == numbered(30)[2:]  # the first two were acknowledged


def test_a_consumer_that_lives_keeps_what_it_holds(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(Topology(queues={QUEUE: ()}))
    publisher.publish(to_queue(*numbered(10)))
    with peer("consume", broker) as consumer:
        assert lines(consumer, 10) == numbered(10)
        assert broker.source(QUEUE).receive(limit=10, timeout=2.5) == []
        consumer.kill()


def test_everything_that_a_killed_publisher_had_confirmed_is_there(broker: Broker) -> None:
    with peer("publish", broker) as publisher:
        confirmed = lines(publisher, 5)
        time.sleep(0.05)  # somewhere in a later batch
        publisher.kill()
        assert publisher.stdout is not None
        confirmed += publisher.stdout.read().split()
    source = broker.source(QUEUE)
    got: list[str] = []
    while batch := take(source, 200, patience=2):
        source.acknowledge(batch)
        got += map(str, ids(batch))
    expected = [f"{number}-{n}" for number in confirmed for n in range(BATCH)]
    assert got[: len(expected)] == expected
    assert len(got) <= len(expected) + BATCH
