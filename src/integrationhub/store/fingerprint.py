"""Fingerprints of tables: two that are equal hold the same rows, in whatever order. A rehearsal proves by them that it
has changed nothing.
"""

from collections.abc import Mapping
from hashlib import blake2b

from sqlalchemy import Connection, Table, select, text

from integrationhub.store.dialect import is_postgres
from integrationhub.store.judged import CORRECTIONS, VERDICTS
from integrationhub.store.schema import CANONICAL, CASE_EVENTS, OUTBOX, WORKLIST
from integrationhub.store.transfer_decisions import CLOSURE_NOTICES
from integrationhub.store.transfer_moves import MOVES

_ROWS_AT_ONCE = 10_000
_MODULUS = 1 << 64

WATCHED: tuple[Table, ...] = (
    *CANONICAL.values(), VERDICTS, CORRECTIONS, CASE_EVENTS, OUTBOX, WORKLIST, CLOSURE_NOTICES, *MOVES,
)  # fmt: skip
"""What a rehearsal may not change: canonical rows, verdicts, events in and out, the worklist, and all that transfers
move.
"""


def fingerprint(connection: Connection) -> Mapping[str, str]:
    """Table → its rows counted, and a sum over a digest of each whole row."""
    digest = _in_postgres if is_postgres(connection) else _in_python
    return {table.name: digest(connection, table) for table in WATCHED}


def _in_postgres(connection: Connection, table: Table) -> str:
    statement = f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table.name} AS t"  # noqa: S608 – our own names
    count, digest = connection.execute(text(statement)).one()
    return f"{count}:{int(digest) % _MODULUS:016x}"


def _in_python(connection: Connection, table: Table) -> str:
    count = total = 0
    for row in connection.execute(select(table), execution_options={"yield_per": _ROWS_AT_ONCE}):
        count += 1
        total += int.from_bytes(blake2b(repr(tuple(row)).encode(), digest_size=8).digest())
    return f"{count}:{total % _MODULUS:016x}"
