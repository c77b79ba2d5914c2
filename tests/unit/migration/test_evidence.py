import json
import subprocess
from pathlib import Path

import pytest

from integrationhub.errors import ConfigurationError, Conflict, NotFound
from integrationhub.migration.evidence.pack import Chart, Section, attached, verify_pack, write_pack
from integrationhub.migration.evidence.signing import PRIVATE_NAME, PUBLIC_NAME, Signer

SECTION = Section(
    key="totals",
    title="Totals <by owner>",
    sentence="What the source held and what arrived.",
    columns=("owner", "outstanding_pence", "cases", "holds"),
    rows=(("RECEIVING_PARENT", -123_456, 7, True), ("SECRETARY_OF_STATE", None, 1_000, False)),
    charts=(Chart(title="Outstanding", unit="pence", bars={"receiving parent": -123_456, "nobody": 0}),),
)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def pack(tmp_path: Path, keys: Path) -> Path:
    return written(tmp_path / "pack", keys)


def written(out: Path, keys: Path) -> Path:
    crosswalk = keys.parent / "crosswalk.csv"
    crosswalk.write_text("phase,case_group\n")
    attachments = {"outgoing/CROSSWALK_20150702_000001.csv": attached(crosswalk)}
    write_pack(out, title="Pilot", sections=[SECTION], attachments=attachments, signer=Signer.made_in(keys))
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_pack_verifies_with_the_public_key_alone(pack: Path, keys: Path, tmp_path: Path) -> None:
    alone = tmp_path / "key-of-the-auditor.pem"
    (keys / PUBLIC_NAME).rename(alone)
    (keys / PRIVATE_NAME).unlink()
    assert verify_pack(pack, alone) == []


def test_the_same_evidence_gives_the_same_bytes(pack: Path, keys: Path, tmp_path: Path) -> None:
    assert content(written(tmp_path / "again", keys)) == content(pack)


def test_any_altered_byte_is_found(pack: Path, keys: Path) -> None:
    for name, before in content(pack).items():
        for place in {0, len(before) // 2, len(before) - 1}:
            changed = bytearray(before)
            changed[place] ^= 1
            (pack / name).write_bytes(changed)
            assert verify_pack(pack, keys / PUBLIC_NAME), f"{name} at byte {place}"
            (pack / name).write_bytes(before)
    assert verify_pack(pack, keys / PUBLIC_NAME) == []


def test_a_file_more_or_less_is_found(pack: Path, keys: Path) -> None:
    (pack / "files" / "note.txt").write_text("x")
    assert verify_pack(pack, keys / PUBLIC_NAME) == ["files/note.txt is not part of the evidence"]
    (pack / "files" / "note.txt").unlink()
    (pack / "evidence.json").unlink()
    assert verify_pack(pack, keys / PUBLIC_NAME) == ["evidence.json is missing"]


def test_a_link_is_found_wherever_it_leads(pack: Path, keys: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (pack / "more").symlink_to(elsewhere)
    assert verify_pack(pack, keys / PUBLIC_NAME) == ["more is not part of the evidence"]
    (pack / "more").unlink()
    (pack / "evidence.json").rename(elsewhere / "evidence.json")
    (pack / "evidence.json").symlink_to(elsewhere / "evidence.json")
    assert verify_pack(pack, keys / PUBLIC_NAME) == ["evidence.json was altered"]


def test_another_key_does_not_verify_it(pack: Path, tmp_path: Path) -> None:
    Signer.made_in(tmp_path / "other")
    assert verify_pack(pack, tmp_path / "other" / PUBLIC_NAME) == [
        "the manifest is not signed by this key, or was altered"
    ]


def test_the_manifest_is_checked_by_standard_tools_too(pack: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "MANIFEST.sha256"], cwd=pack, check=True, capture_output=True)


def test_the_page_shows_money_in_pounds_and_escapes_what_it_is_given(pack: Path) -> None:
    page = (pack / "index.html").read_text(encoding="utf-8")
    assert "-1,234.56" in page
    assert "Totals &lt;by owner&gt;" in page
    assert page.count("<svg") == 1
    assert json.loads((pack / "evidence.json").read_text())["sections"][0]["rows"][0] == {
        "owner": "RECEIVING_PARENT", "outstanding_pence": -123_456, "cases": 7, "holds": True,
    }  # fmt: skip


def test_a_folder_in_use_is_left_alone(pack: Path, keys: Path) -> None:
    with pytest.raises(Conflict):
        written(pack, keys)


def test_the_private_key_is_its_owners_alone_and_is_made_once(keys: Path) -> None:
    first = Signer.made_in(keys).public_pem()
    assert (keys / PRIVATE_NAME).stat().st_mode & 0o777 == 0o600
    assert Signer.made_in(keys).public_pem() == first
    assert {path.name for path in keys.iterdir()} == {PRIVATE_NAME, PUBLIC_NAME}


def test_what_is_no_key_or_no_pack_is_said(pack: Path, keys: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        verify_pack(tmp_path, keys / PUBLIC_NAME)
    with pytest.raises(NotFound):
        verify_pack(pack, tmp_path / "nowhere.pem")
    with pytest.raises(ConfigurationError):
        verify_pack(pack, keys / PRIVATE_NAME)
    with pytest.raises(ConfigurationError):
        Signer.of_file(keys / PUBLIC_NAME)
