"""`make fuzz`: coverage-guided fuzzing of the decoder with Atheris, target by target.

Atheris is installed into an environment of its own (`.fuzz/`), which also keeps what the runs learnt. Where it can't
be installed, this says so and ends with 1: the property tests in `test_fuzz.py` need no more than the hub itself.
"""

import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / ".fuzz"
ATHERIS = "atheris>=3"
MEMORY_MB = 2048
MOST_BYTES = 2048
SECONDS_PER_INPUT = 20


def main() -> int:
    """Run every target for so many seconds; 1 when one breaks, with the input that did it named by libFuzzer."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    python = _environment()
    if python is None:
        sys.stderr.write(f"{ATHERIS} can't be installed for {sys.executable}: no coverage-guided fuzzing here\n")
        return 1
    return max(_run(python, name, seconds) for name in TARGETS)


def _environment() -> Path | None:
    """A Python that has Atheris, and the hub with its dependencies from this environment."""
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        _call([sys.executable, "-m", "venv", str(FOLDER / "venv")])
        site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
        for packages in (FOLDER / "venv" / "lib").glob("python*/site-packages"):
            (packages / "hub.pth").write_text(f"{CHECKOUT / 'src'}\n{site}\n", encoding="utf-8")
    found = _call([str(python), "-c", "import atheris"]) or _call(
        [str(python), "-m", "pip", "--quiet", "install", ATHERIS]
    )
    return python if found else None


def _call(command: list[str]) -> bool:
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def _run(python: Path, name: str, seconds: str) -> int:
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    limits = [
        f"-artifact_prefix={FOLDER}/{name}-",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={SECONDS_PER_INPUT}",
    ]
    command = [str(python), "-m", "tests.fuzz.harness", name, f"-max_total_time={seconds}", *limits, str(corpus)]
    return int(subprocess.run(command, check=False, cwd=CHECKOUT).returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
