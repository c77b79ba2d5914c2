"""The layout tree: what a copybook says, with every length and offset worked out.

All types are frozen. Offsets count from 0 at the first byte of the 01 level, with every table at its largest size, as a
compiler's listing shows them; what OCCURS DEPENDING ON moves is worked out when records are decoded (`plan.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

FILLER = "FILLER"


class Usage(StrEnum):
    """How an item's value is held in storage."""

    DISPLAY = "DISPLAY"
    BINARY = "BINARY"  # COMP, COMP-4, BINARY: two's complement, high byte first
    NATIVE = "NATIVE"  # COMP-5: as BINARY, never cut to the picture's digits
    PACKED = "PACKED"  # COMP-3, PACKED-DECIMAL: two digits a byte, the last half byte is the sign
    PACKED_UNSIGNED = "PACKED_UNSIGNED"  # COMP-6: two digits a byte, no sign
    FLOAT = "FLOAT"  # COMP-1, four bytes
    DOUBLE = "DOUBLE"  # COMP-2, eight bytes
    NATIONAL = "NATIONAL"  # two bytes a character, UTF-16
    DBCS = "DBCS"  # DISPLAY-1: two bytes a character
    INDEX = "INDEX"
    POINTER = "POINTER"


class Category(StrEnum):
    """What kind of value an item has, whatever its storage."""

    GROUP = "GROUP"
    TEXT = "TEXT"
    NUMBER = "NUMBER"
    EDITED = "EDITED"  # a number (or text) with editing symbols in it
    FLOATING = "FLOATING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PICTURE: digits and scale of a number, character positions of anything.

    `scale` is the number of digits behind the implied point; it is negative when P symbols stand on the right.
    """

    text: str
    category: Category
    positions: int
    digits: int = 0
    scale: int = 0
    signed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Where the sign of a DISPLAY number stands: over the last (or first) digit, or in a byte of its own."""

    leading: bool = False
    separate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurs:
    """A table: how many elements, and which field counts them (`depending_on` is None when the number is fixed)."""

    least: int
    most: int
    depending_on: str | None = None
    indexes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A level 88: a name for one or more values; a range has two different ends."""

    name: str
    ranges: tuple[tuple[str, str], ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """A level 66: another name for the bytes from the start of one item to the end of another of the same record.

    `offset` and `length` are those with every table at its largest.
    """

    name: str
    record: str
    first: str
    last: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A data item, group or elementary.

    `length` is one occurrence at its largest, `offset` that of the first occurrence; `path` leads from the 01 level to
    the item and is unique, `key` is what a decoded column is called: the bare name, or as much of the path as
    tells it from its namesakes under the same 01 level.
    """

    level: int
    name: str
    path: tuple[str, ...]
    key: str
    offset: int
    length: int
    line: int
    column: int
    category: Category
    picture: Picture | None = None
    usage: Usage = Usage.DISPLAY
    sign: Sign = Sign()
    occurs: Occurs | None = None
    redefines: str | None = None
    redefined: bool = False
    justified: bool = False
    blank_when_zero: bool = False
    slack: int = 0  # bytes left free in front of every occurrence, for SYNCHRONIZED
    value: str | None = None
    written: str = ""  # the name as the copybook spells it
    conditions: tuple[Condition, ...] = ()
    children: "tuple[Item, ...]" = ()

    @property
    def is_group(self) -> bool:
        """Whether it has items below it."""
        return self.category is Category.GROUP

    @property
    def is_filler(self) -> bool:
        """Whether it has no name of its own."""
        return self.name == FILLER

    @property
    def digits(self) -> int:
        """Decimal digits of a number, 0 for anything else."""
        return self.picture.digits if self.picture else 0

    @property
    def scale(self) -> int:
        """Digits behind the implied decimal point: the value is the stored integer divided by ten to this power."""
        return self.picture.scale if self.picture else 0

    @property
    def signed(self) -> bool:
        """Whether the picture has an S (or an editing sign)."""
        return self.picture.signed if self.picture else False

    @property
    def extent(self) -> int:
        """Bytes of all occurrences together at their largest."""
        return self.length * (self.occurs.most if self.occurs else 1)

    @property
    def varies(self) -> bool:
        """Whether the item's size depends on a count inside the record."""
        return (self.occurs is not None and self.occurs.depending_on is not None) or any(
            child.varies for child in self.children
        )

    def walk(self) -> "Iterator[Item]":
        """The item and everything below it, in source order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def counting_field(self, table: "Item") -> "Item":
        """The item below this one that counts the elements of `table`: the last of that name in front of it.

        KeyError when there is none.
        """
        if table.occurs is None or table.occurs.depending_on is None:
            raise KeyError(table.name)
        *groups, name = table.occurs.depending_on.split(".")
        found = None
        for item in self.walk():
            if item is table:
                break
            if item.name == name and set(groups) <= set(item.path):
                found = item
        if found is None:
            raise KeyError(table.occurs.depending_on)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Copybook:
    """A parsed copybook: its 01 levels (and 77s) in source order, the 78 constants, the 66 renames."""

    name: str
    records: tuple[Item, ...]
    constants: tuple[tuple[str, str], ...] = ()
    renames: tuple[Rename, ...] = ()

    def record(self, name: str) -> Item:
        """The 01 level of that name; KeyError when there is none."""
        for record in self.records:
            if record.name == name.upper():
                return record
        raise KeyError(name)

    def fields(self, name: str) -> Iterator[Item]:
        """The elementary items of one 01 level, in source order."""
        return (item for item in self.record(name).walk() if not item.is_group)
