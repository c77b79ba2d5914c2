"""Compares, in an engine of its own (DuckDB), what files say with what the hub holds: every row, every field.

For each kind of row there are two relations of one shape, `said_<kind>` and `held_<kind>`, keyed by source group,
source reference and occurrence. They are joined in full: a row on one side only is a break, and so is each field in
which a pair differs. Nothing is sampled. DuckDB works on disk, within a limit of memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, Self

import duckdb
import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.migration.reconcile.moves import Moves, compare_moves

KEY = ("grp", "source_ref", "nth")
_PARTY_COLUMNS = {"nrp_party", "party", "payer"}
"""Columns of kinds of rows that name a party."""

_NAMED_PARTIES = {"party_id": pl.String, "source_ref": pl.String}

MOST_SHOWN = 1_000
"""Breaks of one kind of row that are itemised; all of them are counted."""

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """How the files of one source system are read a second time.

    `kinds`: the kinds of rows that are compared. `empty` gives every table the reader makes, without rows.
    `leaves_out`: a group that was set aside is not loaded (it is held all the same where this is false). `events`: how
    change events that come between the files are read.
    """

    system: str
    kinds: tuple[str, ...]
    sql: str
    read: Callable[[BinaryIO], Iterator[Tables]]
    empty: Callable[[], Tables]
    leaves_out: bool = True
    events: "Events | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """A kept message that was not refused; `body` gives its bytes."""

    delivery_id: str
    body: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """How the change events of a book are read: in the order in which they were taken, into tables of this shape."""

    sql: str
    read: Callable[[Iterable[KeptMessage]], Iterator[pl.DataFrame]]
    empty: Callable[[], pl.DataFrame]


CHANGES = "changes"
"""The kind of rows that change events are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """An accepted file: the delivery, its number, its kept bytes, and its source groups that were set aside."""

    delivery_id: str
    sequence: int
    open: Callable[[], AbstractContextManager[BinaryIO]]
    set_aside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Something that differs. `field` is None where a whole row is on one side only; `entity` is the kind of row.

    `source_ref` may be personal (CS2 case references hold a NINO): it is data asked for, never logged.
    """

    entity: str
    verdict: str  # MISSING (the hub lacks it), SURPLUS (no file says so), DIFFERENT, MISPLACED (not where it says)
    source_ref: str
    group: str | None
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How one kind of row compares: rows on both sides, values looked at, breaks; the first of them are itemised."""

    entity: str
    said: int
    held: int
    values: int
    breaks: int
    items: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A control total on both sides: a count, or pence."""

    name: str
    unit: str  # count, pence
    said: int
    held: int

    @property
    def holds(self) -> bool:
        """Whether both sides agree, to the unit."""
        return self.said == self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One book against the hub. `set_aside`: source groups that wait for a person; they are in neither side."""

    system: str
    files: int
    compared: tuple[Compared, ...]
    totals: tuple[Total, ...]
    set_aside: tuple[str, ...] = field(default=())
    moves: Moves = field(default_factory=Moves)

    @property
    def breaks(self) -> int:
        """Breaks of every kind."""
        return sum(item.breaks for item in self.compared)

    @property
    def holds(self) -> bool:
        """Nothing differs, to the penny."""
        return not self.breaks and not self.moves.broken and all(total.holds for total in self.totals)


