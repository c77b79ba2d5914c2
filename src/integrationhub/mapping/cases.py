"""Golden cases of a mapping as data: small source rows and the canonical rows that they must become.

Cases stand in the spec itself (`[[cases]]`) or in files below `tests/` beside the specs, which may name sound rows once
(`[rows.NAME]`), so that a case says only what is particular about it.
"""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

Value = str | int | bool
ROW, TABLE = "row", "table"
"""Keys of a given row that are no source fields: the named row that it is like, or the table that it stands in."""


class Part(BaseModel):
    """Base: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Derived(Part):
    """An identifier in an expected row, written as what it is derived from."""

    id: tuple[str, ...] = Field(min_length=3, description="kind, source system, then the parts of the natural key")


class ExpectedFault(Part):
    """A fault or note that the rows must have."""

    code: str = Field(description="reason code")
    field: str | None = Field(None, description="source field; any if not given")
    record: int | None = Field(None, description="number of the given row, from 1; any if not given")


class RowSpec(Part):
    """A sound source row, to be referred to by its name."""

    table: str = Field(description="decoded table")
    values: dict[str, Value] = Field({}, description="source fields as the decoder gives them; the others are empty")


def _row(value: object) -> object:
    return {ROW: value} if isinstance(value, str) else value


GivenRow = Annotated[dict[str, Value], BeforeValidator(_row)]


class CaseSpec(Part):
    """One case: these rows must become those, with these faults and no others."""

    name: str = Field(min_length=5, description="what is shown, as a sentence")
    entity: str | None = Field(None, description="canonical entity; in a spec its own, else the file's")
    as_at: date | None = Field(None, description="as-at date of the delivery (default: the file's, or 2015-06-30)")
    layout_version: str | None = Field(None, description="what the file's header says its layout is")
    given: tuple[GivenRow, ...] = Field(
        min_length=1,
        description='source rows: the name of a row, or { row = "name", FIELD = value, … }, or { table = "…", … }',
    )
    expect: tuple[dict[str, Value | date | Derived | list[str]], ...] = Field(
        (), description="canonical rows in order; only the fields named are compared; `empty` lists fields to be null"
    )
    faults: tuple[ExpectedFault, ...] = Field((), description="the entity's faults that must be told, and no others")
    notes: tuple[ExpectedFault, ...] = Field((), description="the entity's notes that must be told, and no others")

    @model_validator(mode="after")
    def _rows_are_placed(self) -> "CaseSpec":
        for number, row in enumerate(self.given, start=1):
            if (ROW in row) == (TABLE in row):
                raise ValueError(f"given row {number}: say `row` or `table`")
        return self


class CasesFile(Part):
    """A file of cases below `tests/` of a mapping."""

    connector: str
    entity: str | None = Field(None, description="canonical entity of the cases that name none")
    as_at: date = Field(date(2015, 6, 30), description="as-at date of cases that say none")
    rows: dict[str, RowSpec] = Field({}, description="sound rows by name, for all cases of the mapping's files")
    cases: tuple[CaseSpec, ...] = ()


def cases_schema() -> dict[str, Any]:
    """The JSON Schema of a file of cases, for completion in editors."""
    schema = TypeAdapter(CasesFile).json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Mapping cases"}
