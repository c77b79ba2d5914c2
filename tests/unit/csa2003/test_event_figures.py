"""What change events do to figures, to the world that is told of them, and to the page of their case."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from integrationhub.bootstrap import Hub
from tests.unit.csa2003.conftest import Ask, Take
from tests.unit.csa2003.extracts import SAMPLE, XML, pack, renumbered
from tests.unit.csa2003.test_events import CASE, event, exported, outcomes, status, taken

ALL_ROWS = date(2015, 6, 30)


def schedule_of(ask: Ask) -> str:
    """The receiving parent's schedule of the case."""
    query = "SELECT c.source_ref, s.source_id FROM schedules s JOIN cases c USING (case_id) WHERE s.owner LIKE 'REC%'"
    return str(dict(tuple(row) for row in ask(query))[CASE])


@pytest.fixture
def schedule(hub: Hub, take: Take, ask: Ask) -> str:
    """The same, the sample being in the book and judged."""
    take(SAMPLE)
    hub.judge_waiting()
    return schedule_of(ask)


def receipt(
    number: int, schedule: str, amount: str = "-40.00", *, key: str = "1-ZZ1", value: str = "2015-06-01"
) -> dict[str, Any]:
    child = (
        f'<Receipt id="{key}" scheduleRef="{schedule}" amount="{amount}" bankReference="B1" valueDate="{value}" '
        f'method="CH" disbursement="HELD"/>'
    )
    return event(number, child, "receipt.posted")


def reversal(number: int, of: str, amount: str = "40.00", *, key: str = "1-ZZ2") -> dict[str, Any]:
    child = f'<ReceiptReversed id="{key}" reverses="{of}" amount="{amount}" reason="BD"/>'
    return event(number, child, "receipt.reversed")


def adjustment(number: int, schedule: str, amount: str, reason: str = "DEBIT", *, key: str = "1-ZZ3") -> dict[str, Any]:
    child = (
        f'<Adjustment id="{key}" scheduleRef="{schedule}" amount="{amount}" reason="{reason}" effective="2015-06-30"/>'
    )
    return event(number, child, "adjustment.posted")


def told(ask: Ask) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in ask("SELECT data FROM outbox WHERE type = 'debt.changed' ORDER BY position")]


def accepted(hub: Hub) -> dict[str, int]:
    figures: dict[str, int] = exported(hub)[f"03:{CASE}"]["accepted"]
    return figures


def page(hub: Hub) -> str:
    return hub.arrears_desk().explain(CASE, as_at=ALL_ROWS).text()


def test_an_event_on_a_recomputed_case_adds_to_the_recomputed_figures(hub: Hub, schedule: str, tmp_path: Path) -> None:
    before = exported(hub)[f"03:{CASE}"]
    assert before["outcome"] == "RECOMPUTED"
    taken(hub, tmp_path, [receipt(1, schedule)])
    after = exported(hub)[f"03:{CASE}"]
    moved = {"rp": -4000, "custodian": 4000}
    assert after["accepted"] == {name: pence + moved.get(name, 0) for name, pence in before["accepted"].items()}
    assert (after["source"], after["outcome"], after["causes"]) == (before["source"], "RECOMPUTED", before["causes"])


def test_a_reversal_takes_the_receipt_back_and_releases_the_cash_once(hub: Hub, schedule: str, tmp_path: Path) -> None:
    before = accepted(hub)
    events = [receipt(1, schedule), reversal(2, "1-ZZ1"), reversal(3, "1-ZZ1", key="1-ZZ9")]
    taken(hub, tmp_path, events[:2])
    assert accepted(hub) == before
    taken(hub, tmp_path, events)
    assert accepted(hub) == {**before, "rp": before["rp"] + 4000}


def test_a_suspension_moves_the_suspended_part_alone(hub: Hub, schedule: str, tmp_path: Path) -> None:
    before = accepted(hub)
    taken(hub, tmp_path, [adjustment(1, schedule, "9.00", "SUSPEND"), adjustment(2, schedule, "2.50", "UNSUSPEND")])
    assert accepted(hub) == {**before, "susp_rp": before["susp_rp"] + 650}