class Comparison:
    """One book's comparison in a work folder; use as a context manager."""

    def __init__(self, book: Book, folder: Path, *, synthetic_identities: bool, memory: str = "1GB") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._book = book
        self._engine = duckdb.connect(str(folder / f"{book.system}.duckdb"))
        self._engine.execute(f"SET memory_limit = '{memory}'")
        self._engine.execute(f"SET temp_directory = '{folder}'")
        self._engine.execute("SET threads = 2")
        self._engine.execute("SET preserve_insertion_order = false")
        self._synthetic = synthetic_identities
        self._scripts = ["held", book.sql]
        self._kinds = list(book.kinds)
        self._tables: set[str] = set()
        self._aside: list[tuple[int, str]] = []
        self._deliveries: list[tuple[str, int]] = []
        self._files = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def take_files(self, kept: Iterable[KeptFile], progress: Callable[[int], None] = lambda _files: None) -> None:
        """Read accepted files, in the order of their numbers."""
        for name, frame in self._book.empty().items():
            self._append(f"raw_{name}", _numbered(frame, 0))
        for item in kept:
            self._deliveries.append((item.delivery_id, item.sequence))
            self._aside += [(item.sequence, group) for group in sorted(item.set_aside)]
            with item.open() as stream:
                for tables in self._book.read(stream):
                    for name, frame in tables.items():
                        self._append(f"raw_{name}", _numbered(frame, item.sequence))
            self._files += 1
            progress(self._files)

    def take_messages(self, kept: Iterable[KeptMessage]) -> None:
        """Read change events, in the order in which they were taken."""
        if self._book.events is not None:
            self._kinds.append(CHANGES)
            self._scripts.append(self._book.events.sql)
            self._append("raw_events", self._book.events.empty())
            for frame in self._book.events.read(kept):
                self._append("raw_events", frame)

    def take_rows(self, entity: str, frames: Iterable[pl.DataFrame]) -> None:
        """Take what the hub holds of an entity, or CHANGES; rows of other source systems are passed over."""
        for frame in frames:
            self._append(f"hub_{entity}", frame.filter(pl.col("source_system") == self._book.system))

    def run(self) -> Reconciliation:
        """Compare everything that was taken."""
        aside = pl.DataFrame(self._aside, schema={"seq": pl.Int64, "grp": pl.String}, orient="row")
        self._append("set_aside", aside)
        came = pl.DataFrame(self._deliveries, schema={"delivery_id": pl.String, "came": pl.Int64}, orient="row")
        self._append("deliveries", came)
        self._append("named_parties", pl.DataFrame(schema=_NAMED_PARTIES))
        self._engine.execute(_macros(synthetic=self._synthetic))
        for name in self._scripts:
            self._engine.execute(_script(name))
        self._append("named_parties", self._named_parties())
        return Reconciliation(
            system=self._book.system,
            files=self._files,
            compared=tuple(self._compare(kind) for kind in self._kinds),
            totals=tuple(self._totals()),
            set_aside=tuple(sorted({group for _, group in self._aside})),
        )

    def moves(self, accounts: Iterable[pl.DataFrame]) -> Moves:
        """Compare what moved with what was read; after `run`."""
        return compare_moves(self._engine, self._book.system, accounts)

    def _append(self, table: str, frame: pl.DataFrame) -> None:
        self._engine.register("arriving", frame.to_arrow())
        made = "INSERT INTO" if table in self._tables else "CREATE TABLE"
        how = "BY NAME" if table in self._tables else "AS"
        self._engine.execute(f"{made} {table} {how} SELECT * FROM arriving")  # noqa: S608 - a name of this module
        self._engine.unregister("arriving")
        self._tables.add(table)

    def _named_parties(self) -> pl.DataFrame:
        """Parties that rows of the files name though no record is theirs: a reference may point to nothing (E10)."""
        named = " UNION ".join(
            f'SELECT "{column}" AS ref FROM said_{kind}'  # noqa: S608 - names of this module
            for kind in self._kinds
            for column in _PARTY_COLUMNS & set(self._fields(kind))
        )
        lone = f"SELECT ref FROM ({named}) WHERE ref NOT IN (SELECT source_ref FROM hub_parties) ORDER BY ref"  # noqa: S608
        refs = [str(row[0]) for row in self._engine.execute(lone).fetchall()] if named else []
        rows = [(derive("party", self._book.system, ref), ref) for ref in refs]
        return pl.DataFrame(rows, schema=_NAMED_PARTIES, orient="row")

    def _fields(self, kind: str) -> list[str]:
        columns = [str(row[0]) for row in self._engine.execute(f"DESCRIBE said_{kind}").fetchall()]
        return [name for name in columns if name not in KEY]

    def _compare(self, kind: str) -> Compared:
        fields = self._fields(kind)
        join = _full_join(kind)
        said, held = self._engine.execute(f"SELECT count(s.nth), count(h.nth) FROM {join}").fetchall()[0]  # noqa: S608
        self._engine.execute(f"CREATE OR REPLACE TEMP TABLE breaks AS {_breaks_of(kind, fields)}")
        if kind != CHANGES:  # a message has no place in a file
            self._engine.execute(f"INSERT INTO breaks {_misplaced(kind)}")
        count = self._engine.execute("SELECT count(*) FROM breaks").fetchall()[0][0]
        found = self._engine.execute("SELECT * FROM breaks ORDER BY ALL LIMIT ?", [MOST_SHOWN]).fetchall()
        items = tuple(
            Break(entity=kind, verdict=verdict, source_ref=ref, group=group, field=name or None)
            for verdict, group, ref, name in found
        )
        values = min(said, held) * len(fields)
        return Compared(entity=kind, said=said, held=held, values=values, breaks=count, items=items)

    def _totals(self) -> Iterator[Total]:
        for name, unit, said, held in self._engine.execute(_script("totals")).fetchall():
            yield Total(name=name, unit=unit, said=int(said or 0), held=int(held or 0))


