"""Deductions from payments of Universal Credit: receipts that later versions take back or put right (§6)."""

from collections.abc import Sequence
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Receipt, Reversal
from integrationhub.accounts.feeds.universal_credit.message import Held, Message, remember
from integrationhub.accounts.matching import DEBT_CLOSED, UNMATCHED, Match
from integrationhub.accounts.money import receive, take_back
from integrationhub.accounts.unit import Verdict

SOURCE = "UC_DEDUCTION"


def load(message: Message, held: Held | None, book: Book, flags: Sequence[str]) -> Verdict:
    """Post what was deducted; undo what was posted before and has turned out otherwise."""
    before = _standing(held, book)
    said = message.said
    if said["reversed"]:
        remember(message, book)
        if before is None:
            return Verdict.loaded(_nothing(message, book), *flags)
        return _undo(before, message, book, flags)
    if before is not None:
        if _is_same(before, message):
            remember(message, book, receipt=before.key)
            return Verdict.loaded(_shown(before), *flags)
        _undo(before, message, book, ())
        flags = (*flags, "AMOUNT_CHANGED") if before.amount_pence != said["amount_pence"] else flags
    return _post(message, book, flags)


def remove(message: Message, held: Held | None, book: Book, flags: Sequence[str]) -> Verdict:
    """Undo what was posted of a deduction that is gone at its source."""
    before = _standing(held, book)
    remember(message, book)
    return Verdict.loaded(None, *flags) if before is None else _undo(before, message, book, flags)


def _standing(held: Held | None, book: Book) -> Receipt | None:
    """What is posted of the deduction at the moment."""
    receipt = None if held is None or held.receipt is None else book.receipt(SOURCE, held.receipt)
    return receipt if receipt is not None and receipt.reversed_pence < receipt.amount_pence else None


def _post(message: Message, book: Book, flags: Sequence[str]) -> Verdict:
    said, key = message.said, f"{message.id}/{message.version}"
    receipt = Receipt(
        source=SOURCE,
        key=key,
        amount_pence=said["amount_pence"],
        value_date=said["deducted"],
        marks={"reference": said["ref"]},
    )
    remember(message, book, receipt=key)
    return receive(receipt, _match(book.debt(said["ref"])), book, flags=tuple(flags))


def _match(debt: Debt | None) -> Match:
    if debt is None:
        return Match(reason=UNMATCHED, by_reference=True)
    return Match(debt=debt, by_reference=True) if debt.is_open else Match(reason=DEBT_CLOSED, by_reference=True)


def _undo(receipt: Receipt, message: Message, book: Book, flags: Sequence[str]) -> Verdict:
    reversal = Reversal(
        source=SOURCE,
        key=f"{message.id}/{message.version}/reversal",
        receipt=receipt,
        amount_pence=receipt.reversed_pence - receipt.amount_pence,
        value_date=receipt.value_date,
    )
    return take_back(reversal, book, flags=tuple(flags))


def _is_same(receipt: Receipt, message: Message) -> bool:
    said = message.said
    now = (said["amount_pence"], said["deducted"], said["ref"])
    return now == (receipt.amount_pence, receipt.value_date, receipt.marks.get("reference"))


def _nothing(message: Message, book: Book) -> dict[str, Any]:
    """A deduction that was given back before anybody heard of it: no receipt."""
    known = book.debt(message.said["ref"])
    return {
        "type": "receipt",
        "source": SOURCE,
        "amount_pence": 0,
        "value_date": message.said["deducted"].isoformat(),
        "debt_ref": None if known is None else known.ref,
    }


def _shown(receipt: Receipt) -> dict[str, Any]:
    """A receipt that stands as it is."""
    return {
        "type": "receipt",
        "source": SOURCE,
        "amount_pence": receipt.amount_pence,
        "value_date": receipt.value_date.isoformat(),
        "debt_ref": receipt.debt_ref,
        **({"suspense": True} if receipt.in_suspense else {}),
    }
