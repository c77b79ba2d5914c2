"""The judge of the connector `cps`: deductions from benefit, recalls, and reasons for none (payments.md §6)."""

from collections.abc import Iterator
from datetime import date, timedelta

from integrationhub.accounts import money
from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note, Receipt, Reversal
from integrationhub.accounts.matching import Match, Matcher
from integrationhub.accounts.owing import is_somebody_elses
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import Options

SOURCE = "CPS"
FEED = "cps"
DEDUCTION, RECALL, NIL = "D", "R", "N"
FUTURE = timedelta(days=31)
_SEEN = "remittance"


class CpsJudge:
    """Judges the form `cps_details`."""

    def __init__(self, *, matcher: Matcher) -> None:
        self._matcher = matcher

    def wants(self, unit: Unit) -> Wanted:
        """What the texts name, the deduction that is recalled, and whether the remittance was seen."""
        original = unit.values["original_remittance"]
        recalled = {(SOURCE, original)} if unit.values["action"] == RECALL and original else ()
        seen = Wanted(receipts=frozenset(recalled), notes=frozenset({(FEED, _SEEN, unit.key)}))
        return seen | self._matcher.wants(_texts(unit)) if unit.values["action"] == DEDUCTION else seen

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The checks of the record in their order; a remittance that was taken is remembered."""
        if "PACKED_INVALID" in unit.faults:
            return Verdict.rejected("PACKED_INVALID")
        seen = book.note(FEED, _SEEN, unit.key)
        if seen is not None:
            same = seen.value["content"] == unit.content
            return Verdict.duplicate() if same else Verdict.exception("KEY_CONFLICT")
        verdict = self._judge_new(unit, book)
        if verdict.fate is Fate.LOADED or verdict.canonical is not None:
            book.keep(Note(feed=FEED, kind=_SEEN, key=unit.key, value={"content": unit.content}))
        return verdict

    def _judge_new(self, unit: Unit, book: Book) -> Verdict:
        fault = next(_faults(unit), None)
        if fault is not None:
            return _set_aside(unit, fault, book)
        flags = ("FUTURE_DATED",) if unit.values["value_date"] > _as_at(unit) + FUTURE else ()
        if unit.values["action"] == NIL:
            return _nothing_deducted(unit, book, flags)
        if unit.values["action"] == RECALL:
            return _recall(unit, book, flags)
        match = self._matcher.match(_texts(unit), book)
        if is_somebody_elses(match, unit.values["nino"]):
            match = Match(reason="NINO_MISMATCH")
        return money.receive(_receipt(unit), match, book, flags=flags)


def _faults(unit: Unit) -> Iterator[str]:
    """What can be said of the record alone."""
    action, pence = unit.values["action"], unit.values["amount_pence"]
    if action not in {DEDUCTION, RECALL, NIL}:
        yield "UNKNOWN_CODE"
    if unit.values["value_date"] is None:
        yield "DATE_INVALID"
    if (pence != 0) if action == NIL else (pence <= 0):
        yield "AMOUNT_RANGE"
    if "TEXT_CONTROL_CHAR" in unit.faults:
        yield "TEXT_CONTROL_CHAR"


def _recall(unit: Unit, book: Book, flags: tuple[str, ...]) -> Verdict:
    original = book.receipt(SOURCE, unit.values["original_remittance"] or "")
    pence = unit.values["amount_pence"]
    if original is None or not money.is_untouched(original) or original.amount_pence != pence:
        return Verdict.exception("REVERSAL_NO_ORIGINAL")
    reversal = Reversal(
        source=SOURCE, key=unit.key, receipt=original, amount_pence=-pence, value_date=unit.values["value_date"]
    )
    return money.take_back(reversal, book, flags=flags, of=original.key)


def _nothing_deducted(unit: Unit, book: Book, flags: tuple[str, ...]) -> Verdict:
    said = {"reason": unit.values["nil_reason"]}
    book.keep(Note(feed=FEED, kind="nil_deduction", key=unit.key, value=said, about=unit.values["debt_reference"]))
    return Verdict.loaded({"type": "nil_deduction", **said}, *flags)


def _set_aside(unit: Unit, reason: str, book: Book) -> Verdict:
    """An exception; money that was deducted goes into suspense."""
    if unit.values["action"] == DEDUCTION and unit.values["amount_pence"] > 0:
        return money.suspend(_receipt(unit), reason, book)
    return Verdict.exception(reason)


def _receipt(unit: Unit) -> Receipt:
    return Receipt(
        source=SOURCE,
        key=unit.key,
        amount_pence=unit.values["amount_pence"],
        value_date=unit.values["value_date"] or _as_at(unit),
        marks={"texts": [text for text in _texts(unit) if text]},
    )


def _as_at(unit: Unit) -> date:
    assert unit.as_at is not None  # a file without one has no sound header
    return unit.as_at


def _texts(unit: Unit) -> list[str | None]:
    return [unit.values["debt_reference"], unit.values["nino"]]


def build(options: Options) -> CpsJudge:
    """The judge."""
    return CpsJudge(matcher=Matcher(synthetic=options.synthetic_identities))
