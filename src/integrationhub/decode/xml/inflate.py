"""One gzip member (RFC 1952), inflated in pieces, and never more of it than was promised.

The promise is the trigger file's word on the size of the document. Whatever comes out beyond it is the mark of a
wrong file or of a bomb: reading stops at once. At most `PIECE` bytes are inflated at a time, so memory is bounded
whatever the ratio; an inflated byte is never kept here.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from integrationhub.decode.xml.faults import Faults

READ = 64 * 1024
PIECE = 256 * 1024
_GZIP = 31  # zlib's name for: a gzip header and trailer, window of 32 KiB


def inflate(
    stream: BinaryIO, *, promised: int | None, limit: int, faults: Faults, progress: Callable[[int], None]
) -> Iterator[bytes]:
    """The document in pieces. What is wrong with the container is noted in `faults` and ends the reading.

    `limit` is the most that may be promised, and the most that is read where nothing was; `progress` is told of
    compressed bytes read.
    """
    most = limit if promised is None else promised
    if most > limit:
        faults.note("oversize", f"the trigger file promises {most} bytes, more than the limit of {limit}")
        return
    member, size, ended = zlib.decompressobj(_GZIP), 0, False
    while not member.eof and not ended:
        block = member.unconsumed_tail or stream.read(READ)
        if not member.unconsumed_tail:
            progress(len(block))
        ended = not block
        try:
            piece = member.decompress(block, min(PIECE, most - size + 1))
        except zlib.error:
            faults.note("compression", f"the file is no gzip member, or damaged, after {size} bytes of the document")
            return
        size += len(piece)
        if size > most:
            faults.note("oversize", f"more than the promised {most} bytes come out of the file")
            return
        if piece:
            yield piece
    _judge_end(member, stream, size=size, promised=promised, faults=faults)


def _judge_end(
    member: "zlib._Decompress", stream: BinaryIO, *, size: int, promised: int | None, faults: Faults
) -> None:
    if not member.eof:
        faults.note("compression", f"the gzip member is cut off after {size} bytes of the document")
    elif member.unused_data or stream.read(1):
        faults.note("compression", "bytes follow the gzip member; the file must be one member")
    elif promised is not None and size < promised:
        faults.note("compression", f"the document has {size} bytes, the trigger file promises {promised}")
