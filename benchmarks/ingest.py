"""The whole bulk path: a 1993 extract handed over, checked, mapped, and merged into the canonical tables.

The first night's book goes into an empty store; the second night's, nearly all of it unchanged, on top of it. Limit:
the same canonical rows, rendered beforehand, written straight into the same tables with the same indexes
(`row_writers`).
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.child import run_apart
from benchmarks.estates import cache_folder, extract
from benchmarks.ingest_stages import STAGES, watched
from benchmarks.results import MIB, Result, Rival, Stage
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.errors import InvariantBroken
from integrationhub.intake.report import FileVerdict
from integrationhub.receive.folder import find_files
from integrationhub.telemetry import configure
from tests.services.servers import start_postgres

PEAK_LIMIT = 1024 * MIB
NIGHTS = ("first night, empty store", "second night, whole book again")
GOAL, STRETCH = 0.30, 0.45


def run(records: int) -> Iterator[Result]:
    """Two results a database, in records a second."""
    files = extract(records).nights
    with _scratch() as folder:
        yield from _nights(files, f"sqlite:///{folder}/hub.sqlite3", folder, "SQLite")
    server = start_postgres()
    try:
        with _scratch() as folder:
            yield from _nights(files, server.new_database(), folder, "PostgreSQL, fsync off")
    finally:
        server.stop()


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ingest-", dir=cache_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _nights(files: tuple[Path, ...], url: str, folder: Path, database: str) -> Iterator[Result]:
    limit: Mapping[str, float] = {}
    for night, path in zip(NIGHTS, files, strict=True):
        found = run_apart("benchmarks.ingest:ingest", path=str(path), url=url, data=str(folder))
        if not limit:
            limit = run_apart("benchmarks.row_writers:write_again", url=url, folder=str(folder))
        size = path.stat().st_size
        yield Result(
            name=f"csa1993 into {database}: {night}",
            workload=f"{found['records']:,} records, {size / 1e6:,.1f} MB, {limit['rows']:,.0f} canonical rows",
            unit="records",
            rate=found["records"] / found["seconds"],
            seconds=found["seconds"],
            rows=found["records"],
            bytes=size,
            peak_bytes=found["peak_bytes"],
            peak_limit_bytes=PEAK_LIMIT,
            rivals=[
                Rival(
                    name=f"{limit['way']} of the first night's rows",
                    rate=found["records"] / limit["seconds"],
                    limit=True,
                    goal=GOAL,
                    stretch=STRETCH,
                )
            ],
            stages=[Stage(**stage) for stage in found["stages"]],
        )


def ingest(path: str, url: str, data: str) -> dict[str, object]:
    """Take one file as the command would; runs apart. InvariantBroken when it is not accepted."""
    configure("ERROR")
    settings = Settings(database_url=url, data_dir=Path(data), synthetic_identities=True)
    stages = watched()
    with Hub(settings, Catalogue.standard()) as hub:
        pipeline = hub.pipeline("csa1993")
        (found,) = find_files([Path(path)], pipeline.descriptor.delivery)
        started = time.perf_counter()
        with pipeline.exclusive():
            pipeline.resume()
            report = pipeline.take(found)
        seconds = time.perf_counter() - started
    if report.verdict is not FileVerdict.ACCEPTED:
        raise InvariantBroken(f"the generated file is {report.verdict}: {[item.code for item in report.reasons]}")
    parts = [{"name": name, "seconds": stages.seconds[name]} for name in STAGES if stages.seconds[name]]
    return {"records": report.records, "seconds": seconds, "stages": parts}
