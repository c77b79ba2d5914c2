"""A message as it arrived, and what it is known by."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from integrationhub.canonical.identifiers import derive
from integrationhub.sdk.transport import Incoming


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message and when it came. `message_id` is the sender's; without one the content's hash stands in for it."""

    message: Incoming = field(repr=False)
    at: datetime
    message_id: str
    sha256: str
    delivery_id: str

    @classmethod
    def of(cls, message: Incoming, *, connector: str, at: datetime) -> Self:
        """The arrival of a connector's message. The same id with the same content is the same delivery, always."""
        sha256 = hashlib.sha256(message.body).hexdigest()
        # PostgreSQL's text holds no NUL.
        message_id = (message.message_id or "").replace("\0", "\ufffd") or sha256
        delivery_id = derive("delivery", connector, "message", message_id, sha256)
        return cls(message=message, at=at, message_id=message_id, sha256=sha256, delivery_id=delivery_id)
