"""`--where`: which items are meant, said in a few words. Parsed, never evaluated.

    connector=csa2003 code=SCHEMA_UNKNOWN older-than=2d field:Event.Receipt.@amount=number

Terms stand side by side and must all hold. `connector`, `code`, `kind`, `queue`, `label`, `owner` and `state` compare
whole values; without `state` OPEN items are meant. `older-than` and `newer-than` take a number with m, h or d.
`field:PATH` compares the shape of the values at a path of the body (quarantine.content); `absent` there: the body has
no such path. Of a body that can't be taken apart nobody knows its values: no such term holds.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from integrationhub.errors import ConfigurationError
from integrationhub.quarantine.content import WHOLE, has_shape, leaves
from integrationhub.store.quarantine import QuarantineFilter, QuarantineState

EQUAL = ("connector", "code", "kind", "queue", "label", "owner", "state")
_AGE = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_KEYS = {"older-than": "until", "newer-than": "since"}  # terms of time, and what the filter calls them
_FIELD = "field:"
ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldTerm:
    """A value at `path` has this shape."""

    path: str
    shape: str

    def holds(self, body: bytes) -> bool:
        """Whether any value there has the shape."""
        found = leaves(body)
        if [leaf.path for leaf in found] == [WHOLE]:
            return False
        there = [leaf.value for leaf in found if leaf.path == self.path]
        return not there if self.shape == ABSENT else any(has_shape(value, self.shape) for value in there)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicate:
    """A parsed `--where`: what the store can tell, and what only the bodies can."""

    chosen: QuarantineFilter
    fields: tuple[FieldTerm, ...] = ()

    def holds(self, body: Callable[[], bytes]) -> bool:
        """Whether the body fits; it is fetched only where the predicate looks into it."""
        if not self.fields:
            return True
        content = body()
        return all(term.holds(content) for term in self.fields)


def parse(text: str, *, now: datetime, state: QuarantineState = QuarantineState.OPEN) -> Predicate:
    """The predicate; `state` counts where it names none. ConfigurationError lists every fault."""
    faults: list[str] = []
    values: dict[str, object] = {}
    fields: list[FieldTerm] = []
    try:
        words = shlex.split(text)
    except ValueError:
        raise _faulty(["a quotation mark is not closed"]) from None
    if not words:
        faults.append("it names nothing; to mean every open item write state=OPEN")
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            faults.append(f"{name}: write it as name=value")
        elif name.startswith(_FIELD):
            fields.append(FieldTerm(path=name.removeprefix(_FIELD), shape=value))
        elif _KEYS.get(name, name) in values:
            faults.append(f"{name}: given twice")
        else:
            _take(name, value, now, values, faults)
    if faults:
        raise _faulty(faults)
    values.setdefault("state", state.value)
    return Predicate(chosen=replace(QuarantineFilter(), **values), fields=tuple(fields))  # type: ignore[arg-type]


def _take(name: str, value: str, now: datetime, values: dict[str, object], faults: list[str]) -> None:
    """Note one term, or what is wrong with it."""
    if name in EQUAL:
        values[name] = value.upper() if name in ("state", "kind") else value
        if name == "state" and values[name] not in set(QuarantineState):
            faults.append(f"state: one of {', '.join(QuarantineState)}")
    elif name in _KEYS:
        age = _AGE.fullmatch(value)
        if age is None:
            faults.append(f"{name}: a number with m, h or d, for example 2d")
        else:
            moment = now - timedelta(**{_UNITS[age[2]]: int(age[1])})
            values[_KEYS[name]] = moment
    else:
        faults.append(f"{name}: no such term; there are {', '.join(EQUAL)}, older-than, newer-than, field:PATH")


def _faulty(faults: list[str]) -> ConfigurationError:
    return ConfigurationError(
        "the predicate can't be understood",
        faults=faults,
        code="PREDICATE",
        remedy="for example: --where 'code=SCHEMA_UNKNOWN older-than=2d'",
    )
