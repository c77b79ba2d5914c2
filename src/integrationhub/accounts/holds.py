"""Holds that the hub itself sets and ends, beside those that a source's record brings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Hold
from integrationhub.accounts.unit import Verdict

DECEASED = "DE"
DISPUTE = "DI"


def set_hold(debt: Debt, hold: Hold, book: Book) -> None:
    """Hold the debt."""
    book.put(replace(debt, holds=(*debt.holds, hold)))


def end_holds(debt: Debt, ends: Callable[[Hold], bool], book: Book) -> None:
    """Take away the holds that end."""
    left = tuple(hold for hold in debt.holds if not ends(hold))
    if left != debt.holds:
        book.put(replace(debt, holds=left))


def dispute(debt: Debt, day: date, origin: str, book: Book) -> Verdict:
    """A dispute holds the debt from that day on, once (self-service.md, debt.dispute)."""
    hold = Hold(code=DISPUTE, start=day, end=None, origin=origin)
    known = any(held.code == DISPUTE and (held.end is None or held.end >= day) for held in debt.holds)
    if not known:
        set_hold(debt, hold, book)
    canonical = {"type": "hold", "debt_ref": debt.ref, "code": hold.code, "from": day.isoformat(), "to": None}
    return Verdict.loaded(canonical, *(("ALREADY_DISPUTED",) if known else ()))
