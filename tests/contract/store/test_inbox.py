"""The inbox of messages, and rows written in bulk, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, MetaData, Table, select

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import TransientError
from integrationhub.records import Reason
from integrationhub.store.bulk import Same, among, insert_rows
from integrationhub.store.columns import Identifier, Instant, document, words
from integrationhub.store.deliveries import State
from integrationhub.store.inbox import Inbox, Known, Received
from integrationhub.store.unit_of_work import Store
from tests.contract.store.book import NOW

PATH = "integrationhub.csa2003"


def received(number: int, **changes: object) -> Received:
    row = Received(
        delivery_id=derive("delivery", number),
        message_id=f"m{number}",
        sha256=f"hash {number}",
        body=b"\0\xff<a/>",
        bytes=6,
        envelope={"headers": {"x": [1, None, "é"]}},
        outcome="LOADED",
        received_at=NOW,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def add(store: Store, *rows: Received) -> None:
    with store.begin() as work:
        work.inbox.add("csa2003", rows, path=PATH)
        work.commit()


def test_a_message_comes_back_as_it_was_kept(store: Store) -> None:
    full = received(
        1,
        outcome="EXCEPTION",
        reason=Reason(code="EV", text="another"),
        entity_id=derive("case", 1),
        sequence=7,
        original_uri="file:///x",
        received_at=NOW + timedelta(microseconds=3),
    )
    bare = received(2, body=None)
    add(store, full, bare)
    with store.begin() as work:
        assert [work.inbox.get(row.delivery_id) for row in (full, bare)] == [full, bare]
        delivery = work.deliveries.get(full.delivery_id)
    assert delivery is not None
    assert (delivery.state, delivery.path, delivery.records) == (State.ACCEPTED, PATH, 1)
    assert (delivery.received_at, delivery.reasons) == (full.received_at, (full.reason,))


def test_only_ids_of_the_same_connector_are_known(store: Store) -> None:
    add(store, received(1), received(2, message_id="m1", outcome="EXCEPTION"))
    with store.begin() as work:
        known = work.inbox.known("csa2003", ["m1", "m9"])
        other = work.inbox.known("other", ["m1"])
    assert {item.outcome for item in known.pop("m1")} == {"LOADED", "EXCEPTION"}
    assert (known, other) == ({}, {})


def test_a_refused_message_can_be_taken_later_and_any_other_is_taken_once(store: Store) -> None:
    refused = received(1, outcome="REJECTED", reason=Reason(code="CASE_UNKNOWN", text="x"))
    add(store, refused)
    add(store, received(1))
    with store.begin() as work:
        (known,) = work.inbox.known("csa2003", ["m1"])["m1"]
        delivery = work.deliveries.get(refused.delivery_id)
    assert known == Known(delivery_id=refused.delivery_id, message_id="m1", sha256="hash 1", outcome="LOADED")
    assert delivery is not None
    assert (delivery.state, delivery.reasons) == (State.ACCEPTED, ())
    with pytest.raises(TransientError) as raised:
        add(store, received(2), received(1))
    assert raised.value.code == "TAKEN_ELSEWHERE"
    with store.read() as connection:
        assert Inbox(connection).get(received(2).delivery_id) is None


def test_messages_of_an_entity_wait_in_the_order_of_their_numbers_until_they_are_released(store: Store) -> None:
    entity = derive("case", 1)
    waiting = [received(number, outcome="HELD", entity_id=entity, sequence=number) for number in (3, 2, 4)]
    add(store, *waiting, received(5, entity_id=entity, sequence=5))
    with store.begin() as work:
        assert [row.sequence for row in work.inbox.held([entity, derive("case", 2)])] == [2, 3, 4]
        work.inbox.release([waiting[1].delivery_id, received(5).delivery_id], at=NOW)
        assert [row.sequence for row in work.inbox.held([entity])] == [3, 4]
        assert work.inbox.outcomes([waiting[1].delivery_id, "f" * 32]) == {waiting[1].delivery_id: "LOADED"}


def test_messages_are_no_files_of_their_connector(store: Store) -> None:
    add(store, received(1, sequence=1), received(2, outcome="HELD"))
    with store.begin() as work:
        files = work.deliveries
        assert files.waiting("csa2003") + files.unfinished("csa2003") + files.all_accepted("csa2003") == []
        assert (files.same_content("csa2003", "hash 1"), files.accepted("csa2003", 1)) == ([], None)


EVERY_KIND = Table(
    "every_kind",
    MetaData(),
    Column("id", Identifier(), primary_key=True),
    Column("text", words()),
    Column("long", BigInteger()),
    Column("int", Integer()),
    Column("flag", Boolean()),
    Column("day", Date()),
    Column("moment", Instant()),
    Column("document", document()),
    Column("bytes", LargeBinary()),
)
VALUES: list[dict[str, Any]] = [
    {
        "id": derive(1), "text": "Müller \x01 €", "long": -(2**63), "int": 2**31 - 1, "flag": True,
        "day": date(1899, 12, 31), "moment": datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        "document": {"b": [1, None], "a": "é"}, "bytes": b"\0\xff",
    },
    {
        "id": derive(2), "text": "", "long": 2**63 - 1, "int": -1, "flag": False, "day": date(9999, 12, 31),
        "moment": datetime(2026, 7, 1, 1, tzinfo=UTC), "document": [], "bytes": b"",
    },
    {"id": derive(3)} | dict.fromkeys(("text", "long", "int", "flag", "day", "moment", "document", "bytes")),
]  # fmt: skip


def test_every_kind_of_value_is_written_in_bulk_as_it_is_read(store: Store) -> None:
    names = list(VALUES[0])
    with store.begin() as work:
        EVERY_KIND.create(work.connection)
        given = {name: [row[name] for row in VALUES] for name in names}
        assert insert_rows(work.connection, EVERY_KIND, given) == len(VALUES)
        rows = work.connection.execute(select(EVERY_KIND).order_by(EVERY_KIND.c.id)).mappings()
        assert [{**row} for row in rows] == sorted(VALUES, key=lambda row: str(row["id"]))


def test_a_value_that_is_the_same_in_every_row_is_given_once(store: Store) -> None:
    moment = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=1)))
    with store.begin() as work:
        EVERY_KIND.create(work.connection)
        given: dict[str, Any] = {"moment": Same(moment), "id": [derive(1), derive(2)], "text": Same(None)}
        assert insert_rows(work.connection, EVERY_KIND, given) == 2
        rows = work.connection.execute(select(EVERY_KIND.c.moment, EVERY_KIND.c.text))
        assert [tuple(row) for row in rows] == [(moment, None)] * 2
        assert insert_rows(work.connection, EVERY_KIND, {"id": [], "text": Same("a")}) == 0


def test_rows_are_found_by_any_number_of_values(store: Store) -> None:
    with store.begin() as work:
        EVERY_KIND.create(work.connection)
        ids = [derive(number) for number in range(2_000)]
        insert_rows(work.connection, EVERY_KIND, {"id": ids, "text": [str(number) for number in range(2_000)]})
        for column, values in (("id", ids[:1_500]), ("text", ["5", "6", "'", "x"]), ("id", [])):
            chosen = among(work.connection, EVERY_KIND.c[column], values)
            found = {row[0] for row in work.connection.execute(select(EVERY_KIND.c[column]).where(chosen))}
            assert found == set(values) - {"'", "x"}
