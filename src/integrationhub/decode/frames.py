"""Frames to columns: lays the rows of a frame out, reads their fields, goes down into tables and redefinitions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from integrationhub.decode.arrow import Array, bitmap, buffer_of
from integrationhub.decode.columns import Faulty, Reading, column, number_reader
from integrationhub.decode.numbers import Integers
from integrationhub.decode.plan import Choice, Frame, Place, Table
from integrationhub.decode.rows import Counts, Rows, blocks, gather
from integrationhub.decode.selector import Codes, Selector
from integrationhub.decode.text import spans, varying_text

Columns: TypeAlias = dict[str, Array]

_WORDS = (pa.int64(), pa.uint64(), pa.float64())


@dataclass(slots=True, kw_only=True)
class Decoded:
    """What a frame gave: its columns by name, the rows they stand for, and the values that could not be read."""

    name: str
    rows: Rows
    columns: Columns
    faults: list[Faulty] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlace:
    """Where one field stands in the buffer: its table, its name, its occurrence numbers from the outside in."""

    table: str
    field: str
    indexes: tuple[int, ...]
    start: int
    length: int


class FrameReader:
    """Reads the rows of one frame and of everything below it."""

    def __init__(self, frame: Frame, reading: Reading) -> None:
        self.frame = frame
        self._reading = reading
        self._tables = [_TableReader(table, reading) for table in frame.tables]
        self._choices = [_ChoiceReader(choice, reading) for choice in frame.choices]
        self._runs = [(run, *_bounds(run)) for run in frame.runs if run]

    def size(self, rows: Rows) -> Integers:
        """Bytes of every row, as its counts give them; `rows.blame` then tells which counts mean nothing."""
        self.lay_out(rows)
        return rows.bases[-1] + (self.frame.tail - rows.starts)

    def lay_out(self, rows: Rows) -> None:
        """Find the counts of the tables and the base of every run."""
        rows.bases = [rows.starts]
        for table in self._tables:
            table.count(rows)
            if table.varies:
                rows.bases.append(table.end(rows))

    def read(self, name: str, rows: Rows) -> list[Decoded]:
        """The frame's columns, then those of all tables below it."""
        self.lay_out(rows)
        decoded = Decoded(name=name, rows=rows, columns={})
        for run, low, high in self._runs:
            self._read_run(decoded, run, low, high)
        below: list[Decoded] = []
        for table in self._tables:
            below += table.read(decoded)
        for choice in self._choices:
            below += choice.read(decoded)
        decoded.columns = {key: decoded.columns[key] for key in self.frame.columns}
        return [decoded, *below]

    def places(self, name: str, rows: Rows) -> Iterator[FieldPlace]:
        """Where every field of these rows and of everything below them stands: for few rows, not for many."""
        self.lay_out(rows)
        for run, _, _ in self._runs:
            for place in run:
                yield from _places(name, place.item.key, rows, rows.at(place), np.full(len(rows), place.item.length))
        for table in self._tables:
            yield from table.places(name, rows)
        for choice in self._choices:
            yield from choice.places(name, rows)

    def _read_run(self, decoded: Decoded, run: Iterable[Place], low: int, high: int) -> None:
        rows = decoded.rows
        columns = {place.item.key: column(place.item, place.offset - low, len(rows), self._reading) for place in run}
        starts = rows.bases[next(iter(run)).run]
        for at in blocks(len(rows), high - low):
            block, inside = gather(rows.buffer, starts[at] + low, rows.ends[at], high - low, self._reading.page.space)
            for filled in columns.values():
                filled.fill(block, at, inside)
        for key, filled in columns.items():
            decoded.columns[key] = filled.finish()
            decoded.faults += filled.faults()


def _places(table: str, key: str, rows: Rows, starts: Integers, lengths: Integers) -> Iterator[FieldPlace]:
    outwards = rows.indexes()
    for row, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        indexes = tuple(int(index[row]) for index in reversed(outwards))
        yield FieldPlace(table=table, field=key, indexes=indexes, start=start, length=length)


