"""Messages of Universal Credit as rows: `Message` says what each is about, other tables what it says (§2 to §6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from integrationhub.decode.dataworks.envelope import Envelope, read_envelope
from integrationhub.decode.dataworks.payloads import PayloadTable
from integrationhub.decode.dataworks.record import Effect, Record, record_of
from integrationhub.decode.dataworks.sealed import FileKeys, opened
from integrationhub.sdk.keys import KeyProvider, installed
from integrationhub.sdk.transport import Incoming
from integrationhub.sdk.units import Options

MESSAGE = "Message"
_MESSAGE_COLUMNS = ("COLLECTION", "ID", "EFFECT", "VERSION", "VERSION-DEFAULTED", "CONTENT", "TROUBLE")

Rows = dict[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataworksReader:
    """A UnitReader. `payloads`: the table of each collection that is taken, of the one database that is."""

    database: str
    payloads: Mapping[str, PayloadTable]
    keys: KeyProvider

    @property
    def layout(self) -> Mapping[str, Mapping[str, pl.DataType]]:
        """See `UnitReader`."""
        found: dict[str, dict[str, pl.DataType]] = {MESSAGE: dict.fromkeys(_MESSAGE_COLUMNS, pl.String())}
        for table in self.payloads.values():
            found.update(table.schemas())
        return found

    def read(self, message: Incoming, body: Mapping[str, Any]) -> Rows:  # noqa: ARG002 - the contract's
        """See `UnitReader`."""
        envelope = read_envelope(body)
        table = self.payloads.get(envelope.collection)
        if table is None or envelope.database != self.database:
            return {MESSAGE: [_said(envelope, None, trouble="COLLECTION_NOT_TAKEN")]}
        record = record_of(opened(envelope.sealed, self.keys), envelope)
        if record.id is None:
            return {MESSAGE: [_said(envelope, record, trouble="ID_MISSING")]}
        if record.effect is Effect.DELETE:
            return {MESSAGE: [_said(envelope, record)]}
        rows = table.rows(record.payload)
        if rows is None:
            return {MESSAGE: [_said(envelope, record, trouble="PAYLOAD_INVALID")]}
        return {MESSAGE: [_said(envelope, record)], **rows}


def _said(envelope: Envelope, record: Record | None, *, trouble: str | None = None) -> dict[str, str | None]:
    """The row of a message. `trouble`: why there is no more to it; what follows from that, the judge says."""
    return {
        "COLLECTION": envelope.collection,
        "ID": None if record is None else record.id,
        "EFFECT": None if record is None else str(record.effect),
        "VERSION": envelope.version,
        "VERSION-DEFAULTED": str(envelope.is_version_defaulted).lower(),
        "CONTENT": None if record is None else record.content,
        "TROUBLE": trouble,
    }


def build(options: Options) -> DataworksReader:
    """The reader of the feed (`sdk.units`). ConfigurationError: its key provider is not installed."""
    values = options.values
    provider = values.get("key_provider")
    return DataworksReader(
        database=values["database"],
        payloads={name: PayloadTable.of(rules["table"], rules) for name, rules in values["payloads"].items()},
        keys=FileKeys(options.keys) if provider is None else installed(provider),
    )
