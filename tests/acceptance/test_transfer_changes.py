"""What a source sends about cases that have moved: corrections and events take whole groups back, unmoved ones stay."""

import json
from pathlib import Path

import pytest

from tests.acceptance.files import make_nights
from tests.acceptance.installation import Installation

PLAN, WAVE = "csa-1993", "main"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, Path]:
    """An installation whose main wave has moved, and a correction that came a night later."""
    folder = tmp_path_factory.mktemp("changes")
    first, later = make_nights(folder / "nights", groups=60, seed=3, kinds="C")
    hub = Installation(folder)
    hub.call("ingest", "csa1993", first.data)
    for step in (("rehearse", "--as", "alice"), ("approve", "--as", "bob", "--reason", "agreed")):
        hub.call("migrate", step[0], PLAN, "--wave", WAVE, *step[1:])
    hub.call("migrate", "transfer", PLAN, "--wave", WAVE, "--as", "alice")
    return hub, later.data


def states(hub: Installation) -> dict[str, int]:
    found = json.loads(hub.call("migrate", "status", PLAN, "--json").out)
    groups: dict[str, int] = next(wave["groups"] for wave in found["waves"] if wave["wave"] == WAVE)
    return groups


def test_a_correction_takes_the_groups_back_whose_balances_it_changes(moved: tuple[Installation, Path]) -> None:
    hub, correction = moved
    before = {row["debt_id"]: row for row in hub.call("export", "debts").rows}
    loaded = states(hub)["LOADED"]
    hub.call("ingest", "csa1993", correction)
    after = {row["debt_id"]: row for row in hub.call("export", "debts").rows}
    now = states(hub)

    assert now["HELD"] > 0
    assert now["LOADED"] + now["HELD"] == loaded
    changed = {name for name, row in after.items() if name in before
               and row["accepted_pence"] != before[name]["accepted_pence"]}  # fmt: skip
    assert all(after[name]["host_system"] != "CMS" for name in changed)
    assert hub.call("store", "check").code == 0
    waiting = json.loads(hub.call("migrate", "exceptions", PLAN, "list", "--json").out)
    assert sum(item["entity"] == "case_groups" for item in waiting) == now["HELD"]


def test_the_wave_can_be_signed_off_without_the_held_groups(moved: tuple[Installation, Path]) -> None:
    hub, _ = moved
    hub.call("migrate", "gate", PLAN, "--wave", WAVE, "--as", "alice", code=None)
    hub.call(
        "migrate", "gate", PLAN, "--wave", WAVE, "--override", "held", "--as", "bob", "--reason", "known", code=None
    )
    signed = hub.call("migrate", "signoff", PLAN, "--wave", WAVE, "--as", "bob", "--reason", "the rest", "--json")

    assert json.loads(signed.out)["groups"] == states(hub)["SIGNED_OFF"]
