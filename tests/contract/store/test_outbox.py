"""Events are numbered by subject and audience, sent in order, and never numbered twice."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import polars as pl
import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict
from integrationhub.store.outbox import EVENT_SCHEMA, StoredEvent
from integrationhub.store.unit_of_work import Store
from tests.contract.store.book import NOW

_NUMBERS = count()


def _events(*subjects: str, audience: str = "internal") -> pl.DataFrame:
    rows = [
        {
            "event_id": derive("event", next(_NUMBERS)),
            "type": "debt.created",
            "source": "/hub/test/csa1993",
            "subject": subject,
            "audience": audience,
            "correlation_id": derive("delivery", 1),
            "routing_key": f"{audience}.debt.created",
            "data": '{"balance_pence":1}',
        }
        for subject in subjects
    ]
    return pl.DataFrame(rows, schema=dict(EVENT_SCHEMA))


def _add(store: Store, events: pl.DataFrame) -> None:
    with store.begin() as work:
        work.outbox.add(events, at=NOW)
        work.commit()


def _waiting(store: Store, limit: int = 1000) -> list[StoredEvent]:
    with store.begin() as work:
        return work.outbox.waiting(limit)


def _numbers(events: Sequence[StoredEvent]) -> dict[tuple[str, str], list[int]]:
    found = defaultdict(list)
    for event in events:
        found[event.subject, event.audience].append(event.sequence)
    return dict(found)


def test_events_of_each_subject_and_audience_are_numbered_from_one_across_transactions(store: Store) -> None:
    _add(store, _events("a", "b", "a"))
    _add(store, pl.concat([_events("a"), _events("a", audience="finance")]))
    assert _numbers(_waiting(store)) == {("a", "internal"): [1, 2, 3], ("b", "internal"): [1], ("a", "finance"): [1]}


def test_events_wait_in_the_order_in_which_they_were_added(store: Store) -> None:
    events = _events("c", "a", "b")
    _add(store, events)
    waiting = _waiting(store)
    assert [event.event_id for event in waiting] == events["event_id"].to_list()
    assert (waiting[0].time, waiting[0].data) == (NOW, '{"balance_pence":1}')


def test_published_events_wait_no_more_and_the_lag_tells_how_many_are_left(store: Store) -> None:
    _add(store, _events("a", "b", "c"))
    with store.begin() as work:
        assert work.outbox.lag().waiting == 3
        assert work.outbox.lag().oldest == NOW
        work.outbox.mark_published([event.position for event in work.outbox.waiting(2)], at=NOW + timedelta(seconds=1))
        work.commit()
    assert [event.subject for event in _waiting(store)] == ["c"]


def test_an_empty_outbox_has_no_lag(store: Store) -> None:
    _add(store, _events())
    with store.begin() as work:
        assert (work.outbox.lag().waiting, work.outbox.lag().oldest) == (0, None)


def test_numbers_of_a_transaction_that_was_rolled_back_are_given_again(store: Store) -> None:
    with store.begin() as work:
        work.outbox.add(_events("a"), at=NOW)
    _add(store, _events("a"))
    assert _numbers(_waiting(store)) == {("a", "internal"): [1]}


def test_the_same_event_is_not_stored_twice(store: Store) -> None:
    events = _events("a")
    _add(store, events)
    with pytest.raises(Conflict):
        _add(store, events)
    assert len(_waiting(store)) == 1


def test_writers_at_the_same_time_leave_no_gap_and_positions_follow_the_numbers(store: Store) -> None:
    batches = [_events("a", "b", "c"), _events("c", "b", "a"), _events("b", "b"), _events("c", "a")] * 1
    batches += [_events("a", "b", "c", "d") for _ in range(12)]
    with ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda events: _add(store, events), batches))
    waiting = _waiting(store)
    assert len(waiting) == sum(events.height for events in batches)
    for numbers in _numbers(waiting).values():
        assert numbers == list(range(1, len(numbers) + 1))
