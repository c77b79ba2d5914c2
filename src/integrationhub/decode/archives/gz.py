"""A gzip file inflated within its limits (benefits-common.md §4).

What comes out is counted as it comes: reading stops at the limit, whatever header or trigger file say.
"""

import zlib
from collections.abc import Generator, Iterator
from typing import BinaryIO

from integrationhub.records import Reason

LARGEST = 1 << 30
"""Bytes of any file once it is inflated."""

RATIO = 200
READ = 1 << 16
PIECE = 1 << 18
_GZIP = 31  # zlib's name for: a gzip header and trailer, window of 32 KiB


class Inflater:
    """Inflates one file. `fault` has why it is refused, once the pieces have ended.

    `delivered` is the size of the file as it came, `stated` what its trigger file says of the inflated size.
    """

    def __init__(self, stream: BinaryIO, *, delivered: int, stated: int | None) -> None:
        self._stream = stream
        self._stated = stated
        self._most = min(LARGEST, RATIO * delivered, LARGEST if stated is None else stated)
        self.size = 0
        self.fault: Reason | None = None

    def pieces(self) -> Iterator[bytes]:
        """The inflated file, up to the byte at which it is refused. Several members follow each other as one."""
        waiting = self._stream.read(READ)
        while waiting and self.fault is None:
            waiting = yield from self._member(waiting)
        if self.fault is None and self._stated is not None and self.size < self._stated:
            self._damaged(f"{self.size} bytes come out, the trigger file states {self._stated}")
        elif self.fault is None and self.size == 0 and self._stated is None:
            self._damaged("nothing comes out")

    def _member(self, waiting: bytes) -> Generator[bytes, None, bytes]:
        """One member; the bytes behind it."""
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                piece = member.decompress(waiting, min(PIECE, self._most - self.size + 1))
            except zlib.error:
                self._damaged(f"the file is no gzip file, or damaged behind {self.size} bytes")
                return b""
            self.size += len(piece)
            if self.size > self._most:
                text = f"more comes out than {self._most} bytes"
                self.fault = Reason(code="DECOMPRESS_LIMIT", text=text)
                return b""
            if piece:
                yield piece
            waiting = member.unconsumed_tail
            if not (waiting or member.eof):
                waiting = self._stream.read(READ)
                if not waiting:
                    self._damaged(f"the file is cut off behind {self.size} bytes")
                    return b""
        return member.unused_data or self._stream.read(READ)

    def _damaged(self, text: str) -> None:
        self.fault = Reason(code="DECOMPRESS_ERROR", text=text)


def inflate_into(target: BinaryIO, stream: BinaryIO, *, delivered: int, stated: int | None) -> Reason | None:
    """Write a gzip file to `target` inflated; why it is refused, or None."""
    inflater = Inflater(stream, delivered=delivered, stated=stated)
    target.writelines(inflater.pieces())
    return inflater.fault
