"""Money in suspense: which debt or case it may be meant for after all, and giving it there by a person's decision.

What waits is never given away by itself: its documents leave that to people (benefits-common.md §1). But where a debt
has appeared since, whoever looks is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note, Receipt
from integrationhub.accounts.matching import Match, Matcher
from integrationhub.errors import Conflict, NotFound

FEED, ALLOCATION = "suspense", "allocation"
"""Feed and kind of the notes that tell who gave suspended money to whom."""

REMATCHED = ("UNMATCHED", "AMBIGUOUS_NINO", "AMBIGUOUS_REF", "DEBT_CLOSED")
"""Reasons that came of matching: the same texts may match by now. Every other reason is about the receipt itself."""

_TEXTS = ("texts", "reference", "end_to_end_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided, when, and why."""

    by: str
    authenticated: bool
    at: datetime
    why: str


def texts_of(receipt: Receipt) -> Iterator[str]:
    """The texts that the receipt was matched by."""
    for name in _TEXTS:
        value = receipt.marks.get(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            yield from (text for text in value if isinstance(text, str))


def proposal(receipt: Receipt, matcher: Matcher, book: Book) -> Match | None:
    """What the receipt's own texts match now; None: nothing, or it does not wait for a match."""
    if receipt.reason not in REMATCHED:
        return None
    match = matcher.match(texts_of(receipt), book)
    return None if match.reason is not None else match


def allocate(receipt: Receipt, target: str, decision: Decision, book: Book) -> Receipt:
    """Give waiting money to a debt or case. Conflict: it waits no longer. NotFound: there is no such target."""
    if not receipt.in_suspense:
        raise Conflict(
            f"receipt {receipt.receipt_id} does not wait: it was given to a debt or case",
            code="NOT_IN_SUSPENSE",
            remedy="`integrationhub suspense list` shows what waits; `suspense release` takes a decision back",
        )
    debt, case = book.debt(target), book.case(target)
    if debt is None and case is None:
        raise NotFound(
            "there is no debt or case with that reference",
            code="TARGET_UNKNOWN",
            remedy="give a debt reference (DM or UD and ten digits) or a child maintenance case reference",
        )
    given = replace(receipt, debt_ref=target) if debt is not None else replace(receipt, case_ref=target)
    book.keep(_note(receipt, target, decision, book))
    return book.move(given)


def release(receipt: Receipt, decision: Decision, book: Book) -> Receipt:
    """Put money back into suspense that a person had given away. Conflict: nobody has, or it went back to the payer."""
    note = book.note(FEED, ALLOCATION, receipt.receipt_id)
    if receipt.in_suspense or note is None or note.value.get("to") is None:
        raise Conflict(
            f"receipt {receipt.receipt_id} was not given away by a decision",
            code="NOT_ALLOCATED",
            remedy="only what `suspense allocate` or `suspense rematch` did can be taken back",
        )
    book.keep(_note(receipt, None, decision, book))
    return book.move(replace(receipt, debt_ref=None, case_ref=None))


def _note(receipt: Receipt, target: str | None, decision: Decision, book: Book) -> Note:
    """The decision, with those before it."""
    before = book.note(FEED, ALLOCATION, receipt.receipt_id)
    made = {
        "to": target,
        "by": decision.by,
        "authenticated": decision.authenticated,
        "at": decision.at.isoformat(),
        "why": decision.why,
        "reason": receipt.reason,
    }
    value = {**made, "decisions": [*(before.value["decisions"] if before is not None else ()), made]}
    return Note(feed=FEED, kind=ALLOCATION, key=receipt.receipt_id, value=value, about=target)
