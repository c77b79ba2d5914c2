"""A shipped feed of messages over a book: what it says to a body, from the bytes to the verdict."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.catalogue import Catalogue
from integrationhub.decode.json_body import read_body
from integrationhub.errors import RecordRejected
from integrationhub.intake.builders import layout_for
from integrationhub.intake.units import registry
from integrationhub.intake.units.rows import Arrived, frames_of, units_of
from integrationhub.mapping.compile import Mapping as Specs
from integrationhub.mapping.compile import MappingContext
from integrationhub.records import DecodedBatch
from integrationhub.sdk.transport import Incoming

NOON = datetime(2026, 3, 23, 12, 0, tzinfo=UTC)


class Messages:
    """The messages of one connector."""

    def __init__(self, connector: str, *, keys_file: Path | None = None) -> None:
        catalogue = Catalogue.standard()
        self.descriptor = catalogue.connector(connector)
        self.options = registry.options_of(self.descriptor, synthetic_identities=True, keys_file=keys_file)
        rules = registry.rules_of(self.descriptor)
        self.judge = registry.judge(rules.judge, self.options)
        self.reader = registry.reader(rules.reader or "", self.options)
        self.mapping = Specs.of_folder(catalogue.mapping(connector)).compile(layout_for(self.descriptor))

    def unit(self, body: Mapping[str, Any] | bytes, *, at: datetime = NOON) -> Unit:
        """The unit of a body. RecordRejected: it is unusable."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        message = Incoming(
            tag=0, queue="", exchange="", routing_key="", message_id=None, body=raw, content_type="application/json"
        )
        rows = self.reader.read(message, read_body(raw, largest=1 << 20))
        layout = layout_for(self.descriptor)
        tables = {
            table: pl.DataFrame([{"_record": 1, "_offset": 0, **row} for row in found], dict(layout[table])).to_arrow()
            for table, found in rows.items()
        }
        context = MappingContext(
            delivery_id="d", sequence=0, as_at=at.date(), source_system="T", synthetic_identities=True
        )
        batch = self.mapping.apply(DecodedBatch(tables=tables), context)
        arrived = Arrived(feed=self.descriptor.name, delivery_id="d", at=at, as_at=None)
        (unit,) = units_of(frames_of(batch), arrived)
        return unit

    def take(self, body: Mapping[str, Any] | bytes, book: Book, *, at: datetime = NOON) -> Verdict:
        """The verdict on a body."""
        try:
            unit = self.unit(body, at=at)
        except RecordRejected as exc:
            return Verdict.rejected(exc.code)
        self.judge.wants(unit)
        return self.judge.judge(unit, book)


def said(verdict: Verdict) -> str:
    """A verdict in short: EXCEPTION KEY_CONFLICT."""
    return f"{verdict.fate} {verdict.reason or ''}".strip()
