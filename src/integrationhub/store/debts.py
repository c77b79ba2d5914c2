"""Which debts a delivery creates, changes and removes: found before anything is written, for the events and totals."""

from collections.abc import Mapping
from functools import cache
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

# In conditions these stand in the statement itself: planned for any value, "not REMOVED" of a column that holds nothing
# but ACTIVE counts as no row at all, and PostgreSQL goes through all debts for every case.
_REMOVED, _SOURCE = literal(REMOVED, literal_execute=True), literal("SOURCE", literal_execute=True)

WATCHED = ("group_id", "host_system", "payee_role", "legal_owner", "kind", "cause", "status", "opened")
"""Columns whose change makes a debt a changed one; its as-at date alone does not."""

_WATCHED_BALANCE = {"pence": "balance_pence", "suspended_pence": "suspended_pence"}
"""The same for its source balance: column, and the name that `changed` gives it."""

DESCRIBED = ("debt_id", "case_id", "group_id", "source_system", "source_ref", "scheme", "legal_owner", "kind", "cause")
"""Columns of a debt that a change tells as they are."""

_STORED_SCHEMA: Mapping[str, pl.DataType] = {
    **dict.fromkeys(DESCRIBED, pl.String()),
    "status": pl.String(),
    "old_pence": pl.Int64(),  # source balances; null where there is none
    "new_pence": pl.Int64(),
    "old_suspended_pence": pl.Int64(),
    "new_suspended_pence": pl.Int64(),
}

CHANGE_SCHEMA: Mapping[str, pl.DataType] = {
    **_STORED_SCHEMA,
    "change": pl.String(),  # CREATED, CHANGED, REMOVED
    "changed": pl.List(pl.String()),  # names of the fields that differ, no values
}
"""Columns of a frame of debt changes, one row a debt, ordered by debt_id."""


def no_changes() -> pl.DataFrame:
    """An empty frame of changes."""
    return pl.DataFrame(schema=dict(CHANGE_SCHEMA))


def _source(balances: Table) -> ColumnElement[bool]:
    return balances.c.kind == _SOURCE


def staged_changes(connection: Connection) -> pl.DataFrame:
    """Staged debts that are new, or differ from what is stored."""
    flags = (*WATCHED, *_WATCHED_BALANCE.values())
    shape = {
        **_STORED_SCHEMA,
        "is_new": pl.Boolean(),
        **dict.fromkeys((f"differs_{name}" for name in flags), pl.Boolean()),
    }
    found = fetch_frame(connection, _staged_changes(), shape)
    names = pl.concat_list([pl.when(f"differs_{name}").then(pl.lit(name)) for name in flags]).list.drop_nulls()
    return found.select(
        *_STORED_SCHEMA,
        pl.when("is_new").then(pl.lit(CREATED)).otherwise(pl.lit(CHANGED)).alias("change"),
        pl.when("is_new").then(pl.lit([], dtype=pl.List(pl.String))).otherwise(names).alias("changed"),
    )


@cache
def _staged_changes() -> Select[Any]:
    flags = {name: _NEW_DEBTS.c[name].is_distinct_from(DEBTS.c[name]) for name in WATCHED}
    flags |= {
        name: _NEW_BALANCES.c[stored].is_distinct_from(BALANCES.c[stored]) for stored, name in _WATCHED_BALANCE.items()
    }
    is_new = DEBTS.c.debt_id.is_(None)
    columns = [_NEW_DEBTS.c[name] for name in (*DESCRIBED, "status")]
    labelled = [flag.label(f"differs_{name}") for name, flag in flags.items()]
    return (
        select(*columns, *_balances(BALANCES, _NEW_BALANCES), is_new.label("is_new"), *labelled)
        .select_from(_old_and_new())
        .where(or_(is_new, *flags.values()))
        .order_by(_NEW_DEBTS.c.debt_id)
    )


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


def _left_out(cases: Table) -> ColumnElement[bool]:
    stored = DEBTS.alias("stored")
    of_cases = select(stored.c.debt_id).where(
        stored.c.case_id.in_(select(cases.c.case_id)), stored.c.status != _REMOVED
    )
    return DEBTS.c.debt_id.in_(of_cases.except_(select(_NEW_DEBTS.c.debt_id)))


def left_out(connection: Connection, cases: Table) -> pl.DataFrame:
    """Debts of these cases that are stored, not yet removed, and not staged."""
    joined = DEBTS.outerjoin(BALANCES, and_(BALANCES.c.debt_id == DEBTS.c.debt_id, _source(BALANCES)))
    described = [DEBTS.c[name] for name in DESCRIBED]
    statement = (
        select(*described, literal(REMOVED), *_balances(BALANCES, None))
        .select_from(joined)
        .where(_left_out(cases))
        .order_by(DEBTS.c.debt_id)
    )
    changed = pl.lit(["status", "balance_pence"], dtype=pl.List(pl.String)).alias("changed")
    return fetch_frame(connection, statement, _STORED_SCHEMA).with_columns(pl.lit(REMOVED).alias("change"), changed)


def remove_left_out(connection: Connection, cases: Table) -> None:
    """Mark the debts that `left_out` gives as REMOVED by the record in `cases`, and drop their source balances."""
    values = {"status": REMOVED, **{name: cases.c[name] for name in ("group_id", *ORIGIN)}}
    connection.execute(update(DEBTS).where(_left_out(cases), DEBTS.c.case_id == cases.c.case_id).values(**values))
    removed = select(DEBTS.c.debt_id).where(DEBTS.c.case_id.in_(select(cases.c.case_id)), DEBTS.c.status == _REMOVED)
    connection.execute(delete(BALANCES).where(_source(BALANCES), BALANCES.c.debt_id.in_(removed)))
