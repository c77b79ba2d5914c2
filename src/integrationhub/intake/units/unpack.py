"""A compressed file unpacked within its limits, before anything of it is read (benefits-common.md §4)."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from integrationhub.records import Reason
from integrationhub.sdk.descriptor import UnitCodes

LARGEST = 1 << 30
"""Bytes that a file may have, whatever it states."""

RATIO = 200
"""How many times its size a file may grow."""

_PIECE = 1 << 20


def unpack(source: BinaryIO, target: Path, *, stated: int, size: int, codes: UnitCodes) -> Reason | None:
    """Write the content of the gzip file `source`, of `size` bytes, to `target`; the reason where that must not be.

    `stated` is what the trigger file says of the content. At a limit nothing more is read.
    """
    limit = min(stated, LARGEST, RATIO * size)
    done = 0
    try:
        with target.open("wb") as out:
            for piece in _content(source):
                done += len(piece)
                if done > limit:
                    return Reason(code=codes.limit, text="the content is larger than the file's limits allow")
                out.write(piece)
    except (zlib.error, EOFError):
        return Reason(code=codes.damaged, text="the compressed data is damaged")
    if done < stated:
        text = f"the content has {done} bytes, the trigger file states {stated}"
        return Reason(code=codes.damaged, text=text, field="UNCOMPRESSED-BYTES")
    return None


def _content(source: BinaryIO) -> Iterator[bytes]:
    """The content of all members, in pieces of bounded size. EOFError: the last one has no end."""
    member, fed = zlib.decompressobj(31), b""
    while True:
        if not fed:
            fed = source.read(_PIECE)
            if not fed:
                if not member.eof:
                    raise EOFError
                return
        if member.eof:
            member = zlib.decompressobj(31)
        piece = member.decompress(fed, _PIECE)
        fed = member.unused_data if member.eof else member.unconsumed_tail
        if piece:
            yield piece
