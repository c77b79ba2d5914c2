"""Trees of columns to JSON, one text a record.

Numbers are written as their decimal digits. Values are made text a column at a time, objects by one format string a
group; only children that hang below another record are put in record by record.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from integrationhub.decode.arrow import Array
from integrationhub.decode.nested import FieldFault, Group, Leaf, NestedBatch, Node, Part, Table
from integrationhub.decode.values import scaled

NULL = "null"
PLAIN_DIGITS = 5


@dataclass(slots=True)
class JsonWriter:
    """Writes batches as JSON objects; `parents` and `children` are segments, see `Tree`."""

    parents: Collection[str] = ()
    children: Collection[str] = ()
    captured: dict[str, list[str]] = field(default_factory=dict)

    def objects(self, batch: NestedBatch) -> list[str]:
        """The text of every record, its place and length first, what can't be read last."""
        self.captured = {name: [""] * len(batch) for name in self.children}
        places = zip(
            range(batch.first_record, batch.first_record + len(batch)),
            batch.offsets.tolist(),
            batch.lengths.tolist(),
            strict=True,
        )
        texts = [f'{{"_record":{record},"_offset":{offset},"_length":{length}' for record, offset, length in places]
        for part in batch.parts:
            inside = self._inside(part)
            for place, record in enumerate(part.records.tolist()):
                errors = f',"_errors":{error_list(part.faults[record])}' if record in part.faults else ""
                texts[record] += inside[place] + errors + "}"
                for objects in self.captured.values() if errors else ():
                    objects[record] = f"{objects[record][:-1]}{errors}}}"
        return texts

    def _inside(self, part: Part) -> list[str]:
        """The members of every record of a part, a comma in front of each."""
        rows = len(part.records)
        texts = [""] * rows
        for level in part.levels:
            members = self.members(level, rows, leading=True)
            mark = mark_of(level.item.name) if level.item.name in self.parents else ""
            if level.item.name in self.captured:
                for place, record in enumerate(part.records.tolist()):
                    self.captured[level.item.name][record] = f"{{{members[place][1:]}{mark}}}"
            texts = [text + member + mark for text, member in zip(texts, members, strict=True)]
        for level in part.levels:
            self._capture(level, part)
        return texts

    def _capture(self, group: Group, part: Part) -> None:
        """Note the objects of child segments, which stand at fixed places of the record."""
        for member in group.members:
            if not isinstance(member, Group):
                continue
            if member.item.name in self.captured:
                objects = self.values(member, len(part.records))
                for place, record in enumerate(part.records.tolist()):
                    self.captured[member.item.name][record] = objects[place]
            self._capture(member, part)

    def members(self, group: Group, rows: int, *, leading: bool = False) -> list[str]:
        """`"NAME":value` of all members of every row, joined by commas; those not present left out."""
        if not group.members:
            return [""] * rows
        columns = [self.values(member, rows) for member in group.members]
        if all(member.present is None for member in group.members):
            template = ("," if leading else "") + ",".join(f"{_key(member)}%s" for member in group.members)
            return [template % row for row in zip(*columns, strict=True)]
        shown = [_shown(member, column) for member, column in zip(group.members, columns, strict=True)]
        joined = [",".join(filter(None, row)) for row in zip(*shown, strict=True)]
        return [f",{text}" if text else "" for text in joined] if leading else joined

    def values(self, node: Node, rows: int) -> list[str]:
        """The JSON of a node in every row."""
        if isinstance(node, Leaf):
            return leaf_values(node.values, node)
        if isinstance(node, Group):
            mark = mark_of(node.item.name) if node.item.name in self.parents else ""
            return [f"{{{text}{mark}}}" for text in self.members(node, rows)]
        return self._lists(node)

    def _lists(self, table: Table) -> list[str]:
        bounds = table.offsets.tolist()
        elements = self.values(table.element, bounds[-1])
        return [f"[{','.join(elements[low:high])}]" for low, high in pairwise(bounds)]


def _key(member: Node) -> str:
    return (encode_basestring(member.label) + ":").replace("%", "%%")


def _shown(member: Node, column: Sequence[str]) -> list[str]:
    key = encode_basestring(member.label)
    if member.present is None:
        return [f"{key}:{value}" for value in column]
    return [f"{key}:{value}" if there else "" for value, there in zip(column, member.present.tolist(), strict=True)]


