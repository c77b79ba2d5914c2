"""Judging: a book that nobody has judged yet, at sizes that grow tenfold, and the next night's book, which repeats
nearly all of it. Time and memory of the judging process alone; what the others take does not hang on the size.
Growth shows in the rate: what a case costs must not rise with the number of cases.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import run_apart
from benchmarks.estates import cache_folder, extract
from benchmarks.ingest import ingest
from benchmarks.results import MIB, Result, Rival
from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.telemetry import configure

RECORDS_PER_GROUP = 55.7
SIZES = (1_000, 10_000, 100_000)
PEAK_LIMIT = 512 * MIB


def run(records: int) -> Iterator[Result]:
    """Two results a size, in cases a second, up to the size that has so many records."""
    most = round(records / RECORDS_PER_GROUP)
    smaller = 0.0
    for groups in [size for size in SIZES if size <= most] or [most]:
        folder = Path(tempfile.mkdtemp(prefix="arrears-", dir=cache_folder()))
        try:
            first, second = _nights(groups, folder)
        finally:
            shutil.rmtree(folder)
        rivals = [Rival(name="a tenth of the size", rate=smaller)] if smaller else []
        smaller = first["cases"] / first["seconds"]
        yield _result(f"{groups:,} case groups, none judged yet", first, rivals)
        yield _result(f"{groups:,} case groups, the next night's whole book", second, [])


def _nights(groups: int, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    found = []
    url = f"sqlite:///{folder}/hub.sqlite3"
    for path in extract(round(groups * RECORDS_PER_GROUP)).nights:
        run_apart("benchmarks.arrears:taken", path=str(path), url=url, data=str(folder))
        found.append(run_apart("benchmarks.arrears:judged", url=url, data=str(folder)))
    return found[0], found[1]


def _result(name: str, found: dict[str, float], rivals: list[Rival]) -> Result:
    return Result(
        name=name,
        workload=f"{found['groups']:,.0f} source groups changed, {found['cases']:,.0f} cases judged, "
        f"{found['processes']:.0f} processes",
        unit="cases",
        rate=found["cases"] / found["seconds"],
        seconds=found["seconds"],
        rows=int(found["cases"]),
        peak_bytes=int(found["peak_bytes"]),
        peak_limit_bytes=PEAK_LIMIT,
        rivals=rivals,
    )


def taken(path: str, url: str, data: str) -> dict[str, object]:
    """Take one book; runs apart."""
    return {"records": ingest(path, url, data)["records"]}


def judged(url: str, data: str) -> dict[str, object]:
    """Judge what has changed; runs apart."""
    configure("ERROR")
    settings = Settings(database_url=url, data_dir=Path(data), synthetic_identities=True)
    with Hub(settings, Catalogue.standard()) as hub:
        judging = hub.judging()
        started = time.perf_counter()
        found = judging.run()
        seconds = time.perf_counter() - started
    return {"groups": found.groups, "cases": found.cases, "seconds": seconds, "processes": judging.processes}
