"""Takes the messages of a connector: the transaction around what they mean.

    read       every message by itself, before the transaction
    judge      all of them against what the store has, and against each other
    keep       the messages, with what became of them; the refused ones in the quarantine
    write      what follows from those that were taken
    commit     only now may anybody be told

Live messages, recorded ones and checks without effect go this one way.
"""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import RecordRejected
from integrationhub.intake import refusals
from integrationhub.intake.messages.arrival import Arrival
from integrationhub.receive.originals import Originals
from integrationhub.records import Reason
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.store.deliveries import Kind
from integrationhub.store.inbox import Inbox, Known, Received
from integrationhub.store.quarantine import INLINE_BYTES, QuarantineItem, plain_headers
from integrationhub.store.unit_of_work import Store, Work

Read = TypeVar("Read")
KnownById = Mapping[str, Sequence[Known]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What becomes of a message. `entity_id` and `number`: what it is about, and its number of that, where its feed
    numbers them. `remembered`: something refers to it, so it is kept though it is a repeat.
    """

    outcome: Outcome
    entity_id: str | None = None
    number: int | None = None
    remembered: bool = False


New = Sequence[tuple[Arrival, Judged]]
"""Messages that are kept now. Repeats that nothing refers to are not, nor any delivery that is kept already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What becomes of a batch: one verdict a message, and what is written once the new messages are kept."""

    judged: Sequence[Judged]
    write: Callable[[Work, New], None]


class Meaning(Protocol[Read]):
    """What the messages of a connector mean."""

    def order_key(self, message: Incoming) -> str | None:
        """See `MessageTaker`."""
        ...

    def read(self, arrivals: Sequence[Arrival]) -> Sequence[Read | RecordRejected]:
        """What each message says, or why it is unusable; no database."""
        ...

    def judge(
        self, work: Work, arrivals: Sequence[Arrival], read: Sequence[Read | RecordRejected], known: KnownById
    ) -> Judgement:
        """What becomes of each; nothing is written here. `known`: what was seen under the messages' ids before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxTaker(Generic[Read]):
    """A MessageTaker. `checkpoint` is called at named points, for fault tests."""

    connector: str
    meaning: Meaning[Read]
    store: Store
    originals: Originals
    checkpoint: Callable[[str], None] = field(default=lambda _point: None)

    def order_key(self, message: Incoming) -> str | None:
        """See `MessageTaker`."""
        return self.meaning.order_key(message)

    def take(self, messages: Sequence[Incoming], *, now: datetime) -> list[Outcome]:
        """See `MessageTaker`."""
        return self.take_arrived([self.arrival(message, at=now) for message in messages])

    def take_in(self, work: Work, messages: Sequence[Incoming], *, now: datetime) -> list[Outcome]:
        """As `take`, in a transaction of the caller's, who commits it."""
        arrivals = [self.arrival(message, at=now) for message in messages]
        return self._settle(work, arrivals, self.meaning.read(arrivals), keep=self._kept_elsewhere)

    def arrival(self, message: Incoming, *, at: datetime) -> Arrival:
        """The message as having arrived at that moment."""
        return Arrival.of(message, connector=self.connector, at=at)

    def take_arrived(self, arrivals: Sequence[Arrival]) -> list[Outcome]:
        """Take messages that may have come at different moments, in one transaction."""
        if not arrivals:
            return []
        read = self.meaning.read(arrivals)
        with self.store.begin_by_keys() as work:
            outcomes = self._settle(work, arrivals, read, keep=self._kept_elsewhere)
            self.checkpoint("before message commit")
            work.commit()
        self.checkpoint("after message commit")
        return outcomes

    def check(self, batches: Iterable[Sequence[Arrival]]) -> list[Outcome]:
        """What would become of these batches, one after the other; nothing is changed."""
        with self.store.begin() as work:
            return [
                outcome
                for batch in batches
                for outcome in self._settle(work, batch, self.meaning.read(batch), keep=lambda _body: None)
            ]

    def stands(self, delivery_ids: Sequence[str]) -> Mapping[str, str]:
        """What has become of kept messages by now."""
        with self.store.read() as connection:
            return Inbox(connection).outcomes(delivery_ids)

    def give_up(self, message: Incoming, *, code: str, attempts: int, now: datetime) -> Outcome:
        """See `MessageTaker`."""
        arrival = self.arrival(message, at=now)
        outcome = refused(arrival, code=code, text=f"it could not be taken in {attempts} tries")
        with self.store.begin() as work:
            known = work.inbox.known(self.connector, [arrival.message_id]).get(arrival.message_id, ())
            done = next((item for item in known if item.delivery_id == arrival.delivery_id), None)
            if done is not None and done.outcome != Fate.REJECTED:  # it was taken after all, and nobody heard of it
                return Outcome(fate=Fate.DUPLICATE, code="DUPLICATE", delivery_id=done.delivery_id)
            self._keep(work, [(arrival, Judged(outcome=outcome))], keep=self._kept_elsewhere, attempts=attempts)
            work.commit()
        return outcome

    def _settle(
        self,
        work: Work,
        arrivals: Sequence[Arrival],
        read: Sequence[Read | RecordRejected],
        *,
        keep: Callable[[bytes], str | None],
    ) -> list[Outcome]:
        known = work.inbox.known(self.connector, list({arrival.message_id for arrival in arrivals}))
        judgement = self.meaning.judge(work, arrivals, read, known)
        new = _new(zip(arrivals, judgement.judged, strict=True), known)
        self._keep(work, new, keep=keep)
        _settle_refused(work, new, known)
        self.checkpoint("messages kept")
        judgement.write(work, new)
        return [item.outcome for item in judgement.judged]

    def _keep(
        self,
        work: Work,
        new: New,
        *,
        keep: Callable[[bytes], str | None],
        attempts: int = 1,
    ) -> None:
        if not new:
            return
        rows = [_received(arrival, judged, keep) for arrival, judged in new]
        work.inbox.add(self.connector, rows, path=new[0][0].message.queue)
        refused = [(arrival, judged) for arrival, judged in new if judged.outcome.fate is Fate.REJECTED]
        if refused:
            work.quarantine.add(self._item(arrival, judged.outcome, attempts) for arrival, judged in refused)

    def _kept_elsewhere(self, body: bytes) -> str | None:
        """Where a body lies that is too large for the inbox."""
        if len(body) <= INLINE_BYTES:
            return None
        return self.originals.uri(self.originals.keep(io.BytesIO(body)).sha256)

    def _item(self, arrival: Arrival, outcome: Outcome, attempts: int) -> QuarantineItem:
        message = arrival.message
        return QuarantineItem(
            quarantine_id=derive("quarantine", arrival.delivery_id),
            kind=Kind.MESSAGE,
            connector=self.connector,
            delivery_id=arrival.delivery_id,
            code=outcome.code or Fate.REJECTED,
            text=outcome.text or "",
            queue=message.queue,
            exchange=message.exchange,
            routing_key=message.routing_key,
            message_id=message.message_id,
            headers=message.headers,
            content_type=message.content_type,
            body=message.body if len(message.body) <= INLINE_BYTES else None,
            sha256=arrival.sha256,
            bytes=len(message.body),
            attempts=attempts,
            received_at=arrival.at,
            quarantined_at=arrival.at,
        )


def _new(judged: Iterable[tuple[Arrival, Judged]], known: KnownById) -> list[tuple[Arrival, Judged]]:
    kept = {item.delivery_id for items in known.values() for item in items if item.outcome != Fate.REJECTED}
    new = []
    for arrival, verdict in judged:
        repeats = verdict.outcome.fate is Fate.DUPLICATE and not verdict.remembered
        if not repeats and arrival.delivery_id not in kept:
            kept.add(arrival.delivery_id)
            new.append((arrival, verdict))
    return new


def _settle_refused(work: Work, new: New, known: KnownById) -> None:
    """What was refused before and has come again, and was taken this time, waits for nobody any longer."""
    before = {item.delivery_id for items in known.values() for item in items if item.outcome == Fate.REJECTED}
    taken = [arrival for arrival, verdict in new if verdict.outcome.fate is not Fate.REJECTED]
    again = [arrival for arrival in taken if arrival.delivery_id in before]
    if again:
        ids = [arrival.delivery_id for arrival in again]
        refusals.settle(work, ids, at=again[-1].at, why="it came again, and was taken")


def refused(arrival: Arrival, *, code: str, text: str) -> Outcome:
    """The outcome of an unusable message."""
    return Outcome(fate=Fate.REJECTED, code=code, text=text, delivery_id=arrival.delivery_id)


def _received(arrival: Arrival, judged: Judged, keep: Callable[[bytes], str | None]) -> Received:
    message, outcome = arrival.message, judged.outcome
    uri = keep(message.body)
    return Received(
        delivery_id=arrival.delivery_id,
        message_id=arrival.message_id,
        sha256=arrival.sha256,
        bytes=len(message.body),
        body=message.body if len(message.body) <= INLINE_BYTES else None,
        original_uri=uri,
        envelope={
            "exchange": message.exchange,
            "routing_key": message.routing_key,
            "content_type": message.content_type,
            "headers": plain_headers(message.headers),
        },
        outcome=outcome.fate.value,
        reason=Reason(code=outcome.code, text=outcome.text or "") if outcome.code else None,
        entity_id=judged.entity_id,
        sequence=judged.number,
        received_at=arrival.at,
    )
