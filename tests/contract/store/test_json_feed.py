"""Messages of JSON feeds, from bodies to canonical rows and events, on both databases."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from integrationhub.bootstrap import Hub
from integrationhub.errors import TransientError
from integrationhub.intake.messages.taker import InboxTaker
from integrationhub.sdk.messages import Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.store.invariants import check
from integrationhub.store.schema import CANONICAL, DELIVERIES, ENTITY_VERSIONS, OUTBOX
from integrationhub.store.unit_of_work import Work
from tests.contract.store.book import wipe
from tests.contract.store.notices import message, notice, open_hub

NOW = datetime(2026, 2, 1, tzinfo=UTC)
ON_BOTH = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def hub(store_url: str, tmp_path: Path) -> Iterator[Hub]:
    with open_hub(store_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def notices(hub: Hub) -> InboxTaker[Any]:
    return hub.taker("debt-notices")


@pytest.fixture
def steps(hub: Hub) -> InboxTaker[Any]:
    return hub.taker("debt-steps")


def told(outcomes: Sequence[Outcome]) -> list[str | tuple[str, str | None]]:
    return [item.fate.value if item.code is None else (item.fate.value, item.code) for item in outcomes]


def balances(hub: Hub) -> dict[str, int]:
    with hub.store.read() as connection:
        rows = connection.execute(select(CANONICAL["balances"].c.source_ref, CANONICAL["balances"].c.pence))
        return {row.source_ref: row.pence for row in rows}


def events(hub: Hub) -> list[tuple[str, int, dict[str, Any]]]:
    with hub.store.begin() as work:
        return [(event.type, event.sequence, json.loads(event.data)) for event in work.outbox.waiting(1_000)]


def broken(hub: Hub) -> list[str]:
    with hub.store.read() as connection:
        return [finding.invariant for finding in check(connection) if not finding.holds]


def test_a_notice_becomes_a_debt_with_its_event_and_its_origin(hub: Hub, notices: InboxTaker[Any]) -> None:
    (outcome,) = notices.take([message(notice(version=7), message_id="a")], now=NOW)
    assert told([outcome]) == ["LOADED"]
    with hub.store.begin() as work:
        debt = work.connection.execute(select(CANONICAL["debts"])).one()
        kept = work.inbox.get(debt.delivery_id)
    assert kept is not None
    assert (debt.delivery_id, debt.version, debt.record_no, debt.byte_offset) == (outcome.delivery_id, 7, 1, 0)
    assert (kept.body, kept.sequence) == (message(notice(version=7)).body, 7)
    (event,) = events(hub)
    assert event == (
        "debt.created",
        1,
        {
            "debt_ref": debt.debt_id, "source_system": "NOTICES", "type": "OVERPAYMENT", "benefit": None,
            "status": "ACTIVE", "balance_pence": 750,
        },
    )  # fmt: skip
    assert broken(hub) == []


def test_a_later_notice_changes_the_debt_and_an_older_one_does_not(hub: Hub, notices: InboxTaker[Any]) -> None:
    notices.take([message(notice(version=2), message_id="a")], now=NOW)
    later = [message(notice(version=1), message_id="b"), message(notice(version=5), message_id="c")]
    assert told(notices.take(later, now=NOW)) == [("SUPERSEDED", "STALE_VERSION"), "LOADED"]
    assert balances(hub) == {"D1": 550}
    assert [(kind, number) for kind, number, _ in events(hub)] == [("debt.created", 1), ("debt.changed", 2)]
    assert events(hub)[1][2]["changed"] == ["balance_pence"]


def test_several_notices_about_one_debt_in_one_batch_apply_one_after_the_other(
    hub: Hub, notices: InboxTaker[Any]
) -> None:
    batch = [message(notice(version=number), message_id=f"m{number}") for number in (1, 3, 2, 4)]
    assert told(notices.take(batch, now=NOW)) == ["LOADED", "LOADED", ("SUPERSEDED", "STALE_VERSION"), "LOADED"]
    assert balances(hub) == {"D1": 450}
    assert [number for _, number, _ in events(hub)] == [1, 2, 3]


def test_an_id_that_comes_again_is_a_repeat_and_with_other_content_an_exception(
    hub: Hub, notices: InboxTaker[Any]
) -> None:
    first, other = message(notice(), message_id="a"), message(notice(version=9), message_id="a")
    assert told(notices.take([first, first, other, other], now=NOW)) == [
        "LOADED",
        ("DUPLICATE", "DUPLICATE"),
        ("EXCEPTION", "MESSAGE_ID_REUSED"),
        ("DUPLICATE", "DUPLICATE"),
    ]
    assert told(notices.take([other, first], now=NOW)) == [("DUPLICATE", "DUPLICATE")] * 2
    assert balances(hub) == {"D1": 150}
    with hub.store.begin() as work:
        assert [item.code for item in work.worklist.items()] == ["MESSAGE_ID_REUSED"]


def test_a_message_without_an_id_is_known_by_its_content(notices: InboxTaker[Any]) -> None:
    assert told(notices.take([message(notice()), message(notice())], now=NOW)) == [
        "LOADED",
        ("DUPLICATE", "DUPLICATE"),
    ]


def test_the_same_number_with_other_content_is_a_contradiction_however_it_is_written(
    notices: InboxTaker[Any],
) -> None:
    notices.take([message(notice(), message_id="a")], now=NOW)
    spaced = json.dumps(dict(reversed(notice().items())), indent=1).encode()
    batch = [message(spaced, message_id="b"), message(notice(surname="Other"), message_id="c")]
    assert told(notices.take(batch, now=NOW)) == [("DUPLICATE", "DUPLICATE"), ("EXCEPTION", "VERSION_CONFLICT")]


def test_a_value_that_cannot_be_held_is_an_exception_and_harms_no_other_message(
    hub: Hub, notices: InboxTaker[Any]
) -> None:
    batch = [
        message(notice("D1", balance="1,50"), message_id="a"),
        message(notice("D2"), message_id="b"),
        message(notice("D3", opened="2023-02-29"), message_id="c"),
        message(notice("D1", 2), message_id="d"),
    ]
    assert told(notices.take(batch, now=NOW)) == [
        ("EXCEPTION", "MONEY_FORMAT"),
        "LOADED",
        ("EXCEPTION", "DATE_INVALID"),
        "LOADED",
    ]
    assert balances(hub) == {"D1": 250, "D2": 150}
    assert broken(hub) == []


def test_an_exception_is_closed_by_a_later_message_about_the_same(hub: Hub, notices: InboxTaker[Any]) -> None:
    notices.take([message(notice(balance="?"), message_id="a")], now=NOW)
    notices.take([message(notice(version=2), message_id="b")], now=NOW)
    with hub.store.begin() as work:
        assert [(item.code, item.state.value) for item in work.worklist.items()] == [("MONEY_FORMAT", "RESOLVED")]


def test_messages_about_different_debts_may_bring_the_same_debtor(hub: Hub, notices: InboxTaker[Any]) -> None:
    batch = [
        message({**notice(debt), "debtor": {"reference": "P", "surname": surname}}, message_id=debt)
        for debt, surname in (("D1", "Old"), ("D2", "New"))
    ]
    assert told(notices.take(batch, now=NOW)) == ["LOADED", "LOADED"]
    with hub.store.read() as connection:
        assert connection.execute(select(CANONICAL["parties"].c.surname)).scalars().all() == ["New"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (b" " * (1 << 20) + b"{}", "BODY_TOO_LARGE"),
        (b'{"a": "\xff"}', "ENCODING_INVALID"),
        (b"[]", "JSON_INVALID"),
        (b'{"a": 1, "a": 2}', "JSON_DUPLICATE_KEY"),
        (b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}", "JSON_TOO_DEEP"),
        (b"{}", "SCHEMA_INVALID"),
        (json.dumps(notice(kind="UNKNOWN")).encode(), "SCHEMA_INVALID"),
        (json.dumps(notice(balance=1)).encode(), "SCHEMA_INVALID"),
    ],
)
def test_an_unusable_body_is_kept_in_the_quarantine_byte_for_byte(
    hub: Hub, notices: InboxTaker[Any], given: bytes, code: str
) -> None:
    batch = [message(given, message_id="bad"), message(notice("D2"), message_id="good")]
    assert told(notices.take(batch, now=NOW)) == [("REJECTED", code), "LOADED"]
    notices.take(batch, now=NOW)
    with hub.store.begin() as work:
        (item,) = work.quarantine.items()
        body = work.quarantine.body(item.quarantine_id, 1).body
    assert (item.code, item.connector, item.message_id) == (code, "debt-notices", "bad")
    if body is None:
        with hub.originals.open(item.sha256) as stream:
            body = stream.read()
    assert body == given


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "SIGNATURE_INVALID"),
        ({"x-key-id": "steps-1", "x-body-hmac-sha256": "0" * 64}, "SIGNATURE_INVALID"),
        ({"x-key-id": "steps-1", "x-body-hmac-sha256": "é"}, "SIGNATURE_INVALID"),
        ({"x-key-id": "steps-2", "x-body-hmac-sha256": "0" * 64}, "KEY_UNKNOWN"),
    ],
)
def test_a_body_must_be_signed_with_a_key_of_the_feed(
    steps: InboxTaker[Any], headers: dict[str, object], code: str
) -> None:
    assert told(steps.take([message(b"\xff", headers=headers)], now=NOW)) == [("REJECTED", code)]
    assert told(steps.take([message(notice())], now=NOW)) == ["LOADED"]


def test_early_messages_wait_and_apply_when_the_missing_one_comes(hub: Hub, steps: InboxTaker[Any]) -> None:
    early = steps.take([message(notice(version=3)), message(notice(version=2))], now=NOW)
    assert told(early) == [("HELD", "SEQUENCE_GAP")] * 2
    assert told(steps.take([message(notice(version=3))], now=NOW)) == [("DUPLICATE", "DUPLICATE")]
    assert balances(hub) == {}
    assert told(steps.take([message(notice(version=1))], now=NOW)) == ["LOADED"]
    assert balances(hub) == {"D1": 350}
    assert set(steps.stands([str(item.delivery_id) for item in early]).values()) == {"LOADED"}
    assert [(kind, number) for kind, number, _ in events(hub)] == [
        ("debt.created", 1), ("debt.changed", 2), ("debt.changed", 3),
    ]  # fmt: skip
    assert broken(hub) == []


def test_a_waiting_message_that_turns_out_faulty_holds_up_those_behind_it_until_it_comes_corrected(
    hub: Hub, steps: InboxTaker[Any]
) -> None:
    waiting = steps.take([message(notice(version=2, balance="?")), message(notice(version=3))], now=NOW)
    assert told(steps.take([message(notice(version=1))], now=NOW)) == ["LOADED"]
    assert list(steps.stands([str(item.delivery_id) for item in waiting]).values()).count("HELD") == 1
    with hub.store.begin() as work:
        assert [item.code for item in work.worklist.items()] == ["MONEY_FORMAT"]
    assert told(steps.take([message(notice(version=2))], now=NOW)) == ["LOADED"]
    assert balances(hub) == {"D1": 350}


def test_a_check_tells_the_same_and_changes_nothing(hub: Hub, steps: InboxTaker[Any]) -> None:
    batches = [[message(notice(version=2)), message(b"{")], [message(notice()), message(notice(version=2))]]
    arrived = [[steps.arrival(item, at=NOW) for item in batch] for batch in batches]
    expected = steps.check(arrived)
    with hub.store.read() as connection:
        assert connection.execute(select(DELIVERIES.c.delivery_id)).all() == []
    assert told(expected) == told([outcome for batch in arrived for outcome in steps.take_arrived(batch)])


def test_order_keys_name_what_a_message_is_about(notices: InboxTaker[Any], steps: InboxTaker[Any]) -> None:
    headers = [{"x-debt": "D1"}, {"x-debt": "D1"}, {"x-debt": "D2"}]
    by_header = [notices.order_key(message(b"", headers=each)) for each in headers]
    by_body = [steps.order_key(message(notice(debt, number))) for debt, number in (("D1", 1), ("D1", 2), ("D2", 1))]
    for keys in (by_header, by_body):
        assert keys[0] == keys[1] != keys[2]
        assert "D1" not in str(keys)
    assert steps.order_key(message(b"{")) is None


def test_of_two_processes_that_take_the_same_message_one_starts_over(
    steps: InboxTaker[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = message(notice()), message(notice(balance="9"))
    judge = type(steps.meaning).judge

    def meanwhile(self: Any, work: Work, *given: Any) -> Any:  # noqa: ANN401
        judgement = judge(self, work, *given)
        work.connection.execute(  # what the other one has committed since this one looked
            ENTITY_VERSIONS.insert().values(
                entity_id=judgement.judged[0].entity_id,
                connector="debt-steps",
                number=1,
                delivery_id="0" * 32,
                sha256="x",
            )
        )
        return judgement

    with monkeypatch.context() as patched:
        patched.setattr(type(steps.meaning), "judge", meanwhile)
        with pytest.raises(TransientError) as raised:
            steps.take([one], now=NOW)
    assert raised.value.code == "TAKEN_ELSEWHERE"
    assert told(steps.take([one, two], now=NOW)) == ["LOADED", ("EXCEPTION", "VERSION_CONFLICT")]


def stored(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that must not depend on how the messages came; delivery ids follow from their content alone."""
    with hub.store.read() as connection:
        rows = {
            name: sorted(map(tuple, connection.execute(select(table)))) if name != "parties" else []
            for name, table in CANONICAL.items()
        }
        seen = select(DELIVERIES.c.delivery_id, DELIVERIES.c.outcome, DELIVERIES.c.state, DELIVERIES.c.sequence)
        rows["deliveries"] = sorted(map(tuple, connection.execute(seen)))
        rows["versions"] = sorted(map(tuple, connection.execute(select(ENTITY_VERSIONS))))
        rows["events"] = sorted(
            map(
                tuple, connection.execute(select(OUTBOX.c.event_id, OUTBOX.c.subject, OUTBOX.c.sequence, OUTBOX.c.data))
            )
        )
        return rows


