"""Worklist entries of exceptional cases: one a case and code, with evidence, owner and next action.

An entry is closed by itself when a later file makes the case sound; when the same fault comes back, it opens again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrationhub.arrears.judgement import JudgedCase
from integrationhub.arrears.verdict import EXCEPTION
from integrationhub.canonical.identifiers import derive
from integrationhub.store.case_events import CaseEvents
from integrationhub.store.unit_of_work import Work
from integrationhub.store.worklist import ItemState, WorklistItem

TOLD_BY_INTAKE = frozenset({"DE"})
"""Codes whose entry was opened when the file was taken in, with record and field."""

OF_EVENTS = ("EV", "EVENT_TARGET_UNKNOWN")
"""Codes of entries that change events open, with the opaque identifier of their case as reference."""

NEXT_ACTION: Mapping[str, tuple[str, str]] = {
    "E01": ("assessments", "establish the assessment that the charge was made from"),
    "E02": ("receipts", "ask the payer which case and payee the money was for"),
    "E03": ("clerical", "decide which book holds the case and close it in the other"),
    "E04": ("case records", "compare the two cases and withdraw one"),
    "E05": ("assessments", "establish what was due in the days concerned"),
    "E06": ("case records", "find the missing date in the case papers"),
    "E07": ("accounts", "reconcile header and ledger with the archived transactions"),
    "E08": ("accounts", "establish which part is suspended, and by whose decision"),
    "E09": ("case records", "obtain the benefit periods of the parent with care"),
    "E10": ("case records", "find the case that the money or the people belong to"),
    "E11": ("case records", "establish when the relationship ended"),
}
"""Code → who deals with it, and what is to be done next."""


def exception_id(case_id: str, code: str) -> str:
    """The entry of a case and code; the same whenever the fault comes up."""
    return derive("exception", "arrears", case_id, code)


def worklist_changes(work: Work, judged: Iterable[JudgedCase], before: Mapping[str, Any], *, now: datetime) -> None:
    """Open entries of cases that are exceptions now, close those of cases that were. `before`: the last verdicts."""
    opened: list[WorklistItem] = []
    held = (row for row in before.values() if row.outcome == EXCEPTION)
    gone = {(row.case_id, code) for row in held for code in row.causes if code not in TOLD_BY_INTAKE}
    exceptional = [case for case in judged if case.exceptions]
    places = work.worklist.places({case.case_id for case in exceptional})
    for case in exceptional:
        for code, evidence in case.exceptions:
            if code in TOLD_BY_INTAKE:
                continue
            if (case.case_id, code) in gone:
                gone.discard((case.case_id, code))
            else:
                opened.append(_item(case, code, evidence, places[case.case_id], now))
    work.worklist.reopen(opened)
    if gone:
        identifiers = sorted(exception_id(*key) for key in gone)
        work.worklist.resolve(identifiers, at=now, resolution="a later record of the case has removed the fault")


def close_overtaken(work: Work, *, now: datetime) -> int:
    """Close entries that a change event opened once the case's book contains the event; how many."""
    waiting = {item.exception_id: item for item in work.worklist.of_codes(OF_EVENTS) if item.source_ref}
    if not waiting:
        return 0
    cases = {str(item.source_ref) for item in waiting.values()}
    contained = CaseEvents(work.connection).contained(cases)
    over = {derive("worklist", code, *event) for code in OF_EVENTS for event in contained} & waiting.keys()
    return work.worklist.resolve(sorted(over), at=now, resolution="a later book of the case contains the event")


def _item(case: JudgedCase, code: str, evidence: str, place: tuple[str, str, int], now: datetime) -> WorklistItem:
    connector, delivery_id, record_no = place
    owner, action = NEXT_ACTION[code]
    return WorklistItem(
        exception_id=exception_id(case.case_id, code),
        code=code,
        entity="cases",
        source_ref=case.reference,
        owner=owner,
        opened_at=now,
        state=ItemState.OPEN,
        text=f"{evidence}. Next: {action}.",
        connector=connector,
        delivery_id=delivery_id,
        record_no=record_no,
    )
