"""Parts that fail, and what becomes of them; the breaker; trouble that ends."""

import threading

import pytest

from integrationhub.daemon import breaker as breakers
from integrationhub.daemon import supervisor as supervisors
from integrationhub.daemon.breaker import FAILURES, Breaker
from integrationhub.daemon.shift import Shift
from integrationhub.daemon.supervisor import Supervisor
from integrationhub.errors import TransientError


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(breakers, "FIRST_PAUSE_SECONDS", 0.01)


def test_a_part_that_fails_is_started_again_and_is_not_ready_meanwhile() -> None:
    shift, again = Shift(patience=5), threading.Event()
    supervisor = Supervisor(shift)
    ready: list[bool] = []

    def part() -> None:
        if not ready:
            shift.ready.add("part")
            ready.append(supervisor.is_ready())
            raise ValueError("a fault")
        ready.append(supervisor.is_ready())
        shift.ready.add("part")
        ready.append(supervisor.is_ready())
        again.set()
        shift.stop.wait()

    supervisor.all_started()
    supervisor.start("part", part)
    assert again.wait(10)
    shift.end()
    assert supervisor.join(5) == []
    assert ready == [True, False, True]


def test_nobody_is_ready_before_all_parts_were_started() -> None:
    supervisor = Supervisor(Shift())
    assert not supervisor.is_ready()
    supervisor.all_started()
    assert supervisor.is_ready()


def test_a_part_that_does_not_end_is_named() -> None:
    shift, released = Shift(patience=0), threading.Event()
    supervisor = Supervisor(shift)
    supervisor.start("quick", shift.stop.wait)  # type: ignore[arg-type]
    supervisor.start("slow", released.wait)  # type: ignore[arg-type]
    shift.end()
    assert supervisor.join(0.2) == ["slow"]
    assert shift.is_over()
    released.set()


def test_trouble_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    told: list[str | None] = []
    tries: list[int] = []

    def probe() -> None:
        tries.append(1)
        if len(tries) < 4:
            raise TransientError("away", code="AWAY")

    breaker = Breaker(threading.Event(), told.append)
    breaker.get_through(TransientError("away", code="AWAY"), probe)
    assert (told, len(tries), breaker.trouble) == (["AWAY", None], 4, None)


def test_while_one_probes_others_are_not_kept() -> None:
    breaker, inside, go_on = Breaker(threading.Event(), lambda _code: None), threading.Event(), threading.Event()

    def probe() -> None:
        inside.set()
        go_on.wait(10)

    first = threading.Thread(target=breaker.get_through, args=(TransientError("away", code="AWAY"), probe))
    first.start()
    assert inside.wait(10)
    breaker.get_through(TransientError("away", code="AWAY"), lambda: pytest.fail("a second probe"))
    assert breaker.trouble == "AWAY"
    go_on.set()
    first.join(10)
    assert breaker.trouble is None


def test_messages_that_fail_in_a_row_are_trouble_and_one_that_goes_through_ends_the_row() -> None:
    breaker = Breaker(threading.Event(), lambda _code: None)
    for _ in range(FAILURES - 1):
        breaker.failed("UNEXPECTED")
    breaker.succeeded()
    for _ in range(FAILURES - 1):
        breaker.failed("UNEXPECTED")
    with pytest.raises(TransientError) as raised:
        breaker.failed("UNEXPECTED")
    assert raised.value.code == "UNEXPECTED"


def test_a_probe_that_is_told_to_stop_stops() -> None:
    stop = threading.Event()
    stop.set()
    Breaker(stop, lambda _code: None).get_through(TransientError("away"), lambda: pytest.fail("a probe"))
