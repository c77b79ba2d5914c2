"""Entries of bank accounts: what arrives is a receipt, what goes back undoes one (payments.md §3, §4)."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from integrationhub.accounts import money
from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note, Receipt, Reversal
from integrationhub.accounts.feeds.bank.statements import FEED
from integrationhub.accounts.matching import Matcher
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict

SOURCE = "BANK"
COLLECTIONS, SERIAL = "BACS_COLLECTION", "serial"
"""Where the payments of a submission stand that an entry sums up, and the mark by which they are found."""

ISSUED_DIRECT_DEBITS = "IDDT"
RETURNED, OCCURRENCE = "returned", "occurrence"
HIGHEST = 999_999_999
"""Pence of a single amount (benefits-common.md §2)."""

END_TO_END, REMITTANCE = "end_to_end", "remittance"

Check = Callable[[Unit, Book], Verdict | None]


class Entries:
    """Judges the form `bank_entries`."""

    def __init__(self, *, matcher: Matcher) -> None:
        self._matcher = matcher
        self._checks: tuple[Check, ...] = (
            _not_booked, _other_currency, _amount_unread, _nothing, self._seen_before, self._returned_refund, _outgoing,
            _without_reference, self._reversal, self._bulk, self._receipt,
        )  # fmt: skip

    def wants(self, unit: Unit) -> Wanted:
        """What its texts name, and where the book knows it from."""
        if not _may_move_money(unit):
            return Wanted()
        wanted = self._matcher.wants(texts(unit)) if unit.values["side"] == "CREDIT" else Wanted()
        key, notes = _key(unit, 1), {(FEED, RETURNED, _key(unit, 1))}
        if not unit.values["bank_ref"]:
            notes.add((FEED, OCCURRENCE, _occurrence(unit)))
        wanted |= Wanted(receipts=frozenset({(SOURCE, key)}), notes=frozenset(notes))
        if unit.values["side"] == "DEBIT" and unit.values["is_return"]:
            wanted |= Wanted(marks=frozenset((SOURCE, mark, value) for mark, value in _marks(unit).items()))
        return wanted

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The checks in the order of the document; the first that says something decides."""
        return next(verdict for check in self._checks if (verdict := check(unit, book)) is not None)

    def _seen_before(self, unit: Unit, book: Book) -> Verdict | None:
        """Posted, reversed or put to suspense before: the same again is a duplicate, another amount a conflict."""
        if not unit.values["bank_ref"] and _outgoing(unit, book) is not None:
            return None  # never remembered, and nothing else has its likeness
        key = self._own_key(unit, book, count=True)
        receipt, returned = book.receipt(SOURCE, key), book.note(FEED, RETURNED, key)
        known = [("CREDIT", receipt.amount_pence)] if receipt is not None else []
        known += [("DEBIT", returned.value["pence"])] if returned is not None else []
        if not known:
            return None
        is_same = (unit.values["side"], unit.values["amount_pence"]) in known
        return Verdict.duplicate() if is_same else Verdict.exception("KEY_CONFLICT")

    def _returned_refund(self, unit: Unit, book: Book) -> Verdict | None:
        if unit.values["side"] == "CREDIT" and unit.values["is_return"]:
            return self._suspend(unit, "RETURNED_REFUND", book)
        return None

    def _reversal(self, unit: Unit, book: Book) -> Verdict | None:
        if unit.values["side"] != "DEBIT":
            return None
        pence = unit.values["amount_pence"]
        for mark, value in _marks(unit).items():
            for receipt in book.receipts_marked(SOURCE, mark, value):
                if receipt.amount_pence == pence and money.is_untouched(receipt):
                    return self._take_back(unit, receipt, book)
        return Verdict.exception("REVERSAL_NO_ORIGINAL")

    def _take_back(self, unit: Unit, receipt: Receipt, book: Book) -> Verdict:
        key = self._own_key(unit, book)
        pence = unit.values["amount_pence"]
        book.keep(Note(feed=FEED, kind=RETURNED, key=key, value={"pence": pence, "of": receipt.key}))
        reversal = Reversal(source=SOURCE, key=key, receipt=receipt, amount_pence=-pence, value_date=_day(unit))
        return money.take_back(reversal, book, of=receipt.key, bank_ref=unit.values["bank_ref"])

    def _bulk(self, unit: Unit, book: Book) -> Verdict | None:
        """A credit that sums up a submission whose payments were posted one by one."""
        serial = unit.values["bulk_ref"]
        if unit.values["family"] != ISSUED_DIRECT_DEBITS or not serial:
            return None
        collected = book.receipts_marked(COLLECTIONS, SERIAL, serial)
        if not collected:
            return self._suspend(unit, "BULK_MISMATCH", book)
        if sum(receipt.amount_pence for receipt in collected) != unit.values["amount_pence"]:
            return Verdict.exception("BULK_MISMATCH")
        return Verdict.excluded("BULK_ALREADY_ITEMISED")

    def _receipt(self, unit: Unit, book: Book) -> Verdict:
        if (unit.values["parts"] or 0) > 1 and unit.values["part"] is None:
            return self._suspend(unit, "ENTRY_SPLIT_MISMATCH", book)
        if unit.values["amount_pence"] > HIGHEST:
            return self._suspend(unit, "AMOUNT_RANGE", book)
        if "TEXT_CONTROL_CHAR" in unit.faults:
            return self._suspend(unit, "TEXT_CONTROL_CHAR", book)
        receipt = self._made(unit, book)
        match = self._matcher.match(texts(unit), book)
        return money.receive(receipt, match, book, bank_ref=unit.values["bank_ref"])

    def _suspend(self, unit: Unit, reason: str, book: Book) -> Verdict:
        return money.suspend(self._made(unit, book), reason, book, bank_ref=unit.values["bank_ref"])

    def _made(self, unit: Unit, book: Book) -> Receipt:
        return Receipt(
            source=SOURCE,
            key=self._own_key(unit, book),
            amount_pence=unit.values["amount_pence"],
            value_date=_day(unit),
            marks=_marks(unit),
        )

    def _own_key(self, unit: Unit, book: Book, *, count: bool = False) -> str:
        """What makes two entries the same. Without the bank's reference equal entries of a statement are numbered."""
        if unit.values["bank_ref"]:
            return _key(unit, 1)
        note = book.note(FEED, OCCURRENCE, _occurrence(unit))
        seen = (note.value["count"] if note is not None else 0) + count
        if count:
            book.keep(Note(feed=FEED, kind=OCCURRENCE, key=_occurrence(unit), value={"count": seen}))
        return _key(unit, seen)


