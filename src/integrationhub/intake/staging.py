"""A file is checked and mapped in one pass, before anything of it is stored.

Each slice is decoded, fed to the file's controls, mapped, and its canonical rows are put on the spool: Arrow files in
the work folder, one folder a slice. Groups with a field that can't be understood are taken out here (R13). The spool is
scratch: after a crash it is made again from the original, and the same bytes give the same slices.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import polars as pl

from integrationhub.decode.controls import ControlVerdict, FileControls, sum_of
from integrationhub.decode.slices import Slice, SliceReader
from integrationhub.errors import FileRejected
from integrationhub.intake.ahead import ahead
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.receive.trigger import Trigger
from integrationhub.records import CanonicalBatch, Reason
from integrationhub.sdk.descriptor import Structure

REASONS_PER_GROUP = 20
"""How many faults of one group are spelled out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A source group that is left out: its identifiers, the cases it claims, its records, the first of its faults."""

    group_id: str
    source_ref: str
    case_ids: tuple[str, ...]
    first_record: int
    last_record: int
    offset: int
    records: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A control total in two parts: what the canonical rows hold, and what the quarantined records hold."""

    loaded: int = 0
    set_aside: int = 0

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(loaded=self.loaded + other.loaded, set_aside=self.set_aside + other.set_aside)


