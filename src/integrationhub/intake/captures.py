"""Recorded change events, delivery by delivery: judged against the book and kept (csa2003.md §5).

Each delivery is one transaction. The same capture twice changes nothing: what was kept is a duplicate then, what a book
contains is stale. Early events are kept; they apply as soon as the missing number is there.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.xml.message import Message, MessageReader
from integrationhub.decode.xml.values import converted
from integrationhub.errors import RecordRejected
from integrationhub.intake.changes import worklist_events
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.receive.originals import Originals
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.message_rules import EventRules
from integrationhub.store.case_events import CaseEvent, CaseEvents
from integrationhub.store.deliveries import Delivery, Kind, State
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.store.worklist import WorklistItem

SUFFIX = ".jsonl"
"""How names of captures end."""

CONFLICT = "EV"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of one delivery: verdict and outcome, and the reason where it was not simply taken."""

    verdict: FileVerdict
    outcome: str
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTaker:
    """Takes the recorded deliveries of one connector."""

    descriptor: Descriptor
    rules: EventRules
    reader: MessageReader
    store: Store
    originals: Originals
    environment: str
    clock: Callable[[], datetime]

    def take(self, path: Path) -> list[FileReport]:
        """Take every line of a capture; the reports as things stand after the last one."""
        taken = []
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    taken.append(self._take_line(str(path), number, line))
        return [self._as_it_stands(report) for report in taken]

    def _take_line(self, path: str, number: int, line: str) -> "tuple[FileReport, tuple[str, int] | None]":
        """The report, and case and number of an event that waits."""
        try:
            delivery = json.loads(line)
            body = str(delivery["body"]).encode()
        except (ValueError, KeyError, TypeError):
            dead = Reason(code="CAPTURE_INVALID", text="the line is no recorded delivery", record=number)
            return self._report(path, number, b"", _dead(dead)), None
        number = int(delivery.get("n", number))
        try:
            message = self._understood(delivery, body)
        except RecordRejected as exc:
            dead = Reason(code=exc.code, text=exc.text, record=number)
            return self._report(path, number, body, _dead(dead)), None
        with self.store.begin() as work:
            judged, waits = self._judge(work, message, body, path)
            work.commit()
        return self._report(path, number, body, judged), waits

    def _understood(self, delivery: Mapping[str, Any], body: bytes) -> Message:
        """The message, its headers checked against it. RecordRejected: a dead letter."""
        rules, headers = self.rules, delivery.get("headers") or {}
        if headers.get(rules.schema_header) != rules.schema_version:
            raise RecordRejected("the message is of another schema version", code="SCHEMA_UNKNOWN")
        message = self.reader.read(body, unnamed=frozenset(rules.unnamed))
        kind = message.root[rules.type]
        if kind not in rules.kinds:
            raise RecordRejected("no such type of event is known", code="TYPE_UNKNOWN")
        own = (message.root[rules.case], message.root[rules.sequence])
        said = (*own, f"{rules.routing_prefix}{kind}", rules.kinds[kind])
        stated = (
            headers.get(rules.case_header), str(headers.get(rules.sequence_header)), delivery.get("routing_key"),
            message.kind,
        )  # fmt: skip
        if said != stated:
            raise RecordRejected("headers, routing key and body contradict each other", code="HEADER_MISMATCH")
        return message

    def _judge(self, work: Work, message: Message, body: bytes, path: str) -> "tuple[Judged, tuple[str, int] | None]":
        events, number = CaseEvents(work.connection), int(message.root[self.rules.sequence])
        case = events.case(self.descriptor.connector.source_system, message.root[self.rules.case])
        if case is None:
            return _rejected("CASE_UNKNOWN", "no accepted book has the case of the event"), None
        case_id, book = case
        if number <= book:
            text = f"event {number} is in the accepted book already, which goes to {book}"
            stale = Reason(code="STALE_VERSION", text=text)
            return Judged(verdict=FileVerdict.SUPERSEDED, outcome="SUPERSEDED", reason=stale), None
        known = events.get(case_id, number)
        if known is not None:
            return self._again(work, known, message, body, path), None
        delivery = self._keep(work, message, body, path)
        events.add(_event(message, self.rules, case_id=case_id, delivery_id=delivery))
        last = events.applied_to(case_id, book)
        if last < number:
            return _waiting(last + 1), (case_id, number)
        return Judged(verdict=FileVerdict.ACCEPTED, outcome="LOADED"), None

    def _again(self, work: Work, known: CaseEvent, message: Message, body: bytes, path: str) -> Judged:
        if known.digest == message.digest:
            text = "the event was taken before; nothing changes"
            same = Reason(code="DUPLICATE", text=text)
            return Judged(verdict=FileVerdict.DUPLICATE, outcome="DUPLICATE", reason=same)
        text = f"another event took number {known.case_seq} of the case; the first stays, the case is held"
        delivery = self._keep(work, message, body, path)
        events, now = CaseEvents(work.connection), self.clock()
        events.note_conflict(known)
        item = WorklistItem(
            exception_id=derive("worklist", CONFLICT, known.case_id, known.case_seq),
            code=CONFLICT,
            entity="cases",
            opened_at=now,
            text=text,
            connector=self.descriptor.name,
            delivery_id=delivery,
        )
        if work.worklist.open([item]):
            place = {"connector": self.descriptor.name, "delivery_id": delivery}
            work.outbox.add(worklist_events([item], environment=self.environment, **place), at=now)
        return Judged(verdict=FileVerdict.ACCEPTED, outcome="EXCEPTION", reason=Reason(code=CONFLICT, text=text))

    def _keep(self, work: Work, message: Message, body: bytes, path: str) -> str:
        """Keep the body as an original and note the delivery; its identifier."""
        kept = self.originals.keep(io.BytesIO(body))
        now, name = self.clock(), self.descriptor.name
        delivery_id = derive("delivery", name, "event", message.digest)
        work.deliveries.save(
            Delivery(
                delivery_id=delivery_id,
                connector=name,
                kind=Kind.MESSAGE,
                name="change event",
                sha256=kept.sha256,
                bytes=len(body),
                state=State.ACCEPTED,
                records=1,
                path=path,
                original_uri=self.originals.uri(kept.sha256),
                received_at=now,
                completed_at=now,
            )
        )
        return delivery_id

    def _report(self, path: str, number: int, body: bytes, judged: Judged) -> FileReport:
        held = judged.verdict is FileVerdict.HELD
        return FileReport(
            path=path,
            connector=self.descriptor.name,
            sha256=hashlib.sha256(body).hexdigest() if body else "",
            verdict=judged.verdict,
            reasons=(judged.reason,) if judged.reason else (),
            records=1,
            outcomes={} if held else {judged.outcome: 1},
            n=number,
        )

    def _as_it_stands(self, taken: "tuple[FileReport, tuple[str, int] | None]") -> FileReport:
        """The report of an event that waited, once the missing one came in the same capture."""
        report, waits = taken
        if waits is None:
            return report
        with self.store.begin() as work:
            events = CaseEvents(work.connection)
            found = events.standing(waits[0])
        if found >= waits[1]:
            return replace(report, verdict=FileVerdict.ACCEPTED, reasons=(), outcomes={"LOADED": 1})
        return report


