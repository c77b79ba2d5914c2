"""Unpaid direct debits (ARUDD): each item takes one collection back (payments.md §2)."""

from typing import Any

from integrationhub.accounts import money
from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note, Receipt, Reversal
from integrationhub.accounts.feeds.bacs.collections import MARK, SOURCE, returned_as
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict

ARUDD = "ARUDD"
PAYER_DECEASED = "1013"
DEATH_NOTIFIED = "DEATH_NOTIFIED"
_FEED = "bacs"
_ITEM, _RETURN, _LIFE_EVENT = "item", "return", "life_event"


class Returns:
    """Judges the form `bacs_returns`."""

    def wants(self, unit: Unit) -> Wanted:
        """Collections that may be the original, and what was said of them before."""
        return Wanted(
            marks=frozenset({(SOURCE, MARK, _original(unit))}),
            notes=frozenset({(_FEED, _ITEM, unit.key), (_FEED, _RETURN, _signature(unit))}),
        )

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The oldest collection that is not taken back yet is; a repeat of another advice changes nothing."""
        for fault in ("TEXT_CONTROL_CHAR", "DATE_INVALID"):
            if fault in unit.faults:
                return Verdict.exception(fault)
        found = book.receipts_marked(SOURCE, MARK, _original(unit))
        untouched = [receipt for receipt in found if money.is_untouched(receipt)]
        if _was_taken_back(unit, book) or (found and not untouched and _is_of_another_advice(unit, book)):
            return Verdict.duplicate()
        if not untouched:
            return Verdict.exception("UNPAID_NO_ORIGINAL")
        if unit.values["currency"] != "GBP":
            return Verdict.exception("CURRENCY")
        return _take_back(unit, untouched[0], book)


def _take_back(unit: Unit, original: Receipt, book: Book) -> Verdict:
    code = unit.values["return_code"]
    reversal = Reversal(
        source=ARUDD,
        key=unit.key,
        receipt=original,
        amount_pence=-original.amount_pence,
        value_date=unit.values["current_processing_date"],
        reason=code,
    )
    shown: dict[str, Any] = {"of": original.key, "reason": code}
    if code == PAYER_DECEASED:
        shown["life_event"] = DEATH_NOTIFIED
        note_death(unit, original.debt_ref or original.case_ref, book)
    said = {"said": _signature(unit), "advice": _advice(unit)}
    book.keep(Note(feed=_FEED, kind=_ITEM, key=unit.key, value=said))
    if book.note(_FEED, _RETURN, _signature(unit)) is None:
        book.keep(Note(feed=_FEED, kind=_RETURN, key=_signature(unit), value=said))
    return money.take_back(reversal, book, **shown)


def note_death(unit: Unit, about: str | None, book: Book) -> None:
    """Remember that a bank reports the payer's death: evidence for people, no hold follows from it."""
    book.keep(Note(feed=_FEED, kind=_LIFE_EVENT, key=unit.key, value={"life_event": DEATH_NOTIFIED}, about=about))


def _original(unit: Unit) -> str:
    values = unit.values
    if values["original_processing_date"] is None:
        return "none"
    return returned_as(values["reference"] or "", values["original_processing_date"], values["amount_pence"])


def _signature(unit: Unit) -> str:
    return f"{_original(unit)}|{unit.values['return_code']}"


def _advice(unit: Unit) -> str:
    return unit.key.rpartition("/")[0]


def _was_taken_back(unit: Unit, book: Book) -> bool:
    """Whether this very item was taken before."""
    seen = book.note(_FEED, _ITEM, unit.key)
    return seen is not None and bool(seen.value["said"] == _signature(unit))


def _is_of_another_advice(unit: Unit, book: Book) -> bool:
    """Whether the same was said in another advice before."""
    first = book.note(_FEED, _RETURN, _signature(unit))
    return first is not None and first.value["advice"] != _advice(unit)
