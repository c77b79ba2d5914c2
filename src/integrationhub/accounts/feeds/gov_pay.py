"""Card payments of GOV.UK Pay (gov-pay.md): captures, cumulative refunds, settlements. Key: the message's own id.

Units are of the form `card_payments`. Faults: TEXT_CONTROL_CHAR, DATE_INVALID.
"""

from dataclasses import dataclass

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note, Receipt, Reversal
from integrationhub.accounts.matching import Matcher
from integrationhub.accounts.money import receive, take_back
from integrationhub.accounts.once import KEY_CONFLICT, once, seen_key
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.units import Options

SOURCE = "CARD"
REFUND = "CARD_REFUND"
MOST_PENCE = 10_000_000
ANY_PENCE = 999_999_999
"""No amount is farther from nothing (benefits-common.md §2)."""

CAPTURED = "card_payment_captured"
REFUNDED = "card_payment_refunded"
SETTLED = "card_payment_settled"
_NO_MONEY = frozenset({"card_payment_succeeded", "card_payment_failed", "card_payment_expired"})
_SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True, kw_only=True)
class GovPayJudge:
    """Judges webhooks one after the other."""

    matcher: Matcher

    def wants(self, unit: Unit) -> Wanted:
        """See `Judge`."""
        payment = unit.values["payment_id"]
        return self.matcher.wants([unit.values["reference"]]) | Wanted(
            receipts=frozenset({(SOURCE, payment)}),
            notes=frozenset({seen_key(unit), (unit.feed, _SETTLEMENT, payment)}),
        )

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        return once(unit, book, self._judge)

    def _judge(self, unit: Unit, book: Book) -> Verdict:
        checks = (_version, _is_payment, _is_real, _is_money, _text, _amount, _days)
        found = next((verdict for check in checks if (verdict := check(unit)) is not None), None)
        if found is not None:
            return found
        if unit.values["event_type"] == CAPTURED:
            return self._capture(unit, book)
        return _refund(unit, book) if unit.values["event_type"] == REFUNDED else _settle(unit, book)

    def _capture(self, unit: Unit, book: Book) -> Verdict:
        values, payment = unit.values, unit.values["payment_id"]
        known = book.receipt(SOURCE, payment)
        if known is not None:
            same = known.amount_pence == values["amount_pence"]
            return Verdict.duplicate() if same else Verdict.exception(KEY_CONFLICT)
        receipt = Receipt(
            source=SOURCE,
            key=payment,
            amount_pence=values["amount_pence"],
            value_date=values["captured"] or values["created"],
            marks={"payment_id": payment, "total_pence": values["total_pence"]},
        )
        match = self.matcher.match([values["reference"]], book)
        return receive(receipt, match, book, payment_id=payment)


def build(options: Options) -> GovPayJudge:
    """The judge of the feed."""
    return GovPayJudge(matcher=Matcher(synthetic=options.synthetic_identities))


def _version(unit: Unit) -> Verdict | None:
    return None if unit.values["api_version"] == 1 else Verdict.exception("UNSUPPORTED_VERSION")


def _is_payment(unit: Unit) -> Verdict | None:
    return None if unit.values["resource_type"] == "payment" else Verdict.excluded("NOT_A_PAYMENT")


def _is_real(unit: Unit) -> Verdict | None:
    return Verdict.excluded("TEST_PAYMENT") if unit.values["payment_provider"] == "sandbox" else None


def _is_money(unit: Unit) -> Verdict | None:
    event = unit.values["event_type"]
    if event in _NO_MONEY:
        return Verdict.excluded("NOT_MONEY")
    return None if event in {CAPTURED, REFUNDED, SETTLED} else Verdict.exception("UNKNOWN_CODE")


def _text(unit: Unit) -> Verdict | None:
    return Verdict.exception("TEXT_CONTROL_CHAR") if "TEXT_CONTROL_CHAR" in unit.faults else None


def _amount(unit: Unit) -> Verdict | None:
    others = (unit.values[name] or 0 for name in ("total_pence", "submitted_pence"))
    good = 1 <= unit.values["amount_pence"] <= MOST_PENCE and all(abs(pence) <= ANY_PENCE for pence in others)
    return None if good else Verdict.exception("AMOUNT_RANGE")


def _days(unit: Unit) -> Verdict | None:
    return Verdict.exception("DATE_INVALID") if "DATE_INVALID" in unit.faults else None


def _refund(unit: Unit, book: Book) -> Verdict:
    """What was submitted so far, of which only the part that is not recorded yet is new."""
    payment, submitted = unit.values["payment_id"], unit.values["submitted_pence"]
    receipt = book.receipt(SOURCE, payment)
    new = submitted - (0 if receipt is None else receipt.reversed_pence)
    if new <= 0:
        return Verdict.duplicate("STALE_VERSION" if new < 0 else None)
    if receipt is None:
        return Verdict.exception("REFUND_NO_PAYMENT")
    total = receipt.marks.get("total_pence") or unit.values["total_pence"]
    if submitted > (total or receipt.amount_pence):
        return Verdict.exception("AMOUNT_RANGE")
    reversal = Reversal(
        source=REFUND,
        key=f"{payment}/{submitted}",
        receipt=receipt,
        amount_pence=-new,
        value_date=unit.values["created"],
    )
    return take_back(reversal, book, payment_id=payment)


def _settle(unit: Unit, book: Book) -> Verdict:
    payment, settled = unit.values["payment_id"], unit.values["settled"]
    if book.note(unit.feed, _SETTLEMENT, payment) is not None:
        return Verdict.duplicate()
    canonical = {
        "type": "settlement",
        "payment_id": payment,
        "settled_date": None if settled is None else settled.isoformat(),
    }
    book.keep(Note(feed=unit.feed, kind=_SETTLEMENT, key=payment, value=canonical))
    return Verdict.loaded(canonical)
