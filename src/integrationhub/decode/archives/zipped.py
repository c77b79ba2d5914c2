"""A zip archive that is read whole before anything in it is believed (paper-forms.md).

Every member is inflated once, counted and hashed; nothing is ever written under a member's name. What the archive says
of sizes is compared with what comes out, and never relied on.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from integrationhub.records import Reason

READ = 1 << 16
HEAD = 16
"""Bytes of each member that are kept, to tell what it is."""

RATIO = 200
FREE = 1 << 20
"""Bytes that a single member may inflate to whatever its ratio: a blank page is nearly nothing when deflated."""

_LOCAL = struct.Struct("<4s22xHH")
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1
_UNIX = 3
_DRIVE = re.compile(r"[A-Za-z]:")

INVALID, PATH, LIMIT = "ARCHIVE_INVALID", "ARCHIVE_PATH", "DECOMPRESS_LIMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that an archive may hold: members, and bytes that come out of one and of all."""

    members: int = 5_000
    member_bytes: int = 50 << 20
    total_bytes: int = 500 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file in an archive, as it came out."""

    name: str
    size: int
    sha256: str
    head: bytes


class _Refused(Exception):
    """Why the archive is refused."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Archive:
    """A zip archive. `fault` has why it is refused; `members` are its files by name, none if it is."""

    def __init__(self, stream: BinaryIO, *, limits: Limits | None = None) -> None:
        self._stream = stream
        self._limits = limits or Limits()
        self._total = 0
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self.members: Mapping[str, Member] = {}
        self.fault: Reason | None = None
        try:
            self.members = self._examined()
        except _Refused as refusal:
            self.fault = Reason(code=refusal.code, text=str(refusal))

    def read(self, name: str) -> bytes:
        """The content of a member."""
        return b"".join(self._pieces(self._infos[name]))

    def _examined(self) -> Mapping[str, Member]:
        """The checks in the order of the document: the archive, its names, its limits."""
        infos = self._listed()
        self._size = self._stream.seek(0, 2)
        path = next((text for info in infos if (text := _fault_of_path(info))), None)
        try:
            members = self._inflated(infos)
        except _Refused as refusal:
            if refusal.code == INVALID or path is None:
                raise
        if path is not None:
            raise _Refused(PATH, path)
        return members

    def _inflated(self, infos: list[zipfile.ZipInfo]) -> Mapping[str, Member]:
        if len(infos) > self._limits.members:
            raise _Refused(LIMIT, f"more than {self._limits.members} members")
        self._infos = {info.filename: info for info in infos}
        return {info.filename: self._member(info) for info in infos if not info.is_dir()}

    def _listed(self) -> list[zipfile.ZipInfo]:
        try:
            with zipfile.ZipFile(self._stream) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError, struct.error):
            raise _Refused(INVALID, "the file is no zip archive, or damaged") from None
        if any(info.flag_bits & _ENCRYPTED for info in infos):
            raise _Refused(INVALID, "a member is encrypted")
        if any(info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for info in infos):
            raise _Refused(INVALID, "a member is compressed otherwise than by deflate")
        names = Counter(info.orig_filename for info in infos) | Counter(info.filename for info in infos)
        if any(count > 1 for count in names.values()):
            raise _Refused(INVALID, "two members have one name")
        return infos

    def _member(self, info: zipfile.ZipInfo) -> Member:
        size, crc, digest, head = 0, 0, sha256(), b""
        for piece in self._pieces(info):
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            digest.update(piece)
            head = head if len(head) >= HEAD else (head + piece)[:HEAD]
            self._count(len(piece), size, info)
        if size != info.file_size or crc != info.CRC:
            raise _Refused(INVALID, "a member is not what the archive says of it")
        return Member(name=info.filename, size=size, sha256=digest.hexdigest(), head=head)

    def _count(self, more: int, size: int, info: zipfile.ZipInfo) -> None:
        self._total += more
        limits = self._limits
        too_dense = size > max(FREE, RATIO * info.compress_size) or self._total > RATIO * self._size
        if size > limits.member_bytes or self._total > limits.total_bytes or too_dense:
            raise _Refused(LIMIT, "more comes out of the archive than was agreed")

    def _pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """What comes out of a member, whatever the archive says of its size."""
        left = self._seek(info)
        inflater = None if info.compress_type == zipfile.ZIP_STORED else zlib.decompressobj(-zlib.MAX_WBITS)
        while left > 0:
            block = self._stream.read(min(READ, left))
            if not block:
                raise _Refused(INVALID, "a member is cut off")
            left -= len(block)
            yield from [block] if inflater is None else _inflated(inflater, block)
        if inflater is not None and not inflater.eof:
            raise _Refused(INVALID, "a member is cut off")

    def _seek(self, info: zipfile.ZipInfo) -> int:
        """Go to a member's bytes; how many there are."""
        self._stream.seek(info.header_offset)
        header = self._stream.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(_SIGNATURE):
            raise _Refused(INVALID, "a member is not where the archive says")
        _, name_length, extra_length = _LOCAL.unpack(header)
        encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
        if self._stream.read(name_length).decode(encoding, errors="replace") != info.orig_filename:
            raise _Refused(INVALID, "a member has another name than the archive says")
        self._stream.seek(extra_length, 1)
        return info.compress_size


def _inflated(inflater: "zlib._Decompress", block: bytes) -> Iterator[bytes]:
    try:
        while block and not inflater.eof:
            yield inflater.decompress(block, READ)
            block = inflater.unconsumed_tail
    except zlib.error:
        raise _Refused(INVALID, "a member is damaged") from None


def _fault_of_path(info: zipfile.ZipInfo) -> str | None:
    """Why a name or kind of member can't be let in; the name itself is not told."""
    name = info.orig_filename
    if name.startswith("/") or _DRIVE.match(name):
        return "a member has an absolute name"
    if "\\" in name or "\0" in name:
        return "a member's name has a backslash or NUL"
    if ".." in name.split("/"):
        return "a member's name leads out of the archive"
    if info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16):
        return "a member is a link"
    return None
