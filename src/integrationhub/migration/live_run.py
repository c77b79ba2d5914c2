"""The live run of a wave: group after group until none is left, with a pause that another terminal can ask for.

Nothing is kept in memory that matters: what is left to do is what the store says is left. So a killed run goes on where
its last transaction ended, and any number of workers may share the groups.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from multiprocessing import get_context
from typing import Any

from integrationhub.errors import Conflict
from integrationhub.identity import Actor
from integrationhub.migration import gates
from integrationhub.migration.approval import passed_rehearsal
from integrationhub.migration.handling import RETURNED, Handling
from integrationhub.migration.moving import SILENT, Moved, Orders, move
from integrationhub.migration.plan import Stage
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading, Store
from integrationhub.telemetry import UnitOfWork

LEFT = ("APPROVED", "FROZEN")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a live run did since it was started. `paused_by`: who asked it to stop."""

    wave: str
    groups: int = 0
    cases: int = 0
    held: Counter[str] = field(default_factory=Counter)
    left: int = 0
    seconds: float = 0.0
    paused_by: str | None = None


Watcher = Callable[[int, int, int], None]
"""Told of progress, once a batch: groups done, groups in all, groups held so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Workers of a live run: how many, how they reach the store, and what they tell of crash points."""

    workers: int
    store_url: str
    checkpoints: Callable[[], Callable[[str], None]]


def transfer(
    handling: Handling,
    actor: Actor,
    wave: str,
    crew: Crew,
    *,
    freeze_only: bool = False,
    watcher: Watcher = lambda _done, _total, _held: None,
) -> Outcome:
    """Move all groups of a wave that are left.

    Conflict: no rehearsal or approval of this plan hash, a pause, or another run of the plan at work. InvariantBroken:
    a gate does not hold.
    """
    with handling.store.exclusive(f"transfer-{handling.bound.name}"):
        with handling.store.read() as connection:
            run = handling.run(connection)
            approval = _approval(handling, connection, run, wave)
            _not_paused(handling, connection, run, wave)
            day = next(
                row.as_at
                for row in reading.rehearsals(connection, run.run_id, wave)
                if row.rehearsal_id == approval.rehearsal_id
            )
        _pass_gates(handling, actor, wave)
        orders = handling.orders(run, day, actor, freeze_only=freeze_only)
        live = _Live(handling=handling, orders=orders, wave=wave, approval=approval, crew=crew, watcher=watcher)
        with UnitOfWork("transfer", plan=handling.bound.name, wave=wave, run_id=run.run_id) as unit:
            outcome = live.go()
            unit.note(groups=outcome.groups, cases=outcome.cases, outcome="PAUSED" if outcome.paused_by else "DONE")
        return outcome


def _approval(handling: Handling, connection: Reading, run: Stored, wave: str) -> Stored:
    """The approval under which the wave's groups move, of this very plan hash."""
    passed_rehearsal(handling, connection, run, wave)
    newest = next(iter(reading.approvals(connection, run.run_id, wave)), None)
    if newest is None or newest.plan_hash != handling.bound.hash:
        raise Conflict(
            f"wave {wave} was rehearsed but not approved under this plan hash", code="NOT_APPROVED",
            remedy=f"let a second person run: integrationhub migrate approve {handling.bound.name} --wave {wave} "
            "--as WHO --reason TEXT",
        )  # fmt: skip
    groups = reading.groups(connection, run.run_id, wave=wave)
    if all(row.state in RETURNED for row in groups):
        raise Conflict(
            f"all groups of wave {wave} are with their sources again: the approval is used up", code="NOT_APPROVED",
            remedy=f"rehearse and approve it anew: integrationhub migrate rehearse {handling.bound.name} --wave {wave}",
        )  # fmt: skip
    return newest


def _not_paused(handling: Handling, connection: Reading, run: Stored, wave: str) -> None:
    control = reading.control(connection, run.run_id, wave)
    if control is not None and control.paused_by:
        raise Conflict(
            f"wave {wave} was paused by {control.paused_by}", code="PAUSED",
            remedy=f"go on with: integrationhub migrate resume {handling.bound.name} --wave {wave}",
        )  # fmt: skip


