"""Files as streams of bytes: plain, gzip or zip, with what stands in front of and behind the records cut off."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from integrationhub.errors import FileRejected, NotFound

GZIP = b"\x1f\x8b\x08"
ZIP = b"PK\x03\x04"

EXPANSION_LIMIT = 200
"""How many times larger than the compressed file its content may be, beyond the first ALWAYS_ALLOWED bytes."""

ALWAYS_ALLOWED = 256 * 1024 * 1024


class Source(Protocol):
    """A stream of bytes."""

    def read(self, size: int) -> bytes:
        """Up to that many bytes; fewer only at the end."""


@contextmanager
def open_source(path: Path, *, skip: int = 0, leave: int = 0) -> Iterator[Source]:
    """The content of a file without its first `skip` and last `leave` bytes.

    What is compressed is recognised by its first bytes. NotFound when there is no such file; FileRejected when a
    compressed one is damaged, expands too much, or is an archive of several files.
    """
    try:
        with path.open("rb") as raw:
            front = raw.read(4)
            raw.seek(0)
            with _opened(raw, path, front) as stream:
                yield _Between(stream, skip, leave) if skip or leave else stream
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
        raise NotFound(f"no file {path}", code="FILE_MISSING", remedy="name a data file") from exc
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as exc:
        raise FileRejected(f"{path}: the compressed file is damaged", code="COMPRESSION_INVALID") from exc


def is_compressed(path: Path) -> bool:
    """Whether a file is gzip or zip."""
    with path.open("rb") as raw:
        front = raw.read(4)
    return front.startswith((GZIP, ZIP))


@contextmanager
def _opened(raw: BinaryIO, path: Path, front: bytes) -> Iterator[Source]:
    if front.startswith(GZIP):
        with gzip.GzipFile(fileobj=raw) as stream:
            yield _Limited(cast("BinaryIO", stream), path, path.stat().st_size)
    elif front == ZIP:
        with zipfile.ZipFile(raw) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise FileRejected(
                    f"{path}: an archive of {len(members)} files, expected one",
                    code="ARCHIVE_MEMBERS",
                    remedy="unpack it and name the file",
                )
            with archive.open(members[0]) as member:
                yield _Limited(cast("BinaryIO", member), path, members[0].compress_size)
    else:
        yield _Full(raw)


class _Full:
    """A stream whose reads come back full until the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        block = self._stream.read(size)
        while len(block) < size:
            more = self._stream.read(size - len(block))
            if not more:
                break
            block += more
        return block


class _Limited(_Full):
    """A stream that ends in FileRejected when it grows out of proportion to its compressed size."""

    def __init__(self, stream: BinaryIO, path: Path, compressed: int) -> None:
        super().__init__(stream)
        self._path = path
        self._most = ALWAYS_ALLOWED + EXPANSION_LIMIT * compressed
        self._taken = 0

    def read(self, size: int) -> bytes:
        block = super().read(size)
        self._taken += len(block)
        if self._taken > self._most:
            raise FileRejected(
                f"{self._path}: the compressed file has more than {self._most} bytes in it",
                code="EXPANSION_LIMIT",
                remedy="unpack it, if it is to be trusted, and name the file",
            )
        return block


class _Between:
    """A stream without its first and last bytes; the last ones are held back until more have come."""

    def __init__(self, stream: Source, skip: int, leave: int) -> None:
        self._stream = stream
        self._leave = leave
        while skip > 0:
            block = stream.read(min(skip, 1 << 20))
            if not block:
                break
            skip -= len(block)
        self._held = stream.read(leave)

    def read(self, size: int) -> bytes:
        if not self._leave:
            return self._stream.read(size)
        block = self._held + self._stream.read(size)
        cut = max(len(block) - self._leave, 0)
        self._held = block[cut:]
        return block[:cut]
