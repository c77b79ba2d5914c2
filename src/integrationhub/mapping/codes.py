"""Code lists: what the codes of a source mean, as CSV that its owner keeps.

Columns: `source` (the code as it arrives, without blanks at its end; empty = blank), `canonical` (the code of the
canonical model), `title`, `valid_from`, `valid_to` (ISO dates, both inclusive, empty = always), `owner`. More columns
are allowed and ignored. A code may stand several times if the periods do not overlap.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

COLUMNS = ("source", "canonical", "title", "valid_from", "valid_to", "owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One line of a list: this source code means that canonical one, from and to these days."""

    source: str
    canonical: str
    title: str
    valid_from: date = date.min
    valid_to: date = date.max
    owner: str = ""

    def holds(self, day: date) -> bool:
        """True if the line is in force on `day`."""
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """A list by its name, with everything that is wrong with it in `faults`."""

    name: str
    codes: tuple[Code, ...]
    faults: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, path: Path) -> "CodeList":
        """The list in a CSV file; its name is the file's without the ending."""
        return cls.parse(path.stem, path.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, name: str, text: str) -> "CodeList":
        """The list in a CSV text. Lines that can't be read are left out and named in `faults`."""
        reader = csv.DictReader(io.StringIO(text))
        lacking = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if lacking:
            return cls(name=name, codes=(), faults=(f"code list {name}: column {', '.join(lacking)} is missing",))
        codes: list[Code] = []
        faults: list[str] = []
        for number, row in enumerate(reader, start=2):
            try:
                codes.append(_code(row))
            except ValueError as exc:
                faults.append(f"code list {name}, line {number}: {exc}")
        return cls(name=name, codes=tuple(codes), faults=(*faults, *_overlaps(name, codes)))

    def at(self, day: date) -> Mapping[str, str]:
        """Source code → canonical code on `day`."""
        return {code.source: code.canonical for code in self.codes if code.holds(day)}

    def turns(self) -> Iterator[date]:
        """The days from which the list says something else than the day before."""
        for code in self.codes:
            if code.valid_from != date.min:
                yield code.valid_from
            if code.valid_to != date.max:
                yield code.valid_to + timedelta(1)


def _code(row: Mapping[str, str | None]) -> Code:
    values = {column: row[column] for column in COLUMNS}
    if None in values.values() or None in row:
        raise ValueError("another number of fields than the heading has")
    texts = {column: str(value).strip() for column, value in values.items()}
    if not texts["canonical"] or not texts["owner"]:
        raise ValueError("canonical code or owner is empty")
    code = Code(
        source=texts["source"],
        canonical=texts["canonical"],
        title=texts["title"],
        valid_from=_day(texts["valid_from"], date.min),
        valid_to=_day(texts["valid_to"], date.max),
        owner=texts["owner"],
    )
    if code.valid_from > code.valid_to:
        raise ValueError("valid_from is later than valid_to")
    return code


def _day(text: str, default: date) -> date:
    try:
        return date.fromisoformat(text) if text else default
    except ValueError:
        raise ValueError("a validity date is no ISO date (ccyy-mm-dd)") from None


def _overlaps(name: str, codes: list[Code]) -> Iterator[str]:
    in_order = sorted(codes, key=lambda code: (code.source, code.valid_from))
    for one, other in pairwise(in_order):
        if one.source == other.source and other.valid_from <= one.valid_to:
            yield f"code list {name}: the source code {one.source!r} has two meanings at once"
