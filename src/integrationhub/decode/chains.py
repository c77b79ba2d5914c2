"""Chains of record lengths, followed in many places of a buffer at once.

Each record's length tells where the next one starts, so a file can only be walked from its front, one record at a
time. Here the buffer is cut into lanes; in each, a likely record start is guessed, and all lanes are walked in step
with numpy. A guess is only ever a short cut: a lane counts when the lane in front of it arrives exactly at its first
record; where one doesn't, the walk goes on record by record until it meets a lane again. So the result is always
that of the plain walk.
"""

import struct
from collections.abc import Container
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Positions: TypeAlias = npt.NDArray[np.int64]

LANE = 32 * 1024
_GUESSED = 512  # bytes at the front of a lane in which a record start is looked for
_LIKELY_LENGTH = 32 * 1024
_LIKELY_RECORDS = 4  # that must follow each other for a guess to be taken
_STEPS = 32  # between two looks at how far the lanes have come
_MOST_BLOCKS = 64  # of so many steps; a lane with more records is walked record by record


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthField:
    """The length in front of every record: a number of `size` bytes, `shift` bytes into the `header`.

    The number plus `adjustment` is the whole record's length; one under `minimum` is none.
    """

    size: int
    shift: int
    little: bool
    adjustment: int
    minimum: int
    header: int

    @property
    def kind(self) -> str:
        """The number's type, as numpy names it."""
        return f"{'<' if self.little else '>'}u{self.size}"

    def windows(self, buffer: Bytes) -> npt.NDArray[Any]:
        """The number at every byte of the buffer that has a whole header behind it."""
        return np.ndarray((len(buffer) - self.header + 1,), self.kind, buffer.data, self.shift, (1,))


def walk(buffer: Bytes, field: LengthField, *, lane: int = LANE) -> tuple[Positions, int]:
    """Where records start, and where the walk stopped: behind the last whole record, at a length that is none, or at
    less than a header. The last record may run past the end of the buffer.
    """
    found: list[Positions] = []
    position = 0
    if len(buffer) >= 2 * lane + _GUESSED:
        found, position = _walk_lanes(buffer, field, lane)
    rest, position = _plain(buffer, field, position, ())
    return np.concatenate([*found, np.array(rest, np.int64)]), position


def _plain(buffer: Bytes, field: LengthField, position: int, stops: Container[int]) -> tuple[list[int], int]:
    """Record by record from `position` to one of `stops`, or as far as it goes."""
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[field.size]
    read = struct.Struct(f"{'<' if field.little else '>'}{field.shift}x{code}").unpack_from
    data, adjustment, minimum = buffer.data, field.adjustment, field.minimum
    last = len(buffer) - field.header
    found: list[int] = []
    while position <= last and position not in stops:
        length = read(data, position)[0] + adjustment
        if length < minimum:
            break
        found.append(position)
        position += length
    return found, position


def _walk_lanes(buffer: Bytes, field: LengthField, lane: int) -> tuple[list[Positions], int]:
    """Records found in lanes that meet, and the start of the record to go on from."""
    starts = _guesses(buffer, field, lane)
    bounds = np.append(starts[1:], len(buffer))
    visited, arrivals = _step(buffer, field, starts, bounds)
    arrivals[-1] = -1
    broken = np.flatnonzero(arrivals != bounds)
    lanes = {int(start): place for place, start in enumerate(starts)}
    found: list[Positions] = []
    first = 0
    while True:
        last = int(broken[np.searchsorted(broken, first)])
        part = visited[:, first : last + 1].T
        walked = part[part < bounds[first : last + 1, None]]
        found.append(walked[:-1])
        plain, position = _plain(buffer, field, int(walked[-1]), lanes if last + 1 < len(starts) else ())
        met = lanes.get(position)
        if met is None or not plain:
            return found, int(walked[-1])
        found.append(np.array(plain, np.int64))
        first = met


def _step(buffer: Bytes, field: LengthField, starts: Positions, bounds: Positions) -> tuple[Positions, Positions]:
    """All positions of every lane (a column each), and where each came to at or past its bound."""
    windows, beyond = field.windows(buffer), len(buffer) + 1
    last = len(windows) - 1
    blocks = [starts[None, :]]
    position = starts
    while len(blocks) <= _MOST_BLOCKS and bool((position < bounds).any()):
        block = np.empty((_STEPS, len(starts)), np.int64)
        for step in range(_STEPS):
            position = np.add(position, windows[np.minimum(position, last)], out=block[step])
            position += field.adjustment
        blocks.append(_up_to_faults(np.concatenate((blocks[-1][-1:], block)), field.minimum, beyond)[1:])
        position = blocks[-1][-1]
    visited = np.concatenate(blocks)
    return visited, np.where(visited >= bounds, visited, beyond).min(axis=0)


def _up_to_faults(visited: Positions, minimum: int, beyond: int) -> Positions:
    """The positions with those behind a length that is none put out of reach."""
    bad = np.diff(visited, axis=0) < minimum
    if bad.any():
        visited[1:][np.logical_or.accumulate(bad, axis=0)] = beyond
    return visited


def _guesses(buffer: Bytes, field: LengthField, lane: int) -> Positions:
    """A likely record start per lane, the first one certain; lanes without a likely one are left out."""
    windows = field.windows(buffer)
    width = min(_GUESSED, lane)
    count = (len(windows) - width) // lane
    fronts = np.ndarray((count, width), field.kind, buffer.data, lane + field.shift, (lane, 1))
    values = fronts.astype(fronts.dtype.newbyteorder("="))
    least = max(field.minimum - field.adjustment, 0)
    most = min(max(_LIKELY_LENGTH - field.adjustment, 0), np.iinfo(values.dtype).max)
    lanes, places = np.nonzero((values >= least) & (values <= most))
    start = position = (lanes + 1) * lane + places
    likely = np.ones(len(position), np.bool_)
    for _ in range(_LIKELY_RECORDS):
        length = windows[np.minimum(position, len(windows) - 1)] + np.int64(field.adjustment)
        likely &= (length >= field.minimum) & (length <= _LIKELY_LENGTH)
        position = position + length
    _, first = np.unique(lanes[likely], return_index=True)
    return np.concatenate((np.zeros(1, np.int64), start[likely][first]))
