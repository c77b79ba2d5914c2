"""Recorded deliveries of change events as a capture: in and out of order, twice, stale, contested, and such as no
product can take (csa2003.md §5).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO
from uuid import UUID

from integrationhub.estate.book import Case, SourceGroup
from integrationhub.estate.csa2003_records import element
from integrationhub.estate.dice import Dice
from integrationhub.estate.events import Change, History2003
from integrationhub.estate.outcomes import judge_case

NAMESPACE = "urn:synthetic:cs2:event:1"
WAITING_CASES = 100
"""Deliveries of so many cases are mixed with each other."""

UNKNOWN_CASE = "QQ999999D/98"
APPLIED, WAITING, CONFLICT = "APPLIED", "WAITING", "CONFLICT"
Capture = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The deliveries of one case in their order, and what they come to."""

    deliveries: list[Capture]
    state: str = APPLIED
    applied_to: int = 0
    counts: Counter[str] = field(default_factory=Counter)


class _Mail:
    """Turns the changes of a case into deliveries."""

    def __init__(self, history: History2003, baseline: int, dice: Dice) -> None:
        self._history = history
        self._case = history.case
        self._baseline = baseline
        self._dice = dice

    def traffic(self) -> Traffic:
        """All deliveries of the case."""
        dice, changes = self._dice, list(self._history.changes)
        state, applied_to = APPLIED, changes[-1].sequence
        counts: Counter[str] = Counter(applied=len(changes))
        if len(changes) > 1 and dice.chance(0.1):
            missing = dice.below(len(changes) - 1)
            state, applied_to = WAITING, changes[missing].sequence - 1
            counts = Counter(applied=missing, waiting=len(changes) - missing - 1)
            del changes[missing]
        order = dice.shuffled(changes) if dice.chance(0.4) else changes
        sent = [self.deliver(change) for change in order]
        if dice.chance(0.2):
            self._repeat(sent)
            counts["duplicate"] += 1
        if state == APPLIED and dice.chance(0.06):
            contested = dice.pick(changes)
            sent.append(self.deliver(_contradiction(contested)))
            state = CONFLICT
            counts["conflict"] += 1
        if self._case.last_event and dice.chance(0.15):
            old = replace(changes[0], sequence=dice.between(1, self._case.last_event)) if changes else None
            sent += [self.deliver(old)] if old else []
            counts["stale"] += bool(old)
        if dice.chance(0.12):
            sent.insert(dice.below(len(sent) + 1), self._undeliverable())
            counts["dead_letter"] += 1
        return Traffic(deliveries=sent, state=state, applied_to=applied_to, counts=counts)

    def deliver(self, change: Change, **body: str) -> Capture:
        """One delivery of a change; `body` overrides what the event says of itself, not the headers."""
        message = self._message_id()
        occurred = f"{change.occurred:%Y-%m-%dT%H:%M:%SZ}"
        said = {
            "xmlns": NAMESPACE, "messageId": message, "caseRef": self._case.ref, "caseSeq": change.sequence,
            "type": change.kind, "occurredAt": occurred, **body,
        }  # fmt: skip
        return {
            "exchange": "cs2.events", "routing_key": f"cs2.case.{change.kind}", "message_id": message,
            "headers": {
                "x-case-ref": self._case.ref, "x-case-seq": change.sequence, "x-schema": NAMESPACE,
                "x-baseline": self._baseline,
            },
            "content_type": "application/xml", "timestamp": occurred, "redelivered": False,
            "body": element("CaseEvent", said, change.content).rstrip(),
        }  # fmt: skip

    def _message_id(self) -> str:
        words = [self._dice.below(1 << 32) for _ in range(4)]
        return str(UUID(int=sum(word << (32 * place) for place, word in enumerate(words)), version=4))

    def _repeat(self, sent: list[Capture]) -> None:
        """Let one delivery come again later: the same message, or the same event under a new message id."""
        place = self._dice.below(len(sent))
        again = {**sent[place], "redelivered": True}
        if self._dice.chance(0.5):
            renamed = self._message_id()
            again = {**again, "message_id": renamed, "body": again["body"].replace(again["message_id"], renamed)}
        sent.insert(self._dice.between(place + 1, len(sent)), again)

    def _undeliverable(self) -> Capture:
        """A delivery that goes to the dead letters: unknown case, contradiction of header and body, broken XML."""
        beyond = replace(
            self._history.changes[0], sequence=900, kind="status.changed", content='<Status status="LIVE"/>'
        )
        good = self.deliver(beyond)
        body = good["body"]
        headers: Mapping[str, Any] = good["headers"]
        return self._dice.pick(
            (
                {**self.deliver(beyond, caseRef=UNKNOWN_CASE), "headers": {**headers, "x-case-ref": UNKNOWN_CASE}},
                {**good, "headers": {**headers, "x-case-seq": 901}},
                {**good, "headers": {**headers, "x-case-ref": UNKNOWN_CASE}},
                {
                    **good,
                    "routing_key": "cs2.case.receipt.posted",
                    "body": body.replace("status.changed", "receipt.posted"),
                },
                {**good, "body": body[:-5]},
                {**good, "body": f'<!DOCTYPE CaseEvent [<!ENTITY a "b">]>{body}'},
                {**good, "routing_key": "cs2.case.parent.left", "body": body.replace("status.changed", "parent.left")},
                {**good, "body": body.replace(' status="LIVE"', "")},
            )
        )


