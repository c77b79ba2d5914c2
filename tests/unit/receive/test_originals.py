"""What was kept can be read again, byte for byte, and is kept once."""

import hashlib
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrationhub.errors import NotFound, TransientError
from integrationhub.receive.originals import BLOCK, Original, Originals


def test_kept_bytes_come_back_under_their_hash(tmp_path: Path) -> None:
    content = bytes(range(256)) * (BLOCK // 128)
    originals = Originals(str(tmp_path))
    kept = originals.keep(io.BytesIO(content))
    assert kept == Original(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    with originals.open(kept.sha256) as stream:
        assert stream.read() == content
    assert originals.has(kept.sha256)


def test_the_same_bytes_are_kept_once_and_no_part_file_stays(tmp_path: Path) -> None:
    originals = Originals(str(tmp_path))
    originals.keep(io.BytesIO(b"once"))
    originals.keep(io.BytesIO(b"once"))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_an_unknown_hash_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound), Originals(str(tmp_path)).open("0" * 64):
        pass


def test_another_file_system_works_the_same() -> None:
    originals = Originals("memory://originals-test")
    kept = originals.keep(io.BytesIO(b"remote"))
    with originals.open(kept.sha256) as stream:
        assert stream.read() == b"remote"
    assert originals.uri(kept.sha256).startswith("memory://")


def test_an_unwritable_place_is_a_transient_error_with_a_remedy(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(TransientError) as caught:
        Originals(str(blocked / "below")).keep(io.BytesIO(b"x"))
    assert caught.value.remedy


def test_part_files_that_a_crash_left_are_swept_and_young_ones_stay(tmp_path: Path) -> None:
    originals = Originals(str(tmp_path))
    kept = originals.keep(io.BytesIO(b"whole"))
    old, young = tmp_path / "parts" / "old", tmp_path / "parts" / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    day = 24 * 60 * 60
    os.utime(old, (old.stat().st_mtime - 2 * day,) * 2)
    assert originals.sweep(older_than=datetime.now(UTC) - timedelta(days=1)) == 1
    assert not old.exists()
    assert young.exists()
    assert originals.has(kept.sha256)
