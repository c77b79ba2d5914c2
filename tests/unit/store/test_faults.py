"""Driver errors mean something to the hub, by what the caller should do."""

import sqlite3

import psycopg
import pytest
from psycopg import errors

from integrationhub.errors import Conflict, InvariantBroken, TransientError
from integrationhub.store.faults import hub_error, translated


def _sqlite(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("secret")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DeadlockDetected("x"), "DATABASE_BUSY"),
        (errors.SerializationFailure("x"), "DATABASE_BUSY"),
        (errors.LockNotAvailable("x"), "DATABASE_BUSY"),
        (errors.TooManyConnections("x"), "DATABASE_BUSY"),
        (errors.DiskFull("x"), "DISK_FULL"),
        (errors.AdminShutdown("x"), "DATABASE_AWAY"),
        (errors.CannotConnectNow("x"), "DATABASE_AWAY"),
        (psycopg.OperationalError("connection refused"), "DATABASE_AWAY"),
        (errors.InvalidPassword("x"), "DATABASE_AWAY"),
        (_sqlite(sqlite3.SQLITE_BUSY), "DATABASE_LOCKED"),
        (_sqlite(sqlite3.SQLITE_FULL), "DISK_FULL"),
        (_sqlite(sqlite3.SQLITE_IOERR_WRITE), "DISK_FULL"),
        (_sqlite(sqlite3.SQLITE_CANTOPEN), "DATABASE_AWAY"),
    ],
)
def test_trouble_that_passes_may_be_tried_again_and_says_what_helps(error: Exception, code: str) -> None:
    meaning = hub_error(error)
    assert isinstance(meaning, TransientError)
    assert meaning.code == code
    assert meaning.remedy


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.UniqueViolation("secret"), Conflict),
        (errors.NotNullViolation("secret"), InvariantBroken),
        (errors.InvalidTextRepresentation("secret"), InvariantBroken),
    ],
)
def test_a_refused_row_is_no_passing_trouble_and_the_drivers_text_is_dropped(error: Exception, kind: type) -> None:
    assert isinstance(hub_error(error), kind)
    assert "secret" not in repr(error)


@pytest.mark.parametrize("error", [errors.SyntaxError("x"), errors.UndefinedTable("x"), sqlite3.ProgrammingError("x")])
def test_a_defect_of_ours_stays_what_it_is(error: Exception) -> None:
    assert hub_error(error) is None
    with pytest.raises(type(error)), translated():
        raise error


def test_work_on_the_drivers_own_connection_is_translated_too() -> None:
    with pytest.raises(TransientError), translated():
        raise _sqlite(sqlite3.SQLITE_LOCKED)
