"""R13: a field that can't be understood sets aside its whole source group, and only that, until it comes corrected."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.files import Night, copybook, make_nights
from tests.acceptance.installation import Installation
from tests.faults.plants import Plantation, Spoil, spoils

SLICE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file in which every field is spoilt somewhere, and what became of it."""

    hub: Installation
    plantation: Plantation
    nights: list[Night]
    report: dict[str, Any]

    @property
    def groups(self) -> list[int]:
        """Numbers of the groups that were spoilt."""
        return [planted.group for planted in self.plantation.planted]


def hand_over_spoilt(plantation: Plantation, night: Night, folder: Path) -> Path:
    folder.mkdir()
    path = folder / night.data.name
    path.write_bytes(plantation.data)
    path.with_suffix(".ctl").write_bytes(plantation.trigger)
    return path


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    folder = tmp_path_factory.mktemp("set-aside")
    nights = make_nights(folder / "nights", groups=200, seed=5, kinds="F")
    plantation = Plantation(nights[0].good())
    for spoil in spoils(copybook()):
        plantation.plant(spoil)
    hub = Installation(folder, slice_bytes=SLICE_BYTES)
    path = hand_over_spoilt(plantation, nights[0], folder / "in")
    [report] = hub.run("ingest", "csa1993", path, "--json").rows
    return Taken(hub=hub, plantation=plantation, nights=nights, report=report)


def test_every_spoilt_field_is_named_with_its_place(taken: Taken) -> None:
    named = {(reason["record"], reason["offset"], reason["field"]) for reason in taken.report["reasons"]}
    planted = taken.plantation.planted

    assert len(planted) > 150
    assert named == {(item.record, taken.plantation.offset(item.record), item.spoil.field) for item in planted}
    assert {reason["code"] for reason in taken.report["reasons"]} == {"R13"}


def test_exactly_the_spoilt_groups_are_set_aside_as_a_whole(taken: Taken) -> None:
    set_aside = taken.plantation.records_of(taken.groups)

    assert taken.report["verdict"] == "ACCEPTED"
    assert taken.report["outcomes"]["EXCEPTION"] == set_aside
    assert taken.report["outcomes"]["LOADED"] == taken.report["records"] - set_aside


def test_all_other_groups_load_with_the_figures_of_the_source(taken: Taken) -> None:
    left_out = taken.plantation.cases_of(taken.groups)
    truth = {case: source for case, source in taken.nights[0].sources.items() if case not in left_out}

    assert truth
    assert {row["case"]: row["source"] for row in taken.hub.rows("arrears")} == truth
    numbers = {int(row["source_ref"]) for row in taken.hub.rows("groups")}
    assert numbers == set(taken.plantation.groups) - set(taken.groups)


def test_no_row_of_a_spoilt_group_is_stored_anywhere(taken: Taken) -> None:
    records = {record + 1 for group in taken.groups for record in taken.plantation.groups[group]}
    for name, text in taken.hub.exports().items():
        if name not in ("arrears", "events", "exceptions"):
            found = [row for row in map(json.loads, text.splitlines()) if row.get("record_no") in records]
            assert found == [], name


def test_loaded_and_set_aside_make_up_every_control_total(taken: Taken) -> None:
    totals = [control for control in taken.report["controls"] if "loaded" in control]

    assert len(totals) == 6
    assert [total["loaded"] + total["set_aside"] for total in totals] == [total["expected"] for total in totals]
    assert any(total["set_aside"] for total in totals)


def test_each_spoilt_group_is_on_the_worklist_and_told_of_once(taken: Taken) -> None:
    rows = [row for row in taken.hub.run("export", "exceptions").rows if row["code"] == "R13"]

    assert sorted(int(row["source_ref"]) for row in rows) == sorted(taken.groups)
    assert {(row["code"], row["entity"], row["state"]) for row in rows} == {("R13", "groups", "OPEN")}
    places = {item.group: f"record {item.record} {item.spoil.field}" for item in taken.plantation.planted}
    assert all(places[int(row["source_ref"])] in row["text"] for row in rows)
    events = [row for row in taken.hub.rows("events") if row["type"] == "worklist.opened"]
    assert sorted(event["subject"] for event in events) == sorted(row["exception_id"] for row in rows)


def test_the_store_is_sound_with_groups_set_aside(taken: Taken) -> None:
    taken.hub.run("store", "check")


def test_groups_that_come_corrected_load_and_resolve_their_exceptions(taken: Taken) -> None:
    whole_book = taken.nights[1]

    [report] = taken.hub.run("ingest", "csa1993", whole_book.data, "--json").rows

    assert report["outcomes"]["EXCEPTION"] == 0
    figures = {row["case"]: row["source"] for row in taken.hub.rows("arrears")}
    assert {case: figures[case] for case in whole_book.sources} == whole_book.sources
    gone = {str(number) for number in whole_book.expected["gone"]}
    still_open = {
        row["source_ref"] for row in taken.hub.rows("exceptions") if row["state"] == "OPEN" and row["code"] == "R13"
    }
    assert still_open <= gone
    taken.hub.run("store", "check")


def test_a_group_that_comes_spoilt_keeps_its_version_of_before(hub: Installation, small: list[Night]) -> None:
    first, correction, whole_book = small
    hub.call("ingest", "csa1993", first.data, correction.data)
    before = {row["case"]: row for row in hub.rows("arrears")}
    plantation = Plantation(whole_book.good())
    plantation.plant(Spoil(kind="40", field="L-POSTED", raw=b"\x6f"))
    left_out = plantation.cases_of([plantation.planted[0].group])

    path = hand_over_spoilt(plantation, whole_book, hub.data.parent / "in")
    [report] = hub.call("ingest", "csa1993", path, "--json").rows

    after = {row["case"]: row for row in hub.rows("arrears")}
    assert left_out
    assert {case: after[case] for case in left_out} == {case: before[case] for case in left_out}
    assert str(plantation.planted[0].group) not in report["missing"]
    truth = {case: source for case, source in whole_book.sources.items() if case not in left_out}
    assert {case: after[case]["source"] for case in truth} == truth
    hub.call("store", "check")
