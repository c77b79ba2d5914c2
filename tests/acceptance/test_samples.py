"""The samples of the interface document, as somebody types it: taken in, looked at, taken in again."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Samples
from tests.acceptance.files import Night
from tests.acceptance.installation import Done, Installation

OWNERS = {"RECEIVING_PARENT": "rp", "SECRETARY_OF_STATE": "sos", "UNKNOWN": "unk"}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory, samples: Samples) -> tuple[Installation, Done]:
    """An installation that has taken the samples, and what `ingest` said."""
    hub = Installation(tmp_path_factory.mktemp("samples"))
    return hub, hub.run("ingest", "csa1993", samples.folder, "--json")


def controls_of(done: Done) -> dict[str, Any]:
    [report] = done.rows
    assert all(control["holds"] for control in report["controls"])
    assert all(control["expected"] == control["actual"] for control in report["controls"])
    return {control["name"]: control["actual"] for control in report["controls"]}


def files_below(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def test_the_controls_are_those_of_the_samples(taken: tuple[Installation, Done], samples: Samples) -> None:
    _, done = taken

    assert controls_of(done) == samples.control


def test_every_record_is_loaded_and_nothing_else_is_said(taken: tuple[Installation, Done], samples: Samples) -> None:
    [report] = taken[1].rows
    units = samples.control["records"] - 2

    assert (report["connector"], report["verdict"], report["reasons"]) == ("csa1993", "ACCEPTED", [])
    assert report["path"] == str(samples.data)
    assert report["records"] == units == sum(report["outcomes"].values())
    assert report["outcomes"]["LOADED"] == units


def test_the_source_figures_of_every_case_are_those_of_the_samples(
    taken: tuple[Installation, Done], samples: Samples
) -> None:
    hub, _ = taken
    rows = hub.run("export", "arrears", "--as-at", "2015-06-30").rows

    assert {row["case"]: row["source"] for row in rows} == samples.sources
    assert [row["case"] for row in rows] == sorted(samples.sources)


def test_the_debts_add_up_to_the_control_totals(taken: tuple[Installation, Done], samples: Samples) -> None:
    hub, done = taken
    rows = hub.run("export", "debts").rows
    pence: Counter[str] = Counter()
    for row in rows:
        pence[OWNERS[row["legal_owner"]]] += row["source_pence"]
    [report] = done.rows

    assert pence == Counter({name: samples.control[name] for name in OWNERS.values()})
    assert report["totals"]["debts"] == {"count": len(rows), "pence": pence.total()}


def test_the_samples_again_are_a_repeat_and_change_nothing(taken: tuple[Installation, Done], samples: Samples) -> None:
    hub, _ = taken
    before = {name: hub.call("export", name).out for name in ("debts", "ledger", "parties", "arrears", "events")}
    everything = hub.exports(times=True)

    [report] = hub.run("ingest", "csa1993", samples.folder, "--json").rows

    assert report["verdict"] == "DUPLICATE"
    assert report["outcomes"]["DUPLICATE"] == report["records"] == sum(report["outcomes"].values())
    assert hub.exports(times=True) == everything
    assert {name: hub.call("export", name).out for name in before} == before


def test_the_hub_says_it_is_sound(taken: tuple[Installation, Done]) -> None:
    hub, _ = taken

    results = json.loads(hub.run("store", "check", "--json").out)

    assert results
    assert all(result["holds"] for result in results)


def test_a_check_says_what_an_ingest_would_and_leaves_no_trace(hub: Installation, samples: Samples) -> None:
    [report] = hub.run("check", "csa1993", samples.folder, "--json").rows

    assert not hub.data.exists()
    assert hub.run("ingest", "csa1993", samples.folder, "--json").rows == [report]


def test_a_check_of_the_next_night_leaves_no_byte_changed(hub: Installation, nights: list[Night]) -> None:
    first, second, third, _ = nights
    hub.call("ingest", "csa1993", first.data, "--json")
    before = files_below(hub.data)

    [next_one, early] = hub.run("check", "csa1993", second.data, third.data, "--json", code=75).rows
    [repeat] = hub.call("check", "csa1993", first.data, "--json").rows

    assert files_below(hub.data) == before
    assert (early["verdict"], early["reasons"][0]["code"]) == ("HELD", "R04")
    assert repeat["verdict"] == "DUPLICATE"
    assert hub.call("ingest", "csa1993", second.data, "--json").rows == [next_one]
