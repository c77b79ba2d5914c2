"""What a compressed document says of itself in its root element, read from its first bytes alone.

It is only compared with the trigger file: a document that can't be read here is judged by the checks of its content.
"""

import re
import zlib
from contextlib import suppress
from datetime import date
from typing import BinaryIO
from xml.parsers import expat

from integrationhub.decode.xml.faults import Stop

_COMPRESSED = 64 * 1024
_INFLATED = 256 * 1024
_GZIP = 31
_DAY = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})")


def read_header(stream: BinaryIO, *, sequence: str, as_at: str) -> tuple[int | None, date] | None:
    """Sequence number and as-at date in these attributes of the root; None when they can't be read."""
    try:
        head = zlib.decompressobj(_GZIP).decompress(stream.read(_COMPRESSED), _INFLATED)
    except zlib.error:
        return None
    attributes = _root_of(head)
    day = _DAY.match(attributes.get(as_at, ""))
    if day is None:
        return None
    try:
        found = date.fromisoformat(day[1])
    except ValueError:
        return None
    number = attributes.get(sequence, "").strip()
    return (int(number) if re.fullmatch("[0-9]{1,18}", number) else None), found


def _root_of(head: bytes) -> dict[str, str]:
    parser, found = expat.ParserCreate("UTF-8"), dict[str, str]()

    def start(_name: str, attributes: dict[str, str]) -> None:
        found.update(attributes)
        raise Stop

    def doctype(*_: object) -> None:
        raise Stop

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    with suppress(Stop, expat.ExpatError):
        parser.Parse(head, False)  # noqa: FBT003 - expat's own signature
    return found
