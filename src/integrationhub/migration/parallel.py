"""The daily comparison of the parallel run, by the hub itself: whenever a new book of the sources was taken and judged.

It comes before groups that have changed are taken back to their sources, so that a day on which that happens is not
clean. What is due follows from the store alone, so a comparison that a crash has cut short is made at the next look.
"""

from collections.abc import Callable
from dataclasses import dataclass

from integrationhub.errors import Conflict, HubError, TransientError
from integrationhub.identity import HUB
from integrationhub.migration.handling import Handling
from integrationhub.migration.settling import Day, compare
from integrationhub.store.parallel_days import WaveInParallel, newest_book, waves_in_parallel
from integrationhub.store.unit_of_work import Store
from integrationhub.telemetry import UnitOfWork, logger


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyComparison:
    """Compares waves that wait for sign-off. `handling`: a plan by its name and run."""

    store: Store
    handling: Callable[[str, str], Handling]

    def compare_due(self) -> list[Day]:
        """Compare every wave for which a book has come since; a plan that can't be read is passed over, and logged."""
        with self.store.read() as connection:
            waves = waves_in_parallel(connection)
        return [day for wave in waves if (day := self._compare(wave)) is not None]

    def _compare(self, wave: WaveInParallel) -> Day | None:
        try:
            handling = self.handling(wave.plan, wave.run_id)
            if not self._is_due(wave, handling):
                return None
            with UnitOfWork("parallel_day", plan=wave.plan, wave=wave.wave, run_id=wave.run_id) as unit:
                day = compare(handling, HUB, wave.wave)
                unit.note(outcome="CLEAN" if day.clean else "DIFFERS", rows=day.accounts)
        except TransientError:
            raise
        except Conflict as exc:  # cases wait to be judged: the next look finds the comparison still due
            logger().info("parallel_day_waits", plan=wave.plan, wave=wave.wave, reason=exc.code)
        except HubError as exc:
            logger().error("parallel_day_failed", plan=wave.plan, wave=wave.wave, reason=exc.code)
        else:
            return day
        return None

    def _is_due(self, wave: WaveInParallel, handling: Handling) -> bool:
        with self.store.read() as connection:
            came = newest_book(connection, handling.bound.plan.plan.connectors)
        return came is not None and (wave.compared_at is None or wave.compared_at < came)
