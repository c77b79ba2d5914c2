"""The connector descriptor: what `connector.toml` may say, checked when it is read.

A connector is data: this descriptor, a record layout, mapping specs and samples. The descriptor says what the
connector is, how its files or messages arrive, how their bytes are laid out, how records hang together, and which
reason code the interface document gives to each kind of fault.
"""

import re
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from integrationhub.errors import ConfigurationError, NotFound
from integrationhub.sdk.message_rules import EventRules, MessageRules
from integrationhub.sdk.part import Part, Pattern


class Identity(Part):
    """[connector]: who this is."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: str
    source_system: str
    document: str
    mappings: str
    aliases: tuple[str, ...] = ()


class Trigger(Part):
    """The file that is written last: named like the data file, `suffix` in the place of `replaces`, or appended."""

    suffix: str = ".ctl"
    replaces: str = ""

    def name_for(self, data_name: str) -> str:
        """The trigger file's name beside the data file `data_name`."""
        return data_name.removesuffix(self.replaces) + self.suffix

    def data_name_for(self, trigger_name: str) -> str:
        """The data file's name beside the trigger file `trigger_name`."""
        return trigger_name.removesuffix(self.suffix) + self.replaces


class DeliveryCodes(Part):
    """Reason codes of the delivery checks."""

    trigger: str = "CTL_INVALID"
    repeated: str = "DUPLICATE"
    reused: str = "SEQ_REUSED"
    gap: str = "SEQUENCE_GAP"
    size: str = "SIZE_MISMATCH"
    hash: str = "SHA_MISMATCH"


class DeliveryRules(Part):
    """[delivery]: how files arrive and in which sequence."""

    transports: tuple[Literal["folder", "file-notice", "queue"], ...]
    file: Pattern
    trigger: Trigger = Trigger()
    trigger_keys: tuple[str, ...] = ("FILE", "BYTES", "SHA256")
    first_sequence: int | Literal["any"] = "any"
    deadline: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    codes: DeliveryCodes = DeliveryCodes()

    def sequence_of(self, name: str) -> int | None:
        """The sequence number in a data file's name; None if the name isn't one of this connector's."""
        match = re.fullmatch(self.file, name)
        return int(match["sequence"]) if match else None


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


class DatedField(Part):
    """A date in a header, and its format."""

    field: str
    format: Literal["cyyddd", "ccyymmdd"]


class KindField(Part):
    """Where the header says whether the file is a whole book or a correction."""

    field: str
    full: str
    correction: str


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


class XmlLayout(Part):
    """[layout] of a compressed XML document: one gzip member that holds flat lists of elements."""

    format: Literal["xml"]
    schema_file: str = Field(alias="schema")
    uncompressed_key: str  # trigger key that states the size of the XML
    uncompressed_limit: int = 1 << 30

    @property
    def source(self) -> str:
        """The file beside the descriptor that describes the records."""
        return self.schema_file


class CsvLayout(Part):
    """[layout] of a workbook export: heading row first, exactly these columns."""

    format: Literal["csv"]
    encoding: str
    columns: tuple[str, ...]

    @property
    def source(self) -> str:
        """The descriptor itself describes the records."""
        return "connector.toml"


class DocumentCodes(Part):
    """Reason codes of the checks of an XML document, in the order in which they are judged."""

    oversize: str = "OVERSIZE"
    damaged: str = "NOT_WELL_FORMED"
    doctype: str = "DOCTYPE_FORBIDDEN"
    root: str = "ROOT_UNKNOWN"
    invalid: str = "SCHEMA_INVALID"
    count: str = "CONTROL_COUNT"
    control: str = "CONTROL_TOTAL"


class DocumentTotal(Part):
    """A control total of a document: the control's attribute, and the column that it sums.

    `where` chooses rows by a code column. `canonical` is SQL over the canonical entities, as in `Total`.
    """

    control: str
    table: str
    field: str
    where: dict[str, tuple[str, ...]] = {}
    canonical: str


class DocumentGroups(Part):
    """How the rows of flat lists come together in source groups: the party in a role of a case."""

    cases: str
    case_key: str
    roles: str
    role_case: str
    role_party: str
    role: dict[str, str]  # column → the code that makes a party the owner of the group
    parties: str
    party_key: str
    by_case: dict[str, str]  # table → its column with a case key
    by_parent: dict[str, tuple[str, str, str]]  # table → own column, parent table, the parent's key
    by_party: dict[str, str]  # table → its column with a party key


class DocumentSums(Part):
    """A table that is added up from another: one row a case and owner, with the number of lines that hang on them."""

    table: str
    case: str
    owner: str
    alike: dict[str, str] = {}  # owner code → the one that it counts as
    fields: tuple[str, ...]
    lines: tuple[str, str, str]  # table of lines, its column, the key of `table`


class Document(Part):
    """[document]: root, lists and controls of an XML extract."""

    root: str
    sequence: str
    as_at: str
    kind: KindField
    control: str
    counts: dict[str, str]  # element of a list → attribute of the control with its number
    unique: dict[str, str]  # element → attribute that is a key of its own
    groups: DocumentGroups
    sums: dict[str, DocumentSums] = {}
    codes: DocumentCodes = DocumentCodes()
    totals: dict[str, DocumentTotal] = {}


