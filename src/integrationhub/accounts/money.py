"""Money that arrives and goes back: posted for its target or into suspense, and reversed exactly as it was posted.

A receipt is allocated whole, to one debt or case, or it is in suspense; what is taken back comes from where it is.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Receipt, Reversal
from integrationhub.accounts.matching import Match
from integrationhub.accounts.unit import Verdict

DURING_HOLD = "DURING_HOLD"
OVERPAID = "OVERPAID"


def receive(receipt: Receipt, match: Match, book: Book, *, flags: tuple[str, ...] = (), **shown: object) -> Verdict:
    """Post a receipt to what it was matched with, or into suspense. `shown`: further canonical fields of the feed."""
    if match.reason is not None:
        return suspend(receipt, match.reason, book, **shown)
    if match.debt is not None:
        flags = (*flags, *_flags(match.debt, receipt, book))
        posted = book.post(replace(receipt, debt_ref=match.debt.ref))
    else:
        assert match.case is not None  # a match without reason has a target
        posted = book.post(replace(receipt, case_ref=match.case.ref))
    return Verdict.loaded(_receipt(posted, shown), *flags)


def suspend(receipt: Receipt, reason: str, book: Book, **shown: object) -> Verdict:
    """Put money that really arrived into suspense: a person must decide whose it is."""
    posted = book.post(replace(receipt, reason=reason))
    return Verdict.exception(reason, _receipt(posted, shown))


def take_back(reversal: Reversal, book: Book, *, flags: tuple[str, ...] = (), **shown: object) -> Verdict:
    """Undo a receipt, or a part of it, where it was posted. `shown`: further canonical fields of the feed."""
    book.reverse(reversal)
    canonical: dict[str, Any] = {
        "type": "reversal",
        "source": reversal.source,
        "amount_pence": reversal.amount_pence,
        "value_date": reversal.value_date.isoformat(),
        **_place(reversal.receipt),
        **shown,
    }
    return Verdict.loaded(canonical, *flags)


def is_untouched(receipt: Receipt) -> bool:
    """Whether nothing of it was taken back yet."""
    return receipt.reversed_pence == 0


def _flags(debt: Debt, receipt: Receipt, book: Book) -> list[str]:
    """What a person may want to know of a match (benefits-common.md §9)."""
    held = any(hold.is_active(receipt.value_date) for hold in debt.holds)
    over = receipt.value_date > debt.as_at and receipt.amount_pence > book.balance(debt)
    return [flag for flag, holds in ((DURING_HOLD, held), (OVERPAID, over)) if holds]


def _receipt(receipt: Receipt, shown: Mapping[str, object]) -> dict[str, Any]:
    return {
        "type": "receipt",
        "source": receipt.source,
        "amount_pence": receipt.amount_pence,
        "value_date": receipt.value_date.isoformat(),
        **_place(receipt),
        **shown,
    }


def _place(receipt: Receipt) -> dict[str, Any]:
    """Whose it is, as benefits-common.md §11 shows it."""
    if receipt.case_ref is not None:
        return {"case_ref": receipt.case_ref}
    if receipt.debt_ref is not None:
        return {"debt_ref": receipt.debt_ref}
    return {"debt_ref": None, "suspense": True}