def _contradiction(change: Change) -> Change:
    """Another event with the same number."""
    if change.kind == "status.changed":
        return replace(change, kind="address.changed", content=_MOVED)
    return replace(change, kind="status.changed", content='<Status status="ARREARS"/>')


_LIVE = '<Status status="LIVE"/>'
_MOVED = '<Address partyRef="1-P1" confidential="true"><Line>2 Invented Row</Line></Address>'


def traffic_of(seed: int, night: int, history: History2003, baseline: int) -> Traffic:
    """What is delivered of a case's changes."""
    return _Mail(history, baseline, Dice(seed, "traffic", night, history.case.number)).traffic()


class EventsWriter:
    """Writes the capture of one night case by case, and collects what must come of it."""

    def __init__(self, path: Path, *, seed: int, night: int, baseline: int) -> None:
        self.path = path
        self._seed = seed
        self._night = night
        self._baseline = baseline
        self._order = Dice(seed, "order of deliveries", night)
        self._waiting: list[Iterator[Capture]] = []
        self._counts: Counter[str] = Counter()
        self._out: TextIO | None = None

    def __enter__(self) -> Self:
        self._out = self.path.open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while kind is None and self._waiting:
            self._write_one()
        if self._out:
            self._out.close()

    def write(self, history: History2003, source: SourceGroup, day: date) -> dict[str, object]:
        """Add what happens to a case of this source group; gives what must come of it."""
        traffic = traffic_of(self._seed, self._night, history, self._baseline)
        self._counts.update(traffic.counts)
        self._counts["deliveries"] += len(traffic.deliveries)
        self._waiting.append(iter(traffic.deliveries))
        while len(self._waiting) > WAITING_CASES:
            self._write_one()
        return _after(history, traffic, source, day)

    def _write_one(self) -> None:
        place = self._order.below(len(self._waiting))
        delivery = next(self._waiting[place], None)
        if delivery is None:
            self._waiting.pop(place)
        elif self._out:
            self._out.write(f"{json.dumps(delivery, ensure_ascii=False)}\n")

    def counts(self) -> dict[str, int]:
        """Deliveries by what becomes of them, in the shape of `events` in the samples' expected.json."""
        names = ("deliveries", "applied", "stale", "duplicate", "conflict", "dead_letter", "waiting")
        return {name: self._counts[name] for name in names}


def _after(history: History2003, traffic: Traffic, source: SourceGroup, day: date) -> dict[str, object]:
    case: Case = history.accepted_after(traffic.applied_to)
    if traffic.state == CONFLICT:
        case = replace(case, exceptions={*case.exceptions, "EV"})
    row = judge_case(case, source, day).row
    names = ("outcome", "causes", "accepted", "segment", "uncollectable", "debts")
    return {"state": traffic.state, "applied_to_seq": traffic.applied_to, **{name: row[name] for name in names}}
