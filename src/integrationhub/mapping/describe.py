"""Spec entries in words, for `trace`, `mapping explain` and the generated documentation."""

from integrationhub.mapping.conversions import Environment
from integrationhub.mapping.spec import Conversion, FieldSpec


def describe(spec: Conversion, environment: Environment) -> str:
    """The expression of a field as one line, e.g. `date(P-BIRTH, rule display: ccyymmdd)`."""
    how = _way(spec, environment) if isinstance(spec, FieldSpec) else _reading(spec, environment, ())
    if spec.when is not None:
        how += f" where {_one_line(spec.when)}"
    if isinstance(spec, FieldSpec) and spec.default is not None:
        how += f" else {spec.default!r}"
    return how


def _way(spec: FieldSpec, environment: Environment) -> str:
    if spec.origin is not None:
        return _reading(spec, environment, spec.origin)
    if spec.sql is not None:
        return _one_line(spec.sql)
    if spec.id is not None:
        return f"identifier({', '.join(spec.id)})"
    if spec.context is not None:
        return f"{spec.context} of the delivery"
    return repr(spec.value)


def _reading(spec: Conversion, environment: Environment, origin: tuple[str, ...]) -> str:
    parts = [" or ".join(origin)] if origin else []
    if spec.rule is not None:
        rule = environment.dates.get(spec.rule)
        parts.append(f"rule {spec.rule}" + (f": {rule.format}" if rule else ""))
    if spec.codes is not None:
        parts.append(f"list {spec.codes}")
    if spec.length is not None:
        parts.append(f"{spec.length} digits")
    if spec.empty:
        parts.append(f"empty {_listed(map(str, spec.empty))}")
    if spec.yes or spec.no:
        parts.append(f"true {_listed(spec.yes)}, false {_listed(spec.no)}")
    return f"{spec.conversion}({', '.join(parts)})"


def _listed(values: "tuple[str, ...] | map[str]") -> str:
    return "/".join(value or "blank" for value in values)


def _one_line(text: str) -> str:
    return " ".join(text.split())
