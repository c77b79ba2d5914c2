"""Lines of a made-up payment counter: decoded tables of 30 columns, and their mapping as a function row by row.

The function does what benchmarks/feeds/counter says and nothing more, as a careful programmer would write it: code
lists and placeholders in dictionaries and sets, identifiers remembered, every row's value made once. Its faults are
those of the mapping.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.arrow import Array
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.plan import MappingContext

Row = dict[str, Any]
Fault = tuple[int, str, str]
SEED = 11
_STEP = 2**32
_CASES_A_GROUP, _LINES_A_CASE = 2, 20
_BAD = 10_000
"""Of so many values of a field about one can't be read."""


def lines(count: int) -> pa.Table:
    """So many lines, sorted by group and case; a few of them with values that are none."""
    rng = np.random.default_rng(SEED)
    number = np.arange(count)
    case = number // _LINES_A_CASE
    kind = rng.choice(np.array(list("CRAXFW")), count, p=[0.45, 0.4, 0.06, 0.04, 0.03, 0.02])
    day = rng.integers(0, 6_000, count)
    packed, display = _written(day)
    last, _ = _written(day + rng.integers(0, 60, count))
    charged = kind == "C"
    columns: dict[str, Any] = {
        "GROUP-NO": 700_000 + case // _CASES_A_GROUP,
        "CASE-NO": 1_000_000_000 + case,
        "LINE-NO": number % _LINES_A_CASE + 1,
        "KIND": _spoilt(rng, kind, "?"),
        "OWNER": _spoilt(rng, rng.choice(np.array(["P", "S", "M", ""]), count, p=[0.6, 0.3, 0.05, 0.05]), "?"),
        "REASON": rng.choice(np.array(["", "SU", "SL", "ER"]), count, p=[0.94, 0.02, 0.02, 0.02]),
        "AMOUNT": _spoilt(rng, rng.integers(1, 100_000, count), -5),
        "CHARGE": rng.integers(0, 200, count),
        "POSTED": _spoilt(rng, display, 20_101_350),
        "VALUE-DATE": _spoilt(rng, packed, 110_399),
        "PERIOD-FROM": _where(charged, _spoilt(rng, packed, 9_999_999)),
        "PERIOD-TO": _where(charged, _spoilt(rng, last, 99_367)),
        "WEEKLY": _where(charged, rng.integers(500, 20_000, count)),
        "REVERSES": _where(kind == "X", rng.integers(1, _LINES_A_CASE, count)),
        "BRANCH": _named(rng, count, "BR", 90),
        "TERMINAL": _named(rng, count, "T", 900),
        "OFFICER-SURNAME": _named(rng, count, "Officer", 400),
        "OFFICER-INITIALS": rng.choice(np.array(["A", "B C", "D"]), count),
        "REMARK": np.where(rng.integers(0, 10, count) == 0, _named(rng, count, "see letter", 5_000), ""),
        "CURRENCY": _spoilt(rng, np.full(count, "GBP"), "EUR"),
    }
    columns |= {f"SPARE-{place}": _named(rng, count, "s", 50) for place in range(1, 11)}
    table = {"_record": number + 1, "_offset": number * 200, **columns}
    return pa.table({name: pa.array(values) for name, values in table.items()})


