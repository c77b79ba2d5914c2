"""The debt manager's extracts: a full book loaded, then a delta of one debt in a hundred, on SQLite and PostgreSQL.

What changed must cost what it is, not what the book is: the delta's time is told as a part of the full load's, beside
the part of the book that it holds. Deltas are taken one after the other, as nights bring them; the median counts.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.benefit_book import write_delta, write_full
from benchmarks.estates import cache_folder
from benchmarks.results import Result, Rival
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.receive.folder import find_files
from integrationhub.telemetry import configure
from tests.services.servers import start_postgres

CONNECTOR = "debt-manager"
SHARE = 100
"""One debt in so many changes."""

NIGHTS = 3
GOAL, STRETCH = 0.5, 0.9
"""Debts a second in a delta, of those in the full load: 1 means that a delta of one per cent costs one per cent."""


def run(records: int) -> Iterator[Result]:
    """For each store the full load, and the deltas beside it."""
    configure("ERROR")
    folder = Path(tempfile.mkdtemp(prefix="benefits-", dir=cache_folder()))
    server = start_postgres()
    try:
        changed = max(records // SHARE, 1)
        files = [write_full(folder, records)]
        files += [write_delta(folder, records, sequence, changed) for sequence in range(2, NIGHTS + 2)]
        for name, url in (("SQLite", None), ("PostgreSQL", server.new_database())):
            full, *nights = _taken(folder / name, url, files, [records, *[changed] * NIGHTS])
            yield _full(name, records, files[0], full)
            yield _delta(name, (changed, records), files[1], median(nights), full)
    finally:
        server.stop()
        shutil.rmtree(folder)


def _taken(folder: Path, url: str | None, files: Sequence[Path], records: Sequence[int]) -> list[float]:
    """Seconds that each file took."""
    settings = Settings(data_dir=folder, synthetic_identities=True, database_url=url)
    with Hub(settings, Catalogue.standard(), clock=_now) as hub:
        return [_seconds(hub, file, count) for file, count in zip(files, records, strict=True)]


def _full(store: str, records: int, file: Path, seconds: float) -> Result:
    return Result(
        name=f"full extract, {store}",
        workload=f"{records:,} debts",
        unit="debts",
        rate=records / seconds,
        seconds=seconds,
        rows=records,
        bytes=file.stat().st_size,
    )


def _delta(store: str, counts: tuple[int, int], file: Path, seconds: float, full: float) -> Result:
    changed, records = counts
    part = f"{changed:,} of {records:,} debts changed ({changed / records:.1%})"
    return Result(
        name=f"delta, {store}",
        workload=f"{part}: {seconds / full:.2%} of the full load's time",
        unit="debts",
        rate=changed / seconds,
        seconds=seconds,
        rows=changed,
        bytes=file.stat().st_size,
        rivals=[Rival(name="the same debts in the full load", rate=records / full, goal=GOAL, stretch=STRETCH)],
    )


def _seconds(hub: Hub, file: Path, records: int) -> float:
    pipeline = hub.pipeline(CONNECTOR)
    (found,) = find_files([file], pipeline.descriptor.delivery)
    begin = time.perf_counter()
    report = pipeline.take(found)
    seconds = time.perf_counter() - begin
    assert report.verdict.value == "ACCEPTED", report.reasons
    assert report.outcomes["LOADED"] == records
    return seconds


def _now() -> datetime:
    return datetime.now(UTC)
