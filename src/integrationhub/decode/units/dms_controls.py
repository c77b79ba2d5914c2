"""What an extract of the debt manager says of itself, checked in the order of benefits-common.md §7 and §8.

Fed with decoded records piece by piece; `facts` gives the first fault of the checks in front of the sequence check and
of those behind it, and every control with what the trailer states and what was counted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.decode.numbers import Block
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.units import ControlFact, FileFacts, FileInHand

HEADER, DETAIL, TRAILER = "DM-HEADER", "DM-DETAIL", "DM-TRAILER"
FILE_ID, LAYOUT = "DMSXTRCT", "0002"
HASH_SIZE = 10**15

_H, _D, _T = 0xC8, 0xC4, 0xE3
_STRUCTURE = ("LENGTH_NOT_MULTIPLE", "RECORD_COUNT", "HEADER_INVALID", "TRAILER_INVALID", "RECORD_TYPE_UNKNOWN")
_COUNTS = {"details": "DM-T-DETAILS", "inserts": "DM-T-INSERTS", "changes": "DM-T-CHANGES", "deletes": "DM-T-DELETES"}
_ACTIONS = {"inserts": "I", "changes": "C", "deletes": "D"}

Row = Mapping[str, Any]


@dataclass
class Controls:
    """Judges one file."""

    file: FileInHand
    _records: int = 0
    _first: dict[str, Reason] = field(default_factory=dict)  # the earliest fault of each code
    _header: Row | None = None
    _trailer: Row | None = None
    _benefits: Sequence[Row] = ()  # of the trailer
    _last_type: int = 0
    _actions: Counter[str | None] = field(default_factory=Counter)
    _count: Counter[str] = field(default_factory=Counter)  # details by benefit
    _pence: Counter[str] = field(default_factory=Counter)
    _hash: int = 0
    _unproven: Reason | None = None

    def feed(self, decoded: DecodedBatch, types: Block, first: int) -> None:
        """Take the next records; `types` are the bytes that say what they are."""
        if not self._records and types[0] != _H:
            self._note("HEADER_INVALID", "the first record is no header", 1)
        self._records += len(types)
        self._last_type = int(types[-1])
        for place in np.flatnonzero(~np.isin(types, (_H, _D, _T)))[:1]:
            self._note("RECORD_TYPE_UNKNOWN", "the record is neither header, detail nor trailer", first + int(place))
        self._read_header(decoded)
        self._read_trailer(decoded)
        self._count_details(decoded.tables[DETAIL])

    def facts(self, *, left_over: int) -> FileFacts:
        """What the whole file amounts to; `left_over` bytes are behind its last whole record."""
        if left_over:
            self._note("LENGTH_NOT_MULTIPLE", "the file ends inside a record", self._records + 1)
        if self.file.records is not None and self.file.records != self._records:
            text = f"RECORDS in the trigger file is {self.file.records}, the file has {self._records} records"
            self._note("RECORD_COUNT", text)
        if not self._records:
            self._note("HEADER_INVALID", "there is no header")
        self._check_trailer()
        sequence, kind = int(self.file.named["sequence"]), self.file.named["kind"]
        as_at = _day(self.file.named["as_at"])
        total = sum(self._pence.values())
        return FileFacts(
            structure=next((self._first[code] for code in _STRUCTURE if code in self._first), None),
            sequence=sequence,
            control=next(self._control_faults(), None),
            controls=list(self._controls()),
            canonical={
                "kind": kind,
                "seq": sequence,
                "as_at": None if as_at is None else as_at.isoformat(),
                "balance_total_pence": total,
                "details": self._details,
            },
            as_at=as_at,
            whole=kind == "FULL",
        )

    @property
    def _details(self) -> int:
        return sum(self._actions.values())

    def _note(self, code: str, text: str, record: int | None = None, name: str | None = None) -> None:
        self._first.setdefault(code, Reason(code=code, text=text, record=record, field=name))

    def _read_header(self, decoded: DecodedBatch) -> None:
        for row in decoded.tables[HEADER].to_pylist():
            if row["_record"] != 1:
                self._note("TRAILER_INVALID", "a header stands inside the file", row["_record"])
            elif self._header is None:
                self._header = row
                faulty = set(decoded.faults.filter(pl.col("table") == HEADER)["field"])
                for name, wrong in self._header_faults(row, faulty):
                    self._note("HEADER_INVALID", f"{name} {wrong}", 1, name)

    def _header_faults(self, row: Row, faulty: set[str]) -> Iterator[tuple[str, str]]:
        named = self.file.named
        sequence = int(named["sequence"])
        wanted = {
            "DM-H-FILE-ID": FILE_ID,
            "DM-H-FILE-KIND": named["kind"][0],
            "DM-H-SEQ": sequence,
            "DM-H-AS-AT": int(named["as_at"]),
            "DM-H-LAYOUT": LAYOUT,
            "DM-H-PREV-SEQ": sequence - 1,
        }
        yield from ((name, "is not what it must be") for name, value in wanted.items() if row[name] != value)
        if _day(named["as_at"]) is None:
            yield "DM-H-AS-AT", "is no day"
        yield from ((name, "is undecodable") for name in faulty)

    def _read_trailer(self, decoded: DecodedBatch) -> None:
        for row in decoded.tables[TRAILER].to_pylist():
            if self._trailer is not None:
                self._note("TRAILER_INVALID", "a trailer stands inside the file", self._trailer["_record"])
            self._trailer = row
            entries = decoded.tables["DM-T-BENEFIT"]
            own = entries.filter(pa.array(entries.column("_record").to_numpy() == row["_record"]))
            self._benefits = own.to_pylist()

    def _check_trailer(self) -> None:
        row = self._trailer
        if row is None or self._last_type != _T:
            self._note("TRAILER_INVALID", "the last record is no trailer", self._records)
        elif row["DM-T-FILE-ID"] != FILE_ID:
            self._note("TRAILER_INVALID", "DM-T-FILE-ID is not what it must be", row["_record"], "DM-T-FILE-ID")
        elif row["DM-T-SEQ"] != int(self.file.named["sequence"]):
            self._note("TRAILER_INVALID", "DM-T-SEQ is not the file's sequence", row["_record"], "DM-T-SEQ")

    def _count_details(self, table: pa.Table) -> None:
        columns = ["_record", "DM-D-ACTION", "DM-D-DEBT-REF", "DM-D-BENEFIT", "DM-D-BALANCE"]
        details = pl.DataFrame(pl.from_arrow(table.select(columns)))
        if details.is_empty():
            return
        self._actions.update(dict(details.group_by("DM-D-ACTION").len().iter_rows()))
        if self.file.named["kind"] == "FULL":
            for record in details.filter(pl.col("DM-D-ACTION").ne_missing("I"))["_record"].head(1):
                self._note("HEADER_INVALID", "DM-D-ACTION is not I, in a full extract", record, "DM-D-ACTION")
        digits = details["DM-D-DEBT-REF"].str.extract("^DM([0-9]{10})$").cast(pl.Int64)
        self._hash = (self._hash + int(digits.sum() or 0)) % HASH_SIZE
        self._sum(details.filter(pl.col("DM-D-ACTION").is_in(["I", "C"])))

    def _sum(self, details: pl.DataFrame) -> None:
        """Balances by benefit of the details that carry money."""
        for record in details.filter(pl.col("DM-D-BALANCE").is_null())["_record"].head(1):
            text = "DM-D-BALANCE is undecodable, so the control total can't be proved"
            if self._unproven is None:
                self._unproven = Reason(code="CONTROL_TOTAL", text=text, record=record, field="DM-D-BALANCE")
        by_benefit = details.group_by(pl.col("DM-D-BENEFIT").fill_null("")).agg(pl.len(), pl.col("DM-D-BALANCE").sum())
        for benefit, count, pence in by_benefit.iter_rows():
            self._count[benefit] += count
            self._pence[benefit] += pence

    def _controls(self) -> Iterator[ControlFact]:
        stated: Row = self._trailer or {}
        for name, column in _COUNTS.items():
            counted = self._actions[_ACTIONS[name]] if name in _ACTIONS else self._details
            yield ControlFact(name=name, expected=stated.get(column), actual=counted)
        yield ControlFact(name="benefits", expected=stated.get("DM-T-BENEFITS"), actual=len(self._count))
        yield ControlFact(name="balance", expected=stated.get("DM-T-BALANCE"), actual=sum(self._pence.values()))
        benefits = self._stated_benefits()
        for code in sorted({*benefits, *self._count}):
            count, pence = benefits.get(code, (None, None))
            yield ControlFact(name=f"count {code}", expected=count, actual=self._count.get(code))
            yield ControlFact(name=f"balance {code}", expected=pence, actual=self._pence.get(code))
        yield ControlFact(name="ref_hash", expected=stated.get("DM-T-REF-HASH"), actual=self._hash)

    def _stated_benefits(self) -> dict[str, tuple[int | None, int | None]]:
        """Count and pence of the entries in use, by code; a code that is stated twice has neither."""
        used = 0 if self._trailer is None else self._trailer["DM-T-BENEFITS"] or 0
        found: dict[str, tuple[int | None, int | None]] = {}
        for row in self._benefits[:used]:
            code = row["DM-TB-CODE"] or ""
            found[code] = (None, None) if code in found else (row["DM-TB-COUNT"], row["DM-TB-BALANCE"])
        return found

    def _control_faults(self) -> Iterator[Reason]:
        place = None if self._trailer is None else self._trailer["_record"]
        wrong = [control for control in self._controls() if control.expected != control.actual]
        for control in wrong:
            if control.name in _COUNTS:
                text = f"{_COUNTS[control.name]} states {control.expected}, the file has {control.actual}"
                yield Reason(code="CONTROL_COUNT", text=text, record=place, field=_COUNTS[control.name])
        if self._unproven is not None:
            yield self._unproven
        for control in wrong:
            if control.name not in _COUNTS:
                text = f"the trailer's {control.name} is not what the details amount to"
                yield Reason(code="CONTROL_TOTAL", text=text, record=place)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None
