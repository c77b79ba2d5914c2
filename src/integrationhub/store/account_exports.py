"""Benefit debts and money in the exports, in the columns that child support has there."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from integrationhub.canonical.frames import schema
from integrationhub.canonical.model import ENTITIES
from integrationhub.store.account_tables import MONEY
from integrationhub.store.shelf import DEBT_COLUMNS, debt_of
from integrationhub.store.state import account_rows

ROWS_AT_ONCE = 10_000
BENEFIT = "BENEFIT"

MONEY_SCHEMA: Mapping[str, pl.DataType] = {
    "receipt_id": pl.String(),
    "source": pl.String(),
    "amount_pence": pl.Int64(),
    "reversed_pence": pl.Int64(),
    "value_date": pl.Date(),
    "debt_ref": pl.String(),
    "case_ref": pl.String(),
    "suspense_reason": pl.String(),
    "delivery_id": pl.String(),
    "record_no": pl.Int64(),
    "mapping_id": pl.String(),
}
"""Columns of `export money`: receipts by where they came from, in the order of posting."""


def debt_frames(connection: Connection, shape: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    """Benefit debts in the shape of `export debts`; nothing where there are none."""
    rows = account_rows(connection)
    while part := list(islice(rows, ROWS_AT_ONCE)):
        yield pl.DataFrame([_debt(row, since) for row, since in part], schema=dict(shape), strict=False)


def _debt(row: Sequence[Any], since: int) -> dict[str, Any]:
    debt = debt_of(row[: len(DEBT_COLUMNS)])
    balance = debt.source_balance_pence - since
    return {
        "debt_id": debt.ref,
        "scheme": BENEFIT,
        "host_system": debt.source_system,
        "source_system": debt.source_system,
        "source_ref": debt.ref,
        "application_ref": debt.source_id,
        "legal_owner": "SECRETARY_OF_STATE",
        "kind": debt.kind,
        "cause": debt.cause or "NOT_APPLICABLE",
        "status": debt.status,
        "source_pence": debt.source_balance_pence,
        "recomputed_pence": balance,
        "accepted_pence": balance,
        "accepted_basis": "SOURCE",
        "causes": [],
        "exceptions": [],
        "as_at": debt.as_at,
    }


def receipt_frames(connection: Connection) -> Iterator[pl.DataFrame]:
    """Money in the shape of `export receipts`; nothing where there is none."""
    shape = schema(ENTITIES["receipts"])
    for rows in _money(connection):
        yield pl.DataFrame([_receipt(row) for row in rows], schema=shape)


def _receipt(row: Any) -> dict[str, Any]:  # noqa: ANN401 – a row of the table
    waits = row.debt_ref is None and row.case_ref is None
    return {
        "receipt_id": row.receipt_id,
        "source_case_ref": row.debt_ref or row.case_ref,
        "pence": row.amount_pence,
        "value_date": row.value_date,
        "bank_status": "CLEARED" if row.reversed_pence < row.amount_pence else "DISHONOURED",
        "custody": "HELD" if waits else "PAID",
        "source_system": row.source,
        "source_ref": row.receipt_id,
        "delivery_id": row.delivery_id,
        "record_no": row.record_no,
        "byte_offset": row.byte_offset,
        "mapping_id": row.mapping_id,
        "version": row.position,
    }


def money_frames(connection: Connection) -> Iterator[pl.DataFrame]:
    """Receipts of benefit feeds, in the order of posting."""
    empty = True
    for rows in _money(connection):
        empty = False
        told = [{**row._mapping, "suspense_reason": row.reason} for row in rows]
        yield pl.DataFrame([{name: row[name] for name in MONEY_SCHEMA} for row in told], schema=dict(MONEY_SCHEMA))
    if empty:
        yield pl.DataFrame(schema=dict(MONEY_SCHEMA))


def _money(connection: Connection) -> Iterator[Sequence[Any]]:
    statement = select(MONEY).order_by(MONEY.c.position)
    yield from connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE}).partitions()
