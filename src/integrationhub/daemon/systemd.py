"""What systemd is told of the daemon (sd_notify(3)): READY, RELOADING, WATCHDOG, STOPPING.

One datagram a message to the socket that NOTIFY_SOCKET names; without it, nothing is told. A supervisor that can't be
reached is no trouble of the hub's: what it misses it notices itself.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Systemd:
    """The service manager. `address`: of its socket, None: there is none. `watchdog_seconds`: after so long without a
    sign of life it starts the daemon anew, None: never.
    """

    address: str | None = None
    watchdog_seconds: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], *, pid: int) -> Self:
        """As the environment of the process `pid` names it."""
        address = environ.get("NOTIFY_SOCKET") or None
        if address is not None and address.startswith("@"):
            address = "\0" + address[1:]  # Linux's abstract sockets
        period = environ.get("WATCHDOG_USEC", "")
        meant = environ.get("WATCHDOG_PID") in (None, "", str(pid))
        return cls(address=address, watchdog_seconds=int(period) / 1e6 if meant and period.isdigit() else None)

    def ready(self) -> None:
        """Everything is started, or read anew."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Connectors and mappings are being read anew; `ready` follows."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Nothing new is taken any more."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The watchdog may wait anew."""
        self._tell("WATCHDOG=1")

    def watch(self, stop: threading.Event, is_alive: Callable[[], bool]) -> None:
        """Give signs of life until the shift ends, as long as the daemon is alive."""
        while True:
            if self.watchdog_seconds is not None and is_alive():
                self.alive()
            if stop.wait(self.watchdog_seconds / 3 if self.watchdog_seconds else None):
                return

    def _tell(self, text: str) -> None:
        if self.address is not None:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.sendto(text.encode(), self.address)
