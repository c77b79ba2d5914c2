"""Killed after any step or inside it and started again, a transfer ends in the same rows, and the same files for the
sources, as one that was never killed.

A crash is an error out of a named point of the work: what was not committed is gone, as after a kill -9. That the
process itself may be killed is shown once for every point, at the end.
"""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import shipped_connectors
from integrationhub.migration.approval import approve
from integrationhub.migration.back_out import back_out, foresee
from integrationhub.migration.settling import close, compare, note_agreed, sign_off, waiting_groups
from tests.acceptance.installation import Installation
from tests.contract.transfers.conftest import open_hub
from tests.contract.transfers.steps import ALICE, BOB, PLAN, WAVE, moved, rehearsed, transfer_rows

POINTS = (
    "before approval", "transfer frozen", "transfer loaded", "before transferred", "transferred", "transfer noted",
    "before backed out", "backed out", "before agreed", "before signed off", "before closing", "return file kept",
    "before return file noted", "return file out",
)  # fmt: skip


class Crash(Exception):
    """The process is gone."""


class Crashing:
    """Crash points that fire once each, at their nth time."""

    def __init__(self, plan: dict[str, int]) -> None:
        self.left = dict(plan)

    def __call__(self, point: str) -> None:
        if point in self.left:
            self.left[point] -= 1
            if self.left[point] == 0:
                del self.left[point]
                raise Crash


def until_done(step: Callable[[], Any]) -> None:
    """Take a step; where it crashes, open nothing new and take it again, as a person would."""
    for _ in range(len(POINTS) + 1):
        try:
            step()
        except Crash:
            continue
        return
    raise AssertionError("it never came to an end")


def the_way(hub: Hub) -> None:
    """A wave there, back, there again, and closed."""
    handling = hub.handling(PLAN)

    def move() -> None:
        moved(hub)

    for reason in ("first", "again"):
        rehearsed(hub)
        until_done(lambda reason=reason: approve(hub.handling(PLAN), BOB, WAVE, reason))  # type: ignore[misc]
        until_done(move)
        if reason == "first":
            until_done(lambda: back_out(handling, ALICE, foresee(handling, wave=WAVE), "wrong night"))
        until_done(lambda: hub.handover().hand_over())
    until_done(lambda: compare(handling, ALICE, WAVE))
    until_done(lambda: note_agreed(handling, ALICE, "RECONCILE", waiting_groups(handling, WAVE)))
    until_done(lambda: sign_off(hub.handling(PLAN), BOB, WAVE, "agrees"))
    until_done(lambda: close(hub.handling(PLAN), ALICE, WAVE))
    with hub.store.read() as connection:
        run_id = handling.run(connection).run_id
    until_done(lambda: hub.handover().hand_over())
    until_done(lambda: hub.handover().hand_crosswalk(run_id, WAVE))


Outcome = tuple[dict[str, list[tuple[Any, ...]]], dict[str, bytes]]


def outcome(folder: Path, crashes: dict[str, int]) -> Outcome:
    """What is stored at the end, and every outgoing file; verdicts of gates come once a try, so they are left out."""
    with open_hub(folder, checkpoint=Crashing(crashes)) as hub:
        the_way(hub)
        rows = transfer_rows(hub)
        outgoing = hub.handling(PLAN).outgoing
    files = {str(path.relative_to(outgoing)): path.read_bytes() for path in outgoing.rglob("*") if path.is_file()}
    return {name: found for name, found in rows.items() if name not in ("gate_verdicts", "transfer_controls")}, files


@pytest.fixture(scope="module")
def unbroken(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return outcome(copy_of(prepared, tmp_path_factory.mktemp("unbroken")), {})


def copy_of(prepared: Path, folder: Path) -> Path:
    return Path(shutil.copytree(prepared, folder / "data"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crashes=st.dictionaries(st.sampled_from(POINTS), st.integers(1, 3), min_size=1))
def test_any_crashes_end_in_the_same_rows_and_files(
    crashes: dict[str, int],
    prepared: Path,
    tmp_path_factory: pytest.TempPathFactory,
    unbroken: Outcome,
) -> None:
    assert outcome(copy_of(prepared, tmp_path_factory.mktemp("crashed")), crashes) == unbroken


@pytest.mark.parametrize("point", ["transfer frozen", "transfer loaded", "before transferred", "transferred:2"])
def test_a_killed_process_leaves_whole_groups_and_the_next_one_ends_the_work(
    point: str, prepared: Path, tmp_path: Path
) -> None:
    folder = copy_of(prepared, tmp_path)
    hub = Installation(tmp_path, catalogue_folders=small_transactions(tmp_path))
    hub.data = folder
    hub.settings["data_dir"] = folder
    for step in (("rehearse", "--as", "alice"), ("approve", "--as", "bob", "--reason", "agreed")):
        hub.call("migrate", step[0], "small", "--wave", WAVE, *step[1:])
    transfer = ("migrate", "transfer", "small", "--wave", WAVE, "--as", "alice", "--json")

    killed = hub.run(*transfer, code=-signal.SIGKILL, test_crash_at=point)
    ended = hub.call(*transfer)

    assert killed.out == ""
    told = json.loads(ended.out)
    assert told["left"] == 0
    (wave,) = [
        item for item in json.loads(hub.call("migrate", "status", "small", "--json").out)["waves"]
        if item["wave"] == WAVE
    ]  # fmt: skip
    noted = 4 if point == "transferred:2" else 0  # by the killed one; rate and remaining time count them
    assert wave["progress"]["done"] == wave["progress"]["total"] == told["groups"] + noted
    rows = hub.call("export", "transfers").rows
    sums: dict[tuple[str, bool], int] = {}
    for row in rows:
        key = row["account"], row["host_system"] == "CMS"
        sums[key] = sums.get(key, 0) + row["pence"]
    assert {pence for (_, at_target), pence in sums.items() if not at_target} == {0}
    assert hub.call("store", "check").code == 0


def test_a_run_killed_after_its_last_group_is_compared_by_the_next_one(prepared: Path, tmp_path: Path) -> None:
    hub = Installation(tmp_path)
    hub.data = copy_of(prepared, tmp_path)
    hub.settings["data_dir"] = hub.data
    for step in (("rehearse", "--as", "alice"), ("approve", "--as", "bob", "--reason", "agreed")):
        hub.call("migrate", step[0], PLAN, "--wave", WAVE, *step[1:])
    transfer = ("migrate", "transfer", PLAN, "--wave", WAVE, "--as", "alice")

    hub.run(*transfer, code=-signal.SIGKILL, test_crash_at="transfer noted")
    assert json.loads(hub.call(*transfer, "--json").out)["groups"] == 0

    gates = json.loads(hub.call("migrate", "gate", PLAN, "--wave", WAVE, "--as", "alice", "--json", code=6).out)
    assert {gate["gate"] for gate in gates if not gate["passes"]} == {"reconciled"}


def small_transactions(folder: Path) -> Path:
    """A shelf with the shipped plan over all schemes, four groups a transaction."""
    shipped = shipped_connectors() / "migration" / PLAN
    target = folder / "shelf" / "migration" / "small"
    target.mkdir(parents=True)
    for name in ("plan.toml", "policy.toml"):
        text = shipped.joinpath(name).read_text("utf-8")
        target.joinpath(name).write_text(
            text.replace("groups_per_transaction = 50", "groups_per_transaction = 4"), "utf-8"
        )
    return folder / "shelf"
