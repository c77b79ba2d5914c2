"""A submission in Bacs Standard 18: labels, data lines, trailer (payments.md §1), decoded to columns.

What is wrong with the file as a whole is kept by the check that found it; the first check of the document's order is
told. A bank's own file (`standalone`) may leave out HDR2, EOF1 and EOF2, have lines of any length, further codes and
several accounts, each with a trailer of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import BinaryIO

import polars as pl
import pyarrow as pa

from integrationhub.accounts.feeds.bacs.collections import is_collection
from integrationhub.decode.bacs.lines import Line, lines_of
from integrationhub.records import FAULT_SCHEMA, DecodedBatch, Reason
from integrationhub.sdk.units import AT_ONCE, ControlFact

TABLE = "BACS-LINE"
LABEL = 80
_ORDER = ("VOL1", "HDR1", "HDR2", "UHL1", "", "EOF1", "EOF2", "UTL1")
"""Labels of a submission; the empty name stands for its data lines."""

_DATA = _ORDER.index("")
_LINE_LENGTHS = {"00100": 100, "00106": 106}
_WORK_CODES = frozenset({"1 DAILY  ", "4 MULTI  "})
_ANY_LABEL = re.compile(r"(?:VOL|HDR|UHL|EOF|EOV|UTL)[0-9]")
_DAY = re.compile(r" [0-9]{5}")
_CREDIT = "99"
_BANK_CREDITS = frozenset({"54", "86", "RA", "Z4", "Z5"})
"""Codes other than 9x that some banks count as credits: totals, settlements, returns, interest. Their trailers tell."""

CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CHECKS = ("records", "nul", "structure", "addressee", "count", "total")
_OF_STRUCTURE = _CHECKS[:4]
_FIELDS: Mapping[str, pa.DataType] = {
    "_record": pa.int64(),
    "_offset": pa.int64(),
    "SERIAL": pa.string(),
    "CODE": pa.string(),
    "REFERENCE": pa.string(),
    "AMOUNT": pa.int64(),
    "PROCESSING-DATE": pa.int64(),  # 0CYYDDD; in a single-day file that of UHL1
    "FILE-DATE": pa.int64(),  # 0CYYDDD of UHL1
}
SCHEMA = pa.schema(_FIELDS)


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and pence on either side, in the order in which UTL1 has them."""

    debit_pence: int = 0
    credit_pence: int = 0
    debits: int = 0
    credits: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


@dataclass(slots=True)
class _Account:
    """What stands between a UHL1 and its UTL1: lines and pence by transaction code."""

    date: int | None = None
    lines: Counter[str] = field(default_factory=Counter)
    pence: Counter[str] = field(default_factory=Counter)

    def totals(self, is_credit: Callable[[str], bool]) -> Totals:
        """Both sides, by which codes are credits."""
        credits_ = list(filter(is_credit, self.lines))
        debits = self.lines.keys() - credits_
        return Totals(
            debit_pence=sum(self.pence[code] for code in debits),
            credit_pence=sum(self.pence[code] for code in credits_),
            debits=sum(self.lines[code] for code in debits),
            credits=sum(self.lines[code] for code in credits_),
        )


