"""Approval of a wave: by a second person, for one rehearsal that passed, of this very plan, policy and code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict, NotAllowed
from integrationhub.identity import Actor
from integrationhub.migration.cohort import Member
from integrationhub.migration.handling import Handling
from integrationhub.migration.rehearsal import PASSED, approved_rows, next_serial, put
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An approval as it was kept; `is_new` is False where the same rehearsal was approved before."""

    wave: str
    approved_by: str
    groups: int
    first_serial: int
    last_serial: int
    is_new: bool


def approve(handling: Handling, actor: Actor, wave: str, reason: str) -> Approved:
    """Approve the newest rehearsal of a wave under the plan's present hash.

    Conflict: none has passed, or the wave has unmoved groups under way. NotAllowed: the actor rehearsed it, or last
    changed the plan.
    """
    with handling.store.exclusive("transfer-approvals"), handling.store.begin() as work:
        run = handling.run(work.connection)
        rehearsal = passed_rehearsal(handling, work.connection, run, wave)
        _second_person(handling, work.connection, run, wave, actor)
        known = reading.approval_of(work.connection, rehearsal.rehearsal_id)
        groups = reading.rehearsed_groups(work.connection, rehearsal.rehearsal_id)
        if known is not None:
            return _told(known._asdict(), len(groups), is_new=False)
        approval = _keep(handling, work, rehearsal, groups=groups, actor=actor, reason=reason)
        handling.checkpoint("before approval")
        work.commit()
    return approval


def passed_rehearsal(handling: Handling, connection: Reading, run: Stored, wave: str) -> Stored:
    """The newest rehearsal of a wave that passed under this plan hash; Conflict says what is missing."""
    found = reading.rehearsals(connection, run.run_id, wave)
    now = next((row for row in found if row.plan_hash == handling.bound.hash), None)
    again = f"run: integrationhub migrate rehearse {handling.bound.name} --wave {wave}"
    if not found:
        raise Conflict(f"wave {wave} was never rehearsed", code="NOT_REHEARSED", remedy=again)
    if now is None:
        raise Conflict(
            f"plan, policy, mapping or code have changed since wave {wave} was rehearsed",
            code="PLAN_CHANGED",
            remedy=again,
        )
    if now.verdict != PASSED:
        raise Conflict(f"the last rehearsal of wave {wave} has failed", code="REHEARSAL_FAILED", remedy=again)
    return now


def _second_person(handling: Handling, connection: Reading, run: Stored, wave: str, actor: Actor) -> None:
    mine = [
        row
        for row in reading.rehearsals(connection, run.run_id, wave)
        if row.plan_hash == handling.bound.hash and actor.is_same_as(row.rehearsed_by)
    ]
    planner = actor.is_same_as(handling.bound.plan.plan.changed_by)
    if mine or planner:
        raise NotAllowed(
            f"{actor.name} has {'rehearsed this wave' if mine else 'last changed this plan'} and may not approve it",
            code="SELF_APPROVAL",
            remedy=f"let a second person run: integrationhub migrate approve {handling.bound.name} --wave {wave} "
            "--as WHO --reason TEXT",
        )


def _keep(
    handling: Handling, work: Work, rehearsal: Stored, *, groups: list[Stored], actor: Actor, reason: str
) -> Approved:
    now = handling.clock()
    orders = handling.orders(rehearsal, rehearsal.as_at, actor)
    members = [
        Member(group_id=row.case_group_id, segment=row.segment, told=row.told, members=row.members, digest=row.digest,
               row={"cases": row.cases})
        for row in groups
    ]  # fmt: skip
    approval_id = derive("approval", rehearsal.rehearsal_id)
    first = next_serial(work, orders)
    rows = approved_rows(work, rehearsal.wave, members, orders, approval_id=approval_id, at=now)
    approval = {
        "approval_id": approval_id, "rehearsal_id": rehearsal.rehearsal_id, "run_id": rehearsal.run_id,
        "wave": rehearsal.wave, "plan_hash": rehearsal.plan_hash, "changed_by": rehearsal.changed_by,
        "rehearsed_by": rehearsal.rehearsed_by, "rehearsal_verdict": rehearsal.verdict, "approved_by": actor.name,
        "authenticated": actor.authenticated, "reason": reason, "approved_at": now, "first_serial": first,
        "last_serial": first + max(1, sum(row.told for row in groups)) - 1,
    }  # fmt: skip
    _nothing_under_way(work.connection, rehearsal, [row.case_group_id for row in groups])
    work.transfers.add_approval(approval)
    put(work, rows)
    return _told(approval, len(rows), is_new=True)


def _nothing_under_way(connection: Reading, rehearsal: Stored, group_ids: list[str]) -> None:
    """A group that has moved since it was rehearsed must not be approved once more."""
    moved = {row.case_group_id for row in reading.groups(connection, rehearsal.run_id) if row.state not in _MAY_COME}
    if moved & set(group_ids):
        raise Conflict(
            f"groups of wave {rehearsal.wave} have moved since the rehearsal", code="ALREADY_MOVED",
            remedy="rehearse the wave again: it then has the groups that are left",
        )  # fmt: skip


_MAY_COME = ("APPROVED", "HELD", "RELEASED", "BACKED_OUT")


def _told(approval: Mapping[str, Any], groups: int, *, is_new: bool) -> Approved:
    kept = ("wave", "approved_by", "first_serial", "last_serial")
    return Approved(**{name: approval[name] for name in kept}, groups=groups, is_new=is_new)
