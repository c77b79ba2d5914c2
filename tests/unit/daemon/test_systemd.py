"""What systemd hears, on a real socket."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationhub.daemon.systemd import Systemd


@pytest.fixture(params=["path", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A supervisor's socket, and its name as NOTIFY_SOCKET gives it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@hub-test-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        channel.settimeout(10)
        yield channel, name


def _rest(channel: socket.socket) -> Iterator[bytes]:
    """What comes until nothing has come for a while."""
    with contextlib.suppress(TimeoutError):
        while True:
            yield channel.recv(100)


def test_each_message_is_one_datagram(heard: tuple[socket.socket, str]) -> None:
    channel, name = heard
    systemd = Systemd.of({"NOTIFY_SOCKET": name}, pid=1)
    systemd.ready()
    systemd.reloading()
    systemd.stopping()
    systemd.alive()
    messages = [channel.recv(1000).decode() for _ in range(4)]
    assert [messages[0], messages[2], messages[3]] == ["READY=1", "STOPPING=1", "WATCHDOG=1"]
    first, second = messages[1].split("\n")
    assert first == "RELOADING=1"
    assert int(second.removeprefix("MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_signs_of_life_end_when_the_daemon_is_not_alive(heard: tuple[socket.socket, str]) -> None:
    channel, name = heard
    systemd = Systemd.of({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000"}, pid=1)
    stop, alive = threading.Event(), threading.Event()
    alive.set()
    thread = threading.Thread(target=systemd.watch, args=(stop, alive.is_set))
    thread.start()
    assert [channel.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    alive.clear()
    channel.settimeout(1)
    assert set(_rest(channel)) <= {b"WATCHDOG=1"}  # what was sent before; then nothing comes any more
    stop.set()
    thread.join()


def test_a_watchdog_that_is_meant_for_another_process_is_left_alone() -> None:
    environ = {"WATCHDOG_USEC": "30000", "WATCHDOG_PID": "77"}
    assert Systemd.of(environ, pid=77).watchdog_seconds == 0.03
    assert Systemd.of(environ, pid=78).watchdog_seconds is None


def test_without_a_supervisor_and_with_one_that_is_gone_nothing_happens(tmp_path: Path) -> None:
    Systemd.of({}, pid=1).ready()
    Systemd.of({"NOTIFY_SOCKET": str(tmp_path / "gone")}, pid=1).ready()
    assert list(tmp_path.iterdir()) == []
