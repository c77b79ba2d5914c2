"""[layout] and [structure] of mainframe files: how bytes are cut into records, and how records hang together."""

from typing import Literal

from integrationhub.sdk.descriptor.header import DatedField, KindField
from integrationhub.sdk.part import Part


class FramingRules(Part):
    """How records are cut out of the file (decode.framing)."""

    kind: Literal["F", "V"]
    rdw: Literal["big", "little", "u32"] = "big"
    adjustment: int = 0
    minimum: int = 4
    record_length: int | None = None


class Redefinition(Part):
    """Which redefinition applies: the field that says so, and its values."""

    by: str
    when: dict[str, str]


class LowValues(Part):
    """Fields in which X'00' throughout is a value of its own, not a fault."""

    fields: tuple[str, ...] = ()


class LayoutRules(Part):
    """[layout]: the bytes of a record."""

    format: Literal["copybook"]
    copybook: str
    encoding: str
    signs: Literal["ibm", "strict"] = "ibm"
    framing: FramingRules
    record_types: dict[str, str]
    redefines: dict[str, Redefinition] = {}
    low_values: LowValues = LowValues()


class GroupKey(Part):
    """The record that opens a group, and its key."""

    type: str
    key: str


class ParentKey(Part):
    """The record type of the parent, and the field that names it."""

    type: str
    key: str


class Member(Part):
    """A record type that stands inside a group."""

    group: str
    key: str | None = None
    counted_by: str | None = None
    parent: ParentKey | None = None


class StructureCodes(Part):
    """Reason codes of the file checks, in the order in which they are judged."""

    framing: str = "FRAMING"
    record_type: str = "RECORD_TYPE_UNKNOWN"
    length: str = "LENGTH"
    order: str = "RECORD_ORDER"
    count: str = "CONTROL_COUNT"
    total: str = "CONTROL_TOTAL"
    field: str = "FIELD_INVALID"


class HeaderFields(Part):
    """What the header must say and where it says the rest."""

    expect: dict[str, str | int] = {}
    layout_version: str | None = None
    sequence: str
    as_at: DatedField
    kind: KindField


class TrailerCounts(Part):
    """The trailer's table of record counts by type."""

    table: str
    type: str
    count: str
    order: tuple[str, ...]


class TrailerFields(Part):
    """Where the trailer says sequence and counts."""

    sequence: str
    records: str
    counts: TrailerCounts | None = None


class Total(Part):
    """A control total: the trailer's field, the fields it sums, and the same sum over the canonical rows.

    `canonical` is SQL over the canonical entities of a file as they are about to be stored; the file is loaded only
    when trailer = canonical + what was set aside.
    """

    trailer: str
    fields: tuple[str, ...]
    canonical: str


class Structure(Part):
    """[structure]: how the records of a file hang together, and its controls."""

    header: str
    trailer: str
    group: GroupKey
    members: dict[str, Member]
    codes: StructureCodes = StructureCodes()
    header_fields: HeaderFields
    trailer_fields: TrailerFields
    totals: dict[str, Total] = {}
