"""The peer of the decoder: a careful reader without columns, record by record and field by field.

It is driven by the copybook, too, follows OCCURS DEPENDING ON and redefinitions, and gives nested dictionaries, as such
readers do. What it may take for granted (good data, one scheme of signs) it does.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import ebcdic  # type: ignore[import-untyped] # noqa: F401 - registers the code pages

from integrationhub.decode.copybook.layout import Category, Copybook, Item, Usage

Values: TypeAlias = dict[str, Any]
Read: TypeAlias = Callable[[bytes, int, Values], int]

_BINARY = {2: ">h", 4: ">i", 8: ">q"}
_MINUS = 0xD
_MINUS_SIGN = 0x60


class PlainReader:
    """Reads the records of one copybook. `redefines` maps an area to its deciding field and that one's values."""

    def __init__(
        self,
        copybook: Copybook,
        *,
        encoding: str,
        record_types: Mapping[str, str],
        redefines: Mapping[str, tuple[str, Mapping[str, str]]],
        record_length: int | None = None,
    ) -> None:
        """Records have their length in four bytes in front, unless all have the same `record_length`."""
        self._encoding = encoding
        self._record_length = record_length
        self._type_width = len(next(iter(record_types)))
        self._redefines = redefines
        self._levels = {
            value.encode(encoding): (level, self._group(copybook.record(level)))
            for value, level in record_types.items()
        }

    def read(self, data: bytes) -> Iterator[tuple[str, Values]]:
        """01 level and values of every record."""
        position, end, fixed, width = 0, len(data), self._record_length, self._type_width
        unpack, header = struct.Struct(">I").unpack_from, 0 if fixed else 4
        while position < end:
            length = fixed or unpack(data, position)[0]
            start = position + header
            level, read = self._levels[data[start : start + width]]
            values: Values = {}
            read(data, start, values)
            yield level, values
            position += length

    def _group(self, group: Item) -> Read:
        steps = [self._step(group, item) for item in group.children if item.redefines is None]

        def read(data: bytes, at: int, values: Values) -> int:
            for step in steps:
                at = step(data, at, values)
            return at

        return read

    def _step(self, group: Item, item: Item) -> Read:
        if item.name in self._redefines:
            return self._choice(group, item)
        if item.occurs is not None:
            return self._table(item)
        return self._group(item) if item.is_group else self._field(item)

    def _choice(self, group: Item, area: Item) -> Read:
        decider, names = self._redefines[area.name]
        by_name = {item.name: self._group(item) for item in group.children if item.redefines == area.name}
        readers = {value: by_name[name] for value, name in names.items()}

        def read(data: bytes, at: int, values: Values) -> int:
            readers[values[decider]](data, at, values)
            return at + area.length

        return read

    def _table(self, table: Item) -> Read:
        assert table.occurs is not None
        count, most = table.occurs.depending_on, table.occurs.most
        one = self._group(table) if table.is_group else self._field(table)
        name, characters = table.name, not table.is_group and table.length == 1

        def read(data: bytes, at: int, values: Values) -> int:
            number = most if count is None else values[count]
            if characters:
                values[name] = data[at : at + number].decode(self._encoding).rstrip()
                return at + number
            rows = []
            for _ in range(number):
                row: Values = {}
                at = one(data, at, row)
                rows.append(row)
            values[name] = rows
            return at

        return read

    def _field(self, item: Item) -> Read:
        name, length, keep = item.name, item.length, not item.is_filler
        convert = self._conversion(item)

        def read(data: bytes, at: int, values: Values) -> int:
            if keep:
                values[name] = convert(data[at : at + length])
            return at + length

        return read

    def _conversion(self, item: Item) -> Callable[[bytes], Any]:
        if item.category is not Category.NUMBER:
            encoding = self._encoding
            return lambda raw: raw.decode(encoding).rstrip(" ")
        if item.usage is Usage.BINARY:
            unpack = struct.Struct(_BINARY[item.length]).unpack
            return lambda raw: unpack(raw)[0]
        if item.usage is Usage.PACKED:
            return _packed
        if item.sign.separate:
            return _separate
        return _zoned


def _packed(raw: bytes) -> int | None:
    """COMP-3; low-values have no sign and are no number."""
    digits = raw.hex()
    if not digits[:-1].isdigit() or digits[-1] not in "cdf":
        return None
    value = int(digits[:-1])
    return -value if digits[-1] == "d" else value


def _zoned(raw: bytes) -> int | None:
    """DISPLAY, the sign over the last digit."""
    digits = bytes(byte & 0xF | 0x30 for byte in raw)
    if not digits.isdigit():
        return None
    value = int(digits)
    return -value if raw[-1] >> 4 == _MINUS else value


def _separate(raw: bytes) -> int:
    """DISPLAY, the sign in a byte in front."""
    value = int(bytes(byte & 0xF | 0x30 for byte in raw[1:]))
    return -value if raw[0] == _MINUS_SIGN else value
