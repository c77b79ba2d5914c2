"""Gates: measured, compared, kept with their verdict. One that does not hold stops the wave until it does, or until a
second person who may do so lets it pass, with a reason, at the value that was measured.
"""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict, InvariantBroken, NotAllowed, NotFound
from integrationhub.identity import Actor
from integrationhub.migration import selection
from integrationhub.migration.handling import Handling
from integrationhub.migration.measures import MEASURES, WORKED_OFF_BY, MeasuredWave
from integrationhub.migration.plan import Gate, Stage
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading, Work

_COMPARE = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, ">": operator.gt, "==": operator.eq}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A gate of a wave. `overridden_by` let it pass at this value."""

    gate: str
    wave: str
    stage: Stage
    measured: float
    compare: str
    threshold: float
    holds: bool
    overridden_by: str | None = None
    reason: str | None = None

    @property
    def passes(self) -> bool:
        """Whether the wave may go on."""
        return self.holds or self.overridden_by is not None

    @property
    def verdict(self) -> str:
        """One word."""
        return "HOLDS" if self.holds else "OVERRIDDEN" if self.overridden_by else "FAILS"


def measure(handling: Handling, work: Work, wave: str, actor: Actor, *, stage: Stage | None = None) -> list[Measured]:
    """Measure the gates of a wave, keep the verdicts; an override stays good while the value is no worse."""
    run = handling.run(work.connection)
    before = reading.last_gates(work.connection, run.run_id, wave)
    found = []
    for gate in _gates(handling, wave, stage):
        value = _value(handling, work.connection, run, wave, gate)
        holds = bool(_COMPARE[gate.compare](value, gate.threshold))
        last = before.get(gate.name)
        override = last if last is not None and last.overridden_by and _no_worse(gate, value, last.measured) else None
        if override is None or holds:
            _keep(handling, work, wave, _verdict_row(run, gate, value, holds=holds), actor)
        found.append(
            Measured(
                gate=gate.name, wave=wave, stage=gate.stage, measured=value, compare=gate.compare,
                threshold=gate.threshold, holds=holds,
                overridden_by=override.overridden_by if override is not None and not holds else None,
                reason=override.reason if override is not None and not holds else None,
            )
        )  # fmt: skip
    return found


def _gates(handling: Handling, wave: str, stage: Stage | None) -> list[Gate]:
    return [
        gate
        for gate in handling.bound.policy.gate
        if (not gate.waves or wave in gate.waves) and stage in (None, gate.stage)
    ]


def _no_worse(gate: Gate, value: float, overridden: float) -> bool:
    if gate.compare in ("<=", "<"):
        return value <= overridden
    return value >= overridden if gate.compare in (">=", ">") else value == overridden


def _value(handling: Handling, connection: Reading, run: Stored, wave: str, gate: Gate) -> float:
    if gate.measure is not None:
        context = MeasuredWave(connection=connection, run_id=run.run_id, wave=wave, plan_hash=handling.bound.hash)
        return MEASURES[gate.measure](context)
    rows: list[Mapping[str, Any]] = [
        {"group_id": row.case_group_id, "state": row.state, "reason": row.reason, "segment": row.segment,
         "cases": row.cases}
        for row in reading.groups(connection, run.run_id, wave=wave)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=dict(selection.WAVE_GROUPS))
    return selection.number(gate.select or "", {"wave_groups": frame})


def _verdict_row(run: Stored, gate: Gate, value: float, *, holds: bool) -> dict[str, Any]:
    return {
        "run_id": run.run_id, "stage": gate.stage.value, "gate": gate.name, "measured": value,
        "compare": gate.compare, "threshold": gate.threshold, "holds": holds,
    }  # fmt: skip


def _keep(handling: Handling, work: Work, wave: str, verdict: Mapping[str, Any], actor: Actor) -> None:
    now = handling.clock()
    number = reading.count_gates(work.connection, verdict["run_id"]) + 1
    identity = {"verdict_id": derive("gate", verdict["run_id"], number), "number": number, "wave": wave}
    measured = {"measured_by": actor.name, "authenticated": actor.authenticated, "measured_at": now}
    work.transfers.add_gate({**verdict, **identity, **measured, "plan_hash": handling.bound.hash})


def override(handling: Handling, wave: str, gate_name: str, actor: Actor, reason: str) -> None:
    """Let a wave pass a gate that does not hold, at the value last measured.

    NotFound: no such gate was measured. Conflict: it holds. NotAllowed: the actor measured it, or may not override it.
    """
    with handling.store.begin() as work:
        run = handling.run(work.connection)
        last = reading.last_gates(work.connection, run.run_id, wave).get(gate_name)
        gate = next((item for item in _gates(handling, wave, None) if item.name == gate_name), None)
        if last is None or gate is None:
            raise NotFound(
                f"gate {gate_name} of wave {wave} was not measured", code="NO_GATE",
                remedy=f"run: integrationhub migrate gate {handling.bound.name} --wave {wave}",
            )  # fmt: skip
        if last.holds:
            raise Conflict(f"gate {gate_name} holds: there is nothing to override", code="GATE_HOLDS")
        if last.overridden_by:
            raise Conflict(f"gate {gate_name} was overridden by {last.overridden_by} already", code="GATE_OVERRIDDEN")
        _may_override(gate, last, actor)
        now = handling.clock()
        work.transfers.add_override(
            {"verdict_id": last.verdict_id, "measured_by": last.measured_by, "holds": last.holds,
             "overridden_by": actor.name, "authenticated": actor.authenticated, "reason": reason, "overridden_at": now}
        )  # fmt: skip
        work.commit()


def _may_override(gate: Gate, last: Stored, actor: Actor) -> None:
    if "*" not in gate.may_override and not any(actor.is_same_as(name) for name in gate.may_override):
        allowed = ", ".join(gate.may_override) or "nobody"
        raise NotAllowed(
            f"gate {gate.name} may be overridden by {allowed}, not by {actor.name}", code="MAY_NOT_OVERRIDE"
        )
    if actor.is_same_as(last.measured_by):
        raise NotAllowed(
            f"{actor.name} has measured gate {gate.name} and may not override it", code="SELF_APPROVAL",
            remedy="let a second person decide",
        )  # fmt: skip


def require(measured: list[Measured], handling: Handling, wave: str) -> None:
    """InvariantBroken unless the wave passes all of these gates."""
    failed = [item for item in measured if not item.passes]
    if failed:
        named = "; ".join(
            f"{item.gate} is {item.measured:g}, must be {item.compare} {item.threshold:g}" for item in failed
        )
        over = f"{handling.bound.name} --wave {wave}"
        measures = {gate.name: gate.measure or "" for gate in _gates(handling, wave, None)}
        commands = [WORKED_OFF_BY[name] for name in (measures[item.gate] for item in failed) if name in WORKED_OFF_BY]
        first = "; ".join(f"run: integrationhub migrate {command} {over}" for command in commands)
        raise InvariantBroken(
            f"wave {wave} may not go on: {named}", code="GATE",
            remedy=f"{first or 'work off what they measure'}, or: integrationhub migrate gate {over} --override GATE "
            "--as WHO --reason TEXT",
        )  # fmt: skip
