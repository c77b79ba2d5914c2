"""The intake of one connector's messages: from its queue to the workers, and back to the broker as acknowledgements.

One thread receives from the queue, whose connection has an I/O thread of its own: heartbeats go out however long a
batch takes. For each worker there is a lane and a thread that gives it the lane's messages, batch after batch. Messages
with equal order keys go through one lane. A batch is acknowledged when its worker says that it is committed.

What may happen to a batch, and what becomes of its messages:

    committed                      acknowledged
    a service is away              back to the head of the lane, unharmed; the breaker pauses the connector
    the worker dies, or hangs      suspects: each alone, its tries counted in the store's ledger before they begin; one
                                   that takes FATAL_TRIES more workers with it is given up: POISON; so is one with
                                   UNEXPLAINED_TRIES of which nobody came back to tell
    the hub ends the worker        as if the try had never begun: the message is not to blame
    any other error                in halves, until the one that fails is alone; that one again after growing pauses,
                                   and after FAILED_TRIES it is given up with the error's code
    the broker is lost             everything in hand comes again; what was committed is known as a duplicate then

A message that the broker delivers again, and that this process never had, was in the hands of a process that is no
more. One that the ledger knows is a suspect. The others are doubted: the first goes alone, as a suspect, then two go
together, four, and so on, for most of what a killed daemon had in hand is innocent. Where one of them is what kills the
daemon, it is nearer to the head of the queue after each end, until it is the one that goes alone.
"""

import hashlib
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from integrationhub.canonical.identifiers import derive
from integrationhub.daemon.breaker import Breaker
from integrationhub.daemon.crew import Hand, WorkerLost
from integrationhub.daemon.lane import MOST, Item, Lane, halves, suspects
from integrationhub.daemon.meter import IntakeMeter, Meter
from integrationhub.daemon.orders import Answer, Failed, GiveUp, Take, Taken
from integrationhub.daemon.pauses import Pauses
from integrationhub.daemon.shift import Shift
from integrationhub.errors import HubError, TransientError
from integrationhub.sdk.transport import RETRY_SECONDS as RETRY_QUEUES
from integrationhub.sdk.transport import Incoming, MessageSource
from integrationhub.store.attempts import Tries
from integrationhub.telemetry import logger

POLL_SECONDS = 1.0
"""How long one look into the queue waits; also how soon a pause, a reload, a stop is noticed."""

FATAL_TRIES = 2
"""Tries of a suspect, alone, that may end with the worker, beside the death that made it one."""

UNEXPLAINED_TRIES = 6
"""Tries of a suspect, alone, that may end with the whole daemon. More than FATAL_TRIES: a daemon that is killed for
reasons of its own meets the same message first each time, and an innocent one must not pay for that."""

FAILED_TRIES = 4
"""Tries of a message, alone, that may fail."""

RETRY_SECONDS = (1.0, 5.0, 20.0)
"""Pauses before a message that failed alone is tried again, where it must keep its place."""

POSTPONE_SECONDS = RETRY_QUEUES[0]
"""The pause where any order will do: it is spent in a retry queue."""

POISON = "POISON"


class Ledger(Protocol):
    """Counts tries of suspects; each call is a transaction. TransientError: the store is away."""

    def of(self, message: str) -> Tries:
        """What was counted so far."""

    def known(self, messages: Collection[str]) -> set[str]:
        """Of these, the ones with a try."""

    def begin(self, message: str) -> None:
        """A try is about to begin."""

    def end(self, message: str, code: str) -> None:
        """It ended with an error."""

    def withdraw(self, message: str) -> None:
        """The try that began last was ended by the hub itself, whatever the message is."""

    def forget(self, message: str) -> None:
        """The message's fate is decided."""


def known_by(message: Incoming) -> str:
    """What the ledger knows a message by: its id, or where it has none its content."""
    return derive("message", message.message_id or hashlib.sha256(message.body).hexdigest())


