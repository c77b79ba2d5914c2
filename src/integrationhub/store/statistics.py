"""Statistics for PostgreSQL's planner, kept in step with tables that grow.

A load makes a table ten times as big before autovacuum has looked at it; planned for the small table, a merge of some
thousand cases reads all of the big one. SQLite plans by its indexes alone and needs no figures.
"""

from sqlalchemy import BigInteger, Engine, Table, bindparam, text

from integrationhub.store.schema import CANONICAL, OUTBOX, SUBJECT_SEQUENCES

_WATCHED = {table.name: table for table in (*CANONICAL.values(), OUTBOX, SUBJECT_SEQUENCES)}
_NOT_WORTH_IT = 1 << 20  # bytes; a smaller table is read in a moment, whatever the plan
_ROUGHLY = "SET default_statistics_target = 20"  # a fifth of the usual sample; autovacuum makes better figures later

_OUTGROWN = text(
    """
    SELECT relname FROM pg_class
    WHERE relname = ANY(:names) AND relkind = 'r' AND pg_table_is_visible(oid)
      AND pg_relation_size(oid) > :least
      AND pg_relation_size(oid) > 4 * relpages * current_setting('block_size')::BIGINT
    ORDER BY relname
    """
).bindparams(bindparam("least", type_=BigInteger()))


def refresh(engine: Engine) -> tuple[str, ...]:
    """Analyze the tables that are four times as big as when somebody last did; their names.

    A table that another process is at is passed over.
    """
    if engine.dialect.name != "postgresql":
        return ()
    options = {"isolation_level": "AUTOCOMMIT"}  # each table's lock ends with its own statement
    with engine.connect().execution_options(**options) as connection:
        places = {"names": list(_WATCHED), "least": _NOT_WORTH_IT}
        outgrown = connection.execute(_OUTGROWN, places).scalars().all()
        if outgrown:
            connection.exec_driver_sql(_ROUGHLY)
        for name in outgrown:
            connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {name} ({', '.join(_indexed(_WATCHED[name]))})")
        if outgrown:
            connection.exec_driver_sql("RESET default_statistics_target")
    return tuple(outgrown)


def _indexed(table: Table) -> list[str]:
    """The columns that rows are looked up and joined by."""
    indexed = {column.name for index in table.indexes for column in index.columns}
    return sorted(indexed | {column.name for column in table.primary_key})
