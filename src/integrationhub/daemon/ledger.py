"""The ledger of tries as an intake wants it: each call a transaction of its own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from integrationhub.store.attempts import Tries
from integrationhub.store.unit_of_work import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLedger:
    """daemon.intake.Ledger over a store, of one connector."""

    store: Store
    connector: str
    clock: Callable[[], datetime]

    def of(self, message: str) -> Tries:
        """What was counted so far."""
        with self.store.begin() as work:
            return work.attempts.of(self.connector, message)

    def known(self, messages: Collection[str]) -> set[str]:
        """Of these, the ones with a try."""
        with self.store.begin() as work:
            return work.attempts.known(self.connector, messages)

    def begin(self, message: str) -> None:
        """A try is about to begin."""
        with self.store.begin() as work:
            work.attempts.begin(self.connector, message, at=self.clock())
            work.commit()

    def end(self, message: str, code: str) -> None:
        """It ended with an error."""
        with self.store.begin() as work:
            work.attempts.end(self.connector, message, code=code)
            work.commit()

    def withdraw(self, message: str) -> None:
        """The try that began last was ended by the hub itself, whatever the message is."""
        with self.store.begin() as work:
            work.attempts.withdraw(self.connector, message)
            work.commit()

    def forget(self, message: str) -> None:
        """The message's fate is decided."""
        with self.store.begin() as work:
            work.attempts.forget(self.connector, message)
            work.commit()
