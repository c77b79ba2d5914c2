"""The ledger of tries, and what intakes say of themselves, on both databases."""

from datetime import UTC, datetime, timedelta

from integrationhub.canonical.identifiers import derive
from integrationhub.store.attempts import Tries
from integrationhub.store.intakes import IntakeState
from integrationhub.store.unit_of_work import Store

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MESSAGE = derive("message", "m1")


def test_tries_that_nobody_came_back_from_are_told_apart(store: Store) -> None:
    with store.begin() as work:
        assert work.attempts.of("feed", MESSAGE) == Tries()
        for _ in range(3):
            work.attempts.begin("feed", MESSAGE, at=NOW)
        work.attempts.end("feed", MESSAGE, code="UNEXPECTED")
        work.commit()
    with store.begin() as work:
        tries = work.attempts.of("feed", MESSAGE)
        assert (tries.begun, tries.ended, tries.fatal, tries.code) == (3, 1, 2, "UNEXPECTED")
        assert work.attempts.of("other", MESSAGE) == Tries()
        assert work.attempts.known("feed", [MESSAGE, derive("message", "m2")]) == {MESSAGE}
        assert work.attempts.known("other", [MESSAGE]) == set()
        work.attempts.forget("feed", MESSAGE)
        assert work.attempts.of("feed", MESSAGE) == Tries()


def test_an_intakes_last_word_stands(store: Store) -> None:
    first = IntakeState(connector="feed", host="a", waits_for="DATABASE_AWAY", since=NOW)
    last = IntakeState(connector="feed", host="a", since=NOW + timedelta(minutes=1))
    other = IntakeState(connector="feed", host="b", since=NOW)
    with store.begin() as work:
        for state in (first, other, last):
            work.intakes.save(state)
        work.commit()
    with store.begin() as work:
        assert work.intakes.all() == [last, other]
