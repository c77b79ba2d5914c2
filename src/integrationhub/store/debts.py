"""Which debts a delivery creates, changes and removes: found before anything is written, for the events and totals."""

from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.expression import FromClause

from integrationhub.store.dialect import fetch_frame
from integrationhub.store.schema import CANONICAL
from integrationhub.store.staging import ENTITY_STAGES, ORIGIN

DEBTS, BALANCES = CANONICAL["debts"], CANONICAL["balances"]
_NEW_DEBTS, _NEW_BALANCES = ENTITY_STAGES["debts"], ENTITY_STAGES["balances"]

CREATED, CHANGED, REMOVED = "CREATED", "CHANGED", "REMOVED"

_WATCHED = ("group_id", "host_system", "payee_role", "legal_owner", "kind", "cause", "status", "opened")
"""Columns whose change makes a debt a changed one; its as-at date alone does not."""

_WATCHED_BALANCE = {"pence": "balance_pence", "suspended_pence": "suspended_pence"}
"""The same for its source balance: column, and the name that `changed` gives it."""

_DESCRIBED = ("debt_id", "case_id", "group_id", "source_system", "source_ref", "scheme", "legal_owner", "kind", "cause")

CHANGE_SCHEMA: Mapping[str, pl.DataType] = {
    **dict.fromkeys(_DESCRIBED, pl.String()),
    "status": pl.String(),
    "change": pl.String(),  # CREATED, CHANGED, REMOVED
    "old_pence": pl.Int64(),  # source balances; null where there is none
    "new_pence": pl.Int64(),
    "old_suspended_pence": pl.Int64(),
    "new_suspended_pence": pl.Int64(),
    "changed": pl.List(pl.String()),  # names of the fields that differ, no values
}
"""Columns of a frame of debt changes, one row a debt, ordered by debt_id."""


def no_changes() -> pl.DataFrame:
    """An empty frame of changes."""
    return pl.DataFrame(schema=dict(CHANGE_SCHEMA))


def _source(balances: Table) -> ColumnElement[bool]:
    return balances.c.kind == "SOURCE"


def staged_changes(connection: Connection) -> pl.DataFrame:
    """Staged debts that are new, or differ from what is stored."""
    flags = {name: _NEW_DEBTS.c[name].is_distinct_from(DEBTS.c[name]) for name in _WATCHED}
    for column, name in _WATCHED_BALANCE.items():
        flags[name] = _NEW_BALANCES.c[column].is_distinct_from(BALANCES.c[column])
    is_new = DEBTS.c.debt_id.is_(None)
    statement = (
        select(
            *(_NEW_DEBTS.c[name] for name in _DESCRIBED),
            _NEW_DEBTS.c.status,
            is_new.label("is_new"),
            *_balances(BALANCES, _NEW_BALANCES),
            *(flag.label(f"differs_{name}") for name, flag in flags.items()),
        )
        .select_from(_old_and_new())
        .where(or_(is_new, *flags.values()))
        .order_by(_NEW_DEBTS.c.debt_id)
    )
    found = fetch_frame(connection, statement, _schema_with_flags(list(flags)))
    return _named(found, list(flags))


def _old_and_new() -> FromClause:
    new = _NEW_DEBTS.outerjoin(
        _NEW_BALANCES, and_(_NEW_BALANCES.c.debt_id == _NEW_DEBTS.c.debt_id, _source(_NEW_BALANCES))
    )
    old = new.outerjoin(DEBTS, DEBTS.c.debt_id == _NEW_DEBTS.c.debt_id)
    return old.outerjoin(BALANCES, and_(BALANCES.c.debt_id == _NEW_DEBTS.c.debt_id, _source(BALANCES)))


def _balances(old: Table, new: Table | None) -> list[ColumnElement[Any]]:
    nothing = literal(None, old.c.pence.type)
    return [
        old.c.pence.label("old_pence"),
        (nothing if new is None else new.c.pence).label("new_pence"),
        old.c.suspended_pence.label("old_suspended_pence"),
        (nothing if new is None else new.c.suspended_pence).label("new_suspended_pence"),
    ]


def _schema_with_flags(flags: list[str]) -> dict[str, pl.DataType]:
    plain = {name: kind for name, kind in CHANGE_SCHEMA.items() if name not in ("change", "changed")}
    names = list(plain)
    where = names.index("status") + 1
    ordered = {name: plain[name] for name in names[:where]}
    ordered["is_new"] = pl.Boolean()
    ordered |= {name: plain[name] for name in names[where:]}
    return ordered | dict.fromkeys((f"differs_{name}" for name in flags), pl.Boolean())


def _named(found: pl.DataFrame, flags: list[str]) -> pl.DataFrame:
    is_new = pl.col("is_new")
    names = pl.concat_list([pl.when(pl.col(f"differs_{name}")).then(pl.lit(name)) for name in flags]).list.drop_nulls()
    return found.with_columns(
        pl.when(is_new).then(pl.lit(CREATED)).otherwise(pl.lit(CHANGED)).alias("change"),
        pl.when(is_new).then(pl.lit([], dtype=pl.List(pl.String))).otherwise(names).alias("changed"),
    ).select(*CHANGE_SCHEMA)


def _left_out(cases: Table) -> ColumnElement[bool]:
    stored = DEBTS.alias("stored")
    of_cases = select(stored.c.debt_id).where(stored.c.case_id.in_(select(cases.c.case_id)), stored.c.status != REMOVED)
    return DEBTS.c.debt_id.in_(of_cases.except_(select(_NEW_DEBTS.c.debt_id)))


def left_out(connection: Connection, cases: Table) -> pl.DataFrame:
    """Debts of these cases that are stored, not yet removed, and not staged."""
    joined = DEBTS.outerjoin(BALANCES, and_(BALANCES.c.debt_id == DEBTS.c.debt_id, _source(BALANCES)))
    statement: Select[Any] = (
        select(
            *(DEBTS.c[name] for name in _DESCRIBED),
            literal(REMOVED),
            literal(REMOVED),
            *_balances(BALANCES, None),
            null(),
        )
        .select_from(joined)
        .where(_left_out(cases))
        .order_by(DEBTS.c.debt_id)
    )
    found = fetch_frame(connection, statement, {**CHANGE_SCHEMA, "changed": pl.Null()})
    return found.with_columns(pl.lit(["status"], dtype=pl.List(pl.String)).alias("changed"))


def remove_left_out(connection: Connection, cases: Table) -> None:
    """Mark the debts that `left_out` gives as REMOVED by the record in `cases`, and drop their source balances."""
    values = {"status": REMOVED, **{name: cases.c[name] for name in ("group_id", *ORIGIN)}}
    connection.execute(update(DEBTS).where(_left_out(cases), DEBTS.c.case_id == cases.c.case_id).values(**values))
    removed = select(DEBTS.c.debt_id).where(DEBTS.c.case_id.in_(select(cases.c.case_id)), DEBTS.c.status == REMOVED)
    connection.execute(delete(BALANCES).where(_source(BALANCES), BALANCES.c.debt_id.in_(removed)))
