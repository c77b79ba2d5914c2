"""Rows into tables without a detour: one statement for one row as for thousands, in one round trip.

PostgreSQL takes a column as a binary array and a statement makes rows of the arrays (`unnest`); it is prepared once a
connection, whatever the number of rows, and needs no temporary table. SQLite takes the rows one by one, which costs it
nothing. Binary form of an array, high byte first (PostgreSQL's array_send):

    1, whether there are nulls, type of the elements, how many, 1 (int32 each), then of each element its length (int32,
    −1: null) and its bytes
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from struct import Struct
from typing import Any, TypeAlias

from psycopg import Connection as PostgresConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Integer,
    LargeBinary,
    Table,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from integrationhub.store.columns import Identifier, Instant
from integrationhub.store.dialect import is_postgres
from integrationhub.store.faults import translated

_HEAD, _LENGTH = Struct(">5i"), Struct(">i")
_LONG, _INT, _DAY = Struct(">iq"), Struct(">ii"), Struct(">ii")
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MANY = 16
_FIRST_DAY = date(2000, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Same:
    """A value that stands in every row."""

    value: object


Values: TypeAlias = Sequence[Any] | Same


@dataclass(frozen=True, slots=True)
class _Kind:
    """A column type as PostgreSQL takes its values (`element`: length and bytes), and as SQLite does."""

    name: str
    oid: int
    element: Callable[[Any], bytes]
    plain: Callable[[Any], object] | None = None
    recurs: bool = True  # may the same value stand in many rows?


class Rendered(bytes):
    """A value in PostgreSQL's binary form; its type stands in the statement."""

    __slots__ = ()


class _RenderedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Rendered) -> bytes:
        return obj


def understand(connection: PostgresConnection[Any]) -> None:
    """Let a connection take rendered values."""
    connection.adapters.register_dumper(Rendered, _RenderedDumper)


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


def _moment(value: datetime) -> bytes:
    since = value - _EPOCH
    return _LONG.pack(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _plain_moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _json(value: object) -> str:
    return json.dumps(value)


_WORDS = _Kind("text", 25, _text)
_KINDS: Sequence[tuple[type[TypeEngine[Any]], _Kind]] = (
    (Identifier, _Kind("uuid", 2950, lambda value: b"\0\0\0\x10" + bytes.fromhex(value))),
    (Instant, _Kind("timestamptz", 1184, _moment, _plain_moment)),
    (BigInteger, _Kind("int8", 20, lambda value: _LONG.pack(8, value))),
    (Integer, _Kind("int4", 23, lambda value: _INT.pack(4, value))),
    (Boolean, _Kind("bool", 16, lambda value: b"\0\0\0\1\1" if value else b"\0\0\0\1\0")),
    (Date, _Kind("date", 1082, lambda value: _DAY.pack(4, value.toordinal() - _FIRST_DAY), date.isoformat)),
    (JSON, _Kind("json", 114, lambda value: _text(_json(value)), _json, recurs=False)),
    (LargeBinary, _Kind("bytea", 17, _bytes, recurs=False)),
)


def _kind(column: ColumnElement[Any]) -> _Kind:
    return next((kind for base, kind in _KINDS if isinstance(column.type, base)), _WORDS)


def array(kind: _Kind, values: Sequence[Any]) -> Rendered:
    """The values as one parameter. Of values that come again and again each is rendered once."""
    element = kind.element
    if kind.recurs and len(values) >= _MANY and len(distinct := set(values)) <= len(values) // 2:
        known = {value: _NULL if value is None else element(value) for value in distinct}
        elements = [known[value] for value in values]
    else:
        elements = [_NULL if value is None else element(value) for value in values]
    return Rendered(b"".join((_HEAD.pack(1, 1, kind.oid, len(elements), 1), *elements)))


def insert_rows(connection: Connection, table: Table, columns: Mapping[str, Values], *, conflict: str = "") -> int:
    """Insert rows that are given by column; how many were inserted or, with an ON CONFLICT clause, changed.

    `conflict` is one of our own clauses, in SQL that both databases understand.
    """
    height = _height(columns)
    if not height:
        return 0
    with translated():
        driver: Any = connection.connection.driver_connection
        if is_postgres(connection):
            with driver.cursor() as cursor:
                return int(_send(cursor, table, columns, conflict).rowcount)
        statement = _one_by_one(table, tuple(columns), conflict)
        return int(driver.executemany(statement, _rows(table, columns, height)).rowcount)


def insert_returning(
    connection: Connection, table: Table, columns: Mapping[str, Values], *, conflict: str, returning: Sequence[str]
) -> list[tuple[Any, ...]]:
    """The same, with these columns of each row as it stands then, in no order."""
    height, listed = _height(columns), ", ".join(returning)
    if not height:
        return []
    clause = f"{conflict} RETURNING {listed}"
    with translated():
        driver: Any = connection.connection.driver_connection
        if is_postgres(connection):
            with driver.cursor() as cursor:
                return list(_send(cursor, table, columns, clause).fetchall())
        statement = _one_by_one(table, tuple(columns), clause)
        return [driver.execute(statement, row).fetchone() for row in _rows(table, columns, height)]


def _height(columns: Mapping[str, Values]) -> int:
    return max((len(values) for values in columns.values() if not isinstance(values, Same)), default=0)


def _send(cursor: Any, table: Table, columns: Mapping[str, Values], clause: str) -> Any:  # noqa: ANN401 – the driver's
    """Run the statement on PostgreSQL. Values that are the same in every row come first among its parameters."""
    parts = tuple((name, isinstance(values, Same)) for name, values in columns.items())
    first = [(name, (values.value,)) for name, values in columns.items() if isinstance(values, Same)]
    then = [(name, values) for name, values in columns.items() if not isinstance(values, Same)]
    given = [array(_kind(table.c[name]), values) for name, values in (*first, *then)]
    return cursor.execute(_from_arrays(table, parts, clause), given, prepare=True)


def _rows(table: Table, columns: Mapping[str, Values], height: int) -> Iterator[tuple[Any, ...]]:
    """The rows as SQLite takes them."""
    return zip(*(_plain(table.c[name], values, height) for name, values in columns.items()), strict=True)


def _plain(column: ColumnElement[Any], values: Values, height: int) -> Sequence[Any]:
    plain = _kind(column).plain
    if isinstance(values, Same):
        value = values.value if plain is None or values.value is None else plain(values.value)
        return [value] * height
    return values if plain is None else [None if value is None else plain(value) for value in values]


@cache
def _from_arrays(table: Table, parts: tuple[tuple[str, bool], ...], conflict: str) -> str:
    names = ", ".join(f'"{name}"' for name, _ in parts)
    same = [f'(%b::{_kind(table.c[name]).name}[])[1] AS "{name}"' for name, is_same in parts if is_same]
    varying = [name for name, is_same in parts if not is_same]
    arrays = ", ".join(f"%b::{_kind(table.c[name]).name}[]" for name in varying)
    row = ", ".join(f'"{name}"' for name in varying)
    constants = f"(SELECT {', '.join(same)}) AS constant, " if same else ""
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {names} "  # noqa: S608 – our own names
        f"FROM {constants}unnest({arrays}) AS varying ({row}) {conflict}"
    )


@cache
def _one_by_one(table: Table, names: tuple[str, ...], conflict: str) -> str:
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({columns}) VALUES ({marks}) {conflict}"  # noqa: S608 – our own names


def among(connection: Connection, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column's value is one of these: one parameter, so the statement is the same for any number."""
    if is_postgres(connection):
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
