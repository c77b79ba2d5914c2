"""Items made in advance: same order, one at a time, errors in their place, nothing left running."""

import threading
from collections.abc import Iterator

import pytest

from integrationhub.intake.ahead import ahead


def test_items_come_in_their_order() -> None:
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(ahead(iter([None, None]))) == [None, None]
    assert list(ahead(iter(()))) == []


def test_the_next_item_is_made_while_the_one_before_it_is_used() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    following = ahead(items())

    assert next(following) == 1
    assert made.wait(timeout=10)


def test_no_more_than_one_item_is_made_in_advance() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    seen = [len(made) - number for number in ahead(items())]

    assert max(seen) <= 2


def test_an_error_is_raised_behind_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    following = ahead(items())

    assert next(following) == 1
    with pytest.raises(ValueError, match="broken"):
        next(following)


def test_who_stops_early_leaves_no_thread_behind() -> None:
    following = ahead(iter(range(10)))
    next(following)
    following.close()  # type: ignore[attr-defined] # it is a generator

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
