"""Messages from queue to commit: 1 KB each, persistent, confirmed; inbox, one canonical upsert and outbox; PostgreSQL.

All messages wait in a durable quorum queue; the rate is told from outside, by counting committed inbox rows. PostgreSQL
writes through (fsync). Beside ours: the same 500-row transactions without a broker, the broker alone, the least that a
program by hand would do in such transactions, and peers that do one transaction a message (`message_rivals`).
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

import pika  # type: ignore[import-untyped]
import psycopg

from benchmarks import message_rivals
from benchmarks.child import run_apart
from benchmarks.estates import cache_folder
from benchmarks.message_peers.work import TABLES, statements
from benchmarks.results import Result, Rival, Stage
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.sdk.transport import Incoming
from integrationhub.telemetry import configure
from tests.acceptance.installation import COMMAND, Installation
from tests.load.notices import CONNECTORS
from tests.load.publisher import LoadMessage, LoadPublisher
from tests.services.postgres import DURABLE, libpq_url
from tests.services.processes import free_ports, wait_until
from tests.services.servers import RabbitServer, start_postgres, start_rabbitmq

CONNECTOR = "debt-lines"
QUEUE = f"integrationhub.{CONNECTOR}"
BATCH = 500
BYTES = 1024
MOST = 30_000
PEER_SHARE = 10
"""One of so many messages is enough for a peer."""

GOAL, STRETCH = 0.60, 0.75
TIMES_GOAL, TIMES_STRETCH = 25, 40
STOP_SECONDS = 180
IDLE_MESSAGES, IDLE_SECONDS = 200, 0.05
_SEEN = b"SELECT count(*) FROM deliveries WHERE kind = 'MESSAGE'"
_LATENCIES = b"""
SELECT message_id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM deliveries WHERE message_id LIKE 'idle-%'
"""


def bodies(count: int) -> list[bytes]:
    """Messages about half as many debts: the first about each makes it, the second changes its status."""
    debts = (count + 1) // 2
    return [_body(number, debt=number % debts, version=1 + number // debts) for number in range(count)]


def _body(number: int, *, debt: int, version: int) -> bytes:
    status = "ACTIVE" if version == 1 else "SUSPENDED"
    said = {
        "message_id": f"m{number}", "debt_ref": f"B{debt:07}", "person": "P", "type": "X", "status": status,
        "balance": f"{number}.50", "version": version, "asAt": "2026-01-31",
        "debt": {
            "reference": f"B{debt:07}", "kind": "OVERPAYMENT", "cause": "CLAIMANT_ERROR", "status": status,
            "opened": "2024-02-29", "balance": f"{number}.50", "suspended": "0",
        },
        "debtor": {"reference": f"P{debt:07}", "nino": "QQ123456A", "surname": "Example"},
        "remarks": "",
    }  # fmt: skip
    said["remarks"] = "x" * (BYTES - len(json.dumps(said)))
    return json.dumps(said).encode()


def messages(wanted: Sequence[bytes], queue: str, name: str = "m") -> Iterator[LoadMessage]:
    """The bodies as messages to a queue."""
    for number, body in enumerate(wanted):
        headers = {"x-debt": json.loads(body)["debt_ref"]}
        yield LoadMessage(message_id=f"{name}-{number}", body=body, routing_key=queue, headers=headers)


def run(records: int) -> Iterator[Result]:
    """Rates with one worker and with two, idle latency."""
    count = min(records, MOST)
    rabbit, postgres = start_rabbitmq(), start_postgres(DURABLE)
    folder = Path(tempfile.mkdtemp(prefix="messages-", dir=cache_folder()))
    try:
        wanted = bodies(count)
        ceiling = broker_ceiling(rabbit, wanted)
        bare = run_apart(
            "benchmarks.messages:take_without_broker", url=postgres.new_database(), data=str(folder / "bare"),
            count=count,
        )  # fmt: skip
        by_hand = count / write_by_hand(postgres.new_database(), wanted)
        rivals = [
            Rival(
                name="the same 500-message transactions without a broker",
                rate=bare["rate"],
                limit=True,
                goal=GOAL,
                stretch=STRETCH,
            ),
            Rival(name="500-row transactions by hand, narrow tables", rate=by_hand, limit=True),
            Rival(name="the broker alone: consumed and acknowledged", rate=ceiling, limit=True),
        ]
        for workers in (1, message_rivals.PROCESSES):
            peers = list(_peers(rabbit, postgres.new_database(), wanted[: count // PEER_SHARE], alone=workers == 1))
            database = postgres.new_database()
            seconds, rate = measured(folder / f"hub-{workers}", rabbit.new_vhost(), database, wanted, workers)
            yield Result(
                name=f"messages, --workers {workers}",
                workload=f"{count:,} messages of {BYTES} bytes, 1 upsert + inbox + outbox each, PostgreSQL with fsync",
                unit="messages",
                rate=rate,
                seconds=seconds,
                rows=count,
                bytes=count * BYTES,
                rivals=[*rivals, *peers],
            )
        yield idle(folder / "idle", rabbit.new_vhost(), postgres.new_database())
    finally:
        rabbit.stop()
        postgres.stop()
        shutil.rmtree(folder)


# ---- ours


@contextmanager
def daemon(folder: Path, broker: str, database: str, workers: int) -> Iterator[Path]:
    """The daemon at work on the connector; the path of its log."""
    folder.mkdir(parents=True, exist_ok=True)
    installation = Installation(folder, database_url=database, broker_url=broker, catalogue_folders=CONNECTORS)
    log = folder / "daemon.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [COMMAND, "run", "--connector", CONNECTOR, "--workers", str(workers)],
            env=installation.environment(http_port=free_ports(1)[0]),
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def measured(folder: Path, broker: str, database: str, wanted: Sequence[bytes], workers: int) -> tuple[float, float]:
    """Seconds, and messages a second once it is under way, all of them waiting in its queue."""
    with daemon(folder, broker, database, workers) as log:
        wait_until(lambda: "daemon_started" in log.read_text("utf-8"), seconds=120, what="the daemon")
    with LoadPublisher(broker, messages(wanted, QUEUE)) as load:
        load.wait(message_rivals.LONGEST_SECONDS)
    with psycopg.connect(libpq_url(database), autocommit=True) as connection, daemon(folder, broker, database, workers):
        rate = message_rivals.rate_of(_counter(connection), len(wanted))
    return len(wanted) / rate, rate


def _counter(connection: "psycopg.Connection[Any]") -> Callable[[], int]:
    def count() -> int:
        row = connection.execute(_SEEN).fetchone()
        return int(row[0]) if row else 0

    return count


def idle(folder: Path, broker: str, database: str) -> Result:
    """How long a message takes from being published to being committed, when it comes alone."""
    published: dict[str, float] = {}
    with daemon(folder, broker, database, 1) as log:
        wait_until(lambda: "daemon_started" in log.read_text("utf-8"), seconds=120, what="the daemon")
        with closing(pika.BlockingConnection(pika.URLParameters(broker))) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for number, body in enumerate(bodies(IDLE_MESSAGES)):
                name = f"idle-{number}"
                properties = pika.BasicProperties(
                    message_id=name, delivery_mode=2, headers={"x-debt": json.loads(body)["debt_ref"]}
                )
                published[name] = time.time()
                channel.basic_publish("", QUEUE, body, properties)
                time.sleep(IDLE_SECONDS)
        with psycopg.connect(libpq_url(database), autocommit=True) as reading:
            wait_until(lambda: _counter(reading)() >= IDLE_MESSAGES, seconds=60, what="the last message")
            committed = {str(name): float(at) for name, at in reading.execute(_LATENCIES)}
    taken = [committed[name] - at for name, at in published.items()]
    hundredths = quantiles(taken, n=100)
    return Result(
        name="idle latency, publish to commit",
        workload=f"{IDLE_MESSAGES} messages, one every {1000 * IDLE_SECONDS:.0f} ms; goal: p50 under 10 ms",
        unit="messages",
        rate=1 / hundredths[49],
        seconds=sum(taken),
        rows=IDLE_MESSAGES,
        stages=[Stage(name="p50", seconds=hundredths[49]), Stage(name="p99", seconds=hundredths[98])],
    )


# ---- limits


def take_without_broker(url: str, data: str, count: int) -> dict[str, float]:
    """The hub's own transactions, batch after batch from memory; runs apart."""
    configure("ERROR")
    settings = Settings(
        database_url=url, data_dir=Path(data), synthetic_identities=True, catalogue_folders=(CONNECTORS,)
    )
    waiting = [_incoming(message) for message in messages(bodies(count), QUEUE)]
    with Hub(settings, Catalogue.standard(folders=[CONNECTORS])) as hub:
        taker = hub.taker(CONNECTOR)
        taker.take(waiting[:BATCH], now=datetime.now(UTC))
        started = time.perf_counter()
        for start in range(BATCH, count, BATCH):
            taker.take(waiting[start : start + BATCH], now=datetime.now(UTC))
        seconds = time.perf_counter() - started
    return {"rate": (count - BATCH) / seconds}


