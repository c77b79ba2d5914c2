"""Questions about plans and runs: what stands where, how far, since when, and how the forecast fared."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from integrationhub.migration.cohort import REASONS, Cohort, Likeness, likeness, verdict_on
from integrationhub.migration.handling import Handling
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading

DONE = ("LOADED", "SIGNED_OFF", "CLOSING", "CLOSED")


def segments(handling: Handling, as_at: date | None = None) -> dict[str, Any]:
    """The population of a plan as at a day: segments, waves, exclusions with reasons, and the pilot's likeness."""
    with handling.store.read() as connection:
        day = handling.day(connection, as_at)
        cohort = handling.cohort(connection, day)
    told = {rule.code: rule.reason for rule in handling.bound.plan.exclusion}
    excluded = Counter(item.code for item in cohort.excluded)
    details = Counter(code for item in cohort.excluded for code in item.details)
    return {
        "plan": handling.bound.name,
        "as_at": day.isoformat(),
        "groups": sum(cohort.groups_by_segment.values()),
        "cases": sum(cohort.cases_by_segment.values()),
        "segments": {
            name: {"groups": cohort.groups_by_segment[name], "cases": cohort.cases_by_segment[name]}
            for name in sorted({*cohort.groups_by_segment, *cohort.cases_by_segment})
        },
        "waves": [_wave(cohort, wave) for wave in handling.bound.plan.waves()],
        "left": len(cohort.left),
        "exclusions": [
            {"code": code, "groups": count, "reason": told.get(code) or REASONS.get(code, "")}
            for code, count in sorted(excluded.items())
        ],
        "held_codes": dict(sorted(details.items())),
        "pilot": _pilot(handling, cohort),
    }


def _wave(cohort: Cohort, wave: str) -> dict[str, Any]:
    members = cohort.waves[wave]
    return {
        "wave": wave,
        "groups": len(members),
        "cases": sum(member.row["cases"] for member in members),
        "segments": dict(sorted(Counter(member.segment for member in members).items())),
        "rp_pence": sum(member.row["rp_pence"] for member in members),
        "sos_pence": sum(member.row["sos_pence"] for member in members),
        "custodian_pence": sum(member.row["custodian_pence"] for member in members),
    }


def _pilot(handling: Handling, cohort: Cohort) -> dict[str, Any] | None:
    pilots = [wave.name for wave in handling.bound.plan.wave if wave.pilot]
    if not pilots:
        return None
    found = likeness(cohort, pilots[0])
    groups = len(cohort.waves[pilots[0]])
    return {"wave": pilots[0], "verdict": verdict_on(found, groups=groups), "traits": [_trait(item) for item in found]}


def _trait(item: Likeness) -> dict[str, Any]:
    shares = {"pilot_percent": item.pilot, "population_percent": item.population, "points_apart": item.apart}
    return {"trait": item.trait, **{name: round(value, 1) for name, value in shares.items()}}


def moved_waves(handling: Handling) -> list[str]:
    """Waves of which something has moved."""
    with handling.store.read() as connection:
        run = handling.run(connection)
        return [wave for wave in handling.bound.plan.waves() if reading.group_ids(connection, run.run_id, wave, DONE)]


def status(handling: Handling) -> dict[str, Any]:
    """How a run stands, wave by wave; the forecast of a wave's rehearsal beside what its live run was like."""
    with handling.store.read() as connection:
        run = handling.run(connection)
        return {
            "plan": handling.bound.name,
            "plan_hash": handling.bound.hash,
            "run": run.run_id,
            "phase": run.phase,
            "begun_at": run.begun_at.isoformat(),
            "begun_by": run.begun_by,
            "waves": [_status(handling, connection, run, wave) for wave in handling.bound.plan.waves()],
        }


def _status(handling: Handling, connection: Reading, run: Stored, wave: str) -> dict[str, Any]:
    states = reading.states(connection, run.run_id, wave)
    counted: Counter[str] = Counter()
    for row in states:
        counted[row.state] += row.groups
    rehearsals = reading.rehearsals(connection, run.run_id, wave)
    rehearsal = next(iter(rehearsals), None)
    approval = next(iter(reading.approvals(connection, run.run_id, wave)), None)
    approved = next((row for row in rehearsals if approval and row.rehearsal_id == approval.rehearsal_id), None)
    control = reading.control(connection, run.run_id, wave)
    sign_offs = reading.sign_offs(connection, run.run_id, wave)
    return {
        "wave": wave,
        "groups": dict(sorted(counted.items())),
        "held": {str(row.reason): row.groups for row in states if row.state == "HELD"},
        "rehearsed": None if rehearsal is None else _rehearsal(handling, rehearsal),
        "approved_by": None if approval is None else approval.approved_by,
        "approval_holds": approval is not None and approval.plan_hash == handling.bound.hash,
        "paused_by": None if control is None else control.paused_by,
        "progress": None if control is None else _progress(control),
        "score": _score(approved, control, counted),
        "signed_off_by": sign_offs[-1].signed_by if sign_offs else None,
    }


def _rehearsal(handling: Handling, rehearsal: Stored) -> Mapping[str, Any]:
    kept = ("groups", "movable", "held", "groups_per_second", "window_seconds")
    return {
        "verdict": rehearsal.verdict,
        "by": rehearsal.rehearsed_by,
        "at": rehearsal.finished_at.isoformat(),
        "of_this_plan_hash": rehearsal.plan_hash == handling.bound.hash,
        **{name: rehearsal.report[name] for name in kept},
    }


def _progress(control: Stored) -> Mapping[str, Any]:
    rate = control.done / control.seconds if control.seconds else 0.0
    left = control.total - control.done
    return {
        "done": control.done,
        "total": control.total,
        "workers": control.workers,
        "groups_per_second": round(rate, 1),
        "remaining_seconds": round(left / rate, 1) if rate else None,
        "seen_at": control.seen_at.isoformat() if control.seen_at else None,
    }


def _score(rehearsal: Stored | None, control: Stored | None, counted: Counter[str]) -> Mapping[str, Any] | None:
    """The forecast against the live run, once groups have moved: per cent of the forecast that came about."""
    moved = sum(counted[state] for state in DONE)
    if rehearsal is None or control is None or not moved:
        return None
    forecast = rehearsal.report
    return {
        "groups_forecast": forecast["movable"],
        "groups_moved": moved,
        "held_forecast": sum(forecast["held"].values()),
        "held": counted["HELD"],
        "window_forecast_seconds": forecast["window_seconds"],
        "window_seconds": round(control.seconds, 1),
    }
