"""Records to Arrow tables: one table per 01 level and one per OCCURS below it, whole columns at a time.

Which 01 level a record is, a field at a fixed position says; which redefinition applies, another. There is no work per
record in Python: the records of one kind are gathered in blocks, and each field is converted over the block.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub import records
from integrationhub.decode.codepage import code_page
from integrationhub.decode.columns import Blanks, Floats, Reading, Signs, fault_frame
from integrationhub.decode.copybook import Copybook
from integrationhub.decode.frames import Decoded, FieldPlace, FrameReader
from integrationhub.decode.lengths import LengthCheck, check_frame, merged
from integrationhub.decode.numbers import Block, Integers, Lengths
from integrationhub.decode.plan import Frame, Odo, Redefines
from integrationhub.decode.rows import Rows, gather
from integrationhub.decode.rules import LayoutRules
from integrationhub.decode.selector import Codes, Selector
from integrationhub.decode.text import Trim

UNKNOWN = -1
"""The code of a record whose type value stands for no 01 level."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One 01 level: its reader and what its frames' tables are called."""

    name: str
    frame: Frame
    reader: FrameReader
    tables: Mapping[str, str]


class RecordDecoder:
    """Decodes the records of one copybook.

    `record_types`, `record_type_field`, `redefines` and `odo` are as in `rules.LayoutRules`; `signs`, `blanks`,
    `low_values`, `trim` and `floats` as in `columns.Reading`. Columns of a redefinition are null, and never at fault,
    in records that use another one; an item that a rule for its bytes doesn't name has no column.
    """

    def __init__(
        self,
        copybook: Copybook,
        *,
        encoding: str = "cp1146",
        record_types: Mapping[str, str] | None = None,
        record_type_field: str | None = None,
        redefines: Redefines | None = None,
        signs: Signs = "ibm",
        blanks: Blanks = "null",
        low_values: frozenset[str] = frozenset(),
        trim: Trim = "right",
        floats: Floats = "ibm",
        odo: Odo = "shift",
    ) -> None:
        self._rules = LayoutRules(
            copybook=copybook,
            record_types=record_types,
            record_type_field=record_type_field,
            redefines=redefines or {},
            odo=odo,
        )
        self._rules.check(fields=low_values)
        self._reading = Reading(
            page=code_page(encoding), signs=signs, blanks=blanks, low_values=low_values, trim=trim, floats=floats
        )
        names = self._rules.names()
        frames = [self._rules.plan(name) for name in names]
        self._kinds = [
            _Kind(name, frame, FrameReader(frame, self._reading), tables)
            for name, frame, tables in zip(names, frames, _table_names(names, frames), strict=True)
        ]
        self._type_field = self._rules.type_field
        self._selector: Selector | None = None
        if self._type_field is not None:
            groups = [self._rules.values_of(name) for name in names]
            self._selector = Selector(self._type_field, groups, self._reading)

    @property
    def copybook(self) -> Copybook:
        """The layout that is decoded."""
        return self._rules.copybook

    @property
    def record_names(self) -> tuple[str, ...]:
        """The 01 levels that records may be, by the codes `record_types_of` gives."""
        return tuple(kind.name for kind in self._kinds)

    @property
    def table_names(self) -> tuple[str, ...]:
        """All tables that `decode` gives: every 01 level followed by those below it."""
        return tuple(name for kind in self._kinds for name in (kind.name, *kind.tables.values()))

    def record_types_of(self, buffer: Block, starts: Integers, lengths: Lengths) -> Codes:
        """For every record the place of its 01 level in `record_names`, −1 where its type value is unknown."""
        if self._selector is None or self._type_field is None:
            return np.zeros(len(starts), np.int16)
        starts, ends = _clipped(buffer, starts, lengths)
        field = self._type_field
        block, inside = gather(buffer, starts + field.offset, ends, field.length, self._reading.page.space)
        codes = self._selector.select(block)
        if inside is not None:
            codes[inside < field.length] = UNKNOWN
        return codes

    def length_check(
        self, buffer: Block, starts: Integers, lengths: Lengths, types: Codes | None = None
    ) -> LengthCheck:
        """The records whose length isn't that of their type and counts, or that have a count without a meaning.

        Records of unknown type are passed over. `types` saves finding them again.
        """
        return merged([check_frame(kind.reader, rows) for kind, rows in self._by_kind(buffer, starts, lengths, types)])

    def decode(
        self,
        buffer: Block,
        starts: Integers,
        lengths: Lengths,
        *,
        first_record: int = 1,
        base: int = 0,
        types: Codes | None = None,
    ) -> records.DecodedBatch:
        """The tables of some records, in record order; records of unknown type are passed over.

        `starts` and `lengths` are those of the records' data in `buffer`; `first_record` is the number of the first of
        them in the file, `base` the file offset of the buffer's first byte. Every table is there, if only with no rows.
        Numbers are unscaled (a `9(5)V99` comes in hundredths).
        """
        tables: dict[str, pa.Table] = {}
        faults: list[pl.DataFrame] = []
        for kind, rows in self._by_kind(buffer, starts, lengths, types):
            for place, decoded in enumerate(kind.reader.read(kind.name, rows)):
                name = decoded.name if place == 0 else kind.tables[decoded.name]
                tables[name] = _table(decoded, first_record, base, whole=place == 0)
                faults.append(
                    fault_frame(
                        decoded.faults,
                        table=name,
                        record_numbers=decoded.rows.records + first_record,
                        offsets=starts[decoded.rows.records] + base,
                    )
                )
        found = [frame for frame in faults if len(frame)]
        return records.DecodedBatch(
            tables=tables,
            faults=pl.concat(found).sort("record", maintain_order=True) if found else records.no_faults(),
        )

    def places(self, buffer: Block, start: int, length: int) -> list[FieldPlace]:
        """Where every field of the one record at `start` stands, OCCURS DEPENDING ON and redefinitions followed."""
        starts, lengths = np.array([start], np.int64), np.array([length], np.int32)
        return [
            replace(place, table=kind.tables.get(place.table, place.table))
            for kind, rows in self._by_kind(buffer, starts, lengths, None)
            if len(rows)
            for place in kind.reader.places(kind.name, rows)
        ]

    def _by_kind(
        self, buffer: Block, starts: Integers, lengths: Lengths, types: Codes | None
    ) -> list[tuple[_Kind, Rows]]:
        codes = self.record_types_of(buffer, starts, lengths) if types is None else types
        starts, ends = _clipped(buffer, starts, lengths)
        found = []
        for code, kind in enumerate(self._kinds):
            chosen = np.flatnonzero(codes == code)
            rows = Rows(
                frame=kind.frame.number, buffer=buffer, starts=starts[chosen], ends=ends[chosen], records=chosen
            )
            found.append((kind, rows))
        return found


