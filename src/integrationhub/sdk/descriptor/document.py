"""[layout] and [document] of XML extracts: lists that are joined by reference, and their controls."""

from typing import Literal

from pydantic import Field

from integrationhub.sdk.descriptor.header import KindField
from integrationhub.sdk.part import Part


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
