"""The daemon under systemd: what it says, on a real socket; and the rules of the quarantine at work in it."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.files import Night
from tests.acceptance.installation import PATIENCE_SECONDS, Installation
from tests.acceptance.test_feed import spoilt


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(path))
        channel.settimeout(PATIENCE_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        yield channel


def _next(supervisor: socket.socket, *, but: str = "") -> str:
    """The first word of the next message; of another kind than `but`."""
    while (word := supervisor.recv(1000).decode().partition("=")[0]) == but:
        pass
    return word


def test_systemd_hears_of_start_reload_life_and_end(hub: Installation, supervisor: socket.socket) -> None:
    with hub.daemon() as daemon:
        assert _next(supervisor, but="WATCHDOG") == "READY"
        assert _next(supervisor) == "WATCHDOG"
        daemon.running.send_signal(signal.SIGHUP)
        assert _next(supervisor, but="WATCHDOG") == "RELOADING"
        assert _next(supervisor, but="WATCHDOG") == "READY"
        daemon.running.send_signal(signal.SIGTERM)
        assert _next(supervisor, but="WATCHDOG") == "STOPPING"
        assert daemon.running.wait(PATIENCE_SECONDS) == 0


def test_the_daemon_applies_rules_and_tells_of_the_quarantine(
    hub: Installation, nights: list[Night], tmp_path: Path
) -> None:
    hub.call("ingest", "csa1993", spoilt(nights[0], tmp_path), code=7)
    status = hub.call("status", "--json").rows[0]
    assert status["quarantine"]["open"] == 1
    assert "in quarantine: 1" in hub.call("status").out
    rule = ("--where", "kind=FILE", "--label", "chase", "--reason", "the night team asks the supplier")
    hub.call("quarantine", "rules", "add", "night", *rule)

    with hub.daemon() as daemon:
        daemon.until(lambda: "chase" in hub.call("quarantine", "list", "--items").out, "the rule")
        line = 'integrationhub_quarantined{code="R12",connector="csa1993",kind="FILE"} 1.0'
        assert line in daemon.ask("/metrics")[1].splitlines()
        assert daemon.stop() == 0

    (item,) = json.loads(hub.call("quarantine", "list", "--label", "chase", "--json").out)["items"]
    assert item["labels"] == ["chase"]
