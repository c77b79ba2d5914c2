"""The embedded broker: exchanges, queues and messages in a SQLite file, beside the store's tables or alone.

It gives the hub on one host what RabbitMQ gives it elsewhere: topic exchanges, durable queues, order, at-least-once
delivery, dead letters, unroutable messages kept. Any number of processes may use one file, as long as they see each
other's process ids. Published means written through to the disk (WAL, synchronous=FULL). Claims and acknowledgements
are not written through: what a power cut takes of them is delivered again.

A delivery belongs to a session, a session to a process. It is given back when the session is closed or its process is
no more, told by process id, start time and boot: no lease runs out under a consumer that merely works for long.
"""

import contextlib
import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from integrationhub.errors import ConfigurationError, TransientError
from integrationhub.sdk.transport import (
    DELIVERY_LIMIT,
    RETRY_SECONDS,
    UNROUTABLE_QUEUE,
    Incoming,
    Outgoing,
    Topology,
    dead_letter,
    is_final,
    postponed,
    restored,
    retry_queue,
    unroutable,
)
from integrationhub.store.broker_tables import create, declare, make_retry, matches
from integrationhub.store.faults import translated
from integrationhub.store.processes import boot, started

if TYPE_CHECKING:
    from sqlalchemy import Engine

BUSY_SECONDS = 60.0
"""How long to wait for another process's write."""

ACKNOWLEDGE_SECONDS = 5.0
"""How long an acknowledgement waits for it, before it is kept for later."""

SHORTEST_PAUSE_SECONDS = 0.005
LONGEST_PAUSE_SECONDS = 0.05
"""Between two looks into an empty queue: the pause grows to its longest while nothing comes."""

REAP_SECONDS = 1.0
"""Between two looks for sessions whose process is no more."""

_LEFT_BEHIND: set[str] = set()
"""Sessions of this process that could not be ended, because the file could not be written."""

_INSERT = (
    "INSERT INTO broker_messages (queue, exchange, routing_key, message_id, content_type, headers, body, due) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_WAITING = (
    "SELECT position, exchange, routing_key, message_id, content_type, headers, body, deliveries "
    "FROM broker_messages WHERE queue = ? AND session IS NULL ORDER BY position LIMIT ?"
)
_MATURE = "SELECT 1 FROM broker_messages WHERE queue = ? AND session IS NULL AND due <= ? LIMIT 1"
_RETURN = (
    "INSERT INTO broker_messages (queue, exchange, routing_key, message_id, content_type, headers, body) "
    "SELECT ?, exchange, routing_key, message_id, content_type, headers, body "
    "FROM broker_messages WHERE queue = ? AND due <= ? ORDER BY due, position"
)
_ELSEWHERE = "SELECT 1 FROM broker_messages WHERE queue = ? AND session != ? LIMIT 1"
_ANY = "SELECT 1 FROM broker_messages WHERE queue = ? AND session IS NULL LIMIT 1"


