"""Entries to the layout tree: levels nested, lengths and offsets worked out, references checked.

Storage sizes and boundaries: IBM Enterprise COBOL for z/OS Language Reference, "USAGE clause", "SYNCHRONIZED clause"
(slack bytes stand in front of the synchronized item, and behind every element of a table that holds one).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from integrationhub.decode.copybook.entries import Entry
from integrationhub.decode.copybook.faults import Faults
from integrationhub.decode.copybook.layout import Category, Copybook, Item, Picture, Rename, Sign, Usage
from integrationhub.decode.copybook.naming import column_keys

_FIXED_LENGTHS = {Usage.FLOAT: 4, Usage.DOUBLE: 8, Usage.INDEX: 4, Usage.POINTER: 4}
_BINARY = frozenset({Usage.BINARY, Usage.NATIVE})
_NUMBERS_ONLY = frozenset({*_BINARY, Usage.PACKED, Usage.PACKED_UNSIGNED})
_BINARY_SIZES = ((4, 2), (9, 4), (18, 8))
"""Halfword, word and doubleword; more digits, which IBM's compiler refuses, take as many bytes as their bits need."""
MOST_BYTES = 128 * 1024 * 1024


@dataclass(slots=True)
class _Node:
    """An entry with what stands below it."""

    entry: Entry
    children: "list[_Node]" = field(default_factory=list)
    conditions: list[Entry] = field(default_factory=list)
    renames: list[Entry] = field(default_factory=list)

    @property
    def level(self) -> int:
        return 1 if self.entry.level == 77 else self.entry.level  # noqa: PLR2004 - a 77 stands for itself, as an 01

    def walk(self) -> "Iterator[_Node]":
        yield self
        for child in self.children:
            yield from child.walk()


def build_copybook(name: str, entries: Sequence[Entry], faults: Faults) -> Copybook:
    """The tree of a copybook's entries; what is wrong goes to `faults`, and the tree is only good if nothing is."""
    constants = tuple((entry.name, entry.value or "") for entry in entries if entry.level == 78)  # noqa: PLR2004 - level of constants
    records, renames = [], []
    for root in _nest(name, entries, faults):
        if root.entry.occurs is not None:
            faults.add(root.entry.places["OCCURS"], "expected OCCURS below level 01 only")
        for node in root.walk():
            _check(node, faults)
        record = _Placing(faults).place(root, 0, ())
        _check_counts(record, root, faults)
        renames += [found for entry in root.renames if (found := _rename(record, entry, faults))]
        records.append(column_keys(record))
    return Copybook(name=name, records=tuple(records), constants=constants, renames=tuple(renames))


def _rename(record: Item, entry: Entry, faults: Faults) -> Rename | None:
    """The bytes that a level 66 stands for: its two names are items of the record in front of it, in that order."""
    ends = []
    for name in entry.renames or ():
        *groups, last = name.split(".")
        item = next((item for item in record.walk() if item.name == last and set(groups) <= set(item.path)), None)
        if item is None:
            faults.add(entry.places["RENAMES"], f"expected an item {name!r} in the record in front, found none")
            return None
        ends.append(item)
    first, last_item = ends
    length = last_item.offset + last_item.extent - first.offset
    if length < 1:
        faults.add(entry.places["RENAMES"], f"expected {last_item.name!r} behind {first.name!r}")
    return Rename(
        name=entry.name,
        record=record.name,
        first=first.name,
        last=last_item.name,
        offset=first.offset,
        length=length,
    )


def _nest(name: str, entries: Sequence[Entry], faults: Faults) -> list[_Node]:
    """The entries as trees; entries that start below level 01 get an 01 with the copybook's name."""
    roots: list[_Node] = []
    stack: list[_Node] = []
    for entry in entries:
        if entry.level == 88:  # noqa: PLR2004 - level of condition names
            _add_condition(entry, stack, faults)
        elif entry.level == 66:  # noqa: PLR2004 - level of renames
            _add_rename(entry, roots, faults)
        elif entry.level != 78:  # noqa: PLR2004 - level of constants
            node = _Node(entry)
            while stack and stack[-1].level >= node.level:
                stack.pop()
            if not stack and node.level > 1:
                stack.append(_Node(Entry(0, _record_name(name), entry.place)))
                roots.append(stack[0])
            _attach(node, stack, roots, faults)
            stack.append(node)
    return roots


