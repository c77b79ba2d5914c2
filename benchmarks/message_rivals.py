"""Celery, Dramatiq, FastStream and plain pika as peers: the same messages, one transaction each, equal durability.

Durable quorum queues, persistent messages, publisher confirms, acknowledgement after the commit, one PostgreSQL that
writes through. The peers run in an environment of their own, made once beside the benchmarks' other kept files; where a
package can't be installed there is no figure.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pika  # type: ignore[import-untyped]
import psycopg

from benchmarks.estates import cache_folder
from benchmarks.message_peers.work import TABLES
from tests.load.publisher import LoadMessage, LoadPublisher

PACKAGES = (
    "celery==5.7.0",
    "dramatiq[rabbitmq]==2.2.1",
    "faststream[rabbit,cli]==0.7.8",
    "psycopg[binary,pool]==3.3.9",
)
FOLDER = Path(__file__).with_name("message_peers")
PROCESSES = 2
START_SECONDS = 60
LONGEST_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """How a peer's workers are started, and how its messages get into its queue.

    `alone` has one process that takes one message at a time; `several` is the command as it comes, for PROCESSES.
    """

    name: str
    command: Sequence[str]
    alone: Sequence[str] = ()
    several: Sequence[str] = ()
    is_single: bool = False  # the command is one process: it is started as often as there shall be processes
    publishes: str | None = None  # its own script; without one, bodies go into its queue as they are

    @property
    def queue(self) -> str:
        """The queue of its messages."""
        return f"peer-{self.name.split()[-1].lower()}"


PEERS = (
    Peer(
        name="Celery",
        command=("-m", "celery", "-A", "celery_peer", "worker", "--loglevel", "ERROR", "--without-gossip"),
        alone=("--concurrency", "1"),
        several=("--concurrency", str(PROCESSES)),
        publishes="celery_peer.py",
    ),
    Peer(
        name="Dramatiq",
        command=("-m", "dramatiq", "dramatiq_peer"),
        alone=("--processes", "1", "--threads", "1"),
        several=("--processes", str(PROCESSES)),
        publishes="dramatiq_peer.py",
    ),
    Peer(
        name="FastStream",
        command=("-m", "faststream", "run", "faststream_peer:app", "--log-level", "error"),
        several=("--workers", str(PROCESSES)),
    ),
    Peer(name="plain pika", command=("pika_peer.py",), is_single=True),
)
SIDE_BY_SIDE = 8
"""Handlers that FastStream runs side by side in a process, as Dramatiq does by default."""


def environment() -> Path | None:
    """The Python of the peers' environment, made where it is missing; None where it can't be."""
    folder = cache_folder() / "message-peers"
    python = folder / "bin" / "python"
    if python.exists():
        return python
    made = _succeeds([sys.executable, "-m", "venv", str(folder)])
    if made and _succeeds([str(python), "-m", "pip", "--quiet", "install", *PACKAGES]):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def messages_a_second(
    peer: Peer, python: Path, bodies: Sequence[bytes], *, broker: str, database: str, alone: bool
) -> float:
    """How many messages a second the peer takes once it is under way, all of them waiting in its queue."""
    surroundings = {
        **os.environ,
        "PEER_BROKER": broker,
        "PEER_DATABASE": database,
        "PEER_SIDE_BY_SIDE": str(1 if alone else SIDE_BY_SIDE),
        "PYTHONPATH": str(FOLDER),
    }
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS peer_inbox, peer_debts, peer_outbox")
        connection.execute(TABLES.encode())
        _fill(peer, python, bodies, broker, surroundings)
        with _workers(peer, python, surroundings, alone=alone):
            return rate_of(lambda: _count(connection), len(bodies))


def rate_of(count: Callable[[], int], wanted: int) -> float:
    """Messages a second, from the first look at which there are some to the one at which all are there."""
    deadline = time.monotonic() + LONGEST_SECONDS
    started, at_first = 0.0, 0
    while time.monotonic() < deadline:
        found, now = count(), time.monotonic()
        if not at_first and found:
            started, at_first = now, found
        if found >= wanted:
            return (found - at_first) / (now - started)
        time.sleep(0.05)
    raise RuntimeError(f"{count()} of {wanted} messages in {LONGEST_SECONDS} s")


def _count(connection: "psycopg.Connection[tuple[int]]") -> int:
    row = connection.execute("SELECT count(*) FROM peer_inbox").fetchone()
    return 0 if row is None else row[0]


def _fill(peer: Peer, python: Path, bodies: Sequence[bytes], broker: str, surroundings: dict[str, str]) -> None:
    if peer.publishes is not None:
        lines = b"\n".join(bodies) + b"\n"
        subprocess.run([str(python), peer.publishes], input=lines, env=surroundings, cwd=FOLDER, check=True)
        return
    declare(broker, peer.queue)
    messages = (LoadMessage(message_id=f"p{n}", body=body, routing_key=peer.queue) for n, body in enumerate(bodies))
    with LoadPublisher(broker, messages) as publisher:
        publisher.wait(LONGEST_SECONDS)


def declare(broker: str, queue: str) -> None:
    """A durable quorum queue without further arguments."""
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(broker))) as connection:
        connection.channel().queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})


@contextlib.contextmanager
def _workers(peer: Peer, python: Path, surroundings: dict[str, str], *, alone: bool) -> Iterator[None]:
    command = [str(python), *peer.command, *(peer.alone if alone else peer.several)]
    log = cache_folder() / f"{peer.queue}.log"
    with log.open("wb") as output:
        started = [
            subprocess.Popen(
                command, env=surroundings, cwd=FOLDER, stdout=output, stderr=output, start_new_session=True
            )
            for _ in range(PROCESSES if peer.is_single and not alone else 1)
        ]
    try:
        yield
    finally:
        for process in started:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, then its whole session: a worker's children stay behind when it is killed alone."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()
