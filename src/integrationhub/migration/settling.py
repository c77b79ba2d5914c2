"""After the move: old and new balances compared day by day, sign-off of a wave, and its closing.

A group is closed only when its source has accepted every notice of it (handover.md §3).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from integrationhub.errors import Conflict, NotAllowed
from integrationhub.identity import HUB, Actor
from integrationhub.migration import gates
from integrationhub.migration.handling import Handling
from integrationhub.migration.moving import SYSTEMS_TOLD
from integrationhub.migration.plan import Stage
from integrationhub.migration.positions import Position
from integrationhub.migration.taking_back import step_row
from integrationhub.migration.watching import close_if_answered
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_moves import MOVED
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading, Work

GROUPS_AT_ONCE = 500
_CLOSE_DIGIT = 3

IN_FLIGHT, SOURCE_MOVED, HELD_AT_SOURCE, GONE = (
    "IN_FLIGHT", "SOURCE_MOVED", "HELD_AT_SOURCE", "GONE",
)  # fmt: skip

CLASSES: Mapping[str, str] = {
    IN_FLIGHT: "a change event of the case is missing: the source is ahead of what the hub could apply",
    SOURCE_MOVED: "the source's accepted balance is another one than when the group moved",
    HELD_AT_SOURCE: "the case has become an exception, so there is no accepted balance to compare with",
    GONE: "the case is in no book of the source any more",
}
"""Differences of the parallel run by what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One comparison of a wave: how many accounts, and differences by class."""

    wave: str
    day: date
    accounts: int
    differences: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Whether old and new balances agree."""
        return not self.differences


def compare(handling: Handling, actor: Actor, wave: str, day: date | None = None) -> Day:
    """Compare the accepted balances of today with what the target holds, account by account, and keep the day.

    A clean comparison is the PARALLEL_RUN step of every group that waits for sign-off. A person's comparison replaces
    what was kept of its day; the hub's own, of a day on which books differed, does not make it clean.
    """
    waiting = waiting_groups(handling, wave)
    with handling.store.read() as connection:
        run = handling.run(connection)
        as_at = handling.day(connection)
        ids = reading.group_ids(connection, run.run_id, wave, MOVED)
        if not ids:
            raise Conflict(f"no group of wave {wave} has moved yet", code="NOT_MOVED")
        accounts, found = 0, Counter[str]()
        for start in range(0, len(ids), GROUPS_AT_ONCE):
            part = ids[start : start + GROUPS_AT_ONCE]
            at_target = _at_target(connection, run.run_id, part, handling.bound.plan.plan.target)
            accounts += len(at_target)
            positions = handling.orders(run, as_at, actor).positions(connection).of(part)
            found += _differences(at_target, list(positions))
    result = Day(
        wave=wave, day=day or handling.clock().date(), accounts=accounts, differences=dict(sorted(found.items()))
    )
    if result.clean:
        note_agreed(handling, actor, "PARALLEL_RUN", waiting)
    with handling.store.begin() as work:
        _keep_day(work, run, result, actor, handling.clock())
        work.commit()
    return result


def waiting_groups(handling: Handling, wave: str | None = None) -> Mapping[str, int]:
    """Group → attempt of what has moved and waits for sign-off: what a comparison that begins now is about."""
    with handling.store.read() as connection:
        run = reading.current_run(connection, handling.bound.name, handling.run_id)
        rows = reading.groups(connection, run.run_id, wave=wave, states=("LOADED",)) if run is not None else []
    return {row.case_group_id: row.attempt for row in rows}


def note_agreed(handling: Handling, actor: Actor, step: str, compared: Mapping[str, int]) -> int:
    """Note a step of groups that a comparison has found to agree, but of those that have left or moved anew since.

    How many have it now. Killed and done again, it notes the rest.
    """
    ids, agreed = sorted(compared), 0
    for start in range(0, len(ids), GROUPS_AT_ONCE):
        with handling.store.begin() as work:
            run = handling.run(work.connection)
            found = work.transfers.lock(run.run_id, ids[start : start + GROUPS_AT_ONCE])
            rows = [row for row in found if row.state == "LOADED" and row.attempt == compared[row.case_group_id]]
            now = handling.clock()
            work.transfers.note_steps([step_row(row, step, "DONE", actor=actor, at=now) for row in rows])
            handling.checkpoint("before agreed")
            work.commit()
        agreed += len(rows)
    return agreed


