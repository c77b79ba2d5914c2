"""What becomes of messages between the queue and the workers, on either broker."""

import os
import signal
from collections import Counter

import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.daemon import crew
from integrationhub.daemon.intake import UNEXPLAINED_TRIES, known_by
from tests.contract.intake.conftest import Bench


def numbered(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


def test_what_piled_up_goes_in_batches_and_is_acknowledged(bench: Bench) -> None:
    bench.send("slow", *["x"] * 999)
    bench.work()
    bench.until_taken(*numbered(1000))
    bench.stop()
    assert len({row.batch for row in bench.journal.taken()}) < 50
    assert bench.left() == 0
    assert bench.journal.repeated() == 0


def test_a_message_that_comes_alone_goes_alone(bench: Bench) -> None:
    bench.work()
    for number in range(5):
        bench.send("x", ids=[f"m{number}"])
        bench.until_taken(f"m{number}")
    assert len({row.batch for row in bench.journal.taken()}) == 5


def test_messages_of_one_key_stay_in_order_with_many_workers(bench: Bench) -> None:
    keys = [f"entity {number}" for number in range(7)]
    for start in range(0, 700, 70):
        for key in keys:
            bench.send(*["x"] * 10, key=key, ids=[f"{key}/{start + number}" for number in range(10)])
    bench.work(workers=3)
    bench.until(lambda: len(bench.journal.ids()) == 700, "all messages")
    for key in keys:
        places = [int(each.partition("/")[2]) for each in bench.journal.ids() if each.startswith(f"{key}/")]
        assert places == sorted(places)
    assert len({row.pid for row in bench.journal.taken()}) == 3


def test_a_message_that_kills_its_worker_is_given_up_and_takes_nobody_with_it(bench: Bench) -> None:
    bench.send("slow", *["x"] * 20, "kill", *["x"] * 20)
    bench.work()
    bench.until(bench.journal.given_up, "the poison")
    bench.until_taken(*(set(numbered(42)) - {"m21"}))
    assert bench.journal.given_up() == {"m21": ("POISON", 2)}
    bench.until(lambda: bench.tries() == 0, "an empty ledger")
    bench.stop()
    assert bench.left() == 0


def test_a_message_that_hangs_its_worker_is_given_up_and_takes_nobody_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "HUNG_SECONDS", 2.0)
    bench.send(*["x"] * 3, "hang", *["x"] * 3)
    bench.work()
    bench.until(bench.journal.given_up, "the poison")
    bench.until_taken(*(set(numbered(7)) - {"m3"}))
    assert bench.journal.given_up() == {"m3": ("POISON", 2)}
    bench.stop()
    assert bench.left() == 0


def test_a_message_that_fails_is_found_tried_again_and_given_up(bench: Bench) -> None:
    bench.send("slow", *["x"] * 20, "fail", *["x"] * 20)
    bench.work()
    bench.until(bench.journal.given_up, "the one that fails")
    bench.until_taken(*(set(numbered(42)) - {"m21"}))
    assert bench.journal.given_up() == {"m21": ("UNEXPECTED", 4)}
    bench.stop()
    assert (bench.left(), bench.tries()) == (0, 0)


def test_an_unusable_message_is_given_up_at_once(bench: Bench) -> None:
    bench.send("x", "reject", "x")
    bench.work()
    bench.until(bench.journal.given_up, "the unusable one")
    bench.until_taken("m0", "m2")
    assert bench.journal.given_up() == {"m1": ("UNUSABLE", 1)}


def test_behind_a_message_that_fails_those_of_its_key_wait_and_others_go_on(bench: Bench) -> None:
    bench.send("fail", "x", key="a", ids=["a0", "a1"])
    bench.send(*["x"] * 5, key="b", ids=[f"b{number}" for number in range(5)])
    bench.work()
    bench.until_taken("a1", "b4")
    assert bench.journal.ids()[-1] == "a1"
    assert set(bench.journal.given_up()) == {"a0"}


def test_a_service_that_is_away_pauses_the_connector_and_gives_nothing_up(bench: Bench) -> None:
    (bench.folder / "away").touch()
    bench.send(*["away"] * 30)
    bench.work()
    bench.until(lambda: bench.troubles, "the trouble")
    assert bench.journal.ids() == []
    (bench.folder / "away").unlink()
    bench.until_taken(*numbered(30))
    assert bench.journal.ids() == numbered(30)
    assert (bench.troubles[0], bench.troubles[-1]) == ("SERVICE_AWAY", None)
    assert bench.journal.given_up() == {}


