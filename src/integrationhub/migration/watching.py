"""Frozen groups that change at their source (handover.md §2): a correction or an event that changes a balance takes the
group back to held, whole and with the reason, until it is closed. So does a notice that the source rejects.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from integrationhub.arrears.policy import Policy
from integrationhub.identity import HUB
from integrationhub.migration.cohort import hindrance
from integrationhub.migration.moving import BALANCE_MOVED, GONE, MEMBERS_CHANGED, REFUSALS
from integrationhub.migration.positions import Position, Positions
from integrationhub.migration.taking_back import hold, step_row
from integrationhub.store import casework, transfer_sources
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.telemetry import logger

REJECTIONS = {"U": "NOTICE_REJECTED_U", "B": "NOTICE_REJECTED_B", "S": "NOTICE_REJECTED_S"}
WHY_REJECTED = {
    "U": "the source does not know a case of the group",
    "B": "a balance has moved at the source since the group was frozen",
    "S": "a case of the group is in the wrong state at the source",
}

_CLOSED_BY = ("FREEZE", "CLOSE")

ACCEPTED, HELD, REPEATED, CONTRADICTED, UNKNOWN = (
    "ACCEPTED", "HELD", "REPEATED", "CONTRADICTED", "UNKNOWN",
)  # fmt: skip
"""Outcomes of answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a source says to a notice: `A` or `J` with its reason. What a file repeats of the notice must fit it."""

    notice_id: int
    status: str
    reason: str | None = None
    case_ref: str | None = None
    action: str | None = None
    delivery_id: str | None = None

    def fits(self, notice: Stored) -> bool:
        """Whether this can be an answer to the notice: it is about its case and action, and was sent."""
        if self.delivery_id is not None and notice.file_sequence is None:
            return False
        return self.case_ref in (None, notice.source_ref) and self.action in (None, notice.action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks after groups between FREEZE and CLOSE."""

    store: Store
    arrears: Policy
    clock: Callable[[], datetime]

    def look(self, *, new_verdicts: bool = True) -> dict[str, str]:
        """Hold every frozen or moved group that has changed; group → reason. Repeating finds nothing more.

        Without `new_verdicts` only change events can have done it.
        """
        with self.store.read() as connection:
            if not reading.any_watched(connection):
                return {}
            changed = reading.changed_groups(connection) if new_verdicts else []
            suspects = {(row.run_id, row.case_group_id) for row in changed}
            waiting = transfer_sources.cases_with_events(connection)
            suspects |= {(row.run_id, row.case_group_id) for row in reading.watched_cases(connection, waiting)}
        held: dict[str, str] = {}
        for run_id, group_id in sorted(suspects):
            with self.store.begin() as work:
                reason = self._look_at(work, run_id, group_id)
                if reason is not None:
                    work.commit()
                    held[group_id] = reason
                    logger().warning("transfer_held", reason=reason, run_id=run_id, group_id=group_id, outcome="HELD")
        return held

    def _look_at(self, work: Work, run_id: str, group_id: str) -> str | None:
        found = [row for row in work.transfers.lock(run_id, [group_id]) if row.state in reading.WATCHED]
        if not found:
            return None
        day = casework.latest_as_at(work.connection) or date.max
        positions = list(Positions(work.connection, day, self.arrears.on(day)).of([group_id]))
        reason = _change(found[0], positions[0] if positions else None)
        if reason is not None:
            hold(work, found[0], reason, REFUSALS.get(reason), actor=HUB, at=self.clock())
        return reason

    def answer(self, answer: Answer) -> str:
        """Take one answer in, in a transaction of its own; the outcome as of `answers`."""
        with self.store.begin() as work:
            (outcome,) = self.answers(work, [answer])
            work.commit()
        return outcome

    def answers(self, work: Work, taken: Sequence[Answer]) -> list[str]:
        """Take answers of sources in, within a transaction: ACCEPTED or HELD; REPEATED; CONTRADICTED, where another
        answer came before (that one stays); UNKNOWN, where no such notice about the case was sent.

        The last `A` that a closing group waits for closes it. A `J` takes the whole group back to held. An answer that
        is taken again from the delivery that brought it has the outcome that it had.
        """
        return [self._answer(work, answer) for answer in taken]

    def _answer(self, work: Work, answer: Answer) -> str:
        notice = reading.notice(work.connection, answer.notice_id)
        if notice is None or not answer.fits(notice):
            return UNKNOWN
        status, reason, now = answer.status, answer.reason, self.clock()
        if not work.transfers.answer_notice(answer.notice_id, status, reason, at=now, delivery_id=answer.delivery_id):
            return _taken_before(reading.notice(work.connection, answer.notice_id), answer)
        rows = work.transfers.lock(notice.run_id, [notice.case_group_id])
        current = [row for row in rows if row.attempt == notice.attempt]
        if status == "J" and current and current[0].state in reading.WATCHED:
            code = REJECTIONS.get(reason or "", "NOTICE_REJECTED_S")
            hold(work, current[0], code, WHY_REJECTED.get(reason or ""), actor=HUB, at=now)
            return HELD
        if current and current[0].state == "CLOSING":
            close_if_answered(work, current[0], self.clock)
        return ACCEPTED if status == "A" else HELD


def _taken_before(notice: Stored | None, answer: Answer) -> str:
    """The outcome of an answer to a notice that has one."""
    if notice is None or (notice.answer, notice.answer_reason) != (answer.status, answer.reason):
        return CONTRADICTED
    if answer.delivery_id is None or notice.answered_in != answer.delivery_id:
        return REPEATED
    return ACCEPTED if answer.status == "A" else HELD


def close_if_answered(work: Work, row: Stored, clock: Callable[[], datetime]) -> bool:
    """Close a closing group once every notice of it is accepted; whether it is closed now."""
    notices = reading.notices_of_group(work.connection, row.run_id, row.case_group_id, row.attempt)
    if any(notice.answer != "A" for notice in notices if notice.action in _CLOSED_BY):
        return False
    now = clock()
    work.transfers.add_steps([step_row(row, "CLOSED", "DONE", actor=HUB, at=now)])
    work.transfers.set_state(row.run_id, [row.case_group_id], "CLOSED", at=now)
    return True


def _change(row: Stored, position: Position | None) -> str | None:
    """What has changed since the group was frozen, if anything has that counts."""
    if position is None:
        return GONE
    if position.members != row.members:
        return MEMBERS_CHANGED
    if position.digest == row.digest:
        return None
    return hindrance(position) or BALANCE_MOVED
