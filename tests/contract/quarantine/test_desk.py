"""Correct, resubmit, discard, undo; second persons; nothing lost, nothing done twice."""

import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from integrationhub.errors import Conflict, NotAllowed, NotFound, TransientError
from integrationhub.quarantine.acts import Taker
from integrationhub.quarantine.content import LARGEST
from integrationhub.quarantine.predicate import parse
from integrationhub.store.deliveries import Kind
from integrationhub.store.unit_of_work import Store
from tests.contract.quarantine.conftest import BODY, CLERK, GOOD, NOW, SECOND, World, item


def test_a_corrected_message_is_taken_with_everything_that_came_with_it(world: World) -> None:
    (one,) = world.put(item())
    done = world.desk.correct(one, GOOD, CLERK, "the sender says so")
    assert [change.line(unmasked=True) for change in done.changes] == ["amount: twelve → 12.00"]
    (result,) = world.desk.resubmit([one], CLERK, "corrected").results
    assert (result.fate, result.was_taken) == ("LOADED", True)
    (message,) = world.taker.taken
    assert (message.queue, message.exchange, message.routing_key, message.message_id, message.headers) == (
        "integrationhub.drill", "drill.events", "drill.changed", "m-1", {"schema": "1"},
    )  # fmt: skip
    assert world.states() == ["RESUBMITTED"]
    assert [what for what, _ in world.told(one)] == ["CORRECTED", "TRIED", "RESUBMITTED"]
    with world.store.begin() as work:
        assert [body.body for body in work.quarantine.bodies(one)] == [BODY, GOOD]


def test_a_large_correction_lies_among_the_originals_and_is_taken_from_there(world: World) -> None:
    (one,) = world.put(item())
    world.desk.correct(one, b"x" * 100_000, CLERK, "drill")
    with world.store.begin() as work:
        kept = work.quarantine.body(one, 2)
    assert (kept.body, kept.bytes) == (None, 100_000)
    assert world.desk.acts.bytes_of(kept) == b"x" * 100_000


def test_what_is_refused_again_stays_one_item_with_its_tries_counted(world: World) -> None:
    (one,) = world.put(item())
    (result,) = world.desk.resubmit([one], CLERK, None).results
    assert (result.fate, result.code, result.was_taken) == ("REJECTED", "STILL", False)
    found = world.get(one)
    assert (found.state, found.code, found.attempts, found.resubmits) == ("OPEN", "STILL", 2, 1)
    assert world.states() == ["OPEN"]
    assert [what for what, _ in world.told(one)] == ["TRIED", "FAILED_AGAIN"]


def test_after_so_many_tries_in_vain_only_a_correction_opens_the_way(world: World) -> None:
    (one,) = world.put(item())
    for _ in range(3):
        world.desk.resubmit([one], CLERK, None)
    with pytest.raises(Conflict) as refused:
        world.desk.resubmit([one], CLERK, None)
    assert refused.value.code == "RESUBMIT_LIMIT"
    assert world.taker.given == 3
    world.desk.correct(one, GOOD, CLERK, "drill")
    assert world.desk.resubmit([one], CLERK, None).results[0].was_taken


def test_one_that_was_tried_too_often_does_not_keep_the_others_from_being_resubmitted(world: World) -> None:
    one, two = world.put(item(1), item(2, body=GOOD))
    for _ in range(3):
        world.desk.resubmit([one], CLERK, None)
    first, second = world.desk.resubmit([one, two], CLERK, None).results
    assert (first.fate, first.code, first.was_taken) == ("PASSED_OVER", "RESUBMIT_LIMIT", False)
    assert second.was_taken


def test_an_item_that_somebody_settles_while_it_is_tried_keeps_its_reason(world: World) -> None:
    (one,) = world.put(item())

    def taker(_connector: str) -> Taker:
        world.desk.discard([one], SECOND, "never mind")
        return world.taker

    acts = replace(world.desk.acts, taker=taker)
    with pytest.raises(Conflict) as refused:
        replace(world.desk, acts=acts).resubmit([one], CLERK, None)
    assert refused.value.code == "QUARANTINE_STATE"
    assert (world.get(one).state, world.get(one).code) == ("DISCARDED", "AMOUNT")
    assert [what for what, _ in world.told(one)] == ["TRIED", "DISCARDED"]


