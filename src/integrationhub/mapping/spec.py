"""What a mapping spec may say: the TOML of one canonical entity, and the date rules that the specs of a feed share.

A spec names source tables, joins them, and gives each canonical field from a source field (`from` + `as`), an SQL
expression (`sql`), a constant (`value`), a fact of the delivery (`context`) or a derived identifier (`id`). Everything
here is checked for shape only; whether names exist and types fit is `mapping.check`'s work.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator

from integrationhub.mapping.cases import CaseSpec

Severity = Literal["reject", "exception", "note"]
Repeats = Literal["exception", "number", "first", "last"]
ConversionName = Literal[
    "text",
    "plain",
    "digits",
    "int",
    "pence",
    "pounds",
    "date",
    "code",
    "flag",
    "nino",
    "nino_status",
    "nino_usable",
    "present",
]
ContextName = Literal["as_at", "source_system", "sequence", "delivery_id"]
DateFormat = Literal["cyyddd", "ccyymmdd"]
WAYS = ("origin", "sql", "value", "context", "id")

_OPTIONS: Mapping[str, frozenset[str]] = {
    "text": frozenset(),
    "plain": frozenset(),
    "digits": frozenset({"length", "empty"}),
    "int": frozenset({"empty"}),
    "pence": frozenset({"ratio"}),
    "pounds": frozenset(),
    "date": frozenset({"rule"}),
    "code": frozenset({"codes"}),
    "flag": frozenset({"yes", "no"}),
    "nino": frozenset(),
    "nino_status": frozenset(),
    "nino_usable": frozenset(),
    "present": frozenset(),
}
"""The options that each conversion understands."""

_NEEDED: Mapping[str, frozenset[str]] = {
    "digits": frozenset({"length"}),
    "date": frozenset({"rule"}),
    "code": frozenset({"codes"}),
    "flag": frozenset({"yes", "no"}),
}
"""The options that a conversion can't do without."""


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _without_repeats(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("the same name stands twice")
    return values


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_without_repeats), Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
Alias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ReasonCode = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
IdParts = Annotated[tuple[str, ...], Field(min_length=3)]
Sql = Annotated[str, Field(min_length=1, max_length=4_000)]
Pair = tuple[str, str]
Constant = str | int | bool


