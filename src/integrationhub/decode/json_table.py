"""Objects read from JSON as the rows of one table, a column a field.

A value that is missing, or of another JSON type than its field, makes the message unusable (SCHEMA_INVALID). One of the
right type that can't be held (no calendar day, no amount, a control character) is a fault of that row: null, and told.
Money becomes pence and a date CCYYMMDD, so that the mapping reads them as it reads any feed.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import polars as pl
import pyarrow as pa

from integrationhub.decode.json_body import LONG
from integrationhub.errors import RecordRejected
from integrationhub.records import FAULT_SCHEMA, DecodedBatch
from integrationhub.sdk.descriptor.feed import FieldType, JsonField, JsonLayout

_ARROW: Mapping[FieldType, pa.DataType] = {
    "text": pa.large_string(),
    "integer": pa.int64(),
    "boolean": pa.large_string(),
    "pence": pa.int64(),
    "money": pa.int64(),
    "date": pa.int64(),
}
_POLARS: Mapping[FieldType, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "boolean": pl.String(),
    "pence": pl.Int64(),
    "money": pl.Int64(),
    "date": pl.Int64(),
}
"""Flags are texts, `true` and `false`, as in every feed."""

_JSON_TYPE: Mapping[FieldType, type] = {
    "text": str, "integer": int, "boolean": bool, "pence": int, "money": str, "date": str,
}  # fmt: skip
_MONEY = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,2}))?")
_MOST_PENCE = 999_999_999
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class _Bad(Exception):
    """A value that can't be held; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _text(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if _CONTROL.search(value):
        raise _Bad("TEXT_CONTROL_CHAR")
    return unicodedata.normalize("NFC", value)


def _pence(value: int) -> int:
    if abs(value) > _MOST_PENCE:
        raise _Bad("AMOUNT_RANGE")
    return value


def _money(value: str) -> int:
    match = _MONEY.fullmatch(value)
    if match is None:
        raise _Bad("MONEY_FORMAT")
    sign, pounds, pence = match.groups()
    amount = int(pounds) * 100 + int((pence or "").ljust(2, "0"))
    if amount > _MOST_PENCE:
        raise _Bad("AMOUNT_RANGE")
    return -amount if sign else amount


def _day(value: str) -> int:
    if not _DATE.fullmatch(value):
        raise _Bad("DATE_INVALID")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _Bad("DATE_INVALID") from None
    return day.year * 10_000 + day.month * 100 + day.day


_HELD: Mapping[FieldType, Callable[[Any], object]] = {
    "text": _text,
    "integer": int,
    "boolean": lambda value: "true" if value else "false",
    "pence": _pence,
    "money": _money,
    "date": _day,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One object: its values by field, and what of it can't be held (field and code)."""

    values: Mapping[str, object]
    faults: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    inside: tuple[str, ...]  # names of the objects that the value stands in
    last: str
    json_type: type
    held: Callable[[Any], object]
    codes: frozenset[str]
    required: bool
    is_pence: bool

    @classmethod
    def of(cls, name: str, field: JsonField) -> Self:
        *inside, last = field.path.split(".")
        return cls(
            name=name,
            inside=tuple(inside),
            last=last,
            json_type=_JSON_TYPE[field.type],
            held=_HELD[field.type],
            codes=frozenset(field.values),
            required=field.required,
            is_pence=field.type == "pence",
        )


def _part(found: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """The object at a path; an empty one where there is none."""
    value: Any = found
    for step in path:
        value = value.get(step) if type(value) is dict else None
    return value if type(value) is dict else {}


class JsonTable:
    """The table of one feed."""

    def __init__(self, layout: JsonLayout) -> None:
        self.name = layout.table
        self._fields = layout.fields
        self._columns = [_Column.of(name, item) for name, item in layout.fields.items()]
        self._schema = pa.schema(
            [("_record", pa.int64()), ("_offset", pa.int64())]
            + [(name, _ARROW[item.type]) for name, item in layout.fields.items()]
        )

    @property
    def layout(self) -> Mapping[str, Mapping[str, pl.DataType]]:
        """The table as the mapping is told of it."""
        places: dict[str, pl.DataType] = {"_record": pl.Int64(), "_offset": pl.Int64()}
        return {self.name: places | {name: _POLARS[item.type] for name, item in self._fields.items()}}

    def row(self, found: Mapping[str, Any]) -> Row:
        """The object's row. RecordRejected: SCHEMA_INVALID."""
        values: dict[str, object] = {}
        faults: list[tuple[str, str]] = []
        parts: dict[tuple[str, ...], Any] = {(): found}  # the object in which a field stands, found once
        for column in self._columns:
            inside = column.inside
            if inside not in parts:
                parts[inside] = _part(found, inside)
            value = parts[inside].get(column.last)
            if type(value) is column.json_type:
                if column.codes and value not in column.codes:
                    raise _schema(column.name, "is none of the known codes")
                try:
                    values[column.name] = column.held(value)
                except _Bad as bad:
                    values[column.name] = None
                    faults.append((column.name, bad.code))
            elif value is None and not column.required:
                values[column.name] = None
            elif value is LONG and column.is_pence:
                values[column.name] = None
                faults.append((column.name, "AMOUNT_RANGE"))
            else:
                raise _schema(column.name, "is missing" if value is None else "is of another type")
        return Row(values=values, faults=faults)

    def batch(self, rows: Sequence[Row]) -> DecodedBatch:
        """The rows as one batch, numbered from 1."""
        columns: dict[str, list[object]] = {"_record": list(range(1, len(rows) + 1)), "_offset": [0] * len(rows)}
        for column in self._columns:
            columns[column.name] = [row.values[column.name] for row in rows]
        table = pa.table(columns, schema=self._schema)
        if not any(row.faults for row in rows):
            return DecodedBatch(tables={self.name: table})
        return DecodedBatch(
            tables={self.name: table}, faults=pl.DataFrame(list(self._faults(rows)), dict(FAULT_SCHEMA), orient="row")
        )

    def _faults(self, rows: Sequence[Row]) -> Iterator[tuple[object, ...]]:
        for number, row in enumerate(rows, start=1):
            for name, code in row.faults:
                yield number, 0, self.name, name, code, None


def _schema(field: str, what: str) -> RecordRejected:
    return RecordRejected(f"the body does not fit its schema: {field} {what}", code="SCHEMA_INVALID")
