"""SQL of plans and policies: questions about case groups, asked of tables in memory and of nothing else.

The text is parsed first and may only be one query over the tables named here. It runs in an engine of its own that has
nothing but these tables and can open no file, so it can't read or change the store whatever it says, and means the same
on both databases.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import polars as pl
import sqlglot
from sqlglot import exp

from integrationhub.errors import ConfigurationError

CASE_GROUPS: Mapping[str, pl.DataType] = {
    "group_id": pl.String(),
    "segment": pl.String(),
    "segment_frozen": pl.Boolean(),
    "schemes": pl.String(),  # 1993, 2003, CLERICAL, joined by +
    "cases": pl.Int64(),
    "moving_cases": pl.Int64(),
    "recomputed_cases": pl.Int64(),
    "debts": pl.Int64(),
    "rp_pence": pl.Int64(),
    "sos_pence": pl.Int64(),
    "suspended_pence": pl.Int64(),
    "custodian_pence": pl.Int64(),
    "uncollectable": pl.Boolean(),
    "effective": pl.Date(),  # the oldest case's
}
"""The table `case_groups`: one row a case group that the plan may move."""

WAVE_GROUPS: Mapping[str, pl.DataType] = {
    "group_id": pl.String(),
    "state": pl.String(),
    "reason": pl.String(),
    "segment": pl.String(),
    "cases": pl.Int64(),
}
"""The table `wave_groups` of gates: one row a case group of the wave, as it stands now."""

TABLES = {"case_groups": CASE_GROUPS, "wave_groups": WAVE_GROUPS}


def faults_of(text: str, *, table: str, column: str | None) -> list[str]:
    """Why this is no query over `table`; `column` is the one that it must give, None for one number."""
    try:
        statements = sqlglot.parse(text, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return ["is no SQL that can be read"]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return ["must be one SELECT and nothing else"]
    query = statements[0]
    known = {table, *(one.alias for one in query.find_all(exp.CTE))}
    foreign = sorted({one.name for one in query.find_all(exp.Table)} - known)
    if foreign or any(not isinstance(one.this, exp.Identifier) for one in query.find_all(exp.Table)):
        named = ", ".join(filter(None, foreign))
        return [f"may read the table {table} only{f', not {named}' if named else ''}"]
    return _trial(text, table=table, column=column)


def _trial(text: str, *, table: str, column: str | None) -> list[str]:
    try:
        found = run(text, {table: pl.DataFrame(schema=dict(TABLES[table]))})
    except ConfigurationError as exc:
        return [exc.text]
    if column is not None and column not in found.columns:
        return [f"must give the column {column}"]
    if column is None and found.width != 1:
        return ["must give one number"]
    return []


def run(text: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows that a checked query gives; ConfigurationError with the engine's words where it can't answer."""
    with _engine() as engine:
        for name, frame in tables.items():
            engine.register(name, frame.to_arrow())
        engine.execute("SET lock_configuration = true")
        try:
            return pl.DataFrame(pl.from_arrow(engine.sql(text).to_arrow_table()))
        except duckdb.Error as exc:
            words = str(exc).splitlines()[0]
            raise ConfigurationError(f"can't be answered: {words}", code="PLAN_SQL") from exc


def number(text: str, tables: Mapping[str, pl.DataFrame]) -> float:
    """The one number that a checked query gives; nothing at all counts as nought."""
    found = run(text, tables)
    value: Any = found.item(0, 0) if found.height else 0
    return float(value or 0)


def _engine() -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": 1,
    }
    engine = duckdb.connect(":memory:", config=settings)
    engine.execute("SET python_enable_replacements = false")
    return engine
