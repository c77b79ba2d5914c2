"""The circuit breaker of one connector: trouble that is not a message's own pauses the intake, and fills no quarantine.

It opens when a service is away, or when message after message fails with nothing going through. Then one worker probes
with one message, after pauses that grow and vary, and everybody else waits. What goes through closes it.
"""

import threading
from collections.abc import Callable

from integrationhub.daemon.pauses import Pauses
from integrationhub.errors import TransientError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0

FAILURES = 10
"""Messages in a row that may fail, each alone, before the hub stops believing that it is them."""


class Breaker:
    """Open or closed. `on_change` is told the code of the trouble when it opens, None when it closes."""

    def __init__(self, stop: threading.Event, on_change: Callable[[str | None], None]) -> None:
        self._stop = stop
        self._on_change = on_change
        self._lock = threading.Lock()
        self._trouble: str | None = None
        self._failures = 0

    @property
    def trouble(self) -> str | None:
        """The code of what it is open for; None while it is closed."""
        return self._trouble

    def succeeded(self) -> None:
        """Something went through."""
        self._failures = 0

    def failed(self, code: str) -> None:
        """A message failed alone, and no service is away. TransientError: too many in a row to be their own fault."""
        self._failures += 1
        if self._failures >= FAILURES:
            raise TransientError(f"{self._failures} messages in a row failed, the last with {code}", code=code)

    def get_through(self, error: TransientError, probe: Callable[[], object]) -> None:
        """Return when `probe` has gone through, or the daemon stops; at once when somebody else is probing."""
        with self._lock:
            if self._trouble is not None:
                return
            self._trouble = error.code
        pauses = Pauses(first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
        self._on_change(error.code)
        try:
            while not self._stop.wait(pauses.next()):
                try:
                    probe()
                except TransientError as still:
                    self._tell(still.code)
                else:
                    return
        finally:
            self._trouble = None
            self._on_change(None)

    def _tell(self, code: str) -> None:
        if code != self._trouble:
            self._trouble = code
            self._on_change(code)
