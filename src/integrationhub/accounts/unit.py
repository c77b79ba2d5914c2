"""A unit is one thing that a source says: a record, a bank entry, a row, a message. It gets exactly one verdict.

Source: benefits-common.md §1 (outcomes), §11 (keys and canonical fields).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from integrationhub.accounts.book import Book
from integrationhub.accounts.shelf import Wanted
from integrationhub.sdk.messages import Fate


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a unit. `canonical`: the fields that benefits-common.md §11 shows, personal ones among them."""

    fate: Fate
    reason: str | None = None
    flags: Collection[str] = ()
    canonical: Mapping[str, Any] | None = field(default=None)

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


class Judge(Protocol):
    """Judges the units of one feed, one after the other, by the checks of its document in their order."""

    def wants(self, unit: Unit) -> Wanted:
        """What of the book the unit may need; asked of many units at once, so that the book is read set by set."""
        ...

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The verdict; what follows from it is in the book."""
        ...
