"""What only a broker of its own can do to us: die, freeze, run full, lose a queue."""

import struct
import threading
import time
from collections.abc import Iterator

import pika  # type: ignore[import-untyped]
import pytest

from integrationhub.amqp import link
from integrationhub.errors import ConfigurationError, TransientError
from integrationhub.publish.rabbit import RabbitPublisher
from integrationhub.receive.rabbit import RabbitSource
from integrationhub.sdk.transport import REASON_HEADER, UNROUTABLE_QUEUE, Topology, dead_letter_queue
from tests.contract.transport.test_transport import QUEUE, ids, nothing_left, numbered, take, to_queue
from tests.services.rabbitmq import SETTLE_SECONDS
from tests.services.servers import RabbitServer

PATIENCE_SECONDS = 90.0


@pytest.fixture
def url(private_rabbitmq: RabbitServer) -> str:
    return private_rabbitmq.new_vhost()


@pytest.fixture
def publisher(url: str) -> Iterator[RabbitPublisher]:
    made = RabbitPublisher(url)
    made.declare(Topology(queues={QUEUE: ()}))
    yield made
    made.close()


@pytest.fixture
def source(url: str) -> Iterator[RabbitSource]:
    made = RabbitSource(url, QUEUE)
    yield made
    made.close()


def publish_all(publisher: RabbitPublisher, everything: list[str], failures: list[TransientError]) -> None:
    """Each message until it is confirmed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for start in range(0, len(everything), 50):
        while time.monotonic() < deadline:
            try:
                publisher.publish(to_queue(*everything[start : start + 50]))
                break
            except TransientError as failure:
                failures.append(failure)
                time.sleep(0.1)


def take_patiently(source: RabbitSource, limit: int = 100) -> list[str]:
    try:
        batch = source.receive(limit=limit, timeout=0.5)
    except TransientError:
        return []
    source.acknowledge(batch)
    return [str(each) for each in ids(batch)]


def test_nothing_is_lost_when_the_broker_is_killed_under_load(
    private_rabbitmq: RabbitServer, publisher: RabbitPublisher, source: RabbitSource
) -> None:
    everything = numbered(20_000)
    got: list[str] = take_patiently(source)
    time.sleep(SETTLE_SECONDS)
    failures: list[TransientError] = []
    publishing = threading.Thread(target=publish_all, args=(publisher, everything, failures))
    publishing.start()
    for share in (0.2, 0.5):
        while len(set(got)) < share * len(everything):
            got += take_patiently(source)
        private_rabbitmq.kill()
        restarting = threading.Thread(target=private_rabbitmq.restart)
        restarting.start()
        while restarting.is_alive():
            got += take_patiently(source)
        restarting.join()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(set(got)) < len(everything) and time.monotonic() < deadline:
        got += take_patiently(source)
    publishing.join()
    assert set(got) == set(everything)
    assert failures, "the broker was not killed under load"
    assert nothing_left(source)


def test_a_batch_may_take_many_times_the_heartbeat(url: str, publisher: RabbitPublisher) -> None:
    source = RabbitSource(f"{url}?heartbeat=1", QUEUE)
    publisher.publish(to_queue("m1", "m2"))
    batch = take(source, 2)
    time.sleep(5)
    source.acknowledge(batch)
    publisher.publish(to_queue("m3"))
    assert ids(source.receive(limit=9, timeout=5)) == ["m3"]
    source.close()


def test_after_a_cut_connection_what_was_taken_comes_again_and_old_deliveries_count_for_nothing(
    private_rabbitmq: RabbitServer, publisher: RabbitPublisher, source: RabbitSource, url: str
) -> None:
    publisher.publish(to_queue("m1", "m2", "m3"))
    old = take(source, 3)
    source.acknowledge(old[:1])
    private_rabbitmq.control("close_all_connections", "--vhost", url.rpartition("/")[2], "a test cuts it")
    with pytest.raises(TransientError):
        source.receive(limit=3, timeout=5)
    again = take(source, 2)
    assert ids(again) == ["m2", "m3"]
    source.acknowledge(old)
    source.reject(old, reason="LATE")
    assert publisher.depths([f"{QUEUE}.dead"]) == {f"{QUEUE}.dead": 0}
    source.acknowledge(again)
    source.close()
    fresh = RabbitSource(url, QUEUE)
    assert nothing_left(fresh)
    fresh.close()


def test_a_queue_deleted_underneath_is_reported_and_made_again(
    url: str, publisher: RabbitPublisher, source: RabbitSource
) -> None:
    assert nothing_left(source)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().queue_delete(QUEUE)
    connection.close()
    with pytest.raises(TransientError) as raised:
        source.receive(limit=1, timeout=5)
    assert raised.value.code == "QUEUE_DELETED"
    assert nothing_left(source)
    publisher.publish(to_queue("m1"))
    assert ids(take(source, 1)) == ["m1"]


def test_a_publisher_makes_a_queue_again_that_was_deleted(url: str, publisher: RabbitPublisher) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().queue_delete(QUEUE)
    connection.channel().queue_delete(UNROUTABLE_QUEUE)
    connection.close()
    with pytest.raises(TransientError):
        publisher.publish(to_queue("m1"))
    publisher.publish(to_queue("m1"))
    assert publisher.depths([QUEUE, UNROUTABLE_QUEUE]) == {QUEUE: 1, UNROUTABLE_QUEUE: 0}


def test_a_frozen_broker_ends_publishing_with_an_error_and_goes_on_afterwards(
    private_rabbitmq: RabbitServer, publisher: RabbitPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "ANSWER_SECONDS", 1.5)
    private_rabbitmq.pause()
    try:
        with pytest.raises(TransientError) as raised:
            publisher.publish(to_queue("m1"))
    finally:
        private_rabbitmq.resume()
    assert raised.value.code == "BROKER_SILENT"
    publisher.publish(to_queue("m1"))


def test_a_broker_out_of_memory_blocks_publishing_but_no_acknowledgement(
    private_rabbitmq: RabbitServer,
    publisher: RabbitPublisher,
    source: RabbitSource,
    url: str,
) -> None:
    publisher.publish(to_queue("m1"))
    batch = take(source, 1)
    private_rabbitmq.control("set_vm_memory_high_watermark", "0.000001")
    try:
        with pytest.raises(TransientError) as raised:
            publisher.publish(to_queue("m2"))
        assert raised.value.code == "BROKER_BLOCKED"
        source.acknowledge(batch)
        source.close()
        vhost = url.rpartition("/")[2]
        left = private_rabbitmq.control("list_queues", "-p", vhost, "--no-table-headers", "name", "messages")
    finally:
        private_rabbitmq.control("set_vm_memory_high_watermark", "0.4")
    assert dict(line.split("\t") for line in left.splitlines())[QUEUE] == "0"
    publisher.publish(to_queue("m3"))


def test_wrong_credentials_are_a_configuration_error_that_does_not_show_them(private_rabbitmq: RabbitServer) -> None:
    at = private_rabbitmq.url.rpartition("@")[2]
    with pytest.raises(ConfigurationError) as raised:
        RabbitPublisher(f"amqp://hub:wrong-secret@{at}").declare(Topology())
    assert raised.value.code == "BROKER_ACCESS"
    assert "wrong-secret" not in str(raised.value)


def test_a_virtual_host_that_is_not_there_is_a_configuration_error(private_rabbitmq: RabbitServer) -> None:
    base = private_rabbitmq.url.rpartition("/")[0]
    with pytest.raises(ConfigurationError) as raised:
        RabbitSource(f"{base}/nowhere", QUEUE).receive(limit=1, timeout=1)
    assert raised.value.code == "BROKER_ACCESS"


def test_a_source_whose_broker_is_absent_gives_up_at_its_timeout() -> None:
    source = RabbitSource("amqp://127.0.0.1:1/", QUEUE)
    started = time.monotonic()
    with pytest.raises(TransientError) as raised:
        source.receive(limit=1, timeout=1.0)
    assert raised.value.code == "BROKER_AWAY"
    assert time.monotonic() - started < 5
    source.close()


def test_connections_carry_names_that_operators_recognise(
    private_rabbitmq: RabbitServer, publisher: RabbitPublisher, source: RabbitSource
) -> None:
    assert nothing_left(source)
    publisher.publish(to_queue("m1"))
    names = private_rabbitmq.control("list_connections", "--no-table-headers", "client_properties")
    assert "integrationhub publisher" in names
    assert f"integrationhub {QUEUE}" in names


@pytest.mark.parametrize("hostile", [b"\xff\xfe", b"a\0b"])
def test_ids_and_keys_that_are_no_text_hold_up_nothing(url: str, source: RabbitSource, hostile: bytes) -> None:
    source.receive(limit=1, timeout=0.1)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_bind(QUEUE, "amq.topic", "#")
    properties = pika.BasicProperties(message_id=hostile, content_type=hostile, headers={hostile: "x"})
    channel.basic_publish("amq.topic", hostile, b"body", properties)
    connection.close()
    (message,) = source.receive(limit=1, timeout=5)
    assert (message.message_id, message.content_type, message.body) == (None, None, b"body")
    assert "\N{REPLACEMENT CHARACTER}" in message.routing_key
    source.postpone([message], seconds=1)
    (again,) = source.receive(limit=1, timeout=10)
    source.reject([again], reason="UNUSABLE")
    dead = RabbitSource(url, dead_letter_queue(QUEUE))
    (letter,) = dead.receive(limit=1, timeout=5)
    assert (letter.headers[REASON_HEADER], letter.message_id, letter.body) == ("UNUSABLE", None, b"body")
    dead.close()


class Encoded(bytes):
    """A header's value as it goes over the wire."""


