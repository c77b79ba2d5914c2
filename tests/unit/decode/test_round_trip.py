"""Random layouts and data: what is encoded reads back as it was."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.decode.copybook import Item, parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.encode import RecordEncoder

LETTERS = "ABCXYZ abcxyz0123456789£€éöß#'-"


@dataclass(frozen=True)
class Shape:
    """Copybook lines of an item, and the values it may have."""

    lines: list[str]
    values: st.SearchStrategy[dict[str, Any]]


def keyed(name: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {name: value})


def texts(size: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=LETTERS, max_size=size).map(lambda text: text.rstrip(" "))


def integers(digits: int, *, signed: bool) -> st.SearchStrategy[int]:
    most = 10**digits - 1
    return st.integers(-most if signed else 0, most)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, st.SearchStrategy[int]]:
    usage = draw(st.sampled_from(["", "COMP", "COMP-3", "COMP-5", "COMP-6", "LEADING", "SEPARATE", "LEADING SEPARATE"]))
    binary = usage in {"COMP", "COMP-5"}
    digits = draw(st.integers(1, 18 if binary else 31))
    fraction = draw(st.integers(0, min(digits, 4)))
    signed = usage in {"LEADING", "SEPARATE", "LEADING SEPARATE"} or (usage != "COMP-6" and draw(st.booleans()))
    point = f"V9({fraction})" if fraction else ""
    whole = f"9({digits - fraction})" if digits > fraction else ""
    clause = {"SEPARATE": "SIGN TRAILING SEPARATE", "LEADING": "SIGN LEADING"}.get(usage, usage)
    if usage == "LEADING SEPARATE":
        clause = "SIGN IS LEADING SEPARATE CHARACTER"
    return f"PIC {'S' if signed else ''}{whole}{point} {clause}", integers(digits, signed=signed)


@st.composite
def elementary(draw: st.DrawFn, name: str) -> Shape:
    if draw(st.booleans()):
        size = draw(st.integers(1, 40))
        return Shape([f"{name} PIC X({size})."], keyed(name, texts(size)))
    clause, values = draw(numbers())
    return Shape([f"{name} {clause}."], keyed(name, values))


def merged(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


@st.composite
def groups(draw: st.DrawFn, prefix: str, depth: int) -> Shape:
    """A few items: fields, fillers, groups, tables of fixed and of varying size, characters."""
    lines: list[str] = []
    values: list[st.SearchStrategy[dict[str, Any]]] = []
    for place in range(draw(st.integers(1, 4))):
        name = f"{prefix}{place}"
        kind = draw(st.sampled_from(["field", "field", "filler", "group", "fixed", "odo", "characters"]))
        if kind == "filler":
            lines.append("FILLER PIC X(3).")
        elif kind == "field" or depth == 0:
            shape = draw(elementary(name))
            lines += shape.lines
            values.append(shape.values)
        elif kind == "characters":
            lines += [f"{name}N PIC 9(2) COMP.", f"{name} PIC X OCCURS 0 TO 9 DEPENDING ON {name}N."]
            values.append(keyed(name, texts(9)))
        else:
            inner = draw(groups(f"{name}-", depth - 1))
            lines_of, values_of = TABLES[kind](name, inner)
            lines += lines_of
            values.append(values_of)
    return Shape(lines, merged(*values) if values else st.just({}))


def group(name: str, inner: Shape) -> tuple[list[str], st.SearchStrategy[dict[str, Any]]]:
    return [f"{name}.", *nested(inner)], inner.values


def fixed(name: str, inner: Shape) -> tuple[list[str], st.SearchStrategy[dict[str, Any]]]:
    rows = st.lists(inner.values, min_size=2, max_size=2)
    return [f"{name} OCCURS 2 TIMES.", *nested(inner)], keyed(name, rows)


def odo(name: str, inner: Shape) -> tuple[list[str], st.SearchStrategy[dict[str, Any]]]:
    rows = st.lists(inner.values, max_size=3)
    return [
        f"{name}N PIC S9(3) COMP-3.",
        f"{name} OCCURS 0 TO 3 TIMES DEPENDING ON {name}N.",
        *nested(inner),
    ], keyed(name, rows)


TABLES: dict[str, Callable[[str, Shape], tuple[list[str], st.SearchStrategy[dict[str, Any]]]]] = {
    "group": group,
    "fixed": fixed,
    "odo": odo,
}


def nested(inner: Shape) -> list[str]:
    return [f"  {line}" for line in inner.lines] or ["  FILLER PIC X."]


def copybook_text(lines: list[str]) -> str:
    return "".join(
        f"           {5 * (1 + (len(line) - len(line.lstrip())) // 2):02d} {line.strip()}\n" for line in lines
    )


def rows_of(tables: dict[str, pa.Table], name: str) -> list[dict[str, Any]]:
    return list(tables[name].to_pylist())


def nest(tables: dict[str, pa.Table], parents: dict[str, str | None], name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row with the rows of the tables below it, as the encoder takes them."""
    found = {key: value for key, value in row.items() if not key.startswith("_")}
    place = tuple(row[key] for key in INDEXES if key in row)
    for child, parent in parents.items():
        if parent == name:
            below = [
                kid
                for kid in rows_of(tables, child)
                if kid["_record"] == row["_record"] and tuple(kid[key] for key in INDEXES if key in kid)[1:] == place
            ]
            found[child] = [nest(tables, parents, child, kid) for kid in below]
    return found


INDEXES = ("_index", "_parent_index", "_parent_index_2", "_parent_index_3")


def plain(values: object) -> object:
    """Values without the counts, numbers as integers."""
    if isinstance(values, list):
        return [plain(value) for value in values]
    if isinstance(values, dict):
        return {key: plain(value) for key, value in values.items() if not key.endswith("N")}
    return int(values) if isinstance(values, int | Decimal) else values


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_random_records_of_random_layouts_read_back_as_they_were_written(data: st.DataObject) -> None:
    shape = data.draw(groups("F", 2))
    text = "       01  R.\n           05 FIRST-BYTE PIC X.\n" + copybook_text(shape.lines)
    copybook = parse_copybook(text)
    records = data.draw(st.lists(shape.values, min_size=1, max_size=5))
    bodies = [RecordEncoder(copybook).encode("R", values) for values in records]
    buffer = np.frombuffer(b"".join(bodies), np.uint8)
    lengths = np.array([len(body) for body in bodies])
    decoder = RecordDecoder(copybook, signs="strict", blanks="fault")
    starts = np.cumsum(lengths) - lengths
    assert decoder.length_check(buffer, starts, lengths).holds
    batch = decoder.decode(buffer, starts, lengths)
    assert not len(batch.faults)
    parents = {
        table: next((item.name for item in copybook.records[0].walk() if item.occurs and table in below_of(item)), "R")
        for table in decoder.table_names[1:]
    }
    found = [nest(dict(batch.tables), dict(parents), "R", row) for row in rows_of(dict(batch.tables), "R")]
    assert plain(found) == plain([{"FIRST-BYTE": "", **values} for values in records])


def below_of(item: Item) -> set[str]:
    """The tables directly below a table."""
    found: set[str] = set()
    for child in item.children:
        if child.occurs:
            found.add(child.name)
        else:
            found |= below_of(child)
    return found
