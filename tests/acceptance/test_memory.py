"""Memory follows the size of a slice, not that of the file."""

import os
from pathlib import Path

import pytest

from tests.acceptance.files import Night, make_nights
from tests.acceptance.installation import Installation

SLICE_BYTES = 1024 * 1024
LIMIT_MIB = 512
"""Peak resident memory of the process that takes 100,000 records in, Python and its libraries (about 150 MiB) too."""
GROUPS = 1800
KIB = 1024


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A file of about 100,000 records."""
    [night] = make_nights(tmp_path_factory.mktemp("whole"), groups=GROUPS, seed=5)
    assert night.data.stat().st_size > 8 * SLICE_BYTES
    return night


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A file of a quarter of that."""
    [night] = make_nights(tmp_path_factory.mktemp("quarter"), groups=GROUPS // 4, seed=5)
    return night


def peak_mib(folder: Path, night: Night) -> float:
    """Peak resident memory of an ingest of the file."""
    folder.mkdir()
    hub = Installation(folder, slice_bytes=SLICE_BYTES)
    process = hub.popen("ingest", "csa1993", night.data, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    assert process.returncode == 0
    assert '"verdict": "ACCEPTED"' in out
    return usage.ru_maxrss / KIB


def test_a_hundred_thousand_records_stay_below_the_limit_and_grow_little(
    tmp_path: Path, whole: Night, quarter: Night
) -> None:
    large, small = peak_mib(tmp_path / "whole", whole), peak_mib(tmp_path / "quarter", quarter)

    assert large < LIMIT_MIB
    assert large < 1.3 * small
