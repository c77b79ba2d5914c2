"""[layout] and [feed] of messages in JSON: which of their values make columns, and how messages follow each other."""

from typing import Literal

from pydantic import model_validator

from integrationhub.sdk.part import Part

FieldType = Literal["text", "integer", "boolean", "pence", "money", "date"]


class JsonField(Part):
    """A value of a message, a column of its table.

    `path`: names from the top object down, with points between them. Pence are a whole number, money is text in pounds,
    a date text CCYY-MM-DD; they become whole numbers (pence, CCYYMMDD), as in every feed. `values` closes a text.
    """

    path: str
    type: FieldType = "text"
    required: bool = True
    values: tuple[str, ...] = ()


class JsonLayout(Part):
    """[layout] of messages in JSON: each message is one row of one table."""

    format: Literal["json"]
    table: str
    fields: dict[str, JsonField]

    @property
    def source(self) -> str:
        """The descriptor itself describes the messages."""
        return "connector.toml"


class FeedCodes(Part):
    """Reason codes of the checks of a message against those before it."""

    reused: str = "MESSAGE_ID_REUSED"
    stale: str = "STALE_VERSION"
    conflict: str = "VERSION_CONFLICT"
    gap: str = "SEQUENCE_GAP"
    field: str = "FIELD_INVALID"


class Feed(Part):
    """[feed]: what a message is about, and its number among the messages about the same thing.

    `entity`: fields that together name what a message is about. `version`: the field with its number; without one the
    messages count in the order in which they come. `gapless`: numbers go 1, 2, 3 …, and one that comes early waits.
    `identified_by`: whether the sender's message id tells repeats from new messages, or only entity and version.
    """

    entity: tuple[str, ...]
    version: str | None = None
    gapless: bool = False
    identified_by: Literal["message", "version"] = "message"
    as_at: str | None = None  # field with the day that a message speaks of; without one the day on which it comes
    largest: int = 1 << 20  # bytes of a body
    codes: FeedCodes = FeedCodes()

    @model_validator(mode="after")
    def _numbered(self) -> "Feed":
        if self.version is None and (self.gapless or self.identified_by == "version"):
            raise ValueError("messages without a number (`version`) have no gaps, and only their ids tell repeats")
        return self