def _pass_gates(handling: Handling, actor: Actor, wave: str) -> None:
    with handling.store.begin() as work:
        measured = gates.measure(handling, work, wave, actor, stage=Stage.ENTRY)
        work.commit()
    gates.require(measured, handling, wave)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    handling: Handling
    orders: Orders
    wave: str
    approval: Stored
    crew: Crew
    watcher: Watcher

    def go(self) -> Outcome:
        """Until nothing is left or somebody asks for a pause."""
        left = self._left()
        outcome = Outcome(wave=self.wave)
        started, begun = self.handling.clock(), time.perf_counter()
        before, seconds = self._before()
        progress = {"done": before, "total": before + len(left), "seconds": seconds}
        self._note(started_at=started, seen_at=started, workers=self.crew.workers, **progress)
        with self._hands() as run_batches:
            for moved in run_batches(self._batches(left, outcome, begun)):
                outcome.groups += moved.groups
                outcome.cases += moved.cases
                outcome.held += moved.held
                outcome.seconds = time.perf_counter() - begun
                done = outcome.groups + sum(outcome.held.values())
                seen = self.handling.clock()
                self._note(seen_at=seen, done=before + done, seconds=seconds + outcome.seconds)
                self.watcher(done, len(left), sum(outcome.held.values()))
                self.handling.checkpoint("transfer noted")
        outcome.left = len(self._left())
        return outcome

    def _left(self) -> list[str]:
        states = LEFT[:1] if self.orders.freeze_only else LEFT
        with self.handling.store.read() as connection:
            return reading.group_ids(connection, self.orders.run_id, self.wave, states)

    def _before(self) -> tuple[int, float]:
        """Groups and seconds that runs under this approval have noted before: rate and remaining time count them."""
        with self.handling.store.read() as connection:
            control = reading.control(connection, self.orders.run_id, self.wave)
        if control is None or control.started_at is None or control.started_at < self.approval.approved_at:
            return 0, 0.0
        return int(control.done), float(control.seconds)

    def _note(self, **values: Any) -> None:
        with self.handling.store.begin() as work:
            work.transfers.control(self.orders.run_id, self.wave, **values)
            work.commit()

    def _batches(self, left: Sequence[str], outcome: Outcome, begun: float) -> Iterator[Sequence[str]]:
        """The groups in batches, no faster than the throttle allows, until somebody asks for a pause."""
        throttle = self.handling.bound.policy.throttle
        at_once = throttle.groups_per_transaction
        for start in range(0, len(left), at_once):
            if throttle.groups_per_second:
                time.sleep(max(0.0, begun + start / throttle.groups_per_second - time.perf_counter()))
            with self.handling.store.read() as connection:
                control = reading.control(connection, self.orders.run_id, self.wave)
            if control is not None and control.paused_by:
                outcome.paused_by = control.paused_by
                return
            yield left[start : start + at_once]

    @contextmanager
    def _hands(self) -> Iterator[Callable[[Iterator[Sequence[str]]], Iterator[Moved]]]:
        """What takes batches: this process, or workers of its own."""
        if self.crew.workers == 1:
            yield lambda batches: (
                move_batch(self.handling.store, batch, self.orders, self.handling.clock, self.handling.checkpoint)
                for batch in batches
            )
            return
        with ExitStack() as stack:
            start = (self.crew.store_url, self.crew.checkpoints, self.handling.clock)
            pool = stack.enter_context(
                ProcessPoolExecutor(self.crew.workers, get_context("spawn"), initializer=_begin_worker, initargs=start)
            )
            yield lambda batches: _shared_out(pool, self.crew.workers, batches, self.orders)


def move_batch(
    store: Store,
    group_ids: Sequence[str],
    orders: Orders,
    clock: Callable[[], datetime],
    checkpoint: Callable[[str], None] = SILENT,
) -> Moved:
    """Move some groups in one transaction."""
    with store.begin() as work:
        moved = move(work, group_ids, orders, at=clock(), checkpoint=checkpoint)
        checkpoint("before transferred")
        work.commit()
    checkpoint("transferred")
    return moved


def _shared_out(
    pool: ProcessPoolExecutor, workers: int, batches: Iterator[Sequence[str]], orders: Orders
) -> Iterator[Moved]:
    """Results as they come; no more batches are handed out than workers can take, so that a pause is heard soon."""
    running: set[Future[Moved]] = {pool.submit(_move_here, batch, orders) for batch in islice(batches, workers)}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()
        running |= {pool.submit(_move_here, batch, orders) for batch in islice(batches, len(done))}


_WORKER: dict[str, Any] = {}
"""What a worker process keeps between batches: its own store, clock and crash points."""


def _begin_worker(url: str, checkpoints: Callable[[], Callable[[str], None]], clock: Callable[[], datetime]) -> None:
    _WORKER.update(store=Store.open(url), checkpoint=checkpoints(), clock=clock)


def _move_here(group_ids: Sequence[str], orders: Orders) -> Moved:
    return move_batch(_WORKER["store"], group_ids, orders, _WORKER["clock"], _WORKER["checkpoint"])


def unfinished(handling: Handling, wave: str) -> bool:
    """Whether groups of a wave are left to move."""
    with handling.store.read() as connection:
        run = handling.run(connection)
        return bool(reading.group_ids(connection, run.run_id, wave, LEFT))


def pause(handling: Handling, actor: Actor, waves: Sequence[str]) -> None:
    """Ask the live run of these waves to stop after the groups it has in hand."""
    with handling.store.begin() as work:
        run = handling.run(work.connection)
        for wave in waves:
            work.transfers.control(run.run_id, wave, paused_by=actor.name, paused_at=handling.clock())
        work.commit()


def release_pause(handling: Handling, waves: Sequence[str]) -> list[str]:
    """Take the wish to pause back; the waves that were paused."""
    with handling.store.begin() as work:
        run = handling.run(work.connection)
        paused = [row.wave for row in reading.controls(work.connection, run.run_id) if row.paused_by]
        chosen = [wave for wave in waves if wave in paused]
        for wave in chosen:
            work.transfers.control(run.run_id, wave, paused_by=None, paused_at=None)
        work.commit()
    return chosen