class Standard18:
    """Reads one submission. After `batches` has ended, what the file says of itself is here.

    `serial` is the one in the file's name, `users` are our service user numbers, `records` the lines announced; each
    may be None: not known.
    """

    def __init__(
        self,
        *,
        serial: str | None = None,
        users: Collection[str] | None = None,
        records: int | None = None,
        standalone: bool = False,
    ) -> None:
        self._expected_serial = serial
        self._users = users
        self._announced = records
        self._standalone = standalone
        self._faults: dict[str, Reason] = {}
        self._length: int | None = None
        self._stage = 0
        self._seen: set[str] = set()
        self._account = _Account()
        self._rows: list[tuple[object, ...]] = []
        self._unprintable: list[tuple[int, int]] = []
        self.serial = ""
        self.lines = 0
        self.data_lines = 0
        self.balances = 0
        self.collected_pence = 0
        self.booked = Totals()
        self.controls: list[ControlFact] = []

    @property
    def structure(self) -> Reason | None:
        """The first fault of the checks of form, in the document's order."""
        return next((self._faults[name] for name in _OF_STRUCTURE if name in self._faults), None)

    @property
    def control(self) -> Reason | None:
        """The first fault of the trailer's figures."""
        return self._faults.get("count") or self._faults.get("total")

    def batches(self, stream: BinaryIO) -> Iterator[DecodedBatch]:
        """The data lines, some thousand at a time. A fault ends the decoding, but all lines are counted."""
        for line in lines_of(stream):
            self.lines += 1
            if b"\0" in line.content:
                self._note("nul", "TEXT_CONTROL_CHAR", "a NUL byte", line)
            if "structure" not in self._faults:
                self._take(line)
            if len(self._rows) >= AT_ONCE:
                yield self._flush()
        if self._rows:
            yield self._flush()
        self._close()

    def _take(self, line: Line) -> None:
        try:
            text = line.content.decode("latin-1" if self._standalone else "ascii")
        except UnicodeDecodeError:
            self._broken(line, "a byte that is no ASCII character")
            return
        if self._standalone:
            self._take_freely(text, line)
        else:
            self._take_strictly(text, line)

    def _take_strictly(self, text: str, line: Line) -> None:
        if self._stage == _DATA and not text.startswith("EOF1"):
            self._data(text, line)
            return
        if self._stage == _DATA:
            self._stage += 1
        if self._stage == len(_ORDER):
            self._broken(line, "a line behind UTL1")
            return
        name = _ORDER[self._stage]
        if not text.startswith(name):
            self._broken(line, f"{name} is missing here")
        elif len(text) != LABEL:
            self._broken(line, f"{name} has {len(text)} characters, not {LABEL}")
        else:
            self._stage += 1
            self._label(name, text, line)

    def _take_freely(self, text: str, line: Line) -> None:
        if _ANY_LABEL.match(text):
            name = text[:4]
            self._seen.add(name)
            self._label(name, text, line)
        elif "UHL1" not in self._seen:
            self._broken(line, "a line of data before UHL1")
        elif text.strip():
            self._data(text, line)

    def _label(self, name: str, text: str, line: Line) -> None:
        if name == "VOL1":
            self._volume(text, line)
        elif name == "HDR2":
            self._length = _LINE_LENGTHS.get(text[10:15])
            if self._length is None and not self._standalone:
                self._broken(line, "HDR2 has another record length than 00100 or 00106")
        elif name == "UHL1":
            self._header(text, line)
        elif name == "UTL1":
            self._trailer(text, line)

    def _volume(self, text: str, line: Line) -> None:
        self.serial = text[4:10].strip()
        if self._expected_serial is not None and self.serial != self._expected_serial:
            self._broken(line, "the serial number in VOL1 is not the one in the file's name")
        if self._users is not None and text[41:47] not in self._users:
            self._note("addressee", "WRONG_ADDRESSEE", "the service user in VOL1 is not ours", line)

    def _header(self, text: str, line: Line) -> None:
        self._account = _Account(date=_day(text[4:10]))
        if self._standalone:
            return
        if self._account.date is None or not 1 <= self._account.date % 1000 <= _days_in(self._account.date):
            self._broken(line, "UHL1 has no processing date")
        elif text[28:37] not in _WORK_CODES:
            self._broken(line, "UHL1 has another work code than DAILY or MULTI")

    def _data(self, text: str, line: Line) -> None:
        if not self._standalone and len(text) != self._length:
            self._broken(line, f"the line has {len(text)} characters, not {self._length}")
            return
        code = text[15:17]
        if self._standalone and code.startswith("Y"):
            self.balances += 1
            self._add(text, line, code, pence=None, day=None)
            return
        amount = text[35:46]
        if len(amount) != 11 or not (amount.isascii() and amount.isdigit()):  # noqa: PLR2004 - positions 36–46
            self._broken(line, "positions 36–46 are no amount")
            return
        day = self._account.date
        if self._length == _LINE_LENGTHS["00106"] and not self._standalone:
            day = _day(text[100:106])
            if day is None:
                self._broken(line, "positions 101–106 are no processing date")
                return
        self._account.lines[code] += 1
        self._account.pence[code] += int(amount)
        self._add(text, line, code, pence=int(amount), day=day)

    def _add(self, text: str, line: Line, code: str, *, pence: int | None, day: int | None) -> None:
        self.data_lines += 1
        file_date = self._account.date
        reference = text[64:82].strip(" ")
        if is_collection(code, reference):
            self.collected_pence += pence or 0
        place = (self.data_lines, line.offset, self.serial)
        if CONTROL.search(line.content):
            self._unprintable.append(place[:2])
        self._rows.append((*place, code, reference, pence, day, file_date))

    def _trailer(self, text: str, line: Line) -> None:
        figures = [text[start:end] for start, end in ((4, 17), (17, 30), (30, 37), (37, 44))]
        if not all(figure.isascii() and figure.isdigit() for figure in figures):
            self._broken(line, "UTL1 has no figures")
            return
        stated = Totals(*map(int, figures))
        counted = self._counted(stated)
        counts = [
            ControlFact(name="debit count", expected=stated.debits, actual=counted.debits),
            ControlFact(name="credit count", expected=stated.credits, actual=counted.credits),
        ]
        sums = [
            ControlFact(name="debit value", expected=stated.debit_pence, actual=counted.debit_pence),
            ControlFact(name="credit value", expected=stated.credit_pence, actual=counted.credit_pence),
        ]
        self._compare("count", "CONTROL_COUNT", counts, line)
        self._compare("total", "CONTROL_TOTAL", sums, line)
        self.booked += counted
        self._account = _Account(date=self._account.date)

    def _counted(self, stated: Totals) -> Totals:
        """Both sides; codes that only some banks credit stand where the trailer has them."""
        if not self._standalone:
            return self._account.totals(lambda code: code == _CREDIT)
        strict = self._account.totals(lambda code: code.startswith("9"))
        loose = self._account.totals(lambda code: code.startswith("9") or code in _BANK_CREDITS)
        return loose if loose == stated else strict

    def _compare(self, check: str, code: str, controls: list[ControlFact], line: Line) -> None:
        self.controls += controls
        for item in controls:
            if item.expected != item.actual:
                self._note(check, code, f"{item.name}: UTL1 says {item.expected}, the lines {item.actual}", line)

    def _flush(self) -> DecodedBatch:
        columns = zip(*self._rows, strict=True)
        table = pa.Table.from_arrays(
            [pa.array(column, kind.type) for column, kind in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
        )
        named = {"table": TABLE, "field": "", "code": "TEXT_CONTROL_CHAR", "hex": ""}
        faults = [{"record": record, "offset": offset, **named} for record, offset in self._unprintable]
        self._rows, self._unprintable = [], []
        return DecodedBatch(tables={TABLE: table}, faults=pl.DataFrame(faults, schema=pl.Schema(FAULT_SCHEMA)))

    def _close(self) -> None:
        end = Line(0, b"")
        if "structure" not in self._faults:
            missing = "UTL1" not in self._seen if self._standalone else self._stage < len(_ORDER)
            if missing:
                name = "UTL1" if self._standalone else _ORDER[self._stage] or "EOF1"
                self._broken(end, f"{name} is missing")
        if self._announced is not None and self.lines != self._announced:
            text = f"the file has {self.lines} lines, its control file says {self._announced}"
            self._note("records", "RECORD_COUNT", text, end)

    def _broken(self, line: Line, text: str) -> None:
        self._note("structure", "BACS_STRUCTURE", text, line)

    def _note(self, check: str, code: str, text: str, line: Line) -> None:
        reason = Reason(code=code, text=text, record=self.lines, offset=line.offset)
        self._faults.setdefault(check, reason)


def _day(text: str) -> int | None:
    """` yyddd` as 0CYYDDD of this century; None where it is not of that form."""
    return 100_000 + int(text) if _DAY.fullmatch(text) else None


def _days_in(cyyddd: int) -> int:
    year = 1900 + cyyddd // 1000
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 366 if leap else 365
