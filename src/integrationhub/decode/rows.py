"""Rows of a frame at decode time: where each starts, which record it belongs to, and how to get at its bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from integrationhub.decode.numbers import Block, Integers, Mask
from integrationhub.decode.plan import Place

BLOCK_ROWS = 8192
"""Rows worked on at once: their bytes stay in the processor's cache."""

BLOCK_BYTES = 4 * 1024 * 1024
"""Bytes of such rows, which also bounds the memory that short records of a long layout take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many elements a table has in each row (0 to its most), and where the count means nothing."""

    values: Integers
    bad: Mask


@dataclass(slots=True, kw_only=True)
class Rows:
    """Some rows of one frame.

    `starts` are indices into the buffer, `ends` those behind the record each row lies in, `records` the number of that
    record in the batch. `up[i]` is the row of `parent` that row i belongs to, `index[i]` its occurrence from 1 when
    the rows are elements of a table. The rest is filled when the rows are laid out: `bases` (one array a run), `counts`
    by table, and `blame`: the rows in which a count (by field) means nothing, be it further down.
    """

    frame: int
    buffer: Block
    starts: Integers
    ends: Integers
    records: Integers
    parent: "Rows | None" = None
    up: Integers | None = None
    index: Integers | None = None
    bases: list[Integers] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    blame: dict[str, Mask] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, place: Place) -> Integers:
        """Where an item of this very frame starts in the buffer, for each row."""
        return self.bases[place.run] + place.offset

    def blamed(self, key: str, rows: Mask | Integers) -> None:
        """Note that the count field of that name means nothing in these rows."""
        self.blame.setdefault(key, np.zeros(len(self), np.bool_))[rows] = True

    def below(self, frame: int, starts: Integers, up: Integers, index: Integers | None = None) -> "Rows":
        """Rows of a frame inside this one."""
        return Rows(
            frame=frame,
            buffer=self.buffer,
            starts=starts,
            ends=self.ends[up],
            records=self.records[up],
            parent=self,
            up=up,
            index=index,
        )

    def enclosing(self, frame: int) -> "tuple[Rows, Integers | None]":
        """The rows of a frame around this one, and for each row here which of them it lies in (None: the same)."""
        rows: Rows = self
        way: Integers | None = None
        while rows.frame != frame:
            if rows.parent is None or rows.up is None:
                raise ValueError(f"frame {frame} is not around frame {self.frame}")
            way = rows.up if way is None else rows.up[way]
            rows = rows.parent
        return rows, way

    def indexes(self) -> list[Integers]:
        """The occurrence number of each row in its table, in the table around that, and so on outwards."""
        found = []
        rows: Rows | None = self
        way: Integers | None = None
        while rows is not None:
            if rows.index is not None:
                found.append(rows.index if way is None else rows.index[way])
            if rows.up is not None:
                way = rows.up if way is None else rows.up[way]
            rows = rows.parent
        return found


def gather(buffer: Block, starts: Integers, ends: Integers, width: int, blank: int) -> tuple[Block, Integers | None]:
    """`width` bytes from each start, and how many of them lie in the record (None when all do everywhere).

    Bytes past the end of the record come out as `blank`.
    """
    inside = ends - starts
    if len(starts) and int(inside.min()) >= width:
        windows = np.ndarray((len(buffer) - width + 1,), f"V{width}", buffer.data, 0, (1,))  # one from every byte on
        return windows[starts].view(np.uint8).reshape(len(starts), width), None
    steps = np.arange(width)
    block: Block = np.full((len(starts), width), blank, np.uint8)
    has = steps < inside[:, None]
    block[has] = buffer[(starts[:, None] + steps)[has]]
    return block, inside


def blocks(rows: int, width: int) -> Iterator[slice]:
    """Slices of at most BLOCK_ROWS rows; fewer where a row is so wide that its bytes would leave the cache."""
    size = max(min(BLOCK_ROWS, BLOCK_BYTES // width), 1)
    for low in range(0, rows, size):
        yield slice(low, min(low + size, rows))
