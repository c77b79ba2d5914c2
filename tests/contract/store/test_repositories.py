"""Deliveries, feeds, slices, worklist, and the status made of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict, NotFound
from integrationhub.records import Reason
from integrationhub.store.deliveries import Delivery, Kind, State
from integrationhub.store.feeds import Feed, SkippedNumber
from integrationhub.store.inbox import Received
from integrationhub.store.status import read_status
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.store.worklist import ItemState, WorklistItem
from tests.contract.store import book
from tests.contract.store.book import NOW, one_slice

DELIVERY = replace(
    book.delivery(one_slice(7)),
    kind=Kind.FILE,
    book_kind="F",
    reasons=(Reason(code="R12", text="differs", record=3, offset=400, field="T-BAL-RP"), Reason(code="R11", text="x")),
    report={"z": 1, "a": {"list": [1, None, "é"]}},
    original_uri="file:///originals/ab",
    completed_at=NOW + timedelta(microseconds=1),
)


def _committed(store: Store, act: Callable[[Work], object]) -> None:
    with store.begin() as work:
        act(work)
        work.commit()


def _delivery(number: int, **changes: object) -> Delivery:
    values = {
        "delivery_id": derive("delivery", number),
        "sequence": number,
        "sha256": f"hash {number}",
        "received_at": NOW + timedelta(seconds=number),
        "completed_at": None,
    }
    return replace(DELIVERY, **{**values, **changes})  # type: ignore[arg-type]


def _item(number: int, **changes: object) -> WorklistItem:
    item = WorklistItem(
        exception_id=derive("exception", number),
        code="R13",
        entity="groups",
        source_ref="12",
        opened_at=NOW,
        text="a date is impossible",
        connector="csa1993",
        delivery_id=DELIVERY.delivery_id,
        record_no=4,
        byte_offset=500,
        field="P-BIRTH",
        group_id=book.group_id("12"),
    )
    return replace(item, **changes)  # type: ignore[arg-type]


def test_a_delivery_comes_back_as_it_was_stored(store: Store) -> None:
    _committed(store, lambda work: work.deliveries.save(DELIVERY))
    with store.begin() as work:
        assert work.deliveries.get(DELIVERY.delivery_id) == DELIVERY
        assert work.deliveries.get(derive("other")) is None


def test_saving_a_delivery_again_replaces_what_was_known_of_it(store: Store) -> None:
    _committed(store, lambda work: work.deliveries.save(DELIVERY))
    later = replace(DELIVERY, state=State.REJECTED, reasons=(), sequence=None, report=None)
    _committed(store, lambda work: work.deliveries.save(later))
    with store.begin() as work:
        assert work.deliveries.get(DELIVERY.delivery_id) == later


def test_deliveries_are_found_by_number_content_and_state(store: Store) -> None:
    accepted, loading = _delivery(1, state=State.ACCEPTED), _delivery(2, state=State.LOADING)
    held = [_delivery(number, state=State.HELD) for number in (9, 5)]
    elsewhere = _delivery(4, state=State.HELD, connector="csa2003")
    with store.begin() as work:
        for delivery in (accepted, loading, *held, elsewhere):
            work.deliveries.save(delivery)
        assert work.deliveries.accepted("csa1993", 1) == accepted
        assert work.deliveries.accepted("csa1993", 2) is None
        assert work.deliveries.waiting("csa1993") == held[::-1]
        assert work.deliveries.unfinished("csa1993") == [loading]
        assert work.deliveries.same_content("csa1993", "hash 9") == [held[0]]
        assert work.deliveries.last_file("csa1993") == held[0]


def test_instants_keep_their_moment_whatever_zone_they_came_in(store: Store) -> None:
    summer = datetime(2015, 7, 1, 3, 30, tzinfo=timezone(timedelta(hours=1)))
    _committed(store, lambda work: work.deliveries.save(replace(DELIVERY, received_at=summer)))
    with store.begin() as work:
        stored = work.deliveries.get(DELIVERY.delivery_id)
    assert stored is not None
    assert (stored.received_at, stored.received_at.tzinfo) == (NOW, UTC)


def test_a_feed_that_was_never_seen_stands_at_its_beginning(store: Store) -> None:
    with store.begin() as work:
        assert work.feeds.get("csa1993") == Feed(connector="csa1993")
        assert work.feeds.lock("csa1993") == Feed(connector="csa1993")


def test_a_feed_comes_back_as_it_was_saved(store: Store) -> None:
    feed = Feed(
        connector="csa1993",
        last_sequence=101,
        stopped_sequence=102,
        stopped_code="R03",
        stopped_at=NOW,
        paused=True,
        paused_at=NOW,
        paused_by="operator",
        paused_reason="drill",
    )
    _committed(store, lambda work: work.feeds.save(feed))
    with store.begin() as work:
        assert work.feeds.lock("csa1993") == feed
        assert work.feeds.all() == [feed]


def test_a_number_is_passed_over_once(store: Store) -> None:
    skipped = SkippedNumber(connector="csa1993", sequence=3, reason="lost", skipped_by="operator", skipped_at=NOW)
    _committed(store, lambda work: work.feeds.skip(skipped))
    with store.begin() as work:
        assert work.feeds.skipped("csa1993") == [skipped]
        with pytest.raises(Conflict):
            work.feeds.skip(skipped)


def test_a_slice_is_claimed_once_and_keeps_its_counts(store: Store) -> None:
    file = one_slice(1)
    book.receive(store, file)
    with store.begin() as work:
        assert book.claim(work, file, 2)
        assert not book.claim(work, file, 2)
        work.slices.count(file.delivery_id, 2, {"LOADED": 5})
        work.commit()
    with store.begin() as work:
        assert work.slices.done(file.delivery_id) == {2}
        assert [(part.slice_no, part.counts) for part in work.slices.all(file.delivery_id)] == [(2, {"LOADED": 5})]


def test_worklist_items_are_opened_once_assigned_and_resolved(store: Store) -> None:
    first, second = _item(1), _item(2, due=date(2015, 8, 1), source_ref=None)
    with store.begin() as work:
        work.deliveries.save(DELIVERY)
        assert work.worklist.open([first, second]) == 2
        assert work.worklist.open([first]) == 0
        work.worklist.assign(first.exception_id, "somebody")
        assert work.worklist.resolve([second.exception_id], at=NOW, resolution="source was right") == 1
        assert work.worklist.resolve([second.exception_id], at=NOW, resolution="again") == 0
        with pytest.raises(NotFound):
            work.worklist.assign(second.exception_id, "somebody")
        work.commit()
    with store.begin() as work:
        assert work.worklist.items(state=ItemState.ASSIGNED) == [
            replace(first, owner="somebody", state=ItemState.ASSIGNED)
        ]
        assert work.worklist.items(state=ItemState.RESOLVED, delivery_id=DELIVERY.delivery_id) == [
            replace(second, state=ItemState.RESOLVED, resolved_at=NOW, resolution="source was right")
        ]


def test_a_group_that_comes_again_in_good_order_resolves_what_waits_for_it(store: Store) -> None:
    mine, other, whole_file = _item(1), _item(2, group_id=book.group_id("13")), _item(3, group_id=None)
    with store.begin() as work:
        work.deliveries.save(DELIVERY)
        work.worklist.open([mine, other, whole_file])
        assert work.worklist.resolve_groups([book.group_id("12")], at=NOW, resolution="corrected") == 1
        assert work.worklist.resolve_groups([], at=NOW, resolution="corrected") == 0
        assert {item.exception_id for item in work.worklist.items(state=ItemState.OPEN)} == {
            other.exception_id,
            whole_file.exception_id,
        }


def test_the_status_shows_each_connector_the_worklist_and_the_outbox(store: Store) -> None:
    feed = Feed(connector="clerical", stopped_sequence=4, stopped_code="R30", stopped_at=NOW)
    with store.begin() as work:
        work.feeds.save(feed)
        for delivery in (_delivery(1, state=State.ACCEPTED), _delivery(3, state=State.HELD)):
            work.deliveries.save(delivery)
        work.worklist.open([_item(1, delivery_id=derive("delivery", 1))])
        work.commit()
    with store.read() as connection:
        status = read_status(connection)
    clerical, csa = status.connectors
    assert (clerical.feed, clerical.last, clerical.held, clerical.exceptions) == (feed, None, (), 0)
    assert (csa.connector, csa.deliveries, csa.exceptions) == ("csa1993", {"ACCEPTED": 1, "HELD": 1}, 1)
    assert csa.last == csa.held[0] == _delivery(3, state=State.HELD)
    assert (status.worklist, status.outbox.waiting) == ({"OPEN": 1}, 0)


def test_a_message_with_the_number_of_a_file_is_counted_and_hides_no_file(store: Store) -> None:
    file = _delivery(7, state=State.ACCEPTED, connector="csa2003")
    message = Received(
        delivery_id=derive("delivery", "message"),
        message_id="m1",
        sha256="hash",
        body=b"<a/>",
        bytes=4,
        envelope={},
        outcome="LOADED",
        sequence=7,
        received_at=file.received_at + timedelta(days=3),
    )
    with store.begin() as work:
        work.deliveries.save(file)
        work.inbox.add("csa2003", [message], path="queue")
        work.commit()
    with store.read() as connection:
        (found,) = read_status(connection).connectors
    with store.begin() as work:
        numbered = work.deliveries.numbered("csa2003", 7)
    assert (found.last, found.deliveries, numbered) == (file, {"ACCEPTED": 2}, [file.delivery_id])
