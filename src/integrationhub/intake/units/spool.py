"""A file decoded and mapped before anything of it is judged: its units on the spool, in file order, and its facts.

The spool is Arrow files in the work folder, one folder a piece. It is scratch: after a crash it is made again from the
original, and the same bytes give the same units.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from integrationhub.accounts.unit import Unit
from integrationhub.errors import FileRejected
from integrationhub.intake.ahead import ahead
from integrationhub.intake.units.rows import FAULTS, Arrived, frames_of, units_of
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.records import Reason
from integrationhub.sdk.units import FileFacts, FileInHand, UnitDecoder

AT_ONCE = 2_000
"""Units that are judged in one transaction, about: those of one record stay together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A file that was read to its end. `folder` holds its units."""

    facts: FileFacts
    folder: Path
    arrived: Arrived

    def units(self) -> Iterator[list[Unit]]:
        """The units, piece by piece, as often as they are asked for."""
        arrived = replace(self.arrived, as_at=self.facts.as_at or self.arrived.as_at)
        for piece in sorted(self.folder.glob("[0-9]*")):
            yield units_of({path.stem: pl.read_ipc(path) for path in sorted(piece.glob("*.arrow"))}, arrived)

    def records(self) -> int:
        """How many records the units stand in."""
        return sum(len({unit.record for unit in piece}) for piece in self.units())


def spool(
    stream: BinaryIO,
    folder: Path,
    *,
    file: FileInHand,
    decoder: UnitDecoder,
    mapping: CompiledMapping,
    context: MappingContext,
    arrived: Arrived,
) -> Spooled:
    """Decode and map the file in `stream`; what lay in `folder` before is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reading = decoder.decode(stream, file)
    number = 0
    try:
        while True:
            batch = mapping.apply(next(reading), context)
            piece = folder / f"{number:06}"
            piece.mkdir()
            for name, rows in frames_of(batch).items():
                rows.write_ipc(piece / f"{name}.arrow", compression="lz4")
            number += 1
    except StopIteration as end:
        facts: FileFacts = end.value
    except FileRejected as exc:
        facts = FileFacts(structure=Reason(code=exc.code, text=exc.text))
    return Spooled(facts=facts, folder=folder, arrived=arrived)


def slices(files: Sequence[Spooled], *, done: int = 0) -> Iterator[list[Unit]]:
    """The units of these files, one behind the other, in parts of about AT_ONCE; the first `done` are left out."""
    waiting: list[Unit] = []
    for piece in ahead(piece for file in files for piece in file.units()):
        skipped = min(done, len(piece))
        done -= skipped
        waiting += piece[skipped:]
        while len(waiting) > AT_ONCE and (cut := _cut(waiting)) < len(waiting):
            yield waiting[:cut]
            waiting = waiting[cut:]
    if waiting:
        yield waiting


def _cut(units: Sequence[Unit]) -> int:
    """Where to cut: behind AT_ONCE units, and behind all of their last one's record."""
    place, last = AT_ONCE, units[AT_ONCE - 1]
    while place < len(units) and (units[place].record, units[place].delivery_id) == (last.record, last.delivery_id):
        place += 1
    return place


def keys_of(folder: Path) -> pl.Series:
    """The keys of all units in a folder, each once, in order."""
    parts = [
        pl.read_ipc(path, columns=["source_ref"])["source_ref"]
        for path in sorted(folder.glob("*/*.arrow"))
        if path.stem != FAULTS
    ]
    return pl.concat(parts).drop_nulls().unique().sort() if parts else pl.Series("source_ref", [], dtype=pl.String)
