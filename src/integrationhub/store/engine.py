"""Engines: SQLite tuned for one host, PostgreSQL through psycopg 3.

SQLite runs in WAL mode with synchronous=FULL: a transaction that was committed survives a killed process and a power
cut. There is one writer at a time, so a writing transaction takes the write lock when it begins (BEGIN IMMEDIATE);
otherwise two of them could read, then both wait for each other to write, and one would fail in the middle.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from integrationhub.errors import ConfigurationError
from integrationhub.store import bulk
from integrationhub.store.faults import translate_errors

BUSY_SECONDS = 60
"""How long SQLite waits for another writer before it gives up, unless the URL says otherwise (`?timeout=…`); on
PostgreSQL, how long whoever takes messages waits for a lock."""

_SQLITE_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",  # KiB
    "PRAGMA temp_store = FILE",  # staging of a big slice may spill to disk
)

_POSTGRES_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg")


def parse_url(text: str) -> URL:
    """The database that a setting names; ConfigurationError for what the store can't use."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ConfigurationError("the database URL is no SQLAlchemy URL", code="DATABASE_URL") from error
    if url.drivername in _POSTGRES_DRIVERS:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:"):
        return url
    raise ConfigurationError(
        "the database URL names neither a SQLite file nor PostgreSQL",
        code="DATABASE_URL",
        remedy="use sqlite:///FILE or postgresql://USER@HOST/NAME",
    )


def open_engine(text: str) -> Engine:
    """An engine for the URL; nothing is connected yet."""
    url = parse_url(text)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgres(url)
    translate_errors(engine)
    return engine


def open_point_engine(text: str) -> Engine:
    """An engine for transactions that find everything by keys: every message in a few milliseconds.

    PostgreSQL plans such a statement once a connection, perhaps while its tables are empty; a scan that was good then
    would stay for ever. A lock that somebody else holds is waited for no longer than SQLite waits for its writer. The
    connections are not asked whether they are alive: whoever takes messages tries again.
    """
    engine = create_engine(parse_url(text), **_POSTGRES_OPTIONS)
    _understand(engine)

    @event.listens_for(engine, "connect")
    def _plan_by_keys(connection: psycopg.Connection, _record: object) -> None:
        for method in ("seqscan", "hashjoin", "mergejoin"):
            connection.execute(f"SET enable_{method} = off".encode())
        connection.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'".encode())
        connection.commit()

    translate_errors(engine)
    return engine


class _HexadecimalLoader(Loader):
    """A UUID as the hub writes identifiers, without a detour over Python's UUID objects."""

    def load(self, data: Buffer) -> str:
        """32 hexadecimal digits."""
        return bytes(data).replace(b"-", b"").decode()


_POSTGRES_OPTIONS: Mapping[str, Any] = {
    "hide_parameters": True,  # errors end up in logs; parameters are personal
    "connect_args": {
        "connect_timeout": 10,
        "application_name": "integrationhub",
        # A server whose host is gone without a word is given up after a minute or so, not after hours.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,  # milliseconds
    },
}


def _postgres(url: URL) -> Engine:
    # After a restart of the server the first statement shall not fail.
    engine = create_engine(url, pool_pre_ping=True, **_POSTGRES_OPTIONS)
    _understand(engine)
    return engine


def _understand(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _read_identifiers(connection: psycopg.Connection, _record: object) -> None:
        connection.adapters.register_loader("uuid", _HexadecimalLoader)
        bulk.understand(connection)


def _sqlite(url: URL) -> Engine:
    patience = {} if "timeout" in url.query else {"timeout": BUSY_SECONDS}
    engine = create_engine(url, hide_parameters=True, connect_args=patience)

    @event.listens_for(engine, "connect")
    def _tune(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for statement in _SQLITE_SETTINGS:
            connection.execute(statement)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("hub_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def reading_options(engine: Engine) -> dict[str, Any]:
    """Execution options of a transaction that only reads, from one consistent snapshot."""
    if engine.dialect.name == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {"hub_reading": True}
