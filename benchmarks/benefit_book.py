"""A synthetic book of the debt manager in the real format, of any size: a full extract, and deltas of a part of it.

Every debt has its own reference, number, amounts and benefit; the rest is alike. Records are made by columns, so that a
million take seconds.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.feeds.dms import LRECL, debt, detail, ends, name_of

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

BENEFITS = ("ESA", "IS", "JSA", "PC", "UC")
FIRST, STEP = 10_000_017, 7
RECOVERED = 2_500
_AT_ONCE = 100_000


def write_full(folder: Path, debts: int) -> Path:
    """The first full extract, with its trigger file."""
    return _write(folder, "FULL", 1, np.arange(debts), version=1)


def write_delta(folder: Path, debts: int, sequence: int, changed: int) -> Path:
    """A delta in which debts all over the book have changed."""
    return _write(folder, "DELTA", sequence, np.arange(0, debts, max(debts // changed, 1))[:changed], version=sequence)


def _write(folder: Path, kind: str, sequence: int, numbers: Integers, *, version: int) -> Path:
    file = folder / name_of(kind, sequence)
    owed = 10_000 + numbers * 37 % 900_000 + RECOVERED - version
    benefits = numbers // 3 % len(BENEFITS)
    controls = {
        code: (int((benefits == place).sum()), int((owed - RECOVERED)[benefits == place].sum()))
        for place, code in enumerate(BENEFITS)
        if (benefits == place).any()
    }
    refs = FIRST + numbers * STEP
    header, trailer = ends(kind, sequence, {"I" if kind == "FULL" else "C": len(numbers)}, controls, int(refs.sum()))
    with file.open("wb") as out:
        out.write(header)
        for low in range(0, len(numbers), _AT_ONCE):
            part = slice(low, low + _AT_ONCE)
            out.write(_details(kind, refs[part], owed[part], benefits[part], version=version).tobytes())
        out.write(trailer)
    _write_trigger(file, len(numbers) + 2)
    return file


def _details(kind: str, refs: Integers, owed: Integers, benefits: Integers, *, version: int) -> Bytes:
    sound = detail(debt(action="I" if kind == "FULL" else "C", version=version))
    rows = np.tile(np.frombuffer(sound, np.uint8), (len(refs), 1))
    rows[:, 4:14] = _digits(refs, 10)
    rows[:, 20:26] = _digits(refs % 1_000_000, 6)
    rows[:, 333:336] = np.array([list(code.ljust(3).encode("cp037")) for code in BENEFITS], np.uint8)[benefits]
    rows[:, 363:369] = _packed(owed)
    rows[:, 387:393] = _packed(owed - RECOVERED)
    return rows


def _digits(values: Integers, width: int) -> Bytes:
    powers: Sequence[int] = [10**place for place in reversed(range(width))]
    digits: Bytes = (values[:, None] // np.array(powers) % 10 + 0xF0).astype(np.uint8)
    return digits


def _packed(values: Integers) -> Bytes:
    """S9(9)V99 COMP-3, positive."""
    halves = np.concatenate([_digits(values, 11) & 0x0F, np.full((len(values), 1), 0x0C, np.uint8)], axis=1)
    packed: Bytes = halves[:, ::2] << 4 | halves[:, 1::2]
    return packed


def _write_trigger(file: Path, records: int) -> None:
    content = file.read_bytes()
    assert len(content) == records * LRECL
    lines = [
        f"FILE={file.name}", f"BYTES={len(content)}", f"SHA256={hashlib.sha256(content).hexdigest()}",
        f"RECORDS={records}", "",
    ]  # fmt: skip
    file.with_name(f"{file.name}.ctl").write_text("\n".join(lines), encoding="ascii")
