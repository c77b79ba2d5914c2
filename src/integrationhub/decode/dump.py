"""A whole file to JSON lines, CSV or Parquet, a batch at a time: what `integrationhub decode` does."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import Copybook
from integrationhub.decode.cutting import RecordSize
from integrationhub.decode.jsonlines import JsonWriter, Tree
from integrationhub.decode.nested import NestedBatch, NestedDecoder, Showing
from integrationhub.decode.numbers import Block
from integrationhub.decode.outline import outlined
from integrationhub.decode.plan import Planner
from integrationhub.decode.recordfile import RawBatch, RecordFile, RecordFormat
from integrationhub.decode.recordindex import index_of, slice_of
from integrationhub.decode.sources import is_compressed
from integrationhub.decode.tabular import flat_rows, heading, schema_of, table_of
from integrationhub.errors import ConfigurationError, NotFound

BATCH_RECORDS = 16_384

Form = Literal["jsonl", "csv", "parquet"]
Report = Callable[[int, int, Sequence[str]], None]
"""Told of a record that is left out: its number, its offset, the fields that can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpRules:
    """How a file is read and what of it is written; `first` is the number of the first record, `limit` the most lines.

    `reject`: records with a value that can't be read are left out.
    """

    form: RecordFormat
    reading: Reading
    showing: Showing
    reject: bool = False
    first: int = 1
    limit: int | None = None


