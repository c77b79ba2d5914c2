"""The quarantine's repository: items, bodies, labels, history and rules."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict, NotFound
from integrationhub.store.deliveries import Kind
from integrationhub.store.quarantine import (
    Body,
    QuarantineFilter,
    QuarantineGroup,
    QuarantineItem,
    QuarantineState,
)
from integrationhub.store.quarantine_history import Action, What
from integrationhub.store.quarantine_rules import QuarantineRule, RuleAction
from integrationhub.store.unit_of_work import Store, Work
from tests.contract.store.book import NOW

T = TypeVar("T")
BODY = b"<Event\x00\xff/>"


def _item(number: int = 1, **changes: object) -> QuarantineItem:
    item = QuarantineItem(
        quarantine_id=derive("quarantine", number),
        kind=Kind.MESSAGE,
        connector="csa2003",
        code="SCHEMA_UNKNOWN",
        text="the message is of another schema version",
        queue="integrationhub.csa2003",
        exchange="cs2.events",
        routing_key="cs2.case.receipt",
        message_id=f"m-{number}",
        headers={"version": "9", "sequence": 4},
        content_type="application/xml",
        body=BODY,
        sha256=hashlib.sha256(BODY).hexdigest(),
        bytes=len(BODY),
        received_at=NOW,
        quarantined_at=NOW + timedelta(seconds=number),
    )
    return replace(item, **changes)  # type: ignore[arg-type]


def _action(what: What = What.DISCARDED, **changes: object) -> Action:
    action = Action(at=NOW, who="a.clerk", authenticated=True, what=what, reason="test data")
    return replace(action, **changes)  # type: ignore[arg-type]


def _committed(store: Store, act: Callable[[Work], T]) -> T:
    with store.begin() as work:
        result = act(work)
        work.commit()
    return result


def _ids(work: Work, **chosen: object) -> list[str | None]:
    return [item.message_id for item in work.quarantine.items(QuarantineFilter(**chosen))]  # type: ignore[arg-type]


def test_an_item_and_its_bytes_come_back_as_they_were_added(store: Store) -> None:
    item = _item(labels=("feed-error", "urgent"))
    assert _committed(store, lambda work: work.quarantine.add([item])) == 1
    with store.begin() as work:
        assert work.quarantine.get(item.quarantine_id) == replace(item, body=None)
        assert work.quarantine.body(item.quarantine_id, 1).body == BODY


def test_adding_an_item_again_changes_nothing(store: Store) -> None:
    item = _item()
    _committed(store, lambda work: work.quarantine.add([item]))
    _committed(store, lambda work: work.quarantine.settle([item.quarantine_id], QuarantineState.DISCARDED, at=NOW))
    assert _committed(store, lambda work: work.quarantine.add([replace(item, code="OTHER")])) == 0
    with store.begin() as work:
        found = work.quarantine.get(item.quarantine_id)
        assert (found.code, found.state, found.settled_at) == ("SCHEMA_UNKNOWN", QuarantineState.DISCARDED, NOW)


def test_an_item_that_is_added_again_on_purpose_opens_again(store: Store) -> None:
    item = _item()
    _committed(store, lambda work: work.quarantine.add([item]))
    _committed(store, lambda work: work.quarantine.settle([item.quarantine_id], QuarantineState.RESOLVED, at=NOW))
    _committed(store, lambda work: work.quarantine.add_again([replace(item, code="OTHER")]))
    with store.begin() as work:
        found = work.quarantine.get(item.quarantine_id)
        assert (found.code, found.state, found.settled_at) == ("OTHER", QuarantineState.OPEN, None)


def test_headers_that_json_does_not_know_are_kept_as_text(store: Store) -> None:
    headers = {"at": datetime(2026, 3, 1, tzinfo=UTC), "raw": b"\xff", "deep": {"list": [b"a", 1, None]}}
    _committed(store, lambda work: work.quarantine.add([_item(headers=headers)]))
    with store.begin() as work:
        assert work.quarantine.get(_item().quarantine_id).headers == {
            "at": "2026-03-01T00:00:00+00:00",
            "raw": "/w==",
            "deep": {"list": ["YQ==", 1, None]},
        }


def test_zero_octets_keep_nothing_out(store: Store) -> None:
    item = _item(exchange="a\0b", routing_key="\0", message_id="\0", content_type="\0", headers={"a\0": "b\0"})
    _committed(store, lambda work: work.quarantine.add([item]))
    with store.begin() as work:
        found = work.quarantine.get(item.quarantine_id)
    assert (found.exchange, found.headers) == ("a\N{REPLACEMENT CHARACTER}b", {"a\0": "b\0"})


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({}, ["m-1", "m-2", "m-3"]),
        ({"connector": "bacs"}, ["m-2"]),
        ({"code": "POISON"}, ["m-3"]),
        ({"kind": "FILE"}, ["m-2"]),
        ({"state": "OPEN"}, ["m-1", "m-2", "m-3"]),
        ({"queue": "integrationhub.csa2003", "code": "SCHEMA_UNKNOWN"}, ["m-1", "m-2"]),
        ({"label": "urgent"}, ["m-3"]),
        ({"since": NOW + timedelta(seconds=2)}, ["m-2", "m-3"]),
        ({"until": NOW + timedelta(seconds=2)}, ["m-1"]),
        ({"ids": frozenset([derive("quarantine", 2)])}, ["m-2"]),
        ({"connector": "cis"}, []),
    ],
)
def test_a_filter_finds_items_oldest_first(store: Store, chosen: dict[str, object], found: list[str]) -> None:
    second = _item(2, connector="bacs", kind=Kind.FILE)
    _committed(store, lambda work: work.quarantine.add([_item(3, code="POISON", labels=("urgent",)), _item(1), second]))
    with store.begin() as work:
        assert _ids(work, **chosen) == found


def test_items_can_be_read_page_by_page(store: Store) -> None:
    same_moment = [_item(number, quarantined_at=NOW) for number in range(1, 8)]
    _committed(store, lambda work: work.quarantine.add(same_moment))
    seen: list[str] = []
    with store.begin() as work:
        while page := work.quarantine.items(limit=3, after=seen[-1] if seen else None):
            seen += [item.quarantine_id for item in page]
    assert seen == sorted(item.quarantine_id for item in same_moment)


def test_groups_count_by_reason_and_tell_the_oldest(store: Store) -> None:
    _committed(store, lambda work: work.quarantine.add([_item(1, code="POISON"), _item(2), _item(3)]))
    with store.begin() as work:
        rest = {"connector": "csa2003", "kind": "MESSAGE"}
        assert work.quarantine.groups() == [
            QuarantineGroup(code="SCHEMA_UNKNOWN", count=2, oldest=NOW + timedelta(seconds=2), **rest),
            QuarantineGroup(code="POISON", count=1, oldest=NOW + timedelta(seconds=1), **rest),
        ]


def test_a_correction_is_a_version_beside_the_original(store: Store) -> None:
    item = replace(_item(), resubmits=3)
    _committed(store, lambda work: work.quarantine.add([item]))
    better = Body(version=0, corrects=None, body=b"<Event/>", sha256="x", bytes=8, made_at=NOW, made_by="a.clerk")
    assert _committed(store, lambda work: work.quarantine.add_version(item, better)) == 2
    _committed(store, lambda work: work.quarantine.use_version(item.quarantine_id, 2))
    second = replace(item, version=2)
    assert _committed(store, lambda work: work.quarantine.add_version(second, better)) == 3
    with store.begin() as work:
        versions = work.quarantine.bodies(item.quarantine_id)
        found = work.quarantine.get(item.quarantine_id)
    assert [(body.version, body.corrects, body.body) for body in versions] == [
        (1, None, BODY),
        (2, 1, b"<Event/>"),
        (3, 2, b"<Event/>"),
    ]
    assert (found.version, found.resubmits) == (2, 0)


def test_a_try_is_counted_and_its_failure_leaves_the_item_open(store: Store) -> None:
    item = _item(attempts=4)
    _committed(store, lambda work: work.quarantine.add([item]))
    _committed(store, lambda work: work.quarantine.count_try(item))
    _committed(store, lambda work: work.quarantine.failed(item.quarantine_id, code="TYPE_UNKNOWN", text="unknown"))
    with store.begin() as work:
        found = work.quarantine.get(item.quarantine_id)
        assert (found.attempts, found.resubmits, found.code, found.state) == (5, 1, "TYPE_UNKNOWN", "OPEN")


def test_nothing_is_added_while_an_item_is_tried_again(store: Store) -> None:
    with store.begin() as work:
        with work.quarantine.trying():
            assert work.quarantine.add([_item()]) == 0
        assert work.quarantine.add([_item()]) == 1


def test_only_an_item_in_the_wanted_state_can_be_claimed(store: Store) -> None:
    item = _item()
    _committed(store, lambda work: work.quarantine.add([item]))
    with store.begin() as work:
        assert work.quarantine.claim(item.quarantine_id, QuarantineState.OPEN).message_id == "m-1"
        with pytest.raises(Conflict):
            work.quarantine.claim(item.quarantine_id, QuarantineState.DISCARDED)
        with pytest.raises(NotFound):
            work.quarantine.claim(derive("quarantine", "other"), QuarantineState.OPEN)


def test_what_waits_for_deliveries_are_their_open_items(store: Store) -> None:
    mine, other = derive("delivery", 1), derive("delivery", 2)
    items = [
        _item(1, delivery_id=mine),
        _item(2, delivery_id=other),
        _item(3, delivery_id=mine, state=QuarantineState.DISCARDED),
    ]
    _committed(store, lambda work: work.quarantine.add(items))
    with store.begin() as work:
        assert work.quarantine.waiting_for([mine]) == [items[0].quarantine_id]
        everything = [item.quarantine_id for item in items]
        assert work.quarantine.among(everything, QuarantineState.DISCARDED) == [items[2].quarantine_id]


def test_labels_and_owners_come_and_go(store: Store) -> None:
    item = _item()
    _committed(store, lambda work: work.quarantine.add([item]))
    _committed(store, lambda work: work.quarantine.label([item.quarantine_id], ["b", "a", "b"]))
    _committed(store, lambda work: work.quarantine.label([item.quarantine_id], ["a"]))
    _committed(store, lambda work: work.quarantine.assign([item.quarantine_id], "b.clerk"))
    with store.begin() as work:
        found = work.quarantine.get(item.quarantine_id)
        assert (found.labels, found.owner) == (("a", "b"), "b.clerk")
        work.quarantine.unlabel([item.quarantine_id], "a")
        assert work.quarantine.get(item.quarantine_id).labels == ("b",)


def test_the_history_of_an_item_is_what_was_done_to_it_in_order(store: Store) -> None:
    one, two = derive("quarantine", 1), derive("quarantine", 2)
    _committed(store, lambda work: work.quarantine.history.append(_action(item_ids=(one, two), details={"n": 2})))
    _committed(store, lambda work: work.quarantine.history.append(_action(What.RESTORED, item_ids=(two,))))
    with store.begin() as work:
        history = work.quarantine.history
        assert [action.what.value for action in history.of_item(two)] == ["DISCARDED", "RESTORED"]
        (only,) = history.of_item(one)
    expected = _action(item_ids=(one,), details={"n": 2}, action_id=only.action_id)
    assert only == expected


def test_a_request_waits_until_one_person_decides_it(store: Store) -> None:
    item = derive("quarantine", 1)
    wanted = _action(What.REQUESTED, details={"action": "DISCARD"}, item_ids=(item,))
    number = _committed(store, lambda work: work.quarantine.history.append(wanted))
    with store.begin() as work:
        assert work.quarantine.history.open_requests() == [replace(wanted, action_id=number)]
    approval = _action(What.APPROVED, who="b.clerk", answers=number)
    _committed(store, lambda work: work.quarantine.history.append(approval))
    with store.begin() as work:
        assert work.quarantine.history.open_requests() == []
        assert work.quarantine.history.request(number) == replace(wanted, action_id=number)
    with store.begin() as work, pytest.raises(Conflict) as refused:
        work.quarantine.history.append(_action(What.REFUSED, who="c.clerk", answers=number))
    assert refused.value.code == "REQUEST_DECIDED"


def test_rules_are_kept_by_name_and_know_what_they_touched(store: Store) -> None:
    rule = QuarantineRule(
        name="old-schema",
        predicate="code=SCHEMA_UNKNOWN",
        action=RuleAction.LABEL,
        label="supplier",
        reason="the supplier knows",
        added_by="a.clerk",
        added_at=NOW,
    )
    _committed(store, lambda work: work.quarantine.rules.add(rule))
    with store.begin() as work, pytest.raises(Conflict):
        work.quarantine.rules.add(rule)
    item = derive("quarantine", 1)
    by_rule = _action(What.LABELLED, rule="old-schema", item_ids=(item,))
    _committed(store, lambda work: work.quarantine.history.append(by_rule))
    with store.begin() as work:
        assert work.quarantine.rules.all() == [rule]
        assert work.quarantine.history.touched_by("old-schema") == {item}
        assert [action.item_ids for action in work.quarantine.history.of_rule("old-schema")] == [(item,)]
    _committed(store, lambda work: work.quarantine.rules.remove("old-schema"))
    with store.begin() as work, pytest.raises(NotFound):
        work.quarantine.rules.remove("old-schema")


def test_items_are_undone_with_the_transaction_that_added_them(store: Store) -> None:
    with store.begin() as work:
        work.quarantine.add([_item()])
    with store.begin() as work:
        assert work.quarantine.items() == []
