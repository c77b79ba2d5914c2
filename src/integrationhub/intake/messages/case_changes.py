"""Change events of cases: judged against the accepted book and the events before them (csa2003.md §5).

An event is known by its case and number; the ids of messages say nothing. Early events are kept; they apply as soon as
the missing number is there. What an event does to the figures of its case follows from the book and from what was kept
(`store.event_effects`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.xml.message import Message, MessageReader
from integrationhub.decode.xml.values import converted
from integrationhub.errors import RecordRejected
from integrationhub.intake.changes import worklist_events
from integrationhub.intake.messages.arrival import Arrival
from integrationhub.intake.messages.case_figures import Figures
from integrationhub.intake.messages.taker import Judged, Judgement, KnownById, New, refused
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.message_rules import EventRules
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.store.case_events import CaseEvent, CaseEvents, Taken, unbroken
from integrationhub.store.unit_of_work import Work
from integrationhub.store.worklist import WorklistItem

CONFLICT = "EV"
_DAYS = frozenset({"from", "to", "valueDate", "effective"})
_DAY = re.compile(r"\s*\d{4}-\d\d-\d\d\s*")
CONTRADICTION = "another event took this number of the case; the first stays, the case is held"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChanges:
    """What the change events of a connector mean."""

    descriptor: Descriptor
    rules: EventRules
    reader: MessageReader
    environment: str

    def order_key(self, message: Incoming) -> str | None:
        """The case, as the header names it; hashed, since the reference may be personal."""
        case = message.headers.get(self.rules.case_header)
        return None if case is None else derive("order", case)

    def read(self, arrivals: Sequence[Arrival]) -> list[Message | RecordRejected]:
        """The messages, their headers checked against them."""
        return [self._read(arrival.message) for arrival in arrivals]

    def judge(
        self, work: Work, arrivals: Sequence[Arrival], read: Sequence[Message | RecordRejected], _known: KnownById
    ) -> Judgement:
        """See `Meaning`."""
        events, system = CaseEvents(work.connection), self.descriptor.connector.source_system
        named = {item.root[self.rules.case] for item in read if isinstance(item, Message)}
        cases = events.cases(system, sorted(named)) if named else {}
        pending = events.pending([case_id for case_id, _ in cases.values()]) if cases else {}
        books = {
            ref: _Book(case_id=case_id, last=last, taken=pending.get(case_id, {}))
            for ref, (case_id, last) in cases.items()
        }
        desk = _Desk(rules=self.rules, books=books)
        judged = [desk.judge(arrival, item) for arrival, item in zip(arrivals, read, strict=True)]
        return Judgement(
            judged=[desk.in_the_end(item) for item in judged], write=partial(self._write, desk=desk, at=arrivals[-1].at)
        )

    def _read(self, message: Incoming) -> Message | RecordRejected:
        try:
            return self._understood(message)
        except RecordRejected as exc:
            return exc

    def _understood(self, delivery: Incoming) -> Message:
        rules, headers = self.rules, delivery.headers
        if headers.get(rules.schema_header) != rules.schema_version:
            raise RecordRejected("the message is of another schema version", code="SCHEMA_UNKNOWN")
        message = self.reader.read(delivery.body, unnamed=frozenset(rules.unnamed))
        kind = message.root[rules.type]
        if kind not in rules.kinds:
            raise RecordRejected("no such type of event is known", code="TYPE_UNKNOWN")
        own = (message.root[rules.case], message.root[rules.sequence])
        said = (*own, f"{rules.routing_prefix}{kind}", rules.kinds[kind])
        stated = (
            headers.get(rules.case_header), str(headers.get(rules.sequence_header)), delivery.routing_key,
            message.kind,
        )  # fmt: skip
        if said != stated:
            raise RecordRejected("headers, routing key and body contradict each other", code="HEADER_MISMATCH")
        days = [value for name, value in message.values.items() if name in _DAYS]
        if not all(map(_DAY.fullmatch, [*days, message.root[rules.occurred].strip()[:10]])):
            raise RecordRejected("a date with a time zone, or outside the calendar", code="SCHEMA_INVALID")
        return message

    def _write(self, work: Work, new: New, *, desk: "_Desk", at: datetime) -> None:
        events = CaseEvents(work.connection)
        if desk.new:
            causes = {event.case_id: event.delivery_id for event in desk.new}  # of several, the last
            figures = Figures.watch(work, causes, connector=self.descriptor.name, environment=self.environment)
            events.add(desk.new)
            figures.tell(causes, at=at)
            work.inbox.release([name for book in desk.books.values() for name in book.released()], at=at)
        for arrival, judged in new:
            if judged.outcome.fate is Fate.EXCEPTION and judged.entity_id and judged.number:
                events.note_conflict(judged.entity_id, judged.number)
                self._put_on_worklist(work, judged.entity_id, judged.number, arrival)

    def _put_on_worklist(self, work: Work, case_id: str, number: int, arrival: Arrival) -> None:
        item = WorklistItem(
            exception_id=derive("worklist", CONFLICT, case_id, number),
            code=CONFLICT,
            entity="cases",
            source_ref=case_id,
            opened_at=arrival.at,
            text=CONTRADICTION,
            connector=self.descriptor.name,
            delivery_id=arrival.delivery_id,
        )
        if work.worklist.open([item]):
            place = {"connector": self.descriptor.name, "delivery_id": arrival.delivery_id}
            work.outbox.add(worklist_events([item], environment=self.environment, **place), at=arrival.at)


@dataclass(slots=True, kw_only=True)
class _Book:
    """A case: the last event number of its accepted book, and what took the numbers behind it."""

    case_id: str
    last: int
    taken: Mapping[int, Taken]
    added: dict[int, Taken] = field(default_factory=dict)

    def at(self, number: int) -> Taken | None:
        return self.taken.get(number) or self.added.get(number)

    def applied_to(self) -> int:
        return unbroken(self.last, sorted({*self.taken, *self.added}))

    def released(self) -> list[str]:
        """Deliveries of events that were there, and apply since others have come."""
        if not self.added:
            return []
        before, now = unbroken(self.last, sorted(self.taken)), self.applied_to()
        return [item.delivery_id for number, item in sorted(self.taken.items()) if before < number <= now]


@dataclass(slots=True, kw_only=True)
class _Desk:
    """Judges one message after the other; what was taken counts for those behind it."""

    rules: EventRules
    books: Mapping[str, _Book]
    new: list[CaseEvent] = field(default_factory=list)
    waits: dict[str, tuple[_Book, int]] = field(default_factory=dict)  # new deliveries: case, number

    def judge(self, arrival: Arrival, message: Message | RecordRejected) -> Judged:
        """What becomes of the message now; `in_the_end` knows whether the batch closed its gap."""
        if isinstance(message, RecordRejected):
            return Judged(outcome=refused(arrival, code=message.code, text=message.text))
        book = self.books.get(message.root[self.rules.case])
        if book is None:
            text = "no accepted book has the case of the event"
            return Judged(outcome=refused(arrival, code="CASE_UNKNOWN", text=text))
        number = int(message.root[self.rules.sequence])
        if number <= book.last:
            text = f"event {number} is in the accepted book already, which goes to {book.last}"
            stale = Outcome(fate=Fate.SUPERSEDED, code="STALE_VERSION", text=text, delivery_id=arrival.delivery_id)
            return Judged(outcome=stale, entity_id=book.case_id, number=number)
        known = book.at(number)
        if known is not None:
            return self._again(arrival, message, book, number, known)
        self.new.append(
            _event(message, self.rules, case_id=book.case_id, number=number, delivery_id=arrival.delivery_id)
        )
        book.added[number] = Taken(digest=message.digest, delivery_id=arrival.delivery_id)
        self.waits[arrival.delivery_id] = (book, number)
        loaded = Outcome(fate=Fate.LOADED, delivery_id=arrival.delivery_id)
        return Judged(outcome=loaded, entity_id=book.case_id, number=number)

    def in_the_end(self, judged: Judged) -> Judged:
        """The verdict once the whole batch is known: an event behind a gap waits."""
        place = self.waits.get(judged.outcome.delivery_id or "")
        if judged.outcome.fate is not Fate.LOADED or place is None:
            return judged
        book, number = place
        last = book.applied_to()
        if number <= last:
            return judged
        text = f"event {last + 1} of the case is missing: this one is kept and applies once that one is there"
        held = Outcome(fate=Fate.HELD, code="SEQUENCE_GAP", text=text, delivery_id=judged.outcome.delivery_id)
        return Judged(outcome=held, entity_id=book.case_id, number=number)

    def _again(self, arrival: Arrival, message: Message, book: _Book, number: int, known: Taken) -> Judged:
        if known.digest == message.digest:
            text = "the event was taken before; nothing changes"
            same = Outcome(fate=Fate.DUPLICATE, code="DUPLICATE", text=text, delivery_id=known.delivery_id)
            return Judged(outcome=same)
        outcome = Outcome(fate=Fate.EXCEPTION, code=CONFLICT, text=CONTRADICTION, delivery_id=arrival.delivery_id)
        return Judged(outcome=outcome, entity_id=book.case_id, number=number)


def _event(message: Message, rules: EventRules, *, case_id: str, number: int, delivery_id: str) -> CaseEvent:
    values = message.values
    charged = _day(values.get("to")) if message.kind == "Charge" else None
    said: dict[str, object] = {**values, "lines": list(message.lines)} if message.lines else {**values}
    return CaseEvent(
        case_id=case_id,
        case_seq=number,
        delivery_id=delivery_id,
        digest=message.digest,
        kind=message.kind,
        occurred_on=date.fromisoformat(message.root[rules.occurred].strip()[:10]),
        source_id=values.get("id"),
        schedule_ref=values.get("scheduleRef"),
        reverses_ref=values.get("reverses"),
        pence=int(converted("money", [values.get("amount", "0")])[0][0] or 0),
        reason=values.get("reason"),
        charged_to=None if charged is None or charged == date.min else charged - timedelta(1),
        is_held=values.get("disbursement") == "HELD",
        said=said,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text.strip()[:10])
