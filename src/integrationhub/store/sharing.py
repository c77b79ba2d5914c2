"""What other services read of child maintenance debts: pages of rows by their keys, never by counting off.

Benefit debts are read by `store.sharing_accounts`, with rows of the same shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from integrationhub.store.schema import CANONICAL, DELIVERIES

_DEBTS, _BALANCES, _LEDGER = CANONICAL["debts"], CANONICAL["balances"], CANONICAL["ledger"]
_DEBT_COLUMNS = (
    "debt_id", "source_ref", "source_system", "host_system", "scheme", "kind", "cause", "legal_owner", "status",
    "as_at",
)  # fmt: skip
FILTERS = ("source_system", "status", "kind", "scheme")
"""Fields of a debt that a list may be narrowed by."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a canonical row came from."""

    source_system: str
    delivery_id: str
    record: int
    byte_offset: int
    mapping_id: str
    connector: str | None
    file: str | None
    sha256: str | None


def debts(connection: Connection, *, after: str | None, limit: int, where: Mapping[str, str]) -> list[Row]:
    """Up to `limit` debts behind the identifier `after`, by identifier; `where`: FILTERS → value."""
    statement = _debt_rows().order_by(_DEBTS.c.debt_id).limit(limit)
    if after is not None:
        statement = statement.where(_DEBTS.c.debt_id > after)
    for name, value in where.items():
        statement = statement.where(_DEBTS.c[name] == value)
    return _rows(connection, statement)


def debt(connection: Connection, debt_id: str) -> Row | None:
    """The debt with this identifier."""
    return next(iter(_rows(connection, _debt_rows().where(_DEBTS.c.debt_id == debt_id))), None)


def balances(connection: Connection, debt_id: str) -> list[Row]:
    """What somebody says the debt amounts to: one row a kind."""
    columns = (_BALANCES.c.kind, _BALANCES.c.pence, _BALANCES.c.suspended_pence, _BALANCES.c.as_at)
    return _rows(connection, select(*columns).where(_BALANCES.c.debt_id == debt_id).order_by(_BALANCES.c.kind))


def entries(connection: Connection, debt_id: str, *, after: tuple[int, str] | None, limit: int) -> list[Row]:
    """Up to `limit` ledger entries of a debt behind (line number, identifier), in that order."""
    names = ("entry_id", "line_no", "kind", "owner", "pence", "suspended_pence", "posted", "effective", "reason")
    columns = [_LEDGER.c[name] for name in (*names, "reverses_line", "cancels_entry_id")]
    case = select(_DEBTS.c.case_id).where(_DEBTS.c.debt_id == debt_id)
    statement = select(*columns).where(_LEDGER.c.case_id.in_(case), _LEDGER.c.debt_id == debt_id)
    if after is not None:
        line, entry = after
        behind = and_(_LEDGER.c.line_no == line, _LEDGER.c.entry_id > entry)
        statement = statement.where(or_(_LEDGER.c.line_no > line, behind))
    return _rows(connection, statement.order_by(_LEDGER.c.line_no, _LEDGER.c.entry_id).limit(limit))


def place_of(connection: Connection, debt_id: str) -> Place | None:
    """Where the debt's row came from."""
    columns = [_DEBTS.c[name] for name in ("source_system", "delivery_id", "mapping_id", "byte_offset")]
    origin = (DELIVERIES.c.connector, DELIVERIES.c.name.label("file"), DELIVERIES.c.sha256)
    joined = _DEBTS.outerjoin(DELIVERIES, DELIVERIES.c.delivery_id == _DEBTS.c.delivery_id)
    statement = select(*columns, _DEBTS.c.record_no.label("record"), *origin).select_from(joined)
    rows = _rows(connection, statement.where(_DEBTS.c.debt_id == debt_id))
    return Place(**rows[0]) if rows else None


def _debt_rows() -> Select[Any]:
    return select(*(_DEBTS.c[name] for name in _DEBT_COLUMNS))


def _rows(connection: Connection, statement: Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]
