"""Remittances of the central payment system, in EBCDIC records (payments.md §6, benefits-common.md §7, §8)."""

import hashlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.decode.codepage import code_page
from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.numbers import Block
from integrationhub.records import FAULT_SCHEMA, DecodedBatch, Reason
from integrationhub.sdk.units import AT_ONCE, Booked, ControlFact, FileFacts, FileInHand, Options

LRECL = 160
HEADER, DETAIL, TRAILER = "CP-HEADER", "CP-DETAIL", "CP-TRAILER"
FILE_ID, LAYOUT = "CPSRETRN", "03"
PAGE = "cp1146"

_KEY, _CONTENT = slice(2, 17), slice(2, 122)
_NEVER_BLANK = ("CP-D-REMIT-ID", "CP-D-ORIG-REMIT", "CP-D-GROSS")
"""Numbers that no total has: one that can't be read, blanks included, spoils its own record alone."""

_SUMMED = "CP-D-AMOUNT"
_STRUCTURE = ("LENGTH_NOT_MULTIPLE", "RECORD_COUNT", "HEADER_INVALID", "TRAILER_INVALID", "RECORD_TYPE_UNKNOWN")
_TYPES = {kind: np.frombuffer(code.encode(PAGE), np.uint8) for kind, code in
          {HEADER: "01", DETAIL: "50", TRAILER: "99"}.items()}  # fmt: skip


@dataclass(frozen=True)
class CpsDecoder:
    """A UnitDecoder. `copybook`: the text of the record layout."""

    copybook: str

    @cached_property
    def _records(self) -> CopybookFileDecoder:
        layout = {"record_types": {"01": HEADER, "50": DETAIL, "99": TRAILER}, "signs": "strict-display"}
        return CopybookFileDecoder(self.copybook, name="cps-returns.cpy", layout=layout)

    @property
    def layout(self) -> Mapping[str, Mapping[str, pl.DataType]]:
        """One table: the details, with their key as text and a digest of what makes two the same."""
        piece, _ = self._piece(np.zeros((0, LRECL), np.uint8), 1)
        return {DETAIL: dict(pl.DataFrame(pl.from_arrow(piece.tables[DETAIL])).schema)}

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """The details, some thousand at a time."""
        controls = _Controls(file)
        first, rest = 1, b""
        while block := stream.read(AT_ONCE * LRECL - len(rest)):
            whole = rest + block
            count = len(whole) // LRECL
            rest = whole[count * LRECL :]
            if count:
                rows = np.frombuffer(whole, np.uint8, count * LRECL).reshape(count, LRECL)
                piece, decoded = self._piece(rows, first)
                controls.feed(decoded, rows, first)
                yield piece
                first += count
        return controls.facts(left_over=len(rest))

    def _piece(self, rows: Block, first: int) -> tuple[DecodedBatch, DecodedBatch]:
        """The details as units, and all records as they are decoded."""
        starts, lengths = np.arange(len(rows), dtype=np.int64) * LRECL, np.full(len(rows), LRECL, np.int32)
        decoded = self._records.decode(rows.reshape(-1), starts, lengths, first_record=first, base=(first - 1) * LRECL)
        detail = decoded.tables[DETAIL]
        own = rows[detail.column("_record").to_numpy() - first]
        page = code_page(PAGE)
        keys = pa.array([page.decode(row[_KEY].tobytes()) for row in own], pa.string())
        contents = pa.array([hashlib.sha256(row[_CONTENT].tobytes()).hexdigest() for row in own], pa.string())
        faults = decoded.faults.filter((pl.col("table") == DETAIL) & (pl.col("field") != _SUMMED))
        units = detail.append_column("KEY", keys).append_column("CONTENT", contents)
        return DecodedBatch(tables={DETAIL: units}, faults=pl.concat([faults, _blank_numbers(detail)])), decoded


def _blank_numbers(details: pa.Table) -> pl.DataFrame:
    """Faults of numbers that are blank where a number must stand."""
    frame = pl.DataFrame(pl.from_arrow(details.select(["_record", "_offset", *_NEVER_BLANK])))
    found = [
        frame.filter(pl.col(name).is_null()).select(
            record="_record", offset="_offset", table=pl.lit(DETAIL), field=pl.lit(name),
            code=pl.lit("PACKED_INVALID"), hex=pl.lit(""),
        )
        for name in _NEVER_BLANK
    ]  # fmt: skip
    return pl.concat(found).cast(pl.Schema(FAULT_SCHEMA))


