"""Right arrears, or held with a reason: all books together, as somebody types it."""

import io
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from integrationhub.catalogue import shipped_connectors
from tests.acceptance.conftest import Samples
from tests.acceptance.files import Night
from tests.acceptance.installation import Installation

BOOKS = ("csa1993", "csa2003", "clerical")
ONLY_THE_GENERATOR_KNOWS = {"true", "injected", "source_right"}


def exported(hub: Installation, *arguments: object) -> dict[str, dict[str, Any]]:
    """Case → its row, without what stands in the row only because every row has the same columns."""
    rows = {row["case"]: row for row in hub.call("export", "arrears", *arguments).rows if row["outcome"]}
    sometimes = {"duplicate_of", "event_state", "applied_to_seq"}
    return {key: {name: value for name, value in row.items() if name not in sometimes or value is not None}
            for key, row in rows.items()}  # fmt: skip


def right(expected: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Case → what its row must say, but for key and group."""
    return {key: {name: value for name, value in case.items() if name not in ONLY_THE_GENERATOR_KNOWS}
            for key, case in expected["cases"].items()}  # fmt: skip


def without_names(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {key: {name: value for name, value in row.items() if name not in {"case", "group"}}
            for key, row in rows.items()}  # fmt: skip


def groups_of(rows: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Case group → its cases."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, row in rows.items():
        found[row["group"]].append(key)
    return {group: sorted(cases) for group, cases in found.items()}


def take(hub: Installation, book: str) -> None:
    hub.call("ingest", book, shipped_connectors() / "connectors" / book / "samples")


@pytest.fixture(scope="module")
def all_books(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation that has taken the samples of all three books."""
    hub = Installation(tmp_path_factory.mktemp("books"))
    for book in BOOKS:
        take(hub, book)
    return hub


def test_every_case_of_the_samples_is_as_expected(all_books: Installation, samples: Samples) -> None:
    rows = exported(all_books, "--as-at", samples.expected["asat"])

    assert without_names(rows) == right(samples.expected)


def test_every_case_group_of_the_samples_is_as_expected(all_books: Installation, samples: Samples) -> None:
    members = groups_of(exported(all_books))
    listed = json.loads(all_books.call("arrears", "groups", "--as-at", samples.expected["asat"], "--json").out)
    segments = {tuple(members[item["group"]]): item["segment"] for item in listed}

    assert segments == {tuple(sorted(item["cases"])): item["segment"] for item in samples.expected["groups"]}


@pytest.mark.parametrize("order", [*itertools.permutations(BOOKS)][1:], ids="-".join)
def test_the_order_in_which_books_come_changes_nothing(
    order: tuple[str, ...], all_books: Installation, tmp_path: Path
) -> None:
    hub = Installation(tmp_path)
    for book in order:
        take(hub, book)

    assert exported(hub) == exported(all_books)


def test_postgresql_gives_the_same(all_books: Installation, postgres_url: str, tmp_path: Path) -> None:
    hub = Installation(tmp_path, database_url=postgres_url)
    for book in BOOKS:
        take(hub, book)

    assert exported(hub) == exported(all_books)
    assert hub.call("export", "debts").out == all_books.call("export", "debts").out
    assert hub.call("arrears", "totals", "--json").out == all_books.call("arrears", "totals", "--json").out
    hub.call("arrears", "judge", "--all")
    assert exported(hub) == exported(all_books)


def test_the_totals_hold_to_the_penny(all_books: Installation, samples: Samples) -> None:
    totals = json.loads(all_books.call("arrears", "totals", "--json").out)
    sources = [case["source"] for case in samples.expected["cases"].values()]
    accepted = [case["accepted"] for case in samples.expected["cases"].values() if case["accepted"]]

    assert all(item["holds"] for item in totals)
    for item in totals:
        figure = item["figure"]
        assert item["source"] == sum(source[figure] for source in sources)
        assert item["accepted"] == sum(figures[figure] for figures in accepted)
        assert item["gross_under"] - item["gross_over"] == item["net"]


def test_every_exception_waits_for_somebody_who_knows_what_to_do(all_books: Installation, samples: Samples) -> None:
    items = all_books.call("export", "exceptions").rows
    codes = [code for case in samples.expected["cases"].values() if case["outcome"] == "EXCEPTION"
             for code in case["causes"]]  # fmt: skip

    assert sorted(item["code"] for item in items) == sorted(codes)
    assert all(item["state"] == "OPEN" for item in items)
    assert all(item["owner"] and "Next:" in item["text"] for item in items if item["code"] != "DE")
    assert not any("QQ" in item["source_ref"] + item["text"] for item in items)


def test_a_debt_has_three_balances(all_books: Installation, samples: Samples) -> None:
    owners = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos", "UNKNOWN": "unk"}
    for row in all_books.call("export", "debts").rows:
        book = "CL" if row["host_system"] == "CLERICAL" else {"1993": "93", "2003": "03"}[row["scheme"]]
        case = samples.expected["cases"][f"{book}:{row['application_ref']}"]
        figure = owners[row["legal_owner"]]
        held = case["outcome"] == "EXCEPTION"

        assert row["source_pence"] == case["source"][figure]
        assert row["accepted_pence"] == (None if held else case["accepted"][figure])
        assert row["accepted_basis"] == (None if held else case["outcome"])
        assert (row["exceptions"] if held else row["causes"]) == case["causes"]
        assert row["segment"] == case["segment"]
        assert (row["collectability"] == "UNCOLLECTABLE") is bool(case["uncollectable"])


def test_judging_again_changes_nothing(all_books: Installation) -> None:
    before = exported(all_books)
    [idle] = all_books.call("arrears", "judge", "--json").rows
    [anew] = all_books.call("arrears", "judge", "--all", "--json").rows

    assert idle == {"groups": 0, "cases": 0}
    assert anew["cases"] == len(before)
    assert exported(all_books) == before


def test_a_page_explains_a_case_as_text_and_as_html(all_books: Installation, samples: Samples, tmp_path: Path) -> None:
    key = next(key for key, case in samples.expected["cases"].items() if case["causes"] == ["E05"])
    text = all_books.call("arrears", "explain", key).out
    all_books.call("arrears", "explain", key, "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    for heading in ("Source ledger", "Findings", "Corrections", "Corrected ledger", "Arithmetic", "Figures"):
        assert heading in text
        assert heading in page
    assert "RECOMPUTED" in text
    assert page.startswith("<!doctype html>")


@pytest.mark.parametrize("kind", ["03:", "CL:"])
def test_every_kind_of_case_can_be_explained_from_stdin(all_books: Installation, samples: Samples, kind: str) -> None:
    for key in (key for key in samples.expected["cases"] if key.startswith(kind)):
        with mock.patch("sys.stdin", io.StringIO(f"{key}\n")):
            assert f"Arrears of case {key}" in all_books.call("arrears", "explain", "-").out


def test_a_personal_reference_is_refused_as_an_argument(all_books: Installation, samples: Samples) -> None:
    key = next(key for key in samples.expected["cases"] if key.startswith("03:"))

    all_books.call("arrears", "explain", key, code=2)
    all_books.call("arrears", "explain", "1099999999", code=3)


def test_change_events_add_to_what_was_accepted(samples: Samples, tmp_path: Path) -> None:
    hub = Installation(tmp_path)
    take(hub, "csa2003")
    before = exported(hub)
    captures = shipped_connectors() / "connectors" / "csa2003" / "captures"
    hub.call("ingest", "csa2003", *captures.glob("*.jsonl"), code=None)
    rows = exported(hub)
    after = {
        key: {"state": row["event_state"], "applied_to_seq": row["applied_to_seq"], "accepted": row["accepted"]}
        for key, row in rows.items()
        if "event_state" in row
    }
    held = {key for key, row in before.items() if row["outcome"] == "EXCEPTION"}

    assert {key: row for key, row in after.items() if key not in held} == {
        key: row for key, row in samples.expected["events"]["cases"].items() if key not in held
    }


def test_every_night_of_an_estate_is_judged_right(hub: Installation, nights: list[Night]) -> None:
    for night in nights:
        hub.call("ingest", "csa1993", night.data)
        rows = exported(hub, "--as-at", night.expected["asat"])
        held = sorted(
            code
            for case in night.expected["cases"].values()
            if case["outcome"] == "EXCEPTION"
            for code in case["causes"]
        )
        waiting = sorted(row["code"] for row in hub.call("export", "exceptions").rows if row["state"] == "OPEN")

        assert without_names(rows) == right(night.expected)
        assert {tuple(cases) for cases in groups_of(rows).values()} == {
            tuple(sorted(item["cases"])) for item in night.expected["groups"]
        }
        assert waiting == held


def test_a_correction_is_judged_without_the_rest(hub: Installation, nights: list[Night]) -> None:
    hub.call("ingest", "csa1993", nights[0].data)
    with mock.patch("integrationhub.bootstrap.Hub.judge_waiting"):
        hub.call("ingest", "csa1993", nights[1].data)
    [judged] = hub.call("arrears", "judge", "--json").rows

    assert 0 < judged["cases"] < len(nights[1].expected["cases"]) / 2
    assert without_names(exported(hub, "--as-at", nights[1].expected["asat"])) == right(nights[1].expected)


@pytest.mark.parametrize("point", ["linked", "before judged", "judged batch"])
def test_judging_that_was_killed_goes_on(hub: Installation, nights: list[Night], point: str) -> None:
    hub.call("ingest", "csa1993", nights[0].data)
    hub.run("ingest", "csa1993", nights[1].data, code=None, test_crash_at=point)
    hub.call("arrears", "judge")

    assert without_names(exported(hub, "--as-at", nights[1].expected["asat"])) == right(nights[1].expected)


def test_an_estate_is_judged_without_a_silent_error(hub: Installation, tmp_path: Path) -> None:
    hub.data.mkdir()
    report = hub.call("estate", "accuracy", "--groups", 150, "--seed", 5, "--out", tmp_path / "report").out

    for measure in ("silently wrong", "differing from the truth in anything"):
        lines = [line for line in report.splitlines() if line.startswith(f"| {measure} |")]
        assert lines
        for line in lines:  # of the books, and of the cases with events
            assert set(line.split("|")[2:-1:2]) == {" 0 "}, line
    assert (tmp_path / "report" / "accuracy.svg").read_text(encoding="utf-8").startswith("<svg")
    assert json.loads(json.dumps(report)) == (tmp_path / "report" / "accuracy.md").read_text(encoding="utf-8") + "\n"
