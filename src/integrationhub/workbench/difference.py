"""What another version of a mapping alters: the same files through both, compared value by value, slice by slice.

Rows are compared as they would be loaded, without those of groups that are set aside. Amounts are told as gross up,
gross down and net, by owner: they partly cancel, and net alone would hide both.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from integrationhub.canonical.model import PROVENANCE, SEALED, Entity, Type
from integrationhub.canonical.units import targets

MASK = "***"
EXAMPLES = 5
"""Examples that are kept of each field."""
ROW_EXAMPLES = 2
"""Examples that are kept of an entity's rows that come or go as a whole."""

_LEFT_OUT = {*(item.name for item in PROVENANCE), *SEALED} - {"source_ref"}
_OTHER = "^"
"""Begins the names of the later version's columns; no field's name does."""


@dataclass(slots=True, kw_only=True)
class FieldChanges:
    """Changed values of one field, of one owner: how many, and for amounts the pence up and down."""

    count: int = 0
    up_pence: int = 0
    down_pence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One changed value; `before` and `after` are masked in personal fields. No field: the whole row."""

    entity: str
    source_ref: str | None
    record: int
    field: str | None
    before: Any
    after: Any


@dataclass(slots=True)
class Difference:
    """Everything that the later version alters, added up over slices and files."""

    files: int = 0
    records: int = 0
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)  # (entity, before | after | added | removed …)
    fields: dict[tuple[str, str, str], FieldChanges] = field(default_factory=dict)  # (entity, field, owner)
    quarantine: Counter[str] = field(default_factory=Counter)  # before | after | entered | left
    groups: dict[str, list[str]] = field(default_factory=dict)  # entered | left → source references
    examples: list[Example] = field(default_factory=list)
    _shown: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    @property
    def is_empty(self) -> bool:
        """Whether both versions give the same."""
        moved = any(self.rows[name, what] for name, what in self.rows if what in ("added", "removed", "changed"))
        return not moved and not self.quarantine["entered"] and not self.quarantine["left"]

    def add(self, before: Mapping[str, pl.DataFrame], after: Mapping[str, pl.DataFrame]) -> None:
        """Compare the canonical rows of one slice."""
        owners = _owners(before, after)
        empty: pl.DataFrame | None = None
        for name, entity in targets().items():
            one, other = before.get(name, empty), after.get(name, empty)
            if one is None and other is None:
                continue
            filled = one if one is not None else other
            assert filled is not None
            one = filled.clear() if one is None else one
            other = filled.clear() if other is None else other
            self.rows[name, "before"] += one.height
            self.rows[name, "after"] += other.height
            self._compare(entity, one, other, owners)

    def add_quarantine(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Compare the groups that are set aside: group identifier → source reference."""
        self.quarantine["before"] += len(before)
        self.quarantine["after"] += len(after)
        for what, refs in (
            ("entered", [ref for group, ref in after.items() if group not in before]),
            ("left", [ref for group, ref in before.items() if group not in after]),
        ):
            self.quarantine[what] += len(refs)
            kept = self.groups.setdefault(what, [])
            kept += refs[: EXAMPLES - len(kept)]

    def _compare(self, entity: Entity, before: pl.DataFrame, after: pl.DataFrame, owners: pl.DataFrame) -> None:
        columns = [item.name for item in entity.all_fields() if item.name not in _LEFT_OUT and item.name != entity.key]
        # A ledger line's identifier is the store's to make: lines are known by what the mapping gives, like any row.
        keys = [entity.key, "record_no", *columns]
        if before.height == after.height and before.select(keys).equals(after.select(keys)):
            return
        joined = _side_by_side(entity, before, after, owners)
        removed, added = joined.filter(~pl.col(f"{_OTHER}here")), joined.filter(~pl.col("here"))
        both = joined.filter(pl.col("here") & pl.col(f"{_OTHER}here"))
        self._whole_rows(entity, "removed", removed, "", columns)
        self._whole_rows(entity, "added", added, _OTHER, columns)
        differs = {name: pl.col(name).ne_missing(pl.col(f"{_OTHER}{name}")) for name in columns}
        self.rows[entity.name, "changed"] += both.filter(pl.any_horizontal(differs.values())).height
        for name, condition in differs.items():
            changed = both.filter(condition)
            if not changed.is_empty():
                self._changed(entity, name, changed)

    def _changed(self, entity: Entity, name: str, changed: pl.DataFrame) -> None:
        target = entity.field(name)
        amount = target.type is Type.PENCE
        delta = pl.col(f"{_OTHER}{name}").fill_null(0) - pl.col(name).fill_null(0) if amount else pl.lit(0)
        for owner, count, up, down in _sums(changed, delta):
            self._count(entity.name, name, owner, FieldChanges(count=count, up_pence=up, down_pence=down))
        wanted = EXAMPLES - self._shown[entity.name, name]
        for row in changed.head(wanted).iter_rows(named=True):
            values = (MASK, MASK) if target.personal else (row[name], row[f"{_OTHER}{name}"])
            self._show(entity.name, name, row, values)

    def _whole_rows(self, entity: Entity, what: str, rows: pl.DataFrame, prefix: str, columns: list[str]) -> None:
        self.rows[entity.name, what] += rows.height
        if rows.is_empty():
            return
        sign = 1 if what == "added" else -1
        for name in columns:
            if entity.field(name).type is Type.PENCE:
                for owner, count, up, down in _sums(rows, sign * pl.col(f"{prefix}{name}").fill_null(0)):
                    self._count(entity.name, name, owner, FieldChanges(count=count, up_pence=up, down_pence=down))
        for row in rows.head(ROW_EXAMPLES - self._shown[entity.name, None]).iter_rows(named=True):
            self._show(entity.name, None, row, ("row", None) if what == "removed" else (None, "row"))

    def _count(self, entity: str, name: str, owner: str, found: FieldChanges) -> None:
        total = self.fields.setdefault((entity, name, owner), FieldChanges())
        total.count += found.count
        total.up_pence += found.up_pence
        total.down_pence += found.down_pence

    def _show(self, entity: str, name: str | None, row: Mapping[str, Any], values: tuple[Any, Any]) -> None:
        self._shown[entity, name] += 1
        ref = row["source_ref"] if row["source_ref"] is not None else row[f"{_OTHER}source_ref"]
        record = row["record_no"]
        example = Example(entity=entity, source_ref=ref, record=record, field=name, before=values[0], after=values[1])
        self.examples.append(example)

    def as_dict(self) -> dict[str, Any]:
        """The difference in the shape of `mapping diff --json`."""
        return {
            "files": self.files,
            "records": self.records,
            "same": self.is_empty,
            "entities": list(self._entities()),
            "quarantine": {
                **{what: self.quarantine[what] for what in ("before", "after", "entered", "left")},
                "groups": self.groups,
            },
            "examples": [{name: getattr(one, name) for name in Example.__dataclass_fields__} for one in self.examples],
        }

    def _entities(self) -> Iterator[dict[str, Any]]:
        for name in targets():
            counts = {what: self.rows[name, what] for what in ("before", "after", "added", "removed", "changed")}
            if counts["before"] or counts["after"]:
                yield {"entity": name, **counts, "fields": list(self._fields_of(name))}

    def _fields_of(self, entity: str) -> Iterator[dict[str, Any]]:
        for (name, field_name, owner), found in self.fields.items():
            if name == entity:
                row: dict[str, Any] = {"field": field_name, "owner": owner or None, "count": found.count}
                if targets()[entity].field(field_name).type is Type.PENCE:
                    row["up_pence"], row["down_pence"] = found.up_pence, found.down_pence
                    row["net_pence"] = found.up_pence - found.down_pence
                yield row