class MessageIntake:
    """One part of the daemon. `open_source` gives a source that has taken nothing yet.

    `is_held` says whether an operator holds the connector, or it is no longer wanted; `on_commit` is told of commits.
    """

    def __init__(
        self,
        connector: str,
        *,
        open_source: Callable[[], MessageSource],
        order_key: Callable[[Incoming], str | None],
        hands: list[Hand],
        ledger: Ledger,
        shift: Shift,
        is_held: Callable[[], bool] = lambda: False,
        on_trouble: Callable[[str | None], None] = lambda _code: None,
        on_commit: Callable[[], None] = lambda: None,
        checkpoint: Callable[[str], None] = lambda _point: None,
        meter: IntakeMeter | None = None,
    ) -> None:
        self.connector = connector
        self._open_source = open_source
        self._order_key = order_key
        self._ledger = ledger
        self._shift = shift
        self._is_held = is_held
        self._on_commit = on_commit
        self._checkpoint = checkpoint
        self._meter = meter or Meter().of(connector)
        self._meter.waits(self._oldest_wait)
        self._breaker = Breaker(shift.stop, on_trouble)
        self._reconnecting = Pauses(first=0.1, longest=10.0)
        self._changed = threading.Condition()  # guards all below
        self._lanes = {hand: Lane() for hand in hands}
        self.capacity = 2 * MOST * len(hands)
        self._source: MessageSource
        self._busy: dict[Hand, list[Item]] = {}  # what each worker has in hand
        self._next = 0  # where a message without order key goes
        self._suspicious: set[str] = set()
        self._ours: set[str] = set()  # what was in hand when the broker was lost
        self._ending = False
        self._failure: BaseException | None = None

    # ---- the receiving thread

    def run(self) -> None:
        """Take messages until the shift ends; then what has arrived, within the shift's patience."""
        threads = [
            threading.Thread(target=self._serve, args=(hand,), name=f"{self.connector} {hand.number}", daemon=True)
            for hand in self._lanes
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._shift.stop.is_set() and self._failure is None:
                if self._is_held():
                    self._shift.ready.add(self.connector)
                    self._shift.stop.wait(POLL_SECONDS)
                else:
                    self._consume()
        finally:
            with self._changed:
                self._ending = True
                self._changed.notify_all()
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _consume(self) -> None:
        """Receive until the connector is held, or the shift ends; then work off what is in hand, and let go."""
        self._source = self._open_source()
        try:
            while not (self._shift.stop.is_set() or self._failure or self._is_held()):
                self._receive()
            self._source.hold()
            self._work_off()
        finally:
            with self._changed:
                self._forget()
            self._source.close()

    def _receive(self) -> None:
        if not self._has_room():
            return
        try:
            arrived = self._source.receive(limit=MOST, timeout=POLL_SECONDS)
        except TransientError as exc:
            self._lost(exc)
            return
        self._reconnecting.reset()
        self._shift.ready.add(self.connector)
        if arrived:
            self._sort(arrived)

    def _has_room(self) -> bool:
        """Whether another batch may be asked for; waits a while for it.

        As much as a broker's prefetch lets arrive is taken out of its hands at once, so that what is lost with a
        connection is known to have been here, and comes again as no suspect.
        """

        def room() -> bool:
            return sum(map(len, self._lanes.values())) < self.capacity or self._shift.stop.is_set()

        with self._changed:
            return self._changed.wait_for(room, POLL_SECONDS) and not self._shift.stop.is_set()

    def _lost(self, error: TransientError) -> None:
        """The broker is lost: what is in hand comes again, and is no suspect for it."""
        self._shift.ready.discard(self.connector)
        with self._changed:
            self._ours.update(known_by(item.message) for item in self._in_hand() if not item.doubted)
            self._forget()
        logger().warning("waiting", queue=self.connector, reason=error.code, error=type(error).__name__)
        self._shift.stop.wait(self._reconnecting.next())

    def _in_hand(self) -> Iterable[Item]:
        for hand, lane in self._lanes.items():
            yield from self._busy.get(hand, [])
            yield from lane.items

    def _oldest_wait(self) -> float:
        """Seconds that the oldest message in hand has been here; 0 when there is none."""
        with self._changed:
            oldest = min((item.arrived for item in self._in_hand()), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def _forget(self) -> None:
        for lane in self._lanes.values():
            lane.clear()

    def _sort(self, arrived: Sequence[Incoming]) -> None:
        """Put each message into the lane of its order key."""
        again = {known_by(message) for message in arrived if message.redelivered}
        foreign = again - self._ours
        self._ours -= again
        tried = self._tried(foreign)
        with self._changed:
            for message in arrived:
                item = Item(message=message, key=self._key(message), arrived=time.monotonic())
                if foreign or self._suspicious:
                    known = known_by(message)
                    item.doubted = message.redelivered and known in foreign
                    if known in tried or known in self._suspicious:
                        self._suspicious.add(known)
                        item.together = 1
                self._lane_of(item.key).add(item)
            self._changed.notify_all()

    def _tried(self, messages: set[str]) -> set[str]:
        """Of these, the ones that the ledger knows; all, where it can't be asked."""
        try:
            return self._ledger.known(messages) if messages else messages
        except TransientError:
            return messages

    def _key(self, message: Incoming) -> str | None:
        try:
            return self._order_key(message)
        except Exception as exc:  # noqa: BLE001 - a taker's promise; a broken one must not end the intake
            logger().error("order_key", connector=self.connector, error=type(exc).__name__)
            return None

    def _lane_of(self, key: str | None) -> Lane:
        lanes = list(self._lanes.values())
        if key is not None:
            return lanes[zlib.crc32(key.encode()) % len(lanes)]
        return min(lanes, key=len)

    def _work_off(self) -> None:
        """Wait until nothing is in hand, no longer than the shift's patience; while trouble lasts, not at all.

        What waits for its next try comes again, its tries counted.
        """

        def done() -> bool:
            now = time.monotonic()
            nothing = all(lane.may_rest(now) for lane in self._lanes.values()) and not self._busy
            return nothing or self._failure is not None or (self._breaker.trouble is not None and not self._busy)

        while True:
            self._sort(self._rest())
            with self._changed:
                if self._changed.wait_for(done, 0.1) or self._shift.is_over():
                    return

    def _rest(self) -> list[Incoming]:
        """What had arrived before the source was held."""
        try:
            return self._source.receive(limit=MOST, timeout=0)
        except HubError:
            return []

    # ---- a thread for each worker

    def _serve(self, hand: Hand) -> None:
        try:
            while (batch := self._next_batch(hand)) is not None:
                try:
                    self._give(hand, batch)
                except TransientError as exc:
                    self._return(hand, batch)
                    self._breaker.get_through(exc, lambda: self._probe(hand))
                    self._wake()
        except BaseException as exc:  # noqa: BLE001 - the edge of the thread: the part must not go on without it
            self._failure = exc
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _next_batch(self, hand: Hand) -> list[Item] | None:
        """What the worker shall do next, waiting for it; None when it is to end."""
        with self._changed:
            while not self._ending:
                if self._breaker.trouble is None and (batch := self._taken(hand, MOST)):
                    return batch
                self._changed.wait(self._until_next_try(self._lanes[hand]))
            return None

    def _taken(self, hand: Hand, most: int) -> list[Item]:
        batch = self._lanes[hand].take(time.monotonic(), most=most)
        if batch:
            self._busy[hand] = batch
        return batch

    @staticmethod
    def _until_next_try(lane: Lane) -> float:
        now = time.monotonic()
        due = lane.next_try(now)
        return POLL_SECONDS if due is None else min(POLL_SECONDS, due - now)

    def _return(self, hand: Hand, batch: list[Item]) -> None:
        with self._changed:
            if self._busy.pop(hand, None) is not None:
                self._lanes[hand].put_back(batch)
            self._changed.notify_all()

    def _probe(self, hand: Hand) -> None:
        """Give one message, to see whether the trouble is over."""
        with self._changed:
            batch = self._taken(hand, 1)
        if batch:
            try:
                self._give(hand, batch)
            except TransientError:
                self._return(hand, batch)
                raise

    def _give(self, hand: Hand, batch: list[Item]) -> None:
        """Give a batch to the worker and settle what it answers. TransientError: it is to be given again, unharmed."""
        (first, *_) = batch
        if first.is_suspect and self._is_hopeless(hand, first):
            return
        started = time.monotonic()
        self._checkpoint("claimed")
        try:
            answer = hand.call(Take(connector=self.connector, messages=[item.message for item in batch]))
        except WorkerLost:
            self._meter.worker_lost()
            self._died_with(hand, batch)
            return
        if isinstance(answer, Failed):
            self._failed(hand, batch, answer)
            return
        self._breaker.succeeded()
        now = time.monotonic()
        if isinstance(answer, Taken):
            waited = [now - item.arrived for item in batch]
            self._meter.committed(answer.outcomes, waited=waited, took=now - started)
        with self._changed:
            self._lanes[hand].went_well(batch)
            if not first.is_suspect:
                self._lanes[hand].took(len(batch), now - started)
        self._settle(hand, batch)

    def _died_with(self, hand: Hand, batch: list[Item]) -> None:
        """The worker died with this in hand: of itself, or because the hub ended it, its patience over."""
        (first, *_) = batch
        if self._shift.is_over():
            if first.counted:
                self._ledger.withdraw(known_by(first.message))
        else:
            first.deaths += first.is_suspect
            with self._changed:
                self._suspicious.update(known_by(item.message) for item in batch)
                self._lanes[hand].went_wrong()
            batch = suspects(batch)
        self._return(hand, batch)

    def _settle(self, hand: Hand, batch: list[Item]) -> None:
        """The fate of the batch is committed: acknowledge."""
        self._checkpoint("acknowledging")
        self._source.acknowledge([item.message for item in batch])
        self._on_commit()
        self._let_go(hand)
        if batch[0].is_suspect:
            self._clear(batch[0])

    def _let_go(self, hand: Hand) -> None:
        with self._changed:
            self._busy.pop(hand, None)
            self._changed.notify_all()

    def _clear(self, item: Item) -> None:
        known = known_by(item.message)
        self._suspicious.discard(known)
        try:
            self._ledger.forget(known)
        except TransientError as exc:  # a row too many harms nobody
            logger().warning("attempts_left", connector=self.connector, reason=exc.code)

    # ---- suspects

    def _is_hopeless(self, hand: Hand, item: Item) -> bool:
        """Count the try that is about to begin; or give the message up, when it has had its tries."""
        if item.counted:
            return False
        known = known_by(item.message)
        tries = self._ledger.of(known)
        if item.deaths >= FATAL_TRIES or tries.fatal >= UNEXPLAINED_TRIES:
            self._give_up(hand, item, code=POISON, attempts=tries.begun)
            return True
        if tries.ended >= FAILED_TRIES:
            self._give_up(hand, item, code=tries.code or "UNEXPECTED", attempts=tries.begun)
            return True
        self._ledger.begin(known)
        item.counted = True
        return False

    def _failed(self, hand: Hand, batch: list[Item], failure: Failed) -> None:
        if failure.is_transient:
            raise TransientError(failure.text, code=failure.code, remedy=failure.remedy)
        if len(batch) > 1:
            self._return(hand, halves(batch))
            return
        (item,) = batch
        if failure.is_final:
            self._give_up(hand, item, code=failure.code, attempts=1)
            return
        known = known_by(item.message)
        if not item.counted:  # it was alone by chance
            self._ledger.begin(known)
        self._ledger.end(known, failure.code)
        tries = self._ledger.of(known)
        item.counted, item.together = False, 1
        logger().warning("message_failed", connector=self.connector, reason=failure.code, attempt=tries.begun)
        self._try_later(hand, item, tries.ended)
        self._breaker.failed(failure.code)

    def _try_later(self, hand: Hand, item: Item, times: int) -> None:
        """A message that must keep its place waits here, and those of its key behind it; any other waits elsewhere."""
        self._meter.retried()
        if item.key is None:
            with self._changed:
                self._suspicious.add(known_by(item.message))
            self._source.postpone([item.message], seconds=POSTPONE_SECONDS)
            self._let_go(hand)
            return
        item.not_before = time.monotonic() + RETRY_SECONDS[min(times, len(RETRY_SECONDS)) - 1]
        self._return(hand, [item])

    def _give_up(self, hand: Hand, item: Item, *, code: str, attempts: int) -> None:
        """Into the quarantine; where not even that is possible, into the dead-letter queue."""
        order = GiveUp(connector=self.connector, message=item.message, code=code, attempts=attempts)
        started = time.monotonic()
        try:
            answer: Answer = hand.call(order)
        except WorkerLost:
            answer = Failed(error="WorkerLost", code=code, text="")
        if isinstance(answer, Failed):
            if answer.is_transient:
                raise TransientError(answer.text, code=answer.code, remedy=answer.remedy)
            self._source.reject([item.message], reason=code)
        if isinstance(answer, Taken):
            waited = time.monotonic() - item.arrived
            self._meter.committed(answer.outcomes, waited=[waited], took=time.monotonic() - started)
        self._settle(hand, [item])
