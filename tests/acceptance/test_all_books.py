"""One estate in three books, night after night: every case accepted right to the penny, or held with its codes."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.generate import Generated, generate
from integrationhub.estate.nights import Estate
from tests.acceptance.files import descriptor
from tests.acceptance.installation import Installation
from tests.acceptance.test_arrears import exported, groups_of, right, without_names

BOOKS = ("93", "03", "CL")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Generated]:
    """A whole book and a correction of 250 case groups."""
    estate = Estate(groups=250, seed=23, kinds="C", books=BOOKS)
    return generate(tmp_path_factory.mktemp("books"), estate, encoder_for(descriptor()))


def take(hub: Installation, night: Generated) -> None:
    for file in night.files:
        [report] = hub.call("ingest", file.connector, file.data, "--json").rows
        assert report["verdict"] == "ACCEPTED"
        assert all(control["holds"] for control in report["controls"])


def test_every_case_of_every_night_is_as_the_truth_says(hub: Installation, nights: list[Generated]) -> None:
    for night in nights:
        take(hub, night)
        expected = json.loads(night.truth.read_text("utf-8"))
        rows = exported(hub, "--as-at", expected["asat"])

        assert without_names(rows) == right(expected)
        assert {tuple(cases) for cases in groups_of(rows).values()} == {
            tuple(sorted(item["cases"])) for item in expected["groups"]
        }
    hub.call("store", "check")
    assert all(item["holds"] for item in json.loads(hub.call("arrears", "totals", "--json").out))


def test_change_events_of_every_night_come_to_what_the_truth_says(hub: Installation, nights: list[Generated]) -> None:
    for night in nights:
        take(hub, night)
        expected = json.loads(night.truth.read_text("utf-8"))
        reports = hub.call("ingest", "csa2003", night.events, "--json", code=None).rows
        rows = exported(hub, "--as-at", expected["asat"])

        events = expected["events"]["cases"]
        assert {key: stand_of(row) for key, row in rows.items() if "event_state" in row} == events
        assert became(reports) == {name: count for name, count in expected["events"].items() if name != "cases"}
    hub.call("store", "check")


def stand_of(row: dict[str, Any]) -> dict[str, Any]:
    """What stands in a truth's events of a case."""
    names = ("applied_to_seq", "outcome", "causes", "accepted", "segment", "uncollectable", "debts")
    return {"state": row["event_state"], **{name: row[name] for name in names}}


def became(reports: list[dict[str, Any]]) -> dict[str, int]:
    """Deliveries by what became of them, in the words of the samples."""
    words = {"SUPERSEDED": "stale", "DUPLICATE": "duplicate", "REJECTED": "dead_letter", "HELD": "waiting"}
    found = Counter(words.get(report["verdict"], "applied") for report in reports if not report["reasons"])
    found.update(words.get(report["verdict"], "conflict") for report in reports if report["reasons"])
    names = ("applied", "stale", "duplicate", "conflict", "dead_letter", "waiting")
    return {"deliveries": len(reports), **{name: found[name] for name in names}}


def test_the_order_of_the_books_changes_nothing(nights: list[Generated], tmp_path: Path) -> None:
    forwards, backwards = Installation(tmp_path / "forwards"), Installation(tmp_path / "backwards")
    for file in nights[0].files:
        forwards.call("ingest", file.connector, file.data)
    for file in reversed(nights[0].files):
        backwards.call("ingest", file.connector, file.data)

    assert exported(forwards) == exported(backwards)
