"""Proof that every ledger entry still carries the seals it was entered with."""

from collections.abc import Iterator

import polars as pl
from sqlalchemy import Connection, select

from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES
from integrationhub.store import seal
from integrationhub.store.schema import CANONICAL

_ROWS_AT_ONCE = 20_000
_MOST_REPEATED = 16  # identical lines of one case that are told apart before giving up


def broken_seals(connection: Connection) -> Iterator[str]:
    """Identifiers of entries whose content or origin is not what it was."""
    ledger, shape = CANONICAL["ledger"], schema(ENTITIES["ledger"])
    rows = connection.execute(select(*ledger.columns), execution_options={"yield_per": _ROWS_AT_ONCE})
    for part in rows.partitions():
        frame = pl.DataFrame([tuple(row) for row in part], schema=shape, orient="row")
        yield from _altered_entries(frame.filter(pl.col("cancels_entry_id").is_null()))
        yield from _altered_cancellations(frame.filter(pl.col("cancels_entry_id").is_not_null()))


def _altered_entries(entries: pl.DataFrame) -> Iterator[str]:
    origin_kept = entries["entry_id"] == seal.entry_ids(entries)
    yield from entries.filter(~origin_kept)["entry_id"]
    suspects = entries.filter(origin_kept)
    for occurrence in range(1, _MOST_REPEATED + 1):
        suspects = suspects.filter(suspects["digest"] != seal.digests(suspects, occurrence=occurrence))
        if suspects.is_empty():
            return
    yield from suspects["entry_id"]


def _altered_cancellations(entries: pl.DataFrame) -> Iterator[str]:
    yield from entries.filter(entries["entry_id"] != seal.cancelling_ids(entries))["entry_id"]
