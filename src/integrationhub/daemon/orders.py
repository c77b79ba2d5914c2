"""What goes over the pipe between the daemon and a worker process: orders one way, one answer each the other way."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrationhub.sdk.messages import Outcome
from integrationhub.sdk.transport import Incoming


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Take these in one transaction. Answer: Taken, or Failed."""

    connector: str
    messages: Sequence[Incoming]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Put this one into the quarantine. Answer: Taken, or Failed."""

    connector: str
    message: Incoming
    code: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """Read connectors and mappings anew, and serve these connectors. Answer: Ready, or Failed: those of before stay."""

    connectors: tuple[str, ...]


Order = Take | GiveUp | Reread


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker can take orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """It is committed: one outcome for each message."""

    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Nothing has happened. `error` is the name of the error's class; texts of foreign errors may quote a message."""

    error: str
    code: str
    text: str
    remedy: str | None = None
    exit_code: int | None = None  # of one of the hub's errors

    @property
    def is_transient(self) -> bool:
        """A service is away; the message is not to blame."""
        return self.error == "TransientError"

    @property
    def is_final(self) -> bool:
        """The message is unusable, and another try would not change it."""
        return self.error == "RecordRejected"


Answer = Ready | Taken | Failed