def _written(days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days from 2000 on as 0CYYDDD and as CCYYMMDD."""
    stamps = np.datetime64("2000-01-01", "D") + days
    year = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
    months = stamps.astype("datetime64[M]")
    month, of_month = months.astype(np.int64) % 12 + 1, (stamps - months).astype(np.int64) + 1
    of_year = (stamps - stamps.astype("datetime64[Y]")).astype(np.int64) + 1
    return (year - 1900) * 1_000 + of_year, year * 10_000 + month * 100 + of_month


def _spoilt(rng: np.random.Generator, values: np.ndarray, bad: object) -> np.ndarray:
    return np.where(rng.random(len(values)) < 1 / _BAD, np.array(bad, values.dtype), values)


def _where(there: np.ndarray, values: np.ndarray) -> Array:
    column: Array = pa.array(values, mask=~there)
    return column


def _named(rng: np.random.Generator, count: int, word: str, many: int) -> np.ndarray:
    return np.array([f"{word} {number}" for number in range(many)])[rng.integers(0, many, count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRow:
    """The mapping as a function over dictionaries, with everything that can be kept ready kept ready."""

    kinds: Mapping[str, str]
    owners: Mapping[str, str]
    context: MappingContext
    mapping_id: str

    @classmethod
    def of(cls, mapping: CompiledMapping, context: MappingContext) -> "ByRow":
        """The function for a delivery."""
        codes = mapping.documents.codes
        return cls(
            kinds=codes["counter-kind"].at(context.as_at),
            owners=codes["counter-owner"].at(context.as_at),
            context=context,
            mapping_id=mapping.mapping_ids["ledger"],
        )

    def run(self, rows: Sequence[Row]) -> tuple[list[Row], list[Fault]]:
        """The canonical rows, and every fault and note: record, field, code."""
        made, faults = [], list[Fault]()
        for row in rows:
            one = self._mapped(row)
            made.append(one)
            faults += _faults(row, one)
        return made, faults

    def _mapped(self, row: Row) -> Row:
        kind, amount, reason = row["KIND"], row["AMOUNT"], row["REASON"]
        number = row["CASE-NO"]
        ref = f"{number:010d}" if 0 <= number < 10**10 else None
        posted, posted_mark = _display(row["POSTED"])
        effective, effective_mark = _packed(row["VALUE-DATE"])
        first, first_mark = _packed(row["PERIOD-FROM"])
        last, last_mark = _packed(row["PERIOD-TO"])
        surname, context = row["OFFICER-SURNAME"], self.context
        return {
            "group_id": _identifier("group", row["GROUP-NO"]),
            "case_id": _identifier("case", ref),
            "source_case_ref": ref,
            "line_no": row["LINE-NO"],
            "kind": self.kinds.get(kind),
            "owner": self.owners.get(row["OWNER"]),
            "reason": _text(reason),
            "pence": -amount if kind == "R" else -amount - row["CHARGE"] if kind == "X" else amount,
            "suspended_pence": amount if reason == "SU" else -amount if reason == "SL" else 0,
            "stored_pence": amount,
            "posted": posted,
            "posted_mark": posted_mark,
            "effective": effective,
            "effective_mark": effective_mark,
            "from_date": first,
            "from_date_mark": first_mark,
            "to_date": last,
            "to_date_mark": last_mark,
            "weekly_pence": row["WEEKLY"],
            "reverses_line": row["REVERSES"] if kind == "X" else None,
            "source_id": f"{row['BRANCH']}-{row['TERMINAL']}",
            "authority": f"{surname.upper()}, {row['OFFICER-INITIALS']}" if surname != "" else None,
            "text": _text(row["REMARK"]),
            "source_system": context.source_system,
            "source_ref": f"{ref}/{row['LINE-NO']}",
            "delivery_id": context.delivery_id,
            "record_no": row["_record"],
            "byte_offset": row["_offset"],
            "mapping_id": self.mapping_id,
            "version": row["_record"] + context.sequence * _STEP,
        }


def _faults(row: Row, made: Row) -> Iterator[Fault]:
    record = row["_record"]
    for field, name, code in _READ:
        if made[name] is None:
            value = row[field]
            if value is None:
                if field in _NEEDED:
                    yield record, field, "VALUE_MISSING"
            elif made.get(f"{name}_mark") is None:
                yield record, field, code
    if row["KIND"] == "X" and row["REVERSES"] is None:
        yield record, "REVERSES", "VALUE_MISSING"
    if row["KIND"] == "R" and row["AMOUNT"] <= 0:
        yield record, "AMOUNT", "AMOUNT_SIGN"
    if made["to_date"] is not None and made["from_date"] is not None and made["to_date"] < made["from_date"]:
        yield record, "PERIOD-TO", "PERIOD_REVERSED"
    if row["CURRENCY"] != "GBP":
        yield record, "CURRENCY", "CURRENCY"


_READ = (
    ("CASE-NO", "source_case_ref", "DIGITS_INVALID"), ("LINE-NO", "line_no", ""), ("KIND", "kind", "CODE_UNKNOWN"),
    ("OWNER", "owner", "CODE_UNKNOWN"), ("AMOUNT", "stored_pence", ""), ("POSTED", "posted", "DATE_INVALID"),
    ("VALUE-DATE", "effective", "DATE_INVALID"), ("PERIOD-FROM", "from_date", "DATE_INVALID"),
    ("PERIOD-TO", "to_date", "DATE_INVALID"),
)  # fmt: skip
"""Source field, canonical field, and the code of a value that can't be read."""
_NEEDED = frozenset({"CASE-NO", "LINE-NO", "KIND", "OWNER", "AMOUNT", "POSTED", "VALUE-DATE"})
_DISPLAY_NONE = frozenset({0, 99_999_999, 19_000_101})
_PACKED_NONE = {0: "SENTINEL", 1: "SENTINEL", 9_999_999: "OPEN"}
_CENTURIES, _LEAP = 200_000, 366


@lru_cache(maxsize=1 << 16)
def _identifier(kind: str, key: object) -> str | None:
    return None if key is None else derive(kind, "COUNTER", key)


def _packed(number: int | None) -> tuple[date | None, str | None]:
    if number is None:
        return None, None
    if number in _PACKED_NONE:
        return None, _PACKED_NONE[number]
    year, day = 1900 + number // 1000, number % 1000
    if not 0 <= number < _CENTURIES or not 1 <= day <= _LEAP:
        return None, None
    found = date(year, 1, 1) + timedelta(days=day - 1)
    return (found, None) if found.year == year else (None, None)


def _display(number: int | None) -> tuple[date | None, str | None]:
    if number is None:
        return None, None
    if number in _DISPLAY_NONE:
        return None, "SENTINEL"
    try:
        return date(number // 10_000, number // 100 % 100, number % 100), None
    except ValueError:
        return None, None


def _text(value: str | None) -> str | None:
    return (value.replace("\0", "").strip(" ") or None) if value is not None else None
