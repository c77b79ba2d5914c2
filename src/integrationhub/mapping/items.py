"""One let, canonical field or validation as column expressions: value, mark, fault rules, and what they read."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl
from sqlglot import exp

from integrationhub.canonical.identifier_columns import derive_column, derive_rows
from integrationhub.errors import ConfigurationError
from integrationhub.mapping import sql
from integrationhub.mapping.conversions import FEW, Converted, Environment, Kind, Reader, convert
from integrationhub.mapping.describe import describe
from integrationhub.mapping.faults import MISSING, Rule
from integrationhub.mapping.scope import Place, Ref, Scope, places
from integrationhub.mapping.spec import CheckSpec, Constant, Conversion, FieldSpec, ValidateSpec
from integrationhub.mapping.working import Direct, Mark

MARK = "_mark"

_ANY = "_record"
"""A column that every working frame has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A working column and its mark. `needs` names the computed values that must stand before them.

    `direct` makes the column without its expression, from working columns as they stand; `few` is for a few rows, where
    an expression costs more than it saves. `origin` is the working column that it is made of, if that is one alone.
    `dtype` is None where only a run can tell (SQL). `texts` are constants that a CODE field could get.
    """

    name: str
    column: pl.Expr
    needs: frozenset[str]
    text: str
    mark: Mark | None = None
    rules: tuple[Rule, ...] = ()
    places: tuple[Place, ...] = ()
    dtype: pl.DataType | None = None
    texts: tuple[str, ...] = ()
    direct: Direct | None = None
    few: Direct | None = None
    origin: str | None = None

    @property
    def marked(self) -> bool:
        """Whether it has a mark."""
        return self.mark is not None


@dataclass(slots=True)
class Compiler:
    """Makes items of one source: a scope for names, an environment for conversions.

    `kinds` collects what conversions can read, by table and field.
    """

    scope: Scope
    environment: Environment
    kinds: dict[str, set[tuple[str, Kind]]] = field(default_factory=dict)
    _refs: list[Ref] = field(default_factory=list)

    def field(self, name: str, spec: FieldSpec) -> Item | None:
        """A let or canonical field; None where the value is a fact of the delivery, known only when a batch comes."""
        self._refs = []
        text = describe(spec, self.environment)
        if spec.context is not None:
            return None
        if spec.origin is not None:
            return self._converted(name, spec, spec.origin, text)
        value, dtype, texts = self._made(spec)
        direct = self._directly(spec) if spec.when is None and spec.default is None else None
        value = self._otherwise(self._where(spec.when, value), spec.default)
        return self._item(name, value, text, dtype=dtype, texts=texts, direct=direct)

    def validation(self, number: int, spec: ValidateSpec) -> list[Item]:
        """Source fields that are read only to see whether they can be."""
        items = []
        for name in spec.fields:
            self._refs = []
            items.append(self._converted(f"?{number} {name}", spec, (name,), describe(spec, self.environment)))
        return items

    def check(self, spec: CheckSpec) -> Rule:
        """The rule of a check: where its condition is false."""
        broken = ~self.condition(spec.must)
        if spec.when is not None:
            broken &= self.condition(spec.when)
        ref = self.scope.origin(spec.field)
        return Rule(condition=broken, code=spec.code, place=_place(ref), severity=spec.severity)

    def condition(self, text: str) -> pl.Expr:
        """An SQL condition over the working frame."""
        return self._sql(text)[0]

    def key(self, parts: Sequence[str]) -> pl.Expr:
        """The derived identifier of a natural key: kind and source system as they stand, then names."""
        kind, system, *names = parts
        return derive_column([kind, system], [self._name(name) for name in names])

    def _directly(self, spec: FieldSpec) -> Direct | None:
        """How an identifier, a constant or a value under another name is made without an expression."""
        if spec.value is not None:
            one = pl.Series([spec.value], dtype=_dtype_of(spec.value))
            return Direct(columns=(_ANY,), make=partial(_constant, one))
        if spec.id is not None:
            return self._identifying(spec.id)
        tree = sql.parse(spec.sql or "")
        if not isinstance(tree, exp.Column):
            return None
        (name,) = sql.names(tree)
        return Direct(columns=(self.scope.resolve(name).column,), make=operator.itemgetter(0))

    def _identifying(self, parts: Sequence[str]) -> Direct:
        kind, system, *names = parts
        columns = tuple(self.scope.resolve(name).column for name in names)
        return Direct(columns=columns, make=partial(derive_rows, (kind, system)), once_a_run=True)

    def occurrence(self, name: str, parts: Sequence[str]) -> Item:
        """The number of a row among those with the same `parts`, from 1, in file order."""
        self._refs = []
        number = pl.int_range(1, pl.len() + 1).over([self._name(part) for part in parts])
        text = f"number among rows of the same {', '.join(parts)}"
        return self._item(name, number, text, dtype=pl.Int64())

    def refs(self) -> tuple[Ref, ...]:
        """The names met since the last item."""
        return tuple(self._refs)

    def forget(self) -> None:
        """Start a new list of names."""
        self._refs = []

    def _name(self, name: str) -> pl.Expr:
        ref = self.scope.resolve(name)
        self._refs.append(ref)
        return ref.expr

    def _sql(self, text: str) -> tuple[pl.Expr, exp.Expression]:
        tree = sql.parse(text)
        return sql.translate(tree, self._name), tree

    def _made(self, spec: FieldSpec) -> tuple[pl.Expr, pl.DataType | None, tuple[str, ...]]:
        if spec.sql is not None:
            value, tree = self._sql(spec.sql)
            return value, None, tuple(sql.text_results(tree))
        if spec.id is not None:
            return self.key(spec.id), pl.String(), ()
        dtype = _dtype_of(spec.value)
        return pl.lit(spec.value, dtype=dtype), dtype, (spec.value,) if isinstance(spec.value, str) else ()

    def _where(self, when: str | None, value: pl.Expr) -> pl.Expr:
        return value if when is None else pl.when(self.condition(when)).then(value)

    @staticmethod
    def _otherwise(value: pl.Expr, default: Constant | None) -> pl.Expr:
        return value if default is None else value.fill_null(pl.lit(default, dtype=_dtype_of(default)))

    def _converted(self, name: str, spec: Conversion, origin: Sequence[str], text: str) -> Item:
        refs = [self.scope.origin(one) for one in origin]
        self._refs += refs
        source = refs[0].expr if len(refs) == 1 else pl.coalesce([ref.expr for ref in refs])
        converted = convert(source, spec, self.environment)
        if converted.reads is not None:
            for place in places(refs):
                self.kinds.setdefault(place.table, set()).add((place.field, converted.reads))
        default = spec.default if isinstance(spec, FieldSpec) else None
        value = self._where(spec.when, _with_default(source, converted, default))
        item = self._item(name, value, text, dtype=converted.dtype)
        plain = len(refs) == 1 and spec.when is None
        once = plain and default is None and converted.repeats
        return replace(
            item,
            mark=self._marking(name, spec, refs, converted, source),
            rules=self._faults(name, spec, refs, converted, spared=default is not None),
            origin=refs[0].column if plain else None,
            direct=_once_a_run(refs[0], converted) if once else None,
            few=_one_by_one(refs, converted, default) if spec.when is None else None,
        )

    def _marking(
        self, name: str, spec: Conversion, refs: list[Ref], converted: Converted, source: pl.Expr
    ) -> Mark | None:
        if converted.marker is None:
            return None
        value = self._where(spec.when, _read(source, converted.marker, pl.String()))
        plain = spec.when is None and len(refs) == 1
        return Mark(
            column=f"={name}",
            expression=value.alias(f"={name}{MARK}"),
            direct=Direct(columns=(refs[0].column,), make=partial(_first, converted.marker)) if plain else None,
            source=refs[0].column if plain and not converted.marks_absence else None,
        )

    def _faults(
        self, name: str, spec: Conversion, refs: list[Ref], converted: Converted, *, spared: bool
    ) -> tuple[Rule, ...]:
        value, mark = f"={name}", f"={name}{MARK}" if converted.marker is not None else None
        here = None if spec.when is None else self.condition(spec.when)
        rules = []
        if converted.code is not None:
            bad = pl.col(value).is_null() if converted.bad is None else converted.bad
            bad = bad if mark is None else bad & pl.col(mark).is_null()
            plain = here is None and len(refs) == 1 and not spared
            balance = (None if converted.marks_absence else refs[0].column, value, mark) if plain else None
            rules += [
                Rule(
                    condition=_all(here, ref.expr.is_not_null(), bad),
                    code=spec.fault or converted.code,
                    place=_place(ref),
                    unless_null=(value,),
                    balance=balance,
                )
                for ref in refs
                if ref.judged
            ]
        if not spared and self._must_be_there(spec, refs, converted):
            absent = _all(here, refs[0].expr.is_null())
            column = refs[0].column
            rules.append(Rule(condition=absent, code=MISSING, place=_place(refs[0]), unless_null=(value, column)))
        return tuple(rules)

    @staticmethod
    def _must_be_there(spec: Conversion, refs: list[Ref], converted: Converted) -> bool:
        if len(refs) > 1 or not refs[0].judged:
            return False
        return converted.needed if spec.missing is None else spec.missing == "fault"

    def _item(
        self,
        name: str,
        value: pl.Expr,
        text: str,
        *,
        dtype: pl.DataType | None,
        texts: tuple[str, ...] = (),
        direct: Direct | None = None,
    ) -> Item:
        return Item(
            name=name,
            column=value.alias(f"={name}"),
            needs=frozenset(ref.computed for ref in self._refs if ref.computed is not None),
            text=text,
            places=places(self._refs),
            dtype=dtype,
            texts=texts,
            direct=direct,
        )


def _constant(one: pl.Series, columns: Sequence[pl.Series]) -> pl.Series:
    return one.new_from_index(0, len(columns[0]))


def _one_by_one(refs: Sequence[Ref], converted: Converted, default: Constant | None) -> Direct | None:
    """How a few values are read without an expression; of several source fields each row has one."""
    if converted.one is None:
        return None
    return Direct(columns=tuple(ref.column for ref in refs), make=partial(_few, converted, default))


def _few(converted: Converted, default: Constant | None, columns: Sequence[pl.Series]) -> pl.Series:
    values = columns[0].to_list()
    if len(columns) > 1:
        rows = zip(*(column.to_list() for column in columns), strict=True)
        values = [next((value for value in row if value is not None), None) for row in rows]
    read = converted.few(values)
    if default is not None:
        nulls = read if converted.code is None else values
        read = [default if null is None else value for null, value in zip(nulls, read, strict=True)]
    return pl.Series(read, dtype=converted.dtype)


def _once_a_run(ref: Ref, converted: Converted) -> Direct:
    return Direct(columns=(ref.column,), make=partial(_converted_apart, converted), once_a_run=True)


def _converted_apart(converted: Converted, columns: Sequence[pl.Series]) -> pl.Series:
    values = columns[0]
    if len(values) <= FEW:
        return _few(converted, None, columns)
    return values.to_frame().select_seq(converted.value).to_series()


def _first(reader: Reader, columns: Sequence[pl.Series]) -> pl.Series:
    return reader(columns[0])


def _read(source: pl.Expr, reader: Reader, dtype: pl.DataType) -> pl.Expr:
    return pl.map_batches([source], partial(_first, reader), return_dtype=dtype)


def _with_default(source: pl.Expr, converted: Converted, default: Constant | None) -> pl.Expr:
    """A default stands for what is absent, never for what could not be read."""
    if default is None:
        return converted.value
    literal = pl.lit(default, dtype=_dtype_of(default))
    if converted.code is None:
        return converted.value.fill_null(literal)
    return pl.when(source.is_null()).then(literal).otherwise(converted.value)


def _all(*conditions: pl.Expr | None) -> pl.Expr:
    return pl.all_horizontal([condition for condition in conditions if condition is not None])


def _place(ref: Ref) -> Place:
    if ref.place is None:
        raise ConfigurationError(f"{ref.column} is no source field")
    return ref.place


def _dtype_of(value: object) -> pl.DataType:
    if isinstance(value, bool):
        return pl.Boolean()
    return pl.Int64() if isinstance(value, int) else pl.String()