def _incoming(message: LoadMessage) -> Incoming:
    return Incoming(
        tag=1,
        queue=QUEUE,
        exchange="",
        routing_key=QUEUE,
        message_id=message.message_id,
        body=message.body,
        content_type=message.content_type,
        headers=message.headers,
    )


def write_by_hand(url: str, wanted: Sequence[bytes]) -> float:
    """Seconds for the peers' statements in transactions of 500 messages, as rows of `executemany`."""
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(TABLES.encode())
        started = time.perf_counter()
        for start in range(0, len(wanted), BATCH):
            batch = [statements(body) for body in wanted[start : start + BATCH]]
            with connection.transaction(), connection.cursor() as cursor:
                for place in range(3):
                    cursor.executemany(batch[0][place][0], [each[place][1] for each in batch])
        return time.perf_counter() - started


def broker_ceiling(rabbit: RabbitServer, wanted: Sequence[bytes]) -> float:
    """Messages a second that pika alone consumes and acknowledges, 500 at a time, doing nothing with them."""
    broker = rabbit.new_vhost()
    message_rivals.declare(broker, QUEUE)
    with LoadPublisher(broker, messages(wanted, QUEUE)) as load:
        load.wait(message_rivals.LONGEST_SECONDS)
    moments: list[float] = []

    def on_message(channel: Any, method: Any, _properties: object, _body: bytes) -> None:  # noqa: ANN401 - pika has no types
        moments.append(time.perf_counter())
        if len(moments) % BATCH == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if len(moments) == len(wanted):
            channel.connection.close()

    def opened(channel: Any) -> None:  # noqa: ANN401
        channel.basic_qos(prefetch_count=2 * BATCH)
        channel.basic_consume(QUEUE, on_message)

    connection = pika.SelectConnection(
        pika.URLParameters(broker),
        on_open_callback=lambda it: it.channel(on_open_callback=opened),
        on_close_callback=lambda it, _reason: it.ioloop.stop(),
    )
    connection.ioloop.start()
    return (len(moments) - 1) / (moments[-1] - moments[0])


# ---- peers


def _peers(rabbit: RabbitServer, database: str, wanted: Sequence[bytes], *, alone: bool) -> Iterator[Rival]:
    python = message_rivals.environment()
    if python is None:
        return
    for peer in message_rivals.PEERS:
        rate = message_rivals.messages_a_second(
            peer, python, wanted, broker=rabbit.new_vhost(), database=libpq_url(database), alone=alone
        )
        has_goal = (alone and peer.publishes is not None) or (peer.name == "FastStream" and alone)
        yield Rival(
            name=f"{peer.name}, {'one process, one at a time' if alone else f'{message_rivals.PROCESSES} processes'}",
            rate=rate,
            goal=TIMES_GOAL if has_goal else None,
            stretch=TIMES_STRETCH if has_goal else None,
        )
