"""Driver errors become the hub's errors here, once.

Everything that goes through SQLAlchemy is translated by an event on the engine; code that talks to the driver itself
(COPY, executemany) wraps itself in `translated`. Drivers quote offending values in their texts; such texts are replaced
before anything is raised, because a traceback ends up in a log.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine, event, exc
from sqlalchemy.engine import ExceptionContext

from integrationhub.errors import Conflict, HubError, InvariantBroken, TransientError

_TRY_AGAIN = "the work was rolled back; the same work can be tried again"
_FULL = "free space on the database's disk, then run the same command again"
_AWAY = "check that the database runs and that the settings name it (`integrationhub doctor`), then try again"

_TRANSIENT_STATES = ("08", "40", "53", "55", "57")
"""SQLSTATE classes: connection, rollback (serialization, deadlock), resources, object in use, operator intervention."""


def _sqlite_fault(error: sqlite3.Error) -> HubError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TransientError("the database is locked by another process", code="DATABASE_LOCKED", remedy=_TRY_AGAIN)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return TransientError("the database can't write: its disk is full or failing", code="DISK_FULL", remedy=_FULL)
    if code == sqlite3.SQLITE_CANTOPEN:
        return TransientError("the database file can't be opened", code="DATABASE_AWAY", remedy=_AWAY)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return InvariantBroken("the database file is damaged or no database", code="DATABASE_DAMAGED")
    return None


def _postgres_fault(error: psycopg.Error) -> HubError | None:
    state = error.sqlstate or ""
    if state == "53100":
        return TransientError("the database server's disk is full", code="DISK_FULL", remedy=_FULL)
    if state.startswith(("08", "57")) or (not state and isinstance(error, psycopg.OperationalError)):
        return TransientError("the database is away", code="DATABASE_AWAY", remedy=_AWAY)
    if state.startswith(_TRANSIENT_STATES):
        return TransientError("the database is busy with conflicting work", code="DATABASE_BUSY", remedy=_TRY_AGAIN)
    if isinstance(error, psycopg.OperationalError):
        return TransientError("the database refused the connection", code="DATABASE_AWAY", remedy=_AWAY)
    return None


def _is_duplicate(error: BaseException) -> bool:
    if isinstance(error, psycopg.Error):
        return error.sqlstate == "23505"
    extended = getattr(error, "sqlite_errorcode", 0)
    return extended in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


def _value_fault(error: BaseException) -> HubError | None:
    if not isinstance(error, psycopg.IntegrityError | psycopg.DataError | sqlite3.IntegrityError | sqlite3.DataError):
        return None
    place = error.diag.constraint_name or error.diag.column_name if isinstance(error, psycopg.Error) else None
    error.args = ("the driver's text may quote values and is not kept",)
    where = f" ({place})" if place else ""
    if _is_duplicate(error):
        return Conflict(f"somebody else stored the same row first{where}", code="ALREADY_STORED")
    return InvariantBroken(f"the database refuses a row that breaks its rules{where}", code="ROW_REFUSED")


def hub_error(error: BaseException) -> HubError | None:
    """What a driver's error means to the hub; None where it is a defect of ours, not of the surroundings."""
    if isinstance(error, exc.TimeoutError):
        return TransientError("no database connection is free", code="DATABASE_BUSY", remedy=_TRY_AGAIN)
    refused = _value_fault(error)
    if refused is not None:
        return refused
    if isinstance(error, psycopg.Error):
        return _postgres_fault(error)
    return _sqlite_fault(error) if isinstance(error, sqlite3.Error) else None


def translate_errors(engine: Engine) -> None:
    """Make every statement, fetch, connect and commit on `engine` raise the hub's errors."""

    @event.listens_for(engine, "handle_error")
    def _translate(context: ExceptionContext) -> HubError | None:
        # The pool's own liveness check wants the driver's error: it replaces the connection and nobody notices.
        return None if context.is_pre_ping else hub_error(context.original_exception)


@contextmanager
def translated() -> Iterator[None]:
    """For work on the driver's own connection."""
    try:
        yield
    except (psycopg.Error, sqlite3.Error) as error:
        meaning = hub_error(error)
        if meaning is None:
            raise
        raise meaning from error
