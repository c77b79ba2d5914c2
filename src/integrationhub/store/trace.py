"""Where a canonical row came from: the row, masked, with its delivery and its place in the original."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES
from integrationhub.store.deliveries import Deliveries, Delivery, Kind
from integrationhub.store.dialect import fetch_frame
from integrationhub.store.exports import masked
from integrationhub.store.schema import BY_SOURCE_REF, CANONICAL, CASE_EVENTS, DELIVERIES, OUTBOX

_IDENTIFIER = re.compile("[0-9a-f]{32}")
_LINE = re.compile(r"(?P<case>.+)/(?P<number>[0-9]{1,18})")  # 18 digits fit into 64 bits

_BY_LINE = ("ledger", "receipts")
"""Entities whose source reference is "case reference/line number"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRow:
    """A canonical row with the file or message it came in. Personal values are masked."""

    entity: str
    identifier: str
    values: Mapping[str, Any]
    delivery: Delivery | None


def by_any(connection: Connection, name: str) -> list[TracedRow]:
    """Rows with this opaque identifier, with or without hyphens, or else with this reference of the source."""
    return by_identifier(connection, name.replace("-", "")) or by_reference(connection, name)


def by_identifier(connection: Connection, identifier: str) -> list[TracedRow]:
    """The row with this opaque identifier, whatever entity it is of."""
    if not _IDENTIFIER.fullmatch(identifier):  # PostgreSQL would refuse the comparison
        return []
    found = []
    for name, entity in ENTITIES.items():
        found += _rows(connection, name, CANONICAL[name].c[entity.key] == identifier)
    return found


def by_reference(connection: Connection, reference: str) -> list[TracedRow]:
    """Rows with this reference of the source: parties, groups, cases and debts, or ledger lines as `case/line`."""
    found = []
    for name in BY_SOURCE_REF:
        found += _rows(connection, name, CANONICAL[name].c.source_ref == reference)
    line = _LINE.fullmatch(reference)
    if line:
        found += _lines(connection, line["case"], int(line["number"]))
    return found


def _lines(connection: Connection, case_ref: str, line_no: int) -> list[TracedRow]:
    cases = select(CANONICAL["cases"].c.case_id).where(CANONICAL["cases"].c.source_ref == case_ref)
    found = []
    for name in _BY_LINE:
        table = CANONICAL[name]
        found += _rows(connection, name, and_(table.c.case_id.in_(cases), table.c.line_no == line_no))
        # A second query, not an OR: each of the two goes through an index of its own.
        orphan = and_(table.c.case_id.is_(None), table.c.source_case_ref == case_ref)
        found += _rows(connection, name, and_(orphan, table.c.line_no == line_no))
    return found


def ledger_of(connection: Connection, debt_id: str, *, unmasked: bool = False) -> pl.DataFrame:
    """All entries of a debt by line and time; entries that take others back included."""
    entity, ledger, debts = ENTITIES["ledger"], CANONICAL["ledger"], CANONICAL["debts"]
    case = select(debts.c.case_id).where(debts.c.debt_id == debt_id)
    statement = (
        select(*ledger.columns)
        .where(ledger.c.case_id.in_(case), ledger.c.debt_id == debt_id)
        .order_by(ledger.c.line_no, ledger.c.version, ledger.c.entry_id)
    )
    frame = fetch_frame(connection, statement, schema(entity))
    return frame if unmasked else masked(entity, frame)


def loaded(connection: Connection, connector: str, kind: Kind) -> list[Delivery]:
    """Every accepted file of a connector in sequence order, or every message that was applied, as they came."""
    deliveries = Deliveries(connection)
    return deliveries.all_accepted(connector) if kind is Kind.FILE else deliveries.applied(connector)


def from_record(connection: Connection, delivery_id: str, record_no: int) -> list[TracedRow]:
    """Rows whose provenance is this record: those that it made and that nothing has changed since."""
    found = []
    for name, table in CANONICAL.items():
        condition = and_(table.c.delivery_id == delivery_id, table.c.record_no == record_no)
        found += _rows(connection, name, condition)
    return found


def _rows(connection: Connection, name: str, condition: ColumnElement[bool]) -> list[TracedRow]:
    entity, table = ENTITIES[name], CANONICAL[name]
    statement = select(*table.columns).where(condition).order_by(table.c[entity.key])
    rows = masked(entity, fetch_frame(connection, statement, schema(entity))).to_dicts()
    deliveries = Deliveries(connection)
    return [
        TracedRow(entity=name, identifier=row[entity.key], values=row, delivery=deliveries.get(row["delivery_id"]))
        for row in rows
    ]


def of_debt(connection: Connection, debt_id: str) -> list[TracedRow]:
    """What belongs to a debt beside its own row: its balances."""
    return _rows(connection, "balances", CANONICAL["balances"].c.debt_id == debt_id)


def events_of(connection: Connection, subject: str) -> list[dict[str, Any]]:
    """The events about a subject, in their order, and when each was published."""
    return _events_where(connection, OUTBOX.c.subject == subject)


def _events_where(connection: Connection, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    columns = (OUTBOX.c.event_id, OUTBOX.c.type, OUTBOX.c.audience, OUTBOX.c.sequence, OUTBOX.c.published_at)
    statement = select(*columns).where(condition).order_by(OUTBOX.c.position)
    return [row._asdict() for row in connection.execute(statement)]


def messages(connection: Connection, name: str) -> list[dict[str, Any]]:
    """The messages with this delivery id, or else with this message id: where each came from, what became of it, the
    rows that it made last, the event of a case that it is, and what was published because of it.
    """
    chosen = DELIVERIES.c.message_id == name
    if _IDENTIFIER.fullmatch(name.replace("-", "")):
        chosen = or_(chosen, DELIVERIES.c.delivery_id == name.replace("-", ""))
    columns = [DELIVERIES.c[column] for column in _MESSAGE]
    statement = select(*columns, DELIVERIES.c.envelope).where(DELIVERIES.c.message_id.is_not(None), chosen)
    found = []
    for row in connection.execute(statement.order_by(DELIVERIES.c.received_at, DELIVERIES.c.delivery_id)):
        message = row._asdict()
        envelope = message.pop("envelope")
        message |= {name: envelope[name] for name in ("exchange", "routing_key", "content_type")}
        message["rows"] = list(_rows_of(connection, row.delivery_id))
        message["case_events"] = _case_events_of(connection, row.delivery_id)
        message["events"] = _events_where(connection, OUTBOX.c.correlation_id == row.delivery_id)
        found.append(message)
    return found


_MESSAGE = (
    "delivery_id", "message_id", "connector", "outcome", "reasons", "received_at", "sha256", "bytes", "entity_id",
    "sequence", "original_uri",
)  # fmt: skip


def _rows_of(connection: Connection, delivery_id: str) -> Iterator[dict[str, str]]:
    for name, entity in ENTITIES.items():
        table = CANONICAL[name]
        statement = select(table.c[entity.key]).where(table.c.delivery_id == delivery_id).order_by(table.c[entity.key])
        yield from ({"entity": name, "identifier": key} for key in connection.execute(statement).scalars())


def _case_events_of(connection: Connection, delivery_id: str) -> list[dict[str, Any]]:
    columns = (CASE_EVENTS.c.case_id, CASE_EVENTS.c.case_seq, CASE_EVENTS.c.kind)
    statement = select(*columns).where(CASE_EVENTS.c.delivery_id == delivery_id)
    return [row._asdict() for row in connection.execute(statement)]