@dataclass(slots=True)
class FileDump:
    """Writes the records of files of one copybook."""

    copybook: Copybook
    rules: DumpRules
    report: Report
    _decoder: NestedDecoder = field(init=False)
    _sizes: list[RecordSize] = field(init=False)
    _left: int = field(init=False)

    def __post_init__(self) -> None:
        showing = self.rules.showing
        self._decoder = NestedDecoder(self.copybook, self.rules.reading, showing)
        levels = [outlined(record, fillers=True) for record in self._decoder.shape]
        frames = [Planner(level, redefines={}, odo=showing.odo, joined=False).plan() for level in levels]
        self._sizes = [RecordSize(frame, self.rules.reading) for frame in frames]
        self._left = 2**63 if self.rules.limit is None else self.rules.limit

    @property
    def longest(self) -> int:
        """The layout's largest record."""
        return max(level.length for level in self._decoder.shape)

    def write(self, paths: Sequence[Path], to: Form, target: BinaryIO) -> None:
        """The records of some files, one behind the other."""
        {"jsonl": self._write_jsonl, "csv": self._write_csv, "parquet": self._write_parquet}[to](paths, target)

    def _write_jsonl(self, paths: Sequence[Path], target: BinaryIO) -> None:
        for path in paths:
            lines = self._trees(path) if self.rules.showing.segments.parents else self._lines(path)
            for block in lines:
                kept = block[: self._left]
                self._left -= len(kept)
                target.writelines([f"{line}\n".encode() for line in kept])
                if not self._left:
                    return

    def _lines(self, path: Path) -> Iterator[list[str]]:
        writer = JsonWriter()
        for batch in self._batches(path):
            rejected = self._rejected(batch)
            lines = writer.objects(batch)
            yield [line for place, line in enumerate(lines) if place not in rejected] if rejected else lines

    def _trees(self, path: Path) -> Iterator[list[str]]:
        tree = Tree(self.rules.showing.segments.parents)
        writer = JsonWriter(parents=tree.parents, children=tree.children)
        for batch in self._batches(path):
            rejected = self._rejected(batch)
            texts = writer.objects(batch)
            segments = _segments(batch, tree)
            lines: list[str] = []
            for place, text in enumerate(texts):
                segment = segments[place]
                if place in rejected:
                    tree.skip(segment)
                    continue
                captured = writer.captured[segment][place] if segment in writer.captured else ""
                lines += tree.add(segment, text, captured)
            yield lines
        yield list(tree.rest())

    def _write_csv(self, paths: Sequence[Path], target: BinaryIO) -> None:
        names = heading(self._decoder.shape, fillers=self.rules.showing.fillers)
        target.write(_csv([names]))
        for batch, keep in self._kept(paths):
            rows = flat_rows(batch, names)
            target.write(_csv(rows[place] for place in keep))

    def _write_parquet(self, paths: Sequence[Path], target: BinaryIO) -> None:
        schema = schema_of(self._decoder.shape, fillers=self.rules.showing.fillers)
        with pq.ParquetWriter(target, schema) as writer:
            for batch, keep in self._kept(paths):
                writer.write_table(table_of(batch, schema).take(pa.array(keep, pa.int64())))

    def _kept(self, paths: Sequence[Path]) -> Iterator[tuple[NestedBatch, list[int]]]:
        """Batches and the places of those of their records that are to be written."""
        for path in paths:
            for batch in self._batches(path):
                rejected = self._rejected(batch)
                keep = [place for place in range(len(batch)) if place not in rejected][: self._left]
                self._left -= len(keep)
                yield batch, keep
                if not self._left:
                    return

    def _rejected(self, batch: NestedBatch) -> set[int]:
        """The places of the records that are left out; each is reported."""
        if not self.rules.reject:
            return set()
        faulty = {place: faults for part in batch.parts for place, faults in part.faults.items()}
        for place in sorted(faulty):
            fields = [f"{fault.field} {fault.code}" for fault in faulty[place]]
            self.report(batch.first_record + place, int(batch.offsets[place]), fields)
        return set(faulty)

    def _batches(self, path: Path) -> Iterator[NestedBatch]:
        if not path.is_file():
            raise NotFound(f"no file {path}", code="FILE_MISSING", remedy="name a data file")
        file = RecordFile(
            path, self.rules.form, self.copybook, self.rules.reading, longest=self.longest, size=self._size
        )
        for raw in self._raw(file):
            limit = self._left if self.rules.limit is not None and not self.rules.reject else len(raw.starts)
            step = min(BATCH_RECORDS, max(limit, 1024))
            for low in range(0, len(raw.starts), step):
                yield self._decoder.decode(
                    raw.buffer,
                    raw.starts[low : low + step],
                    raw.lengths[low : low + step],
                    first_record=raw.first_record + low,
                    base=raw.base,
                )

    def _raw(self, file: RecordFile) -> Iterator[RawBatch]:
        """The file's records from the first one asked for; a plain file is entered there by its index."""
        first = self.rules.first
        if first == 1:
            return file.batches()
        if is_compressed(file.path):
            return _from(file.batches(), first)
        sizes = [(level.name, level.length) for level in self._decoder.shape]
        return slice_of(file, index_of(file, repr((sizes, self.rules.showing.segments))), first)

    def _size(self, data: Block, start: int) -> int:
        """The length of one record by its counts: that of the longest 01 level it shows."""
        segments = self.rules.showing.segments
        if len(self._sizes) == 1 or not segments.values:
            return max(size(data, start) for size in self._sizes)
        matches = self._decoder.matches(data, np.array([start], np.int64), np.array([len(data) - start], np.int64))
        levels = self._decoder.shape
        chosen = [
            size
            for level, size in zip(levels, self._sizes, strict=True)
            if level.name not in matches or matches[level.name][0]
        ]
        return max(size(data, start) for size in chosen or self._sizes)


def _from(batches: Iterator[RawBatch], first: int) -> Iterator[RawBatch]:
    for batch in batches:
        skipped = max(first - batch.first_record, 0)
        if skipped < len(batch.starts):
            yield batch.behind(skipped)


def _segments(batch: NestedBatch, tree: Tree) -> list[str | None]:
    """The segment of each record among those that have parents or children."""
    found: list[str | None] = [None] * len(batch)
    for name, mask in batch.matches.items():
        if name in tree.parents or name in tree.children:
            for place in np.flatnonzero(mask).tolist():
                found[place] = found[place] or name
    return found


def _csv(rows: "Iterator[list[str]] | list[list[str]]") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def check_rules(rules: DumpRules, to: Form) -> None:
    """ConfigurationError when the rules can't be followed together."""
    if rules.showing.segments.parents and to != "jsonl":
        raise ConfigurationError(
            f"records below other records can't be written as {to}",
            code="SEGMENT_INVALID",
            remedy="take --to jsonl, or leave --segment-parent out",
        )
