"""Named measures of gates: one number about a wave, from what is stored.

To add one: write a function of a `Wave` and name it in MEASURES; `plan check` then knows it, and a policy may use it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_moves import IN_HAND, MOVED
from integrationhub.store.unit_of_work import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredWave:
    """What is measured: a wave of a run under a plan hash."""

    connection: Reading
    run_id: str
    wave: str
    plan_hash: str


def rehearsed_held_share(wave: MeasuredWave) -> float:
    """Per cent of the rehearsed groups that the rehearsal found unfit to move; 100 where nothing was rehearsed."""
    report = _rehearsal(wave)
    if report is None:
        return 100.0
    held, groups = sum(report["held"].values()), report["groups"]
    return 100 * held / groups if groups else 0.0


def pilot_apart(wave: MeasuredWave) -> float:
    """Percentage points by which the trait that differs most does, between the wave's groups and all others."""
    report = _rehearsal(wave)
    return float(report["apart"]) if report else 100.0


def _rehearsal(wave: MeasuredWave) -> Mapping[str, Any] | None:
    found = reading.rehearsals(wave.connection, wave.run_id, wave.wave)
    return next((row.report for row in found if row.plan_hash == wave.plan_hash and row.verdict == "PASSED"), None)


def held_share(wave: MeasuredWave) -> float:
    """Per cent of the wave's groups that are held for a person."""
    states = reading.states(wave.connection, wave.run_id, wave.wave)
    groups = sum(row.groups for row in states)
    return 100 * sum(row.groups for row in states if row.state == "HELD") / groups if groups else 0.0


def unmoved_groups(wave: MeasuredWave) -> float:
    """Groups of the wave that are still to be moved."""
    return float(len(reading.group_ids(wave.connection, wave.run_id, wave.wave, ("APPROVED", "FROZEN"))))


def unexplained_pence(wave: MeasuredWave) -> float:
    """Pence, all differences added up gross: accounts at a source that are not empty, accounts where what went out is
    not what came in, and what the target holds against what was accepted.
    """
    apart = 0
    at_target = {"DEBT": 0, "SUSPENDED": 0, "CUSTODIAN": 0}
    for row in reading.totals(wave.connection, wave.run_id, wave.wave):
        if row.kind == "TRANSFER_IN":
            at_target[row.account_kind] += int(row.pence)
            at_target["SUSPENDED"] += int(row.suspended_pence)
    for row in reading.source_accounts_left(wave.connection, wave.run_id, wave.wave):
        apart += abs(int(row.pence)) + abs(int(row.suspended_pence))
    accepted = reading.accepted_totals(wave.connection, wave.run_id, wave.wave, MOVED)
    apart += abs(at_target["DEBT"] - accepted["rp"] - accepted["sos"])
    apart += abs(at_target["SUSPENDED"] - accepted["susp_rp"] - accepted["susp_sos"])
    return float(apart + abs(at_target["CUSTODIAN"] - accepted["custodian"]))


def unreconciled_groups(wave: MeasuredWave) -> float:
    """Moved groups of the wave that `migrate reconcile` has not found in agreement with the original bytes since."""
    return float(reading.groups_without(wave.connection, wave.run_id, wave.wave, MOVED, "RECONCILE"))


def rejected_notices(wave: MeasuredWave) -> float:
    """Notices of groups in hand that their source rejected."""
    in_hand = set(reading.group_ids(wave.connection, wave.run_id, wave.wave, IN_HAND))
    rows = reading.notices(wave.connection, wave.run_id, wave.wave)
    return float(sum(row.answer == "J" and row.case_group_id in in_hand for row in rows))


def unanswered_freezes(wave: MeasuredWave) -> float:
    """FREEZE notices that their source has not accepted yet."""
    rows = reading.notices(wave.connection, wave.run_id, wave.wave, action="FREEZE")
    return float(sum(row.answer != "A" for row in rows))


def clean_parallel_days(wave: MeasuredWave) -> float:
    """Days in a row, up to the last compared one, on which old and new balances agreed since the wave was approved."""
    count = 0
    for day in reading.parallel_days(wave.connection, wave.run_id, wave.wave, since_approval=True):
        if not day.clean:
            break
        count += 1
    return float(count)


MEASURES: dict[str, Callable[[MeasuredWave], float]] = {
    "rehearsed-held-share": rehearsed_held_share,
    "pilot-apart": pilot_apart,
    "held-share": held_share,
    "unmoved-groups": unmoved_groups,
    "unexplained-pence": unexplained_pence,
    "unreconciled-groups": unreconciled_groups,
    "rejected-notices": rejected_notices,
    "unanswered-freezes": unanswered_freezes,
    "clean-parallel-days": clean_parallel_days,
}
"""Measure → how it is taken."""

WORKED_OFF_BY = {"unmoved-groups": "transfer", "unreconciled-groups": "reconcile", "clean-parallel-days": "parallel"}
"""Measure → command of `migrate` that brings it where it should be."""
