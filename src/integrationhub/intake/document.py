"""An XML extract checked, grouped and mapped, before anything of it is stored.

    pass 1   inflated, parsed, validated in one stream; its lists are spooled as Arrow files, memory bounded by a batch
    checks   container, DOCTYPE, well-formedness, root, schema, keys, counts, controls: the first that fails is reported
    pass 2   portion by portion (decode.xml.groups): the rows of whole groups together, mapped, spooled as a slice

The portions depend on the document alone, so a run that was killed finds the same slices again.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.controls import ControlVerdict, Stated
from integrationhub.decode.xml.columns import Gatherer
from integrationhub.decode.xml.faults import Faults
from integrationhub.decode.xml.groups import ALONE, PORTION, Grouping, added_up, group_rows, wanted_keys
from integrationhub.decode.xml.inflate import inflate
from integrationhub.decode.xml.layout import DocumentLayout, read_layout
from integrationhub.decode.xml.reader import DocumentReader
from integrationhub.decode.xml.values import converted
from integrationhub.errors import FileRejected
from integrationhub.intake.staging import REASONS_PER_GROUP, Parts, Quarantined, SortedOut, Staged, StagedSlice
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.mapping.tables import Layout, layout_of
from integrationhub.receive.trigger import Trigger
from integrationhub.records import CanonicalBatch, DecodedBatch, Reason
from integrationhub.sdk.descriptor import Descriptor, Document, DocumentTotal, XmlLayout

GROUPS = "Group"
"""The table that grouping makes: one row a source group."""


def document_layout(descriptor: Descriptor) -> DocumentLayout:
    """The lists of a connector's documents, from its schema."""
    assert isinstance(descriptor.any_layout, XmlLayout)
    assert descriptor.document is not None
    name = descriptor.any_layout.schema_file
    return read_layout(descriptor.text_of(name), name=name, root=descriptor.document.root.rpartition("}")[2])


def mapped_layout(layout: DocumentLayout, rules: Document) -> Layout:
    """The tables that the mapping sees: the document's, each with its group, and the groups themselves."""
    empty = Gatherer(layout, Faults(rules.codes)).layout()
    tables = dict(layout_of(empty))
    for name, columns in tables.items():
        tables[name] = {**columns, "group": pl.String()}
    for name in rules.groups.by_case:
        tables[name] = {**tables[name], ORDINAL: pl.Int64()}
    places: dict[str, pl.DataType] = {"_record": pl.Int64(), "_offset": pl.Int64(), "group": pl.String()}
    for name, rule in rules.sums.items():
        texts = {rule.case: pl.String(), rule.owner: pl.String()}
        tables[name] = {**places, **texts, **dict.fromkeys((*rule.fields, "lines"), pl.Int64())}
    return {**tables, GROUPS: {**places, "owner": pl.String(), "cases": pl.Int64()}}


NO_OWNER = "no non-resident parent"
"""How the group of a case without one goes by: its key has the case's reference in it, which is personal."""

ORDINAL = "ordinal"
"""Column of tables that hang on cases: the row's number within its case, from 1."""


_PLACE = ["_record", "_offset", "group"]


