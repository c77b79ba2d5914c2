"""Elements gathered into columns, one table a kind of element."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from integrationhub.decode.xml.faults import Faults
from integrationhub.decode.xml.layout import DocumentLayout, Element, Kind
from integrationhub.decode.xml.values import TYPES, converted


@dataclass(slots=True)
class _Rows:
    """Rows of one table that were not handed on yet."""

    kinds: Mapping[str, Kind]
    is_child: bool
    records: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    columns: dict[str, list[str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = {name: [] for name in self.kinds}

    def add(self, record: int, offset: int, attributes: Mapping[str, str]) -> None:
        self.records.append(record)
        self.offsets.append(offset)
        for name, column in self.columns.items():
            column.append(attributes.get(name))


class Gatherer:
    """Takes elements one by one, gives tables. Every table has `_record` and `_offset`, a child table `_index`, too."""

    def __init__(self, layout: DocumentLayout, faults: Faults) -> None:
        self._layout = layout
        self._faults = faults
        self._rows = {element.name: self._empty(element) for element in layout.tables()}
        self._element: Element | None = None
        self._offset = 0
        self._counts: dict[str, int] = {}
        self._child: str | None = None
        self._text: list[str] = []
        self.records = 0
        self._offsets = array("Q")

    @property
    def waiting(self) -> int:
        """Rows that were not handed on yet."""
        return sum(len(rows.records) for rows in self._rows.values())

    def start(self, list_name: str, name: str, attributes: Mapping[str, str], offset: int) -> None:
        """An element of a list begins at a byte."""
        element = self._layout.lists.get(list_name)
        if element is None or element.name != name:
            self._element = None  # the schema will say so
            return
        self.records += 1
        self._offsets.append(offset)
        self._element, self._counts = element, {}
        self._rows[name].add(self.records, offset, attributes)

    def start_child(self, name: str, attributes: Mapping[str, str], offset: int) -> None:
        """A child of the current element begins."""
        self._child, self._text, self._offset = name, [], offset
        if self._element is None:
            return
        if name in self._element.children:
            self._counts[name] = self._counts.get(name, 0) + 1
            rows = self._rows[name]
            rows.add(self.records, offset, attributes)
            rows.indexes.append(self._counts[name])

    def add_text(self, text: str) -> None:
        """Text of the current child."""
        self._text.append(text)

    def end_child(self) -> None:
        """The current child ends: its text is known."""
        element, name, self._child = self._element, self._child, None
        if element is None or name is None:
            return
        child = element.children.get(name)
        if name in element.texts:
            self._rows[element.name].columns[name][-1] = "".join(self._text)
        elif child is not None and child.text:
            self._rows[name].columns[name][-1] = "".join(self._text)

    def offsets_from(self, start: int) -> Sequence[int]:
        """Where elements begin, from a byte on."""
        return self._offsets[bisect_left(self._offsets, start) :]

    def before(self, end: int) -> tuple[int | None, int | None]:
        """Number and offset of the last element that begins before a byte."""
        place = bisect_left(self._offsets, end) - 1
        return (place + 1, self._offsets[place]) if place >= 0 else (None, None)

    def flush(self) -> Iterator[dict[str, pa.Table]]:
        """What waits, as tables; no element may be open."""
        tables = {}
        for element in self._layout.tables():
            rows = self._rows[element.name]
            if rows.records:
                tables[element.name] = self._table(element.name, rows)
                self._rows[element.name] = self._empty(element)
        if tables:
            yield tables

    def layout(self) -> dict[str, pa.Table]:
        """Every table without rows."""
        return {name: self._table(name, rows) for name, rows in self._rows.items()}

    def _empty(self, element: Element) -> _Rows:
        kinds = dict(element.columns) | dict.fromkeys(element.texts, "text")
        if element.text:
            kinds[element.name] = "text"
        parents = {child for item in self._layout.lists.values() for child in item.children}
        return _Rows(kinds=kinds, is_child=element.name in parents)

    def _table(self, name: str, rows: _Rows) -> pa.Table:
        frame = pl.DataFrame(
            {"_record": rows.records, "_offset": rows.offsets}, schema={"_record": pl.Int64, "_offset": pl.Int64}
        )
        if rows.is_child:
            frame = frame.with_columns(pl.Series("_index", rows.indexes, dtype=pl.Int64))
        for column, texts in rows.columns.items():
            kind = rows.kinds[column]
            values, bad = converted(kind, texts)
            frame = frame.with_columns(values.cast(TYPES[kind]).alias(column))
            if bad.any():
                self._note_unfit(frame, name, column, bad)
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())

    def _note_unfit(self, frame: pl.DataFrame, table: str, column: str, bad: pl.Series) -> None:
        place = frame.filter(bad).row(0, named=True)
        text = f"{column} of {table} is not of its form (a date has no time zone, a sum no third decimal)"
        self._faults.note("invalid", text, record=place["_record"], offset=place["_offset"], name=column)
