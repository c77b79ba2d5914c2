"""Originals: every file and message as it arrived, kept for ever under its SHA-256.

The store of bytes is content-addressed (`ab/cd/abcd…`), so keeping the same bytes twice keeps them once, and nothing
that was kept is ever overwritten. A file counts as kept only when it is complete: it is written beside its place and
renamed into it, so a crash leaves at most a stray part file, never half an original under its hash.
"""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from integrationhub.errors import NotFound, TransientError

BLOCK = 1 << 20
"""Bytes that are copied at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A kept file: its hash and its size in bytes."""

    sha256: str
    size: int


class Originals:
    """Content-addressed files below an fsspec location (a local folder, or any file system that fsspec knows)."""

    def __init__(self, location: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(location)

    def keep(self, source: BinaryIO) -> Original:
        """Keep the bytes of `source` from its position to its end; TransientError when they can't be written."""
        part = f"{self._root}/parts/{uuid.uuid4().hex}"
        digest, size = hashlib.sha256(), 0
        try:
            self._fs.makedirs(f"{self._root}/parts", exist_ok=True)
            with self._fs.open(part, "wb") as target:
                while block := source.read(BLOCK):
                    digest.update(block)
                    size += len(block)
                    target.write(block)
                target.flush()
                self._sync(target)
            original = Original(sha256=digest.hexdigest(), size=size)
            self._put_in_place(part, self._place(original.sha256))
        except OSError as exc:
            with contextlib.suppress(OSError):
                self._fs.rm_file(part)
            raise TransientError(
                f"the original can't be kept: {exc.strerror or 'input/output error'}",
                code="ORIGINALS_UNWRITABLE",
                remedy="make room in, or grant access to, the originals folder and hand the file over again",
            ) from exc
        return original

    def sweep(self, *, older_than: datetime) -> int:
        """Remove part files that a crash has left behind; how many. Younger ones may be being written."""
        folder, swept = f"{self._root}/parts", 0
        if self._fs.exists(folder):
            for part in self._fs.ls(folder, detail=False):
                with contextlib.suppress(FileNotFoundError):  # renamed into its place meanwhile
                    if self._fs.modified(part) < older_than:
                        self._fs.rm_file(part)
                        swept += 1
        return swept

    @contextlib.contextmanager
    def open(self, sha256: str) -> Iterator[BinaryIO]:
        """The bytes kept under `sha256`, seekable; NotFound when nothing is."""
        place = self._place(sha256)
        if not self._fs.exists(place):
            raise NotFound(
                f"no original with SHA-256 {sha256} is kept", remedy="look at the originals location setting"
            )
        with self._fs.open(place, "rb") as stream:
            yield cast("BinaryIO", stream)

    def has(self, sha256: str) -> bool:
        """Whether these bytes are kept already."""
        return bool(self._fs.exists(self._place(sha256)))

    def uri(self, sha256: str) -> str:
        """Where the bytes lie, as an fsspec location."""
        return str(self._fs.unstrip_protocol(self._place(sha256)))

    def _place(self, sha256: str) -> str:
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    def _put_in_place(self, part: str, place: str) -> None:
        if self._fs.exists(place):
            self._fs.rm_file(part)
            return
        folder = place.rpartition("/")[0]
        self._fs.makedirs(folder, exist_ok=True)
        self._fs.mv(part, place)
        if isinstance(self._fs, LocalFileSystem):
            Path(place).chmod(0o440)
            _sync_folder(folder)

    def _sync(self, target: BinaryIO) -> None:
        """Local files reach the disk before they count; remote file systems commit on close."""
        if isinstance(self._fs, LocalFileSystem):
            os.fsync(target.fileno())


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
