"""What each column of a schedule is, whatever the employer calls it (employer-deductions.md §1)."""

import re
from collections.abc import Mapping, Sequence

from integrationhub.records import Reason

_IGNORED = re.compile(r"[\s_\-.£/'()]")

VARIANTS = {
    "ORDER-TYPE": ("OrderType", "Type"),
    "NINO": ("NINO", "NI Number", "National Insurance Number", "NINumber"),
    "SURNAME": ("Surname", "Last Name", "FamilyName"),
    "INITIALS": ("Initials", "Forenames", "First Name"),
    "REFERENCE": ("Reference", "DM Reference", "DWP Reference", "Debt Ref", "Case Reference"),
    "PAY-DATE": ("Pay Date", "Date Paid", "Payday"),
    "FREQUENCY": ("Frequency", "Pay Frequency", "Freq"),
    "NET-EARNINGS": ("Net Earnings", "Net Pay", "Attachable Earnings"),
    "OTHER-DEDUCTIONS": ("Other Deductions", "Priority Deductions", "Other Orders"),
    "DEDUCTION": ("Deduction", "Amount", "Amount Deducted", "DEA Amount"),
    "RATE-TYPE": ("Rate Type", "Rate"),
    "REASON": ("Reason", "Reason Code", "No Deduction Reason"),
}
OPTIONAL = frozenset({"ORDER-TYPE", "INITIALS", "OTHER-DEDUCTIONS", "RATE-TYPE", "REASON"})


def _plain(name: str) -> str:
    return _IGNORED.sub("", name).casefold()


_COLUMNS = {_plain(variant): column for column, variants in VARIANTS.items() for variant in variants}


def read_header(cells: Sequence[str]) -> Mapping[str, int] | Reason:
    """The place of each column that is there; unknown columns are left out."""
    places: dict[str, int] = {}
    for place, name in enumerate(cells):
        column = _COLUMNS.get(_plain(name))
        if column is None:
            continue
        if column in places:
            return _invalid(f"two columns are {column}", column)
        places[column] = place
    missing = [column for column in VARIANTS if column not in places and column not in OPTIONAL]
    return _invalid(f"there is no column {missing[0]}", missing[0]) if missing else places


def _invalid(text: str, column: str) -> Reason:
    return Reason(code="HEADER_INVALID", text=text, field=column)
