"""The embedded broker's tables, and what is declared in them: exchanges, queues, bindings."""

import json
import re
import sqlite3
from functools import lru_cache

from integrationhub.errors import ConfigurationError
from integrationhub.sdk.transport import (
    DELIVERY_LIMIT,
    RETRY_SECONDS,
    UNROUTABLE_QUEUE,
    Topology,
    dead_letter_queue,
    is_final,
    retry_queue,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS broker_exchanges (name TEXT PRIMARY KEY, kind TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS broker_queues (name TEXT PRIMARY KEY, arguments TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS broker_bindings (
    exchange TEXT NOT NULL, binding_key TEXT NOT NULL, queue TEXT NOT NULL, PRIMARY KEY (exchange, binding_key, queue)
);
CREATE TABLE IF NOT EXISTS broker_sessions (
    session TEXT PRIMARY KEY, boot TEXT NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS broker_messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    message_id TEXT,
    content_type TEXT,
    headers TEXT NOT NULL, -- a JSON object
    body BLOB NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 0, -- begun
    session TEXT, -- who works on it
    due REAL -- of a postponed message: when it comes again, in seconds since 1970
);
CREATE INDEX IF NOT EXISTS broker_waiting ON broker_messages (queue, position) WHERE session IS NULL;
CREATE INDEX IF NOT EXISTS broker_taken ON broker_messages (session) WHERE session IS NOT NULL
"""


def create(connection: sqlite3.Connection) -> None:
    """Make what is missing."""
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    if "due" not in {row[1] for row in connection.execute("PRAGMA table_info(broker_messages)")}:
        connection.execute("ALTER TABLE broker_messages ADD COLUMN due REAL")
    declare(connection, Topology())


def declare(connection: sqlite3.Connection, topology: Topology) -> None:
    """Make what is missing; ConfigurationError where something is there with other arguments."""
    bound = {exchange for bindings in topology.queues.values() for exchange, _ in bindings}
    for exchange in sorted(bound.union(topology.exchanges)):
        _make(connection, "exchange", exchange, ("broker_exchanges", "kind", "topic"))
    for queue in (UNROUTABLE_QUEUE, *topology.queues):
        for name in dict.fromkeys((dead_letter_queue(queue), queue)):
            arguments = _arguments(name, ordered=name in topology.ordered)
            _make(connection, "queue", name, ("broker_queues", "arguments", arguments))
        for seconds in RETRY_SECONDS if not is_final(queue) else ():
            make_retry(connection, queue, seconds)
        connection.executemany(
            "INSERT OR IGNORE INTO broker_bindings (exchange, binding_key, queue) VALUES (?, ?, ?)",
            [(exchange, key, queue) for exchange, key in topology.queues.get(queue, ())],
        )


def _arguments(queue: str, *, ordered: bool) -> str:
    if is_final(queue):
        return "{}"
    arguments = {"delivery-limit": DELIVERY_LIMIT, "dead-letters": dead_letter_queue(queue)}
    return json.dumps(arguments | ({"single-active-consumer": True} if ordered else {}))


def make_retry(connection: sqlite3.Connection, queue: str, seconds: int) -> None:
    """Make the queue in which messages of `queue` wait for so long."""
    arguments = json.dumps({"message-ttl": seconds, "dead-letters": queue})
    _make(connection, "queue", retry_queue(queue, seconds), ("broker_queues", "arguments", arguments))


def _make(connection: sqlite3.Connection, kind: str, name: str, column: tuple[str, str, str]) -> None:
    table, attribute, wanted = column
    found = connection.execute(f"SELECT {attribute} FROM {table} WHERE name = ?", (name,)).fetchone()  # noqa: S608
    if found is None:
        connection.execute(f"INSERT INTO {table} (name, {attribute}) VALUES (?, ?)", (name, wanted))  # noqa: S608
    elif found[0] != wanted:
        raise ConfigurationError(
            f"embedded broker: {kind} '{name}' exists with {attribute} {found[0]}, wanted is {wanted}",
            code="TOPOLOGY_MISMATCH",
            remedy="another version of the hub made it: finish its messages with that version, or delete its row "
            f"from {table}; the hub makes it anew when it starts",
        )


@lru_cache(maxsize=4096)
def _pattern(binding_key: str) -> re.Pattern[str]:
    """AMQP topic pattern: words between dots, `*` for one word, `#` for any number of them, also none."""
    special = {"*": r"[^.]*\.", "#": r"(?:[^.]*\.)*"}
    words = binding_key.split(".") if binding_key else []
    return re.compile("".join(special.get(word, re.escape(word) + r"\.") for word in words))


def matches(binding_key: str, routing_key: str) -> bool:
    """Whether a topic exchange sends this routing key along this binding."""
    return _pattern(binding_key).fullmatch(f"{routing_key}." if routing_key else "") is not None