class _BrokerFile:
    """One connection to the file, shared by the threads of one publisher or source."""

    def __init__(self, database: "Engine | Path | str", *, durable: bool) -> None:
        self._path = _path(database)
        self._synchronous = "FULL" if durable else "NORMAL"
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, outside a transaction."""
        with self._lock, translated():
            if self._connection is None:
                self._connection = self._open()
            yield self._connection

    @contextlib.contextmanager
    def writing(self, *, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction that has the write lock from its start; TransientError if others keep it."""
        seconds = BUSY_SECONDS if patience is None else patience
        with self.reading() as connection:
            connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a commit that failed may have ended it
                    connection.execute("ROLLBACK")
                raise

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("BEGIN IMMEDIATE")
            create(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _path(database: "Engine | Path | str") -> str:
    name = database if isinstance(database, str | Path) else database.url.database
    if name is None or str(name) in {"", ":memory:"}:
        raise ConfigurationError(
            "the embedded broker needs a SQLite file", code="BROKER_FILE", remedy="use RabbitMQ, or name a file"
        )
    return str(name)


# ---- publishing


class EmbeddedPublisher:
    """sdk.transport.Publisher on a SQLite file. Threads take turns."""

    def __init__(self, database: "Engine | Path | str") -> None:
        self._file = _BrokerFile(database, durable=True)

    def declare(self, topology: Topology) -> None:
        """See sdk.transport.Publisher."""
        with self._file.writing() as connection:
            declare(connection, topology)

    def publish(self, messages: Sequence[Outgoing]) -> None:
        """See sdk.transport.Publisher. All of the messages arrive, or none."""
        if not messages:
            return
        with self._file.writing() as connection:
            router = _Router(connection)
            connection.executemany(_INSERT, [(*row, None) for message in messages for row in router.rows(message)])

    def depths(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        """See sdk.transport.Publisher."""
        count = "SELECT count(*) FROM broker_messages WHERE queue = q.name AND session IS NULL"
        with self._file.reading() as connection:
            found = dict(connection.execute(f"SELECT q.name, ({count}) FROM broker_queues q"))  # noqa: S608 - constant
        return {queue: found.get(queue) for queue in queues}

    def close(self) -> None:
        """See sdk.transport.Publisher."""
        self._file.close()


class _Router:
    """Which queues a message goes to, as things are in this transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._exchanges = {name for (name,) in connection.execute("SELECT name FROM broker_exchanges")}
        self._queues = {name for (name,) in connection.execute("SELECT name FROM broker_queues")}
        self._bindings = connection.execute("SELECT exchange, binding_key, queue FROM broker_bindings").fetchall()

    def rows(self, message: Outgoing) -> list[tuple[object, ...]]:
        """The message once for each queue that gets it."""
        queues = self._targets(message)
        return [_row(message, queue) for queue in queues] or [_row(unroutable(message), UNROUTABLE_QUEUE)]

    def _targets(self, message: Outgoing) -> list[str]:
        key = message.routing_key
        if message.exchange not in self._exchanges and not (message.exchange == "" and key in self._queues):
            what = f"exchange {message.exchange}" if message.exchange else f"queue {key}"
            raise TransientError(
                f"embedded broker: there is no {what}",
                code="BROKER_OBJECT_MISSING" if message.exchange else "QUEUE_MISSING",
                remedy="the hub declares its own when it starts",
            )
        if not message.exchange:
            return [key]
        wanting = {
            queue
            for exchange, binding, queue in self._bindings
            if exchange == message.exchange and matches(binding, key)
        }
        return sorted(wanting)


def _row(message: Outgoing, queue: str) -> tuple[object, ...]:
    headers = json.dumps(message.headers, ensure_ascii=False, default=str)
    return (
        queue,
        message.exchange,
        message.routing_key,
        message.message_id,
        message.content_type,
        headers,
        message.body,
    )


# ---- consuming


class EmbeddedSource:
    """sdk.transport.MessageSource on a SQLite file. One thread receives; any may acknowledge and reject."""

    def __init__(
        self,
        database: "Engine | Path | str",
        queue: str,
        *,
        bindings: tuple[tuple[str, str], ...] = (),
        ordered: bool = False,
    ) -> None:
        self._file = _BrokerFile(database, durable=False)
        self._queue = queue
        self._final = is_final(queue)
        self._ordered = ordered
        self._topology = Topology(queues={queue: bindings}, ordered=frozenset({queue} if ordered else ()))
        self._delays = set(() if self._final else RETRY_SECONDS)
        self._held = False
        self._session: str | None = None
        self._done: set[int] = set()  # acknowledged, not yet deleted: the file was locked
        self._reaped = 0.0
        self._closed = threading.Event()

    def receive(self, *, limit: int, timeout: float) -> list[Incoming]:
        """See sdk.transport.MessageSource."""
        deadline = time.monotonic() + timeout
        pause = SHORTEST_PAUSE_SECONDS
        if self._held:
            self._closed.wait(timeout)
            return []
        try:
            while not (claimed := self._claim(limit, deadline)) and (rest := deadline - time.monotonic()) > 0:
                if self._closed.wait(min(pause, rest)):
                    break
                pause = min(pause * 1.2, LONGEST_PAUSE_SECONDS)
        except TransientError:
            self._leave_behind()  # as with a connection that is lost, what was not acknowledged comes again
            raise
        return claimed

    def _claim(self, limit: int, deadline: float) -> list[Incoming]:
        session = self._begun()
        self._reap()
        with self._file.reading() as connection:
            waiting = connection.execute(_ANY, (self._queue,)).fetchone() or self._mature(connection)
            if not self._done and not waiting:
                return []  # looking costs nobody the write lock
        try:
            return self._claim_as(session, limit, patience=max(0.0, deadline - time.monotonic()))
        except TransientError as busy:
            if busy.code == "DATABASE_LOCKED":
                return []  # somebody writes for long: nothing can be taken until then
            raise

    def _claim_as(self, session: str, limit: int, *, patience: float) -> list[Incoming]:
        with self._file.writing(patience=patience) as connection:
            done = list(self._done)
            self._delete(connection, session, done)
            self._bring_back(connection)
            if self._ordered and connection.execute(_ELSEWHERE, (self._queue, session)).fetchone():
                return []
            rows = connection.execute(_WAITING, (self._queue, limit)).fetchall()
            arrived = [self._incoming(row) for row in rows]
            worn_out = [message for message in arrived if message.deliveries > DELIVERY_LIMIT and not self._final]
            _bury(connection, worn_out, "delivery_limit")
            claimed = [message for message in arrived if message.deliveries <= DELIVERY_LIMIT or self._final]
            connection.executemany(
                "UPDATE broker_messages SET session = ?, deliveries = deliveries + 1 WHERE position = ?",
                [(session, message.tag) for message in claimed],
            )
        self._done.difference_update(done)
        return claimed

    def _mature(self, connection: sqlite3.Connection) -> list[str]:
        """Retry queues with messages that have waited long enough."""
        names = [retry_queue(self._queue, seconds) for seconds in self._delays]
        return [name for name in names if connection.execute(_MATURE, (name, time.time())).fetchone()]

    def _bring_back(self, connection: sqlite3.Connection) -> None:
        """Put postponed messages that have waited long enough to the end of the queue."""
        for name in self._mature(connection):
            now = time.time()
            connection.execute(_RETURN, (self._queue, name, now))
            connection.execute("DELETE FROM broker_messages WHERE queue = ? AND due <= ?", (name, now))

    def _incoming(self, row: tuple[int, str, str, str | None, str | None, str, bytes, int]) -> Incoming:
        position, exchange, routing_key, message_id, content_type, headers, body, deliveries = row
        incoming = Incoming(
            tag=position,
            queue=self._queue,
            exchange=exchange,
            routing_key=routing_key,
            message_id=message_id,
            body=body,
            content_type=content_type,
            headers=json.loads(headers),
            redelivered=deliveries > 0,
            deliveries=deliveries,
        )
        return restored(incoming)

    def acknowledge(self, deliveries: Sequence[Incoming]) -> None:
        """See sdk.transport.MessageSource. Kept for the next call when the file is locked by a long write."""
        self._done.update(delivery.tag for delivery in deliveries)
        with contextlib.suppress(TransientError):
            self._settle()

    def _settle(self) -> None:
        done = list(self._done)
        if done and self._session is not None:
            with self._file.writing(patience=min(ACKNOWLEDGE_SECONDS, BUSY_SECONDS)) as connection:
                self._delete(connection, self._session, done)
        self._done.difference_update(done)

    @staticmethod
    def _delete(connection: sqlite3.Connection, session: str, tags: Sequence[int]) -> None:
        # Another session's message is not ours to delete: it was taken from us as from a dead process.
        rows = [(tag, session) for tag in tags]
        connection.executemany("DELETE FROM broker_messages WHERE position = ? AND session = ?", rows)

    def reject(self, deliveries: Sequence[Incoming], *, reason: str) -> None:
        """See sdk.transport.MessageSource."""
        with self._file.writing() as connection:
            _bury(connection, self._still_ours(connection, deliveries), reason)

    def postpone(self, deliveries: Sequence[Incoming], *, seconds: int) -> None:
        """See sdk.transport.MessageSource."""
        self._delays.add(seconds)
        with self._file.writing() as connection:
            make_retry(connection, self._queue, seconds)
            ours = self._still_ours(connection, deliveries)
            letters = [postponed(delivery, seconds) for delivery in ours]
            _move(connection, ours, letters, due=time.time() + seconds)

    def _still_ours(self, connection: sqlite3.Connection, deliveries: Sequence[Incoming]) -> list[Incoming]:
        """Those that were not given to another session meanwhile, and are not done."""
        mine = connection.execute("SELECT position FROM broker_messages WHERE session = ?", (self._session,))
        held = {position for (position,) in mine}
        return [delivery for delivery in deliveries if delivery.tag in held]

    def hold(self) -> None:
        """See sdk.transport.MessageSource."""
        self._held = True

    def close(self) -> None:
        """See sdk.transport.MessageSource."""
        self._closed.set()
        try:
            self._settle()
            if self._session is not None:
                with self._file.writing() as connection:
                    _end_sessions(connection, [self._session])
        except TransientError:
            self._leave_behind()
        self._session = None
        self._file.close()

    def _leave_behind(self) -> None:
        """Have the next look of this process, or of any once it is no more, give back what the session holds."""
        if self._session is not None:
            _LEFT_BEHIND.add(self._session)
        self._session = None
        self._reaped = 0.0

    def _begun(self) -> str:
        if self._session is None:
            session = uuid.uuid4().hex
            pid = os.getpid()
            with self._file.writing() as connection:
                declare(connection, self._topology)
                connection.execute(
                    "INSERT INTO broker_sessions (session, boot, pid, started) VALUES (?, ?, ?, ?)",
                    (session, boot(), pid, started(pid)),
                )
            self._session = session
        return self._session

    def _reap(self) -> None:
        """Give back what processes held that are no more, and sessions that were left behind."""
        if time.monotonic() - self._reaped < REAP_SECONDS:
            return
        self._reaped = time.monotonic()
        with self._file.reading() as connection:
            sessions = connection.execute("SELECT session, boot, pid, started FROM broker_sessions").fetchall()
        dead = [
            session
            for session, run, pid, since in sessions
            if session in _LEFT_BEHIND or run != boot() or since != started(pid)
        ]
        if dead:
            with self._file.writing() as connection:
                _end_sessions(connection, dead)
            _LEFT_BEHIND.difference_update(dead)


def _bury(connection: sqlite3.Connection, messages: Sequence[Incoming], reason: str) -> None:
    """Move messages to the end of their dead-letter queue."""
    _move(connection, messages, [dead_letter(message, reason) for message in messages])


def _move(
    connection: sqlite3.Connection,
    messages: Sequence[Incoming],
    letters: Sequence[Outgoing],
    *,
    due: float | None = None,
) -> None:
    """Put letters to the end of the queues that they name, in the place of the messages."""
    connection.executemany(_INSERT, [(*_row(letter, letter.routing_key), due) for letter in letters])
    gone = [(message.tag,) for message in messages]
    connection.executemany("DELETE FROM broker_messages WHERE position = ?", gone)


def _end_sessions(connection: sqlite3.Connection, sessions: Sequence[str]) -> None:
    rows = [(session,) for session in sessions]
    connection.executemany("UPDATE broker_messages SET session = NULL WHERE session = ?", rows)
    connection.executemany("DELETE FROM broker_sessions WHERE session = ?", rows)
