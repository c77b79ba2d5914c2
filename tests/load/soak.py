"""`python -m tests.load.soak SECONDS FOLDER`: full load for a long time, and whether anything grows that must not.

Memory of every process of the hub, its connections on both servers, its threads and open files are sampled; the run
fails when what the last quarter needs is clearly more than what the second one did, or when anything was lost. Writes
`soak.json` and `soak.svg` (memory and rate over time).
"""

import itertools
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.load.account import Account, Books, table
from tests.load.brokers import Load, RabbitMQ
from tests.load.hub import SupervisedHub, children
from tests.load.notices import notices_until
from tests.load.publisher import LoadMessage
from tests.load.run import Run
from tests.services.servers import RabbitServer, start_postgres, start_rabbitmq

SAMPLES = 60
AHEAD = 10_000
"""Messages that may wait for the hub: enough for full batches, not so many that it is still busy long afterwards."""

LOOK_SECONDS = 0.5

MORE_MEMORY = 1.15
"""Of the median of the second quarter: what the last may need."""

MORE_CONNECTIONS = 1.25
"""One may be caught while it takes the place of another."""

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The hub at one moment; `taken` counts messages from the start."""

    seconds: float
    taken: int
    resident_bytes: int
    threads: int
    files: int
    broker_connections: int
    database_connections: int


class Soak:
    """Samples a run until its load is over."""

    def __init__(self, seconds: float, rabbit: RabbitServer, database: str) -> None:
        self._seconds = seconds
        self._rabbit = rabbit
        self._books = Books(database)
        self.over = threading.Event()
        self._taken = 0
        self.samples: list[Sample] = []

    def messages(self) -> Iterator[LoadMessage]:
        """As many as the hub can take until the time is up, never more than AHEAD before it."""
        for number, message in enumerate(notices_until(self.over)):
            while number - self._taken > AHEAD and not self.over.is_set():
                time.sleep(0.02)
            yield message

    def watch(self, _run: Run, hub: SupervisedHub, _load: Load) -> None:
        """Sample until the time is up."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < self._seconds:
            self._taken = self._books.seen()
            if passed >= len(self.samples) * self._seconds / SAMPLES:
                self.samples.append(self._sample(hub, passed))
            time.sleep(LOOK_SECONDS)
        self.over.set()

    def _sample(self, hub: SupervisedHub, seconds: float) -> Sample:
        pids = [hub.pid, *children(hub.pid)]
        status = [_status(pid) for pid in pids]
        own = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return Sample(
            seconds=seconds,
            taken=self._books.seen(),
            resident_bytes=sum(int(each["VmRSS"].split()[0]) for each in status) * 1024,
            threads=sum(int(each["Threads"]) for each in status),
            files=sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids),
            broker_connections=len(self._rabbit.control("list_connections", "--no-table-headers", "pid").splitlines()),
            database_connections=self._books.number(own),
        )

    def faults(self) -> list[str]:
        """What has grown."""
        quarter = max(1, len(self.samples) // 4)
        early, late = self.samples[quarter : 2 * quarter] or self.samples, self.samples[-quarter:]
        found = []
        for name, most in (
            ("resident_bytes", MORE_MEMORY), ("threads", 1.0), ("files", 1.1), ("broker_connections", MORE_CONNECTIONS),
            ("database_connections", MORE_CONNECTIONS),
        ):  # fmt: skip
            before, after = (median(getattr(each, name) for each in part) for part in (early, late))
            if after > before * most:
                found.append(f"{name} grew from {before:,.0f} to {after:,.0f}")
        return found


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def svg(samples: Sequence[Sample]) -> str:
    """Memory (MiB) and rate (messages/s) over time, one above the other."""
    seconds = [each.seconds for each in samples[1:]]
    memory = [each.resident_bytes / MIB for each in samples[1:]]
    pairs = itertools.pairwise(samples)
    rates = [(after.taken - before.taken) / (after.seconds - before.seconds) for before, after in pairs]
    parts = [_plot(seconds, memory, top=20, title="MiB resident, all processes")]
    parts.append(_plot(seconds, rates, top=220, title="messages a second, committed"))
    style = "font:12px sans-serif"
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="420" style="{style}">{"".join(parts)}</svg>\n'


def _plot(seconds: Sequence[float], values: Sequence[float], *, top: int, title: str) -> str:
    longest, most = max(seconds, default=1.0), max([*values, 1.0])
    points = [(60 + 680 * x / longest, top + 160 - 140 * y / most) for x, y in zip(seconds, values, strict=True)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<text x="60" y="{top + 10}">{title}; highest {most:,.0f}, over {longest:,.0f} s</text>'
        f'<polyline fill="none" stroke="#888" points="60,{top + 20} 60,{top + 160} 740,{top + 160}"/>'
        f'<polyline fill="none" stroke="#1d70b8" stroke-width="1.5" points="{line}"/>'
    )


def main(seconds: float, target: Path) -> int:
    """Soak, write what was sampled, print the account; 1 when something grew or was lost."""
    rabbit, postgres = start_rabbitmq(), start_postgres()
    try:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            database = postgres.new_database()
            soak = Soak(seconds, rabbit, database)
            run = Run(folder=Path(folder), broker=RabbitMQ(rabbit.new_vhost()), database=database)
            found = run.go(soak.messages(), soak.watch)
    finally:
        rabbit.stop()
        postgres.stop()
    target.mkdir(parents=True, exist_ok=True)
    (target / "soak.json").write_text(json.dumps([asdict(each) for each in soak.samples], indent=1), encoding="utf-8")
    (target / "soak.svg").write_text(svg(soak.samples), encoding="utf-8")
    return _told(found, soak)


def _told(found: Account, soak: Soak) -> int:
    first, last = soak.samples[0], soak.samples[-1]
    print(table([("soak", found)]))  # noqa: T201 - this is a program
    for name in ("resident_bytes", "threads", "files", "broker_connections", "database_connections"):
        print(f"{name:<22}{getattr(first, name):>14,} at the start {getattr(last, name):>14,} at the end")  # noqa: T201
    print(f"{last.taken / last.seconds:,.0f} messages/s over {last.seconds:,.0f} s")  # noqa: T201
    faults = soak.faults()
    for fault in faults:
        print(fault)  # noqa: T201
    return int(bool(faults) or not found.is_clean)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2])))
