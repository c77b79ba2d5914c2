"""Reads transfers: runs, rehearsals, approvals, groups by state, totals, gates, clocks."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select

from integrationhub.store.bulk import among
from integrationhub.store.judged import VERDICTS
from integrationhub.store.schema import CANONICAL
from integrationhub.store.transfer_decisions import (
    CLOSURE_NOTICES,
    GATE_OVERRIDES,
    GATE_VERDICTS,
    PARALLEL_DAYS,
    REHEARSED_GROUPS,
    REPRESENTATIONS,
    TRANSFER_APPROVALS,
    TRANSFER_CONTROLS,
    TRANSFER_REHEARSALS,
    TRANSFER_RUNS,
    TRANSFER_SIGN_OFFS,
)
from integrationhub.store.transfer_moves import (
    DEBT_MASTERY,
    HANDOVER_NOTICES,
    IN_HAND,
    TARGET_REFERENCES,
    TRANSFER_ENTRIES,
    TRANSFER_GROUPS,
    TRANSFER_STEPS,
    TRANSFERRED_CASES,
    TRANSFERRED_DEBTS,
)

Stored = Row[Any]
"""A row as callers hold it who know nothing of databases."""

WATCHED = ("FROZEN", "LOADED", "SIGNED_OFF", "CLOSING")
"""States in which a change at the source takes a group back."""


def current_run(connection: Connection, plan: str, run_id: str | None = None) -> Row[Any] | None:
    """A run of a plan: the one named, else the newest."""
    statement = select(TRANSFER_RUNS).where(TRANSFER_RUNS.c.plan == plan).order_by(TRANSFER_RUNS.c.number.desc())
    if run_id is not None:
        statement = statement.where(TRANSFER_RUNS.c.run_id == run_id)
    return connection.execute(statement.limit(1)).first()


def rehearsals(connection: Connection, run_id: str, wave: str | None = None) -> list[Row[Any]]:
    """Rehearsals of a run, newest first."""
    statement = select(TRANSFER_REHEARSALS).where(TRANSFER_REHEARSALS.c.run_id == run_id)
    if wave is not None:
        statement = statement.where(TRANSFER_REHEARSALS.c.wave == wave)
    return list(connection.execute(statement.order_by(TRANSFER_REHEARSALS.c.number.desc())))


def rehearsed_groups(connection: Connection, rehearsal_id: str) -> list[Row[Any]]:
    """The groups of a rehearsal in their order."""
    statement = select(REHEARSED_GROUPS).where(REHEARSED_GROUPS.c.rehearsal_id == rehearsal_id)
    return list(connection.execute(statement.order_by(REHEARSED_GROUPS.c.position)))


def approvals(connection: Connection, run_id: str, wave: str | None = None) -> list[Row[Any]]:
    """Approvals of a run, newest first."""
    statement = select(TRANSFER_APPROVALS).where(TRANSFER_APPROVALS.c.run_id == run_id)
    if wave is not None:
        statement = statement.where(TRANSFER_APPROVALS.c.wave == wave)
    return list(connection.execute(statement.order_by(TRANSFER_APPROVALS.c.first_serial.desc())))


def approval_of(connection: Connection, rehearsal_id: str) -> Row[Any] | None:
    """The approval of a rehearsal."""
    statement = select(TRANSFER_APPROVALS).where(TRANSFER_APPROVALS.c.rehearsal_id == rehearsal_id)
    return connection.execute(statement).first()


def last_serial(connection: Connection) -> int:
    """The last serial number that was reserved; 0 before the first."""
    return connection.execute(select(func.max(TRANSFER_APPROVALS.c.last_serial))).scalar_one() or 0


def groups(
    connection: Connection, run_id: str, *, wave: str | None = None, states: Collection[str] | None = None
) -> list[Row[Any]]:
    """Groups of a run in the order in which they move."""
    statement = select(TRANSFER_GROUPS).where(TRANSFER_GROUPS.c.run_id == run_id)
    if wave is not None:
        statement = statement.where(TRANSFER_GROUPS.c.wave == wave)
    if states is not None:
        statement = statement.where(TRANSFER_GROUPS.c.state.in_(states))
    return list(connection.execute(statement.order_by(TRANSFER_GROUPS.c.wave, TRANSFER_GROUPS.c.position)))


def group_ids(connection: Connection, run_id: str, wave: str, states: Collection[str]) -> list[str]:
    """Identifiers of the groups of a wave in these states, in the order in which they move."""
    chosen = _of_wave(run_id, wave) & TRANSFER_GROUPS.c.state.in_(states)
    statement = select(TRANSFER_GROUPS.c.case_group_id).where(chosen).order_by(TRANSFER_GROUPS.c.position)
    return list(connection.execute(statement).scalars())


def groups_without(connection: Connection, run_id: str, wave: str, states: Collection[str], step: str) -> int:
    """How many groups of a wave in these states have not taken a step in their present attempt."""
    taken = select(TRANSFER_STEPS.c.step).where(
        TRANSFER_STEPS.c.run_id == TRANSFER_GROUPS.c.run_id,
        TRANSFER_STEPS.c.case_group_id == TRANSFER_GROUPS.c.case_group_id,
        TRANSFER_STEPS.c.attempt == TRANSFER_GROUPS.c.attempt,
        TRANSFER_STEPS.c.step == step,
    )
    chosen = _of_wave(run_id, wave) & TRANSFER_GROUPS.c.state.in_(states) & ~taken.exists()
    return connection.execute(select(func.count()).select_from(TRANSFER_GROUPS).where(chosen)).scalar_one()


def runs_of_group(connection: Connection, case_group_id: str) -> list[Row[Any]]:
    """The group in every run it was in, with plan and phase."""
    statement = (
        select(TRANSFER_GROUPS, TRANSFER_RUNS.c.plan, TRANSFER_RUNS.c.phase)
        .join(TRANSFER_RUNS, TRANSFER_RUNS.c.run_id == TRANSFER_GROUPS.c.run_id)
        .where(TRANSFER_GROUPS.c.case_group_id == case_group_id)
    )
    return list(connection.execute(statement.order_by(TRANSFER_RUNS.c.begun_at)))


def steps_of_group(connection: Connection, case_group_id: str) -> list[Row[Any]]:
    """Everything that was done with a group, in its order."""
    statement = select(TRANSFER_STEPS).where(TRANSFER_STEPS.c.case_group_id == case_group_id)
    return sorted(connection.execute(statement), key=lambda row: (row.at, row.attempt))


def states(connection: Connection, run_id: str, wave: str | None = None) -> list[Row[Any]]:
    """wave, state, reason, groups and cases of a run."""
    columns = (TRANSFER_GROUPS.c.wave, TRANSFER_GROUPS.c.state, TRANSFER_GROUPS.c.reason)
    statement = (
        select(*columns, func.count().label("groups"), func.sum(TRANSFER_GROUPS.c.cases).label("cases"))
        .where(TRANSFER_GROUPS.c.run_id == run_id)
        .group_by(*columns)
        .order_by(*columns)
    )
    if wave is not None:
        statement = statement.where(TRANSFER_GROUPS.c.wave == wave)
    return list(connection.execute(statement))


def elsewhere(connection: Connection, run_id: str | None) -> set[str]:
    """Groups that are in the hands of other runs than this one."""
    statement = select(TRANSFER_GROUPS.c.case_group_id).where(TRANSFER_GROUPS.c.state.in_(IN_HAND))
    if run_id is not None:
        statement = statement.where(TRANSFER_GROUPS.c.run_id != run_id)
    return set(connection.execute(statement).scalars())


def control(connection: Connection, run_id: str, wave: str) -> Row[Any] | None:
    """The control row of a wave."""
    chosen = (TRANSFER_CONTROLS.c.run_id == run_id) & (TRANSFER_CONTROLS.c.wave == wave)
    return connection.execute(select(TRANSFER_CONTROLS).where(chosen)).first()


def controls(connection: Connection, run_id: str) -> list[Row[Any]]:
    """The control rows of a run."""
    return list(connection.execute(select(TRANSFER_CONTROLS).where(TRANSFER_CONTROLS.c.run_id == run_id)))


def frozen_segments(connection: Connection, on: date, group_ids: Collection[str]) -> Mapping[str, str]:
    """Of these case groups → segment when the notice was printed, for notices printed by a day.

    The notice of a case stays with the case: a group that has been joined by others keeps the highest of its notices.
    """
    joined = CLOSURE_NOTICES.join(VERDICTS, VERDICTS.c.case_id == CLOSURE_NOTICES.c.case_id)
    statement = (
        select(VERDICTS.c.case_group_id, func.max(CLOSURE_NOTICES.c.group_segment))
        .select_from(joined)
        .where(CLOSURE_NOTICES.c.printed_on <= on, among(connection, VERDICTS.c.case_group_id, sorted(group_ids)))
        .group_by(VERDICTS.c.case_group_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def printed(connection: Connection, group_ids: Collection[str] | None = None) -> Mapping[str, date]:
    """Case group, of all or of these, → the day on which its notice was printed."""
    joined = CLOSURE_NOTICES.join(VERDICTS, VERDICTS.c.case_id == CLOSURE_NOTICES.c.case_id)
    statement = select(VERDICTS.c.case_group_id, func.max(CLOSURE_NOTICES.c.printed_on)).select_from(joined)
    if group_ids is not None:
        statement = statement.where(among(connection, VERDICTS.c.case_group_id, sorted(group_ids)))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(VERDICTS.c.case_group_id))}


def printed_waves(connection: Connection, plan: str) -> Mapping[str, str]:
    """Case group → the wave for which its notice was printed."""
    joined = CLOSURE_NOTICES.join(VERDICTS, VERDICTS.c.case_id == CLOSURE_NOTICES.c.case_id)
    statement = select(VERDICTS.c.case_group_id, func.min(CLOSURE_NOTICES.c.wave)).select_from(joined)
    ours = statement.where(CLOSURE_NOTICES.c.plan == plan, CLOSURE_NOTICES.c.wave.is_not(None))
    return {row[0]: row[1] for row in connection.execute(ours.group_by(VERDICTS.c.case_group_id))}


def frozen_cases(connection: Connection, on: date) -> dict[str, str]:
    """Case key → its segment when its notice was printed, for notices printed by a day."""
    joined = CLOSURE_NOTICES.join(VERDICTS, VERDICTS.c.case_id == CLOSURE_NOTICES.c.case_id)
    statement = select(VERDICTS.c.case_key, CLOSURE_NOTICES.c.segment).select_from(joined)
    rows = connection.execute(statement.where(CLOSURE_NOTICES.c.printed_on <= on))
    return {row.case_key: row.segment for row in rows}


def frozen_debts(connection: Connection, on: date) -> dict[str, str]:
    """Debt → the segment that its case had when its notice was printed."""
    debts = CANONICAL["debts"]
    joined = CLOSURE_NOTICES.join(debts, debts.c.case_id == CLOSURE_NOTICES.c.case_id)
    statement = select(debts.c.debt_id, CLOSURE_NOTICES.c.segment).select_from(joined)
    rows = connection.execute(statement.where(CLOSURE_NOTICES.c.printed_on <= on))
    return {row.debt_id: row.segment for row in rows}


def all_entries(connection: Connection, columns: Sequence[str], *, at_once: int) -> Iterator[list[tuple[Any, ...]]]:
    """Every entry by account and then as it was made, in parts; one empty part where there are none."""
    table = TRANSFER_ENTRIES
    order = (table.c.account, table.c.account_kind, table.c.attempt, table.c.reverses.is_not(None), table.c.kind)
    statement = select(*(table.c[name] for name in columns)).order_by(*order, table.c.host_system)
    empty = True
    for part in connection.execute(statement, execution_options={"yield_per": at_once}).partitions():
        empty = False
        yield [tuple(row) for row in part]
    if empty:
        yield []


def changed_groups(connection: Connection, run_id: str | None = None) -> list[Row[Any]]:
    """run_id, case_group_id of groups in hand of the target or frozen whose cases no longer are as they were accepted:
    a figure, the outcome or the group has changed, or a change event has come. Candidates: the caller looks closer.
    """
    same = [
        VERDICTS.c[f"accepted_{name}"].is_not_distinct_from(TRANSFERRED_CASES.c[name])
        for name in ("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian")
    ]
    groups_, cases = TRANSFER_GROUPS, TRANSFERRED_CASES
    joined = groups_.join(
        cases,
        and_(
            cases.c.run_id == groups_.c.run_id,
            cases.c.case_group_id == groups_.c.case_group_id,
            cases.c.attempt == groups_.c.attempt,
        ),
    ).outerjoin(VERDICTS, VERDICTS.c.case_id == cases.c.case_id)
    moved = or_(VERDICTS.c.case_group_id.is_(None), VERDICTS.c.case_group_id != groups_.c.case_group_id)
    statement = (
        select(groups_.c.run_id, groups_.c.case_group_id)
        .distinct()
        .select_from(joined)
        .where(groups_.c.state.in_(WATCHED), or_(moved, ~and_(*same)))
        .order_by(groups_.c.run_id, groups_.c.case_group_id)
    )
    if run_id is not None:
        statement = statement.where(groups_.c.run_id == run_id)
    return list(connection.execute(statement))


def any_watched(connection: Connection) -> bool:
    """Whether any group is between FREEZE and CLOSE."""
    statement = select(TRANSFER_GROUPS.c.case_group_id).where(TRANSFER_GROUPS.c.state.in_(WATCHED)).limit(1)
    return connection.execute(statement).first() is not None


def watched_cases(connection: Connection, case_ids: Collection[str]) -> list[Row[Any]]:
    """run_id, case_group_id of watched groups that hold one of these cases."""
    groups_, cases = TRANSFER_GROUPS, TRANSFERRED_CASES
    same = (cases.c.run_id == groups_.c.run_id) & (cases.c.case_group_id == groups_.c.case_group_id)
    statement = select(groups_.c.run_id, groups_.c.case_group_id).distinct().select_from(groups_.join(cases, same))
    wanted = statement.where(groups_.c.state.in_(WATCHED))
    found: list[Row[Any]] = []
    for part in _parts(case_ids):
        found += list(connection.execute(wanted.where(cases.c.case_id.in_(part))))
    return found


def _parts(identifiers: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(identifiers)
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]


def entries(connection: Connection, run_id: str, case_group_ids: Collection[str]) -> list[Row[Any]]:
    """Entries of groups that nothing has reversed and that reverse nothing."""
    reversed_ = TRANSFER_ENTRIES.alias()
    live = ~select(reversed_.c.entry_id).where(reversed_.c.reverses == TRANSFER_ENTRIES.c.entry_id).exists()
    statement = select(TRANSFER_ENTRIES).where(
        TRANSFER_ENTRIES.c.run_id == run_id, TRANSFER_ENTRIES.c.kind != "REVERSAL", live
    )
    return [
        row
        for part in _parts(case_group_ids)
        for row in connection.execute(statement.where(TRANSFER_ENTRIES.c.case_group_id.in_(part)))
    ]


def balances_of_groups(connection: Connection, run_id: str, case_group_ids: Collection[str]) -> list[Row[Any]]:
    """account, account_kind, host_system, pence, suspended_pence: what each account of these groups holds."""
    keys = [TRANSFER_ENTRIES.c[name] for name in ("account", "account_kind", "host_system")]
    sums = [func.sum(TRANSFER_ENTRIES.c[name]).label(name) for name in ("pence", "suspended_pence")]
    statement = select(*keys, *sums).where(TRANSFER_ENTRIES.c.run_id == run_id).group_by(*keys)
    return [
        row
        for part in _parts(case_group_ids)
        for row in connection.execute(statement.where(TRANSFER_ENTRIES.c.case_group_id.in_(part)))
    ]


def source_accounts_left(connection: Connection, run_id: str, wave: str) -> list[Row[Any]]:
    """account, pence, suspended_pence of accounts at a source that entries of a wave have not emptied."""
    entry, moved = TRANSFER_ENTRIES, TRANSFERRED_CASES
    sums = [func.sum(entry.c[name]).label(name) for name in ("pence", "suspended_pence")]
    same_case = (moved.c.run_id == entry.c.run_id) & (moved.c.case_id == entry.c.case_id)
    at_source = same_case & (moved.c.attempt == entry.c.attempt) & (moved.c.host_system == entry.c.host_system)
    joined = entry.join(TRANSFER_GROUPS, _same_group(entry.c)).join(moved, at_source)
    statement = select(entry.c.account, entry.c.account_kind, *sums).select_from(joined).where(_of_wave(run_id, wave))
    left = or_(func.sum(entry.c.pence) != 0, func.sum(entry.c.suspended_pence) != 0)
    return list(connection.execute(statement.group_by(entry.c.account, entry.c.account_kind).having(left)))


def totals(connection: Connection, run_id: str, wave: str) -> list[Row[Any]]:
    """kind, account_kind, legal_owner, segment, scheme: count, pence and suspended pence of a wave's entries.

    Reversals count for the kind that they reverse, with their own sign; of a nil sum nothing has moved.
    """
    entry, undone = TRANSFER_ENTRIES, TRANSFER_ENTRIES.alias("undone")
    kind = func.coalesce(undone.c.kind, entry.c.kind).label("kind")
    keys = [kind, entry.c.account_kind, entry.c.legal_owner, TRANSFER_GROUPS.c.segment, TRANSFERRED_CASES.c.kind]
    named = [*keys[:4], keys[4].label("scheme")]
    sign = case((entry.c.reverses.is_(None), 1), else_=-1)
    sums = [func.sum(entry.c[name]).label(name) for name in ("pence", "suspended_pence")]
    same_case = and_(
        TRANSFERRED_CASES.c.run_id == entry.c.run_id,
        TRANSFERRED_CASES.c.case_id == entry.c.case_id,
        TRANSFERRED_CASES.c.attempt == entry.c.attempt,
    )
    joined = (
        entry.join(TRANSFER_GROUPS, _same_group(entry.c))
        .join(TRANSFERRED_CASES, same_case)
        .outerjoin(undone, undone.c.entry_id == entry.c.reverses)
    )
    statement = select(*named, func.sum(sign).label("count"), *sums).select_from(joined).where(_of_wave(run_id, wave))
    return list(connection.execute(statement.group_by(*keys).order_by(*keys)))


def _same_group(columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 – a table's columns
    return and_(TRANSFER_GROUPS.c.run_id == columns.run_id, TRANSFER_GROUPS.c.case_group_id == columns.case_group_id)


def _of_wave(run_id: str, wave: str) -> ColumnElement[bool]:
    return (TRANSFER_GROUPS.c.run_id == run_id) & (TRANSFER_GROUPS.c.wave == wave)


def accepted_totals(connection: Connection, run_id: str, wave: str, states_: Collection[str]) -> Mapping[str, int]:
    """Figures of the cases of a wave as they were accepted, of groups in these states and in their present attempt."""
    cases = TRANSFERRED_CASES
    names = ("rp", "sos", "susp_rp", "susp_sos", "custodian")
    now = _same_group(cases.c) & (cases.c.attempt == TRANSFER_GROUPS.c.attempt)
    statement = (
        select(*(func.coalesce(func.sum(cases.c[name]), 0) for name in names))
        .select_from(cases.join(TRANSFER_GROUPS, now))
        .where(_of_wave(run_id, wave), TRANSFER_GROUPS.c.state.in_(states_), cases.c.relation == "MOVED")
    )
    return dict(zip(names, map(int, connection.execute(statement).one()), strict=True))


def open_mastery(connection: Connection, run_id: str, case_group_ids: Collection[str]) -> int:
    """How many debts of groups the target still masters."""
    statement = select(func.count()).where(DEBT_MASTERY.c.run_id == run_id, DEBT_MASTERY.c.until.is_(None))
    return sum(
        connection.execute(statement.where(DEBT_MASTERY.c.case_group_id.in_(part))).scalar_one()
        for part in _parts(case_group_ids)
    )


def live_references(connection: Connection, run_id: str, case_group_ids: Collection[str]) -> int:
    """How many references of groups are in use."""
    used = (TARGET_REFERENCES.c.run_id == run_id) & TARGET_REFERENCES.c.retired_at.is_(None)
    statement = select(func.count()).where(used)
    return sum(
        connection.execute(statement.where(TARGET_REFERENCES.c.case_group_id.in_(part))).scalar_one()
        for part in _parts(case_group_ids)
    )


def notices(connection: Connection, run_id: str, wave: str, *, action: str | None = None) -> list[Row[Any]]:
    """Notices of the groups of a wave in their present attempt."""
    now = _same_group(HANDOVER_NOTICES.c) & (HANDOVER_NOTICES.c.attempt == TRANSFER_GROUPS.c.attempt)
    joined = HANDOVER_NOTICES.join(TRANSFER_GROUPS, now)
    statement = select(HANDOVER_NOTICES).select_from(joined).where(_of_wave(run_id, wave))
    if action is not None:
        statement = statement.where(HANDOVER_NOTICES.c.action == action)
    return list(connection.execute(statement.order_by(HANDOVER_NOTICES.c.notice_id)))


def notices_of_group(connection: Connection, run_id: str, case_group_id: str, attempt: int) -> list[Row[Any]]:
    """Notices of a group in an attempt."""
    table = HANDOVER_NOTICES
    chosen = (table.c.run_id == run_id) & (table.c.case_group_id == case_group_id) & (table.c.attempt == attempt)
    return list(connection.execute(select(table).where(chosen).order_by(table.c.notice_id)))


def notice(connection: Connection, notice_id: int) -> Row[Any] | None:
    """One notice, with the reference of its case."""
    cases = CANONICAL["cases"]
    joined = HANDOVER_NOTICES.join(cases, cases.c.case_id == HANDOVER_NOTICES.c.case_id)
    statement = select(HANDOVER_NOTICES, cases.c.source_ref).select_from(joined)
    return connection.execute(statement.where(HANDOVER_NOTICES.c.notice_id == notice_id)).first()


def cases_of_group(connection: Connection, run_id: str, case_group_id: str, attempt: int) -> list[Row[Any]]:
    """Cases of a group as they were accepted in an attempt."""
    table = TRANSFERRED_CASES
    chosen = (table.c.run_id == run_id) & (table.c.case_group_id == case_group_id) & (table.c.attempt == attempt)
    return list(connection.execute(select(table).where(chosen).order_by(table.c.case_id)))


def at_target(connection: Connection) -> Mapping[str, tuple[str, str]]:
    """Debt → (host system, target reference) of debts that a target masters now."""
    same = and_(
        TRANSFERRED_DEBTS.c.run_id == DEBT_MASTERY.c.run_id,
        TRANSFERRED_DEBTS.c.debt_id == DEBT_MASTERY.c.debt_id,
        TRANSFERRED_DEBTS.c.attempt == DEBT_MASTERY.c.attempt,
    )
    statement = select(DEBT_MASTERY.c.debt_id, DEBT_MASTERY.c.master, TRANSFERRED_DEBTS.c.reference).select_from(
        DEBT_MASTERY.join(TRANSFERRED_DEBTS, same)
    )
    rows = connection.execute(statement.where(DEBT_MASTERY.c.until.is_(None)))
    return {row.debt_id: (row.master, row.reference) for row in rows}


def references_of_cases(connection: Connection, case_ids: Collection[str]) -> Mapping[str, str]:
    """Case → its live target reference."""
    statement = select(TARGET_REFERENCES.c.case_id, TARGET_REFERENCES.c.reference)
    live = statement.where(TARGET_REFERENCES.c.retired_at.is_(None))
    return {
        row.case_id: row.reference
        for part in _parts(case_ids)
        for row in connection.execute(live.where(TARGET_REFERENCES.c.case_id.in_(part)))
    }


def last_gates(connection: Connection, run_id: str, wave: str) -> Mapping[str, Row[Any]]:
    """Gate → its newest verdict with its override, if there is one."""
    override = (GATE_OVERRIDES.c.overridden_by, GATE_OVERRIDES.c.reason)
    statement = (
        select(GATE_VERDICTS, *override)
        .select_from(GATE_VERDICTS.outerjoin(GATE_OVERRIDES, GATE_OVERRIDES.c.verdict_id == GATE_VERDICTS.c.verdict_id))
        .where(GATE_VERDICTS.c.run_id == run_id, GATE_VERDICTS.c.wave == wave)
        .order_by(GATE_VERDICTS.c.number)
    )
    return {row.gate: row for row in connection.execute(statement)}


def count_gates(connection: Connection, run_id: str) -> int:
    """How many verdicts on gates a run has."""
    statement = select(func.count()).select_from(GATE_VERDICTS).where(GATE_VERDICTS.c.run_id == run_id)
    return connection.execute(statement).scalar_one()


def sign_offs(connection: Connection, run_id: str, wave: str | None = None) -> list[Row[Any]]:
    """Sign-offs of a run, oldest first."""
    statement = select(TRANSFER_SIGN_OFFS).where(TRANSFER_SIGN_OFFS.c.run_id == run_id)
    if wave is not None:
        statement = statement.where(TRANSFER_SIGN_OFFS.c.wave == wave)
    return list(connection.execute(statement.order_by(TRANSFER_SIGN_OFFS.c.signed_at)))


def representations(connection: Connection, debt_ids: Collection[str] | None = None) -> Mapping[str, Row[Any]]:
    """Debt, of all or of these, → the write-off notice that was received for it."""
    statement = select(REPRESENTATIONS)
    if debt_ids is not None:
        statement = statement.where(among(connection, REPRESENTATIONS.c.debt_id, sorted(debt_ids)))
    return {row.debt_id: row for row in connection.execute(statement)}


def parallel_days(connection: Connection, run_id: str, wave: str, *, since_approval: bool = False) -> list[Row[Any]]:
    """Days of the parallel run of a wave, newest first; all, or of what moved under the wave's newest approval."""
    chosen = (PARALLEL_DAYS.c.run_id == run_id) & (PARALLEL_DAYS.c.wave == wave)
    if since_approval:
        own = (TRANSFER_APPROVALS.c.run_id == run_id) & (TRANSFER_APPROVALS.c.wave == wave)
        newest = select(func.max(TRANSFER_APPROVALS.c.approved_at)).where(own).scalar_subquery()
        chosen &= PARALLEL_DAYS.c.compared_at >= newest
    return list(connection.execute(select(PARALLEL_DAYS).where(chosen).order_by(PARALLEL_DAYS.c.day.desc())))
