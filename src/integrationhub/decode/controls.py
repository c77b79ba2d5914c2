"""A file's word about itself, checked: header, counts and control totals (csa1993.md §1.1 R08, R11, R12; §6).

Fed slice by slice; at the end `verdict` gives the first failing check in the document's order and every control with
what the file states and what was counted. Control totals cover all records, those of quarantined groups too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from integrationhub.decode.slices import Slice
from integrationhub.decode.structure import StructureCheck
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One control: its name in the interface, what the file states, what was counted."""

    name: str
    expected: object
    actual: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlVerdict:
    """The first failing check (None: all hold), the file's controls, its kind, the number of its records, and how many
    of them are units that get an outcome: neither header nor trailer.
    """

    fault: Reason | None
    controls: tuple[Stated, ...]
    full_book: bool
    records: int
    units: int


class FileControls:
    """Judges one file. `sequence` and `records` are what the trigger file says."""

    def __init__(self, structure: Structure, levels: Mapping[str, str], *, sequence: int, records: int | None) -> None:
        self._rules = structure
        self._levels = dict(levels)
        self._sequence = sequence
        self._stated_records = records
        self._structure = StructureCheck(structure, self._levels)
        self._first: dict[str, Reason] = {}
        self._counts: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._unproven: dict[str, Reason] = {}
        self._records = 0
        self._header: dict[str, Any] = {}
        self._trailer: dict[str, Any] = {}
        self._control_fields = {name: total for total in structure.totals.values() for name in total.fields}

    def feed(self, piece: Slice) -> None:
        """Take the next slice."""
        for fault in piece.faults:
            self._note(fault)
        self._records += len(piece.kinds)
        self._count(piece)
        self._read_ends(piece)
        self._structure.feed(piece)
        self._sum(piece)
        self._find_unproven(piece)

    @property
    def failed(self) -> bool:
        """Whether a check has failed already, so that the file will be refused."""
        return bool(self._first)

    def verdict(self) -> ControlVerdict:
        """What the whole file amounts to, after its last slice."""
        for fault in self._structure.faults():
            self._note(fault)
        controls = self._controls()
        for fault in self._count_faults():
            self._note(fault)
        for fault in self._total_faults(controls):
            self._note(fault)
        codes = self._rules.codes
        order = (codes.framing, codes.record_type, codes.length, codes.order, codes.count, codes.total, codes.field)
        first = next((self._first[code] for code in order if code in self._first), None)
        kind = self._rules.header_fields.kind
        return ControlVerdict(
            fault=first,
            controls=controls,
            full_book=self._header.get(kind.field) == kind.full,
            records=self._records,
            units=self._records - self._counts[self._rules.header] - self._counts[self._rules.trailer],
        )

    def _note(self, fault: Reason) -> None:
        """Keep the first fault of each code: the one that stands earliest in the file."""
        known = self._first.get(fault.code)
        if known is None or (fault.record or 0) < (known.record or 0):
            self._first[fault.code] = fault

    def _count(self, piece: Slice) -> None:
        kinds, numbers = np.unique(piece.kinds, return_counts=True)
        for kind, number in zip(kinds, numbers, strict=True):
            if kind >= 0:
                self._counts[piece.kind_names[kind]] += int(number)

    def _read_ends(self, piece: Slice) -> None:
        """The header's and the trailer's values, and what the header must say."""
        header = piece.table(self._levels[self._rules.header])
        if header.num_rows and not self._header:
            self._header = header.slice(0, 1).to_pylist()[0]
            self._check_header(piece)
        trailer = piece.table(self._levels[self._rules.trailer])
        if trailer.num_rows and not self._trailer:
            self._trailer = trailer.slice(0, 1).to_pylist()[0]
            self._trailer["counts"] = self._trailer_counts(piece, self._trailer["_record"])

    def _check_header(self, piece: Slice) -> None:
        codes, fields = self._rules.codes, self._rules.header_fields
        place = {"record": self._header["_record"], "offset": self._header["_offset"]}
        for name, value in fields.expect.items():
            if self._header.get(name) != value:
                self._note(Reason(code=codes.record_type, text=f"{name} is not {value}", field=name, **place))
        if self._header.get(fields.kind.field) not in (fields.kind.full, fields.kind.correction):
            text = f"{fields.kind.field} is neither {fields.kind.full} nor {fields.kind.correction}"
            self._note(Reason(code=codes.field, text=text, field=fields.kind.field, **place))
        level = self._levels[self._rules.header]
        for row in piece.decoded.faults.filter(pl.col("table") == level).head(1).iter_rows(named=True):
            text = f"{row['field']} is undecodable"
            self._note(Reason(code=codes.field, text=text, field=row["field"], **place))

    def _trailer_counts(self, piece: Slice, record: int) -> list[tuple[str | None, int | None]]:
        rules = self._rules.trailer_fields.counts
        if rules is None:
            return []
        rows = pl.DataFrame(pl.from_arrow(piece.table(rules.table))).filter(pl.col("_record") == record)
        return list(rows.select(rules.type, rules.count).iter_rows())

    def _sum(self, piece: Slice) -> None:
        for name, total in self._rules.totals.items():
            self._totals[name] += sum_of(piece, total.fields)

    def _find_unproven(self, piece: Slice) -> None:
        """Undecodable fields that feed a control total: it can't be proved then."""
        faults = piece.decoded.faults.filter(pl.col("field").is_in(list(self._control_fields))).sort("record").head(1)
        for row in faults.iter_rows(named=True):
            text = f"{row['field']} is undecodable, so its control total can't be proved"
            place = {"record": row["record"], "offset": row["offset"], "field": row["field"]}
            self._note(Reason(code=self._rules.codes.total, text=text, **place))

    def _controls(self) -> tuple[Stated, ...]:
        fields = self._rules.trailer_fields
        controls = [Stated(name="records", expected=self._trailer.get(fields.records), actual=self._records)]
        if fields.counts is not None:
            stated = {kind: number for kind, number in self._trailer.get("counts", []) if kind is not None}
            counted = {kind: self._counts[kind] for kind in fields.counts.order}
            controls.append(Stated(name="counts", expected=stated, actual=counted))
        controls += [
            Stated(name=name, expected=self._trailer.get(total.trailer), actual=self._totals[name])
            for name, total in self._rules.totals.items()
        ]
        return tuple(controls)

    def _count_faults(self) -> list[Reason]:
        """R11: the trailer's sequence, its counts in their order, and the trigger's number of records."""
        code, fields = self._rules.codes.count, self._rules.trailer_fields
        place, faults = self._trailer_place(), []
        if self._trailer.get(fields.sequence) != self._sequence:
            text = f"{fields.sequence} in the trailer is not the file's sequence"
            faults.append(Reason(code=code, text=text, field=fields.sequence, **place))
        if self._trailer.get(fields.records) != self._records:
            text = f"{fields.records} states {self._trailer.get(fields.records)}, the file has {self._records} records"
            faults.append(Reason(code=code, text=text, field=fields.records, **place))
        for kind, number in self._trailer.get("counts", []):
            if fields.counts and kind in fields.counts.order and number != self._counts[kind]:
                text = f"{fields.counts.count} of {kind} states {number}, the file has {self._counts[kind]}"
                faults.append(Reason(code=code, text=text, field=fields.counts.count, **place))
        if fields.counts and [kind for kind, _ in self._trailer.get("counts", [])] != list(fields.counts.order):
            text = f"the trailer's record types are not {' '.join(fields.counts.order)}"
            faults.append(Reason(code=code, text=text, field=fields.counts.type, **place))
        if self._stated_records is not None and self._stated_records != self._records:
            text = f"RECORDS in the trigger file is {self._stated_records}, the file has {self._records}"
            faults.append(Reason(code=code, text=text, field="RECORDS"))
        return faults

    def _total_faults(self, controls: tuple[Stated, ...]) -> list[Reason]:
        """R12: a control total differs."""
        faults = []
        for control in controls:
            total = self._rules.totals.get(control.name)
            if total is not None and control.expected != control.actual:
                text = f"{total.trailer} states {control.expected} pence, the records add up to {control.actual}"
                if control.expected is None:
                    text = f"{total.trailer} is undecodable, so the control total can't be proved"
                place = self._trailer_place()
                faults.append(Reason(code=self._rules.codes.total, text=text, field=total.trailer, **place))
        return faults

    def _trailer_place(self) -> dict[str, Any]:
        return {"record": self._trailer.get("_record"), "offset": self._trailer.get("_offset")}


