"""An independent reader of CSCS extracts: one record at a time, byte positions as csa1993.md §4 lists them."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ebcdic  # type: ignore[import-untyped]  # noqa: F401 - registers cp1146


@dataclass
class Line:
    ref: str
    seq: int
    kind: str
    owner: str
    amount: int
    posted: str
    reason: str = ""
    held: str = ""
    status: str = ""
    quoted: str = ""
    bank_ref: str = ""
    value_date: int = 0
    reverses: int = 0
    first: int = 0
    last: int = 0


@dataclass
class Case:
    ref: str
    group: int
    status: str
    complete: bool
    header: dict[str, int]
    note: str
    lines: list[Line] = field(default_factory=list)
    roles: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass
class Extract:
    kinds: list[str]
    cases: dict[str, Case]
    groups: dict[int, str]
    orphans: list[Line]
    parties: list[tuple[int, str, str, str]]
    postcodes: list[str]
    confidential: dict[int, set[str]]
    trailer: dict[str, object]
    ledger_hash: int


def records(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        yield data[start + 4 : start + length]
        start += length
    assert start == len(data)


def part(record: bytes, position: int, length: int) -> bytes:
    """Bytes by the document's position, which counts from 1."""
    return record[position - 1 : position - 1 + length]


def text(record: bytes, position: int, length: int) -> str:
    return part(record, position, length).decode("cp1146")


def binary(record: bytes, position: int, length: int) -> int:
    return int.from_bytes(part(record, position, length), "big", signed=True)


def packed(record: bytes, position: int, length: int) -> int:
    digits = part(record, position, length).hex()
    if not any(part(record, position, length)):
        return -1  # low-values
    assert digits[-1] in "cdf"
    return -int(digits[:-1]) if digits[-1] == "d" else int(digits[:-1])


def zoned(record: bytes, position: int, length: int) -> int:
    raw = part(record, position, length)
    assert raw[-1] >> 4 in {0xC, 0xD, 0xF}
    number = int("".join(str(byte & 15) for byte in raw))
    return -number if raw[-1] >> 4 == 0xD else number


def read(path: Path) -> Extract:
    """Everything the tests compare."""
    found = Extract([], {}, {}, [], [], [], {}, {}, 0)
    for record in records(path.read_bytes()):
        kind = text(record, 1, 2)
        found.kinds.append(kind)
        _take(found, kind, record)
    return found


def _take(found: Extract, kind: str, record: bytes) -> None:
    if kind == "10":
        found.groups[binary(record, 3, 4)] = text(record, 13, 1)
    elif kind == "20":
        case = _case(record)
        found.cases[case.ref] = case
    elif kind == "25":
        role = (binary(record, 17, 4), text(record, 21, 3), text(record, 24, 9))
        found.parties.append((*role, text(record, 33, 35).rstrip()))
        if text(record, 7, 10) in found.cases:
            found.cases[text(record, 7, 10)].roles.append(role)
    elif kind == "27":
        found.postcodes.append(text(record, 17, 8).rstrip())
        found.confidential.setdefault(binary(record, 7, 4), set()).add(text(record, 12, 1))
    elif kind == "40":
        line = _line(record)
        found.ledger_hash += line.amount
        found.cases[line.ref].lines.append(line) if line.ref in found.cases else found.orphans.append(line)
    elif kind == "99":
        found.trailer = _trailer(record)


def _case(record: bytes) -> Case:
    benefits, note = int(text(record, 86, 2)), binary(record, 88, 2)
    header = {
        "rp": zoned(record, 37, 11), "sos": int(text(record, 48, 12)), "unk": packed(record, 60, 6),
        "susp_rp": packed(record, 66, 6), "susp_sos": packed(record, 72, 6), "custodian": binary(record, 78, 8),
    }  # fmt: skip
    assert len(record) == 89 + 11 * benefits + note
    return Case(
        ref=text(record, 7, 10), group=binary(record, 3, 4), status=text(record, 17, 1),
        complete=text(record, 34, 1) == "Y", header=header, note=text(record, 90 + 11 * benefits, note),
    )  # fmt: skip


def _line(record: bytes) -> Line:
    line = Line(
        ref=text(record, 7, 10), seq=binary(record, 17, 4), kind=text(record, 21, 1), owner=text(record, 22, 1),
        amount=zoned(record, 31, 9), posted=text(record, 23, 8),
    )  # fmt: skip
    if line.kind == "C":
        line.first, line.last = packed(record, 40, 4), packed(record, 44, 4)
    elif line.kind == "R":
        line.bank_ref, line.value_date = text(record, 40, 12), packed(record, 52, 4)
        line.quoted, line.status, line.held = text(record, 56, 11), text(record, 73, 1), text(record, 74, 1)
    elif line.kind == "A":
        line.reason = text(record, 40, 2)
    else:
        line.reverses = binary(record, 40, 4)
    return line


def _trailer(record: bytes) -> dict[str, object]:
    names = ("rp", "sos", "unk", "suspended", "custodian")
    return {
        "sequence": binary(record, 3, 4),
        "records": binary(record, 7, 4),
        "counts": {text(record, 11 + 6 * place, 2): binary(record, 13 + 6 * place, 4) for place in range(7)},
        **{name: packed(record, 53 + 8 * place, 8) for place, name in enumerate(names)},
        "ledger_hash": packed(record, 93, 9),
    }


def ledger_sums(lines: list[Line]) -> dict[str, int]:
    """What a ledger comes to (§5.3)."""
    sums = dict.fromkeys(("rp", "sos", "unk", "susp_rp", "susp_sos", "custodian"), 0)
    reversed_seqs = {line.reverses for line in lines if line.kind == "V"}
    for line in lines:
        owner = {"R": "rp", "S": "sos"}.get(line.owner, "unk")
        if line.reason in {"SU", "SL"}:
            sums[f"susp_{owner}"] += line.amount if line.reason == "SU" else -line.amount
        elif line.kind != "V" and line.seq not in reversed_seqs:
            sums[owner] += -line.amount if line.kind == "R" else line.amount
            sums["custodian"] += line.amount if line.held == "H" else 0
    return sums


def check_controls(data: Path) -> Extract:
    """Read a pair and prove every control of §1, §2 and §6 by counting again."""
    entries = dict(entry.split("=", 1) for entry in data.with_suffix(".ctl").read_text("ascii").splitlines())
    raw, found = data.read_bytes(), read(data)
    headers = [case.header for case in found.cases.values()]
    counts = Counter(found.kinds)
    assert entries["FILE"] == data.name
    assert int(entries["BYTES"]) == len(raw)
    assert entries["SHA256"] == hashlib.sha256(raw).hexdigest()
    assert int(entries["RECORDS"]) == len(found.kinds) == found.trailer["records"]
    assert (found.kinds[0], found.kinds[-1]) == ("00", "99")
    assert found.trailer["counts"] == {kind: counts[kind] for kind in ("10", "20", "25", "27", "30", "40", "50")}
    for name in ("rp", "sos", "unk", "custodian"):
        assert found.trailer[name] == sum(header[name] for header in headers)
    assert found.trailer["suspended"] == sum(header["susp_rp"] + header["susp_sos"] for header in headers)
    assert found.trailer["ledger_hash"] == found.ledger_hash
    assert list(found.groups) == sorted(found.groups)
    return found
