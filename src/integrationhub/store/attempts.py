"""The ledger of tries: messages that are tried one at a time because they may be what kills or fails.

A message that is taken at the first go is never written down here. A suspect is: a try is counted before it begins, in
a transaction of its own, so that a try that ends with the process is counted too. `begun` − `ended` is therefore the
number of tries that nobody came back from.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from integrationhub.store.bulk import among
from integrationhub.store.dialect import insert_into
from integrationhub.store.schema import ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often a message was tried singly: tries begun, tries that ended with an error, the last error's code."""

    begun: int = 0
    ended: int = 0
    code: str | None = None

    @property
    def fatal(self) -> int:
        """Tries that ended with the process that made them."""
        return self.begun - self.ended


class Attempts:
    """Tries by connector and message. `message` is derived from what the message is known by."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, connector: str, message: str) -> Tries:
        """What was counted so far."""
        columns = (ATTEMPTS.c.begun, ATTEMPTS.c.ended, ATTEMPTS.c.code)
        statement = select(*columns).where(ATTEMPTS.c.connector == connector, ATTEMPTS.c.message == message)
        row = self._connection.execute(statement).mappings().first()
        return Tries() if row is None else Tries(**row)

    def known(self, connector: str, messages: Collection[str]) -> set[str]:
        """Of these messages, the ones with a try."""
        chosen = (ATTEMPTS.c.connector == connector, among(self._connection, ATTEMPTS.c.message, list(messages)))
        return set(self._connection.execute(select(ATTEMPTS.c.message).where(*chosen)).scalars())

    def begin(self, connector: str, message: str, *, at: datetime) -> None:
        """One more try is about to begin."""
        first = {"connector": connector, "message": message, "begun": 1, "ended": 0, "begun_at": at}
        statement = insert_into(self._connection.dialect.name, ATTEMPTS).values(**first)
        more = {"begun": ATTEMPTS.c.begun + 1, "begun_at": at}
        self._connection.execute(statement.on_conflict_do_update(index_elements=["connector", "message"], set_=more))

    def end(self, connector: str, message: str, *, code: str) -> None:
        """The try that began last ended with this error, and the process lived on."""
        chosen = (ATTEMPTS.c.connector == connector) & (ATTEMPTS.c.message == message)
        self._connection.execute(update(ATTEMPTS).where(chosen).values(ended=ATTEMPTS.c.ended + 1, code=code))

    def withdraw(self, connector: str, message: str) -> None:
        """The try that began last counts for nothing."""
        chosen = (ATTEMPTS.c.connector == connector) & (ATTEMPTS.c.message == message)
        self._connection.execute(update(ATTEMPTS).where(chosen).values(begun=ATTEMPTS.c.begun - 1))

    def forget(self, connector: str, message: str) -> None:
        """The message's fate is decided."""
        chosen = (ATTEMPTS.c.connector == connector) & (ATTEMPTS.c.message == message)
        self._connection.execute(delete(ATTEMPTS).where(chosen))
