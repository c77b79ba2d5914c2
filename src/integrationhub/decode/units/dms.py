"""Extracts of the debt manager: fixed-length EBCDIC records, and what a file says of itself (debt-manager.md §1).

Details come in pieces of three tables: DM-DETAIL with `FILE-KIND` and `CONTENT` beside the fields of the copybook, and
the occurrences in use of DM-D-HOLD and DM-D-JOINT. What stands in unused ones is not looked at.
"""

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.numbers import Block
from integrationhub.decode.units.dms_controls import DETAIL, HEADER, TRAILER, Controls
from integrationhub.records import DecodedBatch
from integrationhub.sdk.units import AT_ONCE, FileFacts, FileInHand, Options

LRECL = 600
_SPACE, _ZERO, _D = 0x40, 0xF0, 0xC4
_TYPE, _ACTION = 0, 1
_CONTENT, _CONTENT_OF_DELETE = slice(2, 553), slice(2, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Occurrences:
    """An OCCURS of the detail: where its count stands, where its first element, and how long and how many they are."""

    table: str
    count: int
    first: int
    length: int
    most: int

    def in_use(self, rows: Block) -> np.ndarray:
        """Which elements of each row count; none where the count is no digit."""
        counts = rows[:, self.count].astype(np.int16) - _ZERO
        return (np.arange(1, self.most + 1) <= counts[:, None]) & (counts[:, None] <= 9)  # noqa: PLR2004 - a digit

    def clear(self, rows: Block) -> None:
        """Blank the elements of details that don't count."""
        used = self.in_use(rows) | (rows[:, _TYPE] != _D)[:, None]
        for element in range(self.most):
            start = self.first + element * self.length
            rows[~used[:, element], start : start + self.length] = _SPACE


_OCCURRENCES = (
    _Occurrences(table="DM-D-HOLD", count=411, first=412, length=18, most=4),
    _Occurrences(table="DM-D-JOINT", count=485, first=486, length=13, most=2),
)


@dataclass(frozen=True)
class DmsDecoder:
    """A UnitDecoder. `copybook`: the text of the record layout."""

    copybook: str

    @cached_property
    def _records(self) -> CopybookFileDecoder:
        return CopybookFileDecoder(
            self.copybook,
            name="debt-manager.cpy",
            layout={
                "record_types": {"H": HEADER, "D": DETAIL, "T": TRAILER},
                "redefines": {"DM-D-VARIANT": ("DM-D-DEBT-TYPE", {"SF": "DM-D-VAR-SF", "TC": "DM-D-VAR-TC"})},
                "signs": "strict-display",
            },
        )

    @property
    def layout(self) -> Mapping[str, Mapping[str, pl.DataType]]:
        """See `UnitDecoder`."""
        piece, _ = self._piece(np.zeros((0, LRECL), np.uint8), 1, "")
        return {name: dict(pl.DataFrame(pl.from_arrow(table)).schema) for name, table in piece.tables.items()}

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """See `UnitDecoder`."""
        controls = Controls(file)
        first, rest = 1, b""
        while block := stream.read(AT_ONCE * LRECL - len(rest)):
            whole = rest + block
            count = len(whole) // LRECL
            rest = whole[count * LRECL :]
            if count:
                rows = np.frombuffer(whole, np.uint8, count * LRECL).reshape(count, LRECL)
                piece, all_records = self._piece(rows, first, file.named["kind"])
                controls.feed(all_records, rows[:, _TYPE], first)
                yield piece
                first += count
        return controls.facts(left_over=len(rest))

    def _piece(self, rows: Block, first: int, kind: str) -> tuple[DecodedBatch, DecodedBatch]:
        """The details as units, and all records as they are decoded."""
        cleared = rows.copy()
        for part in _OCCURRENCES:
            part.clear(cleared)
        starts, lengths = np.arange(len(rows), dtype=np.int64) * LRECL, np.full(len(rows), LRECL, np.int32)
        decoded = self._records.decode(
            cleared.reshape(-1), starts, lengths, first_record=first, base=(first - 1) * LRECL
        )
        detail = decoded.tables[DETAIL]
        details = rows[detail.column("_record").to_numpy() - first]
        contents = pa.array([_content(row) for row in details], pa.string())
        kinds = pa.array([kind] * len(details), pa.string())
        tables = {DETAIL: detail.append_column("FILE-KIND", kinds).append_column("CONTENT", contents)}
        for part in _OCCURRENCES:
            used = part.in_use(details).reshape(-1)
            tables[part.table] = decoded.tables[part.table].filter(pa.array(used))
        faults = decoded.faults.filter(pl.col("table").is_in(list(tables)))
        return DecodedBatch(tables=tables, faults=faults), decoded


def _content(row: Block) -> str:
    """A digest of what makes two records the same (§4)."""
    part = row[_CONTENT_OF_DELETE if row[_ACTION] == _D else _CONTENT]
    return hashlib.sha256(part.tobytes()).hexdigest()


def build(options: Options) -> DmsDecoder:
    """The decoder of the feed (`sdk.units`)."""
    return DmsDecoder(options.text("debt-manager.cpy"))
