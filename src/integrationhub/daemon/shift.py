"""What the daemon's parts share: when to stop, who is ready, and patience with services that are away."""

import threading
from dataclasses import dataclass, field

from integrationhub.errors import HubError
from integrationhub.telemetry import logger

BACK_OFF_SECONDS = 5.0
"""Pause of a part after a service was away."""


@dataclass(slots=True)
class Shift:
    """One run of the daemon. `ready` holds the names of parts that do their work at the moment."""

    stop: threading.Event = field(default_factory=threading.Event)
    ready: set[str] = field(default_factory=set)

    def wait(self, name: str, error: Exception) -> None:
        """Tell what a part waits for, and wait; less when the daemon is told to stop."""
        reason = error.code if isinstance(error, HubError) else "INPUT_OUTPUT"
        logger().warning("waiting", queue=name, reason=reason, error=type(error).__name__)
        self.stop.wait(BACK_OFF_SECONDS)
