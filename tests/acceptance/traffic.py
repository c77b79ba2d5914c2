"""Recorded traffic replayed, and compared with what must become of it (benefits-common.md §11).

python -m tests.acceptance.traffic [FEED…]     what is other than expected, of these feeds or of all there are
"""

import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.errors import NotFound
from integrationhub.intake.units.heard import Hearing
from integrationhub.replay import OrderLine, Takers, begin, replay
from integrationhub.store.state import read_state

TRAFFIC = Path(__file__).parents[1] / "data" / "traffic"
EXPECTED: Mapping[str, Any] = json.loads((TRAFFIC / "expected.json").read_text(encoding="utf-8"))
AS_AT = date.fromisoformat(EXPECTED["state_as_at"])
FEEDS = tuple(dict.fromkeys(delivery["feed"] for delivery in EXPECTED["deliveries"]))
"""In the order in which they come."""

_SAME = {
    ("ACCEPTED", None): ("LOADED", None),
    ("SUPERSEDED", "STALE_VERSION"): ("DUPLICATE", "STALE_VERSION"),
    ("HELD", "SEQ_GAP"): ("REJECTED", "SEQ_GAP"),
    ("HELD", "CTL_WITHOUT_DATA"): ("REJECTED", "CTL_WITHOUT_DATA"),
}
"""Finer names for the same thing (§1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of every delivery, by its place in the expected ones, and the state in the end."""

    results: Mapping[int, Mapping[str, Any]]
    state: Mapping[str, Any]


def known_feeds() -> tuple[str, ...]:
    """The feeds whose connectors are there."""
    catalogue = Catalogue.standard()

    def is_known(feed: str) -> bool:
        try:
            return bool(catalogue.connector(feed))
        except NotFound:
            return False

    return tuple(filter(is_known, FEEDS))


def open_hub(folder: Path, database_url: str | None = None) -> Hub:
    """A hub at its beginning, which knows what was known before the first delivery."""
    settings = Settings(
        data_dir=folder, database_url=database_url, synthetic_identities=True, keys_file=TRAFFIC / "keys.json"
    )
    hub = Hub(settings, Catalogue.standard())
    hub.hearing = Hearing()
    begin(TRAFFIC, hub.store, connector_of=lambda name: hub.catalogue.connector(name).name, now=hub.clock())
    return hub


def replayed(hub: Hub, feeds: Sequence[str] = FEEDS) -> Replayed:
    """Replay the deliveries of these feeds in their order."""
    assert hub.hearing is not None
    takers = Takers(pipeline=hub.pipeline, captures=hub.captures, hearing=hub.hearing)
    places = [place for place, delivery in enumerate(EXPECTED["deliveries"]) if delivery["feed"] in feeds]
    order = [_line(EXPECTED["deliveries"][place]) for place in places]
    results = replay(order, TRAFFIC, takers=takers, start=hub.clock())
    found = {place: json.loads(json.dumps(result)) for place, result in zip(places, results, strict=True)}
    with hub.store.read() as connection:
        return Replayed(results=found, state=read_state(connection, as_at=AS_AT))


def _line(delivery: Mapping[str, Any]) -> OrderLine:
    return OrderLine(
        feed=delivery["feed"],
        paths=tuple(delivery.get("paths", ())),
        capture=delivery.get("capture"),
        n=delivery.get("n"),
        received_at=None,
    )


def differences(results: Mapping[int, Mapping[str, Any]], feed: str) -> Iterator[str]:
    """What is other than expected of a feed's deliveries, in order."""
    for place, result in results.items():
        expected = EXPECTED["deliveries"][place]
        if expected["feed"] == feed:
            where = " ".join(expected.get("paths") or [expected["capture"], str(expected["n"])])
            for what in _of_delivery(expected, result):
                yield f"{where}: {what}"


def _of_delivery(expected: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    yield from _of_verdict(expected, result)
    wanted, given = _by_key(expected.get("records") or ()), _by_key(result["records"])
    for key in {**wanted, **given}:
        here, there = wanted.get(key, []), given.get(key, [])
        if len(here) != len(there):
            yield f"{key}: {len(here)} records, but {len(there)} were told of"
        for one, other in zip(here, there, strict=False):
            yield from (f"{key}: {what}" for what in _of_verdict(one, other))


def _of_verdict(expected: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
    wanted, given = ((row["outcome"], row["reason"]) for row in (expected, result))
    if _SAME.get(wanted, wanted) != _SAME.get(given, given):
        yield f"{wanted}, but it is {given}"
    if set(expected["flags"]) != set(result["flags"]):
        yield f"flags {sorted(expected['flags'])}, but they are {sorted(result['flags'])}"
    shown = result["canonical"] or {}
    for name, value in (expected["canonical"] or {}).items():
        if name not in shown or shown[name] != value:
            yield f"{name} is {value!r}, but it is {shown.get(name)!r}"


def _by_key(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for record in records:
        found[record["key"]].append(record)
    return found


def differences_of_state(state: Mapping[str, Any]) -> Iterator[str]:
    """What is other than expected in the end."""
    wanted = EXPECTED["state"]
    for ref in sorted({*wanted["debts"], *state["debts"]}):
        one, other = wanted["debts"].get(ref), state["debts"].get(ref)
        if one != other:
            yield f"{ref}: {one}, but it is {other}"
    for name in ("suspense_pence", "suspense_count"):
        if wanted[name] != state[name]:
            yield f"{name} is {wanted[name]}, but it is {state[name]}"
    for event, number in wanted["events_internal"].items():
        if state["events_internal"].get(event, 0) != number:
            yield f"{event}: {number}, but {state['events_internal'].get(event, 0)}"


def main(feeds: Sequence[str]) -> int:
    """Replay into a store of its own, and print every difference."""
    feeds = feeds or known_feeds()
    with tempfile.TemporaryDirectory() as folder, open_hub(Path(folder)) as hub:
        done = replayed(hub, [feed for feed in FEEDS if feed in feeds])
        told = [f"{feed}: {what}" for feed in feeds for what in differences(done.results, feed)]
        told += [f"state: {what}" for what in differences_of_state(done.state)] if set(feeds) == set(FEEDS) else []
    sys.stdout.write(("\n".join(told) or "as expected") + "\n")
    return len(told) and 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
