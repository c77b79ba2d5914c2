"""A unit is one thing that a source says: a record, a bank entry, a row, a message. It gets exactly one verdict.

Source: benefits-common.md §1 (outcomes), §11 (keys and canonical fields).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from integrationhub.accounts.book import Book
from integrationhub.accounts.shelf import Wanted
from integrationhub.records import Reason
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import FileFacts, FileInHand


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One thing that a source says, mapped. Money in `values` is pence, dates are dates, absent values are None.

    `faults` are the reason codes of values that couldn't be understood; which of them is *the* reason is for the judge
    to say, by the order of its document. `content` is a digest of what makes two units the same.
    """

    feed: str
    key: str  # as the feed's document forms it, e.g. 000101/1
    kind: str  # what it is in its source's terms, e.g. the form of a document, the collection of a message
    values: Mapping[str, Any]
    faults: frozenset[str] = frozenset()
    content: str = ""
    delivery_id: str = ""
    record: int = 1
    offset: int = 0
    at: datetime  # when its delivery arrived: "now" for every check
    as_at: date | None = None  # the as-at date of its file, where it has one
    mapping_id: str = ""  # the mapping that made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a unit. `canonical`: the fields that benefits-common.md §11 shows, personal ones among them.

    One that is not `listed` is counted, and left out where the units of a file are shown (payments.md §1).
    """

    fate: Fate
    reason: str | None = None
    flags: Collection[str] = ()
    canonical: Mapping[str, Any] | None = field(default=None)
    listed: bool = True

    @classmethod
    def loaded(cls, canonical: Mapping[str, Any] | None, *flags: str) -> "Verdict":
        """The unit is good, and was written."""
        return cls(fate=Fate.LOADED, flags=frozenset(flags), canonical=canonical)

    @classmethod
    def exception(cls, reason: str, canonical: Mapping[str, Any] | None = None) -> "Verdict":
        """A person must decide. `canonical` is the receipt in suspense where money came with it."""
        return cls(fate=Fate.EXCEPTION, reason=reason, canonical=canonical)

    @classmethod
    def excluded(cls, reason: str) -> "Verdict":
        """Valid, and deliberately not loaded."""
        return cls(fate=Fate.EXCLUDED, reason=reason)

    @classmethod
    def rejected(cls, reason: str) -> "Verdict":
        """Unusable."""
        return cls(fate=Fate.REJECTED, reason=reason)

    @classmethod
    def duplicate(cls, reason: str | None = None) -> "Verdict":
        """Processed before, or older than what is held; nothing changes."""
        return cls(fate=Fate.DUPLICATE, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing of a file is judged: REJECTED, DUPLICATE or HELD."""

    fate: Fate
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The units of a file may be judged. `pending`: later, with the last page of its statement, it uses up no number.

    `earlier`: deliveries whose units are judged before those of this file, in this order, as parts of the same thing.
    `canonical` stands in the place of the decoder's.
    """

    pending: bool = False
    earlier: tuple[str, ...] = ()
    canonical: Mapping[str, Any] | None = None


class FileRules:
    """What a judge of files may say of a whole file; a judge that has such rules inherits from this.

    The first two change nothing in the book.
    """

    def repeats(self, _facts: FileFacts, _file: FileInHand, _book: Book, /) -> Refusal | None:
        """Behind the structure, before the sequence check: what was delivered before, known by its content."""
        return None

    def admit(self, _facts: FileFacts, _file: FileInHand, _book: Book, /) -> Refusal | Admission:
        """Behind the sequence check, before `facts.control`: paging, chains of balances.

        Where the document checks something else behind the controls, `facts.control` may be returned from here.
        """
        return Admission()

    def close(self, _facts: FileFacts, _file: FileInHand, _book: Book, /) -> None:
        """All units are judged, or the file waits as a page: what must be remembered of it."""


class Judge(Protocol):
    """Judges the units of one feed, one after the other, by the checks of its document in their order."""

    def wants(self, unit: Unit) -> Wanted:
        """What of the book the unit may need; asked of many units at once, so that the book is read set by set."""
        ...

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The verdict; what follows from it is in the book."""
        ...
