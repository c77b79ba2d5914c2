"""What every part of a run shares: the store, the clock, the plan bound to its hash, who acts, and the current run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from integrationhub.arrears.policy import Policy as ArrearsPolicy
from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict, NotFound
from integrationhub.identity import Actor
from integrationhub.migration.checking import BoundPlan
from integrationhub.migration.cohort import Begun, Cohort, form
from integrationhub.migration.moving import SILENT, Orders
from integrationhub.migration.positions import Positions
from integrationhub.store import casework
from integrationhub.store import transfer_reading as reading
from integrationhub.store.transfer_reading import Stored
from integrationhub.store.unit_of_work import Reading, Store, Work

UNDER_WAY = ("APPROVED", "FROZEN", "LOADED", "SIGNED_OFF", "CLOSING")
"""States of groups that a run has not done with."""

RETURNED = ("HELD", "RELEASED", "BACKED_OUT")
"""States of groups that may move again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """A plan in the hands of somebody. `run_id` names a run other than the current one."""

    store: Store
    bound: BoundPlan
    arrears: ArrearsPolicy
    clock: Callable[[], datetime]
    outgoing: Path
    run_id: str | None = None
    checkpoint: Callable[[str], None] = SILENT

    def wave(self, name: str) -> str:
        """The name of a wave of the plan; NotFound lists them."""
        waves = self.bound.plan.waves()
        if name not in waves:
            raise NotFound(
                f"the plan {self.bound.name} has no wave {name}",
                code="NO_WAVE",
                remedy=f"choose one of: {', '.join(waves)}",
            )
        return name

    def run(self, connection: Reading) -> Stored:
        """The run. NotFound: the plan has no run of this identifier. Conflict: none has begun yet."""
        found = reading.current_run(connection, self.bound.name, self.run_id)
        if found is None and self.run_id is not None:
            raise NotFound(f"the plan {self.bound.name} has no run {self.run_id}", code="NO_RUN")
        if found is None:
            raise Conflict(
                f"nothing of the plan {self.bound.name} was rehearsed yet, so no run has begun",
                code="NOT_REHEARSED",
                remedy=f"begin one: integrationhub migrate rehearse {self.bound.name}",
            )
        return found

    def begin(self, work: Work, actor: Actor, *, anew: bool = False) -> Stored:
        """The current run, begun now where there is none; the plan's hash is noted with who last changed the plan.

        `anew`: the next run. Conflict: groups of the current one are under way.
        """
        now = self.clock()
        bound = self.bound
        work.transfers.add_plan(
            {"plan_hash": bound.hash, "plan": bound.name, "changed_by": bound.plan.plan.changed_by,
             "parts": dict(bound.parts), "recorded_at": now}
        )  # fmt: skip
        current = reading.current_run(work.connection, bound.name)
        if anew and current is not None:
            self._nothing_under_way(work.connection, current)
        if self.run_id is None and (anew or current is None):
            number = current.number + 1 if current is not None else 1
            work.transfers.add_run(
                {"run_id": derive("transfer run", bound.name, number), "plan": bound.name, "number": number,
                 "phase": bound.plan.plan.phase, "begun_at": now, "begun_by": actor.name}
            )  # fmt: skip
        return self.run(work.connection)

    def _nothing_under_way(self, connection: Reading, run: Stored) -> None:
        under_way = [row for row in reading.states(connection, run.run_id) if row.state in UNDER_WAY]
        if under_way:
            raise Conflict(
                f"{sum(row.groups for row in under_way):,} groups of the current run are under way",
                code="RUN_UNFINISHED",
                remedy=f"close or back out its waves first: integrationhub migrate status {self.bound.name}",
            )

    def day(self, connection: Reading, as_at: date | None = None) -> date:
        """The day given, else that of the newest book; Conflict when there is no book yet."""
        found = as_at or casework.latest_as_at(connection)
        if found is None:
            raise Conflict(
                "no book has been accepted yet",
                code="NO_BOOK",
                remedy="take the sources' files first: integrationhub ingest",
            )
        if not casework.nothing_waits(connection):
            raise Conflict("cases wait to be judged", code="NOT_JUDGED", remedy="run: integrationhub arrears judge")
        return found

    def cohort(self, connection: Reading, day: date) -> Cohort:
        """Population, exclusions and waves as at a day."""
        positions = Positions(connection, day, self.arrears.on(day))
        return form(self.bound.plan, positions.all(), self.begun(connection))

    def begun(self, connection: Reading) -> Begun:
        """What has been approved in this run, and what other runs have in hand."""
        run = reading.current_run(connection, self.bound.name, self.run_id)
        printed = reading.printed_waves(connection, self.bound.name)
        if run is None:
            return Begun(printed=printed, elsewhere=reading.elsewhere(connection, None))
        waves: dict[str, list[str]] = {}
        returned = set()
        for row in reading.groups(connection, run.run_id):
            waves.setdefault(row.wave, []).append(row.case_group_id)
            if row.state in ("APPROVED", *RETURNED):
                returned.add(row.case_group_id)
        elsewhere = reading.elsewhere(connection, run.run_id)
        return Begun(waves=waves, returned=returned, printed=printed, elsewhere=elsewhere)

    def orders(self, run: Stored, day: date, actor: Actor, *, freeze_only: bool = False) -> Orders:
        """What holds for every group of a wave."""
        plan, policy = self.bound.plan, self.bound.policy
        return Orders(
            run_id=run.run_id, plan_hash=self.bound.hash, target=plan.plan.target, prefix=policy.references.prefix,
            first_serial=policy.references.first,
            day=day, thresholds=self.arrears.on(day), clocks=policy.clocks,
            hears=policy.write_off.waits_for_representations, actor=actor, freeze_only=freeze_only,
        )  # fmt: skip
