"""A hub with accepted files, and its reconciliation; faults are planted into the rows that it is shown."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from integrationhub.bootstrap import Hub
from integrationhub.canonical.model import ENTITIES
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.migration.reconcile.books import BOOKS
from integrationhub.migration.reconcile.engine import CHANGES, Comparison, KeptFile, KeptMessage, Reconciliation
from integrationhub.receive.folder import find_files
from integrationhub.store.case_events import stored_events
from integrationhub.store.exports import stored_rows

Rows = Mapping[str, pl.DataFrame]
Fault = Callable[[pl.DataFrame], pl.DataFrame]


@contextmanager
def hub_with(folder: Path, files: Mapping[str, list[Path]], url: str | None = None) -> Iterator[Hub]:
    """A hub that has taken these files: connector → paths."""
    settings = Settings(data_dir=folder, synthetic_identities=True, **({"database_url": url} if url else {}))
    with Hub(settings, Catalogue.standard(), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as hub:
        for connector, paths in files.items():
            pipeline = hub.pipeline(connector)
            reports = pipeline.take_all(
                find_files(paths, pipeline.descriptor.delivery), lambda _file: lambda _done, _all: None
            )
            assert {report.verdict.value for report in reports} == {"ACCEPTED"}
        yield hub


def rows_of(hub: Hub) -> Rows:
    """Everything that the hub holds."""
    with hub.store.read() as connection:
        entities = {entity: pl.concat(stored_rows(connection, entity)) for entity in ENTITIES}
        return {**entities, CHANGES: pl.concat(stored_events(connection))}


def reconcile(hub: Hub, system: str, folder: Path, rows: Rows, accounts: pl.DataFrame | None = None) -> Reconciliation:
    """The kept files and messages of one book against rows that are given, and against accounts that have moved."""
    connector = hub.reconciliation().connectors[system]
    with hub.store.begin() as work:
        accepted = work.deliveries.all_accepted(connector)
        messages = list(work.inbox.kept(connector))
    kept = [
        KeptFile(
            delivery_id=item.delivery_id, sequence=item.sequence or 0, open=partial(hub.originals.open, item.sha256)
        )
        for item in accepted
    ]
    with Comparison(BOOKS[system], folder, synthetic_identities=True) as comparison:
        comparison.take_files(kept)
        comparison.take_messages(
            KeptMessage(delivery_id=item.delivery_id, body=lambda body=item.body: body or b"")  # type: ignore[misc]
            for item in messages
        )
        for entity, frame in rows.items():
            comparison.take_rows(entity, [frame])
        found = comparison.run()
        return found if accounts is None else replace(found, moves=comparison.moves([accounts]))