@dataclass
class _Controls:
    """What a file says of itself, checked in the order of benefits-common.md §7."""

    file: FileInHand
    _records: int = 0
    _first: dict[str, Reason] = field(default_factory=dict)  # the earliest fault of each code
    _trailer: Mapping[str, Any] | None = None
    _last_is_trailer: bool = False
    _details: int = 0
    _pence: Counter[str] = field(default_factory=Counter)  # by kind
    _count: Counter[str] = field(default_factory=Counter)
    _unproven: Reason | None = None

    def feed(self, decoded: DecodedBatch, rows: Block, first: int) -> None:
        """Take the next records."""
        kinds = {name: (rows[:, :2] == code).all(axis=1) for name, code in _TYPES.items()}
        if not self._records and not kinds[HEADER][0]:
            self._note("HEADER_INVALID", "the first record is no header", 1)
        unknown = ~np.logical_or.reduce(list(kinds.values()))
        for place in np.flatnonzero(unknown)[:1]:
            self._note("RECORD_TYPE_UNKNOWN", "the record is neither header, detail nor trailer", first + int(place))
        self._records += len(rows)
        self._last_is_trailer = bool(kinds[TRAILER][-1])
        self._read_headers(decoded)
        self._read_trailers(decoded)
        self._sum(decoded.tables[DETAIL])

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
        sequence, controls = int(self.file.named["sequence"]), list(self._controls())
        return FileFacts(
            structure=next((self._first[code] for code in _STRUCTURE if code in self._first), None),
            sequence=sequence,
            control=self._control_fault(controls),
            controls=controls,
            canonical={"seq": sequence, "deductions_pence": self._pence["D"], "recalls_pence": self._pence["R"]},
            credits=Booked(count=self._count["D"], pence=self._pence["D"]),
            debits=Booked(count=self._count["R"], pence=self._pence["R"]),
            as_at=_day(self.file.named["as_at"]),
        )

    def _note(self, code: str, text: str, record: int | None = None, name: str | None = None) -> None:
        self._first.setdefault(code, Reason(code=code, text=text, record=record, field=name))

    def _read_headers(self, decoded: DecodedBatch) -> None:
        for row in decoded.tables[HEADER].to_pylist():
            if row["_record"] != 1:
                self._note("TRAILER_INVALID", "a header stands inside the file", row["_record"])
                continue
            for name in self._header_faults(row):
                self._note("HEADER_INVALID", f"{name} is not what it must be", 1, name)

    def _header_faults(self, row: Mapping[str, Any]) -> Iterator[str]:
        named = self.file.named
        day = named["as_at"]
        wanted = {
            "CP-H-FILE-ID": FILE_ID,
            "CP-H-SEQ": int(named["sequence"]),
            "CP-H-AS-AT": int(day) - 1_900_000,
            "CP-H-LAYOUT": LAYOUT,
        }
        yield from (name for name, value in wanted.items() if row[name] != value)
        if _day(day) is None:
            yield "CP-H-AS-AT"

    def _read_trailers(self, decoded: DecodedBatch) -> None:
        for row in decoded.tables[TRAILER].to_pylist():
            if self._trailer is not None:
                self._note("TRAILER_INVALID", "a trailer stands inside the file", self._trailer["_record"])
            self._trailer = row

    def _check_trailer(self) -> None:
        row = self._trailer
        if row is None or not self._last_is_trailer:
            self._note("TRAILER_INVALID", "the last record is no trailer", self._records)
        elif row["CP-T-SEQ"] != int(self.file.named["sequence"]):
            self._note("TRAILER_INVALID", "CP-T-SEQ is not the file's sequence", row["_record"], "CP-T-SEQ")

    def _sum(self, table: pa.Table) -> None:
        details = pl.DataFrame(pl.from_arrow(table.select(["_record", "CP-D-KIND", _SUMMED])))
        self._details += len(details)
        for record in details.filter(pl.col(_SUMMED).is_null())["_record"].head(1):
            text = f"{_SUMMED} is undecodable, so the control total can't be proved"
            if self._unproven is None:
                self._unproven = Reason(code="CONTROL_TOTAL", text=text, record=record, field=_SUMMED)
        kinds = details.group_by(pl.col("CP-D-KIND").fill_null("")).agg(pl.len(), pl.col(_SUMMED).sum())
        for kind, count, pence in kinds.iter_rows():
            self._count[kind] += count
            self._pence[kind] += pence

    def _controls(self) -> Iterator[ControlFact]:
        stated: Mapping[str, Any] = self._trailer or {}
        yield ControlFact(name="details", expected=stated.get("CP-T-DETAILS"), actual=self._details)
        yield ControlFact(name="deductions", expected=stated.get("CP-T-DEDUCTIONS"), actual=self._pence["D"])
        yield ControlFact(name="recalls", expected=stated.get("CP-T-RECALLS"), actual=self._pence["R"])

    def _control_fault(self, controls: list[ControlFact]) -> Reason | None:
        place = None if self._trailer is None else self._trailer["_record"]
        count, *sums = controls
        if count.expected != count.actual:
            text = f"CP-T-DETAILS states {count.expected}, the file has {count.actual}"
            return Reason(code="CONTROL_COUNT", text=text, record=place, field="CP-T-DETAILS")
        if self._unproven is not None:
            return self._unproven
        for item in sums:
            if item.expected != item.actual:
                text = f"the trailer's {item.name} are not what the details amount to"
                return Reason(code="CONTROL_TOTAL", text=text, record=place)
        return None


def _day(ccyyddd: str) -> date | None:
    """A year and a day of it."""
    year, number = int(ccyyddd[:4]), int(ccyyddd[4:])
    if year < 1:
        return None
    day = date(year, 1, 1) + timedelta(number - 1)
    return day if day.year == year else None


def build(options: Options) -> CpsDecoder:
    """The decoder with the record layout that the connector brings."""
    return CpsDecoder(options.text("cps-returns.cpy"))