def _clipped(buffer: Block, starts: Integers, lengths: Lengths) -> tuple[Integers, Integers]:
    starts = starts.astype(np.int64, copy=False)
    return starts, np.minimum(starts + lengths, len(buffer))


def _table_names(names: Sequence[str], frames: Sequence[Frame]) -> list[dict[str, str]]:
    """What the tables below each 01 level are called: as their item, with the 01 level in front if need be."""
    used = Counter([*names, *(table.name for frame in frames for table in frame.all_tables())])
    return [
        {table.name: table.name if used[table.name] == 1 else f"{name}.{table.name}" for table in frame.all_tables()}
        for name, frame in zip(names, frames, strict=True)
    ]


def _table(decoded: Decoded, first_record: int, base: int, *, whole: bool) -> pa.Table:
    """A frame's columns behind those that say where each row comes from."""
    rows = decoded.rows
    places = {
        "_record": pa.array(rows.records + first_record),
        "_offset": pa.array(rows.starts + base),
    }
    if whole:
        places["_length"] = pa.array((rows.ends - rows.starts).astype(np.int32))
    for depth, index in enumerate(rows.indexes()):
        name = "_index" if depth == 0 else "_parent_index" if depth == 1 else f"_parent_index_{depth}"
        places[name] = pa.array(index.astype(np.int32))
    return pa.table(places | decoded.columns)
