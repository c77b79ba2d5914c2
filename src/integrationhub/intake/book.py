"""A keyed book checked, compared and mapped, before anything of it is stored.

Such a book is typed by hand, so it is small: it is read whole, up to LARGEST bytes, and staged as one slice. The
order of checks: form of the file, number of rows, control totals; then case by case. A case whose keyings disagree is
set aside as an exception, and is loaded all the same with a mark, because it takes part in case groups. One that the
mapping can't take, or that a check of a spec refuses, is set aside and not loaded.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.controls import ControlVerdict, Stated
from integrationhub.decode.csvbook.agreement import FIRST, Comparison, Keyed, KeyedCase
from integrationhub.decode.csvbook.reading import Row, Unreadable, read_rows
from integrationhub.decode.csvbook.values import UNREADABLE
from integrationhub.errors import FileRejected
from integrationhub.intake.staging import REASONS_PER_GROUP, Parts, Quarantined, SortedOut, Staged, StagedSlice
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.mapping.tables import Layout
from integrationhub.receive.trigger import Trigger
from integrationhub.records import FAULT_SCHEMA, CanonicalBatch, DecodedBatch, Reason
from integrationhub.sdk.descriptor import CsvLayout, Descriptor, Keying

LARGEST = 256 * 1024 * 1024
CASES = "Case"
"""The table that the mapping sees: one row a case, the keying that stands for it."""

_AGREE = "Keyings Agree"
_NUMERIC = ("date", "money", "count", "number")


def book_layout(rules: Keying, columns: Sequence[str]) -> Layout:
    """The tables that the mapping sees."""
    types: dict[str, pl.DataType] = {"_record": pl.Int64(), "_offset": pl.Int64()}
    for name in columns:
        types[name] = pl.Int64() if rules.kinds.get(name, "text") in _NUMERIC else pl.String()
    return {CASES: {**types, _AGREE: pl.String()}}


class BookStager:
    """Checks and maps the keyed books of one connector."""

    def __init__(self, descriptor: Descriptor, mapping: CompiledMapping) -> None:
        assert isinstance(descriptor.any_layout, CsvLayout)
        assert descriptor.keying is not None
        self._file = descriptor.any_layout
        self._rules = descriptor.keying
        self._system = descriptor.connector.source_system
        self._mapping = mapping
        self._comparison = Comparison(self._rules, self._file.columns)
        self._schema = book_layout(self._rules, self._file.columns)[CASES]

    def stage(
        self,
        stream: BinaryIO,
        spool: Path,
        *,
        context: MappingContext,
        trigger: Trigger,
        cuts: Sequence[int] = (),  # noqa: ARG002 - there is one slice
        progress: Callable[[int], None] = lambda _bytes: None,
    ) -> Staged:
        """Check the file in `stream` and spool its canonical rows below `spool`; see `intake.staging.Stager`."""
        shutil.rmtree(spool, ignore_errors=True)
        content = stream.read(LARGEST + 1)
        progress(len(content))
        try:
            rows = [self._comparison.read(row) for row in self._rows(content)]
        except Unreadable as exc:
            damage = Reason(code=self._rules.codes.heading, text=exc.text, record=exc.record, offset=exc.offset)
            return Staged(verdict=_verdict(damage, (), 0), slices=())
        controls = tuple(self._controls(rows, trigger))
        fault = self._first_fault(controls)
        if fault is not None:
            return Staged(verdict=_verdict(fault, controls, len(rows)), slices=())
        cases = list(self._comparison.cases(rows))
        piece = self._stage_slice(cases, spool / "000000", context, size=len(content))
        return Staged(verdict=_verdict(None, controls, len(rows)), slices=(piece,))

    def read(self, stream: BinaryIO) -> tuple[DecodedBatch, int]:
        """The book's cases as the mapping sees them, with the cells that can't be read, and the number of its rows; to
        be looked at only. FileRejected: it can't be cut into rows.
        """
        try:
            rows = [self._comparison.read(row) for row in self._rows(stream.read(LARGEST + 1))]
        except Unreadable as exc:
            raise FileRejected(f"the book can't be read: {exc.text}", code=self._rules.codes.heading) from None
        cases = list(self._comparison.cases(rows))
        return DecodedBatch(tables={CASES: self._table(cases)}, faults=self._unread(cases)), len(rows)

    def _unread(self, cases: Sequence[KeyedCase]) -> pl.DataFrame:
        found = [
            (item.row.record, item.row.offset, CASES, column, self._rules.codes.unreadable, None)
            for item in (case.chosen for case in cases if case.reference)
            for column, value in item.values.items()
            if value is UNREADABLE
        ]
        return pl.DataFrame(found, schema=dict(FAULT_SCHEMA), orient="row")

    def _rows(self, content: bytes) -> list[Row]:
        if len(content) > LARGEST:
            raise Unreadable(f"a book of more than {LARGEST} bytes", record=0, offset=LARGEST)
        return read_rows(content, encoding=self._file.encoding, columns=self._file.columns)

    def _controls(self, rows: Sequence[Keyed], trigger: Trigger) -> Iterator[Stated]:
        yield Stated(name="records", expected=trigger.records, actual=len(rows))
        yield Stated(name="rows", expected=trigger.records, actual=len(rows))
        for name, total in self._rules.totals.items():
            keyed_first = [row for row in rows if row.values[self._rules.key] == FIRST]
            added = sum(row.number(total.column) for row in keyed_first)
            yield Stated(name=name, expected=int(trigger.extra[total.trigger]), actual=added)

    def _first_fault(self, controls: Sequence[Stated]) -> Reason | None:
        for control in controls:
            if control.expected != control.actual:
                total = self._rules.totals.get(control.name)
                name = total.trigger if total else "RECORDS"
                code = self._rules.codes.control if total else self._rules.codes.count
                text = f"{name} in the trigger file is {control.expected}, the rows add up to {control.actual}"
                return Reason(code=code, text=text, field=name)
        return None

    def _stage_slice(
        self, cases: Sequence[KeyedCase], folder: Path, context: MappingContext, *, size: int
    ) -> StagedSlice:
        decoded = DecodedBatch(tables={CASES: self._table(cases)})
        found = self.sort_out(decoded, self._mapping.apply(decoded, context))
        unmapped = {one.first_record: one for one in found.quarantined}
        folder.mkdir(parents=True)
        for name, rows in found.rows.items():
            rows.write_ipc(folder / f"{name}.arrow", compression="lz4")
        records = [item.row.record for case in cases for item in case.rows]
        return StagedSlice(
            number=0,
            first_record=1,
            last_record=max(records, default=1),
            start=0,
            end=size,
            records=len(records),
            quarantined=tuple(self._exceptions(cases, unmapped)),
            totals=self._totals(cases, found.rows, unmapped),
            folder=folder,
        )

    def sort_out(self, decoded: DecodedBatch, batch: CanonicalBatch) -> SortedOut:
        """What of a mapped book is loaded, and the cases that the mapping can't take, each by the keying that stands
        for it. Cells that can't be read are no reason here: they are judged with the keyings.
        """
        faults = batch.faults.join(decoded.faults, on=["record", "field", "code"], how="anti")
        if faults.is_empty():
            return SortedOut(rows=batch.rows, quarantined=())
        bad = pl.col("record_no").is_in(faults["record"].unique().implode())
        unmapped = tuple(self._unmapped(faults, decoded.tables[CASES], batch.rows["cases"]))
        return SortedOut(rows={name: rows.filter(~bad) for name, rows in batch.rows.items()}, quarantined=unmapped)

    def _unmapped(self, faults: pl.DataFrame, table: pa.Table, cases: pl.DataFrame) -> Iterator[Quarantined]:
        references = dict(zip(*(table.column(name).to_pylist() for name in ("_record", self._rules.case)), strict=True))
        for (record,), rows in faults.sort("record", "field").group_by(["record"], maintain_order=True):
            reference = references[record]
            yield Quarantined(
                group_id=derive("group", self._system, reference),
                source_ref=reference,
                case_ids=tuple(cases.filter(pl.col("record_no") == record)["case_id"].drop_nulls()),
                first_record=rows["record"][0],
                last_record=rows["record"][0],
                offset=rows["offset"][0],
                records=1,
                reasons=tuple(_reasons(rows)),
            )

    def _table(self, cases: Sequence[KeyedCase]) -> pa.Table:
        named = [case for case in cases if case.reference]
        columns: dict[str, list[object]] = {
            "_record": [case.chosen.row.record for case in named],
            "_offset": [case.chosen.row.offset for case in named],
            _AGREE: ["no" if case.reasons else "yes" for case in named],
        }
        for name in self._file.columns:
            values = [case.chosen.values[name] for case in named]
            columns[name] = [value if isinstance(value, str | int) else None for value in values]
        frame = pl.DataFrame({name: columns[name] for name in self._schema}, schema=dict(self._schema))
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())

    def _exceptions(self, cases: Sequence[KeyedCase], unmapped: Mapping[int, Quarantined]) -> Iterator[Quarantined]:
        """Cases as the worklist and the report show them."""
        for case in cases:
            left_out = unmapped.get(case.chosen.row.record)
            if case.reasons or left_out is not None:
                records = [item.row.record for item in case.rows]
                yield Quarantined(
                    group_id=derive("group", self._system, case.reference),
                    source_ref=case.reference,
                    case_ids=left_out.case_ids if left_out else (),  # loaded: nothing that it claims is missing
                    first_record=min(records),
                    last_record=max(records),
                    offset=case.rows[0].row.offset,
                    records=len(records),
                    reasons=(*case.reasons, *(left_out.reasons if left_out else ())),
                )

    def _totals(
        self, cases: Sequence[KeyedCase], rows: Mapping[str, pl.DataFrame], unmapped: Mapping[int, Quarantined]
    ) -> Mapping[str, Parts]:
        """What the canonical rows hold, and what stands in rows that no case is known by or that are left out."""
        totals = {}
        with pl.SQLContext(frames=dict(rows), eager=True) as canonical:
            for name, total in self._rules.totals.items():
                loaded = int(canonical.execute(total.canonical).item() or 0)
                aside = sum(self._beside(case, total.column, unmapped) for case in cases)
                totals[name] = Parts(loaded=loaded, set_aside=aside)
        return totals

    def _beside(self, case: KeyedCase, column: str, unmapped: Mapping[int, Quarantined]) -> int:
        """First keyings that do not stand for their case, or for one that is loaded: a third row, or a row without a
        reference.
        """
        is_loaded = bool(case.reference) and case.chosen.row.record not in unmapped
        beside = [item for item in case.rows if item is not case.chosen or not is_loaded]
        return sum(item.number(column) for item in beside if item.values[self._rules.key] == FIRST)


def _reasons(faults: pl.DataFrame) -> Iterator[Reason]:
    for row in faults.head(REASONS_PER_GROUP).iter_rows(named=True):
        text = f"{row['field']}: {row['code']}; the case is set aside"
        yield Reason(code=row["code"], text=text, record=row["record"], offset=row["offset"], field=row["field"])


def _verdict(fault: Reason | None, controls: tuple[Stated, ...], rows: int) -> ControlVerdict:
    return ControlVerdict(fault=fault, controls=controls, full_book=True, records=rows, units=rows)
