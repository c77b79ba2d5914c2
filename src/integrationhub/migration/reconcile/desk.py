"""Runs the second reading over everything that was accepted, one book after the other."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from integrationhub.canonical.model import ENTITIES
from integrationhub.errors import Conflict, InvariantBroken
from integrationhub.migration.reconcile.books import BOOKS
from integrationhub.migration.reconcile.engine import CHANGES, Comparison, KeptFile, KeptMessage, Reconciliation
from integrationhub.store.case_events import stored_events
from integrationhub.store.deliveries import Delivery
from integrationhub.store.exports import stored_rows
from integrationhub.store.inbox import Inbox, Received
from integrationhub.store.transfer_proof import moved_accounts, moved_systems
from integrationhub.store.unit_of_work import Reading, Store

Progress = Callable[[str, int, int], None]
"""Told of the source system, the files read, and all of its files."""


def silent(_system: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationDesk:
    """Compares kept originals with the store. `connectors`: source system → connector that takes its files."""

    store: Store
    open_original: Callable[[str], AbstractContextManager[BinaryIO]]
    connectors: Mapping[str, str]
    work_folder: Path
    synthetic_identities: bool

    def run(
        self, progress: Progress = silent, *, run_id: str | None = None, wave: str | None = None
    ) -> list[Reconciliation]:
        """Every book that has accepted files, compared whole; with `run_id` also what that run has moved (of a wave).

        Takes disk space in the work folder meanwhile. Conflict: there is no book. InvariantBroken: cases have moved
        whose book is none of these.
        """
        found = []
        self.work_folder.mkdir(parents=True, exist_ok=True)
        for system, connector in self.connectors.items():
            kept = self._kept(system, connector) if system in BOOKS else []
            if kept:
                with TemporaryDirectory(prefix="reconcile-", dir=self.work_folder) as folder:
                    found.append(self._compare(system, kept, Path(folder), progress, moved=(run_id, wave)))
        if not found:
            raise Conflict(
                "no book has been accepted yet", code="NO_BOOK",
                remedy="take the sources' files first: integrationhub ingest",
            )  # fmt: skip
        if run_id is not None:
            self._leave_nothing_out({book.system for book in found}, run_id, wave)
        return found

    def _leave_nothing_out(self, compared: set[str], run_id: str, wave: str | None) -> None:
        with self.store.read() as connection:
            left_out = moved_systems(connection, run_id, wave) - compared
        if left_out:
            raise InvariantBroken(
                f"cases of {', '.join(sorted(left_out))} have moved, and no book of it was compared",
                code="NOT_COMPARED",
                remedy="name the connectors of all its schemes in the plan",
            )  # fmt: skip

    def _compare(
        self,
        system: str,
        kept: list[KeptFile],
        folder: Path,
        progress: Progress,
        *,
        moved: tuple[str | None, str | None],
    ) -> Reconciliation:
        with Comparison(BOOKS[system], folder, synthetic_identities=self.synthetic_identities) as comparison:
            comparison.take_files(kept, lambda done: progress(system, done, len(kept)))
            with self.store.read() as connection:
                comparison.take_messages(self._messages(connection, self.connectors[system]))
                for entity in ENTITIES:
                    comparison.take_rows(entity, stored_rows(connection, entity))
                comparison.take_rows(CHANGES, stored_events(connection))
            found = comparison.run()
            run_id, wave = moved
            if run_id is None:
                return found
            with self.store.read() as connection:
                return replace(found, moves=comparison.moves(moved_accounts(connection, run_id, wave)))

    def _messages(self, connection: Reading, connector: str) -> Iterator[KeptMessage]:
        for message in Inbox(connection).kept(connector):
            yield KeptMessage(delivery_id=message.delivery_id, body=partial(self._body, message))

    def _body(self, message: Received) -> bytes:
        if message.body is not None:
            return message.body
        with self.open_original(message.sha256) as original:
            return original.read()

    def _kept(self, system: str, connector: str) -> list[KeptFile]:
        with self.store.begin() as work:
            deliveries = work.deliveries.all_accepted(connector)
            aside: defaultdict[str, set[str]] = defaultdict(set)
            if BOOKS[system].leaves_out:
                for delivery_id, group in work.worklist.groups_set_aside(connector):
                    aside[delivery_id].add(group)
        return list(self._files(deliveries, aside))

    def _files(self, deliveries: list[Delivery], aside: Mapping[str, set[str]]) -> Iterator[KeptFile]:
        for delivery in deliveries:
            if delivery.sequence is not None:
                yield KeptFile(
                    delivery_id=delivery.delivery_id,
                    sequence=delivery.sequence,
                    open=partial(self.open_original, delivery.sha256),
                    set_aside=frozenset(aside[delivery.delivery_id]) if delivery.delivery_id in aside else frozenset(),
                )
