"""Records to Arrow tables: one table per 01 level and one per OCCURS below it, whole columns at a time.

Which 01 level a record is, a field at a fixed position says; which redefinition applies, another. There is no work per
record in Python: the records of one kind are gathered in blocks, and each field is converted over the block.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub import records
from integrationhub.decode.codepage import code_page
from integrationhub.decode.columns import Blanks, Floats, Reading, Signs, fault_frame
from integrationhub.decode.copybook import Copybook, Item
from integrationhub.decode.frames import Decoded, FrameReader
from integrationhub.decode.lengths import LengthCheck, check_frame, merged
from integrationhub.decode.numbers import Block, Integers
from integrationhub.decode.plan import Frame, Odo, Planner, Redefines
from integrationhub.decode.rows import Rows, gather
from integrationhub.decode.selector import Codes, Selector
from integrationhub.decode.text import Trim
from integrationhub.errors import ConfigurationError

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

    `record_types` maps values of the record-type field to 01 levels (several values may name one level); without it
    the copybook's only 01 level is meant. `record_type_field` is a field of the first 01 level, by default its first.
    `redefines` maps a redefined item to the field that decides and, by that field's values, the item that is meant:
    `{"L-DATA": ("L-KIND", {"C": "L-CHARGE", "R": "L-RECEIPT"})}`. Columns of a redefinition are null, and never at fault, in
    records that use another one; an item that no value names has no columns at all. Without a rule all
    redefinitions are read in every record.

    `signs`, `blanks`, `low_values`, `trim` and `floats` are as in `columns.Reading`; `odo` as in `plan.Odo`.
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
        self.copybook = copybook
        self._reading = Reading(
            page=code_page(encoding), signs=signs, blanks=blanks, low_values=low_values, trim=trim, floats=floats
        )
        names = self._record_names(record_types)
        frames = [Planner(self._record(name), redefines=redefines or {}, odo=odo).plan() for name in names]
        self._kinds = [
            _Kind(name, frame, FrameReader(frame, self._reading), tables)
            for name, frame, tables in zip(names, frames, _table_names(names, frames), strict=True)
        ]
        self._type_field: Item | None = None
        self._selector: Selector | None = None
        if record_types is not None:
            self._type_field = self._field(record_type_field)
            groups = [[value for value, target in record_types.items() if target == name] for name in names]
            self._selector = Selector(self._type_field, groups, self._reading)

    def _record_names(self, record_types: Mapping[str, str] | None) -> list[str]:
        if record_types is not None:
            return list(dict.fromkeys(record_types.values()))
        if len(self.copybook.records) == 1:
            return [self.copybook.records[0].name]
        raise ConfigurationError(
            f"copybook {self.copybook.name} has {len(self.copybook.records)} 01 levels and no rule which one a record is",
            code="LAYOUT_INVALID",
            remedy="map the values of the record-type field to 01 levels",
        )

    def _record(self, name: str) -> Item:
        try:
            return self.copybook.record(name)
        except KeyError as exc:
            raise ConfigurationError(
                f"copybook {self.copybook.name} has no 01 level {name}", code="LAYOUT_INVALID"
            ) from exc

    def _field(self, name: str | None) -> Item:
        for item in self.copybook.records[0].walk():
            if not item.is_group and name in {None, item.name, item.key}:
                return item
        raise ConfigurationError(
            f"the first 01 level of copybook {self.copybook.name} has no field {name}", code="LAYOUT_INVALID"
        )

    @property
    def record_names(self) -> tuple[str, ...]:
        """The 01 levels that records may be, by the codes `record_types_of` gives."""
        return tuple(kind.name for kind in self._kinds)

    @property
    def table_names(self) -> tuple[str, ...]:
        """All tables that `decode` gives: every 01 level followed by those below it."""
        return tuple(name for kind in self._kinds for name in (kind.name, *kind.tables.values()))

    def record_types_of(self, buffer: Block, starts: Integers, lengths: Integers) -> Codes:
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
        self, buffer: Block, starts: Integers, lengths: Integers, types: Codes | None = None
    ) -> LengthCheck:
        """The records whose length is not that of their type and counts, or with a count unreadable or out of range.

        Records of unknown type are passed over. `types` saves finding them again.
        """
        return merged([check_frame(kind.reader, rows) for kind, rows in self._by_kind(buffer, starts, lengths, types)])

    def decode(
        self,
        buffer: Block,
        starts: Integers,
        lengths: Integers,
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

    def _by_kind(
        self, buffer: Block, starts: Integers, lengths: Integers, types: Codes | None
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


def _clipped(buffer: Block, starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    starts = starts.astype(np.int64, copy=False)
    return starts, np.minimum(starts + lengths, len(buffer))


def _table_names(names: list[str], frames: list[Frame]) -> list[dict[str, str]]:
    """What the tables below each 01 level are called: their item's name, with the 01 level in front when it isn't unique."""
    used = Counter([*names, *(table.name for frame in frames for table in frame.all_tables())])
    return [
        {table.name: table.name if used[table.name] == 1 else f"{name}.{table.name}" for table in frame.all_tables()}
        for name, frame in zip(names, frames, strict=True)
    ]


def _table(decoded: Decoded, first_record: int, base: int, *, whole: bool) -> pa.Table:
    """A frame's columns behind those that say where each row comes from."""
    rows = decoded.rows
    places: dict[str, pa.Array] = {
        "_record": pa.array(rows.records + first_record),
        "_offset": pa.array(rows.starts + base),
    }
    if whole:
        places["_length"] = pa.array((rows.ends - rows.starts).astype(np.int32))
    for depth, index in enumerate(rows.indexes()):
        name = "_index" if depth == 0 else "_parent_index" if depth == 1 else f"_parent_index_{depth}"
        places[name] = pa.array(index.astype(np.int32))
    return pa.table(places | decoded.columns)
