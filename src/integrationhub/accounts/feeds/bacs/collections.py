"""Lines of a Standard 18 submission: collections are receipts, all else is counted and left alone (payments.md §1)."""

from datetime import date

from integrationhub.accounts import money
from integrationhub.accounts.book import Book
from integrationhub.accounts.calendar import Calendar
from integrationhub.accounts.entries import Receipt
from integrationhub.accounts.matching import Matcher
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.messages import Fate

SOURCE = "BACS_COLLECTION"
CREDIT = "99"
COLLECTED = frozenset({"01", "17", "18", "19"})
_OTHER = {CREDIT: "OUTGOING_PAYMENT", **dict.fromkeys(("0N", "0C", "0S"), "INSTRUCTION")}
_CONTRA = "CONTRA"
_BY_CONTRA = frozenset({CREDIT, "17"})
"""Codes with which the other side of a submission is written."""

MARK = "returned_as"
"""The mark of a collection by which an unpaid item finds it again; see `returned_as`."""


def returned_as(reference: str, processing_date: date, pence: int) -> str:
    """What an unpaid item says of the collection that it takes back: reference, day of processing, amount."""
    return f"{reference}|{processing_date.isoformat()}|{pence}"


def is_contra(code: str, reference: str) -> bool:
    """Whether a line is the other side of the submission, on our own account."""
    return code in _BY_CONTRA and reference.startswith(_CONTRA)


def is_collection(code: str, reference: str) -> bool:
    """Whether a line takes money from a payer."""
    return code in COLLECTED and not is_contra(code, reference)


class Collections:
    """Judges the form `bacs_lines`."""

    def __init__(self, *, matcher: Matcher, calendar: Calendar) -> None:
        self._matcher = matcher
        self._calendar = calendar

    def wants(self, unit: Unit) -> Wanted:
        """The debts that the reference names, and whether the line has been posted."""
        if not is_collection(unit.values["code"], _reference(unit)):
            return Wanted()
        posted = Wanted(receipts=frozenset({(SOURCE, unit.key)}))
        return self._matcher.wants([unit.values["reference"]]) | posted

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """By transaction code first; only a collection is money that arrives."""
        reference = _reference(unit)
        left_alone = _left_alone(unit.values["code"], reference, unit.values["amount_pence"])
        if left_alone is not None:
            return left_alone
        if book.receipt(SOURCE, unit.key) is not None:
            return Verdict.duplicate()
        return self._collect(unit, reference, book)

    def _collect(self, unit: Unit, reference: str, book: Book) -> Verdict:
        day, pence = unit.values["processing_date"], unit.values["amount_pence"]
        submitted: date = day or unit.values["file_date"]
        receipt = Receipt(
            source=SOURCE,
            key=unit.key,
            amount_pence=pence,
            value_date=self._calendar.next_working_day(submitted),
            marks={
                "reference": reference,
                "serial": unit.key.partition("/")[0],
                MARK: returned_as(reference, submitted, pence),
            },
        )
        for fault in ("DATE_INVALID", "TEXT_CONTROL_CHAR"):
            if fault in unit.faults:
                return money.suspend(receipt, fault, book, reference=reference)
        return money.receive(receipt, self._matcher.match([reference], book), book, reference=reference)


def _left_alone(code: str, reference: str, pence: int | None) -> Verdict | None:
    """What becomes of a line that is no money from a payer; None for one that is. A balance has no amount."""
    if is_contra(code, reference):
        return Verdict(fate=Fate.EXCLUDED, reason="CONTRA", listed=False)
    if pence is None:
        return Verdict.excluded("BALANCE_RECORD")
    if code not in COLLECTED:
        why = _OTHER.get(code)
        return Verdict.excluded(why) if why else Verdict.exception("UNKNOWN_CODE")
    return Verdict.excluded("ZERO_AMOUNT") if pence == 0 else None


def _reference(unit: Unit) -> str:
    return unit.values["reference"] or ""
