"""The relay: sends what the outbox holds, and marks it sent once the broker has confirmed it.

Killed between publishing and marking, it publishes the same events again with the same ids: at least once, and
consumers drop repeats by source and id. Several relays may run; each may send what another has just sent, but none can
disturb the order in which a consumer first sees a subject's events (of its audience):

 1. A relay reads the oldest waiting events, in position order, without gaps: nobody hides rows from the others.
 2. It publishes them in that order, those of one subject one after another: the next when the one before is confirmed.
    Pipelining them is not enough: RabbitMQ's quorum queues may keep the second of two messages under way and lose the
    first when a node dies. It marks them when all are confirmed.
 3. So before any relay publishes event n of a subject, either it has published n-1 itself in the same or an earlier
    round, or n-1 was no longer waiting, that is, some relay had it confirmed. Either way n-1 came first.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_random_exponential,
)

from integrationhub.errors import TransientError
from integrationhub.publish.cloudevents import (
    CONTENT_TYPE,
    TYPE_PREFIX,
    Event,
    body,
    cloudevents_id,
    routing_key,
    trace_of,
)
from integrationhub.sdk.transport import EVENTS_EXCHANGE, Outgoing, Publisher, Topology

EVENTS_TOPOLOGY = Topology(exchanges=(EVENTS_EXCHANGE,))
"""What the relay publishes to."""

ROUND = 1000
"""Events a round: one read, one window of confirms, one mark."""

LONGEST_PAUSE_SECONDS = 30.0


class WaitingEvent(Event, Protocol):
    """An event that was committed and not marked published."""

    @property
    def position(self) -> int:
        """Its place in the outbox: rises with each event of a subject."""


class Outbox(Protocol):
    """Where committed events wait. Each call is a transaction of its own."""

    def waiting(self, limit: int) -> Sequence[WaitingEvent]:
        """The next events that are not marked published, by position."""

    def mark_published(self, positions: Sequence[int], *, at: datetime) -> None:
        """These were confirmed by the broker."""


class Relay:
    """Moves events from the outbox to the broker, in order."""

    def __init__(self, outbox: Outbox, publisher: Publisher, clock: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._clock = clock
        self._declared = False

    def send_round(self, limit: int = ROUND) -> int:
        """Send up to `limit` events and give their number; 0 when none waits.

        TransientError: the broker or the database is away; what was sent and not marked will be sent again.
        InvariantBroken: an event holds what its audience may not see; it and what follows it stay in the outbox.
        """
        events = self._outbox.waiting(limit)
        if events:
            if not self._declared:  # not before: the broker may be away for as long as there is nothing to send
                self._publisher.declare(EVENTS_TOPOLOGY)
                self._declared = True
            self._publisher.publish([outgoing(event) for event in events])
            self._outbox.mark_published([event.position for event in events], at=self._clock())
        return len(events)

    def drain(self) -> int:
        """Send everything that waits now, and give its number."""
        sent = 0
        while count := self.send_round():
            sent += count
        return sent

    def run(
        self,
        stop: threading.Event,
        *,
        idle_seconds: float = 0.2,
        wake: threading.Event | None = None,
        on_trouble: Callable[[TransientError], None] = lambda _error: None,
    ) -> None:
        """Send until `stop` is set. A broker that is away delays publishing, never intake: rounds are tried again after
        a pause that grows with each failure and is told to `on_trouble`. Whoever has committed events in this process
        sets `wake`; those of other processes are seen within `idle_seconds`.
        """

        def tell(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, TransientError):
                on_trouble(error)

        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_random_exponential(multiplier=idle_seconds, max=LONGEST_PAUSE_SECONDS),
            stop=stop_when_event_set(stop),
            sleep=sleep_using_event(stop),
            before_sleep=tell,
            retry_error_callback=lambda _state: 0,  # told to stop while the broker is away
        )
        while not stop.is_set():
            if wake is not None:
                wake.clear()  # before the look: what is committed meanwhile sets it again
            if not retrying(self.send_round) and not stop.is_set():
                (wake or stop).wait(idle_seconds)


def outgoing(event: Event) -> Outgoing:
    """The event as a message. Of its attributes only type and audience stand in headers."""
    return Outgoing(
        exchange=EVENTS_EXCHANGE,
        routing_key=routing_key(event.audience, event.type),
        message_id=cloudevents_id(event),
        body=body(event),
        content_type=CONTENT_TYPE,
        headers={"ce-type": TYPE_PREFIX + event.type, "ce-audience": event.audience, **trace_of(event)},
        order_key=f"{event.audience} {event.subject}",
    )