def _keep_day(work: Work, run: Stored, day: Day, actor: Actor, at: datetime) -> None:
    days = reading.parallel_days(work.connection, run.run_id, day.wave, since_approval=True) if actor is HUB else []
    before: Mapping[str, int] = next((row.differences for row in days if row.day == day.day), {})
    found = {name: max(before.get(name, 0), day.differences.get(name, 0)) for name in {*before, *day.differences}}
    work.transfers.put_parallel_day(
        {"run_id": run.run_id, "wave": day.wave, "day": day.day, "debts": day.accounts, "clean": not found,
         "differences": dict(sorted(found.items())), "compared_by": actor.name, "authenticated": actor.authenticated,
         "compared_at": at}
    )  # fmt: skip


Holding = tuple[int, int]


def _at_target(connection: Reading, run_id: str, groups: Sequence[str], target: str) -> dict[str, Holding]:
    return {
        row.account: (int(row.pence), int(row.suspended_pence))
        for row in reading.balances_of_groups(connection, run_id, groups)
        if row.host_system == target
    }


def _differences(at_target: Mapping[str, Holding], positions: Sequence[Position]) -> Counter[str]:
    found: Counter[str] = Counter()
    old = dict(_at_source(positions))
    for account in sorted({*at_target, *old}):
        held, waits, now = old.get(account, (False, False, None))
        new = at_target.get(account)
        if now == new or (new is None and now == (0, 0)) or (now is None and new == (0, 0)):
            continue
        name = HELD_AT_SOURCE if held else IN_FLIGHT if waits else GONE if now is None else SOURCE_MOVED
        found[name] += 1
    return found


def _at_source(positions: Sequence[Position]) -> Iterator[tuple[str, tuple[bool, bool, Holding | None]]]:
    """Account → whether it is held, whether it waits for events, and its accepted balance."""
    for case in (case for position in positions for case in position.moving):
        held = case.accepted is None
        for debt in case.debts:
            if debt.is_accepted or held:
                yield debt.debt_id, (held, case.waits, None if held else (debt.accepted, debt.accepted_suspended))
        yield case.case_id, (held, case.waits, None if held else (case.custodian, 0))


def sign_off(handling: Handling, actor: Actor, wave: str, reason: str) -> Mapping[str, int]:
    """Sign a wave off and give its totals.

    Conflict: groups are left to move, or nothing has moved. NotAllowed: the actor rehearsed the wave. InvariantBroken:
    a gate does not hold.
    """
    totals: Mapping[str, int] = {}
    with handling.store.begin() as work:
        run = handling.run(work.connection)
        approval = next(iter(reading.approvals(work.connection, run.run_id, wave)), None)
        moved = work.transfers.lock_wave(run.run_id, wave, "LOADED")
        left = reading.group_ids(work.connection, run.run_id, wave, ("APPROVED", "FROZEN"))
        approval = _may_sign(handling, wave, approval, moved=len(moved), left=len(left))
        _second_person(handling, work.connection, approval, moved, actor)
        measured = gates.measure(handling, work, wave, actor, stage=Stage.EXIT)
        if all(gate.passes for gate in measured):
            totals = _sign(handling, work, approval, moved, actor=actor, reason=reason)
        handling.checkpoint("before signed off")
        work.commit()
    gates.require(measured, handling, wave)
    return totals


def _may_sign(handling: Handling, wave: str, approval: Stored | None, *, moved: int, left: int) -> Stored:
    if approval is None or not (moved or left):
        raise Conflict(
            f"wave {wave} has no moved group that waits for sign-off", code="NOTHING_TO_SIGN",
            remedy=f"see: integrationhub migrate status {handling.bound.name}",
        )  # fmt: skip
    if left:
        raise Conflict(
            f"{left} groups of wave {wave} are left to move", code="UNFINISHED",
            remedy=f"run: integrationhub migrate transfer {handling.bound.name} --wave {wave}",
        )  # fmt: skip
    return approval


def _second_person(
    handling: Handling, connection: Reading, approval: Stored, moved: Sequence[Stored], actor: Actor
) -> None:
    """Not who rehearsed any of the groups, which may be of several approvals."""
    hashes = {approval.plan_hash, *(row.plan_hash for row in moved)}
    rehearsals = reading.rehearsals(connection, approval.run_id, approval.wave)
    if any(actor.is_same_as(row.rehearsed_by) for row in rehearsals if row.plan_hash in hashes):
        raise NotAllowed(
            f"{actor.name} has rehearsed wave {approval.wave} and may not sign it off", code="SELF_APPROVAL",
            remedy=f"let a second person run: integrationhub migrate signoff {handling.bound.name} "
            f"--wave {approval.wave} --as WHO --reason TEXT",
        )  # fmt: skip