def sum_of(piece: Slice, fields: Iterable[str], *, records: Sequence[tuple[int, int]] | None = None) -> int:
    """The exact sum of columns, wherever they stand; undecodable values count nothing.

    With `records` only those of the ranges [first, last] count.
    """
    return sum(_sum(piece, field, records) for field in fields)


def _sum(piece: Slice, field: str, records: Sequence[tuple[int, int]] | None) -> int:
    table = next((item for item in piece.decoded.tables.values() if field in item.column_names), None)
    if table is None:
        return 0
    column = table.column(field)
    if records is not None:
        numbers = table.column("_record").to_numpy()
        column = column.filter(pa.array(_within(numbers, records)))
    # int64 can't overflow here: of values with 11 digits, 2⁶³ holds more than 90 million.
    return int(pc.sum(column).as_py() or 0)


def _within(numbers: npt.NDArray[np.int64], records: Sequence[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(len(numbers), np.bool_)
    for first, last in records:
        low, high = np.searchsorted(numbers, [first, last + 1])
        chosen[low:high] = True
    return chosen


def as_at_of(header: Mapping[str, Any], structure: Structure) -> date | None:
    """The as-at date in a decoded header; None when it is no date."""
    rule = structure.header_fields.as_at
    value = header.get(rule.field)
    return _FORMATS[rule.format](value) if isinstance(value, int) else None


_DAYS = 366


def _cyyddd(value: int) -> date | None:
    """0CYYDDD: C = 0 for 19xx, 1 for 20xx; DDD day of year (csa1993.md §3)."""
    century, year, day = value // 100_000, value // 1000 % 100, value % 1000
    if not 0 <= century <= 1 or not 1 <= day <= _DAYS:  # a seventh digit other than 0 makes the century too large
        return None
    first = date(1900 + century * 100 + year, 1, 1)
    found = date.fromordinal(first.toordinal() + day - 1)
    return found if found.year == first.year else None


def _ccyymmdd(value: int) -> date | None:
    try:
        return date(value // 10_000, value // 100 % 100, value % 100)
    except ValueError:
        return None


_FORMATS = {"cyyddd": _cyyddd, "ccyymmdd": _ccyymmdd}
