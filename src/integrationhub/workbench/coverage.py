"""What a mapping leaves out: source fields nothing reads, canonical fields nothing fills, codes never seen."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from integrationhub.canonical.model import SEALED
from integrationhub.canonical.units import targets
from integrationhub.intake.pieces import Piece
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.readings import CodedField, coded_fields
from integrationhub.mapping.scope import Place
from integrationhub.records import CanonicalBatch

NEVER = "not filled by this source"


@dataclass(slots=True)
class Coverage:
    """Coverage of one mapping; the rows of files are added slice by slice."""

    mapping: CompiledMapping
    is_made: Callable[[Place], bool]  # does reading make this field, so that it is none of the source's?
    files: int = 0
    records: int = 0
    _codes: Mapping[tuple[str, str], CodedField] = field(init=False)
    _seen: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    _filled: Counter[tuple[str, str]] = field(default_factory=Counter)
    _rows: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._codes = {(one.table, one.field): one for one in coded_fields(self.mapping.documents)}

    def unused(self) -> Iterator[tuple[str, str]]:
        """Source fields (table, field) that no spec looks at."""
        reads = self.mapping.reads
        for table, fields in self.mapping.layout.items():
            used = reads.get(table, ())
            yield from ((table, name) for name in self._fields(table, fields) if name not in used)

    def _fields(self, table: str, names: Iterable[str]) -> Iterator[str]:
        """The fields of a table that stand in the source."""
        for name in names:
            if not name.startswith("_") and not self.is_made(Place(table=table, field=name)):
                yield name

    def unfilled(self) -> Iterator[tuple[str, str]]:
        """Canonical fields (entity, field) that no source of any spec fills."""
        filled: dict[tuple[str, str], bool] = {}
        for line in self.mapping.lineage():
            key = (line.entity, line.field)
            filled[key] = filled.get(key, False) or line.expression != NEVER
        yield from (key for key, is_filled in filled.items() if not is_filled)

    def add(self, piece: Piece, batch: CanonicalBatch) -> None:
        """Look at one slice and what became of it."""
        self.records += piece.records
        for table, name in self._codes:
            column = pl.Series(piece.decoded.tables[table].column(name)).cast(pl.String)
            counts = column.drop_nulls().value_counts()
            self._seen.setdefault((table, name), Counter()).update(dict(counts.iter_rows()))
        for entity, rows in batch.rows.items():
            self._rows[entity] += rows.height
            filled = rows.select(pl.all().count()).row(0) if rows.height else ()
            self._filled.update({(entity, name): count for name, count in zip(rows.columns, filled, strict=False)})

    def unseen(self) -> Iterator[tuple[str, str, str, str]]:
        """Codes of lists (table, field, list, code) that the data never has."""
        for key, coded in self._codes.items():
            seen = self._seen.get(key, Counter())
            yield from ((*key, coded.list, code) for code in sorted(coded.codes) if code not in seen)

    def empty(self) -> Iterator[tuple[str, str]]:
        """Canonical fields that a spec fills and that are empty in every row of the data."""
        never = set(self.unfilled())
        for entity, count in self._rows.items():
            for name in targets()[entity].names() if count else ():
                if not self._filled[entity, name] and (entity, name) not in never and name not in SEALED:
                    yield entity, name

    def as_dict(self) -> dict[str, Any]:
        """The coverage in the shape of `mapping coverage --json`."""
        found: dict[str, Any] = {
            "connector": self.mapping.connector,
            "source_fields": sum(len(list(self._fields(*one))) for one in self.mapping.layout.items()),
            "unused_source_fields": _listed(("table", "field"), self.unused()),
            "canonical_fields_never_filled": _listed(("entity", "field"), self.unfilled()),
        }
        if self.files:
            found |= {
                "files": self.files,
                "records": self.records,
                "codes_never_seen": _listed(("table", "field", "list", "code"), self.unseen()),
                "canonical_fields_empty_in_data": _listed(("entity", "field"), self.empty()),
            }
        return found


def _listed(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[dict[str, str]]:
    return [dict(zip(names, row, strict=True)) for row in rows]
