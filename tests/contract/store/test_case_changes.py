"""Change events in any order, any batches, any number of times: the same state on both databases."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from integrationhub.canonical.identifiers import derive
from integrationhub.catalogue import Catalogue
from integrationhub.errors import TransientError
from integrationhub.intake.messages.meanings import case_changes
from integrationhub.intake.messages.taker import InboxTaker
from integrationhub.receive.originals import Originals
from integrationhub.sdk.messages import Fate, Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.store.event_effects import effects
from integrationhub.store.schema import CANONICAL, CASE_EVENTS, DELIVERIES
from integrationhub.store.unit_of_work import Store, Work
from tests.contract.store.book import wipe

MEANING = case_changes(Catalogue.standard().connector("csa2003"), environment="test")
NOW = datetime(2015, 7, 2, tzinfo=UTC)
CASES = {"QQ123456A/01": 0, "QQ123456A/02": 2}  # reference → last event in the book
ON_BOTH = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def message(case: str, number: int, *, status: str = "LIVE", message_id: str | None = None) -> Incoming:
    body = (
        f'<CaseEvent xmlns="urn:synthetic:cs2:event:1" messageId="{message_id}" caseRef="{case}" caseSeq="{number}" '
        f'type="status.changed" occurredAt="2015-07-01T10:00:00Z"><Status status="{status}"/></CaseEvent>'
    )
    return Incoming(
        tag=number,
        queue="integrationhub.csa2003",
        exchange="cs2.events",
        routing_key="cs2.case.status.changed",
        message_id=message_id,
        body=body.encode(),
        content_type="application/xml",
        headers={"x-case-ref": case, "x-case-seq": number, "x-schema": "urn:synthetic:cs2:event:1"},
    )


@pytest.fixture
def taker(store: Store, tmp_path: Path) -> InboxTaker[Any]:
    return InboxTaker(connector="csa2003", meaning=MEANING, store=store, originals=Originals(str(tmp_path)))


def begin(store: Store) -> None:
    """A store with nothing in it but the cases."""
    wipe(store)
    with store.begin() as work:
        for ref, last in CASES.items():
            row = {
                "case_id": derive("case", "CS2", ref), "group_id": derive("group", ref), "scheme": "2003",
                "host_system": "CS2", "status": "LIVE", "ledger_complete": True, "benefit_known": True,
                "accuracy_query": False, "source_custodian_pence": 0, "last_event_seq": last, "state": "IN_BOOK",
                "as_at": date(2015, 6, 30), "source_system": "CS2", "source_ref": ref, "delivery_id": derive("d"),
                "record_no": 1, "byte_offset": 0, "mapping_id": "m", "version": 1,
            }  # fmt: skip
            work.connection.execute(insert(CANONICAL["cases"]).values(**row))
        work.commit()


def stored(store: Store) -> tuple[list[Any], list[Any], list[Any]]:
    """Events, effects and what became of the messages that the events came in; without the ids of messages."""
    with store.read() as connection:
        joined = CASE_EVENTS.join(DELIVERIES, DELIVERIES.c.delivery_id == CASE_EVENTS.c.delivery_id)
        columns = [CASE_EVENTS.c[name] for name in ("case_id", "case_seq", "digest", "kind", "occurred_on")]
        rows = connection.execute(
            select(*columns, DELIVERIES.c.outcome, DELIVERIES.c.state).select_from(joined).order_by(*columns)
        )
        refused = select(DELIVERIES.c.outcome).where(DELIVERIES.c.outcome == "REJECTED")
        stand = [(item.case_id, item.state, item.applied_to_seq, item.figures) for item in effects(connection)]
        return [tuple(row) for row in rows], stand, list(connection.execute(refused))


def fates(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.fate.value for outcome in outcomes]


def batches(messages: Sequence[Incoming]) -> st.SearchStrategy[list[list[Incoming]]]:
    """The messages, some of them repeated, in any order, cut into batches anywhere."""
    repeated = st.lists(st.sampled_from(messages), max_size=6).map(lambda more: [*messages, *more])
    shuffled = repeated.flatmap(st.permutations)
    return shuffled.flatmap(
        lambda order: st.sets(st.integers(1, len(order))).map(
            lambda cuts: [
                order[start:end]
                for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(order)], strict=True)
                if start < end
            ]
        )
    )


def histories() -> st.SearchStrategy[tuple[list[Incoming], list[list[Incoming]]]]:
    """Events of both cases, perhaps with gaps, and a way in which they may arrive."""
    event = st.tuples(st.sampled_from(sorted(CASES)), st.integers(1, 6))
    chosen = st.sets(event, min_size=1).map(
        lambda events: [message(case, number, message_id=f"{case} {number}") for case, number in sorted(events)]
    )
    return chosen.flatmap(lambda messages: st.tuples(st.just(messages), batches(messages)))


@ON_BOTH
@given(history=histories())
def test_any_order_repetition_and_batching_of_the_same_events_ends_in_the_same_state(
    store: Store, taker: InboxTaker[Any], history: tuple[list[Incoming], list[list[Incoming]]]
) -> None:
    in_order, as_they_came = history
    begin(store)
    for one in in_order:
        taker.take([one], now=NOW)
    wanted = stored(store)
    begin(store)
    told: dict[str, list[str]] = {}
    for batch in as_they_came:
        for one, outcome in zip(batch, taker.take(batch, now=NOW), strict=True):
            told.setdefault(str(one.message_id), []).append(outcome.fate.value)
    assert stored(store) == wanted
    for each in told.values():  # a message has an effect once
        assert sum(fate in {"LOADED", "HELD"} for fate in each) <= 1


def test_another_event_under_a_number_that_is_taken_leaves_the_first_and_counts_once(
    store: Store, taker: InboxTaker[Any]
) -> None:
    begin(store)
    case = "QQ123456A/01"
    first, other = message(case, 1, message_id="a"), message(case, 1, status="CLOSED", message_id="a")
    assert fates(taker.take([first, other, other], now=NOW)) == ["LOADED", "EXCEPTION", "EXCEPTION"]
    assert fates(taker.take([other, first], now=NOW)) == ["EXCEPTION", "DUPLICATE"]
    with store.begin() as work:
        assert work.connection.execute(select(CASE_EVENTS.c.conflicts)).scalars().all() == [1]
        assert [item.code for item in work.worklist.items()] == ["EV"]
        assert [event.type for event in work.outbox.waiting(9)] == ["worklist.opened"]


def test_events_of_one_case_share_an_order_key_and_others_dont(taker: InboxTaker[Any]) -> None:
    same = {taker.order_key(message("QQ123456A/01", number)) for number in (1, 2)}
    assert len(same) == 1
    assert "QQ" not in str(same)
    assert taker.order_key(message("QQ123456A/02", 1)) not in same


def test_a_message_that_was_given_up_waits_in_the_quarantine_and_may_be_taken_later(
    store: Store, taker: InboxTaker[Any]
) -> None:
    begin(store)
    poison = message("QQ123456A/01", 1, message_id="a")
    outcome = taker.give_up(poison, code="POISON", attempts=3, now=NOW)
    assert (outcome.fate, outcome.code) == (Fate.REJECTED, "POISON")
    with store.begin() as work:
        (item,) = work.quarantine.items()
        assert (item.code, item.attempts, item.message_id, item.queue) == ("POISON", 3, "a", "integrationhub.csa2003")
        assert work.quarantine.body(item.quarantine_id, 1).body == poison.body
    assert fates(taker.take([poison], now=NOW)) == ["LOADED"]
    assert taker.give_up(poison, code="POISON", attempts=3, now=NOW).fate is Fate.DUPLICATE


def test_a_large_body_is_kept_among_the_originals(store: Store, taker: InboxTaker[Any]) -> None:
    begin(store)
    large = message("QQ123456A/01", 1, message_id="a")
    large = Incoming(
        tag=1, queue=large.queue, exchange=large.exchange, routing_key=large.routing_key, message_id="a",
        body=large.body + b" " * 70_000, content_type=None, headers=large.headers,
    )  # fmt: skip
    (outcome,) = taker.take([large], now=NOW)
    with store.begin() as work:
        kept = work.inbox.get(str(outcome.delivery_id))
    assert kept is not None
    assert (kept.body, kept.bytes) == (None, len(large.body))
    with taker.originals.open(kept.sha256) as stream:
        assert stream.read() == large.body


def test_of_two_processes_that_take_the_same_number_one_starts_over(
    store: Store, taker: InboxTaker[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store)
    taker.take([message("QQ123456A/01", 1, message_id="a")], now=NOW)
    judge = type(taker.meaning).judge

    def meanwhile(self: Any, work: Work, *given: Any) -> Any:  # noqa: ANN401
        judgement = judge(self, work, *given)
        work.connection.execute(update(CASE_EVENTS).values(case_seq=2))  # committed since this one looked
        return judgement

    with monkeypatch.context() as patched:
        patched.setattr(type(taker.meaning), "judge", meanwhile)
        with pytest.raises(TransientError) as raised:
            taker.take([message("QQ123456A/01", 2, message_id="b")], now=NOW)
    assert raised.value.code == "TAKEN_ELSEWHERE"
    with store.read() as connection:
        assert connection.execute(select(CASE_EVENTS.c.case_seq)).scalars().all() == [1]
    assert fates(taker.take([message("QQ123456A/01", 2, message_id="b")], now=NOW)) == ["LOADED"]
