"""What the daemon's parts share: when to stop, who is ready, and patience with services that are away."""

import threading
import time
from dataclasses import dataclass, field

from integrationhub.errors import HubError
from integrationhub.telemetry import logger

BACK_OFF_SECONDS = 5.0
"""Pause of a part after a service was away."""


@dataclass(slots=True)
class Shift:
    """One run of the daemon. `ready` holds the names of parts that do their work at the moment.

    `patience` is how many seconds of work there may be left once it is told to stop. `committed` is set when something
    was committed that may have made events. `troubles` says by connector what its messages wait for, None: nothing.
    """

    patience: float = 30.0
    stop: threading.Event = field(default_factory=threading.Event)
    ready: set[str] = field(default_factory=set)
    committed: threading.Event = field(default_factory=threading.Event)
    troubles: dict[str, str | None] = field(default_factory=dict)
    _ends_at: float = 0.0

    def end(self) -> None:
        """Take nothing new, finish what is in hand."""
        self._ends_at = time.monotonic() + self.patience
        self.stop.set()
        self.committed.set()  # whoever waits for it shall look at `stop`

    @property
    def seconds_left(self) -> float:
        """How long the parts may go on, once it is told to stop."""
        return max(0.0, self._ends_at - time.monotonic())

    def is_over(self) -> bool:
        """Whether it was told to stop, and its patience has run out."""
        return self.stop.is_set() and self.seconds_left == 0

    def wait(self, name: str, error: Exception) -> None:
        """Tell what a part waits for, and wait; less when the daemon is told to stop."""
        reason = error.code if isinstance(error, HubError) else "INPUT_OUTPUT"
        logger().warning("waiting", queue=name, reason=reason, error=type(error).__name__)
        self.stop.wait(BACK_OFF_SECONDS)
