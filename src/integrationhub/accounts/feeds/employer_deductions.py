"""The judge of the connector `employer-deductions`: rows of deduction schedules (employer-deductions.md §3).

A row with a deduction is money that the employer took. Whatever is wrong with it, the money is kept: in suspense.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from integrationhub.accounts import money, nino
from integrationhub.accounts.book import Book
from integrationhub.accounts.earnings import Rates, attachable
from integrationhub.accounts.entries import Note, Receipt
from integrationhub.accounts.matching import Match, Matcher
from integrationhub.accounts.owing import is_somebody_elses
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.sdk.units import Options

SOURCE = "EMPLOYER"
FEED = "employer-deductions"
DEA = "DEA"
LARGEST = 999_999_999
"""Pence of the largest single amount (benefits-common.md §2)."""

LEFT, BELOW_THRESHOLD = "LE", "BT"
EMPLOYMENT_ENDED = "EMPLOYMENT_ENDED"
EVALUATED = ("=", "+", "@", "-", "\t", "\r")
"""How texts begin that a spreadsheet would evaluate."""

_TEXTS = ("surname", "initials", "reference")
_MONEY = ("net_earnings_pence", "other_deductions_pence", "deduction_pence")


class _Worked(NamedTuple):
    """What the rules make of a row's earnings. `expected` is None for a DEO, whose order fixes the amount."""

    most: int
    expected: int | None


class EmployerJudge:
    """Judges the form `deduction_rows`."""

    def __init__(self, *, matcher: Matcher, rates: Rates) -> None:
        self._matcher = matcher
        self._rates = rates

    def wants(self, unit: Unit) -> Wanted:
        """What reference and number name, and whether the row has been posted."""
        return self._matcher.wants(_texts(unit)) | Wanted(receipts=frozenset({(SOURCE, unit.key)}))

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """The fourteen checks in their order."""
        if book.receipt(SOURCE, unit.key) is not None:
            return Verdict.duplicate()
        worked = next(self._faults(unit), None) or self._work_out(unit) or "NO_RATE"
        if isinstance(worked, str):
            return _set_aside(unit, worked, book)
        if unit.values["deduction_pence"] == 0:
            return _nothing_taken(unit, worked, book)
        if unit.values["same_as_row"] is not None:
            return _set_aside(unit, "POSSIBLE_DUPLICATE", book)
        if unit.values["deduction_pence"] > worked.most + 1:
            return _set_aside(unit, "PROTECTED_EARNINGS", book)
        return self._receive(unit, worked, book)

    def _faults(self, unit: Unit) -> Iterator[str]:
        """Checks 1 to 8: what can be said of the row alone."""
        values, faults = unit.values, unit.faults
        if "FIELD_COUNT" in faults:
            yield "FIELD_COUNT"
        if any((values[name] or "").startswith(EVALUATED) for name in _TEXTS):
            yield "TEXT_FORMULA"
        if "TEXT_CONTROL_CHAR" in faults:
            yield "TEXT_CONTROL_CHAR"
        if "UNKNOWN_CODE" in faults or values["frequency"] is None:
            yield "UNKNOWN_CODE"
        if "MONEY_FORMAT" in faults:
            yield "MONEY_FORMAT"
        if "AMOUNT_RANGE" in faults or any(not 0 <= (values[name] or 0) <= LARGEST for name in _MONEY):
            yield "AMOUNT_RANGE"
        if _pay_date(unit) is None:
            yield "DATE_INVALID"
        if nino.worth(nino.compact(values["nino"] or ""), synthetic=self._matcher.synthetic) is not nino.Worth.USABLE:
            yield "NINO_FORMAT"

    def _work_out(self, unit: Unit) -> _Worked | None:
        """None where no rates are valid on the pay date."""
        values = unit.values
        most = attachable(values["net_earnings_pence"], values["other_deductions_pence"] or 0)
        if values["order_type"] != DEA:
            return _Worked(most=most, expected=None)
        table = self._rates.on(values["pay_date"])
        if table is None:
            return None
        net, frequency, rate = values["net_earnings_pence"], values["frequency"], values["rate_type"]
        return _Worked(most=most, expected=min(table.rated(net, frequency=frequency, rate=rate), most))

    def _receive(self, unit: Unit, worked: _Worked, book: Book) -> Verdict:
        shown: dict[str, Any] = {} if worked.expected is None else {"expected_pence": worked.expected}
        match = self._matcher.match(_texts(unit), book)
        if is_somebody_elses(match, unit.values["nino"]):
            match = Match(reason="NINO_MISMATCH")
        flags = _flags(unit.values["deduction_pence"], worked.expected)
        return money.receive(_receipt(unit), match, book, flags=flags, **shown)


def _nothing_taken(unit: Unit, worked: _Worked, book: Book) -> Verdict:
    reason = unit.values["reason"]
    if reason is None:
        return Verdict.exception("NIL_NO_REASON")
    said = {"reason": reason, **({"life_event": EMPLOYMENT_ENDED} if reason == LEFT else {})}
    about = nino.compact(unit.values["nino"])
    book.keep(Note(feed=FEED, kind="nil_deduction", key=unit.key, value=said, about=about))
    too_little = reason == BELOW_THRESHOLD and (worked.expected or 0) > 0
    return Verdict.loaded({"type": "nil_deduction", **said}, *(["UNDER_DEDUCTED"] if too_little else []))


def _flags(taken: int, expected: int | None) -> tuple[str, ...]:
    if expected is None or taken == expected:
        return ()
    if abs(taken - expected) == 1:
        return ("ROUNDING",)
    return ("OVER_DEDUCTED",) if taken > expected else ("UNDER_DEDUCTED",)


def _set_aside(unit: Unit, reason: str, book: Book) -> Verdict:
    """An exception; money that was taken goes into suspense."""
    taken = unit.values["deduction_pence"]
    if taken is None or taken <= 0:
        return Verdict.exception(reason)
    return money.suspend(_receipt(unit), reason, book)


def _receipt(unit: Unit) -> Receipt:
    assert unit.as_at is not None  # the date in the file's name
    return Receipt(
        source=SOURCE,
        key=unit.key,
        amount_pence=unit.values["deduction_pence"],
        value_date=_pay_date(unit) or unit.as_at,
        marks={"texts": [text for text in _texts(unit) if text]},
    )


def _pay_date(unit: Unit) -> date | None:
    """The pay date, unless it is none, or later than the file's."""
    paid: date | None = unit.values["pay_date"]
    return paid if paid is not None and unit.as_at is not None and paid <= unit.as_at else None


def _texts(unit: Unit) -> list[str | None]:
    return [unit.values["reference"], nino.compact(unit.values["nino"] or "") or None]


def build(options: Options) -> EmployerJudge:
    """The judge with the rates that the connector brings."""
    rates = Rates.parse(options.text(options.values["rates"]))
    return EmployerJudge(matcher=Matcher(synthetic=options.synthetic_identities), rates=rates)
