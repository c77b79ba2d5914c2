"""How the records of a file hang together: header, groups, parents, trailer (csa1993.md §2, R08 and R10).

Records are judged a slice at a time. A slice begins with the header or with a record that opens a group, and ends
before one or with the end of the file, so that no group is cut; what must be unique over the whole file (group and
case keys) is remembered as columns of integers and judged at the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.decode.slices import Slice
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Member, Structure


@dataclass(slots=True)
class _Seen:
    """Keys met so far, as (key, record, offset) columns."""

    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        self.parts.append(rows.select(pl.col("key", "record", "offset")).drop_nulls("key"))

    def first_repeat(self) -> tuple[int, int] | None:
        """Record number and offset of the first record whose key stood in an earlier one."""
        if not self.parts:
            return None
        rows = pl.concat(self.parts).sort("record")
        repeats = rows.filter(~pl.col("key").is_first_distinct()).head(1)
        return None if repeats.is_empty() else (repeats["record"][0], repeats["offset"][0])


class StructureCheck:
    """Judges record order slice by slice; `faults()` after the last slice gives what was found."""

    def __init__(self, structure: Structure, levels: dict[str, str]) -> None:
        self._rules = structure
        self._levels = levels
        self._seen = {name: _Seen() for name in (structure.group.type, *self._keyed())}
        self._faults: list[Reason] = []
        self._records = 0
        self._last_kind: str | None = None
        self._last_place = (0, 0)
        self._trailer_seen = False

    def _keyed(self) -> Iterator[str]:
        return (kind for kind, member in self._rules.members.items() if member.key)

    def feed(self, piece: Slice) -> None:
        """Take the next slice of the file."""
        rows = _rows_of(piece)
        self._check_ends(rows)
        groups = self._groups(piece)
        self._seen[self._rules.group.type].add(groups)
        rows = rows.join_asof(
            groups.select(pl.col("record"), pl.col("record").alias("group_record"), pl.col("key").alias("open_group")),
            on="record",
        )
        for kind, member in self._rules.members.items():
            self._check_members(piece, kind, member, rows)
        self._check_counts(piece, rows)
        self._records += len(piece.kinds)
        if len(piece.kinds):
            self._last_kind = rows["kind"][-1]
            self._last_place = (rows["record"][-1], rows["offset"][-1])

    def faults(self) -> list[Reason]:
        """All violations, those that need the whole file included; the caller picks the first."""
        found = list(self._faults)
        if not self._records:
            found.append(Reason(code=self._rules.codes.order, text="the file has no records"))
        elif self._last_kind != self._rules.trailer:
            record, offset = self._last_place
            found.append(self._fault("the last record is no trailer", record, offset))
        for kind, seen in self._seen.items():
            repeat = seen.first_repeat()
            if repeat is not None:
                key = self._rules.group.key if kind == self._rules.group.type else self._rules.members[kind].key
                found.append(self._fault(f"{key} stood in an earlier record of the file", *repeat, name=key))
        return found

    def _fault(self, text: str, record: int, offset: int, *, name: str | None = None) -> Reason:
        return Reason(code=self._rules.codes.order, text=text, record=record, offset=offset, field=name)

    def _check_ends(self, rows: pl.DataFrame) -> None:
        """Header first and once, trailer once and nothing behind it."""
        if rows.is_empty():
            return
        if self._records == 0 and rows["kind"][0] != self._rules.header:
            self._faults.append(self._fault("the first record is no header", 1, rows["offset"][0]))
        for row in rows.filter((pl.col("kind") == self._rules.header) & (pl.col("record") > 1)).iter_rows(named=True):
            self._faults.append(self._fault("a second header", row["record"], row["offset"]))
            break
        trailers = rows.filter(pl.col("kind") == self._rules.trailer)
        if self._trailer_seen or (len(trailers) and trailers["record"][0] != rows["record"][-1]):
            place = rows.head(1) if self._trailer_seen else rows.filter(pl.col("record") > trailers["record"][0])
            self._faults.append(
                self._fault("a record stands behind the trailer", place["record"][0], place["offset"][0])
            )
        self._trailer_seen = self._trailer_seen or len(trailers) > 0

    def _groups(self, piece: Slice) -> pl.DataFrame:
        group = self._rules.group
        return _keys(piece.table(self._levels[group.type]), key=group.key)

    def _check_members(self, piece: Slice, kind: str, member: Member, rows: pl.DataFrame) -> None:
        """Members of one type stand in the group that they name, behind the parent that they name."""
        table = piece.table(self._levels[kind])
        if not table.num_rows:
            return
        mine = rows.filter(pl.col("kind") == kind).join(_keys(table, key=member.group), on=["record", "offset"])
        stray = mine.filter(pl.col("open_group").is_null() | (pl.col("open_group") != pl.col("key"))).head(1)
        for row in stray.iter_rows(named=True):
            text = f"a {kind} record does not stand behind the {self._rules.group.type} record of its group"
            self._faults.append(self._fault(text, row["record"], row["offset"], name=member.group))
        if member.key:
            self._seen[kind].add(_keys(table, key=member.key))
        if member.parent:
            self._check_parent(piece, kind, member, rows)

    def _check_parent(self, piece: Slice, kind: str, member: Member, rows: pl.DataFrame) -> None:
        """A record that names a parent of its group stands behind it; a name of no such parent is an orphan, not a
        fault (R10 asks only of records "with a case of the group").
        """
        assert member.parent is not None
        parent_key = self._rules.members[member.parent.type].key
        assert parent_key is not None
        places = rows.select("record", "group_record")
        children = _keys(piece.table(self._levels[kind]), key=member.parent.key).join(places, on="record")
        parents = _keys(piece.table(self._levels[member.parent.type]), key=parent_key).join(places, on="record")
        parents = parents.group_by("group_record", "key").agg(pl.col("record").min().alias("parent_record"))
        early = (
            children.join(parents, on=["group_record", "key"])
            .filter(pl.col("parent_record") > pl.col("record"))
            .sort("record")
            .head(1)
        )
        for row in early.iter_rows(named=True):
            text = f"a {kind} record stands before the {member.parent.type} record that it belongs to"
            self._faults.append(self._fault(text, row["record"], row["offset"], name=member.parent.key))

    def _check_counts(self, piece: Slice, rows: pl.DataFrame) -> None:
        """The group record's count of its members is their number."""
        for kind, member in self._rules.members.items():
            if member.counted_by is None:
                continue
            stated = _keys(piece.table(self._levels[self._rules.group.type]), key=member.counted_by)
            counted = rows.filter(pl.col("kind") == kind).group_by("group_record").len("members")
            wrong = (
                stated.join(counted, left_on="record", right_on="group_record", how="left")
                .filter(pl.col("key").is_not_null() & (pl.col("key") != pl.col("members").fill_null(0)))
                .sort("record")
                .head(1)
            )
            for row in wrong.iter_rows(named=True):
                text = f"{member.counted_by} is not the number of {kind} records of the group"
                self._faults.append(self._fault(text, row["record"], row["offset"], name=member.counted_by))


def _rows_of(piece: Slice) -> pl.DataFrame:
    """record, offset, kind of every record of the slice, in order; an unknown kind is null."""
    names = pl.Series([*piece.kind_names, None], dtype=pl.String)
    unknown = len(piece.kind_names)
    return pl.DataFrame(
        {
            "record": pl.Series(np.arange(piece.first_record, piece.first_record + len(piece.kinds), dtype=np.int64)),
            "offset": pl.Series(piece.offsets),
            "kind": names.gather(np.where(piece.kinds < 0, unknown, piece.kinds)),
        }
    ).with_columns(pl.col("record").set_sorted())


def _keys(table: pa.Table, *, key: str) -> pl.DataFrame:
    """record, offset, key (integer) of the records of one table, in order."""
    frame = pl.DataFrame(pl.from_arrow(table.select(["_record", "_offset", key])))
    columns = [pl.col("_record").alias("record"), pl.col("_offset").alias("offset"), pl.col(key).alias("key")]
    return frame.select(columns).with_columns(pl.col("key").cast(pl.Int64), pl.col("record").set_sorted())
