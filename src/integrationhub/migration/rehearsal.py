"""A rehearsal: the very same steps over the very same groups, in transactions that are rolled back, and its proof.

The groups are put into the run under an approval that does not exist. The database checks that link at commit, so a
rehearsal can't be committed by any mistake in this code. Before and after, the canonical state, the outbox, everything
that transfers write and the folder of outgoing files are fingerprinted; a difference fails the rehearsal.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict
from integrationhub.identity import Actor
from integrationhub.migration.cohort import Cohort, Member, likeness, verdict_on
from integrationhub.migration.handling import Handling
from integrationhub.migration.moving import Moved, Orders, move
from integrationhub.store import transfer_reading as reading
from integrationhub.store.fingerprint import fingerprint
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Work
from integrationhub.telemetry import UnitOfWork

PASSED, FAILED = "PASSED", "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A rehearsal of one wave as it was kept."""

    rehearsal_id: str
    wave: str
    verdict: str
    report: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class _Tried:
    moved: Moved = field(default_factory=Moved)
    seconds: float = 0.0


def rehearse(
    handling: Handling,
    actor: Actor,
    waves: Sequence[str],
    *,
    as_at: date | None = None,
    new_run: bool = False,
    progress: Callable[[int], None] = lambda _groups: None,
) -> list[Rehearsed]:
    """Rehearse waves, one after the other as if each were the only one; with `new_run` as the next run's beginning.

    Conflict: a wave has nothing to move, or the current run is not done with.
    """
    with handling.store.begin() as work:
        run = handling.begin(work, actor, anew=new_run)
        work.commit()
    with handling.store.read() as connection:
        day = handling.day(connection, as_at)
        cohort = handling.cohort(connection, day)
    rehearsing = _Rehearsing(handling=handling, run=run, day=day, cohort=cohort, actor=actor, progress=progress)
    wanted = [wave for wave in waves if cohort.waves[wave]] if len(waves) > 1 else list(waves)
    found = []
    for wave in wanted:
        with UnitOfWork("rehearsal", plan=handling.bound.name, wave=wave, run_id=run.run_id) as unit:
            found.append(rehearsing.wave(wave))
            unit.note(outcome=found[-1].verdict, groups=found[-1].report["groups"], cases=found[-1].report["cases"])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rehearsing:
    handling: Handling
    run: Stored
    day: date
    cohort: Cohort
    actor: Actor
    progress: Callable[[int], None]

    def wave(self, wave: str) -> Rehearsed:
        """One wave, tried and kept."""
        members = self.cohort.waves[wave]
        if not members:
            raise Conflict(
                f"wave {wave} has no group that can move", code="WAVE_EMPTY",
                remedy=f"see who is kept out and why: integrationhub migrate segment {self.handling.bound.name}",
            )  # fmt: skip
        started, before = self.handling.clock(), self._effects()
        tried = self._try(wave, members)
        after = self._effects()
        verdict = PASSED if before == after else FAILED
        report = self._report(wave, members, tried, before, after)
        finished = self.handling.clock()
        bound = self.handling.bound
        row = {
            "run_id": self.run.run_id, "wave": wave, "plan_hash": bound.hash,
            "changed_by": bound.plan.plan.changed_by, "rehearsed_by": self.actor.name,
            "authenticated": self.actor.authenticated, "as_at": self.day, "started_at": started,
            "finished_at": finished, "verdict": verdict, "report": report,
        }  # fmt: skip
        with self.handling.store.begin() as work:
            number = len(reading.rehearsals(work.connection, self.run.run_id)) + 1
            rehearsal_id = derive("rehearsal", self.run.run_id, number)
            kept = {**row, "rehearsal_id": rehearsal_id, "number": number}
            work.transfers.add_rehearsal(kept, list(_rows(rehearsal_id, members, tried.moved)))
            work.commit()
        return Rehearsed(rehearsal_id=rehearsal_id, wave=wave, verdict=verdict, report=report)

    def _effects(self) -> Mapping[str, str]:
        """Everything that a rehearsal may not change."""
        with self.handling.store.read() as connection:
            return {**fingerprint(connection), "outgoing files": files_digest(self.handling.outgoing)}

    def _try(self, wave: str, members: Sequence[Member]) -> _Tried:
        orders = self.handling.orders(self.run, self.day, self.actor)
        tried = _Tried()
        begun = time.perf_counter()
        at_once = self.handling.bound.policy.throttle.groups_per_transaction
        for start in range(0, len(members), at_once):
            part = members[start : start + at_once]
            with self.handling.store.begin() as work:  # left without commit: everything is rolled back
                now = self.handling.clock()
                rows = approved_rows(work, wave, part, orders, approval_id=derive("no approval"), at=now)
                put(work, rows)
                tried.moved.add(move(work, [row["case_group_id"] for row in rows], orders, at=now))
                self.handling.checkpoint("rehearsed batch")
            self.progress(len(part))
        tried.seconds = time.perf_counter() - begun
        return tried

    def _report(
        self,
        wave: str,
        members: Sequence[Member],
        tried: _Tried,
        before: Mapping[str, str],
        after: Mapping[str, str],
    ) -> dict[str, Any]:
        rate = len(members) / tried.seconds if tried.seconds else 0.0
        pilot = likeness(self.cohort, wave)
        throttle = self.handling.bound.policy.throttle.groups_per_second
        pace = min(rate, throttle) if throttle else rate
        return {
            "groups": len(members),
            "cases": sum(member.row["cases"] for member in members),
            "movable": tried.moved.groups,
            "held": dict(sorted(tried.moved.held.items())),
            "seconds": round(tried.seconds, 3),
            "groups_per_second": round(rate, 1),
            "window_seconds": round(len(members) / pace, 1) if pace else 0.0,
            "whole_plan_seconds": round(len(self.cohort.members) / pace, 1) if pace else 0.0,
            "pence": dict(sorted(tried.moved.pence.items())),
            "apart": round(max((item.apart for item in pilot), default=0.0), 1),
            "likeness": verdict_on(pilot, groups=len(members)),
            "changed": sorted(name for name in before if before[name] != after.get(name)),
            "fingerprint": sha256(repr(sorted(after.items())).encode()).hexdigest(),
        }


