"""Servers as private child processes: own directory, own loopback port, ended by their own process id."""

import contextlib
import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""prctl(2), Linux: the signal a process gets when the thread (sic) that started it ends."""

PORTS = range(20_000, 32_000)
"""Below the range that the kernel hands out for outgoing connections, so that none of those takes a chosen port."""


SPAWNER = ThreadPoolExecutor(1, thread_name_prefix="servers")
"""The one thread that starts servers: it lives as long as this process, and they as long as it."""


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on now."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            candidate = held.enter_context(contextlib.closing(socket.socket()))
            port = random.choice(PORTS)  # noqa: S311 - not a secret
            with contextlib.suppress(OSError):
                candidate.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def speaks_amqp(port: int) -> bool:
    """Whether a broker answers the AMQP 0-9-1 protocol header: a container's port accepts before its broker does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"  # a method frame: Connection.Start
    except OSError:
        return False


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll until `ready`; RuntimeError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} is not ready after {seconds} s")
        time.sleep(0.05)


PREFIX = "integrationhub-tests-"


def own_directory(name: str) -> Path:
    """A new directory that other users may pass through (PostgreSQL runs as a user of its own) but not list."""
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{name}-"))
    path.chmod(0o711)
    return path


def sweep() -> None:
    """Delete what runs left behind that were killed outright: directories whose process is no more."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if path.owner() == _own_name() and not _runs(int(owner)):
            remove(path)


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def dies_with_parent(with_signal: int) -> Callable[[], None]:
    """For `preexec_fn`: no server outlives a test run, even one that is killed outright."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl if os.uname().sysname == "Linux" else None

    def ask() -> None:
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, with_signal)

    return ask


class Child:
    """One server process of ours, in its own session so that Ctrl-C in the terminal reaches only us."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
        orphan_signal: int = signal.SIGKILL,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = SPAWNER.submit(
                subprocess.Popen,
                command,
                env=dict(environment) if environment is not None else None,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                preexec_fn=dies_with_parent(orphan_signal),
            ).result()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `ready`; RuntimeError with the end of the server's log when it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.runs or time.monotonic() > deadline:
                self.end()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._process.args!r} is not ready after {seconds} s, its output ends:\n{tail}")
            time.sleep(0.05)

    def end(self, with_signal: int = signal.SIGKILL, *, patience: float = 10.0) -> None:
        """Signal and reap; killed outright when it is still there after `patience` seconds."""
        if self.runs:
            self._process.send_signal(with_signal)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def remove(directory: Path) -> None:
    """Delete a server's directory; its last child processes may still be writing for a moment."""
    for _ in range(50):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.1)
