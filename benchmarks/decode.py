"""The 1993 extract to Arrow tables: framing, record types, lengths, all fields of nine record types, OCCURS, REDEFINES.

Limit: reading the file and `bytes.translate` over it, which is the least that any EBCDIC reader must do. Peer: a reader
that goes record by record and field by field (`plain_reader`), on the first part of the same file.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.child import run_apart
from benchmarks.estates import extract
from benchmarks.plain_reader import PlainReader
from benchmarks.results import Result, Rival
from integrationhub.intake.builders import build_decoder
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.decode.codepage import code_page
from integrationhub.decode.slices import SliceReader

TURNS = 3
"""Limit and decoder take turns; the best of each counts, so that a neighbour's work does less harm."""

PEER_BYTES = 4_000_000


def run(records: int) -> Iterator[Result]:
    """One result, in MB a second."""
    path = extract(records).nights[0]
    size = path.stat().st_size
    found = run_apart("benchmarks.decode:measure", path=str(path))
    megabytes, seconds = size / 1e6, found["seconds"]
    rivals = [
        Rival(name="read and translate the file", rate=megabytes / found["limit"], limit=True, goal=0.15, stretch=0.30),
        Rival(name="a per-record Python reader", rate=found["peer"], goal=15, stretch=30),
    ]
    yield Result(
        name="csa1993 extract",
        workload=f"{found['records']:,} records of 9 types, {megabytes:,.1f} MB EBCDIC V, {found['columns']} columns",
        unit="MB",
        rate=megabytes / seconds,
        seconds=seconds,
        rows=found["records"],
        bytes=size,
        peak_bytes=found["peak_bytes"],
        rivals=rivals,
    )


def measure(path: str) -> dict[str, object]:
    """Seconds of the decoder and of the limit, MB/s of the peer; runs apart."""
    reader, seconds, limits = _reader(), [], []
    records = columns = 0
    for _ in range(TURNS):
        limits.append(_limit(Path(path)))
        started = time.perf_counter()
        records = columns = 0
        with Path(path).open("rb") as stream:
            for piece in reader.read(stream):
                records += len(piece.kinds)
                columns = sum(table.num_columns for table in piece.decoded.tables.values())
        seconds.append(time.perf_counter() - started)
    return {
        "seconds": min(seconds), "limit": min(limits), "peer": _peer(Path(path)), "records": records, "columns": columns
    }  # fmt: skip


def _reader() -> SliceReader:
    """The reader as the hub has it, with the hub's default slices."""
    descriptor = Catalogue.standard().connector("csa1993")
    decoder = build_decoder(descriptor)
    return SliceReader(
        decoder.framing,
        decoder.records,
        record_types=descriptor.layout.record_types,
        group_type=descriptor.structure.group.type,
        codes=descriptor.structure.codes,
        target=Settings().slice_bytes,
    )


def _limit(path: Path) -> float:
    table = code_page("cp1146").ascii
    started = time.perf_counter()
    path.read_bytes().translate(table)
    return time.perf_counter() - started


def _peer(path: Path) -> float:
    """MB/s of the plain reader over whole records at the front of the file."""
    descriptor = Catalogue.standard().connector("csa1993")
    with path.open("rb") as stream:
        front = stream.read(PEER_BYTES)
    end = build_decoder(descriptor).scan(front, 0, final=False).consumed
    layout = descriptor.layout
    reader = PlainReader(
        build_decoder(descriptor).copybook,
        encoding=layout.encoding,
        record_types=layout.record_types,
        redefines={name: (rule.by, rule.when) for name, rule in layout.redefines.items()},
    )
    started = time.perf_counter()
    for _ in reader.read(front[:end]):
        pass
    return end / 1e6 / (time.perf_counter() - started)
