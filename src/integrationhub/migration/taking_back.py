"""Groups that leave a run again: held for a person, released unmoved, or backed out after they had moved.

Entries are reversed by reversals, mastery goes back to the sources, references are retired for good, and RELEASE tells
the sources; all of a group in one transaction, and the undo is proved before it is committed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import InvariantBroken
from integrationhub.identity import Actor
from integrationhub.migration.cohort import REASONS
from integrationhub.store import transfer_reading as reading
from integrationhub.store import transfer_sources
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Work
from integrationhub.store.worklist import WorklistItem

_RELEASE_DIGIT = 2


def step_row(
    row: Stored,
    step: str,
    outcome: str,
    *,
    actor: Actor,
    at: datetime,
    digest: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """A line of the ledger of steps."""
    return {
        "run_id": row.run_id, "case_group_id": row.case_group_id, "attempt": row.attempt, "step": step, "at": at,
        "taken_by": actor.name, "authenticated": actor.authenticated, "plan_hash": row.plan_hash,
        "digest": digest or row.digest, "outcome": outcome, "reason": reason,
    }  # fmt: skip


def hold(work: Work, row: Stored, code: str, text: str | None, *, actor: Actor, at: datetime) -> None:
    """Hold a group for a person; what was done with it is taken back first."""
    if row.state != "APPROVED":
        take_back(work, [row], state="HELD", reason=code, actor=actor, at=at)
    else:
        work.transfers.set_state(row.run_id, [row.case_group_id], "HELD", at=at, reason=code)
    work.transfers.add_steps([step_row(row, "HOLD", "HELD", actor=actor, at=at, reason=code)])
    _list(work, row, code, text or REASONS.get(code, "the group can't move"), at=at)


def _list(work: Work, row: Stored, code: str, text: str, *, at: datetime) -> None:
    """Put the group on the worklist, at the record of its first case."""
    accepted = reading.cases_of_group(work.connection, row.run_id, row.case_group_id, row.attempt)
    known = {case.case_id for case in accepted} or {*transfer_sources.case_ids_of(work.connection, row.case_group_id)}
    cases = transfer_sources.source_group_of(work.connection, known)
    for case_id, (connector, delivery_id, record_no) in sorted(work.worklist.places(cases).items())[:1]:
        item = WorklistItem(
            exception_id=derive("transfer", row.run_id, row.case_group_id, row.attempt), code=code,
            entity="case_groups", opened_at=at, text=f"transfer held: {text}", connector=connector,
            delivery_id=delivery_id, record_no=record_no, group_id=cases[case_id],
        )  # fmt: skip
        work.worklist.reopen([item])


def take_back(work: Work, rows: Sequence[Any], *, state: str, reason: str, actor: Actor, at: datetime) -> None:
    """Take frozen or moved groups of one run back to their sources and prove it. InvariantBroken: something is left."""
    for row in rows:
        ids, moved = [row.case_group_id], row.state != "FROZEN"
        undone = [_reversal(entry, at) for entry in reading.entries(work.connection, row.run_id, ids)]
        notices = reading.notices_of_group(work.connection, row.run_id, row.case_group_id, row.attempt)
        released = [_release(notice, at) for notice in notices if notice.action == "FREEZE"]
        work.transfers.add_moves({"entries": undone, "notices": released})
        work.transfers.give_mastery_back(row.run_id, ids, at=at)
        work.transfers.retire(row.run_id, ids, at=at)
        step = "BACK_OUT" if moved else "RELEASE"
        work.transfers.add_steps([step_row(row, step, "DONE", actor=actor, at=at, reason=reason)])
        work.transfers.set_state(row.run_id, ids, state, at=at, reason=reason)
    _prove_undone(work, rows)


def _reversal(entry: Stored, at: datetime) -> dict[str, Any]:
    kept = ("run_id", "case_group_id", "attempt", "case_id", "account", "account_kind", "legal_owner", "host_system")
    return {
        "entry_id": derive("transfer reversal", entry.entry_id), **{name: getattr(entry, name) for name in kept},
        "kind": "REVERSAL", "pence": -entry.pence, "suspended_pence": -entry.suspended_pence, "causes": [],
        "effective": at.date(), "recorded_at": at, "reverses": entry.entry_id,
    }  # fmt: skip


def _release(notice: Stored, at: datetime) -> Mapping[str, Any]:
    kept = ("run_id", "case_group_id", "attempt", "case_id", "system")
    number = notice.notice_id // 10 * 10 + _RELEASE_DIGIT
    shared = {name: getattr(notice, name) for name in kept}
    return {"notice_id": number, **shared, "action": "RELEASE", "made_on": at.date()}


def _prove_undone(work: Work, rows: Sequence[Any]) -> None:
    """No account holds anything, no debt is mastered elsewhere, no reference is in use."""
    for run_id in {row.run_id for row in rows}:
        ids = [row.case_group_id for row in rows if row.run_id == run_id]
        sums = reading.balances_of_groups(work.connection, run_id, ids)
        left = sum(abs(int(row.pence)) + abs(int(row.suspended_pence)) for row in sums)
        mastered = reading.open_mastery(work.connection, run_id, ids)
        used = reading.live_references(work.connection, run_id, ids)
        if left or mastered or used:
            raise InvariantBroken(
                f"taking back would leave {left} pence, {mastered} debts, {used} references behind; nothing was done",
                code="BACK_OUT_INCOMPLETE",
                remedy="report this; the groups are as they were",
            )
