"""`integrationhub decode`: how files are cut into records, and what stops that."""

import gzip
import io
import zipfile
from collections.abc import Callable

import pytest

from tests.unit.decode.commands import DecodeCommand, big, e

LINE = "01  R.\n    05  N PIC 9(2).\n    05  T PIC X(3)."
BODIES = [e("01abc"), e("02"), e("03defgh")]
VALUES = [(1, "abc"), (2, None), (3, "def")]


def little(body: bytes) -> bytes:
    return b"\0\0" + (len(body) + 4).to_bytes(2, "little") + body


def u32(body: bytes) -> bytes:
    return (len(body) + 4).to_bytes(4) + body


def uncounted(body: bytes) -> bytes:
    return len(body).to_bytes(2) + b"\0\0" + body


Wrap = Callable[[bytes], bytes]
RDWS: list[tuple[Wrap, list[str]]] = [
    (big, []),
    (little, ["--rdw", "little"]),
    (u32, ["--rdw", "u32"]),
    (uncounted, ["--rdw-adjustment", "4"]),
]


def values(records: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(record["N"], record["T"]) for record in records]


@pytest.mark.parametrize(("wrap", "options"), RDWS, ids=["big", "little", "u32", "adjusted"])
def test_variable_records_are_read_with_every_rdw(decode: DecodeCommand, wrap: Wrap, options: list[str]) -> None:
    found = decode(LINE, b"".join(map(wrap, BODIES)), "--record-format", "V", *options)
    assert values(found) == VALUES
    assert [(record["_offset"], record["_length"]) for record in found] == [(4, 5), (13, 2), (19, 7)]


def extended(block: bytes) -> bytes:
    return (len(block) + 4 | 0x80000000).to_bytes(4) + block


BDWS: list[tuple[Wrap, list[str]]] = [
    (big, []),
    (big, ["--bdw", "big"]),
    (extended, []),
    (little, ["--bdw", "little"]),
    (uncounted, ["--bdw-adjustment", "4"]),
]


@pytest.mark.parametrize(("rdw", "record_options"), RDWS, ids=["big", "little", "u32", "adjusted"])
@pytest.mark.parametrize(("bdw", "block_options"), BDWS, ids=["default", "big", "extended", "little", "adjusted"])
def test_blocks_are_read_with_every_bdw_and_rdw(
    decode: DecodeCommand, bdw: Wrap, block_options: list[str], rdw: Wrap, record_options: list[str]
) -> None:
    data = bdw(b"".join(map(rdw, BODIES[:2]))) + bdw(rdw(BODIES[2]))
    found = decode(LINE, data, "--record-format", "VB", *record_options, *block_options)
    assert values(found) == VALUES
    assert [record["_offset"] for record in found] == [8, 17, 27]


def test_vb_without_a_bdw_is_v(decode: DecodeCommand) -> None:
    assert values(decode(LINE, b"".join(map(big, BODIES)), "--record-format", "VB", "--bdw", "none")) == VALUES


def test_fb_has_blocks_only_where_asked_for(decode: DecodeCommand) -> None:
    assert values(decode(LINE, e("01abc02def"), "--record-format", "FB")) == [(1, "abc"), (2, "def")]
    blocks = big(e("01abc02def")) + big(e("03ghi"))
    found = decode(LINE, blocks, "--record-format", "FB", "--bdw", "big")
    assert values(found) == [(1, "abc"), (2, "def"), (3, "ghi")]


FAULTS = [
    ("V", big(e("01abc")) + b"\0\3\0\0", [], "offset 9"),
    ("V", big(e("01abc")) + b"\0\x20\0\0" + e("02"), [], "offset 9"),
    ("V", big(e("01abc")) + b"\0", [], "offset 9"),
    ("V", uncounted(e("01abc")) + b"\xff\xff\0\0", ["--rdw-adjustment", "4"], "offset 9"),
    ("VB", big(big(e("01abc"))) + big(b"\0\x20\0\0"), [], "offset 17"),
    ("VB", big(big(e("01abc"))) + b"\0\3\0\0", [], "offset 13"),
    ("VB", big(big(e("01abc"))) + b"\0\x20\0\0", [], "offset 13"),
    ("F", e("01abc02"), [], "offset 5"),
    ("V", b"xx" + big(e("01abc")) + b"\0\3\0\0", ["--file-start-offset", "2"], "offset 11"),
]


