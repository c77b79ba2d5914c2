"""What other services read of benefit debts, in rows of the shape that `store.sharing` gives of the others.

A benefit debt is known by its reference. Its ledger is what its source states, as opening entries as at its date, and
what the hub has received and taken back since (debt-manager.md §5, benefits-common.md §10).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from integrationhub.canonical.identifiers import derive
from integrationhub.store.account_tables import ACCOUNTS, MONEY, MONEY_BACK
from integrationhub.store.schema import DELIVERIES
from integrationhub.store.sharing import Place, Row

_OPENING = (("OPENING", "original_pence", 1), ("ADJUSTMENT", "adjusted_pence", 1), ("RECEIPT", "recovered_pence", -1),
            ("WRITE_OFF", "written_off_pence", -1))  # fmt: skip
_FILTERS = {"source_system": ACCOUNTS.c.source_system, "status": ACCOUNTS.c.status, "kind": ACCOUNTS.c.kind}


def debts(connection: Connection, *, after: str | None, limit: int, where: Mapping[str, str]) -> list[Row]:
    """Up to `limit` debts behind the reference `after`, by reference."""
    if where.get("scheme", "BENEFIT") != "BENEFIT":
        return []
    statement = select(ACCOUNTS).order_by(ACCOUNTS.c.ref).limit(limit)
    if after is not None:
        statement = statement.where(ACCOUNTS.c.ref > after)
    for name, value in where.items():
        if name in _FILTERS:
            statement = statement.where(_FILTERS[name] == value)
    return [_row(dict(row)) for row in connection.execute(statement).mappings()]


def debt(connection: Connection, ref: str) -> Row | None:
    """The debt with this reference."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.ref == ref)).mappings().first()
    return None if row is None else _row(dict(row))


def balances(connection: Connection, ref: str) -> list[Row]:
    """What the source says, and what is owed by now: less what came in behind the source's date."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.ref == ref)).mappings().one()
    moves = list(_moves(connection, ref, row["as_at"]))
    now = row["source_balance_pence"] + sum(move["pence"] for move in moves)
    latest = max((move["effective"] for move in moves), default=row["as_at"])
    shared = {"suspended_pence": 0}
    return [
        {"kind": "CURRENT", "pence": now, "as_at": latest, **shared},
        {"kind": "SOURCE", "pence": row["source_balance_pence"], "as_at": row["as_at"], **shared},
    ]


def entries(connection: Connection, ref: str, *, after: tuple[int, str] | None, limit: int) -> list[Row]:
    """Up to `limit` entries behind (line number, identifier): the source's opening ones, then money by its order."""
    row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.ref == ref)).mappings().one()
    told = [*_opening(dict(row)), *_moves(connection, ref, row["as_at"])]
    lines: list[Row] = [{**entry, "line_no": number} for number, entry in enumerate(told, start=1)]
    return [line for line in lines if after is None or (line["line_no"], line["entry_id"]) > after][:limit]


def place_of(connection: Connection, ref: str) -> Place | None:
    """Where the debt's row came from."""
    origin = (DELIVERIES.c.connector, DELIVERIES.c.name.label("file"), DELIVERIES.c.sha256)
    columns = [ACCOUNTS.c[name] for name in ("source_system", "delivery_id", "mapping_id", "byte_offset")]
    joined = ACCOUNTS.outerjoin(DELIVERIES, DELIVERIES.c.delivery_id == ACCOUNTS.c.delivery_id)
    statement = select(*columns, ACCOUNTS.c.record_no.label("record"), *origin).select_from(joined)
    row = connection.execute(statement.where(ACCOUNTS.c.ref == ref)).mappings().first()
    return None if row is None else Place(**row)


def _row(row: Mapping[str, Any]) -> Row:
    own = {name: row[name] for name in ("source_system", "kind", "cause", "status", "as_at")}
    ref = row["ref"]
    return {
        **own, "debt_id": ref, "source_ref": ref, "host_system": row["source_system"], "scheme": "BENEFIT",
        "legal_owner": "SECRETARY_OF_STATE",
    }  # fmt: skip


def _opening(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for kind, column, sign in _OPENING:
        if row[column]:
            identifier = derive("entry", row["ref"], row["version"], column)
            yield _entry(identifier, kind, sign * row[column], row["as_at"])


def _moves(connection: Connection, ref: str, as_at: date) -> Iterator[dict[str, Any]]:
    """Receipts behind the source's date, each followed by what was taken back of it."""
    mine = (MONEY.c.debt_ref == ref) & (MONEY.c.value_date > as_at)
    receipts = connection.execute(select(MONEY).where(mine).order_by(MONEY.c.position)).mappings().all()
    joined = MONEY_BACK.join(MONEY, MONEY.c.receipt_id == MONEY_BACK.c.receipt_id)
    statement = select(MONEY_BACK).select_from(joined).where(mine).order_by(MONEY_BACK.c.position)
    taken = connection.execute(statement).mappings().all()
    for row in receipts:
        yield _entry(row["receipt_id"], "RECEIPT", -row["amount_pence"], row["value_date"])
        for back in (item for item in taken if item["receipt_id"] == row["receipt_id"]):
            identifier = derive("entry", back["source"], back["key"])
            yield _entry(identifier, "REVERSAL", -back["amount_pence"], back["value_date"], back["reason"])


def _entry(identifier: str, kind: str, pence: int, day: date, reason: str | None = None) -> dict[str, Any]:
    return {
        "entry_id": identifier, "kind": kind, "owner": "SECRETARY_OF_STATE", "pence": pence, "suspended_pence": 0,
        "posted": None, "effective": day, "reason": reason, "reverses_line": None, "cancels_entry_id": None,
    }  # fmt: skip
