"""Named locks that end with their holder: an advisory lock of a PostgreSQL session, a locked file beside SQLite."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Engine, text

from integrationhub.errors import Conflict, TransientError


def _taken(name: str) -> Conflict:
    return Conflict(
        f"another process is working on {name}",
        code="ALREADY_RUNNING",
        remedy="wait until it has ended, or stop it, then run the same command again",
    )


@contextmanager
def exclusive(engine: Engine, name: str) -> Iterator[None]:
    """Hold the lock of this name for the length of the block; Conflict when somebody holds it."""
    if engine.dialect.name == "postgresql":
        with _session_lock(engine, name):
            yield
    else:
        with _file_lock(Path(engine.url.database or "."), name):
            yield


@contextmanager
def _session_lock(engine: Engine, name: str) -> Iterator[None]:
    number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)
    options = {"isolation_level": "AUTOCOMMIT"}  # an open transaction would keep old row versions alive
    with engine.connect().execution_options(**options) as connection:
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar_one():
            raise _taken(name)
        try:
            yield
        finally:
            # Closing the connection alone frees the lock some time later, when the server has noticed.
            with suppress(TransientError):  # with a lost connection the lock is lost, too
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
            # The pool might hand the connection on with the lock still held, so it is closed for good.
            connection.invalidate()


@contextmanager
def _file_lock(database: Path, name: str) -> Iterator[None]:
    directory = database.with_name(f"{database.name}-locks")
    directory.mkdir(exist_ok=True)
    with (directory / name.replace("/", "_")).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(name) from None
        yield
