"""SQL expressions of mapping specs: parsed, held against a list of what is allowed, turned into Polars expressions.

Allowed is what gives the same result for the same row anywhere: comparisons, three-valued logic, whole-number
arithmetic (no division, no fractions: money is integer pence), CASE, COALESCE, NULLIF, text functions, and
`LAG(x) OVER (PARTITION BY …)` for the row before in file order. Names are quoted as `"L-KIND"` or `[L-KIND]`.
Everything else is refused, so a spec can't read a file or table, call an extension, ask the clock or roll dice.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import reduce
from typing import ClassVar, cast

import polars as pl
import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Tokenizer as BaseTokenizer

from integrationhub.errors import ConfigurationError

Resolve = Callable[[str], pl.Expr]
"""What a name in the SQL stands for."""

MAX_DEPTH = 100
LONGEST = 1_000
"""Characters that a text may be filled up to: one short expression must not fill the memory."""
FEW = 4
_LARGEST = 2**63 - 1


class _MappingSql(Dialect):
    """Standard SQL in which a name may also stand in square brackets, as hyphenated record fields need quotes."""

    class Tokenizer(BaseTokenizer):
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ['"', ("[", "]")]


def parse(text: str) -> exp.Expression:
    """The one expression in `text`. ConfigurationError where it isn't SQL, or holds something that isn't allowed."""
    try:
        trees = sqlglot.parse(text, dialect=_MappingSql)
    except (SqlglotError, RecursionError) as exc:
        reason = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise ConfigurationError(f"this is no SQL expression: {reason}", code="SQL_INVALID") from exc
    if len(trees) != 1 or trees[0] is None:
        raise ConfigurationError("one SQL expression is expected", code="SQL_INVALID")
    tree = cast("exp.Expression", trees[0])
    if _depth(tree) > MAX_DEPTH:
        raise ConfigurationError("the SQL expression is nested too deeply", code="SQL_INVALID")
    translate(tree, pl.col)  # refuses what is not allowed
    return tree


def names(tree: exp.Expression) -> tuple[str, ...]:
    """The names in an expression, each once, in order; a table's alias stands before a dot."""
    found = (_name(column) for column in tree.find_all(exp.Column, bfs=False))
    return tuple(dict.fromkeys(found))


def text_results(tree: exp.Expression) -> Iterator[str]:
    """The text constants that an expression can give as its value."""
    if isinstance(tree, exp.Literal) and tree.is_string:
        yield tree.this
    elif isinstance(tree, exp.Paren):
        yield from text_results(tree.this)
    elif isinstance(tree, exp.Coalesce):
        for part in (tree.this, *tree.expressions):
            yield from text_results(part)
    elif isinstance(tree, exp.Case):
        for branch in tree.args["ifs"]:
            yield from text_results(branch.args["true"])
        if tree.args.get("default"):
            yield from text_results(tree.args["default"])