@pytest.mark.parametrize(("form", "data", "options", "place"), FAULTS)
def test_a_framing_fault_exits_7_and_names_the_offset_and_what_was_expected(
    decode: DecodeCommand, form: str, data: bytes, options: list[str], place: str
) -> None:
    found = decode(LINE, data, "--record-format", form, *options, code=7)
    assert [record["N"] for record in found] == [1]
    assert f"{place}\n" in decode.errors or f"{place} " in decode.errors
    assert "expected a" in decode.errors


def test_an_rdw_of_four_is_an_empty_record(decode: DecodeCommand) -> None:
    assert decode(LINE, big(b""), "--record-format", "V") == [
        {"_record": 1, "_offset": 4, "_length": 0, "N": None, "T": None}
    ]


def test_file_offsets_cut_bytes_off_the_file(decode: DecodeCommand) -> None:
    found = decode(LINE, b"head" + e("01abc02def") + b"tail!", "--file-start-offset", "4", "--file-end-offset", "5")
    assert values(found) == [(1, "abc"), (2, "def")]
    assert [record["_offset"] for record in found] == [4, 9]


def test_record_offsets_lie_around_each_record_and_belong_to_its_length(decode: DecodeCommand) -> None:
    data = b"<<" + e("01abc") + b">" + b"<<" + e("02def") + b">"
    around = ["--record-start-offset", "2", "--record-end-offset", "1"]
    found = decode(LINE, data, *around)
    assert values(found) == [(1, "abc"), (2, "def")]
    assert [(record["_offset"], record["_length"]) for record in found] == [(2, 5), (10, 5)]
    assert decode(LINE, data, *around, "--record-length", "8") == found


def test_a_record_length_may_be_more_or_less_than_the_copybook_says(decode: DecodeCommand) -> None:
    assert values(decode(LINE, e("01abc--02def--"), "--record-length", "7")) == [(1, "abc"), (2, "def")]
    assert values(decode(LINE, e("01a02b"), "--record-length", "3")) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("clauses", "lengths"),
    [
        ("PIC 9(2) COMP", [b"\0\5", b"\0\7"]),
        ("PIC 9(2)", [e("05"), e("07")]),
        ("PIC S9(2) COMP-3", [bytes.fromhex("005C"), bytes.fromhex("007C")]),
    ],
)
def test_a_field_holds_the_record_length(decode: DecodeCommand, clauses: str, lengths: list[bytes]) -> None:
    copybook = f"01  R.\n    05  L {clauses}.\n    05  T PIC X(9)."
    data = lengths[0] + e("abc") + lengths[1] + e("defgh")
    found = decode(copybook, data, "--record-length-field", "l")
    assert [(record["T"], record["_offset"], record["_length"]) for record in found] == [
        ("abc", 0, 5), ("defgh", 5, 7)
    ]  # fmt: skip
    adjusted = data.replace(lengths[0], lengths[1])
    assert decode(copybook, adjusted[:5], "--record-length-field", "L", "--rdw-adjustment", "-2")[0]["T"] == "abc"


@pytest.mark.parametrize("tail", [e("01x"), e("99x"), e("??x"), b"\xf0"])
def test_a_length_field_that_can_not_be_followed_is_a_framing_fault(decode: DecodeCommand, tail: bytes) -> None:
    copybook = "01  R.\n    05  L PIC 9(2).\n    05  T PIC X(9)."
    assert len(decode(copybook, e("05abc") + tail, "--record-length-field", "L", code=7)) == 1
    assert "offset 5" in decode.errors


ODO = """
01  R.
    05  K PIC X.
    05  N PIC 9.
    05  T OCCURS 0 TO 3 TIMES DEPENDING ON N.
        10  M PIC 9.
        10  U PIC X OCCURS 1 TO 2 TIMES DEPENDING ON M.
    05  Z PIC X.
"""


