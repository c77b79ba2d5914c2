"""A taker that keeps a journal in a SQLite file: what was taken, by which process, in which batch.

What a message does is its body: `kill` ends the process, `fail` raises, `reject` is unusable, `away` is a service that
is away while the file `away` lies beside the journal, `slow` takes a while, `hang` never ends, anything else is taken.
"""

import os
import signal
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from integrationhub.bootstrap import Hub
from integrationhub.errors import RecordRejected, TransientError
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming

CONNECTOR = "journal"
SLOW_SECONDS = 0.3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS taken (message_id TEXT PRIMARY KEY, batch TEXT, pid INTEGER, place INTEGER);
CREATE TABLE IF NOT EXISTS repeated (message_id TEXT);
CREATE TABLE IF NOT EXISTS given_up (message_id TEXT PRIMARY KEY, code TEXT, attempts INTEGER)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A row of the journal."""

    message_id: str
    batch: str
    pid: int


class Journal:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = sqlite3.connect(folder / "journal.sqlite3", isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        for statement in _SCHEMA.split(";"):
            self._connection.execute(statement)

    def write(self, messages: Sequence[Incoming]) -> None:
        batch = f"{os.getpid()}-{time.monotonic_ns()}"
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for place, message in enumerate(messages):
                self._act(message)
                row = (message.message_id, batch, os.getpid(), place)
                done = self._connection.execute("INSERT OR IGNORE INTO taken VALUES (?, ?, ?, ?)", row)
                if done.rowcount == 0:
                    self._connection.execute("INSERT INTO repeated VALUES (?)", (message.message_id,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def _act(self, message: Incoming) -> None:
        if message.body == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if message.body == b"fail":
            raise ValueError("a fault of the connector")
        if message.body == b"reject":
            raise RecordRejected("unusable", code="UNUSABLE")
        if message.body == b"away" and (self.folder / "away").exists():
            raise TransientError("a service is away", code="SERVICE_AWAY")
        if message.body == b"slow":
            time.sleep(SLOW_SECONDS)
        if message.body == b"hang":
            time.sleep(3600)

    def give_up(self, message: Incoming, code: str, attempts: int) -> None:
        row = (message.message_id, code, attempts)
        self._connection.execute("INSERT OR REPLACE INTO given_up VALUES (?, ?, ?)", row)

    def taken(self) -> list[Taken]:
        """What was taken, in order."""
        rows = self._connection.execute("SELECT message_id, batch, pid FROM taken ORDER BY rowid").fetchall()
        return [Taken(message_id=message_id, batch=batch, pid=pid) for message_id, batch, pid in rows]

    def ids(self) -> list[str]:
        return [row.message_id for row in self.taken()]

    def given_up(self) -> dict[str, tuple[str, int]]:
        rows = self._connection.execute("SELECT message_id, code, attempts FROM given_up").fetchall()
        return {message_id: (code, attempts) for message_id, code, attempts in rows}

    def repeated(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM repeated").fetchone()[0])

    def close(self) -> None:
        self._connection.close()


class JournalTaker:
    """sdk.messages.MessageTaker over a journal."""

    connector = CONNECTOR

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder)

    def order_key(self, message: Incoming) -> str | None:
        key = message.headers.get("key")
        return key if isinstance(key, str) else None

    def take(self, messages: Sequence[Incoming], *, now: datetime) -> list[Outcome]:
        del now
        self._journal.write(messages)
        return [Outcome(fate=Fate.LOADED) for _ in messages]

    def give_up(self, message: Incoming, *, code: str, attempts: int, now: datetime) -> Outcome:
        del now
        self._journal.give_up(message, code, attempts)
        return Outcome(fate=Fate.REJECTED, code=code)


def build(hub: Hub, connectors: tuple[str, ...]) -> dict[str, JournalTaker]:
    """The taker in a worker process; its journal lies in the data directory."""
    return {name: JournalTaker(hub.settings.data_dir) for name in connectors}
