"""Files of fixed records for the decoder's benchmarks, kept between runs: customers, and a debt-manager extract.

A file is a thousand different records, drawn again and again in the order of a fixed seed, so that making it costs
little and no column is constant.
"""

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estates import cache_folder
from integrationhub.decode.copybook import Copybook, Item, parse_copybook
from integrationhub.decode.copybook.layout import Category, Usage
from integrationhub.decode.encode import RecordEncoder

SEED = 11
DIFFERENT = 1000
_WRITTEN_AT_ONCE = 10_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

CUSTOMERS = """
       01  CUSTOMER-RECORD.
           05  CU-TYPE            PIC X(2).
           05  CU-ID              PIC 9(9).
           05  CU-TITLE           PIC X(6).
           05  CU-FORENAME        PIC X(30).
           05  CU-SURNAME         PIC X(30).
           05  CU-BORN            PIC 9(8).
           05  CU-STREET          PIC X(40).
           05  CU-LOCALITY        PIC X(30).
           05  CU-TOWN            PIC X(30).
           05  CU-POSTCODE        PIC X(8).
           05  CU-PHONE           PIC X(15).
           05  CU-MAIL            PIC X(40).
           05  CU-STATUS          PIC X.
           05  CU-OPENED          PIC 9(8).
           05  CU-LIMIT           PIC S9(7)V99 COMP-3.
           05  CU-BALANCE         PIC S9(9)V99 COMP-3.
           05  CU-OVERDUE         PIC S9(9)V99 COMP-3.
           05  CU-INTEREST        PIC S9(3)V9(4) COMP-3.
           05  CU-CREDITS         PIC S9(9) COMP.
           05  CU-DEBITS          PIC S9(9) COMP.
           05  CU-TURNOVER        PIC S9(11)V99 COMP.
           05  CU-BRANCH          PIC 9(4) COMP.
           05  CU-RATING          PIC S9(4) COMP.
           05  CU-FEE             PIC S9(5)V99.
           05  CU-DISCOUNT        PIC S9(3)V99 SIGN LEADING SEPARATE.
           05  CU-SCORE           COMP-2.
           05  CU-WEIGHT          COMP-1.
           05  CU-AGENT           PIC X(12).
           05  CU-NOTE            PIC X(44).
           05  CU-CHANGED         PIC 9(14).
           05  FILLER             PIC X(7).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedFile:
    """A file of fixed records, how its records are told apart, and its copybook's text."""

    path: Path
    copybook: str
    length: int
    record_types: Mapping[str, str]


def customers(records: int) -> FixedFile:
    """Records of 400 bytes with 30 fields of all storages."""
    types = {"CU": "CUSTOMER-RECORD"}
    return _file("customers", CUSTOMERS, types, records)


def debt_manager(records: int, copybook: str) -> FixedFile:
    """Records of 600 bytes as the debt manager sends them: a header, details, a trailer."""
    return _file("debt-manager", copybook, {"D": "DM-DETAIL", "H": "DM-HEADER", "T": "DM-TRAILER"}, records)


def _file(name: str, text: str, types: Mapping[str, str], records: int) -> FixedFile:
    copybook = parse_copybook(text, name=name)
    path = cache_folder() / f"{name}-{records}-{SEED}.dat"
    if not path.exists():
        _write(path, copybook, types, records)
    return FixedFile(path=path, copybook=text, length=copybook.records[0].length, record_types=types)


def _write(path: Path, copybook: Copybook, types: Mapping[str, str], records: int) -> None:
    chance = random.Random(SEED)  # noqa: S311 - no secret
    main = next(iter(types.values()))
    encoder = RecordEncoder(copybook, record_types=types)
    pool = [encoder.encode(main, _values(copybook.record(main), chance)) for _ in range(DIFFERENT)]
    ends = [encoder.encode(level, {}) for level in list(types.values())[1:]]
    part = path.with_suffix(f".{os.getpid()}")
    with part.open("wb") as stream:
        stream.writelines(ends[:1])
        left = records - len(ends)
        while left > 0:
            stream.write(b"".join(chance.choices(pool, k=min(left, _WRITTEN_AT_ONCE))))
            left -= _WRITTEN_AT_ONCE
        stream.writelines(ends[1:])
    part.rename(path)


def _values(group: Item, chance: random.Random) -> dict[str, Any]:
    """A value for every field that has a column; the record-type field keeps its own."""
    found: dict[str, Any] = {}
    for item in group.children:
        if item.is_filler or item.redefines is not None or item.redefined:
            continue
        if item.occurs is not None:
            found[item.key] = [_values(item, chance) for _ in range(item.occurs.most)]
        elif item.is_group:
            found |= _values(item, chance)
        elif item.offset:
            found[item.key] = _value(item, chance)
    return found


def _value(item: Item, chance: random.Random) -> object:
    if item.category is Category.TEXT:
        return "".join(chance.choices(_LETTERS, k=chance.randint(0, item.length)))
    if item.category is Category.FLOATING:
        return chance.uniform(-1000, 1000)
    most = 10 ** min(item.digits, 9) - 1
    low = -most if item.signed and item.usage is not Usage.NATIVE else 0
    return chance.randint(low, most)
