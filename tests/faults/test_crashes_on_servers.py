"""The same on PostgreSQL and RabbitMQ: killed and started again, no row and no event is lost or told twice over."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.consumer import Consumer, check_sequences
from tests.acceptance.files import Night, make_nights
from tests.acceptance.installation import Installation
from tests.acceptance.test_daemon import accepted, published
from tests.services.rabbitmq import SETTLE_SECONDS
from tests.services.servers import PostgresServer, RabbitServer

SLICE_BYTES = 8192
KILLED = -signal.SIGKILL
CHANCE = random.Random()  # noqa: S311 - not a secret; each run tries other moments


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> list[Night]:
    """A whole book and a correction."""
    return make_nights(tmp_path_factory.mktemp("book"), groups=12, seed=4, kinds="C")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, book: list[Night]) -> dict[str, str]:
    """The exports of an embedded run that nothing happened to."""
    hub = Installation(tmp_path_factory.mktemp("undisturbed"), slice_bytes=SLICE_BYTES)
    hub.call("ingest", "csa1993", book[0].data.parent)
    return hub.exports_now()


@pytest.fixture
def on_servers(tmp_path: Path, postgres_url: str, amqp_url: str) -> Installation:
    return Installation(tmp_path, slice_bytes=SLICE_BYTES, database_url=postgres_url, broker_url=amqp_url)


@pytest.fixture
def consumer(amqp_url: str) -> Iterator[Consumer]:
    """Somebody who listens from before the first event to after the last."""
    with Consumer(amqp_url) as listening:
        yield listening


def check_end(hub: Installation, consumer: Consumer, undisturbed: dict[str, str]) -> None:
    """What stands and the events are those of the undisturbed run, though a daemon may judge between two files.

    An event may come twice, but never changed or out of order.
    """
    assert hub.exports_now() == undisturbed
    hub.call("store", "check")
    messages = consumer.take_until_quiet()
    bodies: dict[str, bytes] = {}
    for message in messages:
        assert bodies.setdefault(message.event["id"], message.body) == message.body
    assert bodies.keys() == {row["event_id"] for row in map(_with_uuid, hub.rows("events"))}
    check_sequences(consumer.distinct)


def _with_uuid(row: dict[str, str]) -> dict[str, str]:
    digits = row["event_id"]
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return {**row, "event_id": "-".join(parts)}


@pytest.mark.parametrize("point", ["judged", "before commit:3", "after commit:2", "published"])
def test_an_ingest_killed_at_a_point_ends_the_same(
    point: str, on_servers: Installation, consumer: Consumer, book: list[Night], undisturbed: dict[str, str]
) -> None:
    folder = book[0].data.parent
    on_servers.run("ingest", "csa1993", folder, code=KILLED, test_crash_at=point)

    on_servers.run("ingest", "csa1993", folder)

    check_end(on_servers, consumer, undisturbed)


@pytest.mark.parametrize("point", ["before commit:4", "taken", "notice taken", "published"])
def test_a_daemon_killed_at_a_point_ends_the_same(
    point: str, on_servers: Installation, consumer: Consumer, book: list[Night], undisturbed: dict[str, str]
) -> None:
    if point == "notice taken":
        on_servers.run("send", "csa1993", book[0].data.parent)
    else:
        for night in book:
            night.hand_over(on_servers.inbox)
    with on_servers.daemon(test_crash_at=point) as daemon:
        assert daemon.running.wait(60) == KILLED

    with on_servers.daemon() as daemon:
        daemon.until(lambda: accepted(daemon, book[-1].sequence), "all files")
        daemon.until(lambda: published(daemon), "the events")
        assert daemon.stop() == 0

    check_end(on_servers, consumer, undisturbed)


def test_a_daemon_killed_at_random_moments_ends_the_same(
    on_servers: Installation, consumer: Consumer, book: list[Night], undisturbed: dict[str, str]
) -> None:
    for night in book:
        night.hand_over(on_servers.inbox)
    for moment in range(3):
        with on_servers.daemon() as daemon:
            daemon.until(lambda: daemon.ask("/healthz/live")[0] == 200, "the daemon")
            time.sleep(CHANCE.uniform(0.1, 0.8) * (1 + moment))
            daemon.running.kill()

    with on_servers.daemon() as daemon:
        daemon.until(lambda: accepted(daemon, book[-1].sequence), "all files")
        daemon.until(lambda: published(daemon), "the events")
        assert daemon.stop() == 0

    check_end(on_servers, consumer, undisturbed)


def test_servers_that_are_killed_delay_a_file_and_lose_nothing(
    tmp_path: Path,
    book: list[Night],
    undisturbed: dict[str, str],
    private_postgres: PostgresServer,
    private_rabbitmq: RabbitServer,
) -> None:
    database, broker = private_postgres.new_database(), private_rabbitmq.new_vhost()
    hub = Installation(tmp_path, slice_bytes=SLICE_BYTES, database_url=database, broker_url=broker)
    with hub.daemon() as daemon:
        daemon.until_ready()
        time.sleep(SETTLE_SECONDS)
        book[0].hand_over(hub.inbox)
        daemon.until((hub.data / "work").exists, "the first slice")
        private_postgres.kill()
        private_rabbitmq.kill()
        daemon.until(lambda: "waiting" in [line["event"] for line in daemon.lines], "the daemon's notice of it")
        assert daemon.ask("/healthz/live")[0] == 200
        assert daemon.ask("/healthz/ready")[0] == 503
        private_postgres.restart()
        private_rabbitmq.restart()
        book[1].hand_over(hub.inbox)
        daemon.until(lambda: accepted(daemon, book[1].sequence), "both files")
        daemon.until(lambda: published(daemon), "the events")
        daemon.until_ready()
        assert daemon.stop() == 0

    assert hub.exports_now() == undisturbed


def test_an_ingest_whose_database_is_away_says_so_and_can_be_tried_again(tmp_path: Path, book: list[Night]) -> None:
    hub = Installation(tmp_path, database_url="postgresql+psycopg://hub:secret@127.0.0.1:9/hub")

    done = hub.run("ingest", "csa1993", book[0].data, code=75)

    assert "secret" not in done.err
    assert "what to do" in done.err
