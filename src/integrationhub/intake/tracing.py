"""From a canonical row back to its source bytes, and on to what was published of it.

A row knows its delivery, record number and mapping. The slice that held the record says where to look in the original;
the layout says where each field stands in the record; the mapping's lineage says which fields made which value. Values
of personal fields are masked, and so are the bytes they came from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from integrationhub.canonical.model import ENTITIES
from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.frames import FieldPlace
from integrationhub.errors import InvariantBroken
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.lineage import Lineage
from integrationhub.receive.originals import Originals
from integrationhub.store.slices import Slice
from integrationhub.store.trace import TracedRow

MASK = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceField:
    """A source field in the original: byte offset in the file, length in bytes, its bytes in hexadecimal."""

    name: str
    offset: int
    length: int
    hex: str
    table: str
    indexes: tuple[int, ...] = ()  # occurrence numbers from the outside in, of a field in a table


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedField:
    """A canonical value, the expression that made it, and the source fields it was made from. `source` is the entity's
    source (one of the spec's) that made the row.
    """

    name: str
    value: Any
    source: str
    expression: str
    sources: tuple[SourceField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A canonical row and where it came from. `offset` and `length` are those of the record's data in the file."""

    entity: str
    identifier: str
    file: str
    sha256: str
    original_uri: str | None
    record: int
    offset: int
    length: int
    mapping_id: str
    fields: tuple[TracedField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBytes:
    """A record in a piece of its file: the piece, its offset in the file, start and length of the record in it."""

    buffer: np.ndarray
    base: int
    start: int
    length: int


class Tracer:
    """Traces rows of one connector."""

    def __init__(self, decoder: CopybookFileDecoder, mapping: CompiledMapping, originals: Originals) -> None:
        self._decoder = decoder
        self._originals = originals
        self._lineage: dict[str, list[Lineage]] = {}
        for line in mapping.lineage():
            self._lineage.setdefault(line.entity, []).append(line)

    def trace(self, row: TracedRow, slices: Sequence[Slice]) -> Trace:
        """The row's trace; `slices` are those of its delivery. InvariantBroken: the original is not what was loaded."""
        delivery = row.delivery
        if delivery is None:
            raise InvariantBroken(
                f"{row.entity} {row.identifier} names a delivery that is not stored", code="PROVENANCE"
            )
        record = int(row.values["record_no"])
        found = self._record(delivery.sha256, record, slices)
        fields = self.fields(row.entity, row.values, found)
        return Trace(
            entity=row.entity,
            identifier=row.identifier,
            file=delivery.name,
            sha256=delivery.sha256,
            original_uri=delivery.original_uri,
            record=record,
            offset=found.base + found.start,
            length=found.length,
            mapping_id=str(row.values["mapping_id"]),
            fields=fields,
        )

    def fields(
        self, entity: str, values: Mapping[str, Any], record: RecordBytes, *, unmasked: bool = False
    ) -> tuple[TracedField, ...]:
        """Every value of a canonical row that was made from this record, with its expression and its source bytes."""
        places = self._decoder.records.places(record.buffer, record.start, record.length)
        element = int(values["byte_offset"]) - record.base
        return tuple(self._fields(entity, values, record, _of_element(places, element), unmasked=unmasked))

    def _record(self, sha256: str, record: int, slices: Sequence[Slice]) -> RecordBytes:
        """The bytes of the slice around a record, and the record in them."""
        piece = next((item for item in slices if item.first_record <= record <= item.last_record), None)
        if piece is None:
            raise InvariantBroken(f"no slice of the delivery holds record {record}", code="PROVENANCE")
        with self._originals.open(sha256) as stream:
            stream.seek(piece.first_byte)
            buffer = np.frombuffer(stream.read(piece.last_byte - piece.first_byte), np.uint8)
        frames = self._decoder.scan(buffer, piece.first_byte, final=True)
        number = record - piece.first_record
        if number >= len(frames.starts):
            raise InvariantBroken(f"the original has no record {record} where it was loaded from", code="PROVENANCE")
        start, length = int(frames.starts[number]), int(frames.lengths[number])
        return RecordBytes(buffer=buffer, base=piece.first_byte, start=start, length=length)

    def _fields(
        self,
        entity: str,
        values: Mapping[str, Any],
        record: RecordBytes,
        places: Mapping[tuple[str, str], Sequence[FieldPlace]],
        *,
        unmasked: bool,
    ) -> Iterator[TracedField]:
        lines = self._lines(entity, values, places)
        for item in ENTITIES[entity].fields:
            line = lines.get(item.name)
            if line is None or values[item.name] is None:
                continue
            masked = item.personal and not unmasked
            sources = tuple(
                SourceField(
                    name=place.field,
                    offset=record.base + place.start,
                    length=place.length,
                    hex=MASK if masked else record.buffer[place.start : place.start + place.length].tobytes().hex(),
                    indexes=place.indexes,
                    table=place.table,
                )
                for source in line.fields
                for place in places.get((source.table, source.field), ())
            )
            value = MASK if masked else values[item.name]
            yield TracedField(
                name=item.name, value=value, source=line.source, expression=line.expression, sources=sources
            )

    def _lines(
        self, entity: str, values: Mapping[str, Any], places: Mapping[tuple[str, str], Sequence[FieldPlace]]
    ) -> Mapping[str, Lineage]:
        """The lineage of each field in the source of the entity that made this row.

        Several sources may fill an entity from one record (a case gives a debt for each owner): the row is of the one
        whose constants it holds, and whose fields the record has.
        """
        by_source: dict[str, dict[str, Lineage]] = {}
        for line in self._of_version(entity, str(values["mapping_id"])):
            by_source.setdefault(line.source, {})[line.field] = line

        def fitness(lines: Mapping[str, Lineage]) -> tuple[int, int]:
            constants = sum(line.expression == f"'{values[name]}'" for name, line in lines.items())
            present = sum((place.table, place.field) in places for line in lines.values() for place in line.fields)
            return constants, present

        return max(by_source.values(), key=fitness, default={})

    def _of_version(self, entity: str, mapping_id: str) -> Sequence[Lineage]:
        """The lineage of an entity as the version says that made the row; where that is gone, as all versions say."""
        lines = self._lineage.get(entity, [])
        return [line for line in lines if line.mapping_id == mapping_id] or lines


class PlaceTracer:
    """Traces rows of documents and books: to the element or row that they came from, and the mapping, not to bytes.

    The place of an element is its offset in the uncompressed document; what stands there is for whoever may read it.
    """

    def __init__(self, mapping: CompiledMapping) -> None:
        self._lineage: dict[str, dict[str, Lineage]] = {}
        for line in mapping.lineage():
            self._lineage.setdefault(line.entity, {}).setdefault(line.field, line)

    def trace(self, row: TracedRow, _slices: Sequence[Slice]) -> Trace:
        """The row's trace."""
        delivery = row.delivery
        if delivery is None:
            raise InvariantBroken(
                f"{row.entity} {row.identifier} names a delivery that is not stored", code="PROVENANCE"
            )
        lines = self._lineage.get(row.entity, {})
        fields = tuple(
            TracedField(
                name=item.name,
                value=row.values[item.name],
                source=lines[item.name].source,
                expression=lines[item.name].expression,
                sources=(),
            )
            for item in ENTITIES[row.entity].fields
            if item.name in lines and row.values[item.name] is not None
        )
        return Trace(
            entity=row.entity,
            identifier=row.identifier,
            file=delivery.name,
            sha256=delivery.sha256,
            original_uri=delivery.original_uri,
            record=int(row.values["record_no"]),
            offset=int(row.values["byte_offset"]),
            length=0,
            mapping_id=str(row.values["mapping_id"]),
            fields=fields,
        )


def _of_element(places: Sequence[FieldPlace], element: int) -> Mapping[tuple[str, str], list[FieldPlace]]:
    """Places by table and field; where `element` is the start of a table's element, of tables only that element."""
    chosen = next((place.indexes for place in places if place.indexes and place.start == element), ())
    found: dict[tuple[str, str], list[FieldPlace]] = {}
    for place in places:
        if not place.indexes or place.indexes[: len(chosen)] == chosen:
            found.setdefault((place.table, place.field), []).append(place)
    return found
