"""One record step by step: its bytes, the fields in them, the expressions over these, values or faults."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from integrationhub.canonical.model import Entity
from integrationhub.canonical.units import targets
from integrationhub.errors import NotFound
from integrationhub.intake.pieces import Piece, PieceReader, SourceFile
from integrationhub.intake.places import SourceField
from integrationhub.intake.tracing import MASK, RecordView, TracedField, Tracer
from integrationhub.mapping.compile import CompiledMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRow:
    """A canonical row that the record gives. `steps` are the named values on the way of each field."""

    entity: str
    identifier: str
    source_ref: str | None
    mapping_id: str
    fields: tuple[TracedField, ...]
    steps: Mapping[str, tuple[tuple[str, str], ...]]
    decoded: Mapping[tuple[int, str, str, tuple[int, ...]], Any]  # record, table, field, occurrence

    def as_dict(self) -> dict[str, Any]:
        """The row with every value's way, as JSON has it."""
        head = {name: getattr(self, name) for name in ("entity", "identifier", "source_ref", "mapping_id")}
        return {**head, "fields": list(self._shown())}

    def is_of(self, entity: Entity, identifier: str, source_ref: str | None) -> bool:
        """Whether this is that row of the store, which gives ledger lines identifiers of its own."""
        if self.entity != entity.name:
            return False
        return self.source_ref == source_ref if entity.append_only else self.identifier == identifier

    def _shown(self) -> Iterator[dict[str, Any]]:
        for field in self.fields:
            sources = [{**asdict(one), "decoded": self._decoded(one)} for one in field.sources]
            steps = [{"name": name, "expression": text} for name, text in self.steps.get(field.name, ())]
            yield {**asdict(field), "sources": sources, "steps": steps}

    def _decoded(self, one: SourceField) -> Any:  # noqa: ANN401 - whatever the decoder makes of a field
        return MASK if one.hex == MASK else self.decoded.get((one.record, one.table, one.name, one.indexes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A record of a file and all that becomes of it. `faults`: what could not be understood; `notes`: remarks."""

    file: str
    record: int
    offset: int
    length: int
    within: str  # what the offset counts in
    line: int | None
    record_type: str
    rows: tuple[ExplainedRow, ...]
    faults: tuple[Mapping[str, Any], ...]
    notes: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """The explanation in the shape of `mapping explain --json`."""
        head = {
            name: getattr(self, name)
            for name in ("file", "record", "offset", "length", "within", "line", "record_type")
        }
        rows = [row.as_dict() for row in self.rows]
        return {**head, "rows": rows, "faults": list(self.faults), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Explains records of files of one connector."""

    reader: PieceReader
    mapping: CompiledMapping
    tracer: Tracer

    def explain(self, file: SourceFile, number: int, *, unmasked: bool = False) -> Explanation:
        """The record `number` of a file, its whole group read with it. NotFound: the file has no such record."""
        for piece, context in self.reader.read(file):
            table = piece.table_of(number)
            if table is not None:
                batch = self.mapping.apply(piece.decoded, context)
                view = self.tracer.view(file, piece)
                rows = tuple(self._rows(batch.rows, number, view, unmasked=unmasked))
                here = view.at(number, _offset(piece, number))
                return Explanation(
                    file=file.name,
                    record=number,
                    offset=here.offset,
                    length=here.length,
                    within=self.tracer.within,
                    line=here.line,
                    record_type=self._type_of(table),
                    rows=rows,
                    faults=tuple(_told(batch.faults, number)),
                    notes=tuple(_told(batch.notes, number)),
                )
        raise NotFound(
            f"{file.name} has no record {number} that is mapped",
            remedy="headers, trailers and keyings that don't stand for their case are not: name another record",
        )

    def _type_of(self, table: str) -> str:
        """The record type as the source calls it: its code, or the name of the element or table."""
        records = self.reader.descriptor.records
        types = self.reader.descriptor.layout.record_types if records is not None else {}
        return next((code for code, level in types.items() if level == table), table)

    def _rows(
        self, rows: Mapping[str, pl.DataFrame], number: int, view: RecordView, *, unmasked: bool
    ) -> Iterator[ExplainedRow]:
        for entity, frame in rows.items():
            for values in frame.filter(pl.col("record_no") == number).iter_rows(named=True):
                fields = self.tracer.fields(entity, values, view, unmasked=unmasked)
                mapping_id = str(values["mapping_id"])
                yield ExplainedRow(
                    entity=entity,
                    identifier=str(values[targets()[entity].key]),
                    source_ref=values["source_ref"],
                    mapping_id=mapping_id,
                    fields=fields,
                    steps=self._steps(entity, mapping_id, fields),
                    decoded=_decoded(view.piece, {one.record for field in fields for one in field.sources}),
                )

    def _steps(
        self, entity: str, mapping_id: str, fields: Sequence[TracedField]
    ) -> Mapping[str, tuple[tuple[str, str], ...]]:
        sources = {field.name: field.source for field in fields}
        return {
            one.lineage.field: one.steps
            for one in self.mapping.explain_fields(entity)
            if one.lineage.mapping_id == mapping_id and sources.get(one.lineage.field) == one.lineage.source
        }


def _offset(piece: Piece, number: int) -> int:
    return min(int(row["_offset"]) for _, row in piece.rows_of(number))


def _decoded(piece: Piece, numbers: set[int]) -> Mapping[tuple[int, str, str, tuple[int, ...]], Any]:
    """What the decoder made of each field of some records, by record, table, field and occurrence."""
    found: dict[tuple[int, str, str, tuple[int, ...]], Any] = {}
    for number in numbers:
        for name, row in piece.rows_of(number):
            outer = tuple(row[column] for column in ("_parent_index", "_index") if column in row)
            found |= {(number, name, column, outer): value for column, value in row.items()}
    return found


def _told(faults: pl.DataFrame, number: int) -> Iterator[Mapping[str, Any]]:
    rows = faults.filter(pl.col("record") == number).select("record", "offset", "table", "field", "code")
    yield from rows.iter_rows(named=True)
