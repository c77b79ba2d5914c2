"""What only RabbitMQ can do to an intake: cut its connection, lose its queue."""

import pika  # type: ignore[import-untyped]
import pytest

from integrationhub.amqp.topology import queue_arguments
from integrationhub.receive import rabbit
from tests.contract.intake.conftest import QUEUE, Bench
from tests.services.servers import RabbitServer


@pytest.mark.parametrize("bench", ["rabbitmq"], indirect=True)
def test_after_a_cut_connection_what_was_in_hand_comes_again_and_is_under_no_suspicion(
    bench: Bench, rabbitmq: RabbitServer
) -> None:
    names = [f"m{number}" for number in range(2000)]
    bench.send(*(["slow"] + ["x"] * 1999), ids=names)
    bench.work()
    bench.until(bench.journal.ids, "the first batch")
    bench.send("slow", *["x"] * 1500, ids=[f"n{number}" for number in range(1501)])
    rabbitmq.control("close_all_connections", "--vhost", bench.broker.where.rpartition("/")[2], "a test cuts it")
    bench.until_taken(*names, "n1500")
    assert len({row.batch for row in bench.journal.taken()}) < 200
    assert (bench.tries(), bench.journal.given_up()) == (0, {})
    bench.stop()
    assert bench.left() == 0


@pytest.mark.parametrize("bench", ["rabbitmq"], indirect=True)
def test_a_queue_deleted_underneath_and_made_again_by_somebody_is_taken_from(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made again in the same moment, RabbitMQ does not tell us, and swallows what comes first."""
    monkeypatch.setattr(rabbit, "QUIET_SECONDS", 1.0)
    bench.work()
    bench.send("x")
    bench.until_taken("m0")
    with pika.BlockingConnection(pika.URLParameters(bench.broker.where)) as connection:
        channel = connection.channel()
        channel.queue_delete(QUEUE)
        channel.queue_declare(QUEUE, durable=True, arguments=dict(queue_arguments(QUEUE)))
    bench.send("x", ids=["after"])
    bench.until_taken("after")
    bench.stop()
    assert bench.ended == [None]
