"""Waves of old cases on PostgreSQL: rehearsed, approved, moved, compared, reconciled; and what 1.4 million would take.

The book is taken and judged first, outside the clock. There is no faster way to compare with, the limit is the night:
each result says how long 1.4 million cases would need at its rate, and the last one, which adds up what a case needs
from its rehearsal to its reconciliation, is what must stay under four hours (stretch: one).
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks.estates import cache_folder, extract
from benchmarks.results import Result, Stage
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.checkpoints import crash_points
from integrationhub.config import Settings
from integrationhub.identity import Actor
from integrationhub.migration.approval import approve
from integrationhub.migration.handling import Handling
from integrationhub.migration.live_run import Crew, transfer
from integrationhub.migration.rehearsal import rehearse
from integrationhub.migration.settling import compare
from integrationhub.receive.folder import find_files
from integrationhub.telemetry import configure
from tests.services.servers import start_postgres

T = TypeVar("T")

CASES = 1_400_000
PLAN = "csa-1993"
WORKERS = {"main": 1, "rest": 2}
"""Wave → processes that move it."""

_PREPARER, _APPROVER = (Actor(name=name, authenticated=False) for name in ("preparer", "approver"))


def run(records: int) -> Iterator[Result]:
    """One result a wave and step, in cases a second."""
    configure("ERROR")
    book = extract(records).nights[0]
    folder = Path(tempfile.mkdtemp(prefix="transfer-", dir=cache_folder()))
    server = start_postgres()
    try:
        settings = Settings(data_dir=folder, synthetic_identities=True, database_url=server.new_database())
        with Hub(settings, Catalogue.standard(), clock=_now) as hub:
            pipeline = hub.pipeline("csa1993")
            files = find_files([book], pipeline.descriptor.delivery)
            pipeline.take_all(files, lambda _file: lambda _done, _all: None)
            hub.judging().run()
            hub.store.refresh_statistics()
            parts: list[Result] = []
            for wave, workers in WORKERS.items():
                parts = []
                for result in _wave(hub, wave, workers):
                    parts.append(result)
                    yield result
            yield (reconciled := _reconciled(hub))
            yield _whole_way([*parts, reconciled])
    finally:
        server.stop()
        shutil.rmtree(folder)


def _now() -> datetime:
    return datetime.now(UTC)


def _wave(hub: Hub, wave: str, workers: int) -> Iterator[Result]:
    handling = hub.handling(PLAN)
    begun = time.perf_counter()
    (rehearsed,) = rehearse(handling, _PREPARER, [wave])
    seconds, report = time.perf_counter() - begun, rehearsed.report
    inside = Stage(name="the steps themselves", seconds=report["seconds"])
    yield _result(f"{wave}: rehearsal with its proof", report["groups"], report["cases"], seconds, [inside])
    approve(handling, _APPROVER, wave, "benchmark")
    crew = Crew(workers=workers, store_url=hub.settings.store_url, checkpoints=crash_points)
    outcome, seconds = _timed(lambda: transfer(handling, _PREPARER, wave, crew))
    yield _result(f"{wave}: live run, {workers} worker(s)", outcome.groups, outcome.cases, seconds, [])
    _, seconds = _timed(lambda: _compared(handling, wave))
    yield _result(f"{wave}: comparison of old and new balances", outcome.groups, outcome.cases, seconds, [])


def _compared(handling: Handling, wave: str) -> None:
    if not compare(handling, _PREPARER, wave).clean:
        raise AssertionError("balances differ after a transfer")


def _reconciled(hub: Hub) -> Result:
    """The whole book read a second time, and everything that has moved compared with it."""
    with hub.store.read() as connection:
        run_id = hub.handling(PLAN).run(connection).run_id
    (book,), seconds = _timed(lambda: hub.reconciliation(("csa1993",)).run(run_id=run_id))
    if not book.holds:
        raise AssertionError("the book differs from what the hub holds")
    said = {part.entity: part.said for part in book.compared}
    return _result("second reading of the originals, every value", said["groups"], said["cases"], seconds, [])


def _whole_way(parts: list[Result]) -> Result:
    """What one case needs, step after step, with the last wave's workers."""
    stages = [Stage(name=part.name, seconds=part.seconds / part.rows * CASES) for part in parts]
    seconds = sum(stage.seconds for stage in stages)
    text = f"1.4 million cases in {seconds / 3600:.2f} h, from rehearsal to reconciliation"
    return Result(name="the whole way", workload=text, unit="cases", rate=CASES / seconds, seconds=seconds, rows=CASES,
                  stages=stages)  # fmt: skip


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun


def _result(name: str, groups: int, cases: int, seconds: float, stages: list[Stage]) -> Result:
    hours = CASES / (cases / seconds) / 3600 if cases else 0.0
    workload = (
        f"{groups:,} groups, {cases:,} cases; {groups / seconds:,.0f} groups/s; 1.4 million cases in {hours:.2f} h"
    )
    return Result(
        name=name, workload=workload, unit="cases", rate=cases / seconds, seconds=seconds, rows=cases, stages=stages
    )