def histories() -> st.SearchStrategy[tuple[list[Incoming], list[list[Incoming]]]]:
    """Notices about two debts, some of them faulty, perhaps with gaps; and a way in which they may arrive."""
    one = st.tuples(st.sampled_from(("D1", "D2")), st.integers(1, 5))
    chosen = st.dictionaries(one, st.sampled_from(("1.00", "2.00", "?")), min_size=1).map(
        lambda said: [message(notice(*key, balance=balance)) for key, balance in sorted(said.items())]
    )
    return chosen.flatmap(lambda messages: st.tuples(st.just(messages), _batches(messages)))


def _batches(messages: Sequence[Incoming]) -> st.SearchStrategy[list[list[Incoming]]]:
    repeated = st.lists(st.sampled_from(messages), max_size=5).map(lambda more: [*messages, *more])
    return repeated.flatmap(st.permutations).flatmap(
        lambda order: st.sets(st.integers(1, len(order))).map(
            lambda cuts: [
                part
                for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(order)], strict=True)
                if (part := order[start:end])
            ]
        )
    )


@ON_BOTH
@given(history=histories())
def test_any_order_repetition_and_batching_of_messages_without_gaps_ends_in_the_same_state(
    hub: Hub, steps: InboxTaker[Any], history: tuple[list[Incoming], list[list[Incoming]]]
) -> None:
    in_order, as_they_came = history
    wipe(hub.store)
    for one in in_order:
        steps.take([one], now=NOW)
    wanted = stored(hub)
    wipe(hub.store)
    for batch in as_they_came:
        steps.take(batch, now=NOW)
    assert stored(hub) == wanted


