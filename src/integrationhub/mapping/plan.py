"""An entity's spec compiled for one source: which columns are made in which order, and how rows become canonical.

Columns are made in levels: a level needs only source fields and the levels before it, so each level is one pass over
the frame, however many columns it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from integrationhub.canonical import model
from integrationhub.canonical.frames import POLARS_TYPES, schema
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.faults import MISSING, Rule, fault_columns, find
from integrationhub.mapping.items import MARK, Item
from integrationhub.mapping.joins import JoinStep, PivotStep, nothing
from integrationhub.mapping.scope import Place
from integrationhub.mapping.tables import FEW, Tables

APART = "~"
"""Begins the names of columns that don't leave the mapping."""

_SEQUENCE_STEP = 2**32
"""Record numbers a sequence number has room for in `version`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingContext:
    """What a mapping must be told of a delivery: it knows no clock and no settings."""

    delivery_id: str
    sequence: int
    as_at: date
    source_system: str
    synthetic_identities: bool = False
    layout_version: str | None = None  # what the header of a file says of its layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """Rows of one source of an entity, and what is wrong with them.

    `gaps` are required values that are null for no reason that a fault tells; they count only in records that have no
    other fault.
    """

    rows: pl.DataFrame
    faults: Sequence[pl.DataFrame] = ()
    notes: Sequence[pl.DataFrame] = ()
    gaps: Sequence[pl.DataFrame] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Columns that need only those of the levels before; a mark is asked for only where its column has nulls."""

    columns: tuple[pl.Expr, ...]
    marks: tuple[tuple[str, str, pl.Expr], ...]  # column, its mark, the mark's expression

    def computed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the level's columns beside."""
        frame = _beside(frame, self.columns)
        if not self.marks:
            return frame
        asked, empty = list[pl.Expr](), list[pl.Series]()
        for column, mark, expression in self.marks:
            if frame.get_column(column).null_count():
                asked.append(expression)
            else:
                empty.append(nothing(mark, pl.String(), frame.height))
        frame = frame.hstack(empty) if empty else frame
        return _beside(frame, asked) if asked else frame


