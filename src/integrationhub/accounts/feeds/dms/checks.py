"""The checks of a record behind its version (debt-manager.md §3, 4 to 13), in the document's order."""

from collections.abc import Callable

from integrationhub.accounts.feeds.dms.record import Record
from integrationhub.accounts.nino import Worth, same_person, worth

LARGEST = 999_999_999
"""Pence of the largest amount that anybody owes (benefits-common.md §2)."""

MOST_HOLDS = 4
MOST_JOINT = 2
WHOLE = 10_000
"""All of a debt, in hundredths of a percent."""

AMOUNTS = ("original_pence", "adjusted_pence", "recovered_pence", "written_off_pence", "source_balance_pence")
NEVER_NEGATIVE = ("original_pence", "recovered_pence", "written_off_pence", "rate_pence")

NO_CAUSE = "NONE"
_CAUSE_NEEDED = {"OVERPAYMENT": True, "ADVANCE": False, "SOCIAL_FUND_LOAN": False}
"""Whether a kind of debt must or may not have a cause; others may."""

Check = Callable[[Record], bool]
"""Whether a record fails."""


def has_fault(code: str) -> Check:
    """A check that fails where a value had that fault when it was read."""
    return lambda record: code in record.faults


def has_unknown_code(record: Record) -> bool:
    """A code that no list has, more holds or joint debtors than there is room for, a cause where none may be."""
    if "UNKNOWN_CODE" in record.faults or record["hold_count"] > MOST_HOLDS or record["joint_count"] > MOST_JOINT:
        return True
    needed = _CAUSE_NEEDED.get(record["debt_type"])
    return needed is not None and needed != (record["cause"] != NO_CAUSE)


def has_bad_date(record: Record) -> bool:
    """A date of no calendar, a hold from nowhen, an end before its beginning."""
    if "DATE_INVALID" in record.faults or any(row["start"] is None for row in record.listed_holds):
        return True
    return _turns_back(record, "period_from", "period_to") or _turns_back(record, "dob", "dod")


def _turns_back(record: Record, first: str, last: str) -> bool:
    start, end = record[first], record[last]
    return start is not None and end is not None and end < start


def has_bad_nino(record: Record) -> bool:
    """A number that is not what its status says, or a joint debtor's that is none."""
    return not _fits_status(record) or any(
        person.nino is not None and worth(person.nino, synthetic=record.synthetic) is Worth.MALFORMED
        for person in record.joint
    )


def _fits_status(record: Record) -> bool:
    number: str | None = record["nino"]
    if record["nino_status"] == "NONE" or number is None:
        return record["nino_status"] == "NONE" and number is None
    wanted = Worth.TEMPORARY if record["nino_status"] == "TEMPORARY" else Worth.USABLE
    return worth(number, synthetic=record.synthetic) is wanted


def is_out_of_range(record: Record) -> bool:
    """An amount that nobody owes, or a negative one where there is none."""
    return any(record[name] < 0 for name in NEVER_NEGATIVE) or any(abs(record[name]) > LARGEST for name in AMOUNTS)


def does_not_balance(record: Record) -> bool:
    """The balance is not what the amounts leave (§2)."""
    original, adjusted, recovered, written_off, balance = (record[name] for name in AMOUNTS)
    return bool(balance != original + adjusted - recovered - written_off)


def is_closed_with_balance(record: Record) -> bool:
    """Cleared or written off, and not at nothing."""
    return record["status"] in {"CLEARED", "WRITTEN_OFF"} and record["source_balance_pence"] != 0


def shares_too_much(record: Record) -> bool:
    """Joint debtors owe more than the whole."""
    return sum(person.share for person in record.joint) > WHOLE


def is_joint_with_self(record: Record) -> bool:
    """The same person is liable twice."""
    numbers = [record["nino"], *(person.nino for person in record.joint)]
    return any(same_person(one, other) for place, one in enumerate(numbers) for other in numbers[place + 1 :])


EXCEPTIONS: tuple[tuple[str, Check], ...] = (
    ("UNKNOWN_CODE", has_unknown_code),
    ("TEXT_CONTROL_CHAR", has_fault("TEXT_CONTROL_CHAR")),
    ("DATE_INVALID", has_bad_date),
    ("NINO_FORMAT", has_bad_nino),
    ("AMOUNT_RANGE", is_out_of_range),
    ("BALANCE_MISMATCH", does_not_balance),
    ("STATUS_BALANCE", is_closed_with_balance),
    ("JOINT_SHARE", shares_too_much),
    ("JOINT_SELF", is_joint_with_self),
)
"""Reason and check; the first that fails is the reason."""


def is_out_of_scope(record: Record) -> bool:
    """Housing benefit of a local authority (§3, 13)."""
    return record["benefit"] == "HB" and str(record["office"]).startswith("L")
