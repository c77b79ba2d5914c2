"""Night after night: whole books and corrections, on both databases with the same rows."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.files import Night
from tests.acceptance.installation import Installation
from tests.services.servers import PostgresServer


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, nights: list[Night]) -> list[dict[str, str]]:
    """The exports after each night, from SQLite."""
    return exports_by_night(Installation(tmp_path_factory.mktemp("embedded")), nights)


@pytest.fixture(scope="module")
def on_postgres(
    tmp_path_factory: pytest.TempPathFactory, nights: list[Night], postgres: PostgresServer
) -> Iterator[list[dict[str, str]]]:
    """The exports after each night, from PostgreSQL."""
    url = postgres.new_database()
    yield exports_by_night(Installation(tmp_path_factory.mktemp("server"), database_url=url), nights)
    postgres.drop_database(url)


def exports_by_night(hub: Installation, nights: list[Night]) -> list[dict[str, str]]:
    found = []
    for night in nights:
        [report] = hub.call("ingest", "csa1993", night.data, "--json", slice_bytes=32 * 1024).rows
        assert report["verdict"] == "ACCEPTED"
        assert sorted(map(int, report["missing"])) == sorted(night.expected.get("gone", []))
        hub.call("store", "check")
        found.append(hub.exports())
    repeats = hub.call("ingest", "csa1993", *(night.data for night in nights), "--json")
    assert repeats.verdicts == ["DUPLICATE"] * len(nights)
    assert hub.exports() == found[-1]
    return found


def rows(exports: dict[str, str], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exports[name].splitlines()]


def test_both_databases_give_the_same_rows_every_night(
    embedded: list[dict[str, str]], on_postgres: list[dict[str, str]]
) -> None:
    for here, there in zip(embedded, on_postgres, strict=True):
        assert here.keys() == there.keys()
        for name in here:
            assert here[name] == there[name], name


def test_every_case_of_the_book_has_the_figures_of_its_last_file(
    embedded: list[dict[str, str]], nights: list[Night]
) -> None:
    for exports, night in zip(embedded, nights, strict=True):
        figures = {row["case"]: row["source"] for row in rows(exports, "arrears")}
        assert {case: figures[case] for case in night.sources} == night.sources


def test_what_is_gone_from_a_whole_book_is_reported_and_kept(
    embedded: list[dict[str, str]], nights: list[Night]
) -> None:
    [place] = [place for place, night in enumerate(nights) if night.expected.get("gone")]
    before, after = embedded[place - 1], embedded[place]
    gone = {str(number) for number in nights[place].expected["gone"]}

    groups = [row for row in rows(after, "groups") if row["source_ref"] in gone]
    assert {row["state"] for row in groups} == {"GONE"}
    identifiers = {row["group_id"] for row in groups}
    for name in ("debts", "ledger", "balances", "receipts"):
        kept = [row for row in rows(before, name) if row["group_id"] in identifiers]
        assert [row for row in rows(after, name) if row["group_id"] in identifiers] == kept, name


def test_a_withdrawn_group_loses_its_cases_debts_and_ledger(
    embedded: list[dict[str, str]], nights: list[Night]
) -> None:
    for place, night in enumerate(nights):
        withdrawn = {str(number) for number in night.expected.get("withdrawn", [])}
        exports = embedded[place]
        identifiers = {row["group_id"] for row in rows(exports, "groups") if row["source_ref"] in withdrawn}
        assert len(identifiers) == len(withdrawn)
        cases = [row for row in rows(exports, "cases") if row["group_id"] in identifiers]
        assert all(row["state"] == "WITHDRAWN" for row in cases)
        debts = [row for row in rows(exports, "debts") if row["group_id"] in identifiers]
        assert all(
            (row["status"], row["source_pence"], row["recomputed_pence"]) == ("REMOVED", None, 0) for row in debts
        )
        removed = {row["subject"] for row in rows(exports, "events") if row["type"] == "debt.removed"}
        assert {row["debt_id"] for row in debts} <= removed
    assert any(night.expected.get("withdrawn") for night in nights)


def test_a_case_that_moved_stands_in_its_new_group_once(embedded: list[dict[str, str]], nights: list[Night]) -> None:
    moves = [(place, night.expected["moved"]) for place, night in enumerate(nights) if night.expected.get("moved")]
    assert moves
    for place, reference in moves:
        [before] = [row for row in rows(embedded[place - 1], "cases") if row["source_ref"] == reference]
        [after] = [row for row in rows(embedded[place], "cases") if row["source_ref"] == reference]
        assert before["group_id"] != after["group_id"]
        assert after["state"] == "IN_BOOK"
        debts = [row for row in rows(embedded[place], "debts") if row["application_ref"] == reference]
        assert {row["group_id"] for row in debts} == {after["group_id"]}


def test_a_case_is_as_at_the_file_its_group_last_came_in(embedded: list[dict[str, str]], nights: list[Night]) -> None:
    correction, first = nights[1], nights[0]
    changed = {str(number) for number in correction.expected["changed"]} - {
        str(number) for number in correction.expected["withdrawn"]
    }
    groups = {row["group_id"]: row["source_ref"] for row in rows(embedded[1], "groups")}
    cases = [row for row in rows(embedded[1], "cases") if row["state"] == "IN_BOOK"]

    fresh = {row["as_at"] for row in cases if groups[row["group_id"]] in changed}
    old = {row["as_at"] for row in cases if groups[row["group_id"]] not in changed}
    assert (fresh, old) == ({correction.expected["asat"]}, {first.expected["asat"]})


def test_ledger_entries_are_only_ever_added(embedded: list[dict[str, str]]) -> None:
    for before, after in pairwise(embedded):
        entries = {row["entry_id"]: row for row in rows(after, "ledger")}
        assert all(entries[row["entry_id"]] == row for row in rows(before, "ledger"))


def test_events_of_a_subject_are_numbered_from_one_without_gaps(embedded: list[dict[str, str]]) -> None:
    numbers: dict[tuple[str, str], list[int]] = {}
    for row in rows(embedded[-1], "events"):
        numbers.setdefault((row["subject"], row["audience"]), []).append(row["sequence"])

    assert any(len(found) > 1 for found in numbers.values())
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_the_nights_can_be_skipped_through_in_one_call(tmp_path: Path, nights: list[Night]) -> None:
    one_by_one, at_once = Installation(tmp_path / "one"), Installation(tmp_path / "all")
    for night in nights:
        one_by_one.call("ingest", "csa1993", night.data)
    at_once.call("ingest", "csa1993", nights[0].data.parent)

    assert at_once.exports_now() == one_by_one.exports_now()