def test_records_without_rdw_follow_each_other_each_as_long_as_its_counts_say(decode: DecodeCommand) -> None:
    data = e("a0z") + e("b21x2yyz") + e("c12xyz")
    found = decode(ODO, data, "--record-format", "V", "--rdw", "none")
    assert [(record["K"], len(record["T"]), record["Z"], record["_offset"]) for record in found] == [
        ("a", 0, "z", 0), ("b", 2, "z", 3), ("c", 1, "z", 11)
    ]  # fmt: skip
    assert found[1]["T"] == [{"M": 1, "U": ["x"]}, {"M": 2, "U": ["y", "y"]}]


@pytest.mark.parametrize(("tail", "place"), [("b4", 3), ("b?", 3), ("b21x", 3), ("b", 3), ("b13xyz", 3)])
def test_counts_that_give_no_length_are_a_framing_fault(decode: DecodeCommand, tail: str, place: int) -> None:
    assert len(decode(ODO, e("a0z" + tail), "--record-format", "V", "--rdw", "none", code=7)) == 1
    assert f"offset {place}" in decode.errors


@pytest.mark.parametrize(
    ("end", "encoding"),
    [
        (b"\n", "ascii"),
        (b"\r\n", "ascii"),
        (b"\x15", "cp1146"),
        (b"\x25", "cp1146"),
        (b"\r\x25", "cp1146"),
        (b"\n", "cp037"),
    ],
)
def test_lines_end_as_their_code_page_has_it(decode: DecodeCommand, end: bytes, encoding: str) -> None:
    lines = [text.encode("cp037" if encoding != "ascii" else "ascii") for text in ("01abc", "02", "03defgh")]
    options = ["--record-format", "D", "--encoding", encoding]
    for data in (end.join(lines), end.join([*lines, b""])):
        found = decode(LINE, data, *options)
        assert values(found) == VALUES
        assert [record["_length"] for record in found] == [5, 2, 7]


def test_a_gzip_and_a_zip_member_are_read_as_their_content(decode: DecodeCommand) -> None:
    data = e("01abc02def")
    assert values(decode(LINE, gzip.compress(data))) == [(1, "abc"), (2, "def")]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("data.bin", data)
    assert values(decode(LINE, archive.getvalue())) == [(1, "abc"), (2, "def")]
    with zipfile.ZipFile(archive, "a") as files:
        files.writestr("other.bin", data)
    assert decode(LINE, archive.getvalue(), code=7) == []
    assert "2 files" in decode.errors


def test_a_damaged_compressed_file_is_refused(decode: DecodeCommand) -> None:
    decode.text(LINE, gzip.compress(e("01abc") * 1000)[:-9], code=7)


def test_a_compressed_file_that_expands_too_much_is_refused(
    decode: DecodeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrationhub.decode.sources.ALWAYS_ALLOWED", 1000)
    decode.text(LINE, gzip.compress(e("01abc") * 1_000_000), code=7)
    assert "EXPANSION_LIMIT" in decode.errors


def test_a_slice_is_found_by_an_index_that_is_kept_beside_the_file(
    decode: DecodeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrationhub.decode.recordfile.CHUNK", 256)
    data = b"".join(big(e(f"{number:02d}" + "x" * (number % 4))) for number in range(100))
    whole = decode(LINE, data, "--record-format", "V")
    index = decode.folder / "file.dat.records"
    assert not index.exists()
    for first in (1, 2, 50, 99, 100):
        found = decode.run(
            *(str(decode.folder / "file.dat"), "--copybook", str(decode.folder / "file.cpy")),
            *("--record-format", "V", "--first", str(first), "--limit", "2"),
        )
        assert found.count("\n") == min(2, 101 - first)
        assert f'{{"_record":{first},"_offset":{whole[first - 1]["_offset"]},' in found
    kept = index.read_text()
    changed = data[:-1] + b"\x40"
    decode(LINE, changed + big(e("77abc")), "--record-format", "V", "--first", "101")
    assert index.read_text() != kept


def test_a_record_of_no_end_is_a_framing_fault_and_not_a_matter_of_memory(
    decode: DecodeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrationhub.decode.recordfile.CHUNK", 1024)
    monkeypatch.setattr("integrationhub.decode.recordfile.MOST_RECORD", 4096)
    decode.text(LINE, (2**31).to_bytes(4) + bytes(10_000), "--record-format", "V", "--rdw", "u32", code=7)
    assert "offset 0" in decode.errors
