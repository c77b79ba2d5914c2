"""Recorded traffic of every feed: each delivery ends as it must, and a second time nothing changes."""

from collections.abc import Iterator, Mapping
from itertools import takewhile

import pytest

from integrationhub.store.invariants import check
from tests.acceptance.traffic import (
    FEEDS,
    Replayed,
    differences,
    differences_of_state,
    known_feeds,
    open_hub,
    replayed,
)

KNOWN = known_feeds()
COMPARED = tuple(takewhile(KNOWN.__contains__, FEEDS))
"""Feeds before which no other is missing, on whose debts and receipts theirs hang."""


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replayed, Replayed, Mapping[str, int]]]:
    """The traffic replayed, replayed again, and the invariants that are broken then."""
    with open_hub(tmp_path_factory.mktemp("traffic")) as hub:
        first, second = replayed(hub, COMPARED), replayed(hub, COMPARED)
        with hub.store.read() as connection:
            broken = {item.invariant: item.count for item in check(connection) if not item.holds}
        yield first, second, broken


Traffic = tuple[Replayed, Replayed, Mapping[str, int]]


@pytest.mark.parametrize("feed", COMPARED)
def test_every_delivery_of_a_feed_ends_as_expected(traffic: Traffic, feed: str) -> None:
    assert list(differences(traffic[0].results, feed)) == []


@pytest.mark.parametrize("feed", COMPARED)
def test_the_same_deliveries_again_are_duplicates_or_end_as_before(traffic: Traffic, feed: str) -> None:
    first, second, _ = traffic
    again = {place: result["outcome"] for place, result in second.results.items() if result["feed"] == feed}

    assert again
    for place, outcome in again.items():
        assert outcome in ("DUPLICATE", first.results[place]["outcome"])


def test_the_state_stays_as_it_is_when_everything_comes_again(traffic: Traffic) -> None:
    first, second, _ = traffic

    assert second.state == first.state


def test_every_invariant_holds_in_the_end(traffic: Traffic) -> None:
    assert traffic[2] == {}


if COMPARED == FEEDS:

    def test_the_state_in_the_end_is_the_expected_one(traffic: Traffic) -> None:
        assert list(differences_of_state(traffic[0].state)) == []