class _Lists:
    """The lists of a document on disk: an Arrow file a table, written batch by batch, then read through memory maps."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, pa.RecordBatchFileWriter] = {}
        folder.mkdir(parents=True)

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        for name, table in tables.items():
            if name not in self._writers:
                self._writers[name] = pa.ipc.new_file(str(self._path(name)), table.schema)
            self._writers[name].write_table(table)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def names(self) -> tuple[str, ...]:
        return tuple(self._writers)

    def batches(self, name: str) -> Iterator[pa.RecordBatch]:
        if name in self._writers:
            with pa.memory_map(str(self._path(name))) as source:
                reader = pa.ipc.open_file(source)
                for number in range(reader.num_record_batches):
                    yield reader.get_batch(number)

    def keys(self, name: str, columns: Sequence[str], empty: pl.DataFrame) -> pl.DataFrame:
        """A few columns of a whole table."""
        wanted = ["_record", "_offset", *columns]
        parts = [pl.DataFrame(pl.from_arrow(batch.select(wanted))) for batch in self.batches(name)]
        return pl.concat([empty.select(wanted), *parts])

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.arrow"


@dataclass(slots=True)
class _Sums:
    """What was counted and added up while the document was read."""

    rules: Document
    counts: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        for name, table in tables.items():
            self.counts[name] += table.num_rows
        for name, total in self.rules.totals.items():
            if total.table in tables:
                self.totals[name] += _sum(total, tables[total.table])


def _sum(total: DocumentTotal, table: pa.Table) -> int:
    frame = pl.DataFrame(pl.from_arrow(table.select([total.field, *total.where])))
    for column, codes in total.where.items():
        frame = frame.filter(pl.col(column).is_in(list(codes)))
    return int(frame[total.field].sum() or 0)


def _reasons(faults: pl.DataFrame) -> Iterator[Reason]:
    """Where values passed the schema but not the mapping; never the values."""
    for row in faults.head(REASONS_PER_GROUP).iter_rows(named=True):
        text = f"{row['field']} in {row['table']}: {row['code']}; its group is set aside"
        yield Reason(code=row["code"], text=text, record=row["record"], offset=row["offset"], field=row["field"])


def _without(rows: pl.DataFrame, places: pl.DataFrame, set_aside: Sequence[Quarantined]) -> pl.DataFrame:
    """The rows that belong to no group that is set aside."""
    bad = [group.group_id for group in set_aside]
    if "group_id" in rows.columns:
        return rows.filter(~pl.col("group_id").is_in(bad))
    records = places.filter(pl.col("group").is_in([group.source_ref for group in set_aside]))["_record"]
    return rows.filter(~pl.col("record_no").is_in(records.implode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Portions:
    """A document that is only looked at: what its root and its control say, and the tables of each portion."""

    sequence: int
    as_at: date
    controls: tuple[Stated, ...]
    tables: Iterator[Mapping[str, pa.Table]]


class DocumentStager:
    """Checks and maps the XML extracts of one connector."""

    def __init__(
        self,
        descriptor: Descriptor,
        layout: DocumentLayout,
        mapping: CompiledMapping,
        *,
        portion: int = PORTION,
        uncompressed_limit: int | None = None,
    ) -> None:
        """`uncompressed_limit`: bytes that may come out of a file, in place of what the descriptor says."""
        assert isinstance(descriptor.any_layout, XmlLayout)
        assert descriptor.document is not None
        self._file = descriptor.any_layout
        self._rules = descriptor.document
        self._system = descriptor.connector.source_system
        self._trigger_code = descriptor.delivery.codes.trigger
        self._layout = layout
        self._mapping = mapping
        self._portion = portion
        self._limit = uncompressed_limit or self._file.uncompressed_limit
        self._empty = {
            name: pl.DataFrame(pl.from_arrow(table))
            for name, table in Gatherer(layout, Faults(self._rules.codes)).layout().items()
        }

    def stage(
        self,
        stream: BinaryIO,
        spool: Path,
        *,
        context: MappingContext,
        trigger: Trigger,
        cuts: Sequence[int] = (),  # noqa: ARG002 - portions are found again from the document itself
        progress: Callable[[int], None] = lambda _bytes: None,
    ) -> Staged:
        """Check the file in `stream` and spool its canonical rows below `spool`; see `intake.staging.Stager`."""
        shutil.rmtree(spool, ignore_errors=True)
        faults = Faults(self._rules.codes, header_code=self._trigger_code)
        lists, sums = _Lists(spool / "lists"), _Sums(self._rules)
        reader = DocumentReader(self._layout, root=self._rules.root, faults=faults)
        pieces = inflate(
            stream,
            promised=int(trigger.extra[self._file.uncompressed_key]),
            limit=self._limit,
            faults=faults,
            progress=progress,
        )
        for tables in reader.read(pieces):
            sums.add(tables)
            if not faults.found:  # of a document that is refused nothing is kept
                lists.add(tables)
        lists.close()
        controls = self._judge(reader, sums, lists, faults, trigger)
        verdict = ControlVerdict(
            fault=faults.first(),
            controls=controls,
            full_book=reader.header.get(self._rules.kind.field) == self._rules.kind.full,
            records=reader.records,
            units=reader.records,
        )
        slices = tuple(self._slices(lists, spool, context, size=trigger.size)) if verdict.fault is None else ()
        shutil.rmtree(spool / "lists", ignore_errors=True)
        return Staged(verdict=verdict, slices=slices)

    def portions(self, stream: BinaryIO, folder: Path) -> "Portions":
        """A document portion by portion, to be looked at only; its lists lie in `folder` meanwhile.

        FileRejected: it can't be read, or isn't valid.
        """
        faults, lists, sums = Faults(self._rules.codes), _Lists(folder), _Sums(self._rules)
        reader = DocumentReader(self._layout, root=self._rules.root, faults=faults)
        limit = self._file.uncompressed_limit
        pieces = inflate(stream, promised=None, limit=limit, faults=faults, progress=lambda _bytes: None)
        for tables in reader.read(pieces):
            sums.add(tables)
            lists.add(tables)
        lists.close()
        fault = faults.first()
        sequence = reader.header.get(self._rules.sequence, "").strip()
        day = converted("date", [reader.header.get(self._rules.as_at)])[0][0]
        if fault is not None or not sequence.isdecimal() or day is None:
            code, text = (
                (fault.code, fault.text) if fault is not None else ("HEADER", "its root does not say what it is")
            )
            raise FileRejected(f"the document can't be read: {text}", code=code)
        return Portions(
            sequence=int(sequence),
            as_at=date(day // 10_000, day // 100 % 100, day % 100),
            controls=tuple(self._controls(reader, sums)),
            tables=(tables for tables, *_ in self._portions(lists)),
        )

    def _portions(self, lists: _Lists) -> Iterator[tuple[dict[str, pa.Table], int, Grouping]]:
        """The tables of each portion with its number, and how the document is grouped."""
        rules = self._rules.groups
        wanted = wanted_keys(rules)
        keys = {name: lists.keys(name, wanted.get(name, ()), self._empty[name]) for name in self.elements}
        grouping = group_rows(rules, keys, portion=self._portion)
        del keys
        for number in range(grouping.portions):
            yield dict(self._portion_of(lists, grouping, number)), number, grouping

    def sort_out(self, tables: Mapping[str, pa.Table], batch: CanonicalBatch) -> SortedOut:
        """What of a mapped portion is loaded, and which groups are set aside."""
        places = self._places(tables)
        set_aside = tuple(self._quarantined(places, batch.faults, batch.rows["cases"]))
        kept = batch.rows
        if set_aside:
            kept = {name: _without(rows, places, set_aside) for name, rows in batch.rows.items()}
        return SortedOut(rows=kept, quarantined=set_aside)

    def _places(self, tables: Mapping[str, pa.Table]) -> pl.DataFrame:
        return pl.concat([pl.DataFrame(pl.from_arrow(tables[name].select(_PLACE))) for name in self.elements])

    def _judge(
        self, reader: DocumentReader, sums: _Sums, lists: _Lists, faults: Faults, trigger: Trigger
    ) -> tuple[Stated, ...]:
        """Keys, counts and controls, once the whole document is read; the controls as the report shows them."""
        records = Stated(name="records", expected=trigger.records, actual=reader.records)
        controls = (records, *self._controls(reader, sums))
        if faults.found:
            return controls
        self._check_header(reader, trigger, faults)
        self._check_keys(lists, faults)
        if trigger.records != reader.records:
            text = f"RECORDS in the trigger file is {trigger.records}, the document has {reader.records} elements"
            faults.note("count", text, name="RECORDS")
        names = {**{name: name for name in self._rules.counts.values()}, **self._attributes()}
        for control in controls:
            if control.name in names and control.expected != control.actual:
                text = f"{names[control.name]} states {control.expected}, the document has {control.actual}"
                faults.note("control", text, name=names[control.name])
        return controls

    def _check_header(self, reader: DocumentReader, trigger: Trigger, faults: Faults) -> None:
        """The same as before the content was read, for a root that stands too far behind to be seen then."""
        sequence = reader.header.get(self._rules.sequence, "").strip()
        if not sequence.isdecimal() or int(sequence) != trigger.sequence:
            faults.note("header", "the document's sequence is not the trigger file's", name=self._rules.sequence)
        as_at = converted("date", [reader.header.get(self._rules.as_at)])[0][0]
        if as_at is None:
            faults.note("invalid", "the as-at date has a time zone, or is none", name=self._rules.as_at)
        elif trigger.as_at is None or as_at != int(trigger.as_at.strftime("%Y%m%d")):
            faults.note("header", "the document's as-at date is not the trigger file's", name=self._rules.as_at)

    def _attributes(self) -> dict[str, str]:
        return {name: total.control for name, total in self._rules.totals.items()}

    def _controls(self, reader: DocumentReader, sums: _Sums) -> Iterator[Stated]:
        stated = reader.control.get(self._rules.control, {})
        kinds = self._layout.single[self._rules.control].columns
        for element, attribute in self._rules.counts.items():
            value = converted(kinds[attribute], [stated.get(attribute)])[0][0]
            yield Stated(name=attribute, expected=value, actual=sums.counts[element])
        for name, total in self._rules.totals.items():
            value = converted(kinds[total.control], [stated.get(total.control)])[0][0]
            yield Stated(name=name, expected=value, actual=sums.totals[name])

    def _check_keys(self, lists: _Lists, faults: Faults) -> None:
        """An `id` stands once in the file, whatever the element; so does every other key."""
        ids = [
            lists.keys(item.name, ["id"], self._empty[item.name])
            for item in self._layout.lists.values()
            if "id" in item.columns
        ]
        self._note_repeat(pl.concat(ids), "id", faults)
        for element, attribute in self._rules.unique.items():
            self._note_repeat(lists.keys(element, [attribute], self._empty[element]), attribute, faults)

    def _note_repeat(self, keys: pl.DataFrame, column: str, faults: Faults) -> None:
        repeats = keys.sort("_record").filter(~pl.col(column).is_first_distinct()).head(1)
        for row in repeats.iter_rows(named=True):
            text = f"{column} stood in an earlier element of the file"
            faults.note("invalid", text, record=row["_record"], offset=row["_offset"], name=column)

    def _slices(self, lists: _Lists, spool: Path, context: MappingContext, *, size: int) -> Iterator[StagedSlice]:
        for tables, number, grouping in self._portions(lists):
            yield self._stage_slice(tables, spool / f"{number:06}", context, number=number, of=grouping, size=size)

    @property
    def elements(self) -> tuple[str, ...]:
        """The tables whose rows are the document's records."""
        return tuple(item.name for item in self._layout.lists.values())

    def _portion_of(self, lists: _Lists, grouping: Grouping, number: int) -> Iterator[tuple[str, pa.Table]]:
        """The tables of one portion, children with their parents."""
        frames: dict[str, pl.DataFrame] = {}
        for item in self._layout.lists.values():
            rows = grouping.rows[item.name].filter(pl.col("portion") == number)
            frames[item.name] = self._taken(lists, item.name, rows)
            frames |= {child: self._taken(lists, child, rows) for child in item.children}
        for name, column in self._rules.groups.by_case.items():
            ordinal = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(column).alias(ORDINAL)
            frames[name] = frames[name].with_columns(ordinal)
        frames |= {name: added_up(rule, frames) for name, rule in self._rules.sums.items()}
        frames[GROUPS] = grouping.groups.filter(pl.col("portion") == number).drop("portion").sort("_record")
        for name, frame in frames.items():
            yield name, frame.to_arrow(compat_level=pl.CompatLevel.oldest())

    def _taken(self, lists: _Lists, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows of a table whose element is among `rows`, with its group."""
        records = rows["_record"].to_numpy()
        parts = [self._empty[name]]
        for batch in lists.batches(name):
            numbers = batch.column("_record").to_numpy()
            places = np.flatnonzero(np.isin(numbers, records, assume_unique=False))
            if len(places):
                parts.append(pl.DataFrame(pl.from_arrow(batch.take(places))))
        groups = rows.select("_record", "group")
        return pl.concat(parts).join(groups, on="_record", how="left", maintain_order="left")

    def _stage_slice(
        self,
        tables: Mapping[str, pa.Table],
        folder: Path,
        context: MappingContext,
        *,
        number: int,
        of: Grouping,
        size: int,
    ) -> StagedSlice:
        batch = self._mapping.apply(DecodedBatch(tables=tables), context)
        found = self.sort_out(tables, batch)
        kept, set_aside = found.rows, found.quarantined
        folder.mkdir(parents=True)
        for name, rows in kept.items():
            rows.write_ipc(folder / f"{name}.arrow", compression="lz4")
        together = self._places(tables)["_record"].to_numpy()
        return StagedSlice(
            number=number,
            first_record=int(together.min()) if len(together) else 1,
            last_record=int(together.max()) if len(together) else 1,
            start=size * number // of.portions,
            end=size * (number + 1) // of.portions,
            records=len(together),
            quarantined=set_aside,
            totals=self._totals(kept, batch.rows),
            folder=folder,
        )

    def _totals(self, kept: Mapping[str, pl.DataFrame], every: Mapping[str, pl.DataFrame]) -> Mapping[str, Parts]:
        loaded, mapped = self._added(kept), self._added(every)
        return {name: Parts(loaded=loaded[name], set_aside=mapped[name] - loaded[name]) for name in loaded}

    def _added(self, rows: Mapping[str, pl.DataFrame]) -> Mapping[str, int]:
        with pl.SQLContext(frames=dict(rows), eager=True) as canonical:
            return {
                name: int(canonical.execute(total.canonical).item() or 0) for name, total in self._rules.totals.items()
            }

    def _quarantined(self, places: pl.DataFrame, faults: pl.DataFrame, cases: pl.DataFrame) -> Iterator[Quarantined]:
        """Groups with a value that the schema allows and the mapping can't read, e.g. a code of no list."""
        located = faults.join(places.select("_record", "group"), left_on="record", right_on="_record")
        for (key,), rows in located.sort("record", "field").group_by(["group"], maintain_order=True):
            own = places.filter(pl.col("group") == key)
            group_id = derive("group", self._system, key)
            claimed = cases.filter(pl.col("group_id") == group_id)
            yield Quarantined(
                group_id=group_id,
                source_ref=NO_OWNER if str(key).startswith(f"{ALONE}/{self._rules.groups.cases}/") else str(key),
                case_ids=tuple(claimed["case_id"]),
                first_record=int(own["_record"].to_numpy().min()),
                last_record=int(own["_record"].to_numpy().max()),
                offset=int(own["_offset"][0]),
                records=own.height,
                reasons=tuple(_reasons(rows)),
            )
