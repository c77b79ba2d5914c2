"""Deduction schedules of employers (employer-deductions.md §1), as the connector `employer-deductions` takes them."""

import re
from collections.abc import Generator, Iterator, Mapping
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, BinaryIO

import polars as pl

from integrationhub.decode.schedule.cells import CONTROL, ccyymmdd, pence
from integrationhub.decode.schedule.header import VARIANTS, read_header
from integrationhub.decode.schedule.text import Row, Sheet
from integrationhub.records import FAULT_SCHEMA, DecodedBatch, Reason
from integrationhub.sdk.units import AT_ONCE, Booked, ControlFact, FileFacts, FileInHand, Options

if TYPE_CHECKING:
    from integrationhub.sdk.units import Layout

TABLE = "SCHEDULE-ROW"
LARGEST = 10**17
"""Pence beyond which an amount is not even kept: no total could be proved with it."""

_COUNT = re.compile(r"[0-9]{1,18}")
_CONTROL = frozenset({"CONTROL", "TOTAL"})
_MONEY = frozenset({"NET-EARNINGS", "OTHER-DEDUCTIONS", "DEDUCTION"})
_ZERO_WHEN_EMPTY = frozenset({"OTHER-DEDUCTIONS", "DEDUCTION"})
_CODES = ("ORDER-TYPE", "FREQUENCY", "RATE-TYPE", "REASON")
_NUMBERS = (*sorted(_MONEY), "PAY-DATE", "SAME-AS-ROW")
_SCHEMA: Mapping[str, pl.DataType] = {
    "_record": pl.Int64(),
    "_offset": pl.Int64(),
    "KEY": pl.String(),
    **{name: pl.Int64() if name in _NUMBERS else pl.String() for name in (*VARIANTS, "SAME-AS-ROW")},
}


class ScheduleDecoder:
    """One schedule; without any state between files."""

    @property
    def layout(self) -> "Layout":
        """One table: the rows of employees."""
        return {TABLE: {name: kind for name, kind in _SCHEMA.items() if not name.startswith("_")}}

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """The rows of employees, without heading and control row."""
        schedule = _Schedule(file)
        yield from schedule.batches(stream)
        return schedule.facts()


