"""Runs the daemon's parts, each in a thread of its own, and starts again what has ended by an error."""

import threading
import time
from collections.abc import Callable

from integrationhub.daemon.pauses import Pauses
from integrationhub.daemon.shift import Shift
from integrationhub.errors import HubError
from integrationhub.telemetry import logger, place_of

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0

Part = Callable[[], None]
"""Works until the shift ends. Called again after it has ended by an error."""


class Supervisor:
    """The parts by name. While one is being started again it is not ready, and the others go on."""

    def __init__(self, shift: Shift) -> None:
        self._shift = shift
        self._threads: dict[str, threading.Thread] = {}
        self._complete = False

    def start(self, name: str, part: Part) -> None:
        """Start a part; nothing happens when there is one of that name already."""
        if name not in self._threads:
            # Not waited for at the end of the process: one that hangs must not keep it from ending.
            thread = threading.Thread(target=self._keep, args=(name, part), name=name, daemon=True)
            self._threads[name] = thread
            thread.start()

    def all_started(self) -> None:
        """No part is missing any more."""
        self._complete = True

    def is_ready(self) -> bool:
        """Whether every part does its work at the moment."""
        return self._complete and self._shift.ready >= self._threads.keys()

    def is_alive(self) -> bool:
        """Whether every part has a thread that works, or waits to be started again."""
        return all(thread.is_alive() for thread in self._threads.values())

    def _keep(self, name: str, part: Part) -> None:
        pauses = Pauses(first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
        while not self._shift.stop.is_set():
            started = time.monotonic()
            try:
                part()
            except Exception as exc:  # noqa: BLE001 - the edge of the thread: whatever it is, the part is started again
                self._tell(name, exc)
            if time.monotonic() - started > LONGEST_PAUSE_SECONDS:
                pauses.reset()
            self._shift.stop.wait(pauses.next())

    def _tell(self, name: str, error: Exception) -> None:
        self._shift.ready.discard(name)
        reason = error.code if isinstance(error, HubError) else "UNEXPECTED"
        place = place_of(error.__traceback__)
        logger().error("part_failed", queue=name, reason=reason, error=type(error).__name__, at=place, outcome="FAILED")

    def join(self, seconds: float) -> list[str]:
        """Wait for the parts to end, once the shift has; the names of those that are still at it after so long."""
        until = time.monotonic() + seconds
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        return [name for name, thread in self._threads.items() if thread.is_alive()]
