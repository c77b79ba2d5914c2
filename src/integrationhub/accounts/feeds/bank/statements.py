"""Statements as files: known ones, pages in their order, balances that follow from each other (payments.md §3, §4).

The book remembers each page by account, statement and page; what pages that wait come to; and the closing balance that
the next statement of an account must open with. Amounts here are exact, in hundred-thousandths of a pound.
"""

from collections.abc import Mapping
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note
from integrationhub.accounts.unit import Admission, FileRules, Refusal
from integrationhub.records import Reason
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import FileFacts, FileInHand

FEED = "bank-statements"
PAGE, PENDING, CLOSED = "page", "pending", "closing-balance"
TO_PENCE = 1_000
STATEMENTS = frozenset({"053", "940"})
NOTIFICATION = "054"


class Statements(FileRules):
    """What is said of a whole file of bank statements."""

    def repeats(self, facts: FileFacts, file: FileInHand, book: Book) -> Refusal | None:
        """A page of a statement, or a notification, that was taken before."""
        if facts.more.get("kind") not in {*STATEMENTS, NOTIFICATION}:
            return None
        known = book.note(FEED, PAGE, _page_key(facts.more))
        if known is None:
            return None
        if known.value["sha256"] == file.sha256:
            return Refusal(fate=Fate.DUPLICATE)
        text = "another content was taken as this page of the statement before"
        return Refusal(fate=Fate.REJECTED, reason=Reason(code="SEQ_REUSED", text=text))

    def admit(self, facts: FileFacts, _file: FileInHand, book: Book) -> Refusal | Admission:
        """Paging, then the sums that the page states, then balances over all pages, then their chain."""
        more = facts.more
        if more.get("kind") not in STATEMENTS:
            return Admission()
        before = _pending(more, book)
        if before is None:
            return _refused("PAGE_GAP", "the page does not follow the one before it")
        if facts.control is not None:
            return Refusal(fate=Fate.REJECTED, reason=facts.control)
        shown = {"statement": more.get("shown") or more["statement"]}
        if not more["last"]:
            return Admission(pending=True, canonical={**shown, "pending_pages": True})
        opening: int = before.get("opening", more["opening"])
        unbalanced = _unbalanced(more, before, opening, book)
        if unbalanced is not None:
            return unbalanced
        return Admission(
            earlier=tuple(before.get("deliveries", ())),
            canonical={**shown, "opening_pence": opening // TO_PENCE, "closing_pence": more["closing"] // TO_PENCE},
        )

    def close(self, facts: FileFacts, file: FileInHand, book: Book) -> None:
        """Remember the page, and what has come together of its statement or what it ended with."""
        more = facts.more
        if more.get("kind") not in {*STATEMENTS, NOTIFICATION}:
            return
        _keep(book, PAGE, _page_key(more), {"sha256": file.sha256, "delivery": file.delivery_id})
        if more["kind"] == NOTIFICATION:
            return
        account = str(more["account"])
        if more["last"]:
            _keep(book, CLOSED, account, {"closing": more["closing"], "statement": more["statement"]})
            if more["page"] > 1:
                _keep(book, PENDING, account, {})
            return
        before = _pending(more, book) or {}
        _keep(
            book,
            PENDING,
            account,
            {
                "statement": more["statement"],
                "page": more["page"],
                "opening": before.get("opening", more["opening"]),
                "net": before.get("net", 0) + more["net"],
                "deliveries": [*before.get("deliveries", ()), file.delivery_id],
            },
        )


def _page_key(more: Mapping[str, Any]) -> str:
    """Account, kind, statement, page; a notification is known as a whole."""
    page = 0 if more["kind"] == NOTIFICATION else more["page"]
    return "|".join((str(more["account"]), more["kind"], str(more["statement"]), str(page)))


def _pending(more: Mapping[str, Any], book: Book) -> Mapping[str, Any] | None:
    """The pages before this one; empty where it is the first; None where it doesn't follow them."""
    note = book.note(FEED, PENDING, str(more["account"]))
    waiting = note.value if note is not None else {}
    if not waiting:
        return {} if more["page"] == 1 else None
    follows = waiting["statement"] == more["statement"] and more["page"] == waiting["page"] + 1
    return waiting if follows else None


def _unbalanced(more: Mapping[str, Any], before: Mapping[str, Any], opening: int, book: Book) -> Refusal | None:
    """The balances that don't agree with the entries of all pages, or with the statement before."""
    if opening + before.get("net", 0) + more["net"] != more["closing"]:
        return _refused("BALANCE_MISMATCH", "opening balance and entries don't make the closing balance")
    last = book.note(FEED, CLOSED, str(more["account"]))
    if last is not None and last.value["closing"] != opening:
        return _refused("BALANCE_CHAIN", "the opening balance is not the closing balance of the statement before")
    return None


def _refused(code: str, text: str) -> Refusal:
    return Refusal(fate=Fate.REJECTED, reason=Reason(code=code, text=text))


def _keep(book: Book, kind: str, key: str, value: Mapping[str, Any]) -> None:
    book.keep(Note(feed=FEED, kind=kind, key=key, value=value))
