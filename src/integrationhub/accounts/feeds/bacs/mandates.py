"""What banks say of direct debit instructions (ADDACS, AUDDIS): the mandate's new status (payments.md §2)."""

from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Note
from integrationhub.accounts.feeds.bacs.returns import DEATH_NOTIFIED, note_death
from integrationhub.accounts.matching import Match, Matcher
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict

_FEED = "bacs"
_RECORD_TYPES = {"ADDACS": "A", "AUDDIS": "N"}
_FILE_REPORTS = frozenset({"AUDACC", "AUDREJ"})
_DECEASED = "2"
_STATUS = {
    "ADDACS": {
        "0": "CANCELLED", "1": "CANCELLED", "2": "CANCELLED", "3": "TRANSFERRED", "C": "TRANSFERRED", "B": "CLOSED",
        "D": "DISPUTED", "E": "AMENDED", "R": "REINSTATED",
    },
    "AUDDIS": {
        "1": "CANCELLED", "2": "CANCELLED", "3": "TRANSFERRED", "C": "TRANSFERRED", "B": "CLOSED",
        **dict.fromkeys("567FGHIKLMNOPQ", "NOT_ACCEPTED"),
    },
}  # fmt: skip
"""Reason code → status of the mandate, by advice type."""

_BANK_DETAILS = ("payer_name", "payer_sort_code", "payer_account", "new_sort_code", "new_account")


class Mandates:
    """Judges the form `bacs_advices`."""

    def __init__(self, *, matcher: Matcher) -> None:
        self._matcher = matcher

    def wants(self, unit: Unit) -> Wanted:
        """What the reference names."""
        return self._matcher.wants([unit.values["reference"]])

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """By advice type, then whose mandate it is, then the reason."""
        values = unit.values
        advice = values["advice_type"]
        if advice in _FILE_REPORTS:
            return Verdict.excluded("FILE_REPORT")
        if _RECORD_TYPES.get(advice) != values["record_type"]:
            return Verdict.exception("UNKNOWN_CODE")
        for fault in ("TEXT_CONTROL_CHAR", "DATE_INVALID"):
            if fault in unit.faults:
                return Verdict.exception(fault)
        match = self._matcher.match([values["reference"]], book)
        if match.reason is not None:
            return Verdict.exception(match.reason)
        status = _STATUS[advice].get(values["reason_code"] or "")
        if status is None:
            return Verdict.exception("UNKNOWN_CODE")
        return _note(unit, match, status, book)


def _note(unit: Unit, match: Match, status: str, book: Book) -> Verdict:
    values = unit.values
    target = {"debt_ref": match.debt.ref} if match.debt else {"case_ref": match.case.ref if match.case else None}
    (about,) = target.values()
    day = values["effective_date"]
    said: dict[str, Any] = {"mandate_status": status, "effective_date": day and day.isoformat()}
    if values["reason_code"] == _DECEASED:
        said["life_event"] = DEATH_NOTIFIED
        note_death(unit, about, book)
    details = {name: values[name] for name in _BANK_DETAILS if values.get(name)}
    book.keep(Note(feed=_FEED, kind="mandate", key=unit.key, value={**said, **details}, about=about))
    return Verdict.loaded({"type": "mandate", **target, **said})