def _bounds(run: tuple[Place, ...]) -> tuple[int, int]:
    """The bytes of a run that hold fields: fillers in front of and behind them needn't be touched."""
    return min(place.offset for place in run), max(place.offset + place.item.length for place in run)


class _TableReader:
    """Finds and reads the elements of one OCCURS."""

    def __init__(self, table: Table, reading: Reading) -> None:
        self._table = table
        self._reading = reading
        self._element = FrameReader(table.element, reading)
        self._count = None if table.count is None else number_reader(table.count.item, reading)
        self.name = table.name
        self.varies = table.varies

    def count(self, rows: Rows) -> None:
        """Note the number of elements in every row."""
        counts = self._counts(rows)
        rows.counts[self.name] = counts
        if self._table.count is not None and counts.bad.any():
            rows.blamed(self._table.count.item.key, counts.bad)

    def _counts(self, rows: Rows) -> Counts:
        place, table = self._table.count, self._table
        if place is None or self._count is None:
            return Counts(values=np.full(len(rows), table.most), bad=np.zeros(len(rows), np.bool_))
        owner, way = rows.enclosing(place.frame)
        width = place.item.length
        block, inside = gather(owner.buffer, owner.at(place), owner.ends, width, self._reading.page.space)
        values, unreadable = self._count(block, 0)
        bad = (values < table.least) | (values > table.most)
        if unreadable is not None:
            bad |= unreadable
            values[unreadable] = 0
        if inside is not None:  # a record that ends before its count is too short, whatever the count
            values[inside < width] = 0
            bad[inside < width] = False
        values = np.clip(values, 0, table.most).astype(np.int64)
        return Counts(values=values if way is None else values[way], bad=bad if way is None else bad[way])

    def end(self, rows: Rows) -> Integers:
        """Where the last element ends, in every row."""
        first, counts = rows.at(self._table.place), rows.counts[self.name].values
        if self._element.frame.varies:
            return self._walk(rows)[1]
        return first + counts * self._element.frame.tail

    def read(self, decoded: Decoded) -> list[Decoded]:
        """The table of the elements, and those below them; single characters become a column of the parent."""
        rows = decoded.rows
        if self._table.joined:
            decoded.columns[self.name] = self._joined(rows)
            return []
        elements = self._walk(rows)[0] if self._element.frame.varies else self._elements(rows)
        return self._element.read(self.name, elements)

    def places(self, name: str, rows: Rows) -> Iterator[FieldPlace]:
        """Where the fields of the elements stand; single characters are one field of the parent."""
        if self._table.joined:
            yield from _places(name, self.name, rows, rows.at(self._table.place), rows.counts[self.name].values)
            return
        elements = self._walk(rows)[0] if self._element.frame.varies else self._elements(rows)
        yield from self._element.places(self.name, elements)

    def _joined(self, rows: Rows) -> Array:
        starts = rows.at(self._table.place)
        lengths = np.clip(np.minimum(rows.counts[self.name].values, rows.ends - starts), 0, None)
        raw = rows.buffer[spans(starts, lengths)]
        return varying_text(raw, lengths, self._reading.page, self._reading.trim)

    def _elements(self, rows: Rows) -> Rows:
        """Elements that are all of one size; those that start behind the record's end are left out."""
        first, size = rows.at(self._table.place), self._element.frame.tail
        counts = rows.counts[self.name].values
        if self._reading.missing == "leave":
            counts = np.minimum(counts, np.maximum(-(-(rows.ends - first) // max(size, 1)), 0))
        ends = np.cumsum(counts)
        up = np.repeat(np.arange(len(rows)), counts)
        index = np.arange(len(up)) - np.repeat(ends - counts, counts)
        return rows.below(self._element.frame.number, first[up] + index * size, up, index + 1)

    def _walk(self, rows: Rows) -> tuple[Rows, Integers]:
        """Elements whose sizes differ, found one occurrence after the other in all rows at once, and their end.

        Where elements are missing because the record is too short, the end comes out behind the record's end.
        """
        counts = rows.counts[self.name].values
        position = rows.at(self._table.place).copy()
        starts, ups, indexes = [], [], []
        for occurrence in range(int(counts.max(initial=0))):
            wanted = counts > occurrence
            position[wanted & (position >= rows.ends)] = np.iinfo(np.int32).max
            active = np.flatnonzero(wanted & (position < rows.ends))
            if not len(active):
                break
            element = rows.below(self._element.frame.number, position[active], active)
            starts.append(element.starts)
            ups.append(active)
            indexes.append(np.full(len(active), occurrence + 1))
            position[active] += self._element.size(element)
            for key, blamed in element.blame.items():
                rows.blamed(key, active[blamed])
        none = np.zeros(0, np.int64)
        up = np.concatenate([none, *ups])
        order = np.argsort(up, kind="stable")
        start, index = np.concatenate([none, *starts]), np.concatenate([none, *indexes])
        return rows.below(self._element.frame.number, start[order], up[order], index[order]), position


class _ChoiceReader:
    """Reads each row by the redefinition its deciding field names."""

    def __init__(self, choice: Choice, reading: Reading) -> None:
        self._choice = choice
        self._reading = reading
        self._readers = [FrameReader(frame, reading) for _, frame in choice.frames]
        groups = [values for values, _ in choice.frames]
        self._selector = None if choice.decider is None else Selector(choice.decider.item, groups, reading)

    def read(self, decoded: Decoded) -> list[Decoded]:
        """The tables below the redefinitions; their columns go to `decoded`, null in rows that use another one."""
        rows, below = decoded.rows, []
        codes = self._codes(rows)
        starts = rows.at(self._choice.place)
        for code, reader in enumerate(self._readers):
            chosen = np.arange(len(rows)) if codes is None else np.flatnonzero(codes == code)
            part, *tables = reader.read(decoded.name, rows.below(reader.frame.number, starts[chosen], chosen))
            decoded.columns |= _spread(part.columns, chosen, len(rows))
            decoded.faults += [replace(faulty, rows=chosen[faulty.rows]) for faulty in part.faults]
            below += tables
        return below

    def places(self, name: str, rows: Rows) -> Iterator[FieldPlace]:
        """Where the fields of each row's own redefinition stand."""
        codes, starts = self._codes(rows), rows.at(self._choice.place)
        for code, reader in enumerate(self._readers):
            chosen = np.arange(len(rows)) if codes is None else np.flatnonzero(codes == code)
            yield from reader.places(name, rows.below(reader.frame.number, starts[chosen], chosen))

    def _codes(self, rows: Rows) -> Codes | None:
        place = self._choice.decider
        if place is None or self._selector is None:
            return None
        owner, way = rows.enclosing(place.frame)
        width = place.item.length
        block, _ = gather(owner.buffer, owner.at(place), owner.ends, width, self._reading.page.space)
        codes = self._selector.select(block)
        return codes if way is None else codes[way]


def _spread(columns: Columns, chosen: Integers, rows: int) -> Columns:
    """Columns of some rows as columns of all rows, null elsewhere."""
    if len(chosen) == rows:
        return columns
    if not len(chosen):
        return {key: pa.nulls(rows, values.type) for key, values in columns.items()}
    index = np.zeros(rows, np.int32)
    index[chosen] = np.arange(len(chosen))
    missing = np.ones(rows, np.bool_)
    missing[chosen] = False
    places: Any = pa.array(index, mask=missing)
    valid = bitmap(~missing)
    return {
        key: _spread_numbers(values, chosen, rows, valid)
        if values.null_count == 0 and values.type in _WORDS
        else values.take(places)
        for key, values in columns.items()
    }


def _spread_numbers(values: Array, chosen: Integers, rows: int, valid: pa.Buffer) -> Array:
    kind = values.type.to_pandas_dtype()
    spread = np.zeros(rows, kind)
    spread[chosen] = values.to_numpy()
    return pa.Array.from_buffers(values.type, rows, [valid, buffer_of(spread)])