@dataclass(frozen=True, slots=True, kw_only=True)
class SortedOut:
    """A slice mapped: its canonical rows without those of the groups that are left out, and these groups."""

    rows: Mapping[str, pl.DataFrame]
    quarantined: tuple[Quarantined, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedSlice:
    """A slice on the spool. `records` counts the units that get an outcome: no header, no trailer; `totals` are the
    slice's parts of the file's control totals.
    """

    number: int
    first_record: int
    last_record: int
    start: int
    end: int
    records: int
    quarantined: tuple[Quarantined, ...]
    totals: Mapping[str, Parts]
    folder: Path

    @property
    def set_aside(self) -> int:
        """Records of quarantined groups."""
        return sum(group.records for group in self.quarantined)

    def rows(self) -> dict[str, pl.DataFrame]:
        """The slice's canonical rows, read from the spool."""
        return {path.stem: pl.read_ipc(path) for path in sorted(self.folder.glob("*.arrow"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A whole file, checked: the verdict of its controls, and its slices on the spool when they hold."""

    verdict: ControlVerdict
    slices: tuple[StagedSlice, ...]

    def parts(self, name: str) -> Parts:
        """A control total of the whole file in its parts."""
        return sum((piece.totals[name] for piece in self.slices), Parts())

    def unreconciled(self) -> tuple[str, ...]:
        """Names of the control totals whose parts don't add up to what the file states."""
        stated = {control.name: control.expected for control in self.verdict.controls}
        names = self.slices[0].totals if self.slices else ()
        parts = {name: self.parts(name) for name in names}
        return tuple(name for name, part in parts.items() if part.loaded + part.set_aside != stated[name])


class Stager(Protocol):
    """Checks and maps the files of one connector."""

    def stage(
        self,
        stream: BinaryIO,
        spool: Path,
        *,
        context: MappingContext,
        trigger: Trigger,
        cuts: Sequence[int] = (),
        progress: Callable[[int], None] = lambda _bytes: None,
    ) -> Staged:
        """Check the file in `stream` and spool its canonical rows below `spool`; `progress` is told of bytes done.

        `trigger` is what the trigger file states; `cuts` says where slices that are merged already end. What lay in
        `spool` before is removed. The same bytes give the same slices.
        """
        ...


class RecordStager:
    """Checks and maps mainframe files."""

    def __init__(
        self, structure: Structure, *, reader: SliceReader, levels: Mapping[str, str], mapping: CompiledMapping
    ) -> None:
        self._structure = structure
        self._reader = reader
        self._levels = levels
        self._mapping = mapping

    def stage(
        self,
        stream: BinaryIO,
        spool: Path,
        *,
        context: MappingContext,
        trigger: Trigger,
        cuts: Sequence[int] = (),
        progress: Callable[[int], None] = lambda _bytes: None,
    ) -> Staged:
        """See `Stager`."""
        shutil.rmtree(spool, ignore_errors=True)
        controls = FileControls(self._structure, self._levels, sequence=context.sequence, records=trigger.records)
        slices: list[StagedSlice] = []
        unmappable: Reason | None = None
        for piece in ahead(self._reader.read(stream, cuts=cuts)):
            controls.feed(piece)
            if piece.number == 0:
                context = replace(context, layout_version=layout_version(piece, self._structure, self._levels))
            if (
                not controls.failed and unmappable is None
            ):  # of a refused file nothing is mapped, only judged to its end
                try:
                    slices.append(self._stage_slice(piece, spool / f"{piece.number:06}", context))
                except FileRejected as exc:
                    unmappable = Reason(code=exc.code, text=exc.text)
            progress(piece.end - piece.start)
        verdict = controls.verdict()
        return Staged(verdict=replace(verdict, fault=verdict.fault or unmappable), slices=tuple(slices))

    def sort_out(self, piece: Slice, batch: CanonicalBatch) -> SortedOut:
        """What of a mapped slice is loaded, and which groups are set aside."""
        groups = _groups_of(piece, batch.rows["groups"], self._structure.trailer)
        faults = batch.faults.with_columns(_record_offsets(piece, batch.faults))
        set_aside = tuple(self._quarantined(groups, faults, batch.rows["cases"]))
        bad = {group.first_record for group in set_aside}
        kept = {name: _without(rows, groups, bad) for name, rows in batch.rows.items()}
        return SortedOut(rows=kept, quarantined=set_aside)

    def _stage_slice(self, piece: Slice, folder: Path, context: MappingContext) -> StagedSlice:
        found = self.sort_out(piece, self._mapping.apply(piece.decoded, context))
        kept, set_aside = found.rows, found.quarantined
        folder.mkdir(parents=True)
        for name, rows in kept.items():
            rows.write_ipc(folder / f"{name}.arrow", compression="lz4")
        ends = {self._structure.header, self._structure.trailer}
        unit_kinds = [number for number, kind in enumerate(piece.kind_names) if kind not in ends]
        return StagedSlice(
            number=piece.number,
            first_record=piece.first_record,
            last_record=piece.first_record + len(piece.kinds) - 1,
            start=piece.start,
            end=piece.end,
            records=int(np.isin(piece.kinds, unit_kinds).sum()),
            quarantined=set_aside,
            totals=self._totals(piece, kept, set_aside),
            folder=folder,
        )

    def _totals(
        self, piece: Slice, kept: Mapping[str, pl.DataFrame], set_aside: Sequence[Quarantined]
    ) -> Mapping[str, Parts]:
        records = [(group.first_record, group.last_record) for group in set_aside]
        with pl.SQLContext(frames=dict(kept), eager=True) as canonical:
            return {
                name: Parts(
                    loaded=int(canonical.execute(total.canonical).item() or 0),
                    set_aside=sum_of(piece, total.fields, records=records) if records else 0,
                )
                for name, total in self._structure.totals.items()
            }

    def _quarantined(self, groups: pl.DataFrame, faults: pl.DataFrame, cases: pl.DataFrame) -> Iterator[Quarantined]:
        """The groups that hold a faulty field, each with its faults."""
        located = (
            faults.sort("record", "field")
            .with_columns(pl.col("record").set_sorted())
            .join_asof(groups, left_on="record", right_on="first_record", coalesce=False)
            .drop_nulls("first_record")
            .filter(pl.col("record") <= pl.col("last_record"))
        )
        for (first,), rows in located.group_by(["first_record"], maintain_order=True):
            group = rows.row(0, named=True)
            claimed = cases.filter(pl.col("record_no").is_between(group["first_record"], group["last_record"]))
            yield Quarantined(
                group_id=group["group_id"],
                source_ref=group["source_ref"],
                case_ids=tuple(claimed["case_id"].drop_nulls()),
                first_record=int(first),
                last_record=group["last_record"],
                offset=group["group_offset"],
                records=group["last_record"] - int(first) + 1,
                reasons=tuple(self._reasons(rows)),
            )

    def _reasons(self, rows: pl.DataFrame) -> Iterator[Reason]:
        code = self._structure.codes.field
        for row in rows.head(REASONS_PER_GROUP).iter_rows(named=True):
            text = f"{row['field']} in {row['table']}: {row['code']}; its group {row['source_ref']} is set aside"
            yield Reason(code=code, text=text, record=row["record"], offset=row["offset"], field=row["field"])


def layout_version(piece: Slice, structure: Structure, levels: Mapping[str, str]) -> str | None:
    """What the header in a file's first slice says its layout is, as text; None where headers say nothing of it."""
    name, header = structure.header_fields.layout_version, piece.table(levels[structure.header])
    if name is None or header.num_rows == 0:
        return None
    value = header.column(name)[0].as_py()
    return None if value is None else str(value)


def _record_offsets(piece: Slice, faults: pl.DataFrame) -> pl.Series:
    """Byte offsets of the records that the faults stand in: those of a table's element say less to whoever looks."""
    return pl.Series("offset", piece.offsets[faults["record"].to_numpy() - piece.first_record])


def _groups_of(piece: Slice, groups: pl.DataFrame, trailer: str) -> pl.DataFrame:
    """first_record, last_record, group_offset, group_id, source_ref of the slice's groups, in order."""
    end = piece.first_record + len(piece.kinds) - piece.ends_with(trailer)
    return (
        groups.select(
            pl.col("record_no").alias("first_record"),
            pl.col("byte_offset").alias("group_offset"),
            "group_id",
            "source_ref",
        )
        .sort("first_record")
        .with_columns(pl.col("first_record").set_sorted())
        .with_columns((pl.col("first_record").shift(-1, fill_value=end) - 1).alias("last_record"))
    )


def _without(rows: pl.DataFrame, groups: pl.DataFrame, bad: set[int]) -> pl.DataFrame:
    """The rows whose record stands in no group that begins with a record in `bad`."""
    if not bad:
        return rows
    starts = groups["first_record"].to_numpy()
    is_bad = np.isin(starts, list(bad))
    group = np.searchsorted(starts, rows["record_no"].to_numpy(), side="right") - 1
    return rows.filter(pl.Series(~is_bad[group] | (group < 0)))
