"""Accounts for a load from outside: by SQL on the hub's database, by the broker's own counts, by what it published.

    attempted        distinct messages that the source began to send
    acknowledged     of these, confirmed by the broker: owed by the hub
    applied          of these, taken into the canonical rows
    applied twice    effects that happened more than once: a balance written again by the same message, or out of order
    set aside        in the quarantine, or on the worklist
    overtaken        older than what was held when they came
    destroyed        by whoever deleted the queue they were in
    lost             acknowledged, and none of the above

A trigger on the canonical balances notes every write in a table of its own, inside the hub's own transactions: also a
write that changes nothing shows.
"""

import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import psycopg

from tests.services.postgres import libpq_url
from tests.services.processes import wait_until

_POSTGRES = """
CREATE TABLE load_writes (n bigserial PRIMARY KEY, reference text NOT NULL, pence bigint NOT NULL);
CREATE FUNCTION load_note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO load_writes (reference, pence) VALUES (NEW.source_ref, NEW.pence); RETURN NULL; END $$;
CREATE TRIGGER load_note AFTER INSERT OR UPDATE ON balances FOR EACH ROW EXECUTE FUNCTION load_note();
"""
_SQLITE = """
CREATE TABLE load_writes (n INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, pence INTEGER NOT NULL);
CREATE TRIGGER load_inserted AFTER INSERT ON balances BEGIN
    INSERT INTO load_writes (reference, pence) VALUES (NEW.source_ref, NEW.pence); END;
CREATE TRIGGER load_updated AFTER UPDATE ON balances BEGIN
    INSERT INTO load_writes (reference, pence) VALUES (NEW.source_ref, NEW.pence); END;
"""
_OUTCOMES = "SELECT message_id, outcome FROM deliveries WHERE message_id LIKE 'load-%'"
_SEEN = "SELECT count(*) FROM deliveries WHERE message_id LIKE 'load-%'"
_WRITES = "SELECT reference, pence FROM load_writes ORDER BY n"
_WAITING = "SELECT count(*) FROM outbox WHERE published_at IS NULL"

SHORT_SECONDS = 5.0


class Connection(Protocol):
    """What the two drivers share."""

    def execute(self, query: Any, /) -> Any: ...  # noqa: ANN401 - each has its own cursor
    def close(self) -> None: ...


class Books:
    """The hub's database, read and observed directly."""

    def __init__(self, url: str) -> None:
        self._url = url

    @contextlib.contextmanager
    def _open(self) -> Iterator[Connection]:
        if self._url.startswith("sqlite"):
            connection: Connection = sqlite3.connect(self._url.removeprefix("sqlite:///"), timeout=60)
        else:
            connection = psycopg.connect(libpq_url(self._url), autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    def watch(self) -> None:
        """Note every write of a balance from now on."""
        with self._open() as connection:
            if isinstance(connection, sqlite3.Connection):
                connection.executescript(_SQLITE)
            else:
                connection.execute(_POSTGRES)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._open() as connection:
            return list(connection.execute(query).fetchall())

    def number(self, query: str) -> int:
        """The one number that a query gives."""
        return int(self.rows(query)[0][0])

    def seen(self) -> int:
        """Messages of the load whose fate is settled; those taken from one id twice count twice."""
        return self.number(_SEEN)

    def settled(self) -> set[str]:
        """Ids of these messages."""
        return {message_id for message_id, _outcome in self.rows(_OUTCOMES)}

    def until_taken(self, *, seconds: float = 180) -> None:
        """Wait until the hub has taken another message."""

        def more() -> bool:
            with contextlib.suppress(psycopg.OperationalError, sqlite3.OperationalError):
                return self.seen() > before
            return False

        before = self.seen()
        wait_until(more, seconds=seconds, what="another message")

    def until_quiet(
        self, owed: Sequence[str], *, destroyable: Collection[str | None] = (), seconds: float, quiet: float = 5.0
    ) -> None:
        """Wait until all that is owed has arrived and all events are out, or until nothing moves for a while.

        Nothing is raised in the second case: what is missing then is for the accounts to say. Where only what may have
        been destroyed is missing, a short while will do. RuntimeError only when things still move after `seconds`.
        """
        still_since, before = time.monotonic(), -1
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            patience = quiet
            with contextlib.suppress(psycopg.OperationalError, sqlite3.OperationalError):
                seen, waiting = self.seen(), self.number(_WAITING)
                if waiting == 0 and seen >= len(owed) - len(destroyable):
                    missing = set(owed) - self.settled()
                    if not missing:
                        return
                    if missing <= set(destroyable):
                        patience = SHORT_SECONDS
                if seen - waiting != before:
                    still_since, before = time.monotonic(), seen - waiting
            if time.monotonic() - still_since > patience:
                return
            time.sleep(0.5)
        raise RuntimeError(f"no quiet after {seconds} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The figures of one run."""

    attempted: int
    acknowledged: int
    applied: int
    set_aside: int = 0
    overtaken: int = 0
    destroyed: int = 0
    lost: int = 0
    applied_twice: int = 0
    missing: Sequence[str] = field(default=(), repr=False)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing twice."""
        return self.lost == 0 and self.applied_twice == 0


def account(books: Books, *, owed: Sequence[str], attempted: int, destroyable: Collection[str | None] = ()) -> Account:
    """The accounts at the end: `owed` are the ids that the broker confirmed, each once.

    `destroyable`: ids that lay in a queue when it was deleted.
    """
    fates: dict[str, set[str]] = {}
    for message_id, outcome in books.rows(_OUTCOMES):
        fates.setdefault(message_id, set()).add(outcome)
    gone = [each for each in owed if each not in fates]
    missing = [each for each in gone if each not in destroyable]
    told = Counter(_first(fates[each]) for each in owed if each in fates)
    return Account(
        attempted=attempted,
        acknowledged=len(owed),
        applied=told["LOADED"],
        set_aside=told["REJECTED"] + told["EXCEPTION"],
        overtaken=told["SUPERSEDED"],
        destroyed=len(gone) - len(missing),
        lost=len(missing) + told["HELD"],
        applied_twice=written_twice(books),
        missing=missing[:20],
    )


def _first(outcomes: set[str]) -> str:
    return next(each for each in ("LOADED", "SUPERSEDED", "HELD", "EXCEPTION", "REJECTED") if each in outcomes)


def written_twice(books: Books) -> int:
    """Writes of a balance that no new message explains: the notices about a debt rise, and so must its balances."""
    last: dict[str, int] = {}
    again = 0
    for reference, pence in books.rows(_WRITES):
        again += pence <= last.get(reference, 0)
        last[reference] = max(pence, last.get(reference, 0))
    return again


def table(runs: Sequence[tuple[str, Account]]) -> str:
    """The accounts of some runs as a table."""
    names = [each.name for each in fields(Account) if each.name != "missing"]
    head = ["run", *(name.replace("_", " ") for name in names)]
    lines = [[run, *(f"{getattr(found, name):,}" for name in names)] for run, found in runs]
    widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in [head, *lines])
    )


def until_watched(books: Books, *, seconds: float = 60) -> None:
    """Wait until the hub has made its tables, and watch them."""

    def made() -> bool:
        try:
            books.seen()
        except (psycopg.Error, sqlite3.Error):
            return False
        return True

    wait_until(made, seconds=seconds, what="the store")
    books.watch()
