"""The store, and the unit of work: one transaction, its repositories, and a commit that must be asked for.

    with store.begin() as work:
        work.slices.claim(…)
        work.canonical.merge_groups(…)
        work.outbox.add(…)
        work.commit()

Leaving the block without `commit` rolls everything back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import polars as pl
from sqlalchemy import Connection, Engine

from integrationhub.store import locks, statistics, upgrade
from integrationhub.store.accounts import Accounts
from integrationhub.store.attempts import Attempts
from integrationhub.store.deliveries import Deliveries
from integrationhub.store.engine import open_engine, open_point_engine, reading_options
from integrationhub.store.entity_versions import EntityVersions
from integrationhub.store.feeds import Feeds
from integrationhub.store.handover import Handover
from integrationhub.store.inbox import Inbox
from integrationhub.store.intakes import Intakes
from integrationhub.store.merge import Canonical, SliceRows, fit
from integrationhub.store.outbox import Outbox
from integrationhub.store.quarantine import Quarantine
from integrationhub.store.slices import Slices
from integrationhub.store.transfers import Transfers
from integrationhub.store.verdicts import Verdicts
from integrationhub.store.worklist import Worklist

Reading = Connection
"""A transaction as callers hold it who read through the store's functions and know nothing of databases."""


class Work:
    """One transaction. Nothing of it is visible to others before `commit`."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()
        try:
            self._transaction = self._connection.begin()
        except BaseException:
            self._connection.close()  # SQLite's write lock was not to be had; the pool wants its connection back
            raise
        self.deliveries = Deliveries(self._connection)
        self.inbox = Inbox(self._connection)
        self.entity_versions = EntityVersions(self._connection)
        self.feeds = Feeds(self._connection)
        self.attempts = Attempts(self._connection)
        self.intakes = Intakes(self._connection)
        self.slices = Slices(self._connection)
        self.worklist = Worklist(self._connection)
        self.quarantine = Quarantine(self._connection)
        self.outbox = Outbox(self._connection)
        self.canonical = Canonical(self._connection)
        self.verdicts = Verdicts(self._connection)
        self.transfers = Transfers(self._connection)
        self.handover = Handover(self._connection)
        self.accounts = Accounts(self._connection)

    @property
    def connection(self) -> Connection:
        """For queries that shall see this transaction's own changes."""
        return self._connection

    def commit(self) -> None:
        """Make everything durable and visible, at once; the block's other statements come too late."""
        try:
            self._transaction.commit()
        except BaseException:
            # SQLite keeps a transaction open whose deferred foreign keys don't hold; the pool would hand it on.
            self._connection.invalidate()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()  # rolls back what was not committed


class Store:
    """A database at the right revision. Safe to share between threads; each unit of work has its own connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._point_engine: Engine | None = None

    @classmethod
    def open(cls, url: str, *, create: bool = False) -> Self:
        """The store at a SQLAlchemy URL. With `create`, an empty database gets its tables.

        ConfigurationError: another revision than this code's; `integrationhub store upgrade` brings it up to date.
        TransientError: the database is away.
        """
        engine = open_engine(url)
        try:
            if create and upgrade.is_empty(engine):
                upgrade.upgrade(engine)
            upgrade.require_head(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    @staticmethod
    def is_empty(url: str) -> bool:
        """Whether the database has no tables yet; nothing is changed there."""
        engine = open_engine(url)
        try:
            return upgrade.is_empty(engine)
        finally:
            engine.dispose()

    @property
    def url(self) -> str:
        """Where the database is, with its password: for processes that open it too, never to be shown."""
        return self._engine.url.render_as_string(hide_password=False)

    @property
    def is_embedded(self) -> bool:
        """Whether this is the SQLite file of one host."""
        return self._engine.dialect.name == "sqlite"

    def fit(self, rows: Mapping[str, pl.DataFrame], *, delivery_id: str, sequence: int) -> SliceRows:
        """What `Canonical.merge_groups` would do first with a slice's rows, done outside its transaction."""
        return fit(rows, delivery_id=delivery_id, sequence=sequence, render=not self.is_embedded)

    def refresh_statistics(self) -> None:
        """Let the database plan for its tables as they are now: to be called between the transactions of a load."""
        statistics.refresh(self._engine)

    def begin(self) -> Work:
        """A unit of work, to be used in a `with` block. On SQLite it waits for the one writer before it."""
        return Work(self._engine)

    def begin_by_keys(self) -> Work:
        """A unit of work that finds everything by keys, few rows or thousands: for messages.

        On PostgreSQL nobody asks first whether the database is there: TransientError by the first statement.
        """
        if self.is_embedded:
            return self.begin()
        if self._point_engine is None:
            self._point_engine = open_point_engine(self._engine.url.render_as_string(hide_password=False))
        return Work(self._point_engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for `store.queries`: one consistent snapshot, nothing can be written."""
        with self._engine.connect().execution_options(**reading_options(self._engine)) as connection:
            yield connection

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Hold the lock of this name; Conflict when another process (or thread) holds it.

        The lock ends with its holder, also when that is killed.
        """
        with locks.exclusive(self._engine, name):
            yield

    def close(self) -> None:
        """Give all connections back."""
        if self._point_engine is not None:
            self._point_engine.dispose()
        self._engine.dispose()
