"""`make` says what is missing before it begins, and lists what it can do."""

import os
import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # A `make test` around this run hands its flags down; they are not this test's.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        ["make", *arguments], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )


def _python(folder: Path, script: str) -> Path:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_help_lists_every_target() -> None:
    targets = re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)

    printed = _make("help").stdout

    assert [target for target in targets if f"make {target}" not in printed] == []


def test_a_machine_without_a_python_that_is_new_enough_is_told_what_to_install(tmp_path: Path) -> None:
    old = _python(tmp_path, "exit 1")

    done = _make("install", f"VENV={tmp_path / 'env'}", f"PYTHON={old}")

    assert done.returncode == 2
    assert "apt-get install python3 python3-venv" in done.stderr


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    bare = _python(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')

    done = _make("install", f"VENV={tmp_path / 'env'}", f"PYTHON={bare}")

    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr


def test_an_installed_environment_is_not_installed_again(tmp_path: Path) -> None:
    stamp = tmp_path / ".installed"
    stamp.touch()
    os.utime(stamp, (2**32, 2**32))

    done = _make("install", f"VENV={tmp_path}", "PYTHON=/nonexistent")

    assert done.returncode == 0
