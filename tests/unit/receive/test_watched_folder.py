"""A watched folder: what is complete, and what may still be in the making."""

from pathlib import Path

import pytest

from integrationhub.catalogue import shipped_connectors
from integrationhub.receive.folder import WatchedFolder
from integrationhub.sdk.descriptor import load_descriptor

NAMES = [f"CSCS.NIGHTLY.D2015070{night}.S00010{night}" for night in (1, 2)]


@pytest.fixture
def folder(tmp_path: Path) -> WatchedFolder:
    rules = load_descriptor(shipped_connectors() / "connectors" / "csa1993").delivery
    return WatchedFolder(tmp_path, rules)


def drop(tmp_path: Path, name: str, trigger: str | None) -> None:
    (tmp_path / f"{name}.dat").write_bytes(b"data")
    if trigger is not None:
        (tmp_path / f"{name}.ctl").write_text(trigger)


def names(folder: WatchedFolder) -> list[str]:
    return [item.path.stem for item in folder.look()]


def test_a_pair_is_complete_when_its_trigger_stays_as_it_is(folder: WatchedFolder, tmp_path: Path) -> None:
    drop(tmp_path, NAMES[0], "FILE=x\n")

    assert [names(folder), names(folder), names(folder)] == [[], [NAMES[0]], [NAMES[0]]]


def test_a_trigger_that_grows_is_waited_for(folder: WatchedFolder, tmp_path: Path) -> None:
    drop(tmp_path, NAMES[0], "")
    assert names(folder) == []
    drop(tmp_path, NAMES[0], "FILE=x\n")
    assert names(folder) == []
    drop(tmp_path, NAMES[0], "FILE=x\nBYTES=4\n")

    assert [names(folder), names(folder)] == [[], [NAMES[0]]]


def test_a_data_file_without_trigger_is_not_there(folder: WatchedFolder, tmp_path: Path) -> None:
    drop(tmp_path, NAMES[0], None)

    assert [names(folder), names(folder)] == [[], []]


def test_complete_files_come_in_sequence_order(folder: WatchedFolder, tmp_path: Path) -> None:
    for name in reversed(NAMES):
        drop(tmp_path, name, "FILE=x\n")
    folder.look()

    assert names(folder) == NAMES


def test_a_file_that_was_taken_away_and_comes_again_is_looked_at_anew(folder: WatchedFolder, tmp_path: Path) -> None:
    drop(tmp_path, NAMES[0], "FILE=x\n")
    folder.look()
    (tmp_path / f"{NAMES[0]}.ctl").unlink()
    folder.look()
    drop(tmp_path, NAMES[0], "FILE=x\n")

    assert [names(folder), names(folder)] == [[], [NAMES[0]]]
