"""Memory follows the size of a slice, not that of the file."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.files import Night, make_nights
from tests.acceptance.installation import COMMAND, Installation

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


MEASURE = """
import os, subprocess, sys
done = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(done.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""
"""Runs a command and prints its exit code and peak. A small process must do it: a process begins with the peak of the
one that it was forked from, and this one may have grown.
"""


def peak_mib(folder: Path, night: Night) -> float:
    """Peak resident memory of an ingest of the file."""
    folder.mkdir()
    hub = Installation(folder, slice_bytes=SLICE_BYTES)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, COMMAND, "ingest", "csa1993", night.data, "--json"],
        env=hub.environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    *out, measured = done.stdout.splitlines()
    code, peak = map(int, measured.split())
    assert code == 0
    assert '"verdict": "ACCEPTED"' in "".join(out)
    return peak / KIB


def test_a_hundred_thousand_records_stay_below_the_limit_and_grow_little(
    tmp_path: Path, whole: Night, quarter: Night
) -> None:
    large, small = peak_mib(tmp_path / "whole", whole), peak_mib(tmp_path / "quarter", quarter)

    assert large < LIMIT_MIB
    assert large < 1.3 * small