def test_an_error_of_the_taker_is_the_items_reason_and_undoes_what_it_did(world: World) -> None:
    (one,) = world.put(item())
    world.taker.error = ValueError("a value that nobody may see")
    (result,) = world.desk.resubmit([one], CLERK, None).results
    assert (result.code, "nobody may see" in str(result)) == ("UNEXPECTED", False)
    assert world.get(one).code == "UNEXPECTED"


def test_while_a_service_is_away_the_item_stays_as_it_is_but_the_try_is_counted(world: World) -> None:
    (one,) = world.put(item())
    world.taker.error = TransientError("away", code="AWAY")
    with pytest.raises(TransientError):
        world.desk.resubmit([one], CLERK, None)
    assert (world.get(one).code, world.get(one).attempts) == ("AMOUNT", 2)


def test_what_was_taken_cannot_be_resubmitted_again(world: World) -> None:
    (one,) = world.put(item(body=GOOD))
    assert world.desk.resubmit([one], CLERK, None).results[0].was_taken
    with pytest.raises(Conflict):
        world.desk.resubmit([one], CLERK, None)
    assert len(world.taker.taken) == 1


def test_a_notice_goes_back_into_its_queue(world: World) -> None:
    (one,) = world.put(item(connector="files", queue="integrationhub.files"))
    (result,) = world.desk.resubmit([one], CLERK, None).results
    assert result.fate == "GIVEN_BACK"
    assert [(out.exchange, out.routing_key, out.message_id, out.body) for out in world.published] == [
        ("", "integrationhub.files", "m-1", BODY)
    ]
    assert world.states() == ["RESUBMITTED"]


def test_a_file_is_corrected_by_its_source_only(world: World) -> None:
    (one,) = world.put(item(kind=Kind.FILE))
    with pytest.raises(NotAllowed) as refused:
        world.desk.correct(one, GOOD, CLERK, "drill")
    assert (refused.value.code, refused.value.exit_code) == ("CORRECT_AT_SOURCE", 4)


def test_a_discard_can_be_undone_and_touches_open_items_only(world: World) -> None:
    one, two = world.put(item(1), item(2, body=GOOD))
    world.desk.resubmit([two], CLERK, None)
    assert world.desk.discard([one, two], CLERK, "drill").items == (one,)
    assert sorted(world.states()) == ["DISCARDED", "RESUBMITTED"]
    assert world.desk.restore([one, two], SECOND, "it counts after all") == [one]
    assert sorted(world.states()) == ["OPEN", "RESUBMITTED"]
    assert world.told(one) == [("DISCARDED", "a.clerk"), ("RESTORED", "b.clerk")]


def test_a_predicate_finds_items_by_what_stands_in_their_present_version(world: World) -> None:
    one, two = world.put(item(1), item(2))
    world.desk.correct(two, GOOD, CLERK, "drill")
    found = world.desk.find(parse("connector=drill field:amount=text", now=NOW))
    assert [entry.quarantine_id for entry in found] == [one]


def test_no_body_is_read_to_compare_fields_that_is_too_large_to_be_taken_apart(world: World) -> None:
    (one,) = world.put(item(kind=Kind.FILE, body=None, bytes=LARGEST + 1))  # there is no original: it can't be read
    with world.store.begin() as work:
        assert work.quarantine.body(one, 1).body is None
    assert world.desk.find(parse("field:amount=absent", now=NOW)) == []


def test_looking_at_values_is_recorded(world: World) -> None:
    (one,) = world.put(item())
    world.desk.look(one, CLERK, "the supplier asks")
    with world.store.begin() as work:
        (action,) = work.quarantine.history.of_item(one)
    assert (action.what, action.who, action.reason) == ("UNMASKED", "a.clerk", "the supplier asks")
    with pytest.raises(NotFound):
        world.desk.look("0" * 32, CLERK, "drill")


