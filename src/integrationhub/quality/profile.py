"""The data quality of source files before mapping, on six dimensions, slice by slice in bounded memory.

completeness  fields that hold something
uniqueness    keys that occur once
consistency   records that name a record which is there; checks of the mapping that hold
timeliness    dates that are not later than the file's as-at date
validity      fields that can be read: bytes, dates, codes
accuracy      balances that equal the sum of their ledger lines; control totals that agree with the file's trailer
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from integrationhub.canonical.units import targets
from integrationhub.decode.controls import Stated
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.plan import MappingContext
from integrationhub.mapping.readings import coded_fields, dated_fields
from integrationhub.mapping.scope import Place
from integrationhub.mapping.shapes import Shapes
from integrationhub.quality.fields import FieldProfile
from integrationhub.quality.links import Link, Links, links_of
from integrationhub.records import CanonicalBatch, DecodedBatch
from integrationhub.sdk.descriptor import Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One dimension: how many things were measured, how many are at fault, and what they are."""

    name: str
    total: int
    faulty: int
    what: str

    @property
    def share(self) -> float:
        """The share in order, from 0 to 1."""
        return 1.0 if self.total == 0 else 1 - self.faulty / self.total

    @property
    def percent(self) -> str:
        """The share in words, never rounded up to all."""
        if self.total == 0:
            return "nothing to measure"
        return "100 %" if self.faulty == 0 else f"{min(99.99, 100 * self.share):.2f} %"


@dataclass(slots=True)
class QualityProfile:
    """Everything measured of some files of one connector."""

    descriptor: Descriptor
    mapping: CompiledMapping
    shapes: Shapes
    is_made: Callable[[Place], bool]  # does reading make this field, so that it is none of the source's?
    files: list[str] = field(default_factory=list)
    records: int = 0
    as_at: date | None = None
    fields: dict[tuple[str, str], FieldProfile] = field(default_factory=dict)
    controls: list[Stated] = field(default_factory=list)
    checked: int = 0
    broken: int = 0
    orphans: dict[str, tuple[int, int]] = field(default_factory=dict)  # field → (measured, nobody there)
    repeated: dict[str, tuple[int, int]] = field(default_factory=dict)  # key → (rows, rows whose key occurred before)
    balances: tuple[int, int] = (0, 0)  # measured, not the sum of their lines
    _links: Links = field(init=False)
    _file: "_File" = field(init=False)

    def __post_init__(self) -> None:
        self._links = links_of(self.descriptor)
        codes = {(one.table, one.field): one for one in coded_fields(self.mapping.documents)}
        rules = {(one.table, one.field): one.rule for one in dated_fields(self.mapping.documents)}
        lines = [one for one in self.mapping.lineage() if targets()[one.entity].field(one.field).personal]
        personal = {(place.table, place.field) for one in lines for place in one.fields}
        for table, columns in self.mapping.layout.items():
            for name in columns:
                key = (table, name)
                if not name.startswith("_") and not self.is_made(Place(table=table, field=name)):
                    self.fields[key] = FieldProfile(
                        table=table, field=name, coded=codes.get(key), rule=rules.get(key), personal=key in personal
                    )

    def begin(self, name: str, context: MappingContext) -> None:
        """The next file begins."""
        self.files.append(name)
        self.as_at = context.as_at if self.as_at is None else max(self.as_at, context.as_at)
        self._file = _File()

    def add(
        self,
        decoded: DecodedBatch,
        batch: CanonicalBatch,
        as_at: date,
        *,
        records: int,
        controls: Sequence[Stated] = (),
    ) -> None:
        """Measure one piece of the file; `controls` are those that the file states and this piece completes."""
        self.controls += controls
        self.records += records
        frames = {name: pl.DataFrame(pl.from_arrow(table)) for name, table in decoded.tables.items()}
        variants: dict[tuple[str, str], pl.DataFrame] = {}
        for (table, name), profile in self.fields.items():
            shape = self.shapes.fields.get((table, name))
            variant = shape.variant if shape is not None else ""
            if (table, variant) not in variants:
                variants[table, variant] = self._with_variant(frames[table], variant)
            if variants[table, variant].height:
                profile.add(variants[table, variant][name], as_at)
        for table, name, count in decoded.faults.group_by("table", "field").len().iter_rows():
            if (table, name) in self.fields:
                self.fields[table, name].faulty += count
        self._file.add(self._links, frames)
        self.checked += sum(rows.height for rows in batch.rows.values())
        self.broken += batch.notes.height
        self._add_balances(batch)

    def end(self) -> None:
        """The file has ended."""
        for key, parts in self._file.keys.items():
            hashes = np.concatenate(parts)
            rows, again = self.repeated.get(key, (0, 0))
            self.repeated[key] = (rows + len(hashes), again + len(hashes) - len(np.unique(hashes)))
        for link in self._links.parents:
            named, lost = self._file.named(link)
            rows, before = self.orphans.get(link.label, (0, 0))
            self.orphans[link.label] = (rows + named, before + lost)

    def _with_variant(self, frame: pl.DataFrame, variant: str) -> pl.DataFrame:
        """The rows in which this redefinition is used."""
        if not variant:
            return frame
        for rule in self.descriptor.layout.redefines.values():
            values = [value for value, name in rule.when.items() if name == variant]
            if values and rule.by in frame.columns:
                return frame.filter(pl.col(rule.by).cast(pl.String).is_in(values))
        return frame

    def _add_balances(self, batch: CanonicalBatch) -> None:
        if "balances" not in batch.rows or "ledger" not in batch.rows:
            return
        lines = batch.rows["ledger"].group_by("debt_id").agg(pl.col("pence").sum().alias("recomputed"))
        known = batch.rows["balances"].filter(pl.col("debt_id").is_not_null())
        joined = known.join(lines, on="debt_id", how="left").select("pence", pl.col("recomputed").fill_null(0))
        wrong = joined.filter(pl.col("pence") != pl.col("recomputed")).height
        self.balances = (self.balances[0] + joined.height, self.balances[1] + wrong)

    @property
    def scores(self) -> tuple[Score, ...]:
        """The six dimensions."""
        cells = [one for one in self.fields.values() if one.rows]
        dated = [one for one in cells if one.rule is not None]
        read = sum(one.filled for one in cells)
        invalid = sum(one.faulty + one.unlisted for one in cells)
        kept = [not _differs(one) for one in self.controls]
        rows, again = _summed(self.repeated.values())
        named, lost = _summed(self.orphans.values())
        balances, wrong = self.balances
        total = sum(one.rows for one in cells)
        days = sum(sum(one.years.values()) for one in dated)
        return (
            Score(name="completeness", total=total, faulty=total - read, what="fields that hold something"),
            Score(name="uniqueness", total=rows, faulty=again, what="keys that occur once in their file"),
            Score(
                name="consistency",
                total=named + self.checked,
                faulty=lost + self.broken,
                what="records whose parent is in their group; checks of the mapping that hold",
            ),
            Score(
                name="timeliness", total=days, faulty=sum(one.late for one in dated), what="dates up to the as-at date"
            ),
            Score(name="validity", total=read, faulty=invalid, what="fields that can be read: bytes, dates, codes"),
            Score(
                name="accuracy",
                total=balances + len(kept),
                faulty=wrong + kept.count(False),
                what="balances that equal the sum of their lines; control totals that agree",
            ),
        )

    def field_rows(self) -> Iterator[tuple[object, ...]]:
        """The fields that occur, for a table: name, rows, filled, faulty, placeholders, earliest and latest day."""
        for one in self.fields.values():
            if one.rows:
                filled = f"{100 * one.filled / one.rows:.1f} %"
                faulty = one.faulty + one.unlisted
                yield (
                    one.table,
                    one.field,
                    f"{one.rows:,}",
                    filled,
                    f"{faulty:,}",
                    f"{one.placeholders:,}",
                    one.earliest,
                    one.latest,
                )

    def as_dict(self) -> dict[str, Any]:
        """The profile in the shape of `mapping profile --json`."""
        return {
            "connector": self.descriptor.name,
            "files": self.files,
            "as_at": self.as_at,
            "records": self.records,
            "dimensions": [{**asdict(one), "share": round(one.share, 6)} for one in self.scores],
            "keys": {key: {"rows": rows, "repeated": again} for key, (rows, again) in self.repeated.items()},
            "parents": {name: {"named": named, "missing": lost} for name, (named, lost) in self.orphans.items()},
            "controls": [{**asdict(one), "holds": not _differs(one)} for one in self.controls],
            "fields": [one.as_dict() for one in self.fields.values() if one.rows],
        }


