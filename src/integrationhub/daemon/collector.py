"""The part that takes what lies in dead-letter queues into the quarantine: people have one list to look at.

The broker itself puts a message there after DELIVERY_LIMIT deliveries in vain. It counts deliveries that were cut short
by anything, so a message that the hub's own ledger knows nothing against goes back to its queue.
"""

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from integrationhub.bootstrap import Hub
from integrationhub.canonical.identifiers import derive
from integrationhub.daemon.intake import known_by
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.errors import HubError, TransientError
from integrationhub.receive import notices
from integrationhub.sdk.transport import (
    EXCHANGE_HEADER,
    REASON_HEADER,
    ROUTING_KEY_HEADER,
    Incoming,
    MessageSource,
    Outgoing,
    as_if_from,
    dead_letter_queue,
)
from integrationhub.store.deliveries import Kind
from integrationhub.store.quarantine import INLINE_BYTES, QuarantineItem, plain_headers
from integrationhub.telemetry import UnitOfWork

LOOK_SECONDS = 2.0
"""Pause between two looks at the dead-letter queues."""

AT_ONCE = 100

_BROKERS_OWN = "delivery_limit"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_OURS = (REASON_HEADER, EXCHANGE_HEADER, ROUTING_KEY_HEADER)


class Collector:
    """Empties the dead-letter queues of the connectors and of file notices."""

    def __init__(self, hub: Hub, roster: Roster, shift: Shift, *, name: str) -> None:
        self._hub = hub
        self._roster = roster
        self._shift = shift
        self._name = name

    def run(self) -> None:
        """Collect until the shift ends."""
        while not self._shift.stop.is_set():
            try:
                for queue, connector in self._not_empty():
                    self._empty(queue, connector)
                self._shift.ready.add(self._name)
            except TransientError as exc:
                self._shift.ready.discard(self._name)
                self._shift.wait(self._name, exc)
            self._shift.stop.wait(LOOK_SECONDS)

    def _not_empty(self) -> list[tuple[str, str | None]]:
        """Queues with dead letters, and the connector whose messages these were; None: file notices."""
        queues: dict[str, str | None] = {item.queue: name for name, item in self._roster.with_messages.items()}
        queues[notices.QUEUE] = None
        depths = self._hub.publisher.depths([dead_letter_queue(queue) for queue in queues])
        return [(queue, name) for queue, name in queues.items() if depths[dead_letter_queue(queue)]]

    def _empty(self, queue: str, connector: str | None) -> None:
        source = self._hub.source(dead_letter_queue(queue), limit=AT_ONCE)
        try:
            while letters := source.receive(limit=AT_ONCE, timeout=1.0):
                with UnitOfWork("dead_letters", queue=queue, messages=len(letters)):
                    self._take(source, letters, queue, connector)
        finally:
            source.close()

    def _take(self, source: MessageSource, letters: Sequence[Incoming], queue: str, connector: str | None) -> None:
        now = self._hub.clock()
        innocent = [letter for letter in letters if self._is_innocent(letter, connector)]
        guilty = [letter for letter in letters if letter not in innocent]
        with self._hub.store.begin() as work:
            # Again, since a notice that was resubmitted and comes back opens its item.
            work.quarantine.add_again(self._item(letter, queue, connector, now) for letter in guilty)
            work.commit()
        self._hub.publisher.publish([as_if_from(_original(letter), queue) for letter in innocent])
        source.acknowledge(letters)

    def _is_innocent(self, letter: Incoming, connector: str | None) -> bool:
        """Whether the broker alone gave it up."""
        if connector is None or letter.headers.get(REASON_HEADER) != _BROKERS_OWN:
            return False  # notices have no ledger: taken one at a time, they have only the broker's count
        with self._hub.store.begin() as work:
            return work.attempts.of(connector, known_by(letter)).begun == 0

    def _item(self, letter: Incoming, queue: str, connector: str | None, now: datetime) -> QuarantineItem:
        original, digest = _original(letter), hashlib.sha256(letter.body).hexdigest()
        inline = len(letter.body) <= INLINE_BYTES
        if not inline:
            self._hub.originals.keep(io.BytesIO(letter.body))
        return QuarantineItem(
            quarantine_id=derive("quarantine", queue, letter.message_id or "", digest),
            kind=Kind.MESSAGE,
            connector=connector or self._named_by(letter),
            code=_code(letter),
            text="it was found in the dead-letter queue",
            queue=queue,
            exchange=original.exchange,
            routing_key=original.routing_key,
            message_id=letter.message_id,
            headers=plain_headers(original.headers),
            content_type=letter.content_type,
            body=letter.body if inline else None,
            sha256=digest,
            bytes=len(letter.body),
            received_at=now,
            quarantined_at=now,
        )

    def _named_by(self, letter: Incoming) -> str:
        """The connector that a file notice names; `files` where it can't be read, or nobody knows the connector."""
        try:
            return self._hub.catalogue.connector(notices.read_notice(letter.body).connector).name
        except HubError:
            return "files"


def _original(letter: Incoming) -> Outgoing:
    """The message as it was before it became a dead letter."""
    headers: Mapping[str, object] = {name: value for name, value in letter.headers.items() if name not in _OURS}
    return Outgoing(
        exchange=str(letter.headers.get(EXCHANGE_HEADER, "")),
        routing_key=str(letter.headers.get(ROUTING_KEY_HEADER, "")),
        message_id=letter.message_id,
        body=letter.body,
        content_type=letter.content_type,
        headers=headers,
    )


def _code(letter: Incoming) -> str:
    """Why it is dead. A sender may write anything into headers, and codes stand in logs and metrics."""
    told = letter.headers.get(REASON_HEADER)
    return told.upper() if isinstance(told, str) and _CODE.fullmatch(told.upper()) else "DEAD_LETTER"
