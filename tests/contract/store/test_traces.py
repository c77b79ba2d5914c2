"""The trace context of a message is found again with the events that it caused."""

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.store.inbox import Received
from integrationhub.store.outbox import EVENT_SCHEMA
from integrationhub.store.unit_of_work import Store
from tests.contract.store.book import NOW

CAME = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def _received(number: int, headers: dict[str, object]) -> Received:
    return Received(
        delivery_id=derive("delivery", number),
        message_id=f"m-{number}",
        sha256=f"{number}",
        body=b"{}",
        bytes=2,
        envelope={"exchange": "", "routing_key": "", "content_type": None, "headers": headers},
        outcome="LOADED",
        received_at=NOW,
    )


def _event(number: int) -> dict[str, str]:
    values = dict.fromkeys(EVENT_SCHEMA, "x")
    return {**values, "event_id": derive("event", number), "correlation_id": derive("delivery", number), "data": "{}"}


def test_an_event_has_the_trace_context_of_its_delivery_where_one_came_with_it(store: Store) -> None:
    with store.begin() as work:
        work.inbox.add("drill", [_received(1, {"traceparent": CAME}), _received(2, {"other": 1})], path="q")
        work.outbox.add(pl.DataFrame([_event(number) for number in (1, 2, 3)], schema=dict(EVENT_SCHEMA)), at=NOW)
        work.commit()
    with store.begin() as work:
        assert [event.traceparent for event in work.outbox.waiting(10)] == [CAME, None, None]