@dataclass(slots=True)
class _File:
    """What must be kept of one file until it ends: eight bytes of every key, and of every different reference."""

    keys: dict[str, list[npt.NDArray[np.uint64]]] = field(default_factory=dict)
    parents: dict[str, list[pl.DataFrame]] = field(default_factory=dict)  # by link: hash, and how often it is named
    known: dict[str, list[pl.Series]] = field(default_factory=dict)

    def add(self, links: Links, frames: Mapping[str, pl.DataFrame]) -> None:
        """Take the keys and references of one piece."""
        for table, columns in links.keys:
            rows = frames[table].select(columns).drop_nulls()
            self.keys.setdefault(f"{table}.{columns[-1]}", []).append(_hashes(rows).to_numpy())
        for link in links.parents:
            children = frames[link.child].select(link.child_columns).drop_nulls()
            if link.nobody is not None:
                children = children.filter(pl.col(link.child_columns[-1]) != link.nobody)
            counted = _hashes(children).value_counts(name="times")
            self.parents.setdefault(link.label, []).append(counted)
            there = frames[link.parent].select(link.parent_columns).drop_nulls()
            self.known.setdefault(link.label, []).append(_hashes(there).unique())

    def named(self, link: Link) -> tuple[int, int]:
        """How many rows name a parent, and how many of these one that is not in the file."""
        children = pl.concat(self.parents.get(link.label, [])) if self.parents.get(link.label) else None
        if children is None:
            return 0, 0
        known = pl.concat(self.known[link.label]).unique()
        lost = children.filter(~pl.col("key").is_in(known.implode()))
        return int(children["times"].sum()), int(lost["times"].sum())


def _hashes(rows: pl.DataFrame) -> pl.Series:
    # By values alone: columns of child and parent have other names, and may be the one text, the other the same text.
    return rows.hash_rows().alias("key")


def _differs(control: Stated) -> bool:
    """A control that the file states and that was counted otherwise."""
    return control.expected is not None and control.expected != control.actual


def _summed(pairs: "Sequence[tuple[int, int]] | Any") -> tuple[int, int]:  # noqa: ANN401 - any views of pairs
    found = list(pairs)
    return sum(one for one, _ in found), sum(other for _, other in found)
