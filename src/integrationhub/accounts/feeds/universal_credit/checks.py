"""The checks of a payload behind its version (universal-credit.md §7, 5 to 12), in the document's order."""

from collections.abc import Callable

from integrationhub.accounts.feeds.universal_credit.message import Message
from integrationhub.accounts.nino import Worth, worth

LARGEST = 999_999_999
"""Pence of the largest amount that anybody owes (benefits-common.md §2)."""

DEBTS = frozenset({"debt", "advance"})
AMOUNTS = (
    "original_pence", "recovered_pence", "source_balance_pence", "amount_pence", "deductions_pence", "advances_pence",
    "payment_pence",
)  # fmt: skip
_DAY_NEEDED = {"advance": "decision_date", "deduction": "deducted"}

Check = Callable[[Message], bool]
"""Whether a message fails."""


def is_invalid(message: Message) -> bool:
    """A value that must be there and isn't, has another type or is none of its list."""
    return message.trouble == "PAYLOAD_INVALID"


def has_control_characters(message: Message) -> bool:
    """A control character in a text."""
    return "TEXT_CONTROL_CHAR" in message.faults


def is_no_money(message: Message) -> bool:
    """An amount that is missing where one must be, or written otherwise than amounts are."""
    return bool(message.faults & {"MONEY_FORMAT", "VALUE_MISSING"})


def is_out_of_range(message: Message) -> bool:
    """An amount that nobody owes, or a negative one where there is none."""
    said = message.said
    if any(abs(said.get(name) or 0) > LARGEST for name in AMOUNTS):
        return True
    if message.collection == "deduction":
        return bool(said["amount_pence"] <= 0)
    return message.collection in DEBTS and (said["original_pence"] < 0 or said["recovered_pence"] < 0)


def has_bad_date(message: Message) -> bool:
    """A day of no calendar, a hold from nowhen, or none where one must be."""
    if "DATE_INVALID" in message.faults or any(hold["start"] is None for hold in message.holds):
        return True
    needed = _DAY_NEEDED.get(message.collection)
    return needed is not None and message.said[needed] is None


def has_bad_nino(message: Message) -> bool:
    """A number that is none; one that is only temporary is none either, unless a department gave it out."""
    number: str | None = message.said.get("nino")
    if number is None:
        return False
    return number.startswith("TN") or worth(number, synthetic=message.synthetic) is Worth.MALFORMED


def does_not_balance(message: Message) -> bool:
    """The balance is not what the amounts leave; of a debt that is written off, the next check asks."""
    said = message.said
    if message.collection not in DEBTS or said["status"] == "WRITTEN_OFF":
        return False
    return bool(said["source_balance_pence"] != said["original_pence"] - said["recovered_pence"])


def is_closed_with_balance(message: Message) -> bool:
    """Cleared or written off, and not at nothing."""
    if message.collection not in DEBTS:
        return False
    return message.said["status"] in {"CLEARED", "WRITTEN_OFF"} and message.said["source_balance_pence"] != 0


EXCEPTIONS: tuple[tuple[str, Check], ...] = (
    ("PAYLOAD_INVALID", is_invalid),
    ("TEXT_CONTROL_CHAR", has_control_characters),
    ("MONEY_FORMAT", is_no_money),
    ("AMOUNT_RANGE", is_out_of_range),
    ("DATE_INVALID", has_bad_date),
    ("NINO_FORMAT", has_bad_nino),
    ("BALANCE_MISMATCH", does_not_balance),
    ("STATUS_BALANCE", is_closed_with_balance),
)
"""Reason and check; the first that fails is the reason."""
