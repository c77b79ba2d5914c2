"""What the daemon asks of whoever understands a connector's messages.

The daemon knows transports, batches, tries and processes; a `MessageTaker` knows what a message means. Between them
stands one promise: `take` is one transaction. When it returns, the fate of every message it was given is durable and
the daemon may acknowledge them all; when it raises, nothing has happened and all of them may be given again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from integrationhub.sdk.transport import Incoming


class Fate(StrEnum):
    """What became of a message. Each is final for the broker: the message is acknowledged."""

    LOADED = "LOADED"
    DUPLICATE = "DUPLICATE"  # the same id, or the same number of its entity, with the same content
    SUPERSEDED = "SUPERSEDED"  # older than what is held
    EXCLUDED = "EXCLUDED"  # valid, deliberately not loaded
    EXCEPTION = "EXCEPTION"  # a person must decide
    HELD = "HELD"  # kept until the number before it is there
    REJECTED = "REJECTED"  # unusable: kept in the quarantine, byte for byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The fate of one message, the reason code where there is one, and the delivery that keeps it."""

    fate: Fate
    code: str | None = None
    text: str | None = None
    delivery_id: str | None = None


class MessageTaker(Protocol):
    """Takes the messages of one connector. One process uses it at a time from one thread."""

    @property
    def connector(self) -> str:
        """Whose messages these are."""

    def order_key(self, message: Incoming) -> str | None:
        """What must stay in order: messages with equal keys are taken in the order in which they came.

        Cheap, and never fails: it looks at headers, or at a few bytes of the body. None: any order will do.
        """

    def take(self, messages: Sequence[Incoming], *, now: datetime) -> list[Outcome]:
        """Take all of them in one transaction; one outcome each, in their order.

        TransientError: a service is away; nothing has happened. Any other error: one of them can't be taken, or the
        hub is faulty; nothing has happened, and the daemon looks for the one by giving fewer at a time.
        """

    def give_up(self, message: Incoming, *, code: str, attempts: int, now: datetime) -> Outcome:
        """Put a message that could not be taken into the quarantine, with the number of tries, in one transaction."""