def translate(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    """The expression as a Polars one. ConfigurationError names the first thing that is not allowed."""
    rule = _RULES.get(type(tree))
    if rule is None:
        raise _refused(tree)
    return rule(tree, resolve)


def _depth(tree: exp.Expression) -> int:
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting += [(child, level + 1) for child in node.iter_expressions()]
    return deepest


def _refused(tree: exp.Expression, why: str = "is not allowed in a mapping") -> ConfigurationError:
    name = tree.this if isinstance(tree, exp.Anonymous) else tree.sql_name() if isinstance(tree, exp.Func) else tree.key
    return ConfigurationError(f"{str(name).upper()} {why}", code="SQL_NOT_ALLOWED")


def _only(tree: exp.Expression, *parts: str) -> None:
    """Refuse an argument that the rule for this node does not look at: it would be silently ignored."""
    extra = [name for name, value in tree.args.items() if value and name not in parts]
    if extra:
        raise _refused(tree, f"does not take {', '.join(sorted(extra))} in a mapping")


def _name(column: exp.Expression) -> str:
    if not isinstance(column, exp.Column) or not isinstance(column.this, exp.Identifier):
        raise _refused(column)
    _only(column, "this", "table")
    if column.name == "*" or column.name.startswith("^"):
        raise _refused(column, "is one field, not a pattern")
    return f"{column.table}.{column.name}" if column.table else column.name


def _column(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    return resolve(_name(tree))


def _literal(tree: exp.Expression, _resolve: Resolve) -> pl.Expr:
    literal = cast("exp.Literal", tree)
    if literal.is_string:
        return pl.lit(str(literal.this), dtype=pl.String)
    return pl.lit(_whole_number(literal), dtype=pl.Int64)


def _whole_number(tree: exp.Expression | None) -> int:
    if not isinstance(tree, exp.Literal) or tree.is_string or not str(tree.this).isascii() or not tree.this.isdecimal():
        raise ConfigurationError("only whole numbers are exact: write pence, no fractions", code="SQL_NOT_ALLOWED")
    if int(tree.this) > _LARGEST:
        raise ConfigurationError("a whole number has 64 bits at most", code="SQL_NOT_ALLOWED")
    return int(tree.this)


def _boolean(tree: exp.Expression, _resolve: Resolve) -> pl.Expr:
    return pl.lit(bool(tree.this))


def _null(_tree: exp.Expression, _resolve: Resolve) -> pl.Expr:
    return pl.lit(None)


def _inner(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    return translate(tree.this, resolve)


def _binary(apply: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> "Rule":
    def rule(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
        return apply(translate(tree.this, resolve), translate(tree.args["expression"], resolve))

    return rule


def _unary(apply: Callable[[pl.Expr], pl.Expr]) -> "Rule":
    def rule(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
        _only(tree, "this")
        return apply(translate(tree.this, resolve))

    return rule


def _is(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    value, other = translate(tree.this, resolve), tree.args["expression"]
    if isinstance(other, exp.Null):
        return value.is_null()
    if isinstance(other, exp.Boolean):
        return value.eq_missing(pl.lit(bool(other.this)))
    raise _refused(tree, "takes NULL, TRUE or FALSE only")


def _in(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    _only(tree, "this", "expressions")
    value = translate(tree.this, resolve)
    choices = [translate(choice, resolve) for choice in tree.expressions]
    if not choices or not all(isinstance(choice, exp.Literal) for choice in tree.expressions):
        raise _refused(tree, "takes a list of constants only")
    if len({choice.is_string for choice in tree.expressions}) > 1:
        raise _refused(tree, "takes texts or numbers, not both")
    if len(choices) <= FEW:
        return reduce(operator.or_, (value == choice for choice in choices))
    texts = [choice.this if choice.is_string else _whole_number(choice) for choice in tree.expressions]
    return value.is_in(texts)


def _between(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    _only(tree, "this", "low", "high")
    value = translate(tree.this, resolve)
    return (value >= translate(tree.args["low"], resolve)) & (value <= translate(tree.args["high"], resolve))


def _case(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    subject = translate(tree.this, resolve) if tree.this else None
    chain: pl.Expr = pl.lit(None)
    if tree.args.get("default"):
        chain = translate(tree.args["default"], resolve)
    for branch in reversed(tree.args["ifs"]):
        test = translate(branch.this, resolve)
        met = test if subject is None else subject == test
        chain = pl.when(met).then(translate(branch.args["true"], resolve)).otherwise(chain)
    return chain


def _several(apply: Callable[[list[pl.Expr]], pl.Expr]) -> "Rule":
    def rule(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
        return apply([translate(part, resolve) for part in (tree.this, *tree.expressions)])

    return rule


def _nullif(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    value, other = translate(tree.this, resolve), translate(tree.args["expression"], resolve)
    return pl.when((value == other).fill_null(value=False)).then(None).otherwise(value)


def _cast(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    _only(tree, "this", "to")
    target = tree.args["to"].sql().upper()
    if target in {"TEXT", "VARCHAR"}:
        return translate(tree.this, resolve).cast(pl.String)
    if target == "DATE" and isinstance(tree.this, exp.Literal):
        return pl.lit(_iso_date(tree.this.this))
    raise _refused(tree, "makes text only: a cast hides bad values, a conversion (`as`) reports them")


def _iso_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("a DATE constant is written 'ccyy-mm-dd'", code="SQL_INVALID") from None


def _substring(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    _only(tree, "this", "start", "length")
    start = _whole_number(tree.args.get("start"))
    length = tree.args.get("length")
    if start < 1:
        raise _refused(tree, "counts from 1")
    return translate(tree.this, resolve).str.slice(start - 1, None if length is None else _whole_number(length))


def _left(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    return translate(tree.this, resolve).str.head(_whole_number(tree.args["expression"]))


def _right(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    return translate(tree.this, resolve).str.tail(_whole_number(tree.args["expression"]))


def _pad(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    fill = tree.args.get("fill_pattern")
    if not tree.args.get("is_left") or not isinstance(fill, exp.Literal) or len(str(fill.this)) != 1:
        raise _refused(tree, "is LPAD with one fill character only")
    size = _whole_number(tree.args["expression"])
    if size > LONGEST:
        raise _refused(tree, f"fills up to {LONGEST} characters at most")
    return translate(tree.this, resolve).str.pad_start(size, str(fill.this))


def _window(tree: exp.Expression, resolve: Resolve) -> pl.Expr:
    _only(tree, "this", "partition_by", "over")
    partition = [translate(part, resolve) for part in tree.args.get("partition_by") or ()]
    if not isinstance(tree.this, exp.Lag) or not partition:
        raise _refused(tree, "is LAG(x) OVER (PARTITION BY …) only; rows are in file order")
    _only(tree.this, "this")
    return translate(tree.this.this, resolve).shift(1).over(partition)


Rule = Callable[[exp.Expression, Resolve], pl.Expr]

_RULES: Mapping[type[exp.Expression], Rule] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Paren: _inner,
    exp.Neg: _unary(operator.neg),
    exp.Not: _unary(operator.invert),
    exp.And: _binary(operator.and_),
    exp.Or: _binary(operator.or_),
    exp.EQ: _binary(operator.eq),
    exp.NEQ: _binary(operator.ne),
    exp.LT: _binary(operator.lt),
    exp.LTE: _binary(operator.le),
    exp.GT: _binary(operator.gt),
    exp.GTE: _binary(operator.ge),
    exp.Add: _binary(operator.add),
    exp.Sub: _binary(operator.sub),
    exp.Mul: _binary(operator.mul),
    exp.Mod: _binary(operator.mod),
    exp.DPipe: _binary(lambda left, right: pl.concat_str([left, right])),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Case: _case,
    exp.Coalesce: _several(pl.coalesce),
    exp.Greatest: _several(pl.max_horizontal),
    exp.Least: _several(pl.min_horizontal),
    exp.Nullif: _nullif,
    exp.Cast: _cast,
    exp.Abs: _unary(lambda value: value.abs()),
    exp.Upper: _unary(lambda value: value.str.to_uppercase()),
    exp.Lower: _unary(lambda value: value.str.to_lowercase()),
    exp.Trim: _unary(lambda value: value.str.strip_chars(" ")),
    exp.Length: _unary(lambda value: value.str.len_chars()),
    exp.Left: _left,
    exp.Right: _right,
    exp.Substring: _substring,
    exp.Pad: _pad,
    exp.Window: _window,
}
"""Everything that is allowed, each with its translation."""
