"""One good CSCS delivery, broken in every way of csa1993.md §1.1: for tests of what receives it.

Each broken delivery differs from the good one as little as it can, and so that the check it is named after is the first
that fails: size, hash and counts are put right again wherever they are not the point.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from integrationhub.decode.copybook import Copybook
from integrationhub.errors import NotFound
from integrationhub.estate.csa1993_file import LENGTH_BYTES, TYPES

PAGE = "cp1146"
LEVELS = {"00": "CSX-HEADER", "99": "CSX-TRAILER", **{kind: level for level, kind in TYPES.items()}}
"""Record type → 01 level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A broken delivery. `code` is the check that must fail; `record` (from 1) and `field` are where, if there is a
    where. `after_good` tells that the good delivery must have been accepted before it (R05, R06).
    """

    code: str
    about: str
    name: str
    data: bytes
    trigger: bytes
    record: int | None = None
    field: str | None = None
    after_good: bool = False

    @property
    def trigger_name(self) -> str:
        """The trigger file's name."""
        stem = self.name.removesuffix(".gz").rpartition(".")[0]
        return f"{stem}.ctl"

    def later(self, name: str) -> "Faulty":
        """The same under a name of its own, to come after the good delivery."""
        return replace(self, name=name, after_good=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something is broken: a record, counted from 0, and a field of it."""

    index: int
    field: str | None = None


class GoodDelivery:
    """A good delivery taken apart, and the tools to put it together again with one thing changed."""

    def __init__(self, name: str, data: bytes, trigger: bytes, copybook: Copybook) -> None:
        self.name = name
        self.data = data
        self.entries = dict(line.split("=", 1) for line in trigger.decode("ascii").splitlines())
        self.records = tuple(_split(data))
        self.kinds = tuple(record[:2].decode(PAGE) for record in self.records)
        self._fields = {
            (record.name, item.name): (item.offset, item.length)
            for record in copybook.records
            for item in record.walk()
        }

    def first(self, kind: str, *, skip: int = 0) -> int:
        """Index of the first record of a type, or of one of the next; NotFound where there is none."""
        found = [index for index, each in enumerate(self.kinds) if each == kind]
        if len(found) <= skip:
            raise NotFound(f"the good file has no {skip + 1} records of type {kind}: take a larger one")
        return found[skip]

    def first_line(self, kind: str) -> int:
        """Index of the first ledger record of a kind (L-KIND)."""
        for index, record_kind in enumerate(self.kinds):
            if record_kind == "40" and self.field(index, "L-KIND").decode(PAGE) == kind:
                return index
        raise NotFound(f"the good file has no ledger record of kind {kind}: take a larger one")

    def field(self, index: int, name: str) -> bytes:
        """The bytes of a field of a record; in a table, of its first element."""
        _, length = self._place(index, name)
        offset = self.offset(index, name)
        return self.records[index][offset : offset + length]

    def offset(self, index: int, name: str) -> int:
        """Where a field of a record begins, from 0; in a table, of its first element."""
        return self._place(index, name)[0]

    def with_field(self, index: int, name: str, raw: bytes) -> list[bytes]:
        """The records with other bytes in one field, from its first byte on."""
        offset, record = self.offset(index, name), self.records[index]
        return self.with_record(index, record[:offset] + raw + record[offset + len(raw) :])

    def _place(self, index: int, name: str) -> tuple[int, int]:
        return self._fields[LEVELS[self.kinds[index]], name]

    def with_record(self, index: int, *records: bytes) -> list[bytes]:
        """The records with others in the place of one; with none, it is left out."""
        return [*self.records[:index], *records, *self.records[index + 1 :]]

    def broken(
        self, code: str, about: str, records: Sequence[bytes], place: Place | None = None, **entries: object
    ) -> Faulty:
        """A delivery of these records with a trigger file that fits them, but for the `entries` given."""
        return self.broken_bytes(code, about, join(records), place, RECORDS=len(records), **entries)

    def broken_bytes(self, code: str, about: str, data: bytes, place: Place | None = None, **entries: object) -> Faulty:
        """A delivery of these bytes; size and hash in its trigger file are right unless given otherwise."""
        fitting = {"BYTES": len(data), "SHA256": sha256(data).hexdigest(), **entries}
        return Faulty(
            code=code, about=about, name=self.name, data=data, trigger=trigger({**self.entries, **fitting}),
            record=place.index + 1 if place else None, field=place.field if place else None,
        )  # fmt: skip


def trigger(entries: Mapping[str, object]) -> bytes:
    """The bytes of a trigger file."""
    return "".join(f"{key}={value}\n" for key, value in entries.items()).encode("ascii")


def join(records: Sequence[bytes]) -> bytes:
    """Records with their lengths in front."""
    return b"".join((len(record) + LENGTH_BYTES).to_bytes(LENGTH_BYTES, "big") + record for record in records)


def text(value: str) -> bytes:
    """Text or digits as EBCDIC."""
    return value.encode(PAGE)


def packed(value: int, length: int) -> bytes:
    """A COMP-3 field of so many bytes."""
    return bytes.fromhex(f"{abs(value):0{2 * length - 1}d}{'d' if value < 0 else 'c'}")


def _split(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        length = int.from_bytes(data[start : start + LENGTH_BYTES], "big")
        yield data[start + LENGTH_BYTES : start + length]
        start += length
