"""Frames into temporary tables: COPY on PostgreSQL, executemany on SQLite. The merges work from there, set by set.

Temporary tables belong to one connection, so several workers stage at the same time without seeing each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Column, Connection, MetaData, Table
from sqlalchemy.schema import CreateTable

from integrationhub.canonical.model import ENTITIES
from integrationhub.store.columns import SQL_TYPES, Identifier, words
from integrationhub.store.dialect import is_postgres
from integrationhub.store.faults import translated
from integrationhub.store.schema import CANONICAL

_ROWS_PER_COPY = 50_000  # keeps one piece of rendered rows in the tens of megabytes
_ANALYZE_FROM = 2_000  # below, a bad plan costs less than the statistics
_JOINED = ("group_id", "case_id", "debt_id", "receipt_id", "party_id", "entry_id", "digest", "subject")
_PLANNING = """
SELECT set_config('work_mem', '64MB', TRUE), set_config('default_statistics_target', '10', TRUE),
       set_config('random_page_cost', '1.1', TRUE)
"""
"""Until the transaction ends: sets of a whole slice are hashed, not sorted on disk; statistics of staging tables may be
rough, for a tenth of the time; a slice's rows are found through the indexes, not by reading all tables."""

_TEMPORARY = MetaData()


def _stage(name: str, *columns: Column[object]) -> Table:
    return Table(f"stage_{name}", _TEMPORARY, *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DELETE ROWS")


ENTITY_STAGES: Mapping[str, Table] = {
    name: _stage(name, *(Column(item.name, SQL_TYPES[item.type]()) for item in entity.all_fields()))
    for name, entity in ENTITIES.items()
}
"""One staging table a canonical entity, with the entity's columns."""

ORIGIN = ("delivery_id", "record_no", "byte_offset", "mapping_id", "version")
"""Provenance columns that say which record of which delivery something came from."""


def _origin() -> list[Column[Any]]:
    return [Column(name, CANONICAL["groups"].c[name].type) for name in ORIGIN]


LIVE_LINES = _stage("live_lines", Column("entry_id", Identifier()), Column("digest", words()), *_origin())
"""Live ledger entries of the cases and groups at hand, and the record that would take them back."""

CANCELLATIONS = _stage(
    "cancellations",
    Column("entry_id", Identifier(), primary_key=True),
    Column("cancels_entry_id", Identifier()),
    *_origin(),
)
"""Entries that take others back."""

HELD_GROUPS = _stage("held_groups", Column("group_id", Identifier(), primary_key=True))
HELD_CASES = _stage("held_cases", Column("case_id", Identifier(), primary_key=True))
"""Groups in quarantine, and the cases that they claim."""

VANISHED_CASES = _stage(
    "vanished_cases", Column("case_id", Identifier(), primary_key=True), Column("group_id", Identifier()), *_origin()
)
"""Cases whose group came without them, and the record that says so: the group's."""

CANONICAL_STAGES = (
    *ENTITY_STAGES.values(),
    *(LIVE_LINES, CANCELLATIONS, HELD_GROUPS, HELD_CASES, VANISHED_CASES),
)
"""Everything that a merge works with."""


def prepare(connection: Connection, *tables: Table) -> None:
    """Make the staging tables of this connection where they are missing, and empty those named."""
    if is_postgres(connection):
        connection.exec_driver_sql(_PLANNING)
        missing = connection.exec_driver_sql("SELECT to_regclass('pg_temp.stage_vanished_cases') IS NULL").scalar_one()
    else:
        count = "SELECT count(*) = 0 FROM sqlite_temp_master WHERE name = 'stage_vanished_cases'"
        missing = bool(connection.exec_driver_sql(count).scalar_one())
    if missing:
        for table in _TEMPORARY.sorted_tables:
            connection.execute(CreateTable(table))
    else:
        clear(connection, tables)


def clear(connection: Connection, tables: Sequence[Table]) -> None:
    """Empty staging tables."""
    for table in tables:
        connection.execute(table.delete())


@dataclass(frozen=True, slots=True)
class Rendered:
    """Rows as PostgreSQL's COPY takes them, with their columns."""

    columns: Sequence[str]
    pieces: Sequence[bytes | memoryview]


def render(stage: Table, frame: pl.DataFrame) -> Rendered:
    """A frame rendered for `fill`, where that shall be done beforehand."""
    from integrationhub.store.binary_copy import BinaryCopy  # noqa: PLC0415 – numpy and pyarrow, which SQLite never needs

    source = BinaryCopy(frame, stage)
    return Rendered(source.columns, tuple(source.pieces(_ROWS_PER_COPY)))


def fill(connection: Connection, stage: Table, frame: pl.DataFrame, rendered: Rendered | None = None) -> None:
    """Add a frame's rows to a staging table; the frame has columns of the table, in any order."""
    if frame.is_empty():
        return
    if is_postgres(connection):
        _copy(connection, stage, rendered or render(stage, frame))
    else:
        _insert_many(connection, stage, frame)
    analyze(connection, stage, frame.height)


def analyze(connection: Connection, stage: Table, rows: int) -> None:
    """Tell PostgreSQL's planner what a big staging table holds; nobody else does that for temporary tables.

    From then on the transaction's statements are planned for it, not as it was best for earlier, smaller ones.
    """
    if is_postgres(connection) and rows >= _ANALYZE_FROM:
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")
        columns = ", ".join(column.name for column in stage.columns if column.name in _JOINED)
        connection.exec_driver_sql(f"ANALYZE {stage.name} ({columns})")


def _quoted(stage: Table, names: Iterable[str]) -> str:
    return ", ".join(f'"{stage.c[name].name}"' for name in names)


def _driver(connection: Connection) -> Any:  # noqa: ANN401 – either driver's connection; they share no type
    return connection.connection.driver_connection


def _copy(connection: Connection, stage: Table, rendered: Rendered) -> None:
    statement = f"COPY {stage.name} ({_quoted(stage, rendered.columns)}) FROM STDIN (FORMAT binary)"
    with translated(), _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for piece in rendered.pieces:
            copy.write(piece)


def _insert_many(connection: Connection, stage: Table, frame: pl.DataFrame) -> None:
    marks = ", ".join("?" * frame.width)
    statement = f"INSERT INTO {stage.name} ({_quoted(stage, frame.columns)}) VALUES ({marks})"  # noqa: S608 – our own names
    with translated():
        for part in frame.iter_slices(_ROWS_PER_COPY):
            _driver(connection).executemany(statement, part.with_columns(pl.col(pl.Date).cast(pl.String)).rows())