def test_with_a_second_person_nothing_happens_before_somebody_else_approves(world: World) -> None:
    (one,) = world.put(item())
    desk = world.with_second_person()
    request = desk.discard([one], CLERK, "drill").request
    assert request is not None
    assert world.states() == ["OPEN"]
    with pytest.raises(NotAllowed) as refused:
        desk.approve(request, CLERK)
    assert refused.value.exit_code == 4
    assert desk.approve(request, SECOND).items == (one,)
    assert world.states() == ["DISCARDED"]
    with pytest.raises(Conflict):
        desk.approve(request, SECOND)
    assert [what for what, _ in world.told(one)] == ["REQUESTED", "APPROVED", "DISCARDED"]


def test_a_correction_counts_when_the_second_person_approves_it(world: World) -> None:
    (one,) = world.put(item())
    desk = world.with_second_person()
    request = desk.correct(one, GOOD, CLERK, "drill").request
    assert request is not None
    assert world.get(one).version == 1
    desk.approve(request, SECOND)
    assert world.get(one).version == 2
    again = desk.resubmit([one], CLERK, "drill").request
    assert again is not None
    assert desk.approve(again, SECOND).results[0].was_taken


def test_an_approval_that_cannot_be_carried_out_is_none(world: World) -> None:
    (one,) = world.put(item())
    desk = world.with_second_person()
    request = desk.correct(one, GOOD, CLERK, "drill").request
    assert request is not None
    world.desk.discard([one], CLERK, "drill")
    with pytest.raises(Conflict) as refused:
        desk.approve(request, SECOND)
    assert refused.value.code == "QUARANTINE_STATE"
    assert [waiting.action_id for waiting in desk.requests()] == [request]
    world.desk.restore([one], CLERK, "drill")
    desk.approve(request, SECOND)
    assert world.get(one).version == 2


def test_a_refused_request_comes_to_nothing(world: World) -> None:
    (one,) = world.put(item())
    desk = world.with_second_person()
    request = desk.resubmit([one], CLERK, "drill").request
    assert request is not None
    desk.refuse(request, CLERK, "thought better of it")
    assert desk.requests() == []
    with pytest.raises(Conflict):
        desk.approve(request, SECOND)
    assert (world.taker.given, world.states()) == (0, ["OPEN"])


def test_an_unknown_request_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.desk.approve(4711, SECOND)


def test_items_can_be_labelled_and_assigned(world: World) -> None:
    (one,) = world.put(item())
    world.desk.label([one], "supplier", CLERK)
    world.desk.assign(one, "b.clerk", CLERK)
    assert (world.get(one).labels, world.get(one).owner) == (("supplier",), "b.clerk")
    world.desk.label([one], "supplier", CLERK, remove=True)
    assert world.get(one).labels == ()
    with pytest.raises(NotFound):
        world.desk.assign("0" * 32, "b.clerk", CLERK)


def test_a_try_that_kills_its_process_has_been_counted(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import os, sys
        from dataclasses import replace
        from integrationhub.identity import HUB
        from integrationhub.quarantine.acts import Acts, Cause
        from integrationhub.receive.originals import Originals
        from integrationhub.store.unit_of_work import Store
        from tests.contract.quarantine.conftest import NOW, item
        url = sys.argv[1]
        store = Store.open(url, create=True)
        with store.begin() as work:
            work.quarantine.add([item()])
            work.commit()
        class Deadly:
            def take_in(self, *_, **__):
                os.kill(os.getpid(), 9)
        acts = Acts(store=store, originals=Originals(sys.argv[2]), clock=lambda: NOW, taker=lambda _: Deadly(),
                    files=None, publish=None, resubmit_limit=3)
        acts.resubmit(item().quarantine_id, Cause(actor=HUB, reason=None))
        """
    )
    url = f"sqlite:///{tmp_path}/hub.db"
    ended = subprocess.run([sys.executable, "-c", program, url, f"{tmp_path}/originals"], check=False)
    assert ended.returncode == -signal.SIGKILL
    store = Store.open(url)
    with store.begin() as work:
        found = work.quarantine.get(item().quarantine_id)
    store.close()
    assert (found.state, found.attempts, found.resubmits) == ("OPEN", 2, 1)