def texts(unit: Unit) -> list[str | None]:
    """The texts that may name a debt, in the order of the document; written lines also as if they were one."""
    values = unit.values
    lines = _lines(values["remittance"])
    return [
        *_lines(values["creditor_refs"]),
        values["end_to_end_id"],
        *lines,
        *_lines(values["details"]),
        *_lines(values["entry_details"]),
        *(["".join(lines)] if len(lines) > 1 else []),
    ]


def _not_booked(unit: Unit, _book: Book) -> Verdict | None:
    return None if unit.values["status"] == "BOOK" else Verdict.excluded("NOT_BOOKED")


def _other_currency(unit: Unit, _book: Book) -> Verdict | None:
    return None if unit.values["currency"] == "GBP" else Verdict.exception("CURRENCY")


def _amount_unread(unit: Unit, _book: Book) -> Verdict | None:
    return Verdict.exception("MONEY_FORMAT") if unit.values["amount_pence"] is None else None


def _nothing(unit: Unit, _book: Book) -> Verdict | None:
    return Verdict.excluded("ZERO_AMOUNT") if unit.values["amount_pence"] == 0 else None


def _outgoing(unit: Unit, _book: Book) -> Verdict | None:
    is_outgoing = unit.values["side"] == "DEBIT" and not unit.values["is_return"]
    return Verdict.excluded("OUTGOING_PAYMENT") if is_outgoing else None


def _without_reference(unit: Unit, _book: Book) -> Verdict | None:
    """A notification's entry without the bank's reference could not be told from the statement's."""
    is_notified = unit.values["origin"] == "NOTIFICATION"
    return Verdict.excluded("NO_BANK_REF") if is_notified and not unit.values["bank_ref"] else None


def _may_move_money(unit: Unit) -> bool:
    values = unit.values
    return values["status"] == "BOOK" and bool(values["amount_pence"])


def _key(unit: Unit, occurrence: int) -> str:
    values = unit.values
    if values["bank_ref"]:
        return f"{values['account']}/{values['bank_ref']}/{values['part'] or 1}"
    return f"{values['account']}/-/{_likeness(unit)}/{occurrence}"


def _occurrence(unit: Unit) -> str:
    """Equal entries of one statement are counted together."""
    values = unit.values
    return "|".join((values["account"], values["statement"], _likeness(unit)))


def _likeness(unit: Unit) -> str:
    """A digest of what an entry without the bank's reference is known by."""
    values = unit.values
    day = values["booking_date"] or values["value_date"]
    parts = (day, values["amount_pence"], values["side"], values["is_return"], *texts(unit))
    return hashlib.sha256("\x1f".join("" if part is None else str(part) for part in parts).encode()).hexdigest()[:32]


def _marks(unit: Unit) -> dict[str, str]:
    """By what a receipt is found when it goes back: its reference first, else its text."""
    values = unit.values
    account, found = values["account"], {}
    if values["end_to_end_id"]:
        found[END_TO_END] = f"{account}|{values['end_to_end_id']}"
    text = "\n".join(_remitted(values["creditor_refs"], values["remittance"]))
    if text:
        found[REMITTANCE] = hashlib.sha256(f"{account}|{text}".encode()).hexdigest()
    return found


def _remitted(*texts: str | None) -> Iterator[str]:
    return (text for text in texts if text)


def _day(unit: Unit) -> date:
    day: date = unit.values["value_date"] or unit.values["booking_date"]
    return day


def _lines(text: str | None) -> Sequence[Any]:
    return text.split("\n") if text else ()
