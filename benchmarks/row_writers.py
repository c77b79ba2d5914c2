"""The limit of a load: canonical rows that lie ready, written straight into empty tables with all their indexes.

PostgreSQL takes them by COPY in its binary form, all tables in one transaction; SQLite by `executemany` of ready
tuples, a transaction a table. Nothing is compared, nothing is staged, no event is made.
"""

import sqlite3
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from integrationhub.canonical.model import ENTITIES
from integrationhub.store.unit_of_work import Store
from tests.services.postgres import PostgresDatabases, libpq_url

BLOCK = 1 << 18
ROWS_AT_ONCE = 20_000


def write_again(url: str, folder: str) -> dict[str, object]:
    """Write all canonical rows of the store at `url` again, into a store of the same kind; runs apart."""
    if url.startswith("sqlite"):
        seconds, rows = _by_executemany(Path(make_url(url).database or ""), Path(folder) / "limit.sqlite3")
        return {"way": "INSERT", "seconds": seconds, "rows": rows}
    databases = PostgresDatabases(f"{url.rpartition('/')[0]}/postgres")
    with databases.database() as empty:
        Store.open(empty, create=True).close()
        seconds, rows = _by_copy(libpq_url(url), libpq_url(empty), folder)
    return {"way": "COPY", "seconds": seconds, "rows": rows}


def _by_copy(full: str, empty: str, folder: str) -> tuple[float, int]:
    rows, seconds = 0, 0.0
    with psycopg.connect(full) as source, psycopg.connect(empty) as target:
        for entity in ENTITIES:
            with tempfile.TemporaryFile(dir=folder) as rendered:
                names = {"entity": sql.Identifier(entity)}
                unload = sql.SQL("COPY (SELECT * FROM {entity} ORDER BY version) TO STDOUT (FORMAT binary)")
                with source.cursor() as cursor, cursor.copy(unload.format(**names)) as copy:
                    for block in copy:
                        rendered.write(block)
                rendered.seek(0)
                started = time.perf_counter()
                load = sql.SQL("COPY {entity} FROM STDIN (FORMAT binary)").format(**names)
                with target.cursor() as cursor:
                    with cursor.copy(load) as copy:
                        while block := rendered.read(BLOCK):
                            copy.write(block)
                    rows += cursor.rowcount
                seconds += time.perf_counter() - started
        started = time.perf_counter()
        target.commit()
    return seconds + time.perf_counter() - started, rows


def _by_executemany(full: Path, empty: Path) -> tuple[float, int]:
    Store.open(f"sqlite:///{empty}", create=True).close()
    rows, seconds = 0, 0.0
    source, target = sqlite3.connect(full), sqlite3.connect(empty)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536"):
        target.execute(f"PRAGMA {setting}")
    for entity in ENTITIES:
        cursor = source.execute(f"SELECT * FROM {entity} ORDER BY version")  # noqa: S608 - a name of the model
        insert = f"INSERT INTO {entity} VALUES ({', '.join('?' * len(cursor.description))})"  # noqa: S608 - the same
        while part := cursor.fetchmany(ROWS_AT_ONCE):
            started = time.perf_counter()
            target.executemany(insert, part)
            seconds += time.perf_counter() - started
            rows += len(part)
        started = time.perf_counter()
        target.commit()
        seconds += time.perf_counter() - started
    source.close()
    target.close()
    empty.unlink()
    return seconds, rows
