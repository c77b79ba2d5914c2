"""Files and archives from outside are opened within their limits (benefits-common.md §4, paper-forms.md)."""

import gzip
import io
import stat
import struct
import zipfile
from hashlib import sha256

import pytest

from integrationhub.decode.archives import gz
from integrationhub.decode.archives.gz import Inflater, inflate_into
from integrationhub.decode.archives.zipped import Archive, Limits

TEXT = b"".join(b"%d line of text\n" % number for number in range(2000))


def inflated(content: bytes, stated: int | None, delivered: int | None = None) -> tuple[bytes, str | None]:
    target = io.BytesIO()
    fault = inflate_into(target, io.BytesIO(content), delivered=delivered or len(content), stated=stated)
    return target.getvalue(), fault.code if fault else None


def test_a_sound_gzip_file_comes_out_as_it_went_in() -> None:
    assert inflated(gzip.compress(TEXT), len(TEXT)) == (TEXT, None)
    assert inflated(gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]), len(TEXT)) == (TEXT, None)


@pytest.mark.parametrize(
    ("content", "stated", "code"),
    [
        (gzip.compress(TEXT), len(TEXT) - 1, "DECOMPRESS_LIMIT"),
        (gzip.compress(TEXT), len(TEXT) + 1, "DECOMPRESS_ERROR"),
        (gzip.compress(TEXT)[:-9], len(TEXT), "DECOMPRESS_ERROR"),
        (gzip.compress(TEXT)[:-4] + b"\0\0\0\1", len(TEXT), "DECOMPRESS_ERROR"),
        (gzip.compress(TEXT) + b"rubbish", len(TEXT), "DECOMPRESS_ERROR"),
        (TEXT, len(TEXT), "DECOMPRESS_ERROR"),
        (b"", None, "DECOMPRESS_ERROR"),
    ],
)
def test_a_damaged_or_untrue_gzip_file_is_refused(content: bytes, stated: int | None, code: str) -> None:
    assert inflated(content, stated)[1] == code


def test_inflating_stops_at_the_limit_of_the_ratio_and_of_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    reader = Inflater(io.BytesIO(bomb), delivered=len(bomb), stated=10_000_000)
    kept = sum(len(piece) for piece in reader.pieces())
    assert reader.fault is not None
    assert reader.fault.code == "DECOMPRESS_LIMIT"
    assert kept <= 200 * len(bomb) < 10_000_000
    monkeypatch.setattr(gz, "LARGEST", 1000)
    assert inflated(gzip.compress(TEXT), len(TEXT))[1] == "DECOMPRESS_LIMIT"


def archive(*members: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as made:
        for name, content in members:
            made.writestr(zipfile.ZipInfo(name), content, compress_type=kind)
    return held.getvalue()


def code_of(content: bytes, limits: Limits | None = None) -> str | None:
    fault = Archive(io.BytesIO(content), limits=limits).fault
    return fault.code if fault else None


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_members_of_a_sound_archive_are_known_by_their_content(kind: int) -> None:
    opened = Archive(io.BytesIO(archive(("index.xml", TEXT), ("img/a.tif", b"II*\0"), ("img/", b""), kind=kind)))
    assert opened.fault is None
    assert set(opened.members) == {"index.xml", "img/a.tif"}
    assert opened.members["index.xml"].sha256 == sha256(TEXT).hexdigest()
    assert opened.members["img/a.tif"].head == b"II*\0"
    assert opened.read("index.xml") == TEXT


def link() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        info = zipfile.ZipInfo("img/a.tif")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        made.writestr(info, b"/etc/passwd")
    return held.getvalue()


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The archive with bytes of its first record of a kind replaced."""
    start = content.index(signature) + offset
    return content[:start] + value + content[start + len(value) :]


SOUND = archive(("index.xml", TEXT))
CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "ARCHIVE_INVALID"),
        (b"no archive", "ARCHIVE_INVALID"),
        (SOUND[:-30], "ARCHIVE_INVALID"),
        (SOUND[:60] + b"XXXXXXXX" + SOUND[68:], "ARCHIVE_INVALID"),
        (patched(SOUND, CENTRAL, 8, b"\1\0"), "ARCHIVE_INVALID"),
        (patched(SOUND, CENTRAL, 10, b"\x0c\0"), "ARCHIVE_INVALID"),
        (patched(SOUND, CENTRAL, 16, b"\0\0\0\0"), "ARCHIVE_INVALID"),
        (patched(SOUND, LOCAL, 30, b"other.xml"), "ARCHIVE_INVALID"),
        (patched(SOUND, CENTRAL, 24, struct.pack("<I", 10)), "ARCHIVE_INVALID"),
        (archive(("index.xml", b""), ("../a.tif", b"")), "ARCHIVE_PATH"),
        (archive(("img/../../a.tif", b"")), "ARCHIVE_PATH"),
        (archive(("/a.tif", b"")), "ARCHIVE_PATH"),
        (archive(("C:a.tif", b"")), "ARCHIVE_PATH"),
        (archive(("img\\a.tif", b"")), "ARCHIVE_PATH"),
        (patched(patched(archive(("imgXa", b"")), LOCAL, 33, b"\0"), CENTRAL, 49, b"\0"), "ARCHIVE_PATH"),
        (link(), "ARCHIVE_PATH"),
    ],
)
def test_a_faulty_archive_is_refused(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_two_members_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = archive(("a", b""), ("a", b""))
    assert code_of(twice) == "ARCHIVE_INVALID"


@pytest.mark.parametrize(
    "limits", [Limits(members=1), Limits(member_bytes=len(TEXT) - 1), Limits(total_bytes=len(TEXT))]
)
def test_an_archive_beyond_its_limits_is_refused(limits: Limits) -> None:
    two = archive(("a", TEXT), ("b", b"more"))
    assert code_of(two) is None
    assert code_of(two, limits) == "DECOMPRESS_LIMIT"


def test_what_comes_out_counts_and_not_what_the_archive_says() -> None:
    bomb = patched(archive(("a", bytes(3_000_000))), CENTRAL, 24, struct.pack("<I", 10))
    assert code_of(bomb) == "DECOMPRESS_LIMIT"
    assert code_of(archive(("a", bytes(900_000)), ("b", sha256(TEXT).digest() * 200), kind=zipfile.ZIP_STORED)) is None
