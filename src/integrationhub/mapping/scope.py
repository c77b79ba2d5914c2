"""What a name in a spec means: a source field, a field of a joined or pivoted table, a let or a canonical field.

In a working frame the fields of the source table keep their names, those of a joined table have its alias before a
dot, occurrences of a child table have alias and number, and computed values begin with `=`, so that a feed whose fields
are called like canonical ones can't confuse the two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from integrationhub.errors import ConfigurationError
from integrationhub.mapping.spec import PivotSpec, SourceSpec

POSITION = ("_record", "_offset", "_index", "_parent_index")
"""Columns of decoded tables that say where a row stands."""

OCCURRENCE = "occurrence"
"""The number of a row among those of its key, where keys are numbered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A source field. `alias`: of the joined row that it stands in, or of a pivot with its occurrence, `line.1`."""

    table: str
    field: str
    alias: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.field}" + (f" ({self.alias})" if self.alias else "")

    @property
    def plain(self) -> "Place":
        """The field, in whatever row it stands."""
        return replace(self, alias="") if self.alias else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """What a name means: the working column, and the source field (`place`) or the computed value (`computed`).

    `judged` is false for fields of joined tables: their faults belong to the joined record, which has its own row.
    """

    column: str
    place: Place | None = None
    computed: str | None = None
    judged: bool = True

    @property
    def expr(self) -> pl.Expr:
        """The working column as an expression."""
        return pl.col(self.column)


@dataclass(slots=True)
class Scope:
    """The names that one source of an entity can use.

    `used` collects the source fields that were asked for: by the alias of their join or pivot, "" for the source table.
    """

    source: SourceSpec
    computed: Mapping[str, str] = field(default_factory=dict)  # name → the let or canonical field that makes it
    late: frozenset[str] = frozenset()  # canonical fields that are facts of the delivery
    used: dict[str, set[str]] = field(default_factory=dict)

    def resolve(self, name: str) -> Ref:
        """The meaning of `name` in SQL and keys: a computed value first, then a source field."""
        if name in self.late:
            raise ConfigurationError(f"{name} is a fact of the delivery: it can't be computed with")
        if name in self.computed:
            return Ref(column=f"={name}", computed=self.computed[name])
        return self.origin(name)

    def origin(self, name: str) -> Ref:
        """The meaning of `name` after `from`: always a source field."""
        alias, dot, rest = name.partition(".")
        if dot and alias == "source":
            return self._use(self.source.table, "", rest, rest)
        for join in self.source.joins:
            if dot and join.alias == alias:
                return self._use(join.table, alias, rest, name, judged=False)
        for pivot in self.source.pivots:
            if dot and pivot.alias == alias:
                return self._occurrence(name, rest, pivot)
        return self._use(self.source.table, "", name, name)

    def _occurrence(self, name: str, rest: str, pivot: PivotSpec) -> Ref:
        number, _, child = rest.partition(".")
        if not number.isdecimal() or not 1 <= int(number) <= pivot.count or not child:
            raise ConfigurationError(f"{name}: say {pivot.alias}.NUMBER.FIELD with a number from 1 to {pivot.count}")
        self.used.setdefault(pivot.alias, set()).add(child)
        return Ref(column=name, place=Place(table=pivot.table, field=child, alias=f"{pivot.alias}.{number}"))

    def _use(self, table: str, alias: str, name: str, column: str, *, judged: bool = True) -> Ref:
        self.used.setdefault(alias, set()).add(name)
        return Ref(column=column, place=Place(table=table, field=name, alias=alias), judged=judged)


def places(refs: Iterable[Ref]) -> tuple[Place, ...]:
    """The source fields among `refs`, each once; positions of rows are none."""
    found = (ref.place for ref in refs if ref.place is not None and ref.place.field not in POSITION)
    return tuple(dict.fromkeys(found))
