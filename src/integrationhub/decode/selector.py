"""Which of several things a row is, by the value of one field: its 01 level, or its redefinition."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from integrationhub.decode.columns import Reading, number_reader
from integrationhub.decode.copybook.layout import Category, Item, Usage
from integrationhub.decode.numbers import Block, load_words
from integrationhub.errors import ConfigurationError

Codes: TypeAlias = npt.NDArray[np.int16]

_TABLE_BYTES = 2  # up to here every possible value has a place in a table


class Selector:
    """Tells rows apart: `groups[i]` are the values that mean number i; any other value means −1.

    Text values compare as bytes, blanks behind them don't count; a binary, packed or signed field compares as a number.
    """

    def __init__(self, item: Item, groups: Sequence[Sequence[str]], reading: Reading) -> None:
        self.item = item
        self._number = item.category is Category.NUMBER and (item.usage is not Usage.DISPLAY or item.signed)
        self._read = number_reader(item, reading) if self._number else None
        self._keys = [(self._key(value, reading), code) for code, group in enumerate(groups) for value in group]
        self._table: Codes | None = None
        if not self._number and item.length <= _TABLE_BYTES:
            self._table = np.full(256**item.length, -1, np.int16)
            for key, code in self._keys:
                self._table[key] = code

    def _key(self, value: str, reading: Reading) -> int:
        try:
            if self._number:
                return int(value)
            fill = "0" if self.item.category is Category.NUMBER else " "
            text = value.rjust(self.item.length, fill) if fill == "0" else value.ljust(self.item.length)
            raw = reading.page.encode(text)
        except ValueError as exc:
            raise ConfigurationError(f"{value!r} can't be a value of {self.item.name}", code="LAYOUT_INVALID") from exc
        if len(raw) != self.item.length:
            raise ConfigurationError(f"{value!r} is longer than {self.item.name}", code="LAYOUT_INVALID")
        return int.from_bytes(raw)

    def select(self, block: Block) -> Codes:
        """The number of every row; `block` holds the field's bytes and nothing else."""
        if self._read is not None:
            values, bad = self._read(block, 0)
            codes = self._search(values)
            if bad is not None:
                codes[bad] = -1
            return codes
        if self._table is not None:
            found: Codes = self._table[load_words(block, 0, self.item.length)]
            return found
        if self.item.length <= 8:  # noqa: PLR2004 - a machine word
            return self._search(load_words(block, 0, self.item.length))
        codes = np.full(len(block), -1, np.int16)
        for key, code in self._keys:
            codes[(block == np.frombuffer(key.to_bytes(self.item.length), np.uint8)).all(axis=1)] = code
        return codes

    def _search(self, values: npt.NDArray[np.generic]) -> Codes:
        codes = np.full(len(values), -1, np.int16)
        for key, code in self._keys:
            codes[values == key] = code
        return codes