def test_an_applied_event_publishes_the_changed_debt_to_the_internal_audience(
    hub: Hub, schedule: str, ask: Ask, tmp_path: Path
) -> None:
    taken(hub, tmp_path, [receipt(1, schedule)])
    (change,) = told(ask)
    source = exported(hub)[f"03:{CASE}"]["source"]["rp"]
    assert (change["balance_pence"], change["changed"]) == (source - 4000, ["balance_pence"])
    keys = ask("SELECT routing_key, audience FROM outbox WHERE type = 'debt.changed'")
    assert [tuple(row) for row in keys] == [("internal.debt.changed", "internal")]


def test_an_event_that_changes_no_figure_publishes_nothing(hub: Hub, schedule: str, ask: Ask, tmp_path: Path) -> None:
    taken(hub, tmp_path, [status(1, "CLOSED"), reversal(3, "1-ZZ1"), receipt(4, schedule)])
    assert told(ask) == []


def test_early_events_are_told_of_when_the_missing_one_comes(hub: Hub, schedule: str, ask: Ask, tmp_path: Path) -> None:
    taken(hub, tmp_path, [adjustment(2, schedule, "10.00")])
    assert told(ask) == []
    taken(hub, tmp_path, [adjustment(1, schedule, "5.00", key="1-ZZ4")])
    source = exported(hub)[f"03:{CASE}"]["source"]["rp"]
    assert [change["balance_pence"] for change in told(ask)] == [source + 1500]


def later_book(folder: Path, *, contains: int) -> Path:
    """The sample's book of the next night, the same figures, with so many events in it."""
    place = XML.index('lastEventSeq="', XML.index(f'Case ref="{CASE}"'))
    xml = XML[:place] + XML[place:].replace('lastEventSeq="0"', f'lastEventSeq="{contains}"', 1)
    return pack(folder, renumbered(xml, 102), sequence=102)


def test_a_later_book_replaces_the_events_it_contains_and_the_world_is_told(
    hub: Hub, schedule: str, take: Take, ask: Ask, tmp_path: Path
) -> None:
    before = exported(hub)[f"03:{CASE}"]
    taken(hub, tmp_path, [adjustment(1, schedule, "5.00"), adjustment(2, schedule, "7.00", key="1-ZZ4")])
    take(later_book(tmp_path / "next", contains=1))
    row = exported(hub)[f"03:{CASE}"]
    assert row["accepted"] == {**before["accepted"], "rp": before["accepted"]["rp"] + 700}
    assert (row["event_state"], row["applied_to_seq"]) == ("APPLIED", 2)
    source = before["source"]["rp"]
    assert [change["balance_pence"] for change in told(ask)] == [source + 1200, source + 700]


def test_the_order_of_book_and_events_does_not_matter(hub: Hub, schedule: str, take: Take, tmp_path: Path) -> None:
    events = [adjustment(1, schedule, "5.00"), adjustment(2, schedule, "7.00", key="1-ZZ4")]
    before = accepted(hub)
    take(later_book(tmp_path / "next", contains=1))
    assert outcomes(taken(hub, tmp_path, events)) == [("SUPERSEDED", "STALE_VERSION"), ("LOADED", None)]
    assert accepted(hub) == {**before, "rp": before["rp"] + 700}


def test_a_later_book_that_contains_the_contested_number_resolves_the_conflict(
    hub: Hub, schedule: str, take: Take, ask: Ask, tmp_path: Path
) -> None:
    taken(hub, tmp_path, [adjustment(1, schedule, "5.00"), adjustment(1, schedule, "6.00")])
    assert exported(hub)[f"03:{CASE}"]["causes"] == ["EV"]
    take(later_book(tmp_path / "next", contains=1))
    row = exported(hub)[f"03:{CASE}"]
    assert (row["outcome"], row["event_state"]) == ("RECOMPUTED", None)
    assert ask("SELECT state FROM worklist WHERE code = 'EV'") == [("RESOLVED",)]


