"""Canonical rows of messages: upserted by their keys, few or many, without staging tables.

What a debt was before is read first, so that the change can be told.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import polars as pl
from sqlalchemy import Connection, Row, Select, and_, select

from integrationhub.canonical.model import ENTITIES
from integrationhub.errors import InvariantBroken
from integrationhub.store.bulk import among, insert_rows
from integrationhub.store.debts import CHANGE_SCHEMA, CHANGED, CREATED, DESCRIBED, WATCHED, no_changes
from integrationhub.store.replacing import PRESENCE
from integrationhub.store.schema import CANONICAL

DEBTS, BALANCES = CANONICAL["debts"], CANONICAL["balances"]


def upsert(connection: Connection, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """See `store.merge.Canonical.upsert`."""
    changes = list(_changes(connection, rows))
    for name, entity in ENTITIES.items():
        frame = rows.get(name)
        if frame is None or frame.is_empty():
            continue
        if entity.append_only:
            raise InvariantBroken(f"{name}: messages can't change what is only ever added to", code="APPEND_ONLY")
        ordered = frame if entity.group_scoped else frame.sort(entity.key)  # shared rows: all lock in one order
        columns = {column: ordered[column].to_list() for column in entity.names()}
        insert_rows(connection, CANONICAL[name], columns, conflict=_conflict(name))
    return pl.DataFrame(changes, schema=dict(CHANGE_SCHEMA), orient="row") if changes else no_changes()


@cache
def _conflict(name: str) -> str:
    """Bring the stored row up to the new one; where only its version differs, only if the entity keeps count of it."""
    entity = ENTITIES[name]
    changes = ", ".join(f'"{column}" = excluded."{column}"' for column in entity.names() if column != entity.key)
    clause = f"ON CONFLICT ({entity.key}) DO UPDATE SET {changes}"
    if name in PRESENCE:
        return clause
    fields = [item.name for item in entity.fields]
    stored = ", ".join(f'{name}."{field}"' for field in fields)
    given = ", ".join(f'excluded."{field}"' for field in fields)
    return f"{clause} WHERE ({stored}) IS DISTINCT FROM ({given})"


def _changes(connection: Connection, rows: Mapping[str, pl.DataFrame]) -> Iterator[tuple[object, ...]]:
    """Rows of CHANGE_SCHEMA for the debts that are new, or differ from what is stored."""
    debts = _by_debt(rows.get("debts"))
    balances = _by_debt(rows.get("balances"), kind="SOURCE")
    wanted = sorted(debts.keys() | balances.keys())
    if not wanted:
        return
    stored = {row.debt_id: row for row in connection.execute(_stored(connection, wanted))}
    for debt_id in wanted:
        change = _change(stored.get(debt_id), debts.get(debt_id), balances.get(debt_id))
        if change is not None:
            yield change


def _by_debt(frame: pl.DataFrame | None, *, kind: str | None = None) -> dict[str, dict[str, Any]]:
    if frame is None:
        return {}
    return {row["debt_id"]: row for row in frame.iter_rows(named=True) if kind is None or row["kind"] == kind}


def _stored(connection: Connection, debt_ids: list[str]) -> Select[Any]:
    columns = [DEBTS.c[name] for name in dict.fromkeys((*DESCRIBED, "status", *WATCHED))]
    joined = DEBTS.outerjoin(BALANCES, and_(BALANCES.c.debt_id == DEBTS.c.debt_id, BALANCES.c.kind == "SOURCE"))
    statement = select(*columns, BALANCES.c.pence, BALANCES.c.suspended_pence).select_from(joined)
    return statement.where(among(connection, DEBTS.c.debt_id, debt_ids))


def _change(
    old: Row[Any] | None, debt: Mapping[str, Any] | None, balance: Mapping[str, Any] | None
) -> tuple[object, ...] | None:
    before = {} if old is None else old._asdict()
    if old is None and debt is None:  # a balance of nothing that is known
        return None
    now = {**before, **(debt or {})}
    pence = {name: (balance or before).get(name) for name in ("pence", "suspended_pence")}
    changed = [name for name in WATCHED if now.get(name) != before.get(name)]
    changed += [_TOLD[name] for name, value in pence.items() if value != before.get(name)]
    if old is not None and not changed:
        return None
    amounts = (before.get("pence"), pence["pence"], before.get("suspended_pence"), pence["suspended_pence"])
    told = (CREATED, []) if old is None else (CHANGED, changed)
    return (*(now[name] for name in DESCRIBED), now["status"], *amounts, *told)


_TOLD = {"pence": "balance_pence", "suspended_pence": "suspended_pence"}