class Part(BaseModel):
    """Base of every table in a spec: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


class Conversion(Part):
    """How source values are read: the conversion `as` and its options."""

    conversion: ConversionName | None = Field(
        None,
        alias="as",
        description="the conversion: text, plain, digits, int, pence, pounds, date, code, flag, nino…",
    )
    rule: str | None = Field(None, description="date: the date rule, by its name")
    codes: str | None = Field(None, description="code: the code list, by its name")
    length: int | None = Field(None, ge=1, le=18, description="digits: how many, filled with zeros on the left")
    empty: tuple[int, ...] = Field((), description="digits, int: values that mean that nothing is there")
    ratio: tuple[int, int] | None = Field(
        None, description="pence: times the first over the second, to the nearest penny"
    )
    yes: tuple[str, ...] = Field((), description="flag: source values that mean true")
    no: tuple[str, ...] = Field((), description="flag: source values that mean false; blank is the empty text")
    when: Sql | None = Field(None, description="SQL condition; in other rows the source has no such field")
    fault: ReasonCode | None = Field(None, description="reason code of a value that is there but can't be read")
    missing: Literal["fault", "null"] | None = Field(
        None, description="is an absent value a fault? Default: yes, but not for text and NINO, nor among alternatives"
    )

    @model_validator(mode="after")
    def _options_fit(self) -> "Conversion":
        given = {
            name for name in ("rule", "codes", "length", "empty", "ratio", "yes", "no") if name in self.model_fields_set
        }
        allowed = _OPTIONS.get(self.conversion or "", frozenset())
        if given - allowed:
            raise ValueError(f"{', '.join(sorted(given - allowed))} means nothing with as = {self.conversion!r}")
        lacking = _NEEDED.get(self.conversion or "", frozenset()) - given
        if lacking:
            raise ValueError(f"as = {self.conversion!r} needs {', '.join(sorted(lacking))}")
        return self


class FieldSpec(Conversion):
    """One canonical field or `let`: where its value comes from, in exactly one of the ways of WAYS."""

    origin: Names | None = Field(
        None, alias="from", description="source field, or several of which each row has one (redefinitions)"
    )
    sql: Sql | None = Field(None, description="SQL expression over source fields, lets and other canonical fields")
    value: Constant | None = Field(None, description="a constant")
    context: ContextName | None = Field(None, description="a fact of the delivery")
    id: IdParts | None = Field(
        None, description="derived identifier: kind, source system, then the names that make the natural key"
    )
    default: Constant | None = Field(None, description="what stands where nothing else does")
    remark: str | None = Field(None, description="why it is so, for readers")

    @model_validator(mode="after")
    def _one_way(self) -> "FieldSpec":
        if sum(getattr(self, way) is not None for way in WAYS) != 1:
            raise ValueError("say exactly one of from, sql, value, context, id")
        if (self.origin is None) == (self.conversion is not None):
            raise ValueError("`from` and `as` belong together")
        if self.conversion == "present":
            raise ValueError("as = 'present' only checks; it gives no value")
        return self


class JoinSpec(Part):
    """A second table beside each row: the first of its rows that agrees, nothing where none does."""

    table: str = Field(description="decoded table to look into")
    alias: Alias = Field(alias="as", description="prefix of its fields: own.C-STATUS")
    on: tuple[Pair, ...] = Field(min_length=1, description="pairs: field here, field there")
    where: Sql | None = Field(None, description="SQL condition over the joined table's own fields")


class PivotSpec(Part):
    """Occurrences of a child table as columns: alias.1.FIELD … alias.COUNT.FIELD."""

    table: str = Field(description="child table of the source table")
    alias: Alias = Field(alias="as", description="prefix of its fields: line.1.A-LINE")
    count: int = Field(ge=1, le=99, description="how many occurrences there can be")


class SourceSpec(Part):
    """One place that rows of the entity come from. Several sources are put one below the other."""

    name: str | None = Field(None, description="for people and for `checks`; the table's name if not given")
    table: str = Field(description="decoded table: every row gives one row of the entity")
    where: Sql | None = Field(None, description="SQL condition; other rows give none")
    joins: tuple[JoinSpec, ...] = ()
    pivots: tuple[PivotSpec, ...] = ()
    let: dict[Alias, FieldSpec] = {}
    fields: dict[str, FieldSpec] = {}

    @property
    def label(self) -> str:
        """The source's name, or its table's."""
        return self.name or self.table


class ValidateSpec(Conversion):
    """Source fields that must be readable although nothing, or not every row of them, is mapped."""

    fields: Names = Field(description="source fields")
    source: str | None = Field(None, description="only for this source")

    @model_validator(mode="after")
    def _reads(self) -> "ValidateSpec":
        if self.conversion is None:
            raise ValueError("say `as`: how the fields are read")
        return self


class CheckSpec(Part):
    """A condition that rows must meet. It is broken where it is false, not where it is unknown."""

    code: ReasonCode = Field(description="stable reason code")
    must: Sql = Field(description="SQL condition that must hold")
    when: Sql | None = Field(None, description="SQL condition: only for these rows")
    severity: Severity = Field("exception", description="reject the row, set it aside, or note it only")
    field: str = Field(description="source field to name in the fault")
    text: str = Field(min_length=10, description="a sentence for people")
    source: str | None = Field(None, description="only for this source")


class KeySpec(Part):
    """The entity's identifier, and what happens when a key occurs twice in a batch."""

    id: IdParts = Field(description="kind, source system, then the names that make the natural key")
    repeats: Repeats = Field(
        "exception", description="fault KEY_REPEATED, number the rows of a key from 1, or keep the first or last row"
    )
    unique: tuple[str, ...] = Field(
        (), description="exception: source fields that no two rows may share, instead of the key as a whole"
    )
    within: tuple[str, ...] = Field(
        (),
        description="first, last: source fields; one row is kept for each of their values, the store picks among them",
    )

    @model_validator(mode="after")
    def _options_fit(self) -> "KeySpec":
        if self.within and self.repeats not in {"first", "last"}:
            raise ValueError("`within` means nothing unless the first or last row is kept")
        if self.unique and self.repeats != "exception":
            raise ValueError("`unique` means nothing unless a repeated key is a fault")
        return self


