"""The machine that a run was made on, in one line: absolute figures mean nothing without it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

SHOWN = ("numpy", "polars", "pyarrow", "psycopg", "sqlalchemy")


def machine_line() -> str:
    """Processor, memory, system, versions, and how busy the machine is already."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return (
        f"  machine: {_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {libraries}; load {os.getloadavg()[0]:.1f} at the start"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()
