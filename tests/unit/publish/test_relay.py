import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.errors import InvariantBroken, TransientError
from integrationhub.publish.cloudevents import event_id
from integrationhub.publish.relay import Relay, outgoing
from integrationhub.sdk.transport import Outgoing, Topology

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Stored:
    position: int
    subject: str
    sequence: int
    type: str = "debt.changed"
    source: str = "/hub/test/csa1993"
    audience: str = "internal"
    correlation_id: str = "delivery"
    data: str = "{}"
    time: datetime = NOW
    traceparent: str | None = None

    @property
    def event_id(self) -> str:
        return event_id(self.type, self.subject, self.audience, self.correlation_id, self.sequence)


class MemoryOutbox:
    def __init__(self, subjects: Sequence[str]) -> None:
        self.rows = [
            Stored(position=place, subject=subject, sequence=subjects[:place].count(subject))
            for place, subject in enumerate(subjects, start=1)
        ]
        self.published: dict[int, datetime] = {}

    def waiting(self, limit: int) -> list[Stored]:
        return [row for row in self.rows if row.position not in self.published][:limit]

    def mark_published(self, positions: Sequence[int], *, at: datetime) -> None:
        self.published |= dict.fromkeys(positions, at)


@dataclass
class MemoryPublisher:
    """Takes messages, and fails as often as told, each time after half of them."""

    failures: int = 0
    sent: list[Outgoing] = field(default_factory=list)
    declared: list[Topology] = field(default_factory=list)

    def declare(self, topology: Topology) -> None:
        self.declared.append(topology)

    def publish(self, messages: Sequence[Outgoing]) -> None:
        if self.failures:
            self.failures -= 1
            self.sent += messages[: len(messages) // 2]
            raise TransientError("away", code="BROKER_AWAY")
        self.sent += messages

    def depths(self, queues: Sequence[str]) -> Mapping[str, int | None]:
        return dict.fromkeys(queues)

    def close(self) -> None: ...


class Killed(BaseException):
    """Stands for the death of the process."""


def now() -> datetime:
    return NOW


def first_seen(sent: Sequence[Outgoing]) -> list[tuple[str, str]]:
    """Subject and sequence, as a consumer sees them that drops repeats by id."""
    unique = {message.message_id: json.loads(message.body) for message in reversed(sent)}
    order = dict.fromkeys(message.message_id for message in sent)
    return [(unique[each]["subject"], unique[each]["sequence"]) for each in order]


def in_order(seen: Sequence[tuple[str, str]]) -> bool:
    subjects = {subject for subject, _ in seen}
    return all(sorted(numbers) == numbers for numbers in ([n for s, n in seen if s == one] for one in subjects))


def test_a_message_has_the_documents_shape_and_no_other_headers() -> None:
    message = outgoing(Stored(position=1, subject="d1", sequence=1))
    assert (message.exchange, message.routing_key) == ("hub.events", "internal.debt.changed")
    assert message.content_type == "application/cloudevents+json; charset=utf-8"
    assert message.message_id == json.loads(message.body)["id"]
    assert message.headers == {"ce-type": "uk.example.debt.debt.changed", "ce-audience": "internal"}


def test_events_are_sent_in_order_and_marked_with_the_time() -> None:
    outbox, publisher = MemoryOutbox(["a", "b", "a"]), MemoryPublisher()
    assert Relay(outbox, publisher, now).drain() == 3
    assert first_seen(publisher.sent) == [("a", "0000000001"), ("b", "0000000001"), ("a", "0000000002")]
    assert outbox.published == {1: NOW, 2: NOW, 3: NOW}


def test_nothing_is_declared_or_sent_while_nothing_waits() -> None:
    publisher = MemoryPublisher()
    assert Relay(MemoryOutbox([]), publisher, now).drain() == 0
    assert publisher.declared == []


def test_a_failure_marks_nothing_and_the_next_round_sends_the_same_ids_again() -> None:
    outbox, publisher = MemoryOutbox(["a"] * 4), MemoryPublisher(failures=1)
    relay = Relay(outbox, publisher, now)
    with pytest.raises(TransientError):
        relay.drain()
    assert outbox.published == {}
    relay.drain()
    ids = [message.message_id for message in publisher.sent]
    assert ids[:2] == ids[2:4]
    assert len(set(ids)) == 4


def test_killed_between_publishing_and_marking_it_publishes_the_same_events_again() -> None:
    outbox, publisher = MemoryOutbox(["a", "b"]), MemoryPublisher()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "mark_published", _die)
        with pytest.raises(Killed):
            Relay(outbox, publisher, now).drain()
    Relay(outbox, publisher, now).drain()
    ids = [message.message_id for message in publisher.sent]
    assert ids == ids[:2] * 2
    assert set(outbox.published) == {1, 2}


def _die(_positions: Sequence[int], *, at: datetime) -> None:
    raise Killed(at)


def test_an_event_that_must_not_go_out_stays_and_stops_the_relay() -> None:
    outbox, publisher = MemoryOutbox(["a"]), MemoryPublisher()
    outbox.rows[0] = Stored(position=1, subject="a", sequence=1, data='{"surname": "x"}')
    with pytest.raises(InvariantBroken):
        Relay(outbox, publisher, now).drain()
    assert (publisher.sent, outbox.published) == ([], {})


@given(
    subjects=st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    turns=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["read", "publish", "mark"])), max_size=120),
)
def test_several_relays_never_disturb_the_order_that_a_consumer_sees(
    subjects: list[str], turns: list[tuple[int, str]]
) -> None:
    """Three relays whose reading, publishing and marking interleave in any way, each round as the relay does it."""
    outbox, publisher = MemoryOutbox(subjects), MemoryPublisher()
    rounds: dict[int, list[Stored]] = {}
    sent: set[int] = set()
    for relay, step in turns:
        if step == "read" and relay not in rounds:
            rounds[relay] = outbox.waiting(4)
            sent.discard(relay)
        elif step == "publish" and relay in rounds and relay not in sent:
            publisher.publish([outgoing(event) for event in rounds[relay]])
            sent.add(relay)
        elif step == "mark" and relay in sent:
            outbox.mark_published([event.position for event in rounds.pop(relay)], at=NOW)
            sent.discard(relay)
    Relay(outbox, publisher, now).drain()
    seen = first_seen(publisher.sent)
    assert in_order(seen)
    assert len(seen) == len(subjects)


def test_while_the_broker_is_away_it_tries_again_and_tells_of_it() -> None:
    outbox, publisher = MemoryOutbox(["a"] * 4), MemoryPublisher(failures=3)
    stop, trouble = threading.Event(), list[str]()
    relay = Relay(outbox, publisher, now)
    running = threading.Thread(
        target=relay.run, args=(stop,), kwargs={"idle_seconds": 0.001, "on_trouble": lambda e: trouble.append(e.code)}
    )
    running.start()
    while len(outbox.published) < 4:
        stop.wait(0.01)
    stop.set()
    running.join(5)
    assert not running.is_alive()
    assert trouble == ["BROKER_AWAY"] * 3


def test_it_stops_at_once_when_told_to_while_the_broker_is_away() -> None:
    outbox, publisher = MemoryOutbox(["a"]), MemoryPublisher(failures=1_000_000)
    stop, trouble = threading.Event(), threading.Event()
    relay = Relay(outbox, publisher, now)
    running = threading.Thread(
        target=relay.run, args=(stop,), kwargs={"idle_seconds": 30.0, "on_trouble": lambda _: trouble.set()}
    )
    running.start()
    assert trouble.wait(5)
    stop.set()
    running.join(5)
    assert not running.is_alive()
    assert outbox.published == {}