def _rows(rehearsal_id: str, members: Sequence[Member], moved: Moved) -> Iterator[dict[str, Any]]:
    for position, member in enumerate(members):
        yield {
            "rehearsal_id": rehearsal_id, "case_group_id": member.group_id, "position": position,
            "segment": member.segment, "cases": member.row["cases"], "told": member.told, "members": member.members,
            "digest": member.digest, "forecast": moved.forecasts.get(member.group_id, "UNKNOWN"),
        }  # fmt: skip


def approved_rows(
    work: Work, wave: str, members: Sequence[Member], orders: Orders, *, approval_id: str, at: datetime
) -> list[dict[str, Any]]:
    """Groups as an approval puts them into the run, with serial numbers behind all that were ever reserved."""
    serial = next_serial(work, orders)
    attempt = len(reading.approvals(work.connection, orders.run_id)) + 1
    rows = []
    for position, member in enumerate(members):
        rows.append({
            "run_id": orders.run_id, "case_group_id": member.group_id, "wave": wave, "position": position,
            "attempt": attempt, "plan_hash": orders.plan_hash, "approval_id": approval_id, "first_serial": serial,
            "told": member.told, "cases": member.row["cases"], "segment": member.segment, "members": member.members,
            "digest": member.digest, "state": "APPROVED", "reason": None, "changed_at": at,
        })  # fmt: skip
        serial += member.told
    return rows


def next_serial(work: Work, orders: Orders) -> int:
    """The first serial number that was never reserved."""
    return max(reading.last_serial(work.connection) + 1, orders.first_serial)


def put(work: Work, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put groups into their run, those that were in it before included."""
    ids = [row["case_group_id"] for row in rows]
    known = {row.case_group_id for row in work.transfers.lock(rows[0]["run_id"], ids)}
    work.transfers.put_groups([row for row in rows if row["case_group_id"] not in known])
    work.transfers.approve_groups([row for row in rows if row["case_group_id"] in known])


def files_digest(folder: Path) -> str:
    """SHA-256 over names and bytes of all files below a folder."""
    digest = sha256()
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file():
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()
