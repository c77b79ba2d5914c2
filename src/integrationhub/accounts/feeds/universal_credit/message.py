"""A message as its checks ask for it, and what is remembered of the record that it is about."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Self

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note
from integrationhub.accounts.unit import Unit

FEED = "universal-credit"
UPSERT, ARCHIVE, DELETE = "UPSERT", "ARCHIVE", "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message about one record of a collection. `said` is the payload's own row; deletes have none."""

    collection: str
    id: str | None
    effect: str
    version: str
    is_version_defaulted: bool
    trouble: str | None
    said: Mapping[str, Any]
    holds: Collection[Mapping[str, Any]]
    people: Collection[Mapping[str, Any]]
    faults: AbstractSet[str]
    content: str
    synthetic: bool

    @classmethod
    def of(cls, unit: Unit, *, synthetic: bool) -> Self:
        """The message that a unit is."""
        values = unit.values
        rows = [*values["uc_debts"], *values["uc_deductions"], *values["uc_statements"]]
        return cls(
            collection=unit.kind,
            id=values["id"],
            effect=values["effect"] or UPSERT,
            version=values["record_version"],
            is_version_defaulted=values["version_defaulted"],
            trouble=values["trouble"],
            said=rows[0] if rows else {},
            holds=values["uc_holds"],
            people=values["uc_people"],
            faults=unit.faults,
            content=unit.content,
            synthetic=synthetic,
        )

    @property
    def key(self) -> tuple[str, str, str]:
        """Under which note the record is remembered."""
        return FEED, self.collection, self.id or ""

    @property
    def source_id(self) -> str:
        """What the source knows the record by, among all collections."""
        return f"{self.collection}/{self.id}"

    @property
    def flags(self) -> tuple[str, ...]:
        """What is odd about the message itself."""
        return ("VERSION_DEFAULTED",) if self.is_version_defaulted else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is remembered of a record. `ref`: a debt's reference; `receipt`: the key of money posted for a deduction."""

    version: str
    content: str
    is_gone: bool
    ref: str | None = None
    receipt: str | None = None

    @classmethod
    def of(cls, message: Message, book: Book) -> Self | None:
        """What is remembered of the record that the message is about."""
        note = book.note(*message.key)
        if note is None:
            return None
        names = ("version", "content", "is_gone", "ref", "receipt")
        return cls(**{name: note.value[name] for name in names if name in note.value})


def remember(
    message: Message, book: Book, *, ref: str | None = None, receipt: str | None = None, **evidence: object
) -> None:
    """The record is held in this version from now on."""
    value = {
        "version": message.version, "content": message.content, "is_gone": message.effect == DELETE, "ref": ref,
        "receipt": receipt, **evidence,
    }  # fmt: skip
    feed, kind, key = message.key
    book.keep(Note(feed=feed, kind=kind, key=key, value=value, about=ref))