def _numbered(frame: pl.DataFrame, sequence: int) -> pl.DataFrame:
    return frame.with_columns(pl.lit(sequence, dtype=pl.Int64).alias("seq"))


def _full_join(kind: str) -> str:
    """Both relations by their key; a row that stands twice under one key on one side has no partner."""
    keys = ", ".join(KEY)
    on = " AND ".join(f"s.{name} IS NOT DISTINCT FROM h.{name}" for name in (*KEY, "again"))
    said, held = (
        f"(SELECT *, row_number() OVER (PARTITION BY {keys}) AS again FROM {side}_{kind})"  # noqa: S608
        for side in ("said", "held")
    )
    return f"{said} s FULL JOIN {held} h ON {on}"


def _breaks_of(kind: str, fields: Sequence[str]) -> str:
    """The query for what differs: verdict, group, reference, field."""
    differs = {name: f's."{name}" IS DISTINCT FROM h."{name}"' for name in fields}
    names = ", ".join(f"CASE WHEN {test} THEN '{name}' END" for name, test in differs.items())
    alone = "s.nth IS NULL OR h.nth IS NULL"
    # Which names come from the shape of a view, none from a file.
    return f"""
    SELECT * FROM (
      SELECT CASE WHEN h.nth IS NULL THEN 'MISSING' WHEN s.nth IS NULL THEN 'SURPLUS' ELSE 'DIFFERENT' END AS verdict,
             coalesce(s.grp, h.grp) AS grp, coalesce(s.source_ref, h.source_ref) AS ref,
             unnest(CASE WHEN {alone} THEN [''] ELSE [{names}] END) AS name
      FROM {_full_join(kind)} WHERE {alone} OR {" OR ".join(differs.values())}
    ) WHERE name IS NOT NULL
    """  # noqa: S608


_FROM_FILES = {
    "cases": "state <> 'WITHDRAWN'",
    "debts": "status <> 'REMOVED'",
    "balances": "kind = 'SOURCE' AND debt_id IN (SELECT debt_id FROM hub_debts WHERE status <> 'REMOVED')",
    "ledger": "cancels_entry_id IS NULL AND kind NOT IN ('TRANSFER_OUT', 'TRANSFER_IN')",
}
"""Rows of a kind that stand in a file as they are; others say that something was taken away, or were decided here."""


def _misplaced(kind: str) -> str:
    """The query for rows whose provenance points to no such row: there must be one at that byte, in that file."""
    own = _FROM_FILES.get(kind, "true")
    return f"""
    SELECT 'MISPLACED', NULL, h.source_ref, 'record_no' FROM (SELECT * FROM hub_{kind} WHERE {own}) h
    LEFT JOIN deliveries d USING (delivery_id)
    WHERE NOT EXISTS (
      SELECT 1 FROM places p
      WHERE p.kind = '{kind}' AND p.seq = d.came AND p.record_no = h.record_no AND p.byte_offset = h.byte_offset
        AND coalesce(p.source_ref, h.source_ref) = h.source_ref)
    """  # noqa: S608


def _macros(*, synthetic: bool) -> str:
    """Whether a National Insurance number may join records (arrears-errors.md E12, csa1993.md §7)."""
    barred = "'BG','GB','KN','NK','NT','TN','ZZ','OO','CR','FY','MW','NC','PP','PY','PZ'"
    form = "[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z][0-9]{6}[A-D]?"
    tested = "OR regexp_full_match(n, 'QQ[0-9]{6}[A-D]?')" if synthetic else ""
    return f"""CREATE MACRO is_usable(n) AS coalesce(
      (regexp_full_match(n, '{form}') AND left(n, 2) NOT IN ({barred})) {tested}, false)"""


def _script(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
