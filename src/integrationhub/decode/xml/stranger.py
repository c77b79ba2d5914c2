"""XML from strangers: expat with everything that could harm left out, and the rules that every feed's documents share.

A document is UTF-8, UTF-16 with a byte order mark, or ISO-8859-1 as it declares. A DOCTYPE ends the reading where it
stands, so that no entity is ever declared: nothing is resolved, expanded or fetched. Elements nest 64 deep at most, and
a tag or comment is held only up to `LONGEST_TOKEN`.

Source: benefits-common.md §6.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.parsers import expat

from integrationhub.decode.xml.prolog import SCANNED, encoding_of, has_doctype

XML_DTD = "XML_DTD"
XML_INVALID = "XML_INVALID"
XML_NAMESPACE = "XML_NAMESPACE"
XML_SCHEMA = "XML_SCHEMA"

DEEPEST = 64
LONGEST_TOKEN = 16 * 1024 * 1024
SEPARATOR = " "
"""Stands between namespace and local name in the names that handlers get."""

_ENCODINGS = {None, "UTF-8", "UTF-16", "ISO-8859-1"}
_WIDE_MARKS = {"utf-16-be": b"\xfe\xff", "utf-16-le": b"\xff\xfe"}
_DECLARED = re.compile(r"""\ufeff?<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_TAG = re.compile(rb"</?([^\s/>]+)")
_DOCTYPES = [
    ("<!DOCTYPE".encode(code), len("<!"[:read].encode(code)))
    for code in ("utf-8", "utf-16-le", "utf-16-be")
    for read in (0, 2)
]
"""How a DOCTYPE in the wrong place looks, and how much of it the parser has passed when it gives up."""


class XmlFault(Exception):
    """What a document is refused for: reason code, a sentence without any of its content, and the byte."""

    def __init__(self, code: str, text: str, offset: int | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.offset = code, text, offset


def whole_heads(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces again, the first of them with the whole prolog as far as it is looked at."""
    head, scanned = b"", False
    for piece in pieces:
        if scanned:
            yield piece
            continue
        head += piece
        if len(head) >= SCANNED:
            scanned = True
            yield head
    if not scanned:
        yield head


def encoding_in(head: bytes) -> str | None:
    """The encoding that the first bytes declare, in capitals. XmlFault: a DOCTYPE, or an encoding that isn't taken."""
    family = encoding_of(head)
    if has_doctype(head):
        raise XmlFault(XML_DTD, "a document type declaration; none is ever read", 0)
    wide = family in _WIDE_MARKS
    if not (family == "latin-1" or (wide and head.startswith(_WIDE_MARKS[family]))):
        raise XmlFault(XML_INVALID, "the document is neither UTF-8, UTF-16 with a byte order mark nor ISO-8859-1", 0)
    found = _DECLARED.match(head[:1024].removeprefix(b"\xef\xbb\xbf").decode(family, errors="replace"))
    declared = found[1].upper() if found else None
    if declared not in _ENCODINGS or wide is not (declared == "UTF-16" or (wide and declared is None)):
        raise XmlFault(XML_INVALID, "the document declares an encoding that it isn't in, or that isn't taken", 0)
    return "UTF-16" if wide else declared


class StrangerParser:
    """One document, fed in pieces to handlers for starts, ends and texts of elements.

    Whoever handles starts counts the open elements, and raises `too_deep` beyond DEEPEST. Names are `namespace local`.
    """

    def __init__(self) -> None:
        self._expat: Any = expat.ParserCreate(None, SEPARATOR)
        self._expat.buffer_text = True
        self._expat.ordered_attributes = True
        self._expat.StartDoctypeDeclHandler = self._doctype
        self._expat.EntityDeclHandler = self._doctype
        self._fed = 0
        self.skipped = 0  # bytes that stood in the document and were not fed, less those fed that did not

    def handle(
        self,
        start: Callable[[str, list[str]], None],
        end: Callable[[str], None],
        text: Callable[[str], None],
    ) -> None:
        """Who is told of starts (name, attributes as a flat list of names and values), ends and texts."""
        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end
        self._expat.CharacterDataHandler = text

    @property
    def place(self) -> int:
        """The byte of the document at which the current element's tag begins."""
        return int(self._expat.CurrentByteIndex) + self.skipped

    @property
    def tag(self) -> bytes:
        """The name in the current element's tag, as its bytes are."""
        found = _TAG.match(self._expat.GetInputContext() or b"")
        return found[1] if found else b""

    @property
    def fed(self) -> int:
        """Bytes of the document that were fed or skipped."""
        return self._fed + self.skipped

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        """Take the next bytes. XmlFault: the document is to be refused."""
        try:
            self._expat.Parse(piece, final)
        except expat.ExpatError as exc:
            raise self._malformed(exc, piece) from None
        self._fed += len(piece)
        if self._fed - self._expat.CurrentByteIndex > LONGEST_TOKEN:
            raise XmlFault(XML_INVALID, f"a tag or comment is longer than {LONGEST_TOKEN} bytes", self.fed)

    def too_deep(self) -> XmlFault:
        """The fault of a document whose elements nest too deep at the current place."""
        return XmlFault(XML_INVALID, f"elements are nested more than {DEEPEST} deep", self.place)

    def _doctype(self, *_: object) -> None:
        raise XmlFault(XML_DTD, "a document type declaration; none is ever read", self.place)

    def _malformed(self, exc: expat.ExpatError, piece: bytes) -> XmlFault:
        inside = max(self._expat.ErrorByteIndex, 0)
        offset = inside + self.skipped
        start = inside - self._fed
        if any(start >= back and piece.startswith(mark, start - back) for mark, back in _DOCTYPES):
            return XmlFault(XML_DTD, "a document type declaration; none is ever read", offset)
        return XmlFault(XML_INVALID, f"not well-formed: {expat.errors.messages[exc.code]}", offset)
