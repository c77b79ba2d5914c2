"""A statement of an account, whatever it was written in: what it says of itself, and whether its entries agree with it.

All amounts are exact (`amounts.SCALE`), balances signed; what a statement doesn't say is None.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrationhub.decode.bank.amounts import TO_PENCE
from integrationhub.decode.bank.totals import Totals
from integrationhub.records import Reason
from integrationhub.sdk.units import ControlFact

BALANCE_MISMATCH = "BALANCE_MISMATCH"
CONTROL_COUNT = "CONTROL_COUNT"
CONTROL_TOTAL = "CONTROL_TOTAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What a statement says of itself. `faults`: sentences about what is there and can't be read."""

    account: str | None
    reference: str | None
    sequence: int | None = None
    page: int = 1
    is_last: bool = True
    opening: int | None = None
    previous: int | None = None  # closing balance of the statement before
    closing: int | None = None
    count: int | None = None
    total: int | None = None
    credit: int | None = None
    debit: int | None = None
    faults: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Statement:
    """A statement, or a page of one, with what its entries come to."""

    heading: Heading
    totals: Totals

    def lacks(self, *, is_numbered: bool) -> Iterator[str]:
        """What was agreed and isn't there."""
        heading = self.heading
        if heading.account is None:
            yield "the account is missing"
        if heading.reference is None:
            yield "the statement's Id is missing"
        if is_numbered:
            if heading.sequence is None:
                yield "the statement's sequence number is missing"
            if heading.page == 1 and heading.opening is None:
                yield "the opening balance is missing"
            if heading.is_last and heading.closing is None:
                yield "the closing balance is missing"

    def sum_controls(self) -> list[ControlFact]:
        """The counts and sums that the statement states, amounts in pence."""
        heading, totals = self.heading, self.totals
        sums = {"sum": (heading.total, totals.credit + totals.debit)}
        sums |= {"credits": (heading.credit, totals.credit), "debits": (heading.debit, totals.debit)}
        stated = (
            [] if heading.count is None else [ControlFact(name="entries", expected=heading.count, actual=totals.count)]
        )
        return stated + [
            ControlFact(name=name, expected=_pence(expected), actual=_pence(actual))
            for name, (expected, actual) in sums.items()
            if expected is not None
        ]

    def sum_fault(self) -> Reason | None:
        """The first count or sum that isn't what was stated."""
        heading, totals = self.heading, self.totals
        if heading.count not in {None, totals.count}:
            return Reason(code=CONTROL_COUNT, text=f"{totals.count} entries, {heading.count} are stated")
        stated = (
            ("sum of the entries", heading.total, totals.credit + totals.debit),
            ("sum of the credits", heading.credit, totals.credit),
            ("sum of the debits", heading.debit, totals.debit),
        )
        wrong = next((name for name, expected, actual in stated if expected not in {None, actual}), None)
        return None if wrong is None else Reason(code=CONTROL_TOTAL, text=f"the {wrong} is not what is stated")

    def balance(self) -> tuple[int, int] | None:
        """The closing balance as stated, and as the entries make it; None where either balance isn't stated."""
        opening = self.heading.opening if self.heading.opening is not None else self.heading.previous
        if opening is None or self.heading.closing is None:
            return None
        return self.heading.closing, opening + self.totals.net

    def balance_control(self) -> ControlFact | None:
        """The control `statement balance`, in pence."""
        balance = self.balance()
        if balance is None:
            return None
        stated, made = balance
        return ControlFact(name="statement balance", expected=_pence(stated), actual=_pence(made))

    def balance_fault(self) -> Reason | None:
        """Whether opening balance and booked entries don't make the closing balance."""
        balance = self.balance()
        if balance is None or balance[0] == balance[1]:
            return None
        return Reason(code=BALANCE_MISMATCH, text="the opening balance and the entries don't make the closing balance")

    def controls(self) -> list[ControlFact]:
        """Everything that the statement states and its entries prove."""
        balance = self.balance_control()
        return [*self.sum_controls(), *([] if balance is None else [balance])]

    def for_judge(self) -> Mapping[str, Any]:
        """What the judge needs to put pages together and to chain statements."""
        heading = self.heading
        return {
            "statement": heading.reference,
            "account": heading.account,
            "number": heading.sequence,
            "page": heading.page,
            "last": heading.is_last,
            "opening": heading.opening,
            "closing": heading.closing,
            "net": self.totals.net,
            "entries": self.totals.count,
        }


def alone(made: list[Statement]) -> tuple[Reason | None, list[ControlFact]]:
    """What statements say by their public standard alone: the first fault, and their controls."""
    faults = [fault for item in made for fault in (item.sum_fault(), item.balance_fault()) if fault is not None]
    sums = [control for item in made for control in item.sum_controls()]
    balances = [control for item in made if (control := item.balance_control()) is not None]
    return next(iter(faults), None), sums + balances


def _pence(amount: int) -> int:
    """Hundredths; what is finer is cut off."""
    return amount // TO_PENCE if amount >= 0 else -(-amount // TO_PENCE)
