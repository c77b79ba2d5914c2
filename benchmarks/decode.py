"""Mainframe files to Arrow tables: framing, record types, all fields, OCCURS, REDEFINES.

    customers       fixed records of 400 bytes, 30 fields of all storages
    csa1993         the 1993 extract: V, nine record types, OCCURS DEPENDING ON, record lengths checked
    debt manager    fixed records of 600 bytes, three record types, tables, all redefinitions

Limit: reading the file and `bytes.translate` over it, the least that any EBCDIC reader must do. Peers: a reader that
goes record by record and field by field (`plain_reader`), and Stingray, both on the first part of the same file.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks import stingray_peer
from benchmarks.child import run_apart
from benchmarks.decode_files import FixedFile, customers, debt_manager
from benchmarks.estates import extract
from benchmarks.plain_reader import PlainReader
from benchmarks.results import Result, Rival
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.decode.codepage import code_page
from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.framing import Framing
from integrationhub.decode.slices import SliceReader
from integrationhub.intake.builders import build_decoder

TURNS = 5
"""Limit and decoder take turns; the best of each counts, so that a neighbour's work does less harm."""

Found = TypeVar("Found")

PEER_BYTES = 4_000_000
PEER = "a per-record Python reader"
STINGRAY_RECORDS = 1000
DEBT_MANAGER = Path(__file__).parents[1] / "tests" / "unit" / "decode" / "copybooks" / "debt-manager.cpy"


def run(records: int) -> Iterator[Result]:
    """One result a file, in MB a second."""
    yield _fixed("customers", customers(records // 4), "30 columns of mixed fields", stretch=(0.30, 0.45))
    yield _extract(records)
    copybook = DEBT_MANAGER.read_text(encoding="utf-8")
    yield _fixed("debt manager", debt_manager(records // 6, copybook), "3 record types, 5 tables", stretch=None)


def _extract(records: int) -> Result:
    path = extract(records).nights[0]
    found = run_apart("benchmarks.decode:measure_extract", path=str(path))
    workload = f"{found['records']:,} records of 9 types, EBCDIC V, {found['columns']} columns"
    rivals = [_limit_rival(path, found, (0.15, 0.30)), Rival(name=PEER, rate=found["peer"], goal=15, stretch=30)]
    return _result("csa1993 extract", workload, path, found, rivals)


def _fixed(name: str, file: FixedFile, what: str, *, stretch: tuple[float, float] | None) -> Result:
    found = run_apart("benchmarks.decode:measure_fixed", path=str(file.path), name=name)
    rivals = [_limit_rival(file.path, found, stretch), Rival(name=PEER, rate=found["peer"], goal=15, stretch=30)]
    level = next(iter(file.record_types.values()))
    stingray = stingray_peer.megabytes_a_second(file, level, STINGRAY_RECORDS)
    not_measured = "" if stingray else "; Stingray not measured (no Python 3.12 or no package)"
    rivals += [Rival(name="Stingray", rate=stingray)] if stingray else []
    workload = f"{found['records']:,} records of {file.length} bytes, {what}{not_measured}"
    return _result(name, workload, file.path, found, rivals)


def _limit_rival(path: Path, found: dict[str, float], aims: tuple[float, float] | None) -> Rival:
    goal, stretch = aims or (None, None)
    rate = path.stat().st_size / 1e6 / found["limit"]
    return Rival(name="read and translate the file", rate=rate, limit=True, goal=goal, stretch=stretch)


def _result(name: str, workload: str, path: Path, found: dict[str, float], rivals: list[Rival]) -> Result:
    size = path.stat().st_size
    return Result(
        name=name,
        workload=f"{workload}, {size / 1e6:,.1f} MB",
        unit="MB",
        rate=size / 1e6 / found["seconds"],
        seconds=found["seconds"],
        rows=int(found["records"]),
        bytes=size,
        peak_bytes=int(found["peak_bytes"]),
        rivals=rivals,
    )


def measure_extract(path: str) -> dict[str, object]:
    """Seconds of the decoder and of the limit, MB/s of the peer; runs apart."""
    reader = _reader()

    def decode() -> tuple[int, int]:
        records = columns = 0
        with Path(path).open("rb") as stream:
            for piece in reader.read(stream):
                records += len(piece.kinds)
                columns = sum(table.num_columns for table in piece.decoded.tables.values())
        return records, columns

    seconds, limit, (records, columns) = _turns(Path(path), decode)
    peer = _extract_peer(Path(path))
    return {"seconds": seconds, "limit": limit, "peer": peer, "records": records, "columns": columns}


def measure_fixed(path: str, name: str) -> dict[str, object]:
    """The same for a file of fixed records."""
    size = Path(path).stat().st_size
    copybook = DEBT_MANAGER.read_text(encoding="utf-8")
    file = customers(size // 400) if name == "customers" else debt_manager(size // 600, copybook)
    layout = parse_copybook(file.copybook)
    decoder = RecordDecoder(layout, record_types=file.record_types)
    framing = Framing(kind="F", record_length=file.length)
    at_once = Settings().slice_bytes // file.length * file.length

    def decode() -> int:
        record, base = 1, 0
        with file.path.open("rb") as stream:
            while block := stream.read(at_once):
                frames = framing.scan(block, base, final=len(block) < at_once)
                decoder.decode(
                    np.frombuffer(block, np.uint8), frames.starts, frames.lengths, first_record=record, base=base
                )
                record, base = record + len(frames.starts), base + len(block)
        return record - 1

    seconds, limit, records = _turns(file.path, decode)
    reader = PlainReader(
        layout, encoding="cp1146", record_types=file.record_types, redefines={}, record_length=file.length
    )
    with file.path.open("rb") as stream:
        front = stream.read(PEER_BYTES // file.length * file.length)
    return {"seconds": seconds, "limit": limit, "peer": _peer_rate(reader, front), "records": records}


def _turns(path: Path, decode: Callable[[], Found]) -> tuple[float, float, Found]:
    """Best seconds of the decoder and of the limit, and what the decoder found."""
    seconds, limits = [], []
    for _ in range(TURNS):
        limits.append(_limit(path))
        started = time.perf_counter()
        found = decode()
        seconds.append(time.perf_counter() - started)
    return min(seconds), min(limits), found


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


def _extract_peer(path: Path) -> float:
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
    return _peer_rate(reader, front[:end])


def _peer_rate(reader: PlainReader, data: bytes) -> float:
    started = time.perf_counter()
    for _ in reader.read(data):
        pass
    return len(data) / 1e6 / (time.perf_counter() - started)
