"""Holds that the hub itself sets and ends, beside those that a source's record brings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Hold
from integrationhub.accounts.unit import Verdict

DECEASED = "DE"
DISPUTE = "DI"


def set_hold(debt: Debt, hold: Hold, book: Book) -> None:
    """Hold the debt."""
    book.put(replace(debt, holds=(*debt.holds, hold)))
    book.tell("hold.set", _said(debt, hold))


def end_holds(debt: Debt, ends: Callable[[Hold], bool], book: Book) -> None:
    """Take away the holds that end."""
    ended = [hold for hold in debt.holds if ends(hold)]
    if not ended:
        return
    book.put(replace(debt, holds=tuple(hold for hold in debt.holds if not ends(hold))))
    for hold in ended:
        book.tell("hold.ended", _said(debt, hold))


def dispute(debt: Debt, day: date, origin: str, book: Book) -> Verdict:
    """A dispute holds the debt from that day on, once (self-service.md, debt.dispute)."""
    hold = Hold(code=DISPUTE, start=day, end=None, origin=origin)
    known = any(held.code == DISPUTE and (held.end is None or held.end >= day) for held in debt.holds)
    if not known:
        set_hold(debt, hold, book)
    canonical = {"type": "hold", **_said(debt, hold)}
    return Verdict.loaded(canonical, *(("ALREADY_DISPUTED",) if known else ()))


def _said(debt: Debt, hold: Hold) -> dict[str, Any]:
    return {
        "debt_ref": debt.ref,
        "code": hold.code,
        "from": hold.start.isoformat(),
        "to": None if hold.end is None else hold.end.isoformat(),
    }
