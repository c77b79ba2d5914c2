"""Clocks of closure notices: which notice is due, which reminder, and when liability ends.

Notices are printed elsewhere; here it is recorded that they were, which freezes the segments (handover.md §4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from integrationhub.arrears.policy import Thresholds
from integrationhub.arrears.standing import closure_clock
from integrationhub.errors import Conflict
from integrationhub.identity import Actor
from integrationhub.migration.cohort import NO_NOTICE, Cohort, Member
from integrationhub.migration.handling import Handling
from integrationhub.migration.positions import Positions
from integrationhub.store import transfer_reading as reading
from integrationhub.store.unit_of_work import Reading

NOTICE, REMINDER, LIABILITY_END = "NOTICE", "REMINDER", "LIABILITY_END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One clock of one group: `on` is the day on which it is due, None for a notice that may be printed any day."""

    group_id: str
    wave: str | None
    segment: str
    clock: str
    on: date | None
    is_due: bool


def clocks(handling: Handling, day: date | None = None, *, wave: str | None = None) -> list[Due]:
    """The clocks of the plan's groups as on a day, those of one wave where one is named."""
    with handling.store.read() as connection:
        as_at = handling.day(connection)
        cohort = handling.cohort(connection, as_at)
        printed = reading.printed(connection)
        waves = _waves(handling, connection, cohort)
    today = day or handling.clock().date()
    thresholds = handling.arrears.on(today)
    members = [*cohort.members.values()]
    found = [item for member in members for item in _of_group(member, waves, printed, today, thresholds)]
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


def record_printed(handling: Handling, actor: Actor, wave: str, printed_on: date) -> tuple[int, int]:
    """Record that the notices of a wave were printed on a day; groups, and cases whose segment stands from then on.

    A case that has a notice keeps it, so repeating changes nothing. Conflict: the day has not come yet.
    """
    if printed_on > handling.clock().date():
        raise Conflict("the day of printing has not come yet", code="NOT_PRINTED_YET")
    with handling.store.read() as connection:
        handling.day(connection)
        cohort = handling.cohort(connection, printed_on)
        waves = _waves(handling, connection, cohort)
    ids = [member.group_id for member in cohort.members.values() if _gets_notice(member, waves, wave)]
    cases = 0
    with handling.store.begin() as work:
        frozen = reading.frozen_segments(work.connection, printed_on)
        positions = Positions(work.connection, printed_on, handling.arrears.on(printed_on), frozen)
        for position in positions.of(ids):
            cases += work.transfers.add_closure_notices(
                {"case_id": case.case_id, "case_group_id": position.group_id, "segment": case.segment or "CLOSED",
                 "group_segment": position.segment, "printed_on": printed_on, "plan": handling.bound.name,
                 "recorded_by": actor.name, "authenticated": actor.authenticated, "recorded_at": handling.clock()}
                for case in position.cases
            )  # fmt: skip
        work.commit()
    return len(ids), cases


def _gets_notice(member: Member, waves: dict[str, str], wave: str) -> bool:
    return waves.get(member.group_id) == wave and member.segment not in NO_NOTICE
