"""Kept versions of mappings: once each, complete or not at all, found by digits or by mapping id."""

import os
from pathlib import Path

import pytest

from integrationhub.errors import NotFound
from integrationhub.mapping.compile import CompiledMapping, Mapping
from integrationhub.workbench.archive import IDS, MappingArchive, version_of
from tests.unit.mapping.specs import CODES, HISTORY, RULES, layout


def written(folder: Path, text: str) -> tuple[CompiledMapping, Path]:
    """A folder of specs with its code lists, compiled."""
    specs = folder / "toy"
    specs.mkdir(parents=True, exist_ok=True)
    (folder / "codes").mkdir(exist_ok=True)
    (specs / "history.toml").write_text(text, encoding="utf-8")
    (specs / "dates.toml").write_text(RULES, encoding="utf-8")
    (folder / "codes" / "toy-code.csv").write_text(CODES, encoding="utf-8")
    return Mapping.of_folder(specs).compile(layout()), specs


@pytest.fixture
def archive(tmp_path: Path) -> MappingArchive:
    return MappingArchive(tmp_path / "mappings")


def test_what_is_kept_can_be_run_like_any_mapping(archive: MappingArchive, tmp_path: Path) -> None:
    mapping, folder = written(tmp_path / "shelf", HISTORY)

    version = archive.keep(mapping, folder)
    kept = archive.find("toy", version[:6])

    again = Mapping.of_folder(kept.folder).compile(layout())
    assert kept.version == version == version_of(again)
    assert again.mapping_ids == mapping.mapping_ids


def test_a_version_is_kept_once_and_a_comment_makes_none(archive: MappingArchive, tmp_path: Path) -> None:
    first = archive.keep(*written(tmp_path / "one", HISTORY))
    second = archive.keep(*written(tmp_path / "two", "# a remark\n" + HISTORY))

    assert first == second
    assert [item.version for item in archive.versions("toy")] == [first]


def test_a_mapping_id_leads_to_a_version_that_has_it(archive: MappingArchive, tmp_path: Path) -> None:
    old, new = HISTORY, HISTORY.replace('version = "1"', 'version = "2"')
    made = [written(tmp_path / name, text) for name, text in (("old", old), ("new", new))]
    versions = [archive.keep(*one) for one in made]

    for version, (mapping, _) in zip(versions, made, strict=True):
        assert archive.find("toy", mapping.mapping_ids["history"]).version == version
    assert archive.find("toy", "kept").version == versions[1]


def test_a_version_that_is_gone_back_to_is_the_last_one_again(archive: MappingArchive, tmp_path: Path) -> None:
    made = [written(tmp_path / name, HISTORY.replace('version = "1"', f'version = "{name}"')) for name in ("1", "2")]
    versions = [archive.keep(*one) for one in made]
    for number, version in enumerate(versions):  # long ago, whatever the file system's clock can tell apart
        os.utime(tmp_path / "mappings" / "toy" / version / IDS, (number, number))

    assert archive.find("toy", "kept").version == versions[1]
    archive.keep(*made[0])
    assert archive.find("toy", "kept").version == versions[0]


def test_an_unknown_version_is_not_found_and_the_known_ones_are_named(archive: MappingArchive, tmp_path: Path) -> None:
    version = archive.keep(*written(tmp_path / "shelf", HISTORY))

    with pytest.raises(NotFound) as caught:
        archive.find("toy", "zzz")

    assert version in (caught.value.remedy or "")


def test_a_folder_that_a_killed_process_left_half_written_is_no_version(
    archive: MappingArchive, tmp_path: Path
) -> None:
    (tmp_path / "mappings" / "toy" / "0123456789ab" / "toy").mkdir(parents=True)

    assert list(archive.versions("toy")) == []
    assert not (tmp_path / "mappings" / "toy" / "0123456789ab" / IDS).exists()