class KeyingCodes(Part):
    """Reason codes of the checks of a keyed book."""

    heading: str = "HEADING"
    count: str = "CONTROL_COUNT"
    control: str = "CONTROL_TOTAL"
    disagreement: str = "DOUBLE_ENTRY"
    unreadable: str = "FIELD_INVALID"
    exception: str = "DE"


class KeyedTotal(Part):
    """A control total of a keyed book: the trigger's key and the column that it sums over the first keyings."""

    trigger: str
    column: str
    canonical: str


class Keying(Part):
    """[keying]: a book in which every case is keyed twice."""

    case: str
    key: str
    clerk: str
    compared: tuple[str, ...]
    mandatory: tuple[str, ...]
    kinds: dict[str, Literal["text", "name", "nino", "date", "money", "count", "code", "number"]] = {}
    values: dict[str, tuple[str, ...]] = {}  # column of kind code → its codes
    case_pattern: Pattern
    codes: KeyingCodes = KeyingCodes()
    totals: dict[str, KeyedTotal] = {}


class Descriptor(Part):
    """A connector, as its `connector.toml` describes it.

    What its files are like stands in `layout`; the table beside it depends on the format: [structure] for mainframe
    records, [document] for XML, [keying] for a workbook export.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    connector: Identity
    delivery: DeliveryRules
    any_layout: Annotated[LayoutRules | XmlLayout | CsvLayout, Field(discriminator="format")] = Field(alias="layout")
    records: Structure | None = Field(None, alias="structure")
    document: Document | None = None
    keying: Keying | None = None
    events: EventRules | None = None
    messages: MessageRules | None = None
    references_are_personal: bool = False
    folder: Path = Path()

    @model_validator(mode="after")
    def _described(self) -> "Descriptor":
        needed = {"copybook": "structure", "xml": "document", "csv": "keying"}[self.format]
        given = {"structure": self.records, "document": self.document, "keying": self.keying}
        if given[needed] is None:
            raise ValueError(f"a connector of format {self.format} needs [{needed}]")
        return self

    @property
    def format(self) -> str:
        """What the files are: copybook, xml or csv."""
        return self.any_layout.format

    @property
    def layout(self) -> LayoutRules:
        """The layout of mainframe records; ConfigurationError for a connector of another format."""
        if not isinstance(self.any_layout, LayoutRules):
            raise ConfigurationError(f"connector {self.name} has no record layout: its files are {self.format}")
        return self.any_layout

    @property
    def structure(self) -> Structure:
        """How mainframe records hang together; ConfigurationError for a connector of another format."""
        if self.records is None:
            raise ConfigurationError(f"connector {self.name} has no record structure: its files are {self.format}")
        return self.records

    @property
    def check_codes(self) -> StructureCodes | DocumentCodes | KeyingCodes:
        """Reason codes of the checks of a file's content."""
        part = self.records or self.document or self.keying
        assert part is not None  # `_described` has seen to it
        return part.codes

    @property
    def layout_file(self) -> str:
        """The file that describes the records."""
        if isinstance(self.any_layout, LayoutRules):
            return self.any_layout.copybook
        return self.any_layout.source

    @property
    def totals(self) -> tuple[str, ...]:
        """Names of the control totals."""
        part = self.records or self.document or self.keying
        assert part is not None  # `_described` has seen to it
        return tuple(part.totals)

    @property
    def worklist_code(self) -> str:
        """Code under which a group or case that is set aside waits for a person."""
        if self.keying is not None:
            return self.keying.codes.exception
        return self.structure.codes.field if self.records is not None else ""

    def text_of(self, name: str) -> bytes:
        """The content of a file beside the descriptor; NotFound when it is missing."""
        path = self.folder / name
        if not path.is_file():
            raise NotFound(f"connector {self.name}: {name} is missing from its folder")
        return path.read_bytes()

    @property
    def name(self) -> str:
        """The connector's name, as used in commands, folders and queues."""
        return self.connector.name

    @property
    def queue(self) -> str:
        """The queue in which its messages arrive, where it has any."""
        return f"integrationhub.{self.name}"

    @property
    def version(self) -> str:
        """The connector's own version."""
        return self.connector.version

    @property
    def title(self) -> str:
        """One line for people."""
        return self.connector.title

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names that commands accept."""
        return self.connector.aliases

    @cached_property
    def copybook_text(self) -> str:
        """The text of the record layout beside the descriptor."""
        path = self.folder / self.layout.copybook
        if not path.is_file():
            raise NotFound(f"connector {self.name}: layout {self.layout.copybook} is missing from its folder")
        return path.read_text(encoding="ascii")


def load_descriptor(path: Path) -> Descriptor:
    """The descriptor at `path`, a `connector.toml` or the folder that holds one.

    ConfigurationError lists every fault with its place in the file; NotFound when there is no descriptor.
    """
    file = path / "connector.toml" if path.is_dir() else path
    if not file.is_file():
        raise NotFound(f"no connector.toml in {path.name}", remedy="name a folder that holds a connector.toml")
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        return Descriptor.model_validate({**content, "folder": file.parent})
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"{file.parent.name}/connector.toml: {exc}") from exc
    except ValidationError as exc:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in exc.errors()]
        raise ConfigurationError(f"{file.parent.name}/connector.toml has {len(faults)} faults", faults=faults) from exc