WITHOUT_CARER = re.sub(rf'(caseRef="{CASE}"[^>]*role=)"PWC"', r'\1"REP"', XML, count=1)
"""The sample with a parent with care who is but a representative: the case is an exception (E10)."""


def without_carer(folder: Path) -> Path:
    return pack(folder, WITHOUT_CARER)


def test_an_event_for_an_exception_is_kept_and_not_accepted(hub: Hub, take: Take, ask: Ask, tmp_path: Path) -> None:
    take(without_carer(tmp_path / "book"))
    hub.judge_waiting()
    reports = taken(hub, tmp_path, [adjustment(1, schedule_of(ask), "5.00")])
    assert outcomes(reports) == [("LOADED", None)]
    row = exported(hub)[f"03:{CASE}"]
    assert (row["outcome"], row["causes"], row["accepted"]) == ("EXCEPTION", ["E10"], None)
    assert row["event_state"] == "APPLIED"
    assert told(ask) == []
    kinds = [item["kind"] for item in balances(hub) if item["source_ref"] == CASE]
    assert kinds == ["SOURCE", "RECOMPUTED"]


def test_an_event_is_told_of_once_a_later_book_makes_its_case_sound_and_taken_back_when_one_makes_it_an_exception(
    hub: Hub, take: Take, ask: Ask, tmp_path: Path
) -> None:
    take(without_carer(tmp_path / "book"))
    hub.judge_waiting()
    taken(hub, tmp_path, [adjustment(1, schedule_of(ask), "5.00"), adjustment(2, "1-NOWHERE", "7.00")])
    assert (told(ask), ask("SELECT code FROM worklist WHERE code LIKE 'EVENT%'")) == ([], [])

    nights: list[int] = []
    for sequence, xml in ((102, XML), (103, WITHOUT_CARER), (104, XML)):
        take(pack(tmp_path / str(sequence), renumbered(xml, sequence), sequence=sequence))
        hub.judge_waiting()
        nights.append(len(told(ask)))
    hub.judging().run(everything=True)

    source = exported(hub)[f"03:{CASE}"]["source"]["rp"]
    assert [change["balance_pence"] for change in told(ask)] == [source + 500, source, source + 500]
    assert nights == [1, 2, 3]
    assert ask("SELECT code FROM worklist WHERE code LIKE 'EVENT%'") == [("EVENT_TARGET_UNKNOWN",)]


def test_an_event_that_names_no_schedule_of_its_case_moves_nothing_and_waits_for_a_person(
    hub: Hub, schedule: str, ask: Ask, tmp_path: Path
) -> None:
    before = accepted(hub)
    taken(hub, tmp_path, [adjustment(1, "1-NOWHERE", "5.00"), receipt(2, schedule)])
    assert accepted(hub) == {**before, "rp": before["rp"] - 4000, "custodian": before["custodian"] + 4000}
    assert ask("SELECT code FROM worklist WHERE code LIKE 'EVENT%'") == [("EVENT_TARGET_UNKNOWN",)]
    assert "nothing: the case has no such schedule" in page(hub)


def test_a_payment_by_event_counts_as_one_and_its_reversal_takes_it_away(
    hub: Hub, schedule: str, tmp_path: Path
) -> None:
    assert exported(hub)[f"03:{CASE}"]["segment"] == "2"
    taken(hub, tmp_path, [receipt(1, schedule, "-1000.00", value="2015-06-20")])
    assert exported(hub)[f"03:{CASE}"]["segment"] in {"3", "4"}
    taken(hub, tmp_path, [reversal(2, "1-ZZ1", "1000.00")])
    assert exported(hub)[f"03:{CASE}"]["segment"] == "2"


def test_the_page_shows_events_and_its_totals_end_with_them(hub: Hub, schedule: str, tmp_path: Path) -> None:
    address = '<Address partyRef="1-A" confidential="true" postcode="ZZ9 9ZZ"><Line>1 Nowhere Street</Line></Address>'
    events = [receipt(1, schedule), event(2, address, "address.changed"), status(3, "CLOSED"), status(5)]
    taken(hub, tmp_path, events)
    text = page(hub)
    figures = accepted(hub)
    assert "State WAITING; applied up to number 3." in text
    assert "Number 4 is missing" in text
    assert "an address of party 1-A, confidential" in text
    assert "Nowhere Street" not in text
    last = [line for line in text.splitlines() if line.startswith("event 1 ")][-1]
    assert f"{figures['rp'] / 100:,.2f}" in last
    (row,) = [line for line in text.splitlines() if line.startswith("receiving parent ")][-1:]
    assert row.endswith(f"{figures['rp'] / 100:,.2f}")