def _beside(frame: pl.DataFrame, columns: Sequence[pl.Expr]) -> pl.DataFrame:
    return frame.with_columns_seq(columns) if frame.height <= FEW else frame.with_columns(columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """One source of an entity, compiled."""

    entity: model.Entity
    label: str
    table: str
    columns: tuple[str, ...]  # wanted columns of the source table
    early: pl.Expr | None  # `where` over the source table alone
    late: pl.Expr | None  # `where` over joined tables too
    steps: tuple[JoinStep | PivotStep, ...]
    levels: tuple[Level, ...]
    items: Mapping[str, Item]
    rules: tuple[Rule, ...]
    contexts: Mapping[str, str]  # canonical field → fact of the delivery
    places: Mapping[str, tuple[Place, ...]]  # canonical field → source fields, through lets and other fields
    output: tuple[pl.Expr, ...]
    key_place: Place  # the source field that ends the natural key
    apart: tuple[pl.Expr, ...] = ()  # columns that only the judgement of repeated keys needs

    def run(self, tables: Tables, context: MappingContext, mapping_id: str) -> Mapped:
        """The rows that this source gives, in file order."""
        frame = self._joined(tables)
        if frame.is_empty():
            return Mapped(rows=self.none())
        frame = self.computed(frame)
        final = self._final(context, mapping_id)
        rows = frame.select_seq(final) if frame.height <= FEW else frame.select(final)
        found = find(frame, self.rules)
        return Mapped(
            rows=rows,
            faults=[table for rule, table in found if rule.severity != "note"],
            notes=[table for rule, table in found if rule.severity == "note"],
            gaps=list(self._gaps(rows)),
        )

    def _joined(self, tables: Tables) -> pl.DataFrame:
        """The source columns with the joined ones beside them, of the rows that `where` lets through."""
        if tables.is_empty(self.table):
            return tables.frame(self.table)
        frame = tables.frame(self.table)
        if self.early is not None and not frame.is_empty():
            frame = frame.filter(self.early)
        for step in self.steps:
            if frame.is_empty():
                return frame
            frame = step.apply(frame, tables)
        return frame if self.late is None else frame.filter(self.late)

    def computed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A joined frame with all computed columns beside."""
        for level in self.levels:
            frame = level.computed(frame)
        return frame

    def none(self) -> pl.DataFrame:
        """No rows."""
        return _nothing(self.entity)

    def _final(self, context: MappingContext, mapping_id: str) -> list[pl.Expr]:
        """The canonical columns in their order; those that the spec doesn't fill are null."""
        given: dict[str, pl.Expr] = {
            "source_system": pl.lit(context.source_system),
            "delivery_id": pl.lit(context.delivery_id),
            "record_no": pl.col("_record"),
            "byte_offset": pl.col("_offset"),
            "mapping_id": pl.lit(mapping_id),
            "version": pl.col("_record") + context.sequence * _SEQUENCE_STEP,
        }
        facts = {name: pl.lit(getattr(context, fact)) for name, fact in self.contexts.items()}
        made = {**given, **facts}
        names = self.entity.names()
        known = zip(names, self.output, strict=True)
        return [*(made[name].alias(name) if name in made else expr for name, expr in known), *self.apart]

    def _gaps(self, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
        for item in self.entity.all_fields():
            if item.required and item.name not in model.SEALED and rows.get_column(item.name).null_count():
                place = self.place(item.name)
                columns = fault_columns(MISSING, place, record=pl.col("record_no"), offset=pl.col("byte_offset"))
                yield rows.filter(pl.col(item.name).is_null()).select(columns)

    def place(self, name: str) -> Place:
        """The source field to name when a canonical field is at fault."""
        return next(iter(self.places.get(name, ())), Place(table=self.table, field=name))


@cache
def _nothing(entity: model.Entity) -> pl.DataFrame:
    return pl.DataFrame(schema=schema(entity))


def output_columns(entity: model.Entity, items: Mapping[str, Item]) -> tuple[pl.Expr, ...]:
    """For each canonical column the expression that takes it from the working frame, in table order."""
    return tuple(_output(item, items) for item in entity.all_fields())


def _output(target: model.Field, items: Mapping[str, Item]) -> pl.Expr:
    dtype = POLARS_TYPES[target.type]
    owner = items.get(target.name) or _marking(target.name, items)
    if owner is None:
        return pl.lit(None, dtype=dtype).alias(target.name)
    column = pl.col(f"={target.name}")
    known = owner.dtype == dtype or owner.name != target.name
    return (column if known else column.cast(dtype)).alias(target.name)


def _marking(name: str, items: Mapping[str, Item]) -> Item | None:
    """The dated field that `name` is the mark of."""
    owner = items.get(name.removesuffix("_mark"))
    return owner if owner is not None and name.endswith("_mark") and owner.marked else None


def in_levels(items: Mapping[str, Item]) -> Iterator[Level]:
    """The items in levels. ConfigurationError names those that need each other in a circle."""
    waiting, done = dict(items), set[str]()
    while waiting:
        ready = [name for name, item in waiting.items() if item.needs <= done]
        if not ready:
            raise ConfigurationError(f"these need each other in a circle: {', '.join(sorted(waiting))}")
        items_here = [waiting[name] for name in ready]
        yield Level(
            columns=tuple(item.column for item in items_here),
            marks=tuple(
                (f"={item.name}", f"={item.name}{MARK}", item.mark) for item in items_here if item.mark is not None
            ),
        )
        done.update(ready)
        for name in ready:
            del waiting[name]


def traced(name: str, items: Mapping[str, Item]) -> tuple[Place, ...]:
    """The source fields behind an item, through everything that it needs."""
    return tuple(dict.fromkeys(_traced(name, items, set())))


def _traced(name: str, items: Mapping[str, Item], seen: set[str]) -> Iterator[Place]:
    if name in seen or name not in items:
        return
    seen.add(name)
    yield from items[name].places
    for needed in sorted(items[name].needs):
        yield from _traced(needed, items, seen)