def _owners(*sides: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Whose money each debt of the slice is, by either version."""
    parts = [side["debts"].select("debt_id", "legal_owner") for side in reversed(sides) if "debts" in side]
    known = pl.concat(parts) if parts else pl.DataFrame(schema={"debt_id": pl.String(), "legal_owner": pl.String()})
    return known.unique("debt_id", keep="first", maintain_order=True)


def _side_by_side(entity: Entity, before: pl.DataFrame, after: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Rows of the same key and record beside each other, those of one version alone with nulls on the other side."""
    key = [entity.key, "record_no"]
    sides = []
    for frame in (before, after):
        rows = frame.unique(key, keep="first", maintain_order=True).with_columns(pl.lit(value=True).alias("here"))
        sides.append(_with_owner(entity, rows, owners))
    renamed = sides[1].rename({name: f"{_OTHER}{name}" for name in sides[1].columns if name not in key})
    joined = sides[0].join(renamed, on=key, how="full", coalesce=True, nulls_equal=True, maintain_order="left_right")
    return joined.with_columns(
        pl.col("here", f"{_OTHER}here").fill_null(value=False),
        pl.coalesce(f"{_OTHER}~owner", "~owner").fill_null("").alias("~owner"),
    )


def _with_owner(entity: Entity, rows: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    names = entity.names()
    own = next((name for name in ("legal_owner", "owner") if name in names), None)
    if own is not None:
        return rows.with_columns(pl.col(own).alias("~owner"))
    if "debt_id" in names:
        known = owners.rename({"legal_owner": "~owner"})
        return rows.join(known, on="debt_id", how="left", maintain_order="left")
    return rows.with_columns(pl.lit(None, dtype=pl.String).alias("~owner"))


def _sums(rows: pl.DataFrame, delta: pl.Expr) -> Iterator[tuple[str, int, int, int]]:
    """By owner: the number of rows, pence up, pence down."""
    grouped = rows.group_by("~owner", maintain_order=True).agg(
        pl.len().alias("count"),
        delta.clip(lower_bound=0).sum().alias("up"),
        (-delta).clip(lower_bound=0).sum().alias("down"),
    )
    for owner, count, up, down in grouped.iter_rows():
        yield owner, count, int(up or 0), int(down or 0)
