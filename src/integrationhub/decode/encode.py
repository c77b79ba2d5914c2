"""Values to mainframe records, by the same layout that decodes them.

Used for files the hub hands back, for synthetic estates, and to prove the decoder (encode and decode undo each other).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from integrationhub.decode.codepage import code_page
from integrationhub.decode.columns import Floats
from integrationhub.decode.copybook import Category, Copybook
from integrationhub.decode.fieldwriters import Writer, Writing, default_bytes, field_writer
from integrationhub.decode.plan import Choice, Frame, Odo, Redefines, Table
from integrationhub.decode.rules import LayoutRules
from integrationhub.errors import ConfigurationError, RecordRejected

Values: TypeAlias = Mapping[str, Any]


class RecordEncoder:
    """Encodes records of one copybook; the parameters mean what they mean to `RecordDecoder`.

    A record's values are keyed as its decoded columns: text as str, numbers as unscaled int (a `9(5)V99` in
    hundredths), a table as a sequence of such mappings (of plain values for an elementary OCCURS), a table of single
    characters as str. A count that isn't given is the number of elements; a record-type field that isn't given is the
    first value that stands for the 01 level; any other field that isn't given has its VALUE, else zero or blanks.

    None is written as the decoder reads null: blanks in a DISPLAY number, X'00' in text and packed numbers.
    `records.LOW_VALUES` is written as X'00'. A `bytes` value goes into the record as it is.
    """

    def __init__(
        self,
        copybook: Copybook,
        *,
        encoding: str = "cp1146",
        record_types: Mapping[str, str] | None = None,
        record_type_field: str | None = None,
        redefines: Redefines | None = None,
        floats: Floats = "ibm",
        odo: Odo = "shift",
    ) -> None:
        rules = LayoutRules(
            copybook=copybook,
            record_types=record_types,
            record_type_field=record_type_field,
            redefines=redefines or {},
            odo=odo,
        )
        rules.check()
        writing = Writing(page=code_page(encoding), floats=floats)
        self._frames = {name: FrameWriter(rules.plan(name), writing, _preset(rules, name)) for name in rules.names()}

    def encode(self, name: str, values: Values) -> bytes:
        """The bytes of one record of the 01 level `name`, without any RDW.

        RecordRejected (`FIELD_OVERFLOW`, `FIELD_UNKNOWN`) names the field that a value doesn't fit.
        """
        try:
            writer = self._frames[name]
        except KeyError as exc:
            raise ConfigurationError(f"records can't be of 01 level {name}", code="LAYOUT_INVALID") from exc
        return bytes(writer.write(values))


def _preset(rules: LayoutRules, name: str) -> dict[str, Any]:
    """The record-type field of an 01 level, found by its place, and the value it has when none is given."""
    shared = rules.type_field
    if shared is None:
        return {}
    for item in rules.copybook.record(name).walk():
        if not item.is_group and item.offset == shared.offset:
            value = rules.values_of(name)[0]
            return {item.key: int(value) if item.category is Category.NUMBER else value}
    return {}


def frame_u32(bodies: Iterable[bytes]) -> bytes:
    """Records with an RDW of four bytes each: the length of the whole record, the RDW included, high byte first."""
    return b"".join([part for body in bodies for part in ((len(body) + 4).to_bytes(4), body)])


@dataclass(slots=True)
class _Run:
    """A run's bytes with every field at its default, and what writes each field."""

    template: bytearray = field(default_factory=bytearray)
    fields: dict[str, tuple[int, int, Writer]] = field(default_factory=dict)


