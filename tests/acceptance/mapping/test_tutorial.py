"""The analyst's tutorial does what it says: every command of it is run, in order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial" / "change-a-mapping.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"^(.*?) # exit code (\d+)$", re.MULTILINE)


def _checked(block: str) -> str:
    """A block whose commands must all succeed, but for those that say which exit code they end with."""
    return EXIT_CODE.sub(r"set +e; \1; code=$?; set -e; test $code = \2", block)


def test_every_command_of_the_tutorial_ends_as_it_says(tmp_path: Path) -> None:
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    script = "\n".join(
        f"echo '== {number}'\n{_checked(text)}" for number, (kind, text) in enumerate(blocks) if kind == "sh"
    )
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for kind, text in blocks:
        if kind == "text":
            assert text in done.stdout
    shown = done.stdout.partition("→")[2].partition("examples")[0]
    assert "receipts.bank_status" in shown
    assert "£" not in shown
    svg = (tmp_path / "work" / "receipts.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "receipts.bank_status" in svg