LATE = Encoded(b"T" + struct.pack(">Q", 1_790_000_000_000))  # milliseconds
DEEP = Encoded(b"F\0\0\0\0")
for _ in range(3000):
    DEEP = Encoded(b"F" + struct.pack(">I", len(DEEP) + 2) + b"\1k" + DEEP)


def shown(value: object) -> object:
    """The value, with None for what lies deep."""
    return shown(value["k"]) if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (LATE, "1790000000000"),
        (Encoded(b"d" + struct.pack(">d", 0.5)), "0.5"),
        (Encoded(b"f" + struct.pack(">f", 4)), 4),
        (Encoded(b"d" + struct.pack(">d", 1e300)), "1e+300"),
        (Encoded(b"A" + struct.pack(">I", 9) + LATE), ["1790000000000"]),
        (DEEP, None),
    ],
    ids=["milliseconds", "fraction", "whole", "huge", "in a list", "deep"],
)
def test_a_header_that_pika_can_not_read_ends_no_connection(
    url: str, source: RabbitSource, monkeypatch: pytest.MonkeyPatch, header: Encoded, read: object
) -> None:
    source.receive(limit=1, timeout=0.1)
    encode = pika.data.encode_value

    def encode_value(pieces: list[bytes], value: object) -> int:
        if not isinstance(value, Encoded):
            return int(encode(pieces, value))
        pieces.append(value)
        return len(value)

    connection = pika.BlockingConnection(pika.URLParameters(url))
    with monkeypatch.context() as patched:
        patched.setattr(pika.data, "encode_value", encode_value)
        properties = pika.BasicProperties(message_id="m", headers={"odd": header, "plain": "x"})
        connection.channel().basic_publish("", QUEUE, b"body", properties)
    connection.close()
    (message,) = source.receive(limit=1, timeout=5)
    assert (shown(message.headers["odd"]), message.headers["plain"], message.message_id) == (read, "x", "m")
    source.reject([message], reason="UNUSABLE")  # it can be sent on
