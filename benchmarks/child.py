"""Work in a process of its own, so that its peak memory is its own.

The child runs `python -m benchmarks.child MODULE:FUNCTION ARGUMENTS`, with JSON in and out.
"""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]


def run_apart(function: str, **arguments: object) -> dict[str, Any]:
    """What the function gives for these arguments, with `peak_bytes` of its process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", function, json.dumps(arguments)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def peak_bytes() -> int:
    """The most memory this process has had resident."""
    # Not getrusage: its figure includes the parent's memory, which a child has until it becomes a program of its own.
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmHWM")


def _main() -> None:
    module, _, function = sys.argv[1].partition(":")
    answer = getattr(import_module(module), function)(**json.loads(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps({**answer, "peak_bytes": peak_bytes()}) + "\n")


if __name__ == "__main__":
    _main()