def _attach(node: _Node, stack: list[_Node], roots: list[_Node], faults: Faults) -> None:
    """Put a node below the one it belongs to; items beside each other may differ in level, as IBM's compiler has it."""
    if not stack:
        roots.append(node)
        return
    parent = stack[-1]
    if parent.entry.picture is not None:
        faults.add(node.entry.place, f"expected level {parent.level:02d} or lower behind an item with PIC")
    parent.children.append(node)


def _add_condition(entry: Entry, stack: list[_Node], faults: Faults) -> None:
    if stack:
        stack[-1].conditions.append(entry)
    else:
        faults.add(entry.place, "expected a data item in front of level 88, found none")


def _add_rename(entry: Entry, roots: list[_Node], faults: Faults) -> None:
    if roots and entry.renames:
        roots[-1].renames.append(entry)
    else:
        faults.add(entry.place, "expected RENAMES and a record in front of level 66")


def _record_name(name: str) -> str:
    stem = name.rpartition("/")[2].partition(".")[0].upper()
    return stem if stem.replace("-", "").replace("_", "").isalnum() else "RECORD"


def _check(node: _Node, faults: Faults) -> None:
    _check_redefines(node, faults)
    entry = node.entry
    if not node.children and entry.usage not in _FIXED_LENGTHS and "PIC" not in entry.places:
        faults.add(entry.place, f"expected PIC on {entry.name}, which has nothing below it")


def _check_redefines(parent: _Node, faults: Faults) -> None:
    """REDEFINES names the item directly in front of it on the same level, or one that shares that item's bytes."""
    area: set[str] = set()
    for child in parent.children:
        target = child.entry.redefines
        if target is None:
            area = {child.entry.name}
        elif target in area:
            area.add(child.entry.name)
        else:
            faults.add(
                child.entry.places["REDEFINES"],
                f"expected the item directly in front to be redefined, found {target!r}",
            )


