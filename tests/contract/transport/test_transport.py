"""What sdk.transport promises, of each transport. A new one joins `conftest.broker` and needs no tests of its own."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from integrationhub.errors import ConfigurationError, TransientError
from integrationhub.sdk.transport import (
    DELIVERY_LIMIT,
    EVENTS_EXCHANGE,
    EXCHANGE_HEADER,
    REASON_HEADER,
    ROUTING_KEY_HEADER,
    UNROUTABLE_QUEUE,
    Incoming,
    MessageSource,
    Outgoing,
    Topology,
    as_if_from,
)
from tests.contract.transport.conftest import Broker

QUEUE = "integrationhub.test"
TOPOLOGY = Topology(exchanges=(EVENTS_EXCHANGE,), queues={QUEUE: ()})


def to_queue(*ids: str, queue: str = QUEUE) -> list[Outgoing]:
    return [
        Outgoing(exchange="", routing_key=queue, message_id=each, body=each.encode(), content_type="text/plain")
        for each in ids
    ]


def event(key: str, each: str = "e1") -> Outgoing:
    return Outgoing(
        exchange=EVENTS_EXCHANGE,
        routing_key=key,
        message_id=each,
        body=b"{}",
        content_type="application/json",
        headers={"ce-type": "x", "n": 7},
    )


def numbered(count: int) -> list[str]:
    return [f"m{number:05d}" for number in range(count)]


def take(source: MessageSource, count: int, *, limit: int = 500, patience: float = 10.0) -> list[Incoming]:
    """`count` messages, or fewer when no more come."""
    taken: list[Incoming] = []
    deadline = time.monotonic() + patience
    while len(taken) < count and time.monotonic() < deadline:
        taken += source.receive(limit=min(limit, count - len(taken)), timeout=0.5)
    return taken


def ids(messages: Sequence[Incoming]) -> list[str | None]:
    return [message.message_id for message in messages]


def nothing_left(source: MessageSource) -> bool:
    return source.receive(limit=1, timeout=0.3) == []


def test_messages_come_in_the_order_in_which_they_were_published(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(TOPOLOGY)
    publisher.publish(to_queue(*numbered(1500)))
    publisher.publish(to_queue(*numbered(3000)[1500:]))
    source = broker.source(QUEUE)
    taken: list[str | None] = []
    while len(taken) < 3000 and (batch := take(source, 500)):
        source.acknowledge(batch)
        taken += ids(batch)
    assert taken == numbered(3000)


def test_a_message_arrives_as_it_was_sent(broker: Broker) -> None:
    source = broker.source(QUEUE, ((EVENTS_EXCHANGE, "internal.#"),))
    assert nothing_left(source)
    body = bytes(range(256)) * 2000  # several AMQP frames
    sent = Outgoing(
        exchange=EVENTS_EXCHANGE,
        routing_key="internal.debt.changed",
        message_id="e1",
        body=body,
        content_type="application/cloudevents+json; charset=utf-8",
        headers={"ce-type": "debt.changed", "n": 7, "big": 2**40, "yes": True, "none": None},
    )
    broker.publisher().publish([sent])
    (got,) = take(source, 1)
    assert (got.exchange, got.routing_key, got.message_id) == (EVENTS_EXCHANGE, "internal.debt.changed", "e1")
    assert (got.body, got.content_type, got.headers) == (body, sent.content_type, sent.headers)
    assert (got.queue, got.redelivered, got.deliveries) == (QUEUE, False, 0)


def test_receive_returns_what_there_is_without_waiting_for_more(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue("m1"))
    started = time.monotonic()
    assert ids(source.receive(limit=500, timeout=10)) == ["m1"]
    assert time.monotonic() - started < 5


def test_receive_gives_no_more_than_its_limit(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue(*numbered(10)))
    first = take(source, 3, limit=3)
    assert ids(first) == numbered(3)
    assert ids(take(source, 7)) == numbered(10)[3:]


def test_what_was_not_acknowledged_comes_again_in_order_after_close(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue(*numbered(6)))
    taken = take(source, 6)
    source.acknowledge([taken[0], taken[3]])
    source.close()
    again = take(broker.source(QUEUE), 4)
    assert ids(again) == [numbered(6)[n] for n in (1, 2, 4, 5)]
    assert all(message.redelivered and message.deliveries == 1 for message in again)


def test_an_acknowledgement_is_final(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue(*numbered(20)))
    source.acknowledge(take(source, 20))
    source.close()
    assert nothing_left(broker.source(QUEUE))


def test_acknowledging_out_of_order_in_parts_and_twice_leaves_the_source_working(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    publisher = broker.publisher()
    publisher.publish(to_queue(*numbered(9)))
    taken = take(source, 9)
    for part in (taken[6:8], taken[0:2], taken[0:2], taken[3:4], taken[1:9]):
        source.acknowledge(part)
    publisher.publish(to_queue("next"))
    assert ids(take(source, 1)) == ["next"]
    source.close()
    source.acknowledge(taken)
    assert ids(take(broker.source(QUEUE), 2, patience=1)) == ["next"]


def test_an_acknowledgement_from_before_a_reconnect_harms_nobody(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue("m1", "m2"))
    old = take(source, 2)
    source.close()
    fresh = broker.source(QUEUE)
    again = take(fresh, 2)
    source.acknowledge(old)
    fresh.acknowledge(again)
    fresh.close()
    assert nothing_left(broker.source(QUEUE))


def test_two_consumers_share_a_queue_without_doubling_a_message(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(TOPOLOGY)
    publisher.publish(to_queue(*numbered(40)))
    one, other = broker.source(QUEUE), broker.source(QUEUE)
    taken = take(one, 20, limit=5) + take(other, 20, limit=5, patience=1)
    taken += take(one, 40 - len(taken), patience=1)
    assert sorted(map(str, ids(taken))) == numbered(40)


def test_a_rejected_message_lies_in_the_dead_letter_queue_with_its_body_and_reason(broker: Broker) -> None:
    source = broker.source(QUEUE, ((EVENTS_EXCHANGE, "#"),))
    assert nothing_left(source)
    publisher = broker.publisher()
    publisher.publish([event("internal.x"), event("internal.y", "e2")])
    bad, good = take(source, 2)
    source.reject([bad], reason="JSON_INVALID")
    source.acknowledge([good])
    source.close()
    assert nothing_left(broker.source(QUEUE))
    (dead,) = take(broker.source(f"{QUEUE}.dead"), 1)
    assert (dead.body, dead.message_id, dead.content_type) == (bad.body, "e1", bad.content_type)
    assert dead.headers == {
        **bad.headers,
        REASON_HEADER: "JSON_INVALID",
        EXCHANGE_HEADER: EVENTS_EXCHANGE,
        ROUTING_KEY_HEADER: "internal.x",
    }


def test_a_rejected_dead_letter_goes_to_the_end_of_its_queue_and_keeps_its_origin(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue("m1", "m2"))
    source.reject(take(source, 2), reason="FIRST")
    dead = broker.source(f"{QUEUE}.dead")
    dead.reject(take(dead, 1), reason="SECOND")
    (second, first) = take(dead, 2)
    assert ids([second, first]) == ["m2", "m1"]
    assert first.headers == {REASON_HEADER: "SECOND", EXCHANGE_HEADER: "", ROUTING_KEY_HEADER: QUEUE}


def test_a_message_that_is_always_given_back_ends_in_the_dead_letter_queue(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish(to_queue("poison"))
    deliveries = 0
    while source.receive(limit=1, timeout=0.5):
        deliveries += 1
        source.close()
        source = broker.source(QUEUE)
    assert deliveries == DELIVERY_LIMIT + 1
    (dead,) = take(broker.source(f"{QUEUE}.dead"), 1)
    assert dead.message_id == "poison"
    assert dead.headers[REASON_HEADER] == "delivery_limit"
    assert dead.headers[ROUTING_KEY_HEADER] == QUEUE


def test_an_event_goes_to_every_queue_that_wants_it_once(broker: Broker) -> None:
    wanting = {
        "all": "#",
        "internal": "internal.#",
        "debts": "*.debt.*",
        "changes": "internal.debt.changed",
        "other": "finance.#",
    }
    publisher = broker.publisher()
    queues = {name: ((EVENTS_EXCHANGE, key), (EVENTS_EXCHANGE, f"{key}")) for name, key in wanting.items()}
    publisher.declare(Topology(queues=queues))
    publisher.publish([event("internal.debt.changed"), event("internal.worklist.opened")])
    waiting = publisher.depths([*wanting, UNROUTABLE_QUEUE])
    assert waiting == {"all": 2, "internal": 2, "debts": 1, "changes": 1, "other": 0, UNROUTABLE_QUEUE: 0}


def test_a_direct_exchange_of_a_source_is_bound_by_its_routing_keys(broker: Broker) -> None:
    publisher = broker.publisher()
    topology = Topology(queues={QUEUE: (("commands", "plan.offer"),)}, direct=frozenset({"commands"}))
    for _ in range(2):
        publisher.declare(topology)
    commands = [replace(event(key), exchange="commands") for key in ("plan.offer", "plan.other")]
    publisher.publish(commands)
    assert publisher.depths([QUEUE, UNROUTABLE_QUEUE]) == {QUEUE: 1, UNROUTABLE_QUEUE: 1}


def test_a_queue_bound_twice_gets_a_message_once(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(Topology(queues={QUEUE: ((EVENTS_EXCHANGE, "#"), (EVENTS_EXCHANGE, "internal.#"))}))
    publisher.publish([event("internal.debt.changed")])
    assert publisher.depths([QUEUE]) == {QUEUE: 1}


def test_an_event_that_nobody_wants_is_kept_with_its_destination(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(TOPOLOGY)
    publisher.publish([event(f"internal.n{number}", f"e{number}") for number in range(5)])
    kept = take(broker.source(UNROUTABLE_QUEUE), 5)
    assert ids(kept) == [f"e{number}" for number in range(5)]
    assert kept[3].headers == {
        "ce-type": "x",
        "n": 7,
        EXCHANGE_HEADER: EVENTS_EXCHANGE,
        ROUTING_KEY_HEADER: "internal.n3",
    }
    assert kept[3].body == b"{}"


def test_a_message_for_a_queue_that_is_not_there_is_an_error_with_a_remedy(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(TOPOLOGY)
    with pytest.raises(TransientError, match=r"no queue integrationhub\.nowhere") as raised:
        publisher.publish(to_queue("m1", queue="integrationhub.nowhere"))
    assert raised.value.code == "QUEUE_MISSING"
    assert raised.value.remedy
    publisher.publish(to_queue("m2"))
    assert publisher.depths([QUEUE, UNROUTABLE_QUEUE]) == {QUEUE: 1, UNROUTABLE_QUEUE: 0}


def test_a_message_for_an_exchange_that_is_not_there_is_an_error_with_a_remedy(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(Topology(queues={QUEUE: ()}))
    with pytest.raises(TransientError, match=r"no exchange .*hub\.events") as raised:
        publisher.publish([event("internal.x")])
    assert raised.value.remedy
    publisher.publish(to_queue("m2"))


def test_declaring_twice_changes_nothing(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(TOPOLOGY)
    publisher.publish(to_queue("m1"))
    publisher.declare(TOPOLOGY)
    broker.publisher().declare(TOPOLOGY)
    assert ids(take(broker.source(QUEUE), 1)) == ["m1"]


def test_declaring_more_keeps_what_was_declared(broker: Broker) -> None:
    publisher = broker.publisher()
    publisher.declare(TOPOLOGY)
    publisher.declare(Topology(queues={"integrationhub.more": ((EVENTS_EXCHANGE, "#"),)}))
    publisher.publish([*to_queue("m1"), event("internal.x")])
    assert publisher.depths([QUEUE, "integrationhub.more"]) == {QUEUE: 1, "integrationhub.more": 1}


def test_a_queue_that_somebody_made_otherwise_is_a_configuration_error_with_a_remedy(broker: Broker) -> None:
    broker.make_foreign_queue(QUEUE)
    for declare in (
        lambda: broker.publisher().declare(TOPOLOGY),
        lambda: broker.source(QUEUE).receive(limit=1, timeout=1),
    ):
        with pytest.raises(ConfigurationError, match=QUEUE) as raised:
            declare()
        assert raised.value.code == "TOPOLOGY_MISMATCH"
        assert raised.value.remedy
        assert "delete" in raised.value.remedy


def test_publishing_to_an_absent_broker_is_a_transient_error(broker: Broker) -> None:
    publisher = broker.absent_publisher()
    with pytest.raises(TransientError) as raised:
        publisher.publish(to_queue("m1"))
    assert raised.value.remedy
    publisher.close()


def test_the_depth_of_a_queue_counts_what_waits_and_not_what_is_worked_on(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    publisher = broker.publisher()
    publisher.publish(to_queue(*numbered(5)))
    taken = take(source, 5)
    assert publisher.depths([QUEUE, "integrationhub.nowhere"]) == {QUEUE: 0, "integrationhub.nowhere": None}
    source.close()
    deadline = time.monotonic() + 5
    while publisher.depths([QUEUE])[QUEUE] != 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert publisher.depths([QUEUE]) == {QUEUE: 5}
    assert len(taken) == 5


def test_publishing_nothing_needs_no_broker(broker: Broker) -> None:
    broker.absent_publisher().publish([])


def test_closing_twice_is_harmless(broker: Broker) -> None:
    publisher, source = broker.publisher(), broker.source(QUEUE)
    assert nothing_left(source)
    for end in (publisher, publisher, source, source):
        end.close()


def test_a_postponed_message_comes_again_as_it_came_first_once_its_time_is_over(broker: Broker) -> None:
    source = broker.source(QUEUE, ((EVENTS_EXCHANGE, "#"),))
    assert nothing_left(source)
    publisher = broker.publisher()
    publisher.publish([event("internal.x")])
    (first,) = take(source, 1)
    source.postpone([first], seconds=1)
    assert publisher.depths([QUEUE, f"{QUEUE}.retry.1"]) == {QUEUE: 0, f"{QUEUE}.retry.1": 1}
    (second,) = take(source, 1)
    as_first = (first.exchange, first.routing_key, first.message_id, first.body, first.headers)
    assert (second.exchange, second.routing_key, second.message_id, second.body, second.headers) == as_first
    assert (first.postponed, second.postponed, second.redelivered) == (0, 1, False)
    source.postpone([second], seconds=1)
    (third,) = take(source, 1)
    assert third.postponed == 2
    source.acknowledge([third])
    source.close()
    assert nothing_left(broker.source(QUEUE))


def test_a_postponed_message_that_is_rejected_says_where_it_came_from(broker: Broker) -> None:
    source = broker.source(QUEUE, ((EVENTS_EXCHANGE, "#"),))
    assert nothing_left(source)
    broker.publisher().publish([event("internal.x")])
    source.postpone(take(source, 1), seconds=1)
    source.reject(take(source, 1), reason="TOO_LATE")
    (dead,) = take(broker.source(f"{QUEUE}.dead"), 1)
    whence = {REASON_HEADER: "TOO_LATE", EXCHANGE_HEADER: EVENTS_EXCHANGE, ROUTING_KEY_HEADER: "internal.x"}
    assert dead.headers == {"ce-type": "x", "n": 7, **whence}


def test_a_message_put_into_its_queue_directly_comes_as_by_its_exchange(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    broker.publisher().publish([as_if_from(event("internal.x"), QUEUE)])
    (got,) = take(source, 1)
    assert (got.exchange, got.routing_key, got.headers) == (EVENTS_EXCHANGE, "internal.x", {"ce-type": "x", "n": 7})


def test_a_held_source_gives_what_has_arrived_and_takes_nothing_more(broker: Broker) -> None:
    source = broker.source(QUEUE)
    assert nothing_left(source)
    publisher = broker.publisher()
    publisher.publish(to_queue("m1"))
    got = take(source, 1)
    source.hold()
    publisher.publish(to_queue("m2"))
    assert nothing_left(source)
    source.acknowledge(got)
    source.close()
    assert ids(take(broker.source(QUEUE), 2, patience=2)) == ["m2"]


def test_of_two_consumers_of_an_ordered_queue_one_takes_all_until_it_lets_go(broker: Broker) -> None:
    one, other = broker.ordered_source(QUEUE), broker.ordered_source(QUEUE)
    assert nothing_left(one)
    assert nothing_left(other)
    broker.publisher().publish(to_queue(*numbered(10)))
    first = take(one, 5, limit=5)
    assert ids(first) == numbered(10)[:5]
    assert nothing_left(other)
    one.acknowledge(first)
    one.close()
    assert ids(take(other, 5)) == numbered(10)[5:]
