"""Slices: where a file is cut, that it is cut there again, and that no more is read than a slice needs."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationhub.bootstrap import build_decoder
from integrationhub.catalogue import shipped_connectors
from integrationhub.decode.slices import SliceReader
from integrationhub.estate.csa1993_file import encoder_for
from integrationhub.estate.generate import generate
from integrationhub.estate.nights import Estate
from integrationhub.sdk.descriptor import Descriptor, load_descriptor


class WatchedStream(io.BytesIO):
    """Bytes that remember the largest piece that was asked for; everything at once counts as endless."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.most = 0.0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, float("inf") if size is None or size < 0 else size)
        return super().read(size)


@pytest.fixture(scope="module")
def descriptor() -> Descriptor:
    return load_descriptor(shipped_connectors() / "connectors" / "csa1993")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, descriptor: Descriptor) -> bytes:
    [night] = generate(tmp_path_factory.mktemp("slices"), Estate(groups=25, seed=7), encoder_for(descriptor))
    return Path(night.data).read_bytes()


def reader(descriptor: Descriptor, target: int) -> SliceReader:
    decoder = build_decoder(descriptor)
    return SliceReader(
        decoder.framing,
        decoder.records,
        record_types=descriptor.layout.record_types,
        group_type=descriptor.structure.group.type,
        codes=descriptor.structure.codes,
        target=target,
    )


def ends(descriptor: Descriptor, data: bytes, target: int, cuts: list[int] | None = None) -> Iterator[tuple[int, int]]:
    """First record and end of each slice."""
    for piece in reader(descriptor, target).read(io.BytesIO(data), cuts=cuts or []):
        assert not piece.faults
        yield piece.first_record, piece.end


def test_slices_cover_the_file_without_gap_and_begin_with_a_group(descriptor: Descriptor, data: bytes) -> None:
    pieces = list(reader(descriptor, 4096).read(io.BytesIO(data)))

    assert [piece.start for piece in pieces] == [0, *(piece.end for piece in pieces[:-1])]
    assert pieces[-1].end == len(data)
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert {piece.kind_names[piece.kinds[0]] for piece in pieces[1:]} == {"10"}
    records = [piece.first_record + len(piece.kinds) for piece in pieces]
    assert [piece.first_record for piece in pieces] == [1, *records[:-1]]


def test_a_file_is_cut_where_it_was_cut_before_whatever_the_target_is_now(descriptor: Descriptor, data: bytes) -> None:
    before = list(ends(descriptor, data, 4096))
    assert len(before) > 10

    again = list(ends(descriptor, data, 16_384, [end for _, end in before[:5]]))

    assert again[:5] == before[:5]
    assert len(again) < len(before)
    assert again[-1][1] == len(data)


def test_no_more_is_read_at_once_than_a_slice_needs(descriptor: Descriptor, data: bytes) -> None:
    stream = WatchedStream(data)

    list(reader(descriptor, 4096).read(stream))

    assert stream.most <= 32 * 1024  # the largest group of the file, doubled


def test_records_of_one_group_without_end_are_read_to_the_limit_only(
    descriptor: Descriptor, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrationhub.decode.slices.LARGEST_GROUP", 32 * 1024)
    pieces = list(reader(descriptor, 4096).read(io.BytesIO(data)))
    line = next(
        int(offset) for piece in pieces for kind, offset in zip(piece.kinds, piece.offsets, strict=True)
        if piece.kind_names[kind] == "40"
    )  # fmt: skip
    record = data[line - 4 : line + 79]
    stream = WatchedStream(data[:line][:-4] + record * 10_000)

    *_, last = reader(descriptor, 4096).read(stream)

    assert [fault.code for fault in last.faults] == ["R10"]
    assert stream.tell() <= 64 * 1024
