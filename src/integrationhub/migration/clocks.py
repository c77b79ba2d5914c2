"""Clocks: which closure notice is due, which reminder, when liability ends, until when people may be heard.

Notices are printed elsewhere; here it is recorded that they were, which freezes the segments (handover.md §4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from integrationhub.arrears.policy import Thresholds
from integrationhub.arrears.standing import closure_clock, representation_ends
from integrationhub.errors import Conflict
from integrationhub.identity import Actor
from integrationhub.migration.cohort import NO_NOTICE, Cohort, Member
from integrationhub.migration.handling import Handling
from integrationhub.migration.positions import Positions
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading

NOTICE, REMINDER, LIABILITY_END, REPRESENTATION = "NOTICE", "REMINDER", "LIABILITY_END", "REPRESENTATION"
RESPONSES = ("AGREES", "OBJECTS")
NO_RESPONSE = "NO_RESPONSE"
"""Nobody has answered by the deadline: counted and reported, never read as consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One clock of one group: `on` is the day on which it is due, None for a notice that may go out any day.

    Of a representation: the debt, and what was answered, or NO_RESPONSE once the deadline has passed.
    """

    group_id: str
    wave: str | None
    segment: str
    clock: str
    on: date | None
    is_due: bool
    debt_id: str | None = None
    response: str | None = None


def clocks(handling: Handling, day: date | None = None, *, wave: str | None = None) -> list[Due]:
    """The clocks of the plan's groups as on a day, those of one wave where one is named."""
    with handling.store.read() as connection:
        as_at = handling.day(connection)
        cohort = handling.cohort(connection, as_at)
        printed = reading.printed(connection)
        received = reading.representations(connection)
        waves = _waves(handling, connection, cohort)
    today = day or handling.clock().date()
    thresholds = handling.arrears.on(today)
    members = [*cohort.members.values()]
    found = [item for member in members for item in _of_group(member, waves, printed, today, thresholds)]
    found += [item for member in members for item in _representations(member, waves, received, today)]
    return [item for item in found if wave is None or item.wave == wave]


def _waves(handling: Handling, connection: Reading, cohort: Cohort) -> dict[str, str]:
    """Group → wave: as it was approved, else as it would be now."""
    formed = {member.group_id: wave for wave, members in cohort.waves.items() for member in members}
    run = reading.current_run(connection, handling.bound.name, handling.run_id)
    approved = {row.case_group_id: row.wave for row in reading.groups(connection, run.run_id)} if run else {}
    return formed | approved


def _of_group(
    member: Member, waves: Mapping[str, str], printed: Mapping[str, date], today: date, thresholds: Thresholds
) -> Iterator[Due]:
    if member.segment in NO_NOTICE:
        return

    def due(clock: str, on: date | None) -> Due:
        wave, segment = waves.get(member.group_id), member.segment
        is_due = on is None or on <= today
        return Due(group_id=member.group_id, wave=wave, segment=segment, clock=clock, on=on, is_due=is_due)

    day = printed.get(member.group_id)
    if day is None:
        yield due(NOTICE, None)
        return
    clock = closure_clock(day, thresholds)
    if today < clock.liability_ends:
        yield due(REMINDER, clock.reminder)
    yield due(LIABILITY_END, clock.liability_ends)


def _representations(
    member: Member, waves: Mapping[str, str], received: Mapping[str, Stored], today: date
) -> Iterator[Due]:
    """Who is to be asked before a write-off, and until when they may answer (arrears-errors.md §4)."""
    for debt_id in member.asked:
        notice = received.get(debt_id)
        deadline = None if notice is None else notice.deadline
        passed = deadline is not None and deadline < today
        response = None if notice is None else notice.response or (NO_RESPONSE if passed else None)
        yield Due(
            group_id=member.group_id, wave=waves.get(member.group_id), segment=member.segment, clock=REPRESENTATION,
            on=deadline, is_due=(response is None and notice is None) or passed, debt_id=debt_id, response=response,
        )  # fmt: skip


def record_received(handling: Handling, actor: Actor, debt_id: str, received_on: date) -> date:
    """Record that a person has received the write-off notice of a debt; the last day on which they may answer.

    Conflict: the debt needs no representations. A day that was recorded before stays.
    """
    with handling.store.read() as connection:
        cohort = handling.cohort(connection, handling.day(connection))
    member = next((item for item in cohort.members.values() if debt_id in item.asked), None)
    if member is None:
        raise Conflict("the debt is none of this plan whose write-off needs representations", code="NOT_ASKED")
    deadline = representation_ends(received_on, handling.arrears.on(received_on))
    with handling.store.begin() as work:
        work.transfers.add_representation(
            {"debt_id": debt_id, "case_group_id": member.group_id, "received_on": received_on, "deadline": deadline,
             "recorded_by": actor.name, "authenticated": actor.authenticated, "recorded_at": handling.clock()}
        )  # fmt: skip
        kept: date = reading.representations(work.connection)[debt_id].deadline
        work.commit()
    return kept


def record_response(handling: Handling, actor: Actor, debt_id: str, response: str, on: date) -> None:
    """Record what a person answers to a write-off notice. Conflict: none was received by then, or it has one."""
    with handling.store.begin() as work:
        if not work.transfers.answer_representation(debt_id, response, on, by=actor.name):
            raise Conflict("no received notice of that debt waits for an answer", code="NOT_ASKED")
        work.commit()


def record_printed(handling: Handling, actor: Actor, wave: str, printed_on: date) -> tuple[int, int]:
    """Record that the notices of a wave were printed on a day; groups, and cases whose segment stands from then on.

    A case that has a notice keeps it, so repeating changes nothing. Conflict: the day has not come yet.
    """
    if printed_on > handling.clock().date():
        raise Conflict("the day of printing has not come yet", code="NOT_PRINTED_YET")
    with handling.store.read() as connection:
        cohort = handling.cohort(connection, handling.day(connection))
        waves = _waves(handling, connection, cohort)
    ids = [member.group_id for member in cohort.members.values() if _gets_notice(member, waves, wave)]
    cases = 0
    with handling.store.begin() as work:
        positions = Positions(work.connection, printed_on, handling.arrears.on(printed_on))
        for position in positions.of(ids):
            cases += work.transfers.add_closure_notices(
                {"case_id": case.case_id, "case_group_id": position.group_id, "segment": case.segment or "CLOSED",
                 "group_segment": position.segment, "printed_on": printed_on, "plan": handling.bound.name, "wave": wave,
                 "recorded_by": actor.name, "authenticated": actor.authenticated, "recorded_at": handling.clock()}
                for case in position.cases
            )  # fmt: skip
        work.commit()
    return len(ids), cases


def _gets_notice(member: Member, waves: dict[str, str], wave: str) -> bool:
    return waves.get(member.group_id) == wave and member.segment not in NO_NOTICE
