"""What a source sends about cases that have moved: corrections and events take whole groups back, unmoved ones stay."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.files import make_nights
from tests.acceptance.installation import Installation

PLAN, WAVES = "csa-1993", ("pilot", "main", "rest")


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, Path]:
    """An installation whose case groups have all moved, and a correction that came a night later."""
    folder = tmp_path_factory.mktemp("changes")
    first, later = make_nights(folder / "nights", groups=90, seed=3, kinds="C")
    hub = Installation(folder)
    hub.call("ingest", "csa1993", first.data)
    for wave in WAVES:
        for step in (("rehearse", "--as", "alice"), ("approve", "--as", "bob", "--reason", "agreed")):
            hub.call("migrate", step[0], PLAN, "--wave", wave, *step[1:])
        hub.call("migrate", "transfer", PLAN, "--wave", wave, "--as", "alice")
    return hub, later.data


def states(hub: Installation) -> dict[str, int]:
    found = json.loads(hub.call("migrate", "status", PLAN, "--json").out)
    return dict(sum((Counter(wave["groups"]) for wave in found["waves"]), Counter[str]()))


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
    gates = json.loads(hub.call("migrate", "gate", PLAN, "--as", "alice", "--json", code=6).out)
    clean = {gate["wave"]: gate["holds"] for gate in gates if gate["gate"] == "parallel-run"}
    held = {
        wave["wave"] for wave in json.loads(hub.call("migrate", "status", PLAN, "--json").out)["waves"] if wave["held"]
    }
    assert clean == {wave: wave not in held for wave in WAVES}  # the correction was compared before it took groups back


def test_the_waves_can_be_signed_off_without_the_held_groups(moved: tuple[Installation, Path]) -> None:
    hub, _ = moved
    signed = 0
    for wave in WAVES:
        hub.call("migrate", "reconcile", PLAN, "--wave", wave, "--as", "alice")
        gate = ("migrate", "gate", PLAN, "--wave", wave)
        hub.call(*gate, "--as", "alice", code=None)
        hub.call(*gate, "--override", "held", "--as", "bob", "--reason", "known", code=None)
        hub.call("migrate", "parallel", PLAN, "--wave", wave, "--as", "alice")
        done = hub.call("migrate", "signoff", PLAN, "--wave", wave, "--as", "bob", "--reason", "the rest", "--json")
        signed += json.loads(done.out)["groups"]

    assert signed == states(hub)["SIGNED_OFF"]