def _sign(
    handling: Handling,
    work: Work,
    approval: Stored,
    rows: Sequence[Stored],
    *,
    actor: Actor,
    reason: str,
) -> Mapping[str, int]:
    """Sign off these groups, which are locked: the very ones that the gates were measured with."""
    now, run_id, wave = handling.clock(), approval.run_id, approval.wave
    totals = {
        "groups": len(rows),
        "cases": sum(row.cases for row in rows),
        **reading.accepted_totals(work.connection, run_id, wave, ("LOADED",)),
    }
    work.transfers.add_sign_off(
        {"run_id": run_id, "wave": wave, "approval_id": approval.approval_id, "rehearsed_by": approval.rehearsed_by,
         "signed_by": actor.name, "authenticated": actor.authenticated, "reason": reason, "signed_at": now,
         "totals": totals}
    )  # fmt: skip
    work.transfers.add_steps([step_row(row, "SIGN_OFF", "DONE", actor=actor, at=now, reason=reason) for row in rows])
    work.transfers.set_state(run_id, [row.case_group_id for row in rows], "SIGNED_OFF", at=now)
    return totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How far the closing of a wave is: groups closed, groups that wait, and for how many answers."""

    wave: str
    closed: int
    waiting: int
    answers: int
    told: int


def close(handling: Handling, actor: Actor, wave: str) -> Closing:
    """Tell the sources of a signed-off wave that its cases have gone, and close what they have accepted.

    The notices wait for their return file; repeating it adds none. Conflict: nothing of the wave was signed off.
    """
    told = 0
    with handling.store.read() as connection:
        run = handling.run(connection)
        ids = reading.group_ids(connection, run.run_id, wave, ("SIGNED_OFF", "CLOSING", "CLOSED"))
    if not ids:
        raise Conflict(
            f"nothing of wave {wave} was signed off", code="NOT_SIGNED_OFF",
            remedy=f"run: integrationhub migrate signoff {handling.bound.name} --wave {wave} --as WHO --reason TEXT",
        )  # fmt: skip
    for start in range(0, len(ids), GROUPS_AT_ONCE):
        with handling.store.begin() as work:
            rows = work.transfers.lock(run.run_id, ids[start : start + GROUPS_AT_ONCE])
            signed = [row for row in rows if row.state == "SIGNED_OFF"]
            told += _tell(work, signed, actor, handling.clock())
            for row in rows:
                if row.state in ("SIGNED_OFF", "CLOSING"):
                    close_if_answered(work, row, handling.clock)
            handling.checkpoint("before closing")
            work.commit()
    return _how_far(handling, run, wave, told)


def _tell(work: Work, rows: Sequence[Stored], actor: Actor, at: datetime) -> int:
    notices: list[dict[str, Any]] = []
    for row in rows:
        cases = reading.cases_of_group(work.connection, row.run_id, row.case_group_id, row.attempt)
        notices += [
            {"notice_id": case.serial * 10 + _CLOSE_DIGIT, "run_id": row.run_id, "case_group_id": row.case_group_id,
             "attempt": row.attempt, "case_id": case.case_id, "system": case.host_system, "action": "CLOSE",
             "made_on": at.date()}
            for case in cases
            if case.serial is not None and case.host_system in SYSTEMS_TOLD
        ]  # fmt: skip
    work.transfers.add_notices(notices)
    work.transfers.add_steps([step_row(row, "CLOSE", "DONE", actor=actor, at=at) for row in rows])
    if rows:
        work.transfers.set_state(rows[0].run_id, [row.case_group_id for row in rows], "CLOSING", at=at)
    return len(notices)


def _how_far(handling: Handling, run: Stored, wave: str, told: int) -> Closing:
    with handling.store.read() as connection:
        closed = reading.group_ids(connection, run.run_id, wave, ("CLOSED",))
        waiting = set(reading.group_ids(connection, run.run_id, wave, ("CLOSING",)))
        notices = reading.notices(connection, run.run_id, wave)
    answers = sum(row.answer is None and row.case_group_id in waiting for row in notices)
    return Closing(wave=wave, closed=len(closed), waiting=len(waiting), answers=answers, told=told)
