"""An entity's spec compiled for one source: which columns are made in which order, and how rows become canonical.

Columns are made in levels: a level needs only source fields and the levels before it, so each level is one pass over
the frame, however many columns it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, lru_cache

import polars as pl

from integrationhub.canonical import model
from integrationhub.canonical.frames import POLARS_TYPES, schema
from integrationhub.canonical.runs import Runs
from integrationhub.canonical.units import targets
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.conversions import FEW
from integrationhub.mapping.faults import MISSING, Rule, Told, find
from integrationhub.mapping.items import MARK, Item
from integrationhub.mapping.joins import JoinStep, PivotStep, nothing
from integrationhub.mapping.scope import Place
from integrationhub.mapping.tables import IN_TURN, Tables, where_true
from integrationhub.mapping.working import Direct, Mark, Working

APART = "~"
"""Begins the names of columns that don't leave the mapping."""

_GIVEN = frozenset(item.name for item in model.PROVENANCE) - {"source_ref"}
"""Columns that a spec doesn't fill: they say where a row is from."""

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
    other fault. `runs`: of rows that agree in all columns that stay apart but the last.
    """

    rows: pl.DataFrame
    faults: Sequence[Told] = ()
    gaps: Sequence[Told] = ()
    runs: Runs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the columns of a level are made: directly, and by expressions, all of them in one pass."""

    direct: tuple[tuple[str, Direct], ...]
    columns: tuple[pl.Expr, ...]

    @classmethod
    def of(cls, items: Sequence[Item], *, few: bool) -> "Way":
        """The way for a few rows, or for more."""
        direct = {item.name: item.direct or (item.few if few else None) for item in items}
        return cls(
            direct=tuple((f"={name}", one) for name, one in direct.items() if one is not None),
            columns=tuple(item.column for item in items if direct[item.name] is None),
        )

    def add(self, working: Working) -> None:
        """Put the columns beside the others."""
        made = [direct.made(working).alias(name) for name, direct in self.direct]
        if made:
            working.frame = working.frame.hstack(made)
        if self.columns:
            working.frame = _beside(working.frame, self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Columns that need only those of the levels before, and marks of dates.

    A mark is asked for only where its column has nulls.
    """

    few: Way
    many: Way
    marks: tuple[Mark, ...]

    @classmethod
    def of(cls, items: Sequence[Item]) -> "Level":
        """The level of these items."""
        return cls(
            few=Way.of(items, few=True),
            many=Way.of(items, few=False),
            marks=tuple(item.mark for item in items if item.mark is not None),
        )

    def add(self, working: Working) -> None:
        """Put the level's columns beside those of the levels before."""
        way = self.few if 0 < working.frame.height <= FEW else self.many
        way.add(working)
        if self.marks:
            self._mark(working)

    def _mark(self, working: Working) -> None:
        frame, asked, made = working.frame, list[pl.Expr](), list[pl.Series]()
        for mark in self.marks:
            if not mark.is_needed(frame):
                made.append(nothing(pl.String(), frame.height).alias(f"{mark.column}{MARK}"))
            elif mark.direct is not None:
                made.append(mark.direct.made(working).alias(f"{mark.column}{MARK}"))
            else:
                asked.append(mark.expression)
        frame = frame.hstack(made) if made else frame
        working.frame = _beside(frame, asked) if asked else frame


def _beside(frame: pl.DataFrame, columns: Sequence[pl.Expr]) -> pl.DataFrame:
    return frame.with_columns_seq(columns) if frame.height <= IN_TURN else frame.with_columns(columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """One source of an entity, compiled."""

    entity: model.Entity
    label: str
    table: str
    columns: tuple[str, ...]  # wanted columns of the source table
    where: str | None  # condition over the source table alone
    late: pl.Expr | None  # condition over joined tables too
    steps: tuple[JoinStep | PivotStep, ...]
    levels: tuple[Level, ...]
    items: Mapping[str, Item]
    rules: tuple[Rule, ...]
    contexts: Mapping[str, str]  # canonical field → fact of the delivery
    places: Mapping[str, tuple[Place, ...]]  # canonical field → source fields, through lets and other fields
    unfilled: Mapping[str, pl.Series]  # canonical columns that the spec says nothing of: one row of each
    unsure: tuple[tuple[str, pl.DataType], ...]  # those whose type only a run can tell
    key_place: Place  # the source field that ends the natural key
    names: tuple[str, ...]  # columns of its rows: the canonical ones in table order, then those that stay apart
    required: tuple[str, ...]  # columns in which a null is a fault
    made_of: Mapping[str, str]  # working column → the source column that it is made of, if that is one alone
    apart: Mapping[str, str] = field(default_factory=dict)  # working columns that only judge repeated keys, by names

    def run(self, tables: Tables, context: MappingContext, mapping_id: str) -> Mapped:
        """The rows that this source gives, in file order."""
        frame = None if tables.is_empty(self.table) else self._joined(tables)
        if frame is None or frame.is_empty():
            return Mapped(rows=self.none())
        working = self.computed(frame)
        rows = self._canonical(working.frame, context, mapping_id)
        return Mapped(
            rows=rows,
            faults=find(working.frame, self.rules),
            gaps=list(self._gaps(rows)),
            runs=working.runs(list(self.apart.values())[:-1]) if len(self.apart) > 1 else None,
        )

    def _joined(self, tables: Tables) -> pl.DataFrame:
        """The source columns with the joined ones beside them, of the rows that `where` lets through."""
        frame = tables.chosen(self.table, self.where)
        for step in self.steps:
            if frame.is_empty():
                return frame
            frame = step.apply(frame, tables)
        if self.late is None or frame.is_empty():
            return frame
        return where_true(frame, frame.select_seq(pl.col("_record"), self.late.alias("late")).get_column("late"))

    def origins(self, tables: Tables, record: int, offset: int) -> Mapping[str, tuple[int, int]]:
        """Which rows stood beside the row of the source table that is at this place: by the alias of their join, their
        record number and byte offset.
        """
        here = (pl.col("_record") == record) & (pl.col("_offset") == offset)
        frame = tables.frame(self.table).filter(here).head(1)
        joins = [step for step in self.steps if isinstance(step, JoinStep)]
        for step in joins if frame.height else ():
            frame = replace(step, fields=(*step.fields, "_record", "_offset")).apply(frame, tables)
        found = {
            step.alias: frame.select(f"{step.alias}._record", f"{step.alias}._offset") for step in joins if frame.height
        }
        return {alias: row.row(0) for alias, row in found.items() if row.row(0)[0] is not None}

    def computed(self, frame: pl.DataFrame) -> Working:
        """A joined frame with all computed columns beside."""
        working = Working(frame=frame, origins=self.made_of)
        for level in self.levels:
            level.add(working)
        return working

    def none(self) -> pl.DataFrame:
        """No rows."""
        return _nothing(self.entity.name)

    def _canonical(self, frame: pl.DataFrame, context: MappingContext, mapping_id: str) -> pl.DataFrame:
        """The canonical columns in their order, and those that stay apart; what the spec doesn't fill is null.

        Columns are taken as they stand: expressions that only rename would cost more than all else for a single row.
        """
        records, height = frame.get_column("_record"), frame.height
        same = {
            "source_system": context.source_system,
            "delivery_id": context.delivery_id,
            "mapping_id": mapping_id,
            **{name: getattr(context, fact) for name, fact in self.contexts.items()},
        }
        made = {
            "record_no": records.alias("^record_no"),
            "byte_offset": frame.get_column("_offset").alias("^byte_offset"),
            "version": (records + context.sequence * _SEQUENCE_STEP).alias("^version"),
            **{name: _constant(name, value).new_from_index(0, height) for name, value in same.items()},
            **{name: one.new_from_index(0, height) for name, one in self.unfilled.items() if name not in same},
            **{name: frame.get_column(f"={name}").cast(dtype).alias(f"^{name}") for name, dtype in self.unsure},
            **{name: frame.get_column(column).alias(f"^{name}") for name, column in self.apart.items()},
        }
        frame = frame.hstack(list(made.values()))
        rows = frame[[f"^{name}" if name in made else f"={name}" for name in self.names]]
        rows.columns = list(self.names)
        return rows

    def _gaps(self, rows: pl.DataFrame) -> Iterator[Told]:
        for name in self.required:
            if rows.get_column(name).null_count():
                empty = rows.get_column(name).is_null().arg_true()
                records, offsets = rows.get_column("record_no")[empty], rows.get_column("byte_offset")[empty]
                yield Told(code=MISSING, place=self.place(name), records=records, offsets=offsets)

    def place(self, name: str) -> Place:
        """The source field to name when a canonical field is at fault."""
        return next(iter(self.places.get(name, ())), Place(table=self.table, field=name))


@cache
def _nothing(entity: str) -> pl.DataFrame:
    return pl.DataFrame(schema=schema(targets()[entity]))


@lru_cache(maxsize=1_000)
def _constant(name: str, value: object) -> pl.Series:
    return pl.Series(f"^{name}", [value])


def unfilled(entity: model.Entity, items: Mapping[str, Item]) -> Iterator[tuple[str, pl.Series]]:
    """The canonical columns that no item fills, with one row of each."""
    for target in entity.all_fields():
        if target.name not in items and _marking(target.name, items) is None and target.name not in _GIVEN:
            yield target.name, pl.Series(f"^{target.name}", [None], dtype=POLARS_TYPES[target.type])


def unsure(entity: model.Entity, items: Mapping[str, Item]) -> Iterator[tuple[str, pl.DataType]]:
    """The canonical columns whose items don't say that they are of the right type, with that type."""
    for target in entity.all_fields():
        if target.name in items and items[target.name].dtype != POLARS_TYPES[target.type]:
            yield target.name, POLARS_TYPES[target.type]


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
        yield Level.of([waiting[name] for name in ready])
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
