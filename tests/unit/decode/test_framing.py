import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.decode.chains import LengthField, walk
from integrationhub.decode.encode import frame_u32
from integrationhub.decode.framing import Frames, Framing, FramingFault
from integrationhub.errors import ConfigurationError

U32 = Framing(rdw="u32", minimum=6)


def places(frames: Frames) -> list[tuple[int, int]]:
    return list(zip(frames.starts.tolist(), frames.lengths.tolist(), strict=True))


def test_records_begin_behind_their_length_and_are_as_long_as_it_says_less_four() -> None:
    frames = U32.scan(b"\0\0\0\x07abc\0\0\0\x06de", 0, final=True)
    assert places(frames) == [(4, 3), (11, 2)]
    assert (frames.consumed, frames.fault) == (13, None)


@pytest.mark.parametrize(
    ("framing", "descriptor"),
    [
        (Framing(rdw="big"), b"\x00\x07\x00\x00"),
        (Framing(rdw="little"), b"\x00\x00\x07\x00"),
        (Framing(rdw="u32"), b"\x00\x00\x00\x07"),
        (Framing(rdw="big", adjustment=4), b"\x00\x03\x00\x00"),
        (Framing(rdw="u32", adjustment=-1), b"\x00\x00\x00\x08"),
    ],
)
def test_the_length_is_found_by_kind_of_descriptor_and_adjustment(framing: Framing, descriptor: bytes) -> None:
    assert places(framing.scan((descriptor + b"abc") * 2, 0, final=True)) == [(4, 3), (11, 3)]


def test_an_empty_file_has_no_records() -> None:
    assert places(U32.scan(b"", 0, final=True)) == []
    assert places(Framing(kind="F", record_length=5).scan(b"", 0, final=True)) == []


RUNS_OVER = "a record that ends within the {} bytes left in the file"


@pytest.mark.parametrize(
    ("data", "good", "offset", "expected"),
    [
        (b"\0\0\0\x05a", 0, 100, "a record length of at least 6"),
        (b"\0\0\0\x06ab\0\0\0\0", 1, 106, "a record length of at least 6"),
        (b"\0\0\0\x06ab\0\0\x01\0a", 1, 106, RUNS_OVER.format(5)),
        (b"\0\0\0\x06ab\0\0", 1, 106, "an RDW of 4 bytes, found 2 to the end of the file"),
        (b"\xff\xff\xff\xffab", 0, 100, RUNS_OVER.format(6)),
    ],
)
def test_a_framing_fault_names_its_byte_in_the_file_and_what_was_expected_there(
    data: bytes, good: int, offset: int, expected: str
) -> None:
    frames = U32.scan(data, 100, final=True)
    assert (len(frames.starts), frames.consumed) == (good, offset - 100)
    assert frames.fault == FramingFault(offset=offset, expected=expected)


def test_what_is_cut_off_at_the_end_of_a_buffer_waits_for_more_bytes() -> None:
    whole = frame_u32([b"abc", b"defgh"])
    for end in range(len(whole)):
        frames = U32.scan(whole[:end], 0, final=False)
        assert frames.fault is None
        assert frames.consumed == (7 if end >= 7 else 0)
        rest = U32.scan(whole[frames.consumed :], frames.consumed, final=True)
        assert len(frames.starts) + len(rest.starts) == 2


def test_fixed_records_follow_each_other_and_a_rest_is_a_fault() -> None:
    framing = Framing(kind="F", record_length=3)
    assert places(framing.scan(b"abcdef", 0, final=True)) == [(0, 3), (3, 3)]
    frames = framing.scan(b"abcd", 50, final=True)
    assert places(frames) == [(0, 3)]
    assert frames.fault == FramingFault(offset=53, expected="a record of 3 bytes, found 1 to the end of the file")
    assert framing.scan(b"abcd", 0, final=False).fault is None


def test_fixed_records_without_a_length_are_refused() -> None:
    with pytest.raises(ConfigurationError):
        Framing(kind="F").scan(b"abc", 0, final=True)


def plain(data: bytes, field: LengthField) -> tuple[list[int], int]:
    found, position = [], 0
    while position <= len(data) - 4:
        (length,) = struct.unpack_from(">I", data, position)
        if length + field.adjustment < field.minimum:
            break
        found.append(position)
        position += length + field.adjustment
    return found, position


FIELD = LengthField(size=4, shift=0, little=False, adjustment=0, minimum=6, header=4)


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(2, 60), min_size=20, max_size=400),
    lane=st.sampled_from([64, 128, 256]),
    damage=st.lists(st.tuples(st.integers(0, 20000), st.integers(0, 255)), max_size=6),
    filling=st.sampled_from([b"\0", b"\0\0\0\x10", b"x", b"\0\0\0\x06ab"]),
    end=st.integers(0, 40),
)
def test_lanes_find_what_a_plain_walk_finds_whatever_the_bytes(
    lengths: list[int], lane: int, damage: list[tuple[int, int]], filling: bytes, end: int
) -> None:
    data = bytearray(frame_u32((filling * length)[:length] for length in lengths))
    for place, byte in damage:
        data[place % len(data)] = byte
    data = data[: len(data) - end]
    starts, position = walk(np.frombuffer(data, np.uint8), FIELD, lane=lane)
    assert (starts.tolist(), position) == plain(bytes(data), FIELD)


def test_lanes_find_all_records_of_a_large_file_when_every_guess_is_misled() -> None:
    body = struct.pack(">I", 8) * 60  # looks like records itself
    data = frame_u32([body] * 3000)
    frames = U32.scan(data, 0, final=True)
    assert len(frames.starts) == 3000
    assert set(frames.lengths.tolist()) == {240}