def leaf_values(values: Array, leaf: Leaf) -> list[str]:
    """The JSON of an elementary item in every row."""
    if pa.types.is_string(values.type):
        return [NULL if text is None else encode_basestring(text) for text in values.to_pylist()]
    if pa.types.is_floating(values.type):
        return [NULL if value is None or not math.isfinite(value) else repr(value) for value in values.to_pylist()]
    numbers: Any = pc.cast(scaled(values, leaf.item), pa.string())
    texts: list[str] = pc.fill_null(numbers, NULL).to_pylist()
    if leaf.item.scale > PLAIN_DIGITS:  # from there on Arrow writes small numbers with an exponent
        return [format(Decimal(text), "f") if "E" in text else text for text in texts]
    return texts


def error_list(faults: Sequence[FieldFault]) -> str:
    """The faults of a record as JSON; an element of a table has its occurrence numbers, from 1, as `index`."""
    return json.dumps([error(fault) for fault in faults], ensure_ascii=False, separators=(",", ":"))


def error(fault: FieldFault) -> dict[str, object]:
    """One fault in the shape of INTERFACE's `_errors`."""
    row: dict[str, object] = {"field": fault.field, "code": fault.code, "hex": fault.hex}
    return row | ({"index": list(fault.index)} if fault.index else {})


def mark_of(segment: str) -> str:
    """What stands in a parent's text where its children go: no JSON text has such a character in it."""
    return f"\0{segment}\0"


@dataclass(slots=True)
class _Instance:
    """A record of some segment, with the records below it by segment."""

    segment: str
    text: str
    below: dict[str, "list[_Instance]"]


class Tree:
    """Hangs records below those they belong to: each child below the last parent in front of it."""

    def __init__(self, parents: Mapping[str, str]) -> None:
        self._parents = parents
        self._children: dict[str, list[str]] = {}
        for child, parent in parents.items():
            self._children.setdefault(parent, []).append(child)
        self._waiting: list[_Instance] = []
        self._open: dict[str, _Instance] = {}

    @property
    def parents(self) -> Collection[str]:
        """Segments that have others below them."""
        return self._children

    @property
    def children(self) -> Collection[str]:
        """Segments that stand below another."""
        return self._parents

    def add(self, segment: str | None, whole: str, captured: str) -> Iterator[str]:
        """Take the next record; gives the lines that are complete. A child without a parent is a line of its own."""
        parent = self._parents.get(segment or "")
        above = self._open.get(parent or "")
        if segment is not None and above is not None:
            instance = self._instance(segment, captured)
            above.below[segment].append(instance)
            self._enter(instance)
            return
        instance = self._instance(segment or "", whole)
        if segment is not None:
            yield from self.rest()
            self._open = {segment: instance}
        self._waiting.append(instance)
        if segment is None and not self._open:
            yield from self.rest()

    def skip(self, segment: str | None) -> None:
        """Pass over a record that is left out, and over what stands below it."""
        if segment is not None:
            self._enter(self._instance(segment, ""))

    def _enter(self, instance: _Instance) -> None:
        """Records from now on hang below this one; those below its predecessor are closed."""
        closing = list(self._children.get(instance.segment, ()))
        while closing:
            name = closing.pop()
            self._open.pop(name, None)
            closing += self._children.get(name, ())
        self._open[instance.segment] = instance

    def _instance(self, segment: str, text: str) -> _Instance:
        return _Instance(segment, text, {name: [] for name in self._children.get(segment, ())})

    def rest(self) -> Iterator[str]:
        """The lines that are left."""
        waiting, self._waiting = self._waiting, []
        return (self._text(instance) for instance in waiting)

    def _text(self, instance: _Instance) -> str:
        text = instance.text
        for parent in self._children:
            lists = ",".join(
                f"{encode_basestring(name)}:[{','.join(map(self._text, rows))}]"
                for name, rows in instance.below.items()
            )
            mark = mark_of(parent)
            if parent != instance.segment:
                lists = ""
            before = text.partition(mark)[0][-1:]
            text = text.replace(mark, f",{lists}" if lists and before != "{" else lists)
        return text
