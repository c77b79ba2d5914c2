"""Files for a source system, put where it fetches them: the data file first, its trigger file last.

Both are written under another name and renamed into place, so whoever looks sees a whole file or none. Writing the same
file again is harmless: the bytes are the same.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A file that lies in the outgoing folder."""

    path: Path
    sha256: str
    size: int
    records: int


def hand_out(
    folder: Path, name: str, write: Callable[[BinaryIO], int], *, sequence: int, as_at: date, suffix: str
) -> Handed:
    """Write the data file `name` by `write` (which gives its records) and its trigger file, `suffix` replaced by
    `.ctl` (csa1993.md §1).
    """
    folder.mkdir(parents=True, exist_ok=True)
    part, data = folder / f".{name}.part", folder / name
    with part.open("wb") as target:
        records = write(target)
        target.flush()
        os.fsync(target.fileno())
    digest = sha256()
    with part.open("rb") as source:
        while block := source.read(BLOCK):
            digest.update(block)
    handed = Handed(path=data, sha256=digest.hexdigest(), size=part.stat().st_size, records=records)
    part.rename(data)
    trigger = folder / f"{name.removesuffix(suffix)}.ctl"
    part = folder / f".{trigger.name}.part"
    with part.open("w", encoding="ascii", newline="\n") as text:
        text.write(_trigger(handed, sequence=sequence, as_at=as_at))
        text.flush()
        os.fsync(text.fileno())
    part.rename(trigger)
    _sync(folder)
    return handed


def _trigger(handed: Handed, *, sequence: int, as_at: date) -> str:
    pairs = {
        "FILE": handed.path.name,
        "BYTES": handed.size,
        "RECORDS": handed.records,
        "SHA256": handed.sha256,
        "SEQUENCE": sequence,
        "ASAT": as_at.isoformat(),
    }
    return "".join(f"{key}={value}\n" for key, value in pairs.items())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