@pytest.mark.usefixtures("schedule")
def test_what_an_event_says_is_kept_whole(hub: Hub, ask: Ask, tmp_path: Path) -> None:
    address = '<Address partyRef="1-A" confidential="true" postcode="ZZ9 9ZZ"><Line>1 Nowhere Street</Line></Address>'
    taken(hub, tmp_path, [event(1, address, "address.changed"), status(2, "CLOSED")])
    said = [json.loads(row[0]) for row in ask("SELECT said FROM case_events ORDER BY case_seq")]
    assert said == [
        {"partyRef": "1-A", "confidential": "true", "postcode": "ZZ9 9ZZ", "lines": ["1 Nowhere Street"]},
        {"status": "CLOSED"},
    ]


@pytest.mark.parametrize("value", ["2015-06-01Z", "2015-06-01+01:00", "12015-06-01"])
def test_a_date_that_no_column_holds_is_a_dead_letter(hub: Hub, schedule: str, tmp_path: Path, value: str) -> None:
    assert outcomes(taken(hub, tmp_path, [receipt(1, schedule, value=value)])) == [("REJECTED", "SCHEMA_INVALID")]


def balances(hub: Hub) -> list[dict[str, Any]]:
    hub.judge_waiting()
    with hub.store.read() as connection:
        frames = hub.judged_rows(connection, ALL_ROWS)["balances"]()
        return [row for frame in frames for row in frame.to_dicts()]


def test_every_debt_has_three_balances_and_the_accepted_ones_say_why(hub: Hub, schedule: str, tmp_path: Path) -> None:
    taken(hub, tmp_path, [adjustment(1, schedule, "5.00")])
    rows = exported(hub)
    found = {(row["source_ref"], row["debt_id"], row["kind"]): row for row in balances(hub)}
    mine = {kind: row for (ref, _, kind), row in found.items() if ref == CASE}
    case = rows[f"03:{CASE}"]
    assert {kind: row["pence"] for kind, row in mine.items()} == {
        "SOURCE": case["source"]["rp"], "RECOMPUTED": case["accepted"]["rp"], "ACCEPTED": case["accepted"]["rp"],
    }  # fmt: skip
    assert mine["ACCEPTED"]["evidence"] == "corrected by the written rules E05 (class AUTO); then events 1 to 1"
    for (ref, debt, kind), row in found.items():
        source = found.get((ref, debt, "SOURCE"))
        if kind == "ACCEPTED" and source is not None and row["pence"] != source["pence"]:
            assert row["evidence"] != "accepted as the source states it"


def test_every_kept_event_can_be_exported_with_its_state(
    hub: Hub, schedule: str, take: Take, ask: Ask, tmp_path: Path
) -> None:
    events = [adjustment(1, schedule, "5.00"), status(2, "CLOSED"), status(4), status(2, "LIVE")]
    taken(hub, tmp_path, events)
    take(later_book(tmp_path / "next", contains=1))
    with hub.store.read() as connection:
        rows = [row for frame in hub.judged_rows(connection, ALL_ROWS)["case_events"]() for row in frame.to_dicts()]
    assert [(row["case_seq"], row["kind"], row["state"], row["says"]) for row in rows] == [
        (1, "Adjustment", "IN_BOOK", "DEBIT 2015-06-30"), (2, "Status", "CONFLICT", "CLOSED"),
        (4, "Status", "WAITING", "LIVE"),
    ]  # fmt: skip
    deliveries = {row[0].replace("-", "") for row in ask("SELECT delivery_id FROM deliveries WHERE kind = 'MESSAGE'")}
    assert {row["delivery_id"] for row in rows} <= deliveries
