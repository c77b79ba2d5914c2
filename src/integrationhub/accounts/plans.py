"""Offers to pay a debt in instalments (self-service.md, plan.offer). An offer is proposed; no plan starts by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Note
from integrationhub.accounts.unit import Unit, Verdict

MOST_INSTALMENTS: Mapping[str, int] = {"WEEKLY": 156, "FORTNIGHTLY": 78, "FOUR_WEEKLY": 39, "MONTHLY": 36}
"""Instalments of three years, by frequency."""

LATEST = timedelta(days=62)
"""How long after the day of the offer the first instalment may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What was offered, and when. `instalment_pence` is None where the number was too long to be an amount.

    `first_date_ok`: no date was named, or one that is in the calendar.
    """

    day: date
    instalment_pence: int | None
    frequency: str
    first_date: date | None
    first_date_ok: bool = True


def propose(offer: Offer, debt: Debt, unit: Unit, book: Book) -> Verdict:
    """The checks that follow once the debt and its debtor are known, in their order."""
    balance = book.balance(debt)
    if not debt.is_open or balance <= 0:
        return Verdict.exception("DEBT_CLOSED")
    if any(hold.is_active(offer.day) for hold in debt.holds):
        return Verdict.exception("HOLD_ACTIVE")
    instalment = offer.instalment_pence
    if instalment is None or not 1 <= instalment <= balance:
        return Verdict.exception("AMOUNT_RANGE")
    first = offer.first_date
    if not offer.first_date_ok or (first is not None and not offer.day <= first <= offer.day + LATEST):
        return Verdict.exception("DATE_INVALID")
    instalments = -(-balance // instalment)
    canonical: dict[str, Any] = {
        "type": "plan_offer",
        "debt_ref": debt.ref,
        "instalment_pence": instalment,
        "frequency": offer.frequency,
        "instalments": instalments,
        "first_date": None if first is None else first.isoformat(),
        "status": "PROPOSED",
    }
    book.keep(Note(feed=unit.feed, kind="plan_offer", key=unit.key, value=canonical, about=debt.ref))
    told = ("debt_ref", "instalment_pence", "frequency", "first_date")
    book.tell("plan.offered", {name: canonical[name] for name in told})
    return Verdict.loaded(canonical, *(("LONG_PLAN",) if instalments > MOST_INSTALMENTS[offer.frequency] else ()))
