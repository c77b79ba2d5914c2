"""One let, canonical field or validation as column expressions: value, mark, fault rules, and what they read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
from sqlglot import exp

from integrationhub.canonical.identifiers import derive_column
from integrationhub.errors import ConfigurationError
from integrationhub.mapping import sql
from integrationhub.mapping.conversions import Converted, Environment, convert
from integrationhub.mapping.describe import describe
from integrationhub.mapping.faults import MISSING, Rule
from integrationhub.mapping.scope import Place, Ref, Scope, places
from integrationhub.mapping.spec import CheckSpec, Constant, Conversion, FieldSpec, ValidateSpec

MARK = "_mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A working column and its mark. `needs` names the computed values that must stand before them.

    `dtype` is None where only a run can tell (SQL). `texts` are constants that a CODE field could get.
    """

    name: str
    column: pl.Expr
    needs: frozenset[str]
    text: str
    mark: pl.Expr | None = None  # why a date is empty; null in rows that have one
    rules: tuple[Rule, ...] = ()
    places: tuple[Place, ...] = ()
    dtype: pl.DataType | None = None
    texts: tuple[str, ...] = ()

    @property
    def marked(self) -> bool:
        """Whether it has a mark."""
        return self.mark is not None


@dataclass(slots=True)
class Compiler:
    """Makes items of one source: a scope for names, an environment for conversions."""

    scope: Scope
    environment: Environment
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
        value = self._otherwise(self._where(spec.when, value), spec.default)
        return self._item(name, value, text, dtype=dtype, texts=texts)

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
        columns = [self._name(name) for name in names]
        return derive_column([pl.lit(kind), pl.lit(system), *columns])

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
        default = spec.default if isinstance(spec, FieldSpec) else None
        value = self._where(spec.when, _with_default(source, converted, default))
        mark = None if converted.mark is None else self._where(spec.when, converted.mark)
        rules = self._faults(name, spec, refs, converted, spared=default is not None)
        return self._item(name, value, text, rules=rules, dtype=converted.dtype, mark=mark)

    def _faults(
        self, name: str, spec: Conversion, refs: list[Ref], converted: Converted, *, spared: bool
    ) -> tuple[Rule, ...]:
        value, mark = f"={name}", f"={name}{MARK}" if converted.mark is not None else None
        here = None if spec.when is None else self.condition(spec.when)
        rules = []
        if converted.code is not None:
            bad = pl.col(value).is_null() if converted.bad is None else converted.bad
            bad = bad if mark is None else bad & pl.col(mark).is_null()
            plain = here is None and len(refs) == 1 and not spared
            balance = (refs[0].column, value, mark) if plain else None
            rules += [
                Rule(
                    condition=_all(here, ref.expr.is_not_null(), bad),
                    code=converted.code,
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
        rules: tuple[Rule, ...] = (),
        dtype: pl.DataType | None,
        mark: pl.Expr | None = None,
        texts: tuple[str, ...] = (),
    ) -> Item:
        return Item(
            name=name,
            column=value.alias(f"={name}"),
            mark=None if mark is None else mark.alias(f"={name}{MARK}"),
            needs=frozenset(ref.computed for ref in self._refs if ref.computed is not None),
            text=text,
            rules=rules,
            places=places(self._refs),
            dtype=dtype,
            texts=texts,
        )


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
