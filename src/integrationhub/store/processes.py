"""Is a process still the one that it was? By process id, start time and boot, all of this host."""

import os
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def boot() -> str:
    """Names this run of the operating system; start times count from it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def started(pid: int) -> int:
    """When the process started, in clock ticks since boot (proc(5), stat field 22); -1 when it is no more.

    A killed process that its parent has not waited for yet (states Z, X) is no more. Without /proc: 0 for any process.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return -1 if Path("/proc/self/stat").exists() else _exists(pid)
    return -1 if fields[0] in {"Z", "X"} else int(fields[19])


def _exists(pid: int) -> int:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return -1
    except PermissionError:
        pass
    return 0
