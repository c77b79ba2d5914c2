"""From a canonical row back to its source bytes, and on to what was published of it.

A row knows its delivery, record number, byte offset and mapping. Its piece of the original is decoded again; the
mapping's lineage says which fields of which records made which value, joined ones included; the format says where these
fields stand. Values of personal fields are masked, and so are the bytes that any of them came from, wherever else these
count: what a National Insurance number says of itself is shown, the number is not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from integrationhub.canonical.units import targets
from integrationhub.errors import InvariantBroken
from integrationhub.intake.pieces import Piece, PieceReader, SourceFile, piece_of
from integrationhub.intake.places import Located, Locator, SourceField
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.lineage import Lineage
from integrationhub.mapping.scope import Place
from integrationhub.store.deliveries import Delivery
from integrationhub.store.slices import Slice
from integrationhub.store.trace import TracedRow

MASK = "***"


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
    """A canonical row and where it came from. `offset` and `length` are those of the record, element or row.

    They count in the file, or in what comes out of it where it is compressed: `within` says which. `line` counts from
    1, in text files.
    """

    entity: str
    identifier: str
    file: str
    sha256: str
    original_uri: str | None
    record: int
    offset: int
    length: int
    within: str
    line: int | None
    mapping_id: str
    fields: tuple[TracedField, ...]


@dataclass(slots=True)
class RecordView:
    """One record in its piece of a file, and every record beside it that was asked for."""

    file: SourceFile
    piece: Piece
    locator: Locator
    _known: dict[tuple[int, int], Located] = field(default_factory=dict)

    def at(self, record: int, offset: int) -> Located:
        """The record that begins, or whose row's element begins, at a byte. InvariantBroken: it is not there."""
        if (record, offset) not in self._known:
            found = self.locator.locate(self.file, self.piece, record=record, offset=offset)
            self._known[record, offset] = found
        return self._known[record, offset]


class Tracer:
    """Traces rows of one connector."""

    def __init__(
        self,
        reader: PieceReader,
        locator: Locator,
        mapping: CompiledMapping,
        file_of: Callable[[Delivery], SourceFile],
    ) -> None:
        self._reader = reader
        self._locator = locator
        self._mapping = mapping
        self._file_of = file_of
        self._lineage: dict[str, list[Lineage]] = {}
        personal = set[Place]()
        for line in mapping.lineage():
            self._lineage.setdefault(line.entity, []).append(line)
            if targets()[line.entity].field(line.field).personal:
                personal.update(place.plain for place in line.fields)
        self._personal = frozenset(personal)

    @property
    def within(self) -> str:
        """What byte offsets count in."""
        return self._locator.within

    def trace(self, row: TracedRow, slices: Sequence[Slice]) -> Trace:
        """The row's trace; `slices` are those of its delivery. InvariantBroken: the original is not what was loaded."""
        delivery = row.delivery
        if delivery is None:
            raise InvariantBroken(
                f"{row.entity} {row.identifier} names a delivery that is not stored", code="PROVENANCE"
            )
        record, offset = int(row.values["record_no"]), int(row.values["byte_offset"])
        file = self._file_of(delivery)
        cuts = [(one.first_record, one.last_record, one.first_byte, one.last_byte) for one in slices]
        piece = piece_of(self._reader, file, record, cuts)
        if piece is None:
            raise InvariantBroken(f"no slice of the delivery holds record {record}", code="PROVENANCE")
        view = self.view(file, piece)
        here = view.at(record, offset)
        return Trace(
            entity=row.entity,
            identifier=row.identifier,
            file=delivery.name,
            sha256=delivery.sha256,
            original_uri=delivery.original_uri,
            record=record,
            offset=here.offset,
            length=here.length,
            within=self.within,
            line=here.line,
            mapping_id=str(row.values["mapping_id"]),
            fields=self.fields(row.entity, row.values, view),
        )

    def view(self, file: SourceFile, piece: Piece) -> RecordView:
        """The records of a piece, to be found in their file."""
        return RecordView(file=file, piece=piece, locator=self._locator)

    def fields(
        self, entity: str, values: Mapping[str, Any], view: RecordView, *, unmasked: bool = False
    ) -> tuple[TracedField, ...]:
        """Every value of a canonical row, with its expression and its source bytes."""
        return tuple(self._fields(entity, values, view, unmasked=unmasked))

    def _fields(
        self, entity: str, values: Mapping[str, Any], view: RecordView, *, unmasked: bool
    ) -> Iterator[TracedField]:
        record, offset = int(values["record_no"]), int(values["byte_offset"])
        here = view.at(record, offset)
        lines = self._lines(entity, values, here)
        if not lines:
            return
        joined = self._mapping.origins(next(iter(lines.values())), view.piece.decoded, record=record, offset=offset)
        for item in targets()[entity].fields:
            line = lines.get(item.name)
            if line is None or values[item.name] is None:
                continue
            masked = item.personal and not unmasked
            found = dict.fromkeys(
                one if unmasked or not (masked or self._is_personal(one, place, here)) else replace(one, hex=MASK)
                for place in line.fields
                for one in self._sources(place, view, here, joined)
            )
            value = MASK if masked else values[item.name]
            yield TracedField(
                name=item.name, value=value, source=line.source, expression=line.expression, sources=tuple(found)
            )

    def _sources(
        self, place: Place, view: RecordView, here: Located, joined: Mapping[str, tuple[int, int]]
    ) -> Iterator[SourceField]:
        """The source fields behind a place; what reading itself made of a record is the record as a whole."""
        record = here
        if place.alias and "." not in place.alias:
            if place.alias not in joined:
                return  # no row stood beside this one
            record = view.at(*joined[place.alias])
        found = record.of(place)
        if found or self._is_source(place):
            yield from found
        else:
            yield replace(record.whole, name=place.field, table=place.table)

    def _is_personal(self, one: SourceField, place: Place, here: Located) -> bool:
        """Whether a personal value is made from the same bytes; of a whole record some are."""
        personal = {Place(table=here.made.get(item.table, item.table), field=item.field) for item in self._personal}
        if self._locator.is_made(place):
            return bool(personal)
        return Place(table=one.table, field=one.name) in personal

    def _is_source(self, place: Place) -> bool:
        """Whether a field stands in the file, if not in every record."""
        return not self._locator.is_made(place)

    def _lines(self, entity: str, values: Mapping[str, Any], here: Located) -> Mapping[str, Lineage]:
        """The lineage of each field in the source of the entity that made this row.

        Several sources may fill an entity from one record (a case gives a debt for each owner): the row is of the one
        whose constants it holds, and whose fields the record has.
        """
        by_source: dict[str, dict[str, Lineage]] = {}
        for line in self._of_version(entity, str(values["mapping_id"])):
            by_source.setdefault(line.source, {})[line.field] = line

        def fitness(lines: Mapping[str, Lineage]) -> tuple[int, int]:
            constants = sum(line.expression == f"'{values[name]}'" for name, line in lines.items())
            present = sum(bool(here.of(place)) for line in lines.values() for place in line.fields if not place.alias)
            return constants, present

        return max(by_source.values(), key=fitness, default={})

    def _of_version(self, entity: str, mapping_id: str) -> Sequence[Lineage]:
        """The lineage of an entity as the version says that made the row; where that is gone, as all versions say."""
        lines = self._lineage.get(entity, [])
        return [line for line in lines if line.mapping_id == mapping_id] or lines
