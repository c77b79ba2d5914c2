"""Debts and advances of Universal Credit (universal-credit.md §7, 13 and 14; §8)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Hold
from integrationhub.accounts.feeds.universal_credit.message import ARCHIVE, FEED, Held, Message, remember
from integrationhub.accounts.nino import Worth, worth
from integrationhub.accounts.unit import Verdict

SOURCE_SYSTEM = "UNIVERSAL_CREDIT"
_DETAILS = (
    "citizen_id", "forenames", "line1", "line2", "town", "decision_date", "advance_type", "repayment_months",
)  # fmt: skip


def load(message: Message, held: Held | None, book: Book, flags: Sequence[str]) -> Verdict:
    """Enter a sound debt or advance, unless the debt manager holds it or its reference is another's."""
    other = message.said["debt_manager_ref"]
    if other is not None:
        known = book.debt(other)
        if known is not None and known.source_system == "DEBT_MANAGER":
            return Verdict.excluded("HELD_IN_DEBT_MANAGER")
        return Verdict.exception("DM_REF_UNKNOWN")
    ref = message.said["ref"]
    before = book.debt(ref)
    if _is_taken(before, message) or (held is not None and held.ref not in {None, ref}):
        return Verdict.exception("REFERENCE_CLASH")
    debt = _debt(message, before)
    book.put(debt)
    remember(message, book, ref=ref)
    sentinel = ("DOB_SENTINEL",) if message.said["dob_mark"] == "SENTINEL" else ()
    return Verdict.loaded(_canonical(debt), *flags, *sentinel)


def remove(message: Message, held: Held | None, book: Book, flags: Sequence[str]) -> Verdict:
    """The debt is gone at its source: nothing is erased, and what comes later and is older stays outside."""
    known = None if held is None or held.ref is None else book.debt(held.ref)
    remember(message, book, ref=None if held is None else held.ref)
    if known is None:
        return Verdict.loaded(None, *flags)
    book.put(replace(known, status="REMOVED", version=message.version, content=message.content))
    return Verdict.loaded({"type": "debt", "ref": known.ref, "status": "REMOVED", "version": message.version}, *flags)


def _is_taken(known: Debt | None, message: Message) -> bool:
    return known is not None and known.source_id != message.source_id


def _debt(message: Message, before: Debt | None) -> Debt:
    said = message.said
    own = [Hold(code=hold["code"], start=hold["start"], end=hold["end"], origin=FEED) for hold in message.holds]
    others = () if before is None else [hold for hold in before.holds if hold.origin != FEED]
    number: str | None = said["nino"]
    is_temporary = number is not None and worth(number, synthetic=message.synthetic) is Worth.TEMPORARY
    details = {name: _plain(said[name]) for name in _DETAILS if said[name] is not None}
    if is_temporary:
        details["temporary_nino"] = number
    return Debt(
        ref=said["ref"],
        source_system=SOURCE_SYSTEM,
        source_id=message.source_id,
        version=message.version,
        content=message.content,
        status="ARCHIVED" if message.effect == ARCHIVE else said["status"],
        kind=said["debt_type"],
        benefit="UC",
        cause=said["cause"],
        original_pence=said["original_pence"],
        adjusted_pence=0,
        recovered_pence=said["recovered_pence"],
        written_off_pence=0,
        source_balance_pence=said["source_balance_pence"],
        as_at=date.fromisoformat(message.version[:10]),
        nino=None if is_temporary else number,
        nino_status=None,
        surname=said["surname"],
        dob=said["dob"],
        postcode=said["postcode"],
        holds=(*own, *others),
        details=details,
    )


def _canonical(debt: Debt) -> dict[str, Any]:
    return {
        "type": "debt",
        "ref": debt.ref,
        "source_system": debt.source_system,
        "benefit": debt.benefit,
        "debt_type": debt.kind,
        "cause": debt.cause,
        "original_pence": debt.original_pence,
        "recovered_pence": debt.recovered_pence,
        "source_balance_pence": debt.source_balance_pence,
        "status": debt.status,
        "decision_date": debt.details.get("decision_date"),
        "nino": debt.nino,
        "version": debt.version,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a payload says
    return value.isoformat() if isinstance(value, date) else value
