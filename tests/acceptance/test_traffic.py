"""Recorded traffic of every feed: each delivery ends as it must, and a second time nothing changes."""

import io
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile

import pytest
from sqlalchemy import select

from integrationhub import telemetry
from integrationhub.store.exports import export
from integrationhub.store.invariants import check
from integrationhub.store.quarantine_tables import QUARANTINE
from tests.acceptance.traffic import (
    FEEDS,
    TRAFFIC,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The traffic replayed, replayed again, the invariants that are broken then, and all that others may read of it."""

    first: Replayed
    second: Replayed
    broken: Mapping[str, int]
    shown: str = field(repr=False)


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged; the process's logging is put back afterwards."""
    root, ours, hook = logging.getLogger(), logging.getLogger(telemetry.LOGGER), threading.excepthook
    before = (root.handlers[:], root.level, ours.level)
    stream = io.StringIO()
    telemetry.configure("DEBUG", stream=stream)
    yield stream
    root.handlers[:], root.level, threading.excepthook = before[0], before[1], hook
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    folder = tmp_path_factory.mktemp("traffic")
    with logged() as log, open_hub(folder) as hub:
        first, second = replayed(hub, COMPARED), replayed(hub, COMPARED)
        with hub.store.read() as connection:
            broken = {item.invariant: item.count for item in check(connection) if not item.holds}
            rows = [frame.write_ndjson() for name in ("events", "exceptions") for frame in export(connection, name)]
            refused = connection.execute(select(QUARANTINE.c.text, QUARANTINE.c.path, QUARANTINE.c.headers))
            rows += [str(tuple(row)) for row in refused]
        names = [str(path) for path in folder.rglob("*")]
    return Traffic(first=first, second=second, broken=broken, shown="\n".join([log.getvalue(), *names, *rows]))


@pytest.mark.parametrize("feed", COMPARED)
def test_every_delivery_of_a_feed_ends_as_expected(traffic: Traffic, feed: str) -> None:
    assert list(differences(traffic.first.results, feed)) == []


@pytest.mark.parametrize("feed", COMPARED)
def test_the_same_deliveries_again_are_duplicates_or_end_as_before(traffic: Traffic, feed: str) -> None:
    first, second = traffic.first, traffic.second
    again = {place: result["outcome"] for place, result in second.results.items() if result["feed"] == feed}

    assert again
    for place, outcome in again.items():
        assert outcome in ("DUPLICATE", first.results[place]["outcome"])


def test_the_state_stays_as_it_is_when_everything_comes_again(traffic: Traffic) -> None:
    first, second = traffic.first, traffic.second

    assert second.state == first.state


def test_every_invariant_holds_in_the_end(traffic: Traffic) -> None:
    assert traffic.broken == {}


if COMPARED == FEEDS:

    def test_the_state_in_the_end_is_the_expected_one(traffic: Traffic) -> None:
        assert list(differences_of_state(traffic.first.state)) == []


def test_no_canary_shows_in_logs_events_worklist_quarantine_or_file_names(traffic: Traffic) -> None:
    canaries: list[str] = json.loads((TRAFFIC / "canaries.json").read_text(encoding="utf-8"))

    assert [text for text in canaries if text.casefold() in traffic.shown.casefold()] == []
    assert "worklist.opened" in traffic.shown
    assert '"event": "file"' in traffic.shown
