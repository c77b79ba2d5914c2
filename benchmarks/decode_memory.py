"""`integrationhub decode` of the same records, 100 MB and 2 GB of them: the peak of memory must be the same."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import run_apart
from benchmarks.decode_files import customers
from benchmarks.estates import cache_folder
from benchmarks.results import Result
from integrationhub.decode.codepage import code_page
from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.dump import DumpRules, FileDump
from integrationhub.decode.nested import Showing
from integrationhub.decode.recordfile import RecordFormat

SMALL = 100_000_000
LARGE = 2_000_000_000
GROWTH = 1.1
"""How much more memory the large file may take than the small one: what the allocator keeps differs a little."""


def run(records: int) -> Iterator[Result]:  # noqa: ARG001 - the sizes are what is compared
    """One result a size."""
    peak = 0
    for size in (SMALL, LARGE):
        path = _file(size)
        found = run_apart("benchmarks.decode_memory:measure", path=str(path), length=400)
        path.unlink(missing_ok=True)
        yield Result(
            name=f"{size / 1e6:,.0f} MB",
            workload=f"{size // 400:,} records of 400 bytes to JSON lines",
            unit="MB",
            rate=size / 1e6 / found["seconds"],
            seconds=found["seconds"],
            rows=size // 400,
            bytes=size,
            peak_bytes=int(found["peak_bytes"]),
            peak_limit_bytes=int(peak * GROWTH),
        )
        peak = int(found["peak_bytes"])


def _file(size: int) -> Path:
    """A file of that size: the customers' file again and again."""
    part = customers(25_000).path.read_bytes()
    path = cache_folder() / f"memory-{size}-{os.getpid()}.dat"
    with path.open("wb") as stream:
        for _ in range(size // len(part)):
            stream.write(part)
    return path


def measure(path: str, length: int) -> dict[str, object]:
    """Seconds for the whole file; runs apart."""
    copybook = parse_copybook(customers(25_000).copybook)
    rules = DumpRules(
        form=RecordFormat(record_length=length),
        reading=Reading(page=code_page("cp1146"), trim="both", edited="number", missing="null"),
        showing=Showing(),
    )
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as target:
        FileDump(copybook, rules, _unreported).write([Path(path)], "jsonl", target)
    return {"seconds": time.perf_counter() - started}


def _unreported(record: int, offset: int, fields: object) -> None:
    raise RuntimeError(f"record {record} at {offset} is left out: {fields}")
