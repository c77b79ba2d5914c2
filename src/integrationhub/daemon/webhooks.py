"""Messages that sources post over HTTP, on their way into the queues of their connectors.

A message is answered with 2xx only when the broker has confirmed that it lies in the queue; from there it goes the way
of all messages. One with a wrong signature is answered with 401, and goes there too: the feed refuses it, so that it
waits in the quarantine like any other. Of what nobody has signed only so much is kept a minute.

What was stored a moment ago and comes again is answered, and not stored a second time. Of the headers only those of the
signature are kept.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from integrationhub.config import Settings
from integrationhub.daemon.roster import Roster
from integrationhub.errors import ConfigurationError, HubError, RecordRejected
from integrationhub.intake.messages.signatures import Verifier
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.transport import Incoming, Outgoing, Publisher
from integrationhub.telemetry import logger

REMEMBERED = 4096
"""Messages that are known to be stored."""

REFUSED_A_MINUTE = 60
"""Messages without a right signature that are kept a minute."""

AT_ONCE = 16
"""Messages that are taken at once; senders of more are asked to come again."""

LATER = 5
"""Seconds after which a sender may try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status and a sentence for the sender."""

    status: int
    text: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where the messages of a connector come in: its queue, whose signatures count, the largest body."""

    connector: str
    queue: str
    verifier: Verifier
    largest: int


@dataclass(slots=True, kw_only=True)
class Hooks:
    """Path → webhook of the connectors that the daemon works for, as they were last read."""

    roster: Roster
    settings: Settings
    _read: object = None
    _hooks: Mapping[str, Webhook] = field(default_factory=dict)

    def __call__(self) -> Mapping[str, Webhook]:
        """As things are now. A connector whose keys are missing takes nothing."""
        if self._read is not self.roster.pipelines:
            self._read = self.roster.pipelines
            found = (self._of(descriptor) for descriptor in self.roster.with_messages.values())
            self._hooks = dict(pair for pair in found if pair is not None)
        return self._hooks

    def _of(self, descriptor: Descriptor) -> tuple[str, Webhook] | None:
        rules, units = descriptor.messages, descriptor.units
        if rules is None or rules.webhook is None or rules.signature is None or units is None:
            return None
        try:
            verifier = Verifier.of(rules.signature, self.settings.keys_file)
        except ConfigurationError as exc:
            logger().warning("webhook", connector=descriptor.name, reason=exc.code, outcome="LEFT_OUT")
            return None
        hook = Webhook(connector=descriptor.name, queue=descriptor.queue, verifier=verifier, largest=units.largest)
        return rules.webhook, hook


@dataclass(slots=True, kw_only=True)
class Webhooks:
    """Takes what is posted. Safe to share between threads. `hooks`: path → webhook, as things are now."""

    hooks: Callable[[], Mapping[str, Webhook]]
    publisher: Publisher
    seconds: Callable[[], float] = time.monotonic
    _stored: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _refused: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _room: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def ahead(self, path: str, length: str | None) -> Reply | None:
        """What is answered before the body is read; None: read so many bytes and `take` them."""
        hook = self.hooks().get(path)
        if hook is None:
            return Reply(status=404, text="nothing is taken here")
        if length is None or not (length.isascii() and length.isdigit()):
            return Reply(status=411, text="say how long the body is: Content-Length")
        if int(length) > hook.largest:
            logger().warning("webhook", connector=hook.connector, reason="BODY_TOO_LARGE", outcome="REJECTED")
            return Reply(status=413, text=f"the body has more than {hook.largest} bytes")
        return None

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Store a message, and say so."""
        hook = self.hooks().get(path)
        if hook is None:
            return Reply(status=404, text="nothing is taken here")
        if not self._room.acquire(blocking=False):
            return Reply(status=503, text="too many messages at once", retry_after=LATER)
        try:
            return self._take(hook, _of_signature(hook.verifier, headers), body)
        finally:
            self._room.release()

    def _take(self, hook: Webhook, headers: Mapping[str, str], body: bytes) -> Reply:
        refusal = _refusal(hook, headers, body)
        if refusal is not None and not self._may_refuse():
            return Reply(status=429, text="too many messages without a right signature", retry_after=60)
        told = hashlib.sha256(repr((hook.connector, sorted(headers.items()))).encode() + body).hexdigest()
        if not self._is_stored(told):
            try:
                self.publisher.publish([_outgoing(hook, headers, body)])
            except HubError as exc:
                logger().warning("webhook", connector=hook.connector, reason=exc.code, outcome="FAILED")
                return Reply(status=503, text="try again", retry_after=LATER)
            self._remember(told)
        if refusal is None:
            return Reply(status=200, text="stored")
        logger().warning("webhook", connector=hook.connector, reason=refusal, outcome="REJECTED")
        return Reply(status=401, text="the signature is not that of the body")

    def _may_refuse(self) -> bool:
        now = self.seconds()
        with self._lock:
            self._refused = [moment for moment in self._refused if now - moment < 60]  # noqa: PLR2004 - a minute
            if len(self._refused) >= REFUSED_A_MINUTE:
                return False
            self._refused.append(now)
            return True

    def _is_stored(self, told: str) -> bool:
        with self._lock:
            return told in self._stored

    def _remember(self, told: str) -> None:
        with self._lock:
            self._stored[told] = None
            while len(self._stored) > REMEMBERED:
                self._stored.popitem(last=False)


def _refusal(hook: Webhook, headers: Mapping[str, str], body: bytes) -> str | None:
    """Why the signature does not count."""
    message = Incoming(
        tag=0, queue=hook.queue, exchange="", routing_key=hook.queue, message_id=None, body=body, content_type=None,
        headers=headers,
    )  # fmt: skip
    try:
        hook.verifier.require(message)
    except RecordRejected as exc:
        return exc.code
    return None


def _of_signature(verifier: Verifier, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of the signature, by the names that the feed's document gives them."""
    given = {name.casefold(): value for name, value in headers.items()}
    names = filter(None, (verifier.rules.header, verifier.rules.key_header))
    return {name: given[name.casefold()] for name in names if name.casefold() in given}


def _outgoing(hook: Webhook, headers: Mapping[str, str], body: bytes) -> Outgoing:
    return Outgoing(
        exchange="",
        routing_key=hook.queue,
        message_id=None,  # the content's hash stands in for it
        body=body,
        content_type="application/json",
        headers=headers,
    )
