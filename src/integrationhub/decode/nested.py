"""Records as trees of columns: groups hold their members, tables their elements, whole batches at a time.

Where `decoder.py` gives flat tables for the hub's own mapping, this gives each record as the copybook draws it, for
output. All redefinitions are read; those that the segments name for other records are marked absent.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from integrationhub.decode.arrow import Array
from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import Category, Copybook, Item
from integrationhub.decode.frames import Decoded, FrameReader
from integrationhub.decode.numbers import Block, Integers, Mask
from integrationhub.decode.outline import label, outlined, shown
from integrationhub.decode.plan import Odo, Planner
from integrationhub.decode.rows import Rows
from integrationhub.decode.segments import Segmenter, SegmentRules

COUNT_INVALID = "COUNT_INVALID"
PACKED_INVALID = "PACKED_INVALID"
FLOAT_INVALID = "FLOAT_INVALID"
EDITED_INVALID = "EDITED_INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """An elementary item: its values, unscaled if numbers."""

    label: str
    item: Item
    values: Array
    present: Mask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group: its members. `present` marks the rows that have it (None: all)."""

    label: str
    item: Item
    members: "tuple[Node, ...]"
    present: Mask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An OCCURS: row i has the elements from `offsets[i]` to `offsets[i + 1]`."""

    label: str
    item: Item
    offsets: Integers
    element: "Leaf | Group"
    present: Mask | None = None


Node: TypeAlias = Leaf | Group | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """A value that can't be read: the field's label, its occurrence numbers from the outside in, and its bytes."""

    field: str
    code: str
    hex: str
    index: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Records of one batch that show the same 01 levels: `records` are their places in the batch."""

    records: Integers
    levels: Sequence[Group]
    faults: Mapping[int, Sequence[FieldFault]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedBatch:
    """Some records, decoded. `starts` and `lengths` are those of their data; `matches` as in `Segmenter`."""

    first_record: int
    offsets: Integers
    lengths: Integers
    parts: Sequence[Part]
    matches: Mapping[str, Mask]

    def __len__(self) -> int:
        return len(self.offsets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What of a record is shown: `steady` gives fields that several 01 levels share the same label in every record."""

    fillers: bool = False
    odo: Odo = "shift"
    segments: SegmentRules = field(default_factory=SegmentRules)
    steady: bool = False


class NestedDecoder:
    """Decodes records of one copybook to trees of columns."""

    def __init__(self, copybook: Copybook, reading: Reading, showing: Showing) -> None:
        levels = tuple(record for record in copybook.records if record.level != 77)  # noqa: PLR2004 - no record
        self._levels = levels or copybook.records
        self._reading = reading
        self._showing = showing
        self._segmenter = Segmenter(showing.segments, copybook, reading)
        self._readers = lru_cache(maxsize=64)(self._build)
        self._readers(tuple(range(len(self._levels))))  # what can't be followed is a fault before the first record

    @property
    def shape(self) -> list[Item]:
        """The 01 levels with their labels, as records that show all of them have them."""
        return [reader.record for reader in self._readers(tuple(range(len(self._levels))))]

    def _build(self, combination: tuple[int, ...]) -> "list[_LevelReader]":
        taken: Counter[str] = Counter()
        return [_LevelReader(self._levels[number], self._reading, self._showing, taken) for number in combination]

    def matches(self, buffer: Block, starts: Integers, lengths: Integers) -> dict[str, Mask]:
        """Which records use which segment."""
        return self._segmenter.matches(buffer, starts, np.minimum(starts + lengths, len(buffer)))

    def decode(
        self, buffer: Block, starts: Integers, lengths: Integers, *, first_record: int = 1, base: int = 0
    ) -> NestedBatch:
        """The records whose data start at `starts` in the buffer, byte `base` of the file being its first."""
        ends = np.minimum(starts + lengths, len(buffer))
        matches = self._segmenter.matches(buffer, starts, ends)
        parts = []
        for combination, records in self._combinations(matches, len(starts)):
            parts.append(self._part(combination, records, matches, (buffer, starts, ends)))
        return NestedBatch(
            first_record=first_record, offsets=starts + base, lengths=lengths, parts=parts, matches=matches
        )

    def _combinations(self, matches: Mapping[str, Mask], records: int) -> Iterator[tuple[tuple[int, ...], Integers]]:
        """The 01 levels that records show, and which records show just these."""
        marks = np.zeros(records, np.int64)
        for number, level in enumerate(self._levels[:62]):
            marks |= np.where(matches[level.name], 1 << number, 0) if level.name in matches else 1 << number
        for mark in np.unique(marks).tolist():
            combination = tuple(number for number in range(len(self._levels)) if mark >> number & 1)
            yield combination, np.flatnonzero(marks == mark)

    def _part(
        self,
        combination: tuple[int, ...],
        records: Integers,
        matches: Mapping[str, Mask],
        where: tuple[Block, Integers, Integers],
    ) -> Part:
        buffer, starts, ends = where
        if self._showing.steady:
            everything = self._readers(tuple(range(len(self._levels))))
            readers = [everything[number] for number in combination]
        else:
            readers = self._readers(combination)
        levels, faults = [], dict[int, list[FieldFault]]()
        for reader in readers:
            rows = Rows(
                frame=reader.frame_number, buffer=buffer, starts=starts[records], ends=ends[records], records=records
            )
            levels.append(reader.read(rows, matches, faults))
        return Part(records=records, levels=levels, faults=faults)


class _LevelReader:
    """Reads the records of one 01 level."""

    def __init__(self, record: Item, reading: Reading, showing: Showing, taken: Counter[str]) -> None:
        self.record = outlined(record, fillers=showing.fillers, taken=taken)
        self._fillers = showing.fillers
        frame = Planner(self.record, redefines={}, odo=showing.odo, joined=False, fields=self._is_shown).plan()
        self.frame_number = frame.number
        self._reader = FrameReader(frame, reading)
        places = [table.count for table in frame.all_tables() if table.count is not None]
        self._counts = {place.item.key: place for place in places if place.frame == frame.number}
        self._items = {item.key: item for item in self.record.walk()}
        self._order = {key: place for place, key in enumerate(self._items)}

    def _is_shown(self, item: Item) -> bool:
        return shown(item, fillers=self._fillers)

    def read(self, rows: Rows, matches: Mapping[str, Mask], faults: dict[int, list[FieldFault]]) -> Group:
        """The record as a group; what can't be read goes to `faults` by the record's place in the batch."""
        decoded = self._reader.read("", rows)
        tables = {found.name: found for found in decoded[1:]}
        assembly = _Assembly(tables, matches, fillers=self._fillers)
        whole = self.record
        if whole.is_group:
            members = tuple(assembly.members(whole, decoded[0]))
        else:
            members = (Leaf(label=label(whole), item=whole, values=decoded[0].columns[whole.key]),)
        self._note(decoded, matches, faults)
        self._note_counts(decoded[0], matches, faults)
        return Group(label=whole.name, item=whole, members=members)

    def _note(
        self, decoded: Sequence[Decoded], matches: Mapping[str, Mask], faults: dict[int, list[FieldFault]]
    ) -> None:
        found = []
        for part in decoded:
            for faulty in part.faults:
                item = self._items[faulty.field]
                outwards = part.rows.indexes()
                for row, raw in zip(faulty.rows.tolist(), faulty.raw, strict=True):
                    record = int(part.rows.records[row])
                    if all(matches[name][record] for name in item.path if name in matches):
                        index = tuple(int(level[row]) for level in reversed(outwards))
                        found.append((record, self._order[item.key], index, item, raw.tobytes().hex().upper()))
        for record, _, index, item, digits in sorted(found, key=lambda one: one[:3]):
            fault = _field_fault(item, index, digits)
            faults.setdefault(record, []).append(fault)

    def _note_counts(self, record: Decoded, matches: Mapping[str, Mask], faults: dict[int, list[FieldFault]]) -> None:
        """Counts of the record itself that can be read and are out of their table's range."""
        for key, place in self._counts.items():
            blamed = record.rows.blame.get(key)
            if blamed is None:
                continue
            starts = record.rows.at(place)
            for row in np.flatnonzero(blamed & record.columns[key].is_valid().to_numpy(zero_copy_only=False)).tolist():
                number = int(record.rows.records[row])
                if all(matches[name][number] for name in place.item.path if name in matches):
                    raw = record.rows.buffer[starts[row] : starts[row] + place.item.length].tobytes()
                    fault = FieldFault(field=label(place.item), code=COUNT_INVALID, hex=raw.hex().upper())
                    faults.setdefault(number, []).append(fault)


def _field_fault(item: Item, index: tuple[int, ...], digits: str) -> FieldFault:
    fault = FieldFault(field=label(item), code=PACKED_INVALID, hex=digits, index=index)
    if item.category is Category.FLOATING:
        return replace(fault, code=FLOAT_INVALID)
    return replace(fault, code=EDITED_INVALID) if item.category is Category.EDITED else fault


class _Assembly:
    """Puts the columns of one 01 level together."""

    def __init__(self, tables: Mapping[str, Decoded], matches: Mapping[str, Mask], *, fillers: bool) -> None:
        self._tables = tables
        self._matches = matches
        self._fillers = fillers

    def members(self, group: Item, around: Decoded) -> Iterator[Node]:
        """The shown items of a group whose fields are columns of `around`."""
        for item in group.children:
            if shown(item, fillers=self._fillers):
                yield self._node(item, around)

    def _node(self, item: Item, around: Decoded) -> Node:
        match = self._matches.get(item.name)
        present = None if match is None else match[around.rows.records]
        if item.occurs is not None:
            return self._table(item, around, present)
        return self._one(item, around, present)

    def _one(self, item: Item, around: Decoded, present: Mask | None) -> Leaf | Group:
        if item.is_group:
            members = tuple(self.members(item, around))
            return Group(label=label(item), item=item, members=members, present=present)
        return Leaf(label=label(item), item=item, values=around.columns[item.key], present=present)

    def _table(self, item: Item, around: Decoded, present: Mask | None) -> Table:
        elements = self._tables[item.key]
        _, way = elements.rows.enclosing(around.rows.frame)
        rows = np.zeros(0, np.int64) if way is None else way
        offsets = np.zeros(len(around.rows) + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=len(around.rows)), out=offsets[1:])
        element = self._one(item, elements, None)
        return Table(label=label(item), item=item, offsets=offsets, element=element, present=present)