class _Schedule:
    def __init__(self, file: FileInHand) -> None:
        self._file = file
        self._key = f"{file.named['employer']}/{file.named['sequence']}"
        self._places: Mapping[str, int] = {}
        self._width = 0
        self._records = 0
        self._employees = 0
        self._taken = 0
        self._total: int | None = 0
        self._earlier: dict[bytes, int] = {}
        self._held: Row | None = None
        self._control_in_between = False
        self._header_fault: Reason | None = Reason(code="HEADER_INVALID", text="there is no heading")
        self._fault: Reason | None = None
        self._values: list[dict[str, Any]] = []
        self._faults: list[dict[str, Any]] = []

    def batches(self, stream: BinaryIO) -> Iterator[DecodedBatch]:
        sheet = Sheet(stream)
        for row in sheet.rows():
            self._records += 1
            if self._records == 1:
                self._head(row)
            elif self._header_fault is None:
                self._take(row)
            if len(self._values) >= AT_ONCE:
                yield self._flush()
        self._fault = sheet.fault
        if self._values:
            yield self._flush()

    def _head(self, row: Row) -> None:
        places = read_header(row.cells)
        if isinstance(places, Reason):
            self._header_fault = places
        else:
            self._header_fault, self._places, self._width = None, places, len(row.cells)

    def _take(self, row: Row) -> None:
        """The last row is held back: it should be the control row."""
        held, self._held = self._held, row
        if held is None:
            return
        if _is_control(held):
            self._control_in_between = True
        else:
            self._employee(held)

    def _employee(self, row: Row) -> None:
        self._employees += 1
        number = self._employees
        cells = {name: self._cell(row, name) for name in VARIANTS}
        codes = {name: cells[name].upper() for name in _CODES}
        values: dict[str, Any] = {
            "_record": number,
            "_offset": row.offset,
            "KEY": f"{self._key}/{number}",
            **{name: text or None for name, text in (cells | codes).items()},
            "SAME-AS-ROW": None,
        }
        if len(row.cells) > self._width:
            self._blame(number, row, "", "FIELD_COUNT")
        for name in (name for name, text in cells.items() if CONTROL.search(text)):
            self._blame(number, row, name, "TEXT_CONTROL_CHAR")
        for name in sorted(_MONEY):
            values[name] = self._pence(number, row, name, cells[name])
        values["PAY-DATE"] = ccyymmdd(cells["PAY-DATE"])
        if cells["PAY-DATE"] and values["PAY-DATE"] is None:
            self._blame(number, row, "PAY-DATE", "DATE_INVALID")
        self._total = None if self._total is None or values["DEDUCTION"] is None else self._total + values["DEDUCTION"]
        self._taken += (values["DEDUCTION"] or 0) > 0
        values["SAME-AS-ROW"] = self._same_as(values)
        self._values.append(values)

    def _cell(self, row: Row, name: str) -> str:
        place = self._places.get(name)
        return "" if place is None or place >= len(row.cells) else row.cells[place].strip(" ")

    def _pence(self, number: int, row: Row, name: str, text: str) -> int | None:
        if not text and name in _ZERO_WHEN_EMPTY:
            return 0
        amount = pence(text)
        if amount is None or abs(amount) > LARGEST:
            self._blame(number, row, name, "MONEY_FORMAT" if amount is None else "AMOUNT_RANGE")
            return None
        return amount

    def _same_as(self, values: Mapping[str, Any]) -> int | None:
        """The number of the first row that says the same of the same person (employer-deductions.md §3, check 11)."""
        if values["PAY-DATE"] is None or values["DEDUCTION"] is None:
            return None
        person = "".join((values["NINO"] or "").split()).upper()[:8]
        said = (person, values["REFERENCE"], values["PAY-DATE"], values["DEDUCTION"])
        digest = blake2b(repr(said).encode(), digest_size=16).digest()
        first = self._earlier.setdefault(digest, values["_record"])
        return None if first == values["_record"] else first

    def _blame(self, number: int, row: Row, name: str, code: str) -> None:
        place = {"record": number, "offset": row.offset, "table": TABLE, "field": name}
        self._faults.append({**place, "code": code, "hex": ""})

    def _flush(self) -> DecodedBatch:
        table = pl.DataFrame(self._values, schema=dict(_SCHEMA)).to_arrow()
        faults = pl.DataFrame(self._faults, schema=dict(FAULT_SCHEMA))
        self._values, self._faults = [], []
        return DecodedBatch(tables={TABLE: table}, faults=faults)

    def facts(self) -> FileFacts:
        """What the file says of itself."""
        control, controls = self._judge_control()
        named = self._file.named
        return FileFacts(
            structure=self._structure(),
            series=named["employer"],
            sequence=int(named["sequence"]),
            control=control,
            controls=controls,
            canonical={
                "employer": named["employer"],
                "schedule": named["sequence"],
                "total_pence": self._total,
                "rows": self._employees,
            },
            credits=Booked(count=self._taken, pence=self._total or 0),
            as_at=_date_of(named["as_at"]),
        )

    def _structure(self) -> Reason | None:
        if _date_of(self._file.named["as_at"]) is None:
            return Reason(code="CTL_INVALID", text="the date in the file's name is no calendar date")
        if self._fault is not None:
            return self._fault
        announced = self._file.records
        if announced is not None and announced != self._records:
            text = f"the file has {self._records} records, its control file says {announced}"
            return Reason(code="RECORD_COUNT", text=text)
        return self._header_fault

    def _judge_control(self) -> tuple[Reason | None, list[ControlFact]]:
        row = self._held
        if row is None or not _is_control(row) or self._control_in_between:
            return Reason(code="CONTROL_MISSING", text="the last row is no control row, or not the only one"), []
        cells = [cell.strip(" ") for cell in (*row.cells, "", "")]
        count = int(cells[1]) if _COUNT.fullmatch(cells[1]) else None
        total = pence(cells[2])
        controls = [
            ControlFact(name="rows", expected=count, actual=self._employees),
            ControlFact(name="total", expected=total, actual=self._total),
        ]
        if count != self._employees:
            text = f"the control row says other than the {self._employees} rows of the file"
            return Reason(code="CONTROL_COUNT", text=text, offset=row.offset), controls
        if total is None or total != self._total:
            text = "the control row's total is not the sum of the deductions, or that can't be proven"
            return Reason(code="CONTROL_TOTAL", text=text, offset=row.offset), controls
        return None, controls


def _is_control(row: Row) -> bool:
    return row.cells[0].strip().upper() in _CONTROL


def _date_of(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def build(_options: Options) -> ScheduleDecoder:
    """The decoder; it needs to know nothing."""
    return ScheduleDecoder()
