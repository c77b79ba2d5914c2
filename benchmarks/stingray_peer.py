"""Stingray (`stingray-reader` on PyPI) as a peer: it needs Python 3.12, so it runs in an environment of its own.

The environment is made once beside the benchmarks' other kept files. Where no Python 3.12 or later is found, or the
package can't be installed, there is no figure.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.decode_files import FixedFile
from benchmarks.estates import cache_folder

PACKAGE = "stingray-reader==5.1.1"
_NAMES = ("python3.14", "python3.13", "python3.12", "python3")
_IS_NEW = "import sys; sys.exit(sys.version_info < (3, 12))"
_SCRIPT = Path(__file__).with_name("stingray_script.py")


def megabytes_a_second(file: FixedFile, level: str, records: int) -> float | None:
    """How fast Stingray reads all fields of that many records, each as `level`; None where it can't be had."""
    python = _environment()
    if python is None:
        return None
    copybook = cache_folder() / f"{level}.cpy"
    # Stingray can't read floating point; it gets these bytes as text, which costs it less.
    text = file.copybook.replace(" COMP-2.", " PIC X(8).").replace(" COMP-1.", " PIC X(4).")
    copybook.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(python), str(_SCRIPT), str(copybook), str(file.path), level, str(file.length), str(records)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return records * file.length / 1e6 / float(json.loads(done.stdout)["seconds"])


def _environment() -> Path | None:
    folder = cache_folder() / "stingray"
    python = folder / "bin" / "python"
    if python.exists():
        return python
    base = next((found for found in _pythons() if _succeeds([str(found), "-c", _IS_NEW])), None)
    if base is None or not _succeeds([str(base), "-m", "venv", str(folder)]):
        return None
    if not _succeeds([str(python), "-m", "pip", "--quiet", "install", PACKAGE]):
        shutil.rmtree(folder)
        return None
    return python


def _pythons() -> Iterator[Path]:
    yield from (Path(found) for name in _NAMES if (found := shutil.which(name)))
    yield from sorted(Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python3"))


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
