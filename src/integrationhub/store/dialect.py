"""The few places where the two databases are spoken to differently."""

from collections.abc import Mapping
from typing import Any, cast

import polars as pl
from sqlalchemy import ColumnElement, Connection, CursorResult, Executable, Table, exists, select
from sqlalchemy.dialects import postgresql, sqlite


def is_postgres(connection: Connection) -> bool:
    """Whether the connection leads to PostgreSQL (otherwise: SQLite)."""
    return connection.dialect.name == "postgresql"


def insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT, for the dialect of this name."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def upsert(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert one row, or bring the row with the same key up to these values."""
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in values.items() if name not in keys}
    statement = insert_into(connection.dialect.name, table).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert one row unless its key is taken; whether it was inserted.

    On PostgreSQL this waits for a transaction that is inserting the same key, and answers by its outcome.
    """
    statement = insert_into(connection.dialect.name, table).values(**values).on_conflict_do_nothing()
    return affected(connection, statement) == 1


def affected(connection: Connection, statement: Executable) -> int:
    """Run a statement and count the rows it inserted, changed or deleted."""
    # SQLAlchemy keeps the driver's count only for UPDATE and DELETE unless it is asked to.
    return cast(
        "CursorResult[Any]", connection.execute(statement, execution_options={"preserve_rowcount": True})
    ).rowcount


def present_in(connection: Connection, column: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the column's value stands in `other`, a column of a staging table.

    PostgreSQL hashes an EXISTS; SQLite would scan the staging table for every row of it, but hashes an IN.
    """
    return exists().where(other == column) if is_postgres(connection) else column.in_(select(other))


def fetch_frame(
    connection: Connection, statement: Executable, schema: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.DataFrame:
    """All rows of a query as a frame; the schema's columns are the query's, in order."""
    rows = [tuple(row) for row in connection.execute(statement)]
    return pl.DataFrame(rows, schema=dict(schema), orient="row")
