"""The scripted national transfer (`make demo-transfer`) comes to its end, in small."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_a_national_transfer_in_small_comes_to_its_end(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.drills.national_rehearsal",
        "--groups",
        "60",
        "--dir",
        str(tmp_path / "drill"),
    ]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 pence unexplained" in done.stdout