class EntitySpec(Part):
    """A whole spec: one canonical entity of one connector."""

    connector: Slug = Field(description="whose records are mapped")
    entity: str = Field(description="canonical entity, e.g. ledger")
    version: str = Field(pattern=r"^\d+(\.\d+)*$", description="declared version")
    title: str
    owner: str = Field(description="who answers for the mapping")
    valid_from: date | None = Field(None, description="first as-at date of files that this version is for")
    valid_to: date | None = Field(None, description="last as-at date of files that this version is for")
    layouts: tuple[str, ...] = Field(
        (), description="layout versions that this version is for, as headers of files say them; none: any"
    )
    key: KeySpec = Field(KeySpec(id=("unit", "unit", "source_ref")), description="a unit form has none: leave it out")
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    let: dict[Alias, FieldSpec] = Field({}, description="named intermediate values")
    fields: dict[str, FieldSpec] = Field({}, description="canonical fields")
    validations: tuple[ValidateSpec, ...] = Field((), alias="validate")
    checks: tuple[CheckSpec, ...] = ()
    cases: tuple[CaseSpec, ...] = Field((), description="golden cases; they are no part of the version")

    @property
    def first_day(self) -> date:
        """The first as-at date that it holds on."""
        return self.valid_from or date.min

    @property
    def last_day(self) -> date:
        """The last as-at date that it holds on."""
        return self.valid_to or date.max

    def is_for(self, as_at: date, layout_version: str | None) -> bool:
        """Whether files of this as-at date and layout version are read by it."""
        return self.first_day <= as_at <= self.last_day and (not self.layouts or layout_version in self.layouts)

    def meets(self, other: "EntitySpec") -> bool:
        """Whether there are files that both would be for."""
        apart = self.last_day < other.first_day or other.last_day < self.first_day
        return not apart and (not self.layouts or not other.layouts or bool({*self.layouts} & {*other.layouts}))

    @model_validator(mode="after")
    def _holds_on_some_day(self) -> "EntitySpec":
        if self.first_day > self.last_day:
            raise ValueError("valid_from is later than valid_to")
        return self

    @model_validator(mode="after")
    def _sources_told_apart(self) -> "EntitySpec":
        labels = [source.label for source in self.sources]
        if len(set(labels)) != len(labels):
            raise ValueError("two sources have the same name")
        named = {item.source for item in self.validations if item.source}
        named |= {item.source for item in self.checks if item.source}
        if named - set(labels):
            raise ValueError(f"no source is called {', '.join(sorted(named - set(labels)))}")
        return self


def _is_placeholder(value: str) -> str:
    if value not in PLACEHOLDERS:
        TypeAdapter(_IsoDate).validate_python(value)
    return value


PLACEHOLDERS = ("low-values", "zero", "nines")
_IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Placeholder = Annotated[str, AfterValidator(_is_placeholder)]


class DateRule(Part):
    """How a kind of date field is written, and which of its values are no dates.

    A placeholder is an ISO date, `low-values` (all bytes X'00'), `zero` (all digits zero) or `nines` (all digits nine).
    Whatever is neither a date nor listed here is a fault.
    """

    format: DateFormat = Field(description="cyyddd = 0CYYDDD with C 0 for 19xx, 1 for 20xx; ccyymmdd = CCYYMMDD")
    open: tuple[Placeholder, ...] = Field((), description="no end: mark OPEN")
    not_recorded: tuple[Placeholder, ...] = Field((), description="never recorded: mark NOT_RECORDED")
    sentinels: tuple[Placeholder, ...] = Field((), description="stands in a date's place: mark SENTINEL")
    absent: Literal["open", "not_recorded"] | None = Field(None, description="what it means that no value is there")
    exclusive: bool = Field(
        default=False, description="the day after the last one is written; the day before it is kept"
    )
    title: str = ""

    @model_validator(mode="after")
    def _one_meaning(self) -> "DateRule":
        listed = (*self.open, *self.not_recorded, *self.sentinels)
        if len(set(listed)) != len(listed):
            raise ValueError("a placeholder has two meanings")
        return self


class RulesSpec(Part):
    """What all specs of a connector share: the date rules by name."""

    connector: Slug
    dates: dict[Slug, DateRule]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a spec file (an entity's or the shared rules), for completion in editors."""
    adapter: TypeAdapter[EntitySpec | RulesSpec] = TypeAdapter(EntitySpec | RulesSpec)
    schema = adapter.json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Mapping spec", **schema}
