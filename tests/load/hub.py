"""The hub under load: `integrationhub run` as a service manager would run it, started again whenever it ends."""

import contextlib
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.acceptance.installation import COMMAND, Installation
from tests.load.notices import CONNECTORS
from tests.services.processes import dies_with_parent, free_ports, wait_until

START_SECONDS = 120.0


class SupervisedHub:
    """The daemon of an installation, in a `with` block.

    Each start has the next of the crash points, as long as there are some. Worker processes inherit the point and count
    by themselves: each of them dies there.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        workers: int = 2,
        crash_points: Sequence[str] = (),
        log: str = "daemon.log",
    ) -> None:
        self._installation = installation
        self._workers = workers
        self._crash_points = list(crash_points)
        (self.port,) = free_ports(1)
        self.log = installation.data.parent / log
        self.starts = 0
        self._began = 0  # characters of the log before this start
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="service manager", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ended.is_set():
            settings: dict[str, object] = {"http_port": self.port}
            if self._crash_points:
                settings["test_crash_at"] = self._crash_points.pop(0)
            self._began = len(self.text) if self.starts else 0
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [COMMAND, "run", "--connector", "debt-notices", "--workers", str(self._workers)],
                    env=self._installation.environment(**settings),
                    cwd=self._installation.data.parent,
                    stdout=log,
                    stderr=log,
                    preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - no lock is taken in it
                )
            self.starts += 1
            self._process.wait()
            self._ended.wait(0.2)

    # ---- what can be done to it

    def limit_files(self, size: int = resource.RLIM_INFINITY) -> None:
        """From now on none of its processes can write beyond so many bytes of any file, as on a full disk."""
        for pid in [self.pid, *children(self.pid)]:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    @property
    def pid(self) -> int:
        """The daemon's parent process."""
        wait_until(lambda: self._process is not None, seconds=10, what="the daemon's process")
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """Process ids of its workers."""
        return [pid for pid in children(self.pid) if b"spawn_main" in command_line(pid)]

    def signal(self, number: int) -> None:
        """Send a signal to the parent; SIGTERM drains it, and it is started again."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9 the parent, and with it relay, consumers and all that is in flight."""
        self.signal(signal.SIGKILL)

    def kill_worker(self, which: int = 0) -> bool:
        """kill -9 a worker; False where there is none at the moment."""
        pids = self.workers
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[which % len(pids)], signal.SIGKILL)
        return bool(pids)

    def until_started(self, starts: int) -> None:
        """Wait until it has been started so often."""
        wait_until(lambda: self.starts >= starts, seconds=START_SECONDS, what=f"start {starts} of the daemon")

    def pass_through(self, point: str) -> None:
        """Bring the process of now to its crash point, whichever of its processes dies there, and see its end.

        Where a worker dies the daemon goes on; it is killed then, so that the next start has the next point.
        """
        start = self.starts
        if point == "rereading":
            self.until_workers()
            self.signal(signal.SIGHUP)
        if point == "draining":
            self.until_workers()
            self.signal(signal.SIGTERM)
        word = '"message_given_up"' if point.startswith("taking") else '"worker_ended"'
        wait_until(
            lambda: self.starts > start or word in self.text[self._began :], seconds=START_SECONDS, what=f"'{point}'"
        )
        if self.starts == start:
            self.kill()
        self.until_started(start + 1)

    def until_workers(self, count: int | None = None) -> None:
        """Wait until its workers are there."""
        wait_until(lambda: len(self.workers) >= (count or self._workers), seconds=START_SECONDS, what="the workers")

    @property
    def text(self) -> str:
        """What it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def load_installation(folder: Path, *, database_url: str, broker_url: str, **settings: object) -> Installation:
    """An installation that knows the connector of the load."""
    return Installation(
        folder, database_url=database_url, broker_url=broker_url, catalogue_folders=CONNECTORS, **settings
    )


def children(pid: int) -> list[int]:
    """Process ids of a process' children."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            found += [int(each) for each in (task / "children").read_text().split()]
    return found


def command_line(pid: int) -> bytes:
    """How a process was started; empty when it is no more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
