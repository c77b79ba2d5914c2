"""All rows of one canonical entity: its sources one below the other, and what is done with keys that repeat."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from integrationhub.canonical import model
from integrationhub.canonical.runs import Runs, distinct
from integrationhub.mapping.faults import REPEATED, Told
from integrationhub.mapping.plan import APART, Mapped, MappingContext, SourcePlan
from integrationhub.mapping.spec import Repeats
from integrationhub.mapping.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPlan:
    """An entity's spec, compiled."""

    entity: model.Entity
    mapping_id: str
    sources: Sequence[SourcePlan]
    repeats: Repeats
    names: tuple[str, ...]  # the canonical columns in table order

    def run(self, tables: Tables, context: MappingContext) -> Mapped:
        """The entity's rows of one batch, sources in the order of the spec, rows in file order."""
        parts = [source.run(tables, context, self.mapping_id) for source in self.sources]
        filled = [part.rows for part in parts if not part.rows.is_empty()]
        if not filled:
            return Mapped(rows=parts[0].rows)
        rows = reduce(pl.DataFrame.vstack, filled)
        apart = [name for name in rows.columns if name.startswith(APART)]
        faults = [fault for part in parts for fault in part.faults]
        if self.entity.unit:
            rows = rows.sort("record_no", maintain_order=True) if len(filled) > 1 else rows
        elif self.repeats in {"first", "last"}:
            rows = self._one_a_key(rows, apart)
        else:
            faults += self._repeats_of(rows, apart or [self.entity.key], parts[0].runs if len(parts) == 1 else None)
        return Mapped(
            rows=rows[list(self.names)] if apart else rows,
            faults=faults,
            gaps=[gap for part in parts for gap in part.gaps],
        )

    def _one_a_key(self, rows: pl.DataFrame, apart: list[str]) -> pl.DataFrame:
        if rows.height <= 1:
            return rows
        if len(self.sources) > 1:
            rows = rows.sort("version", maintain_order=True)
        key = [self.entity.key, *apart]
        return rows.unique(subset=key, keep="first" if self.repeats == "first" else "last", maintain_order=True)

    def _repeats_of(self, rows: pl.DataFrame, key: list[str], runs: Runs | None) -> Iterator[Told]:
        """A fault for every row whose key stood in a row before it."""
        if distinct([rows.get_column(name) for name in key], runs):
            return
        again = rows.filter(~pl.struct(key).is_first_distinct() & pl.all_horizontal(pl.col(key).is_not_null()))
        place, records = self.sources[0].key_place, again.get_column("record_no")
        yield Told(code=REPEATED, place=place, records=records, offsets=again.get_column("byte_offset"))