def _rejected(code: str, text: str) -> Judged:
    return _dead(Reason(code=code, text=text))


def _dead(reason: Reason) -> Judged:
    return Judged(verdict=FileVerdict.REJECTED, outcome="REJECTED", reason=reason)


def _waiting(missing: int) -> Judged:
    text = f"event {missing} of the case is missing: this one is kept and applies once that one is there"
    return Judged(verdict=FileVerdict.HELD, outcome="", reason=Reason(code="SEQUENCE_GAP", text=text))


def _event(message: Message, rules: EventRules, *, case_id: str, delivery_id: str) -> CaseEvent:
    values = message.values
    charged = _day(values.get("to")) if message.kind == "Charge" else None
    return CaseEvent(
        case_id=case_id,
        case_seq=int(message.root[rules.sequence]),
        delivery_id=delivery_id,
        digest=message.digest,
        kind=message.kind,
        occurred_on=date.fromisoformat(message.root[rules.occurred].strip()[:10]),
        source_id=values.get("id"),
        schedule_ref=values.get("scheduleRef"),
        reverses_ref=values.get("reverses"),
        pence=int(converted("money", [values.get("amount", "0")])[0][0] or 0),
        reason=values.get("reason"),
        charged_to=None if charged is None else charged - timedelta(1),
        is_held=values.get("disbursement") == "HELD",
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text.strip()[:10])
