"""Payloads as rows of tables: which of their values make columns, and whether they are what they must be (§5, §6).

A value of another JSON type, none where one must be, or one that its list doesn't have makes the payload invalid as a
whole; it is told, not raised, because the judge asks for versions first. Money is passed on as it stands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import polars as pl

from integrationhub.decode.json_body import LONG
from integrationhub.errors import RecordRejected

Kind = Literal["text", "money", "day", "flag", "whole"]
NO_MONEY = "no text"
"""Stands for money that is no text: no pattern of amounts fits it."""

_TYPES: Mapping[Kind, type] = {"text": str, "money": str, "day": int, "flag": bool, "whole": int}
_POLARS: Mapping[Kind, pl.DataType] = {
    "text": pl.String(), "money": pl.String(), "day": pl.Int64(), "flag": pl.String(), "whole": pl.Int64(),
}  # fmt: skip
_INTEGERS = ("day", "whole")


class _Invalid(Exception):
    """A value is not what it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadField:
    """A value of a payload, a column of its table.

    `path` leads down from the top object. A day may be null where it is required. `values` closes a text, `pattern`
    says how it is written, `least` and `most` bound a whole number.
    """

    path: tuple[str, ...]
    kind: Kind = "text"
    required: bool = True
    values: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    least: int | None = None
    most: int | None = None

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> Self:
        """The field as a descriptor writes it."""
        pattern = rules.get("pattern")
        return cls(
            path=tuple(rules["path"].split(".")),
            kind=rules.get("type", "text"),
            required=rules.get("required", True),
            values=tuple(rules.get("values", ())),
            pattern=None if pattern is None else re.compile(pattern),
            least=rules.get("least"),
            most=rules.get("most"),
        )

    def value_in(self, found: Mapping[str, Any]) -> object:
        """The value as its column holds it."""
        value: Any = found
        for step in self.path:
            if value is None and not self.required:
                return None
            if not isinstance(value, dict) or (self.kind == "day" and self.required and step not in value):
                raise _Invalid
            value = value.get(step)
        return self._held(value)

    def _held(self, value: Any) -> object:  # noqa: ANN401 - whatever JSON holds
        if self.kind == "money":
            return value if value is None or type(value) is str else NO_MONEY
        if value is None:
            if self.required and self.kind != "day":
                raise _Invalid
            return None
        if value is LONG and self.kind in _INTEGERS:
            raise RecordRejected("a whole number of the record has more than 18 digits", code="SCHEMA_INVALID")
        if type(value) is not _TYPES[self.kind] or not self._is_known(value):
            raise _Invalid
        return str(value).lower() if self.kind == "flag" else value

    def _is_known(self, value: Any) -> bool:  # noqa: ANN401 - of the field's type
        if self.kind == "whole":
            return (self.least is None or self.least <= value) and (self.most is None or value <= self.most)
        if self.values and value not in self.values:
            return False
        return self.pattern is None or self.pattern.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadTable:
    """The columns of a kind of payload, and the lists in it, whose elements are rows of tables of their own."""

    name: str
    fields: Mapping[str, PayloadField]
    lists: Mapping[str, tuple[str, bool]]  # table → member of the payload, whether it is required
    elements: Mapping[str, "PayloadTable"]

    @classmethod
    def of(cls, name: str, rules: Mapping[str, Any]) -> Self:
        """The table as a descriptor writes it."""
        lists = rules.get("lists", {})
        return cls(
            name=name,
            fields={column: PayloadField.of(field) for column, field in rules["fields"].items()},
            lists={table: (inner["path"], inner.get("required", True)) for table, inner in lists.items()},
            elements={table: cls.of(table, inner) for table, inner in lists.items()},
        )

    def schemas(self) -> Iterator[tuple[str, dict[str, pl.DataType]]]:
        """This table and those of its lists, with their columns."""
        yield self.name, {column: _POLARS[field.kind] for column, field in self.fields.items()}
        for element in self.elements.values():
            yield from element.schemas()

    def rows(self, payload: Mapping[str, Any]) -> dict[str, list[dict[str, object]]] | None:
        """The rows of a payload by table; None where it is invalid. RecordRejected: SCHEMA_INVALID."""
        try:
            made = {self.name: [self.row(payload)]}
            for table, (member, required) in self.lists.items():
                elements = _elements(payload.get(member), required=required)
                made[table] = [self.elements[table].row(element) for element in elements]
        except _Invalid:
            return None
        return made

    def row(self, found: Mapping[str, Any]) -> dict[str, object]:
        """The values of one object by column."""
        return {column: field.value_in(found) for column, field in self.fields.items()}


def _elements(value: object, *, required: bool) -> Sequence[Mapping[str, Any]]:
    if value is None and not required:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _Invalid
    return value
