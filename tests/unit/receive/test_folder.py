"""Files are taken when they are complete, in sequence order, and put away once the hub has them."""

from pathlib import Path

import pytest

from integrationhub.errors import NotFound
from integrationhub.receive.folder import find_files, handed_over, put_away
from integrationhub.sdk.descriptor import DeliveryRules, Trigger

RULES = DeliveryRules(
    transports=("folder",),
    file=r"CSCS\.NIGHTLY\.D(?P<run_date>\d{8})\.S(?P<sequence>\d{6})\.dat",
    trigger=Trigger(suffix=".ctl", replaces=".dat"),
)


def drop(folder: Path, day: int, sequence: int, *, trigger: bool = True) -> Path:
    data = folder / f"CSCS.NIGHTLY.D201507{day:02}.S{sequence:06}.dat"
    data.write_bytes(b"x")
    if trigger:
        data.with_suffix(".ctl").write_bytes(b"y")
    return data


def test_a_folder_gives_the_feeds_files_in_sequence_order(tmp_path: Path) -> None:
    second, first = drop(tmp_path, 1, 102), drop(tmp_path, 2, 101)
    (tmp_path / "CLERICAL_20150701_101.csv").write_bytes(b"z")
    assert [item.path for item in find_files([tmp_path], RULES)] == [first, second]


def test_a_data_file_without_trigger_is_not_there_yet(tmp_path: Path) -> None:
    early = drop(tmp_path, 1, 101, trigger=False)
    assert handed_over(tmp_path, RULES) == []
    assert [item.path for item in find_files([early], RULES)] == [early]


def test_a_file_named_twice_or_by_its_trigger_is_found_once(tmp_path: Path) -> None:
    data = drop(tmp_path, 1, 101)
    found = find_files([data, data.with_suffix(".ctl"), tmp_path], RULES)
    assert [(item.path, item.trigger) for item in found] == [(data, data.with_suffix(".ctl"))]


def test_a_name_of_another_form_has_no_sequence(tmp_path: Path) -> None:
    odd = tmp_path / "payments.dat"
    odd.write_bytes(b"x")
    assert [item.sequence for item in find_files([odd], RULES)] == [None]


def test_a_path_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        find_files([tmp_path / "nothing.dat"], RULES)


@pytest.mark.parametrize(("refused", "folder"), [(False, "taken"), (True, "refused")])
def test_a_taken_file_leaves_the_watched_folder_with_its_trigger(tmp_path: Path, refused: bool, folder: str) -> None:
    data = drop(tmp_path, 1, 101)
    (item,) = handed_over(tmp_path, RULES)
    put_away(item, refused=refused)
    assert handed_over(tmp_path, RULES) == []
    assert sorted(path.name for path in (tmp_path / folder).iterdir()) == [
        data.with_suffix(".ctl").name,
        data.name,
    ]
