"""Conditions and expressions that say less than they seem to: never true, always true, parts that nothing reaches."""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

from integrationhub.mapping import sql

CanBe = Callable[[str, str], bool]
"""Whether the field of this name could hold this constant."""


def truth(text: str, constants: Mapping[str, object]) -> bool | None:
    """True or False where a condition is always or never met (or unknown), None where it depends on the row.

    `constants` are names whose value is the same in every row.
    """
    tree = _with_constants(sql.parse(text), constants)
    done = simplify(tree.copy())
    if isinstance(done, exp.Boolean):
        return bool(done.this)
    return False if isinstance(done, exp.Null) or _contradicts_itself(tree) else None


def _contradicts_itself(tree: exp.Expression) -> bool:
    """Whether conditions that must hold together leave a name no constant that it could be."""
    allowed: dict[str, set[str]] = {}
    refused: dict[str, set[str]] = {}
    for part in _conjuncts(tree):
        if not isinstance(part, exp.EQ | exp.NEQ | exp.In) or not isinstance(part.this, exp.Column):
            continue
        values = part.expressions if isinstance(part, exp.In) else [part.args["expression"]]
        if all(isinstance(value, exp.Literal) for value in values):
            name, texts = sql.names(part.this)[0], {str(value.this) for value in values}
            if isinstance(part, exp.NEQ):
                refused.setdefault(name, set()).update(texts)
            else:
                allowed[name] = allowed.get(name, texts) & texts
    return any(not texts - refused.get(name, set()) for name, texts in allowed.items())


def _conjuncts(tree: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(tree, exp.Paren):
        yield from _conjuncts(tree.this)
    elif isinstance(tree, exp.And):
        yield from _conjuncts(tree.this)
        yield from _conjuncts(tree.args["expression"])
    else:
        yield tree


def impossible(text: str, can_be: CanBe) -> Iterator[str]:
    """Comparisons of a field with a constant that it can't hold: the field's name and the constant."""
    for tree in sql.parse(text).walk():
        if isinstance(tree, exp.EQ | exp.NEQ):
            yield from _impossible(tree.this, [tree.args["expression"]], can_be)
            yield from _impossible(tree.args["expression"], [tree.this], can_be)
        elif isinstance(tree, exp.In):
            yield from _impossible(tree.this, tree.expressions, can_be)
        elif isinstance(tree, exp.Case) and tree.this is not None:
            yield from _impossible(tree.this, [branch.this for branch in tree.args["ifs"]], can_be)


def _impossible(field: exp.Expression, values: list[exp.Expression], can_be: CanBe) -> Iterator[str]:
    if isinstance(field, exp.Column):
        name = sql.names(field)[0]
        for value in values:
            if isinstance(value, exp.Literal) and not can_be(name, str(value.this)):
                yield f"{name} is never {str(value.this)!r}"


def shadowed(text: str) -> Iterator[str]:
    """Branches and alternatives behind others that always come first."""
    for tree in sql.parse(text).walk():
        if isinstance(tree, exp.Case):
            yield from _shadowed_branches(tree)
        elif isinstance(tree, exp.Coalesce):
            parts = [tree.this, *tree.expressions]
            if any(isinstance(part, exp.Literal | exp.Boolean) for part in parts[:-1]):
                yield "COALESCE never gets past its constant"
            texts = [part.sql() for part in parts]
            if len(set(texts)) != len(texts):
                yield "COALESCE names the same value twice"
        elif isinstance(tree, exp.In):
            texts = [part.sql() for part in tree.expressions]
            if len(set(texts)) != len(texts):
                yield "IN names the same constant twice"


def _shadowed_branches(tree: exp.Case) -> Iterator[str]:
    seen: set[str] = set()
    for branch in tree.args["ifs"]:
        test = cast("exp.Expression", branch.this)
        if test.sql() in seen:
            yield f"CASE has a second branch WHEN {test.sql()}"
        seen.add(test.sql())
        if isinstance(test, exp.Boolean) and tree.this is None and test.this:
            yield "CASE never gets past WHEN TRUE"


def _with_constants(tree: exp.Expression, constants: Mapping[str, object]) -> exp.Expression:
    def replaced(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and not node.table and node.name in constants:
            return _literal(constants[node.name])
        return node

    return tree.copy().transform(replaced)


def _literal(value: object) -> exp.Expression:
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    return exp.Literal.number(value) if isinstance(value, int) else exp.Literal.string(str(value))