def test_a_killed_worker_is_started_again_and_what_it_had_is_taken_once(bench: Bench) -> None:
    bench.send("x", "slow", *["x"] * 20)
    bench.work()
    bench.until(bench.journal.ids, "the first message")
    os.kill(bench.journal.taken()[0].pid, signal.SIGKILL)
    bench.until_taken(*numbered(22))
    bench.stop()
    assert bench.left() == 0
    assert bench.journal.given_up() == {}


def test_a_held_connector_takes_nothing_until_it_goes_on(bench: Bench) -> None:
    bench.work()
    bench.send("x")
    bench.until_taken("m0")
    bench.held = True
    bench.until(lambda: not bench.shift.stop.wait(1.5), "the hold")
    bench.send("x", ids=["later"])
    bench.until(lambda: not bench.shift.stop.wait(1.5), "a while")
    assert bench.left() == 1
    bench.held = False
    bench.until_taken("later")


def test_an_intake_that_is_told_to_stop_works_off_what_it_has(bench: Bench) -> None:
    bench.send(*["slow"] * 4)
    bench.work()
    bench.until(lambda: bench.shift.ready, "the source")
    bench.stop()
    taken = len(bench.journal.ids())
    assert taken + bench.left() == 4
    assert bench.ended == [None]


def hold_and_let_go(bench: Bench, count: int) -> None:
    """As a process does that takes messages and is killed."""
    source = bench.broker.source("integrationhub.journal")
    held = source.receive(limit=count, timeout=5)
    while len(held) < count:
        held += source.receive(limit=count, timeout=5)
    source.close()


def test_what_a_dead_process_had_in_hand_goes_in_groups_that_grow(bench: Bench) -> None:
    bench.send(*["x"] * 300)
    hold_and_let_go(bench, 300)
    bench.work()
    bench.until_taken(*numbered(300))
    bench.stop()
    sizes = Counter(row.batch for row in bench.journal.taken()).values()
    assert list(sizes)[:2] == [1, 2]
    assert len(sizes) < 30
    assert bench.tries() == 0


def test_poison_among_what_a_dead_process_had_in_hand_is_found_and_takes_nobody_with_it(bench: Bench) -> None:
    bench.send(*["x"] * 10, "kill", *["x"] * 10)
    hold_and_let_go(bench, 21)
    bench.send(*["x"] * 5, ids=[f"new{number}" for number in range(5)])
    bench.work()
    bench.until_taken(*(set(numbered(21)) - {"m10"}), "new4")
    bench.until(bench.journal.given_up, "the poison")
    assert bench.journal.given_up() == {"m10": ("POISON", 2)}


def test_a_message_that_daemons_which_were_killed_met_first_is_not_blamed_for_it(bench: Bench) -> None:
    bench.send("x")
    source = bench.broker.source("integrationhub.journal")
    (message,) = source.receive(limit=1, timeout=5)
    source.close()
    ledger = bench.ledger()
    for _ in range(3):
        ledger.begin(known_by(message))
    bench.work()
    bench.until_taken("m0")
    bench.stop()
    assert bench.journal.given_up() == {}
    assert bench.tries() == 0


def test_a_message_that_took_the_whole_daemon_with_it_again_and_again_is_given_up(bench: Bench) -> None:
    bench.send("x")
    source = bench.broker.source("integrationhub.journal")
    (message,) = source.receive(limit=1, timeout=5)
    source.close()
    ledger = bench.ledger()
    for _ in range(UNEXPLAINED_TRIES):
        ledger.begin(known_by(message))
    bench.work()
    bench.until(bench.journal.given_up, "the poison")
    assert bench.journal.given_up() == {"m0": ("POISON", UNEXPLAINED_TRIES)}


def test_a_suspect_whose_worker_the_hub_ends_at_its_deadline_is_not_blamed_for_it(bench: Bench) -> None:
    bench.send("slow")
    source = bench.broker.source("integrationhub.journal")
    source.receive(limit=1, timeout=5)
    source.close()
    bench.work()
    bench.until(bench.journal.ids, "the message")
    bench.shift.patience = 0
    bench.shift.end()
    assert bench.crew is not None
    bench.crew.kill()
    bench.stop()
    assert bench.ledger().of(derive("message", "m0")).fatal == 0
