"""A connector as its `connector.toml` describes it: the tables of the other modules, and how they belong together."""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError, model_validator

from integrationhub.errors import ConfigurationError, NotFound
from integrationhub.sdk.descriptor.answers import FEED as ANSWER_FEED
from integrationhub.sdk.descriptor.answers import AnswerRules
from integrationhub.sdk.descriptor.delivery import DeliveryRules
from integrationhub.sdk.descriptor.document import Document, DocumentCodes, XmlLayout
from integrationhub.sdk.descriptor.feed import Feed, FeedCodes, JsonLayout
from integrationhub.sdk.descriptor.identity import Identity
from integrationhub.sdk.descriptor.keyed import CsvLayout, Keying, KeyingCodes
from integrationhub.sdk.descriptor.records import LayoutRules, Structure, StructureCodes
from integrationhub.sdk.descriptor.units import UnitCodes, UnitLayout, UnitRules
from integrationhub.sdk.message_rules import EventRules, MessageRules
from integrationhub.sdk.part import Part


class Descriptor(Part):
    """A connector, as its `connector.toml` describes it.

    What its files are like stands in `layout`; the table beside it depends on the format: [structure] for mainframe
    records, [document] for XML, [keying] for a workbook export, [feed] for messages in JSON, [units] for what is judged
    record by record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    connector: Identity
    delivery: DeliveryRules
    any_layout: Annotated[
        LayoutRules | XmlLayout | CsvLayout | JsonLayout | UnitLayout, Field(discriminator="format")
    ] = Field(alias="layout")
    records: Structure | None = Field(None, alias="structure")
    document: Document | None = None
    keying: Keying | None = None
    feed: Feed | None = None
    units: UnitRules | None = None
    events: EventRules | None = None
    messages: MessageRules | None = None
    answers: AnswerRules | None = None
    folder: Path = Path()
    arrives_with: str | None = Field(default=None, exclude=True)  # of a feed beside a connector's own

    @model_validator(mode="after")
    def _described(self) -> "Descriptor":
        needs = {"copybook": "structure", "xml": "document", "csv": "keying", "json": "feed", "units": "units"}
        needed = needs[self.format]
        given = {
            "structure": self.records, "document": self.document, "keying": self.keying, "feed": self.feed,
            "units": self.units,
        }  # fmt: skip
        if given[needed] is None:
            raise ValueError(f"a connector of format {self.format} needs [{needed}]")
        if isinstance(self.any_layout, JsonLayout) and self.feed is not None:
            named = {*self.feed.entity, *filter(None, (self.feed.version, self.feed.as_at))}
            if unknown := sorted(named - self.any_layout.fields.keys()):
                raise ValueError(f"[feed] names what is no field of [layout]: {', '.join(unknown)}")
            if self.messages is None:
                raise ValueError("a connector of format json needs [messages]")
        return self

    @property
    def format(self) -> str:
        """What the files or messages are: copybook, xml, csv, json or units."""
        return self.any_layout.format

    @property
    def takes_files(self) -> bool:
        """Whether files arrive; otherwise messages are all there is."""
        return bool(self.delivery.files) if self.units is not None else not isinstance(self.any_layout, JsonLayout)

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
    def check_codes(self) -> StructureCodes | DocumentCodes | KeyingCodes | FeedCodes | UnitCodes:
        """Reason codes of the checks of a file's content."""
        part = self.records or self.document or self.keying or self.feed or self.units
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
        return () if part is None else tuple(part.totals)

    @property
    def worklist_code(self) -> str:
        """Code under which a group or case that is set aside waits for a person."""
        if self.keying is not None:
            return self.keying.codes.exception
        return self.structure.codes.field if self.records is not None else ""

    def of_answers(self) -> "Descriptor":
        """The connector as its answer files see it: a feed of its own, named after it, with the same codes."""
        assert self.answers is not None
        rules = self.answers
        delivery = self.delivery.model_copy(
            update={
                "file": rules.file, "trigger": rules.trigger, "trigger_keys": rules.trigger_keys, "first_sequence": 1,
                "deadline": None,
            }
        )  # fmt: skip
        identity = self.connector.model_copy(update={"name": ANSWER_FEED.format(connector=self.name), "aliases": ()})
        changes = {"connector": identity, "delivery": delivery, "messages": None, "events": None}
        return self.model_copy(update={**changes, "arrives_with": self.name})

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
    def inbox(self) -> str:
        """The connector in whose folder the files arrive."""
        return self.arrives_with or self.name

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