class FrameWriter:
    """Writes rows of one frame and everything below it."""

    def __init__(self, frame: Frame, writing: Writing, preset: Values | None = None) -> None:
        self._frame = frame
        self._writing = writing
        self._tables = [_TableWriter(table, writing) for table in frame.tables]
        self._choices = [_ChoiceWriter(choice, writing) for choice in frame.choices]
        self._runs = [_Run() for _ in frame.runs]
        self._counts = [table for table in frame.tables if table.count and table.count.frame == frame.number]
        self._build(preset or {})
        self.looks_out: bool = any(choice.looks_out for choice in self._choices) or any(
            table.looks_out for table in self._tables
        )
        self.known: frozenset[str] = frozenset().union(
            *(run.fields for run in self._runs),
            (table.table.name for table in self._tables),
            *(choice.known for choice in self._choices),
        )

    def _build(self, preset: Values) -> None:
        """Fill the runs with defaults and note what writes each field."""
        ends = [table.place.offset for table in self._frame.tables if table.varies]
        for run, size, places in zip(self._runs, [*ends, self._frame.tail], self._frame.runs, strict=True):
            run.template = bytearray([self._writing.page.space]) * size
            for place in places:
                item = place.item
                writer = field_writer(item, self._writing)
                raw = writer(preset[item.key]) if item.key in preset else default_bytes(item, self._writing)
                run.template[place.offset : place.offset + item.length] = raw
                run.fields[item.key] = (place.offset, place.offset + item.length, writer)

    def write(self, values: Values, around: Values | None = None) -> bytearray:
        """The bytes of one row; `around` are the values of the rows it lies in, where it `looks_out` to them."""
        values = self._with_counts(values)
        around = {**(around or {}), **values} if self.looks_out else {}
        out = bytearray()
        bases = []
        tables = iter([table for table in self._tables if table.table.varies])
        for run in self._runs:
            base = len(out)
            bases.append(base)
            out += run.template
            if run.fields:
                self._write_fields(out, base, run, values)
            if len(bases) < len(self._runs):
                table = next(tables)
                for element in table.elements(values, around):
                    out += element
        for choice in self._choices:
            choice.write(out, bases, values, around)
        for table in self._tables:
            if not table.table.varies:
                table.write(out, bases, values, around)
        if not values.keys() <= self.known:
            odd = sorted(values.keys() - self.known)
            raise RecordRejected(f"{self._frame.item.name} has no field {', '.join(odd)}", code="FIELD_UNKNOWN")
        return out

    @staticmethod
    def _write_fields(out: bytearray, base: int, run: _Run, values: Values) -> None:
        fields = run.fields
        for key, value in values.items():
            found = fields.get(key)
            if found is not None:
                start, end, writer = found
                out[base + start : base + end] = writer(value)

    def _with_counts(self, values: Values) -> Values:
        """The values with the counts that weren't given."""
        given = {}
        for table in self._counts:
            key = table.count.item.key if table.count else ""
            if key not in values:
                given[key] = max(len(values.get(table.name, ())), table.least if table.name not in values else 0)
        return {**values, **given} if given else values


class _TableWriter:
    """Writes the elements of one OCCURS."""

    def __init__(self, table: Table, writing: Writing) -> None:
        self.table = table
        self._writing = writing
        self._element = FrameWriter(table.element, writing)
        self.looks_out: bool = self._element.looks_out
        self._plain = None if table.element.item.is_group else table.element.item.key

    def elements(self, values: Values, around: Values) -> Sequence[bytes | bytearray]:
        """The bytes of every element."""
        rows = values.get(self.table.name)
        if rows is None:
            return [self._element.write({}, around)] * self.table.least
        if len(rows) > self.table.most:
            raise RecordRejected(f"{self.table.name} has at most {self.table.most} elements", code="FIELD_OVERFLOW")
        if self.table.joined:
            return [rows if isinstance(rows, bytes) else self._writing.page.encode(rows)]
        if self._plain is not None:
            rows = [row if isinstance(row, Mapping) else {self._plain: row} for row in rows]
        missing = self.table.most - len(rows) if self.table.count is None else 0
        return [self._element.write(row, around) for row in rows] + [self._element.write({}, around)] * missing

    def write(self, out: bytearray, bases: Sequence[int], values: Values, around: Values) -> None:
        """Put the elements into a table of fixed size; those not given are written as defaults."""
        place = self.table.place
        raw = b"".join(self.elements(values, around))
        size = self.table.element.tail
        missing = self.table.most - len(raw) // size
        raw += bytes(self._element.write({}, around)) * missing
        start = bases[place.run] + place.offset
        out[start : start + len(raw)] = raw


class _ChoiceWriter:
    """Writes the redefinition that the deciding field names, or the bytes given for the redefined item itself."""

    def __init__(self, choice: Choice, writing: Writing) -> None:
        self._place = choice.place
        self._decider = None if choice.decider is None else choice.decider.item
        self._writers = [(meant, FrameWriter(frame, writing)) for meant, frame in choice.frames]
        self.known = frozenset(key for _, writer in self._writers for key in writer.known) | {choice.place.item.key}
        self._decided_outside = choice.decider is not None and choice.decider.frame != choice.place.frame
        self.looks_out: bool = self._decided_outside or any(writer.looks_out for _, writer in self._writers)

    def write(self, out: bytearray, bases: Sequence[int], values: Values, around: Values) -> None:
        """Put them into the bytes that are shared; nothing when no redefinition is meant."""
        item = self._place.item
        raw = values.get(item.key)
        if not isinstance(raw, bytes):
            writer = self._chosen(around if self._decided_outside else values)
            raw = b"" if writer is None else writer.write(_known(values, writer.known), around)
        elif len(raw) != item.extent:
            raise RecordRejected(f"{item.key} has {item.extent} bytes", code="FIELD_OVERFLOW")
        start = bases[self._place.run] + self._place.offset
        out[start : start + len(raw)] = raw

    def _chosen(self, values: Values) -> FrameWriter | None:
        if self._decider is None:
            return self._writers[0][1]
        value = values.get(self._decider.key)
        number = self._decider.category is Category.NUMBER
        return next(
            (writer for meant, writer in self._writers if any(value == (int(one) if number else one) for one in meant)),
            None,
        )


def _known(values: Values, keys: frozenset[str]) -> Values:
    return {key: value for key, value in values.items() if key in keys}
