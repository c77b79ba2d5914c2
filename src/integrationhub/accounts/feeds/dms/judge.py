"""Judges the records of an extract (debt-manager.md §3, §4): record checks, versions, debts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt
from integrationhub.accounts.feeds.dms.checks import EXCEPTIONS, is_out_of_scope
from integrationhub.accounts.feeds.dms.debts import canonical, debt_of, flags_of
from integrationhub.accounts.feeds.dms.record import Record
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict

_REFERENCE = re.compile(r"DM[0-9]{10}")
_UNREADABLE = frozenset({"PACKED_INVALID", "VALUE_MISSING"})
_NOT_THERE = {"C": "CHANGE_UNKNOWN_DEBT", "D": "DELETE_UNKNOWN_DEBT"}
REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class DebtManagerJudge:
    """A Judge. `synthetic`: test identities are usable."""

    synthetic: bool

    def wants(self, unit: Unit) -> Wanted:
        """The debt itself."""
        ref = unit.values["ref"]
        return Wanted(debts=frozenset({ref} if ref else ()))

    def judge(self, unit: Unit, book: Book) -> Verdict:
        """See `Judge`."""
        record = Record(values=unit.values, faults=unit.faults, synthetic=self.synthetic)
        is_delete = record["action"] == "D"
        if not is_delete and not _UNREADABLE.isdisjoint(unit.faults):
            return Verdict.rejected("PACKED_INVALID")
        if _REFERENCE.fullmatch(record["ref"] or "") is None:
            return Verdict.rejected("DEBT_REF_FORMAT")
        held = book.debt(record["ref"])
        settled = _by_version(record, unit, held)
        if settled is not None:
            return settled
        if is_delete:
            assert held is not None  # or it would be settled
            return _remove(unit, held, book)
        return _load(unit, record, held, book)


def _load(unit: Unit, record: Record, held: Debt | None, book: Book) -> Verdict:
    for reason, fails in EXCEPTIONS:
        if fails(record):
            return Verdict.exception(reason)
    if is_out_of_scope(record):
        return Verdict.excluded("OUT_OF_SCOPE")
    debt = debt_of(unit, record, held)
    book.put(debt)
    return Verdict.loaded(canonical(debt), *_how_it_came(record, held), *flags_of(record, debt.as_at))


def _by_version(record: Record, unit: Unit, held: Debt | None) -> Verdict | None:
    """The verdict where versions alone tell (§4)."""
    if held is None:
        reason = _NOT_THERE.get(record["action"])
        return None if reason is None else Verdict.exception(reason)
    version, before = record["record_version"], int(held.version)
    if version > before:
        return None
    if version < before:
        return Verdict.duplicate("STALE_VERSION")
    return Verdict.duplicate() if unit.content == held.content else Verdict.exception("VERSION_CONFLICT")


def _remove(unit: Unit, held: Debt, book: Book) -> Verdict:
    """Nothing is erased: the debt is marked as removed, and its amounts stay as at the last record that had some."""
    flags = () if book.balance(held) == 0 else ("DELETED_WITH_BALANCE",)
    book.put(replace(held, status=REMOVED, version=str(unit.values["record_version"]), content=unit.content))
    return Verdict.loaded({"type": "debt", "ref": held.ref, "status": REMOVED}, *flags)


def _how_it_came(record: Record, held: Debt | None) -> Iterator[str]:
    if held is None:
        return
    if held.status == REMOVED:
        yield "REVIVED"
    elif record["action"] == "I" and record["file_kind"] != "FULL":
        yield "INSERT_OF_EXISTING"
