"""An index of a big file: from record number to byte offset, built once and kept beside the file.

The index is a JSON file `<name>.records` with a place about every CHUNK bytes at which reading may begin. It says for
which content (size, time of change) and which way of cutting it holds; any other index is built anew. A folder that
can't be written to costs only the time of building it again.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from integrationhub.decode.recordfile import RawBatch, RecordFile

VERSION = 1
SUFFIX = ".records"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIndex:
    """Places at which reading may begin: `records[i]` is the number of the record at byte `offsets[i]`.

    The last place is behind the last record.
    """

    records: tuple[int, ...]
    offsets: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many records the file has."""
        return self.records[-1] - 1

    def place(self, record: int) -> tuple[int, int]:
        """The last place at or in front of a record: number and offset."""
        found = max(bisect_right(self.records, record) - 1, 0)
        return self.records[found], self.offsets[found]


def index_of(file: RecordFile, layout: str) -> RecordIndex:
    """The index of a file, from beside it or built now. `layout` is what else its records' lengths depend on."""
    path = file.path.with_name(file.path.name + SUFFIX)
    facts = _facts(file, layout)
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["facts"] == facts:
            return RecordIndex(records=tuple(kept["records"]), offsets=tuple(kept["offsets"]))
    places = list(file.restarts())
    index = RecordIndex(records=tuple(record for record, _ in places), offsets=tuple(offset for _, offset in places))
    part = path.with_name(f"{path.name}.part")
    with suppress(OSError):
        part.write_text(json.dumps({"facts": facts, **asdict(index)}), encoding="utf-8")
        part.replace(path)
    return index


def slice_of(file: RecordFile, index: RecordIndex, first: int) -> Iterator[RawBatch]:
    """The records from number `first` on, read from the nearest place in front of it."""
    record, offset = index.place(first)
    for batch in file.batches(offset=offset, record=record):
        skipped = max(first - batch.first_record, 0)
        if skipped < len(batch.starts):
            yield batch.behind(skipped)


def _facts(file: RecordFile, layout: str) -> dict[str, object]:
    status = file.path.stat()
    cut = json.dumps([asdict(file.form), layout], sort_keys=True)
    return {
        "version": VERSION,
        "size": status.st_size,
        "changed": status.st_mtime_ns,
        "cut": hashlib.sha256(cut.encode()).hexdigest(),
    }
