"""The three books and the events come to what is expected, and to the same, on either database."""

import json
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.store.invariants import check
from tests.contract.arrears.conftest import BOOKS, CAPTURE, CONNECTORS, take_books

EXPECTED = json.loads((CONNECTORS / "csa1993" / "samples" / "expected.json").read_text(encoding="utf-8"))
DAY = date.fromisoformat(EXPECTED["asat"])
JUDGED = ("source", "outcome", "causes", "flags", "accepted", "segment", "uncollectable", "debts")
EVENTFUL = EXPECTED["events"]["cases"]


def rows(hub: Hub, name: str = "arrears") -> list[dict[str, Any]]:
    with hub.store.read() as connection:
        return [row for frame in hub.judged_rows(connection, DAY)[name]() for row in frame.to_dicts()]


def test_every_case_of_all_books_is_as_expected(hub: Hub) -> None:
    take_books(hub, *BOOKS)
    found = {row["case"]: row for row in rows(hub)}
    assert found.keys() == EXPECTED["cases"].keys()
    for key, wanted in EXPECTED["cases"].items():
        assert {name: found[key][name] for name in JUDGED} == {name: wanted[name] for name in JUDGED}, key


def test_the_events_change_the_cases_that_they_should_and_no_others(full: Hub) -> None:
    found = {row["case"]: row for row in rows(full)}
    for key, wanted in EXPECTED["cases"].items():
        expected = EVENTFUL[key]["accepted"] if key in EVENTFUL else wanted["accepted"]
        state = (EVENTFUL[key]["state"], EVENTFUL[key]["applied_to_seq"]) if key in EVENTFUL else (None, None)
        assert (found[key]["event_state"], found[key]["applied_to_seq"]) == state
        assert found[key]["accepted"] == expected, key


def test_case_groups_are_never_split_whatever_order_the_books_come_in(url: str, tmp_path: Path) -> None:
    def grouped(order: tuple[str, ...], place: str) -> tuple[set[frozenset[str]], list[dict[str, Any]]]:
        settings = Settings(database_url=place, data_dir=tmp_path / "-".join(order), synthetic_identities=True)
        with Hub(settings, Catalogue.standard()) as hub:
            take_books(hub, *order)
            found = rows(hub)
        members: dict[str, set[str]] = {}
        for row in found:
            members.setdefault(row["group"], set()).add(row["case"])
        return {frozenset(group) for group in members.values()}, found

    orders = list(permutations(BOOKS))
    places = [url, *(f"sqlite:///{tmp_path / str(number)}.db" for number in range(1, len(orders)))]
    results = [grouped(order, place) for order, place in zip(orders, places, strict=True)]
    assert results[0][0] == {frozenset(group["cases"]) for group in EXPECTED["groups"]}
    assert all(result == results[0] for result in results)


def test_everything_that_must_hold_of_verdicts_holds(full: Hub) -> None:
    with full.store.read() as connection:
        assert [finding.invariant for finding in check(connection) if not finding.holds] == []


ALTERED = {
    "accepted-balances-follow-from-corrections": "UPDATE verdicts SET accepted_rp = accepted_rp + 1",
    "accepted-differs-from-source-with-a-cause-only": "DELETE FROM corrections",
    "recomputed-balances-are-the-corrected-ledger": "UPDATE verdicts SET recomputed_susp_rp = 7",
    "verdicts-are-of-the-stored-source": "UPDATE balances SET pence = pence + 1",
}


@pytest.mark.parametrize("invariant", ALTERED)
def test_a_balance_that_was_altered_by_hand_is_found(full: Hub, invariant: str) -> None:
    with full.store.begin() as work:
        work.connection.execute(text(ALTERED[invariant]))
        broken = {finding.invariant for finding in check(work.connection) if not finding.holds}
    assert invariant in broken


def test_the_three_balances_of_debts_add_up_to_those_of_cases(full: Hub) -> None:
    cases, balances = rows(full), rows(full, "balances")
    for kind, figure in (("ACCEPTED", "accepted"), ("SOURCE", "source")):
        mine = [row for row in balances if row["kind"] == kind]
        theirs = [case[figure] for case in cases if case[figure]]
        assert sum(row["pence"] for row in mine) == sum(it["rp"] + it["sos"] + it["unk"] for it in theirs)
        assert sum(row["suspended_pence"] for row in mine) == sum(it["susp_rp"] + it["susp_sos"] for it in theirs)


def test_the_same_traffic_again_changes_nothing(full: Hub) -> None:
    before = rows(full)
    full.captures("csa2003").take(CAPTURE)
    take_books(full, *BOOKS)
    assert rows(full) == before