def test_a_row_is_traced_to_the_bytes_of_its_message_and_personal_values_are_masked(
    hub: Hub, notices: InboxTaker[Any]
) -> None:
    spaced = json.dumps(notice(surname="Müller", balance="7.50"), indent=1, ensure_ascii=False).encode()
    notices.take([message(spaced, message_id="a")], now=NOW)
    with hub.store.read() as connection:
        debtor = connection.execute(select(CANONICAL["parties"].c.party_id)).scalar_one()
    traced = {trace.entity: trace for trace, _ in hub.analyst.traces("D1")} | {
        trace.entity: trace for trace, _ in hub.analyst.traces(debtor)
    }
    (balance,) = (item for item in traced["balances"].fields if item.name == "pence")
    (source,) = balance.sources
    assert (balance.value, source.path, bytes.fromhex(source.hex)) == (750, "$.debt.balance", b"7.50")
    assert spaced[source.offset : source.offset + source.length] == b"7.50"
    (surname,) = (item for item in traced["parties"].fields if item.name == "surname")
    assert (surname.value, [item.hex for item in surname.sources]) == ("***", ["***"])


def test_a_message_is_traced_to_what_became_of_it_and_on_to_what_was_published(
    hub: Hub, notices: InboxTaker[Any]
) -> None:
    loaded, refused = notices.take([message(notice(), message_id="a"), message(b"{", message_id="b")], now=NOW)
    (by_id,) = hub.analyst.messages("a")
    assert hub.analyst.messages(str(loaded.delivery_id)) == [by_id]
    assert (by_id["outcome"], by_id["routing_key"], by_id["sequence"]) == ("LOADED", "debt.changed", 1)
    assert {row["entity"] for row in by_id["rows"]} == {"parties", "groups", "cases", "debts", "balances"}
    assert [event["type"] for event in by_id["events"]] == ["debt.created"]
    (other,) = hub.analyst.messages(str(refused.delivery_id))
    assert ([reason["code"] for reason in other["reasons"]], other["rows"]) == (["JSON_INVALID"], [])
    assert hub.analyst.messages("nobody's") == []
