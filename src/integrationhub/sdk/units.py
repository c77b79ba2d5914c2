"""What the connectors of benefit, payment and event feeds plug in: decoders of files, readers of messages.

    file      decoder → pieces of tables → mapping (forms of canonical.units) → units → the feed's judge → store
    message   reader  → rows of tables   → mapping                            → unit  → the feed's judge → store

A decoder stands in `decode/units/<name>.py` and a reader likewise; each module has `build(options) -> UnitDecoder` or
`build(options) -> UnitReader`. A judge stands in `accounts/feeds/<connector>.py`, with `build(options) -> Judge`
(`accounts.unit`). Names have `-` where modules have `_`. What `connector.toml` says in [units] chooses among them.

One row of a form that is no part of another makes one unit. Of a record, `_record` is the number (from 1, in file
order) under which its rows in all tables, its faults and its parts come together; units with the same `_record` count
in reports as one, with the worst of their outcomes.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable

from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.transport import Incoming

if TYPE_CHECKING:
    import polars as pl

    Layout = Mapping[str, Mapping[str, pl.DataType]]
    """Tables, their fields and types. `_record` and `_offset` (int64) are in every table and need not be named."""

AT_ONCE = 4_096
"""Records that a piece should hold, about: memory stays bounded, and mapping is done by columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a decoder, reader or judge is built with. `values`: [units.options] of the connector's descriptor."""

    connector: str
    folder: Path
    values: Mapping[str, Any] = field(default_factory=dict)
    synthetic_identities: bool = False
    keys: Callable[[], Mapping[str, Any]] = dict  # content of the keys file; never to be logged

    def text(self, name: str) -> str:
        """The text of a file beside the descriptor."""
        return (self.folder / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInHand:
    """What is known of a file before it is read. `named`: the named groups of its pattern, as text.

    `records` is what the trigger file states, where the kind of file asks for it. `units_before`: records of the
    earlier pages of the same statement. `standalone`: judged by its public standard alone (`check --standalone`).
    """

    name: str
    named: Mapping[str, str]
    size: int
    sha256: str
    records: int | None
    received_at: datetime
    delivery_id: str = ""
    units_before: int = 0
    standalone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlFact:
    """What a file says of itself, and what was counted; pence for amounts."""

    name: str
    expected: object
    actual: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Booked entries of a payment file, whatever became of them."""

    count: int = 0
    pence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a decoder knows of a file once it has read it.

    `structure`: the first fault of those checks that the document lists before the sequence check; `control`: of those
    behind it. `series` and `sequence`: the number that the file uses up (None: files of this kind are not numbered),
    and within what. `whole`: the file lists everything that its source has (a full extract). `outcomes`: of a file that
    is judged alone, what becomes of its records. `more`: for the judge.
    """

    structure: Reason | None = None
    series: str = ""
    sequence: int | None = None
    control: Reason | None = None
    controls: Sequence[ControlFact] = ()
    canonical: Mapping[str, Any] | None = None  # key fields of the file, as expected.json shows them
    credits: Booked = Booked()
    debits: Booked = Booked()
    as_at: date | None = None
    whole: bool = False
    outcomes: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


class UnitDecoder(Protocol):
    """Reads the files of one kind. Pure, streaming, in bounded memory."""

    @property
    def layout(self) -> "Layout":
        """The tables that pieces may have."""
        ...

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """Pieces in file order, then (as the generator's result) the facts. The stream is the file uncompressed.

        Whatever the bytes are, nothing is raised: a file that can't be read has a `structure` fault.
        """
        ...


@runtime_checkable
class Recogniser(Protocol):
    """A decoder that can judge files alone: of those it yields nothing, and counts `outcomes`."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes is for this decoder, sound or broken."""
        ...


Row = Mapping[str, Any]


class UnitReader(Protocol):
    """Reads the messages of one feed, each of which is one unit."""

    @property
    def layout(self) -> "Layout":
        """The tables that rows may stand in."""
        ...

    def read(self, message: Incoming, body: Mapping[str, Any]) -> Mapping[str, Sequence[Row]]:
        """The rows of a message by table, without `_record` and `_offset`.

        The body has passed the checks of benefits-common.md §5 up to JSON_TOO_DEEP (`decode.json_body.read_body`); what
        comes from SCHEMA_INVALID on is to be checked here. RecordRejected: the message is unusable.
        """
        ...
