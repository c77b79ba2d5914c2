"""Writes extracts of the debt manager in the real format: sound ones, unless something else is asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.encode import RecordEncoder
from tests.feeds.judged import CHECKOUT

AS_AT = 20260302
LRECL = 600


@cache
def _encoder() -> RecordEncoder:
    copybook = (CHECKOUT / "connectors" / "debt-manager" / "debt-manager.cpy").read_text(encoding="ascii")
    return RecordEncoder(
        parse_copybook(copybook, name="debt-manager.cpy"),
        record_types={"H": "DM-HEADER", "D": "DM-DETAIL", "T": "DM-TRAILER"},
        redefines={"DM-D-VARIANT": ("DM-D-DEBT-TYPE", {"SF": "DM-D-VAR-SF", "TC": "DM-D-VAR-TC"})},
    )


def debt(ref: str = "DM0010000017", action: str = "I", version: int = 1, **other: Any) -> dict[str, Any]:
    """The values of a sound detail; names as in the copybook without `DM-D-`, with underscores."""
    names = {name: name.replace("_", "-") for name in other}
    return {
        "DM-D-ACTION": action, "DM-D-DEBT-REF": ref, "DM-D-VERSION": version, "DM-D-NINO": "QQ123456A",
        "DM-D-NINO-STATUS": "V", "DM-D-TITLE": "MS", "DM-D-FORENAMES": "Test", "DM-D-SURNAME": "Exampleton",
        "DM-D-DOB": 19700131, "DM-A-PAO": "1", "DM-A-STREET": "Sample Street", "DM-A-TOWN": "Testford",
        "DM-A-POSTCODE": "ZZ1 1AA", "DM-D-BENEFIT": "IS", "DM-D-DEBT-TYPE": "OP", "DM-D-CAUSE": "F",
        "DM-D-DECISION-DATE": 20100101, "DM-D-PERIOD-FROM": 20090101, "DM-D-PERIOD-TO": 20090131,
        "DM-D-ORIGINAL": 10000, "DM-D-RECOVERED": 2500, "DM-D-BALANCE": 7500, "DM-D-METHOD": "BD",
        "DM-D-RATE": 1110, "DM-D-RATE-FREQ": "W", "DM-D-OFFICE": "D00001", "DM-D-STATUS": "A",
        "DM-D-CHANGE-TS": 20260301120000,
    } | {f"DM-{'A' if name.startswith('A_') else 'D'}-{names[name].removeprefix('A-')}": value
         for name, value in other.items()}  # fmt: skip


def hold(code: str, start: int, end: int = 99991231) -> dict[str, Any]:
    """A hold of a detail."""
    return {"DM-HOLD-CODE": code, "DM-HOLD-FROM": start, "DM-HOLD-TO": end}


def joint(nino: str, share: int = 0, role: str = "P") -> dict[str, Any]:
    """A joint debtor of a detail; the share in hundredths of a percent."""
    return {"DM-J-NINO": nino, "DM-J-SHARE": share, "DM-J-ROLE": role}


def detail(values: Mapping[str, Any]) -> bytes:
    """The bytes of one detail."""
    filled = {
        **values,
        "DM-D-HOLD": [*values.get("DM-D-HOLD", ()), *[{}] * 4][:4],
        "DM-D-JOINT": [*values.get("DM-D-JOINT", ()), *[{}] * 2][:2],
        "DM-D-HOLD-COUNT": values.get("DM-D-HOLD-COUNT", len(values.get("DM-D-HOLD", ()))),
        "DM-D-JOINT-COUNT": values.get("DM-D-JOINT-COUNT", len(values.get("DM-D-JOINT", ()))),
    }
    return _encoder().encode("DM-DETAIL", filled)


def name_of(kind: str, sequence: int, as_at: int = AS_AT) -> str:
    """The name of an extract."""
    return f"DMS.{kind}.{sequence:06}.{as_at}.dat"


def extract(
    kind: str,
    sequence: int,
    debts: Sequence[Mapping[str, Any]],
    *,
    as_at: int = AS_AT,
    header: Mapping[str, Any] | None = None,
    trailer: Mapping[str, Any] | None = None,
) -> bytes:
    """A whole extract. `header` and `trailer` hold values in place of the right ones."""
    actions = Counter(values["DM-D-ACTION"] for values in debts)
    controls: dict[str, tuple[int, int]] = {}
    for values in debts:
        if values["DM-D-ACTION"] in {"I", "C"}:
            count, pence = controls.get(values["DM-D-BENEFIT"], (0, 0))
            controls[values["DM-D-BENEFIT"]] = (count + 1, pence + values["DM-D-BALANCE"])
    ref_sum = sum(_number(values["DM-D-DEBT-REF"]) for values in debts)
    first, last = ends(
        kind, sequence, actions, controls, ref_sum, details=len(debts), as_at=as_at, header=header, trailer=trailer
    )  # fmt: skip
    return b"".join([first, *map(detail, debts), last])


def ends(
    kind: str,
    sequence: int,
    actions: Mapping[str, int],
    controls: Mapping[str, tuple[int, int]],
    ref_sum: int,
    *,
    details: int | None = None,
    as_at: int = AS_AT,
    header: Mapping[str, Any] | None = None,
    trailer: Mapping[str, Any] | None = None,
) -> tuple[bytes, bytes]:
    """Header and trailer: of so many details by action, and count and pence by benefit."""
    opening = {
        "DM-H-FILE-ID": "DMSXTRCT", "DM-H-FILE-KIND": kind[0], "DM-H-SEQ": sequence, "DM-H-AS-AT": as_at,
        "DM-H-RUN-TS": 20260302030000, "DM-H-PREV-SEQ": sequence - 1, "DM-H-LAYOUT": "0002",
    }  # fmt: skip
    entries = [
        {"DM-TB-CODE": code, "DM-TB-COUNT": count, "DM-TB-BALANCE": pence}
        for code, (count, pence) in sorted(controls.items())
    ]
    closing = {
        "DM-T-FILE-ID": "DMSXTRCT", "DM-T-SEQ": sequence,
        "DM-T-DETAILS": sum(actions.values()) if details is None else details, "DM-T-INSERTS": actions.get("I", 0),
        "DM-T-CHANGES": actions.get("C", 0), "DM-T-DELETES": actions.get("D", 0),
        "DM-T-BALANCE": sum(pence for _, pence in controls.values()), "DM-T-BENEFITS": len(entries),
        "DM-T-BENEFIT": [*entries, *[{}] * 30][:30], "DM-T-REF-HASH": ref_sum % 10**15,
    }  # fmt: skip
    return (
        _encoder().encode("DM-HEADER", opening | dict(header or {})),
        _encoder().encode("DM-TRAILER", closing | dict(trailer or {})),
    )


def _number(ref: str) -> int:
    return int(ref[2:]) if ref[:2] == "DM" and len(ref) == 12 and ref[2:].isdecimal() else 0
