"""Messages of a JSON feed: read strictly, put in order, mapped by the connector's specs, upserted by their keys.

A message that is unusable is REJECTED. One that can be read but not used (a value that can't be held, an id or a number
that another message has taken) is an EXCEPTION: it changes nothing and waits for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.json_body import read_body
from integrationhub.errors import RecordRejected
from integrationhub.intake.changes import debt_event_rows, worklist_events
from integrationhub.intake.messages.arrival import Arrival
from integrationhub.intake.messages.feed_rows import FeedMapping, Mapped
from integrationhub.intake.messages.notice import Notice, NoticeReader
from integrationhub.intake.messages.order import Last, Line, Message, Order, Place
from integrationhub.intake.messages.taker import Judged, Judgement, KnownById, New, refused
from integrationhub.receive.originals import Originals
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor, Feed
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.store.entity_versions import EntityVersion
from integrationhub.store.inbox import Received
from integrationhub.store.unit_of_work import Work
from integrationhub.store.upserting import Columns
from integrationhub.store.worklist import WorklistItem

_SAME = "the message was taken before; nothing changes"
_STALE = "a newer message about the same was taken before; nothing changes"
_CONTRADICTION = "another message with the same number says something else; the first stays"
_REUSED = "another message had the same id, and said something else; the first stays"
_EARLY = "a message before this one is missing: it is kept and applies once that one is there"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedMeaning:
    """What the messages of a JSON feed mean."""

    descriptor: Descriptor
    feed: Feed
    reader: NoticeReader
    mapping: FeedMapping
    originals: Originals
    environment: str

    def order_key(self, message: Incoming) -> str | None:
        """What the message is about: by its header, or else by its content."""
        rules = self.descriptor.messages
        if rules is not None and rules.order_header is not None:
            named = message.headers.get(rules.order_header)
            return None if named is None else derive("order", named)
        notice = self.reader.read(message)
        return None if isinstance(notice, RecordRejected) else notice.entity_id

    def read(self, arrivals: Sequence[Arrival]) -> list[Notice | RecordRejected]:
        """See `Meaning`."""
        return [self.reader.read(arrival.message) for arrival in arrivals]

    def judge(
        self, work: Work, arrivals: Sequence[Arrival], read: Sequence[Notice | RecordRejected], known: KnownById
    ) -> Judgement:
        """See `Meaning`."""
        by_id = _ById(feed=self.feed, known=known)
        told = [by_id.judge(arrival, notice) for arrival, notice in zip(arrivals, read, strict=True)]
        messages = [
            Message(arrival=arrivals[position], notice=notice, position=position)
            for position, notice in enumerate(read)
            if told[position] is None and isinstance(notice, Notice)
        ]
        batch = self._in_order(work, messages)
        placed = {message.position: batch.judged(message) for message in messages}
        judged = [verdict or placed[position] for position, verdict in enumerate(told)]
        return Judgement(judged=judged, write=partial(self._write, batch=batch))

    def _in_order(self, work: Work, messages: Sequence[Message]) -> "_Batch":
        """The messages in order and mapped. One that turns out faulty applies nothing, which may change the order."""
        entities = sorted({message.notice.entity_id for message in messages})
        lasts = work.entity_versions.lock(entities) if entities else {}
        waiting = self._waiting(work, entities) if self.feed.gapless and entities else []
        faults: dict[str, Reason] = {}
        while True:
            order = self._order(work, messages, lasts, waiting, frozenset(faults))
            mapped = self.mapping.rows(order.applied)
            if not mapped.faults:
                return _Batch(feed=self.feed, order=order, mapped=mapped, faults=faults, waiting=waiting)
            faults |= mapped.faults

    def _order(
        self,
        work: Work,
        messages: Sequence[Message],
        lasts: Mapping[str, EntityVersion],
        waiting: Sequence[Message],
        faulty: frozenset[str],
    ) -> Order:
        lines = {message.notice.entity_id: Line(last=None) for message in messages}
        for entity, last in lasts.items():
            lines[entity].last = Last(number=last.number, delivery_id=last.delivery_id, sha256=last.sha256)
        for message in waiting:
            lines[message.notice.entity_id].held[message.notice.number or 0] = message
        bodies = {message.delivery_id: message.arrival.message.body for message in messages}
        same = partial(self._same_content, work, bodies)
        order = Order(lines=lines, gapless=self.feed.gapless, same_content=same, faulty=faulty)
        for message in messages:
            order.put(message)
        return order

    def _waiting(self, work: Work, entities: Sequence[str]) -> list[Message]:
        found: list[Message] = []
        for row in work.inbox.held(entities):
            message = Incoming(
                tag=0, queue="", exchange="", routing_key="", message_id=row.message_id, body=self._body(row),
                content_type=None,
            )  # fmt: skip
            arrival = Arrival(
                message=message,
                at=row.received_at,
                message_id=row.message_id,
                sha256=row.sha256,
                delivery_id=row.delivery_id,
            )
            notice = self.reader.of_body(message.body)
            found.append(Message(arrival=arrival, notice=notice, position=-1 - len(found)))
        return found

    def _same_content(self, work: Work, bodies: Mapping[str, bytes], arrival: Arrival, other: str, sha256: str) -> bool:
        """Whether a message says the same as that delivery, in whatever order and spacing."""
        if arrival.sha256 == sha256:
            return True
        body = bodies.get(other)
        if body is None:
            kept = work.inbox.get(other)
            if kept is None:
                return False
            body = self._body(kept)
        largest = self.feed.largest
        return read_body(body, largest=largest) == read_body(arrival.message.body, largest=largest)

    def _body(self, kept: Received) -> bytes:
        if kept.body is not None:
            return kept.body
        with self.originals.open(kept.sha256) as stream:
            return stream.read()

    def _write(self, work: Work, new: New, *, batch: "_Batch") -> None:
        for rows in batch.mapped.parts:
            self._upsert(work, rows, at=batch.at)
        if batch.order.applied:
            versions = batch.versions()
            work.entity_versions.advance(self.descriptor.name, versions)
            entities = [version.entity_id for version in versions]
            work.worklist.resolve_about(entities, at=batch.at, resolution="a later message came in good order")
            work.inbox.release(batch.released(), at=batch.at)
        for message in batch.set_aside():
            verdict = batch.judged(message)
            work.inbox.settle(message.delivery_id, verdict.outcome.fate, _reason(verdict.outcome), at=batch.at)
            self._put_on_worklist(work, message.arrival, verdict)
        for arrival, verdict in new:
            if verdict.outcome.fate is Fate.EXCEPTION:
                self._put_on_worklist(work, arrival, verdict)

    def _upsert(self, work: Work, rows: Mapping[str, Columns], *, at: datetime) -> None:
        changes = work.canonical.upsert(rows)
        if changes:
            origin: dict[str, str] = {}
            for columns in (rows[name] for name in ("balances", "debts") if name in rows):
                origin.update(zip(columns["debt_id"], columns["delivery_id"], strict=True))
            place = {"environment": self.environment, "connector": self.descriptor.name}
            work.outbox.add(debt_event_rows(changes, origin, **place), at=at)

    def _put_on_worklist(self, work: Work, arrival: Arrival, verdict: Judged) -> None:
        outcome = verdict.outcome
        item = WorklistItem(
            exception_id=derive("worklist", arrival.delivery_id),
            code=outcome.code or self.feed.codes.field,
            entity="messages",
            opened_at=arrival.at,
            text=outcome.text or "",
            connector=self.descriptor.name,
            delivery_id=arrival.delivery_id,
            group_id=verdict.entity_id,
        )
        if work.worklist.open([item]):
            place = {"connector": self.descriptor.name, "delivery_id": arrival.delivery_id}
            work.outbox.add(worklist_events([item], environment=self.environment, **place), at=arrival.at)


@dataclass(slots=True, kw_only=True)
class _ById:
    """Tells repeats by the sender's ids."""

    feed: Feed
    known: KnownById
    seen: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # id → deliveries of this batch, contents

    def judge(self, arrival: Arrival, notice: Notice | RecordRejected) -> Judged | None:
        """The verdict where the id alone, or that it is unusable, tells; None: it is to be put in order."""
        if isinstance(notice, RecordRejected):
            return Judged(outcome=refused(arrival, code=notice.code, text=notice.text))
        if self.feed.identified_by == "version":
            return None
        before = [
            (item.delivery_id, item.sha256)
            for item in self.known.get(arrival.message_id, ())
            if item.outcome != Fate.REJECTED
        ]
        seen = self.seen.setdefault(arrival.message_id, before)
        same = next((delivery for delivery, sha256 in seen if sha256 == arrival.sha256), None)
        if same is not None:
            return Judged(outcome=Outcome(fate=Fate.DUPLICATE, code="DUPLICATE", text=_SAME, delivery_id=same))
        seen.append((arrival.delivery_id, arrival.sha256))
        if len(seen) == 1:
            return None
        return Judged(outcome=_outcome(arrival, Fate.EXCEPTION, self.feed.codes.reused, _REUSED))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """A batch in order, mapped. `waiting`: what was held before it."""

    feed: Feed
    order: Order
    mapped: Mapped
    faults: Mapping[str, Reason]
    waiting: Sequence[Message]

    @property
    def at(self) -> datetime:
        """When the last applied message came."""
        return max(one.message.arrival.at for one in self.order.applied)

    def judged(self, message: Message) -> Judged:
        """The verdict on a message that was put in order."""
        standing, arrival = self.order.standings[message.position], message.arrival
        if standing.place is Place.NEXT:
            outcome = Outcome(fate=Fate.LOADED, delivery_id=arrival.delivery_id)
        elif standing.place is Place.REPEAT:
            outcome = Outcome(fate=Fate.DUPLICATE, code="DUPLICATE", text=_SAME, delivery_id=standing.first)
        elif standing.place is Place.FAULTY:
            outcome = self._faulty(arrival)
        else:
            outcome = self._not_now(arrival, standing.place)
        return Judged(outcome=outcome, entity_id=message.notice.entity_id, number=message.notice.number)

    def _not_now(self, arrival: Arrival, place: Place) -> Outcome:
        fate, code, text = {
            Place.OLD: (Fate.SUPERSEDED, self.feed.codes.stale, _STALE),
            Place.CONTRADICTION: (Fate.EXCEPTION, self.feed.codes.conflict, _CONTRADICTION),
            Place.EARLY: (Fate.HELD, self.feed.codes.gap, _EARLY),
        }[place]
        return _outcome(arrival, fate, code, text)

    def _faulty(self, arrival: Arrival) -> Outcome:
        fault = self.faults[arrival.delivery_id]
        return _outcome(arrival, Fate.EXCEPTION, fault.code, fault.text)

    def versions(self) -> list[EntityVersion]:
        """The last applied message about each thing."""
        last = {one.message.notice.entity_id: one for one in self.order.applied}
        return [
            EntityVersion(
                entity_id=entity,
                number=one.number,
                delivery_id=one.message.delivery_id,
                sha256=one.message.arrival.sha256,
            )
            for entity, one in last.items()
        ]

    def released(self) -> list[str]:
        """Deliveries that waited, and apply now."""
        return [one.message.delivery_id for one in self.order.applied if one.message.position < 0]

    def set_aside(self) -> list[Message]:
        """Messages that waited, and turn out to be faulty now."""
        standings = self.order.standings
        return [
            message
            for message in self.waiting
            if message.position in standings and standings[message.position].place is Place.FAULTY
        ]


def _outcome(arrival: Arrival, fate: Fate, code: str, text: str) -> Outcome:
    return Outcome(fate=fate, code=code, text=text, delivery_id=arrival.delivery_id)


def _reason(outcome: Outcome) -> Reason:
    return Reason(code=outcome.code or "", text=outcome.text or "")
