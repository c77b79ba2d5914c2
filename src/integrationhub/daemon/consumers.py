"""The connectors whose messages the daemon takes: their queues, and an intake for each."""

import socket
import time
from collections.abc import Callable

from integrationhub.bootstrap import Hub
from integrationhub.daemon.crew import Crew
from integrationhub.daemon.intake import MessageIntake
from integrationhub.daemon.lane import MOST
from integrationhub.daemon.ledger import StoreLedger
from integrationhub.daemon.meter import Meter
from integrationhub.daemon.roster import Roster
from integrationhub.daemon.shift import Shift
from integrationhub.errors import HubError
from integrationhub.publish.relay import EVENTS_TOPOLOGY
from integrationhub.receive import notices
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.transport import Incoming, MessageSource, Topology
from integrationhub.store.feeds import Feeds
from integrationhub.store.intakes import IntakeState
from integrationhub.telemetry import logger

LOOK_SECONDS = 1.0
"""How old the answer may be whether an operator holds a connector."""


def bindings_of(descriptor: Descriptor) -> tuple[tuple[str, str], ...]:
    """What a connector's queue is bound to: exchange and binding key."""
    rules = descriptor.messages
    return tuple((item.exchange, item.key) for item in rules.bindings) if rules else ()


def direct_of(descriptor: Descriptor) -> frozenset[str]:
    """The exchanges among those that are direct ones."""
    return descriptor.messages.direct if descriptor.messages is not None else frozenset()


def is_ordered(descriptor: Descriptor) -> bool:
    """Whether one host at a time takes a connector's messages."""
    return descriptor.messages is not None and descriptor.messages.ordered


class Consumers:
    """Makes the intakes. Takers are built here too: for order keys, and to tell at once which can't be built."""

    def __init__(self, hub: Hub, roster: Roster, shift: Shift, crew: Crew, meter: Meter) -> None:
        self._hub = hub
        self._roster = roster
        self._shift = shift
        self._crew = crew
        self._meter = meter
        self._order_keys: dict[str, Callable[[Incoming], str | None]] = {}
        self.reread()

    def reread(self) -> None:
        """Build the takers anew; ConfigurationError where one can't be built."""
        self._order_keys |= {name: self._hub.taker(name).order_key for name in self._roster.with_messages}

    def topology(self) -> Topology:
        """Everything that the daemon needs on the broker."""
        wanted = self._roster.with_messages.values()
        return Topology(
            exchanges=EVENTS_TOPOLOGY.exchanges,
            queues={notices.QUEUE: (), **{item.queue: bindings_of(item) for item in wanted}},
            ordered=frozenset(item.queue for item in wanted if is_ordered(item)),
            direct=frozenset().union(*map(direct_of, wanted)),
        )

    def run(self, name: str) -> None:
        """Take one connector's messages until the shift ends."""
        self._intake(name).run()

    def _intake(self, name: str) -> MessageIntake:
        return MessageIntake(
            name,
            open_source=lambda: self._source(name),
            order_key=lambda message: self._order_key(name, message),
            hands=self._crew.hands,
            ledger=StoreLedger(store=self._hub.store, connector=name, clock=self._hub.clock),
            shift=self._shift,
            is_held=self._held(name),
            on_trouble=lambda code: self._tell(name, code),
            on_commit=self._shift.committed.set,
            checkpoint=self._hub.checkpoint,
            meter=self._meter.of(name),
        )

    def _source(self, name: str) -> MessageSource:
        descriptor = self._roster.with_messages[name]
        return self._hub.source(
            descriptor.queue,
            bindings=bindings_of(descriptor),
            direct=direct_of(descriptor),
            ordered=is_ordered(descriptor),
            limit=MOST * len(self._crew.hands),
        )

    def _order_key(self, name: str, message: Incoming) -> str | None:
        return self._order_keys[name](message)

    def _held(self, name: str) -> Callable[[], bool]:
        """Whether an operator holds the connector, or it is no longer wanted; asked of the store now and then."""
        answer, asked = False, -LOOK_SECONDS

        def held() -> bool:
            nonlocal answer, asked
            if time.monotonic() - asked >= LOOK_SECONDS:
                asked = time.monotonic()
                try:
                    with self._hub.store.read() as connection:
                        answer = Feeds(connection).get(name).paused
                except HubError as exc:
                    logger().warning("waiting", queue=name, reason=exc.code)
            return answer or name not in self._roster.with_messages

        return held

    def _tell(self, name: str, code: str | None) -> None:
        """Say what an intake waits for, in the log and, if it can be had, in the store."""
        self._shift.troubles[name] = code
        level = logger().info if code is None else logger().warning
        level("intake", connector=name, reason=code, outcome="GOES" if code is None else "WAITS")
        state = IntakeState(connector=name, host=socket.gethostname(), waits_for=code, since=self._hub.clock())
        try:
            with self._hub.store.begin() as work:
                work.intakes.save(state)
                work.commit()
        except HubError as exc:
            logger().warning("intake_untold", connector=name, reason=exc.code)
