"""Commands that should answer at once, each in a process of its own, against an empty Python program."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.results import Result, Rival

COMMANDS: Sequence[tuple[str, ...]] = (
    ("--help",), ("version",), ("ingest", "--help"), ("status",), ("export", "debts"), ("connector", "list"),
    ("config", "show"), ("store", "check"),
)  # fmt: skip
TURNS = 7


def run(records: int) -> Iterator[Result]:  # noqa: ARG001 - no command here looks at files
    """One result a command, in runs a second; commands and the empty program take turns, the best of each counts."""
    with tempfile.TemporaryDirectory() as folder:
        empty = [sys.executable, "-c", "pass"]
        programs = {arguments: [sys.executable, "-m", "integrationhub", *arguments] for arguments in COMMANDS}
        upgrade = ("store", "upgrade", "--data-dir", folder)  # the store is made once, not timed
        _seconds([sys.executable, "-m", "integrationhub", *upgrade], Path(folder))
        best = dict.fromkeys([("",), *programs], float("inf"))
        for _ in range(TURNS):
            best["",] = min(best["",], _seconds(empty, Path(folder)))
            for arguments, command in programs.items():
                data = [] if "--help" in arguments else ["--data-dir", folder]
                best[arguments] = min(best[arguments], _seconds([*command, *data], Path(folder)))
    for arguments in programs:
        yield Result(
            name=" ".join(arguments),
            workload=f"{1000 * best[arguments]:,.0f} ms; an empty program {1000 * best['',]:,.0f} ms",
            unit="runs",
            rate=1 / best[arguments],
            seconds=best[arguments],
            rivals=[Rival(name="python -c pass", rate=1 / best["",], limit=True)],
        )


def _seconds(command: Sequence[str], folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    return seconds