class _Placing:
    """Works out where everything of one record stands."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def place(
        self, node: _Node, offset: int, path: tuple[str, ...], usage: Usage | None = None, sign: Sign | None = None
    ) -> Item:
        """The item of a node whose first byte may stand at `offset`; USAGE and SIGN come down from its groups."""
        entry = node.entry
        usage, sign = entry.usage or usage, entry.sign or sign
        path = (*path, entry.name)
        start = _aligned(offset, _first_boundary(node, usage))
        item = Item(
            level=entry.level,
            name=entry.name,
            path=path,
            key=entry.name,
            written=entry.written or entry.name,
            offset=start,
            length=0,
            line=entry.place.line,
            column=entry.place.column,
            category=Category.GROUP,
            occurs=entry.occurs,
            redefines=entry.redefines,
            slack=start - offset,
            value=entry.value,
            conditions=tuple(condition.condition() for condition in node.conditions),
        )
        if not node.children:
            return self._elementary(item, entry, usage or Usage.DISPLAY, sign or Sign())
        children, end = self._children(node, start, path, (usage, sign))
        length = _aligned(end - start, _boundary_below(node, usage)) if entry.occurs else end - start
        if length > MOST_BYTES:
            self._faults.add(entry.place, f"expected at most {MOST_BYTES} bytes in {entry.name}, found {length}")
        return replace(item, length=length, children=children)

    def _children(
        self, node: _Node, start: int, path: tuple[str, ...], inherited: tuple[Usage | None, Sign | None]
    ) -> tuple[tuple[Item, ...], int]:
        """The items below a group and the offset behind them; a redefinition starts where its target does."""
        starts: dict[str, int] = {}
        items: list[Item] = []
        end = start
        for child in node.children:
            target = child.entry.redefines
            item = self.place(child, end if target is None else starts.get(target, end), path, *inherited)
            starts[item.name] = item.offset
            end = max(end, item.offset + item.extent)
            items.append(item)
        targets = {item.redefines for item in items}
        return tuple(replace(item, redefined=True) if item.name in targets else item for item in items), end

    def _elementary(self, item: Item, entry: Entry, usage: Usage, sign: Sign) -> Item:
        picture = entry.picture
        if picture is not None and sign.separate and picture.category is Category.NUMBER:
            picture = replace(picture, signed=True)  # a byte for the sign is one, with an S in the picture or without
        if usage in _FIXED_LENGTHS:
            category = Category.FLOATING if usage in {Usage.FLOAT, Usage.DOUBLE} else Category.NUMBER
            return replace(item, category=category, usage=usage, length=_FIXED_LENGTHS[usage])
        if picture is None:  # noted already
            return replace(item, category=Category.TEXT, usage=usage, length=1)
        self._check_storage(entry, picture, usage)
        return replace(
            item,
            category=picture.category,
            picture=picture,
            usage=usage,
            sign=sign,
            justified=entry.justified,
            blank_when_zero=entry.blank_when_zero,
            length=_storage_length(picture, usage, sign),
        )

    def _check_storage(self, entry: Entry, picture: Picture, usage: Usage) -> None:
        place = entry.places.get("USAGE", entry.place)
        if usage in _NUMBERS_ONLY and picture.category is not Category.NUMBER:
            self._faults.add(place, f"expected a numeric picture with {usage.value}, found {picture.text!r}")
        if "SIGN" in entry.places and not picture.signed and not (entry.sign and entry.sign.separate):
            self._faults.add(entry.places["SIGN"], "expected S in the picture of an item with a SIGN clause")


def _storage_length(picture: Picture, usage: Usage, sign: Sign) -> int:
    """Bytes of one occurrence."""
    digits = picture.digits
    if usage in _BINARY:
        return next((size for most, size in _BINARY_SIZES if digits <= most), (digits * 3322 // 1000 + 9) // 8)
    if usage is Usage.PACKED:
        return digits // 2 + 1
    if usage is Usage.PACKED_UNSIGNED:
        return (digits + 1) // 2
    if usage in {Usage.NATIONAL, Usage.DBCS} or set(picture.text) & set("NG"):
        return picture.positions * 2
    separate = picture.category is Category.NUMBER and picture.signed and sign.separate
    return picture.positions + separate


def _aligned(offset: int, boundary: int) -> int:
    return -(-offset // boundary) * boundary


def _first_boundary(node: _Node, usage: Usage | None) -> int:
    """The boundary that the first elementary item of a node asks for."""
    while node.children:
        node = node.children[0]
        usage = node.entry.usage or usage
    return _boundary(node.entry, usage)


def _boundary_below(node: _Node, usage: Usage | None) -> int:
    """The widest boundary asked for anywhere in a node."""
    usage = node.entry.usage or usage
    if not node.children:
        return _boundary(node.entry, usage)
    return max(_boundary_below(child, usage) for child in node.children)


def _boundary(entry: Entry, usage: Usage | None) -> int:
    if not entry.synchronized or usage is None:
        return 1
    if usage in _BINARY and entry.picture is not None:
        return min(_storage_length(entry.picture, usage, Sign()), 4)
    return {Usage.FLOAT: 4, Usage.DOUBLE: 8, Usage.INDEX: 4, Usage.POINTER: 4}.get(usage, 1)


def _check_counts(record: Item, root: _Node, faults: Faults) -> None:
    """What DEPENDING ON names is a whole number that stands in front of its table."""
    places = {node.entry.place.line: node.entry.places.get("OCCURS", node.entry.place) for node in root.walk()}
    for item in record.walk():
        if item.occurs is None or item.occurs.depending_on is None:
            continue
        name = item.occurs.depending_on
        try:
            count = record.counting_field(item)
        except KeyError:
            faults.add(places[item.line], f"expected {name!r} in front of the table in the same record, found none")
            continue
        if count.category is not Category.NUMBER or count.scale or not count.digits:
            faults.add(places[item.line], f"expected a whole number as {name!r}")
