"""Canonical rows of messages: upserted by their keys, few or many, without staging tables.

What a debt was before is read first, so that the change can be told.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, select

from integrationhub.canonical.model import ENTITIES
from integrationhub.errors import InvariantBroken
from integrationhub.store.bulk import among, insert_rows
from integrationhub.store.debts import CHANGED, CREATED, DESCRIBED, WATCHED
from integrationhub.store.replacing import PRESENCE
from integrationhub.store.schema import CANONICAL

DEBTS, BALANCES = CANONICAL["debts"], CANONICAL["balances"]


Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""Rows of an entity by column."""


def upsert(connection: Connection, rows: Mapping[str, Columns]) -> list[dict[str, Any]]:
    """See `store.merge.Canonical.upsert`."""
    changes = list(_changes(connection, rows))
    for name, entity in ENTITIES.items():
        columns = rows.get(name)
        if columns is None or not columns[entity.key]:
            continue
        if entity.append_only:
            raise InvariantBroken(f"{name}: messages can't change what is only ever added to", code="APPEND_ONLY")
        ordered = columns if entity.group_scoped else _by_key(columns, entity.key)
        insert_rows(connection, CANONICAL[name], ordered, conflict=_conflict(name))
    return changes


def _by_key(columns: Columns, key: str) -> Columns:
    """Rows that several messages share: everybody locks them in the order of their keys."""
    order = sorted(range(len(columns[key])), key=columns[key].__getitem__)
    return {name: [values[place] for place in order] for name, values in columns.items()}


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


def _changes(connection: Connection, rows: Mapping[str, Columns]) -> Iterator[dict[str, Any]]:
    """Changes (CHANGE_SCHEMA) of the debts that are new, or differ from what is stored."""
    debts = _by_debt(rows.get("debts"), (*DESCRIBED, "status", *WATCHED))
    balances = _by_debt(rows.get("balances"), ("debt_id", *_TOLD), kind="SOURCE")
    wanted = sorted(debts.keys() | balances.keys())
    if not wanted:
        return
    stored = {row.debt_id: row for row in connection.execute(_stored(connection, wanted))}
    for debt_id in wanted:
        change = _change(stored.get(debt_id), debts.get(debt_id), balances.get(debt_id))
        if change is not None:
            yield change


def _by_debt(columns: Columns | None, names: Sequence[str], *, kind: str | None = None) -> dict[str, dict[str, Any]]:
    if columns is None:
        return {}
    found = (dict(zip(names, row, strict=True)) for row in zip(*(columns[name] for name in names), strict=True))
    kinds = columns["kind"]
    return {row["debt_id"]: row for place, row in enumerate(found) if kind is None or kinds[place] == kind}


def _stored(connection: Connection, debt_ids: list[str]) -> Select[Any]:
    columns = [DEBTS.c[name] for name in dict.fromkeys((*DESCRIBED, "status", *WATCHED))]
    joined = DEBTS.outerjoin(BALANCES, and_(BALANCES.c.debt_id == DEBTS.c.debt_id, BALANCES.c.kind == "SOURCE"))
    statement = select(*columns, BALANCES.c.pence, BALANCES.c.suspended_pence).select_from(joined)
    return statement.where(among(connection, DEBTS.c.debt_id, debt_ids))


def _change(
    old: Row[Any] | None, debt: Mapping[str, Any] | None, balance: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    before = {} if old is None else old._asdict()
    if old is None and debt is None:  # a balance of nothing that is known
        return None
    now = {**before, **(debt or {})}
    pence = balance or before
    changed = [name for name in WATCHED if now.get(name) != before.get(name)]
    changed += [told for name, told in _TOLD.items() if pence.get(name) != before.get(name)]
    if old is not None and not changed:
        return None
    amounts = {f"{age}_{name}": row.get(name) for name in _TOLD for age, row in (("old", before), ("new", pence))}
    told = {"change": CREATED, "changed": []} if old is None else {"change": CHANGED, "changed": changed}
    return {**now, **amounts, **told}


_TOLD = {"pence": "balance_pence", "suspended_pence": "suspended_pence"}
