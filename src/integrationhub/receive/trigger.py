"""The trigger file (`.ctl`): ASCII, one KEY=VALUE a line, written after its data file.

Source: csa1993.md §1, benefits-common.md §4. Keys may come in any order, unknown keys are ignored, lines end with LF
(CR LF is read too). A key given twice with different values is unreadable.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from integrationhub.records import Reason

LIMIT = 64 * 1024
"""Largest trigger file that is read, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What a trigger file says of its data file; None for what it does not say. `extra`: keys of this feed alone."""

    file: str
    size: int
    sha256: str
    sequence: int | None = None
    records: int | None = None
    as_at: date | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


def read_trigger(content: bytes, *, required: Sequence[str], code: str, others: bool = True) -> Trigger | Reason:
    """The trigger's content, or the reason with `code` why it can't be read: the first fault in reading order.

    Without `others` nothing but the required keys is looked at.
    """
    pairs = _pairs(content)
    if isinstance(pairs, str):
        return Reason(code=code, text=f"trigger file: {pairs}")
    if not others:
        pairs = {key: value for key, value in pairs.items() if key in required}
    missing = [key for key in required if key not in pairs]
    if missing:
        return Reason(code=code, text=f"trigger file: key {', '.join(missing)} is missing", field=missing[0])
    shapes = {**dict.fromkeys((key for key in required if key not in _OWN), _NUMBER), **_SHAPES}
    for key, pattern in shapes.items():
        if key in pairs and not re.fullmatch(pattern, pairs[key]):
            return Reason(code=code, text=f"trigger file: {key} is not of its form", field=key)
    as_at = _date(pairs["ASAT"]) if "ASAT" in pairs else None
    if "ASAT" in pairs and as_at is None:
        return Reason(code=code, text="trigger file: ASAT is no calendar date", field="ASAT")
    return Trigger(
        file=pairs["FILE"],
        size=int(pairs["BYTES"]),
        sha256=pairs["SHA256"],
        sequence=int(pairs["SEQUENCE"]) if "SEQUENCE" in pairs else None,
        records=int(pairs["RECORDS"]) if "RECORDS" in pairs else None,
        as_at=as_at,
        extra={key: pairs[key] for key in required if key not in _OWN},
    )


_SHAPES = {
    "FILE": r"[ -~]+",
    "BYTES": r"[0-9]{1,18}",
    "SHA256": r"[0-9a-f]{64}",
    "SEQUENCE": r"[0-9]{1,9}",
    "RECORDS": r"[0-9]{1,18}",
    "UNCOMPRESSED": r"[0-9]{1,18}",
    "ASAT": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
}


_OWN = frozenset({"FILE", "BYTES", "SHA256", "SEQUENCE", "RECORDS", "ASAT"})
"""Keys that have a field of their own."""

_NUMBER = r"-?[0-9]{1,18}"
"""The form of every other key that a feed asks for: a count, or pence."""


def _pairs(content: bytes) -> dict[str, str] | str:
    """KEY → VALUE, or what is wrong with the text."""
    if len(content) > LIMIT:
        return f"larger than {LIMIT} bytes"
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError as exc:
        return f"not ASCII at byte {exc.start}"
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        key, value = key.strip(), value.strip()
        if not equals:
            return f"line {number} is no KEY=VALUE"
        if pairs.setdefault(key, value) != value:
            return f"line {number} gives a key a second value"
    return pairs


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
