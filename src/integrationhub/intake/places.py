"""Where source fields stand in the bytes of a file, whatever its format.

A **mainframe record** has its fields at places that the layout and the record itself tell. An **element** of an XML
document has attributes and texts; offsets are those in the uncompressed document, as no byte of the compressed one
belongs to one value. A **row** of a workbook export has cells, a **message** in JSON members.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol
from xml.parsers import expat

import numpy as np

from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.framing import Frames
from integrationhub.decode.xml.layout import DocumentLayout
from integrationhub.errors import InvariantBroken
from integrationhub.intake.pieces import Piece, SourceFile
from integrationhub.mapping.scope import Place
from integrationhub.sdk.descriptor import CsvLayout, Document, JsonLayout

FILE, UNCOMPRESSED = "file", "uncompressed file"
"""What byte offsets count in."""

_GZIP = 31
_READ = 1 << 16
_NAME = rb"[^\s/>=\"'<]+"
_VALUE = rb"\"[^\"]*\"|'[^']*'"
_TAG = re.compile(rb"<(" + _NAME + rb")((?:\s+" + _NAME + rb"\s*=\s*(?:" + _VALUE + rb"))*)\s*(/?)>")
_ATTRIBUTE = re.compile(rb"(" + _NAME + rb")\s*=\s*(" + _VALUE + rb")")
_BLANKS = " \t\r\n"
_QUOTE, _COMMA, _ENDS = ord('"'), ord(","), b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceField:
    """A source field in the original: byte offset in the file, length in bytes, its bytes in hexadecimal.

    `path` says where it stands for people: element and attribute, or column. `record` is another than the row's where
    the field stands in a joined record.
    """

    name: str
    offset: int
    length: int
    hex: str
    table: str
    record: int
    path: str = ""
    indexes: tuple[int, ...] = ()  # occurrence numbers from the outside in, of a field in a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A record, element or row in its file, with the places of its fields. `line`: of a text file, from 1.

    `chosen` are the numbers of the occurrence that the row was made of, where it is one of a table in the record.
    """

    record: int
    offset: int
    length: int
    line: int | None
    fields: Mapping[tuple[str, str], Sequence[SourceField]]
    whole: SourceField  # stands for values that reading made of it as a whole
    chosen: tuple[int, ...] = ()
    made: Mapping[str, str] = field(default_factory=dict)  # table that reading made → the one that it was made from

    def of(self, place: Place) -> tuple[SourceField, ...]:
        """The source fields behind a place in this record."""
        key = (self.made.get(place.table, place.table), place.field)
        known = self.fields.get(key, ())
        _, dot, occurrence = place.alias.rpartition(".")
        if dot:
            return tuple(one for one in known if one.indexes[-1:] == (int(occurrence),))
        count = len(self.chosen)
        return tuple(one for one in known if not one.indexes or one.indexes[:count] == self.chosen)


class Locator(Protocol):
    """Finds records of one connector's files."""

    within: str

    def locate(self, file: SourceFile, piece: Piece, *, record: int, offset: int) -> Located:
        """The record whose row says `record` and `offset`. InvariantBroken: it is not there."""
        ...

    def is_made(self, place: Place) -> bool:
        """Whether reading makes this field of records as a whole: it stands nowhere in the file."""
        ...


class RecordLocator:
    """Finds mainframe records."""

    within = FILE

    def __init__(self, decoder: CopybookFileDecoder) -> None:
        self._decoder = decoder
        self._last: tuple[SourceFile, Piece, np.ndarray, Frames] | None = None

    def locate(self, file: SourceFile, piece: Piece, *, record: int, offset: int) -> Located:
        """The record, by its number in the piece."""
        buffer, frames = self._cut(file, piece)
        number = record - piece.first_record
        if not 0 <= number < len(frames.starts):
            raise _lost(record)
        start, length = int(frames.starts[number]), int(frames.lengths[number])
        fields: dict[tuple[str, str], list[SourceField]] = {}
        for place in self._decoder.records.places(buffer, start, length):
            found = SourceField(
                name=place.field,
                offset=piece.start + place.start,
                length=place.length,
                hex=buffer[place.start : place.start + place.length].tobytes().hex(),
                table=place.table,
                record=record,
                path=place.field + "".join(f"({index})" for index in place.indexes),
                indexes=place.indexes,
            )
            fields.setdefault((place.table, place.field), []).append(found)
        opened = (one.indexes for found in fields.values() for one in found if one.offset == offset)
        chosen = next((indexes for indexes in opened if indexes), ())
        whole = _whole(record, piece.start + start, buffer[start : start + length].tobytes(), "record")
        return Located(
            record=record,
            offset=piece.start + start,
            length=length,
            line=None,
            fields=fields,
            whole=whole,
            chosen=chosen,
        )

    def _cut(self, file: SourceFile, piece: Piece) -> tuple[np.ndarray, Frames]:
        """The bytes of a piece and its records; many rows of one piece are traced one after the other."""
        if self._last is None or self._last[0] is not file or self._last[1] is not piece:
            with file.open() as stream:
                stream.seek(piece.start)
                buffer = np.frombuffer(stream.read(piece.end - piece.start), np.uint8)
            self._last = (file, piece, buffer, self._decoder.scan(buffer, piece.start, final=True))
        return self._last[2], self._last[3]

    def is_made(self, place: Place) -> bool:  # noqa: ARG002
        """See `Locator`: records are only cut, never added up."""
        return False


class ElementLocator:
    """Finds elements of a compressed XML document."""

    within = UNCOMPRESSED

    def __init__(self, layout: DocumentLayout, rules: Document) -> None:
        root = rules.root.rpartition("}")[2]
        self._paths: dict[str, str] = {}
        for name, element in layout.lists.items():
            self._paths[element.name] = f"/{root}/{name}/{element.name}"
            self._paths |= {child: f"/{root}/{name}/{element.name}/{child}" for child in element.children}
        self._texts = {element.name: element.text for element in layout.tables()}
        self._made = {name: rule.table for name, rule in rules.sums.items()}
        self._read = {
            (element.name, name) for element in layout.tables() for name in (*element.columns, *element.texts)
        } | {(element.name, element.name) for element in layout.tables() if element.text}

    def locate(self, file: SourceFile, piece: Piece, *, record: int, offset: int) -> Located:  # noqa: ARG002
        """The element that begins at a byte of the uncompressed document."""
        element = _Element()
        with file.open() as stream:
            line = element.read(stream, offset)
        if not element.ended:
            raise _lost(record)
        fields: dict[tuple[str, str], list[SourceField]] = {}
        for found in self._fields(element, record, offset):
            fields.setdefault((found.table, found.name), []).append(found)
        content = element.content
        return Located(
            record=record,
            offset=offset,
            length=len(content),
            line=line,
            fields=fields,
            whole=_whole(record, offset, content, self._paths.get(element.name, element.name)),
            made=self._made,
        )

    def is_made(self, place: Place) -> bool:
        """See `Locator`: the group of a row, its number in its case, numbers of lines, which are counted."""
        return (self._made.get(place.table, place.table), place.field) not in self._read

    def _fields(self, element: "_Element", record: int, offset: int) -> Iterator[SourceField]:
        counts: dict[str, int] = {}
        for name, start, text_ends in element.parts:
            tag = _TAG.match(element.content, start)
            assert tag is not None  # a parser has read it
            nested, of_own = start > 0, name in self._paths  # a child may be a table of its own
            counts[name] = counts.get(name, 0) + 1
            path = self._paths.get(name, f"{self._paths.get(element.name, element.name)}/{name}")
            spans = {f"@{key}": span for key, span in _attributes(tag).items()}
            if nested or self._texts.get(name):
                spans[""] = (tag.end(), max(tag.end(), text_ends))
            for key, (first, end) in spans.items():
                yield SourceField(
                    name=key[1:] or name,
                    offset=offset + first,
                    length=end - first,
                    hex=element.content[first:end].hex(),
                    table=name if of_own else element.name,
                    record=record,
                    path=f"{path}/{key}".rstrip("/"),
                    indexes=(counts[name],) if nested and of_own else (),
                )


def _attributes(tag: re.Match[bytes]) -> dict[str, tuple[int, int]]:
    """First byte and end of every attribute's value in a start tag."""
    first = tag.start(2)
    found = _ATTRIBUTE.finditer(tag[2])
    return {one[1].decode(): (first + one.start(2) + 1, first + one.end(2) - 1) for one in found}


class RowLocator:
    """Finds rows of a workbook export."""

    within = FILE

    def __init__(self, layout: CsvLayout, table: str) -> None:
        self._columns = layout.columns
        self._table = table

    def locate(self, file: SourceFile, piece: Piece, *, record: int, offset: int) -> Located:  # noqa: ARG002
        """The row that begins at a byte."""
        with file.open() as stream:
            content = stream.read()
        spans = cell_spans(content, offset)
        if len(spans) != len(self._columns):
            raise _lost(record)
        fields = {
            (self._table, column): [
                SourceField(
                    name=column,
                    offset=start,
                    length=end - start,
                    hex=content[start:end].hex(),
                    table=self._table,
                    record=record,
                    path=f"row {record}, column {number} {column}",
                )
            ]
            for number, (column, (start, end)) in enumerate(zip(self._columns, spans, strict=True), start=1)
        }
        end = spans[-1][1] + (content[spans[-1][1] : spans[-1][1] + 1] == b'"')
        return Located(
            record=record,
            offset=offset,
            length=end - offset,
            line=content.count(b"\n", 0, offset) + 1,
            fields=fields,
            whole=_whole(record, offset, content[offset:end], f"row {record}"),
        )

    def is_made(self, place: Place) -> bool:
        """See `Locator`: whether two keyings of a case agree."""
        return place.field not in self._columns


class MemberLocator:
    """Finds the members of a message in JSON."""

    within = "message"

    def __init__(self, layout: JsonLayout) -> None:
        self._layout = layout

    def locate(self, file: SourceFile, piece: Piece, *, record: int, offset: int) -> Located:  # noqa: ARG002
        """The message: it is one record."""
        with file.open() as stream:
            body = stream.read()
        spans = member_spans(body)
        fields = {
            (self._layout.table, name): [
                SourceField(
                    name=name,
                    offset=spans[item.path][0],
                    length=spans[item.path][1] - spans[item.path][0],
                    hex=body[slice(*spans[item.path])].hex(),
                    table=self._layout.table,
                    record=record,
                    path=f"$.{item.path}",
                )
            ]
            for name, item in self._layout.fields.items()
            if item.path in spans
        }
        whole = _whole(record, 0, body, "$")
        return Located(record=record, offset=0, length=len(body), line=None, fields=fields, whole=whole)

    def is_made(self, place: Place) -> bool:  # noqa: ARG002
        """See `Locator`: every field is a member."""
        return False


def member_spans(body: bytes) -> dict[str, tuple[int, int]]:
    """First byte and end of every value of an object in JSON that was read before, by the names on the way to it with
    points between; of a text without its quotes.
    """
    text, decoder = body.decode(), json.JSONDecoder()
    found: dict[str, tuple[int, int]] = {}
    waiting = [("", _next(text, 0))]
    while waiting:
        before, place = waiting.pop()
        place = _next(text, place + 1)
        while text[place] != "}":
            name, place = decoder.raw_decode(text, place)
            start = _next(text, _next(text, place) + 1)
            _, end = decoder.raw_decode(text, start)
            if text[start] == "{":
                waiting.append((f"{before}{name}.", start))
            quoted = text[start] == '"'
            found[f"{before}{name}"] = (start + quoted, end - quoted)
            place = _next(text, end)
            place = _next(text, place + 1) if text[place] == "," else place
    if text.isascii():
        return found
    return {name: (len(text[:start].encode()), len(text[:end].encode())) for name, (start, end) in found.items()}


def _next(text: str, place: int) -> int:
    """Where the next character is that is no blank."""
    while text[place] in _BLANKS:
        place += 1
    return place


def cell_spans(content: bytes, start: int) -> list[tuple[int, int]]:
    """First byte and end of every cell of the row at `start`, without its quotes (RFC 4180)."""
    spans, place = list[tuple[int, int]](), start
    while place <= len(content):
        if content[place : place + 1] == b'"':
            begin, end = place + 1, _closing(content, place + 1)
            place = end + 1
        else:
            begin = place
            while place < len(content) and content[place] != _COMMA and content[place] not in _ENDS:
                place += 1
            end = place
        spans.append((begin, end))
        if place >= len(content) or content[place] != _COMMA:
            break
        place += 1
    return spans


def _closing(content: bytes, place: int) -> int:
    """The quote that ends a cell; two of them stand for one."""
    while place < len(content):
        if content[place] == _QUOTE:
            if content[place + 1 : place + 2] != b'"':
                return place
            place += 1
        place += 1
    return place


class _Element:
    """One element cut out of a document: its bytes, and its own and its children's start tags and ends of text."""

    def __init__(self) -> None:
        self.content = b""
        self.parts: list[tuple[str, int, int]] = []  # name, byte of the start tag, byte of the end tag
        self.ended = False
        self._open: list[int] = []
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    @property
    def name(self) -> str:
        """The element's name."""
        return self.parts[0][0]

    def read(self, stream: BinaryIO, offset: int) -> int:
        """Take the element that begins at a byte of the uncompressed document; the number of its line, from 1."""
        member, lines, place = zlib.decompressobj(_GZIP), 1, 0
        content = bytearray()
        while not self.ended:
            block = member.unconsumed_tail or stream.read(_READ)
            if not block:
                break
            piece = member.decompress(block, _READ)
            before, piece = piece[: max(0, offset - place)], piece[max(0, offset - place) :]
            place += len(before) + len(piece)
            lines += before.count(b"\n")
            if piece:
                content += piece
                self._feed(piece, content)
        return lines

    def _feed(self, piece: bytes, content: bytearray) -> None:
        try:
            self._parser.Parse(piece)
        except expat.ExpatError:  # what follows the element is no document of its own
            if self._open or not self.parts:
                raise
        if self.parts and not self._open:
            self.ended = True
            self.content = bytes(content[: self._length(content)])

    def _length(self, content: bytearray) -> int:
        tag = _TAG.match(content)
        if tag is not None and tag[3]:
            return tag.end()
        return content.index(b">", self.parts[0][2]) + 1

    def _start(self, name: str, _attributes: Mapping[str, str]) -> None:
        if self.parts and not self._open:
            return  # the next element
        self._open.append(len(self.parts))
        self.parts.append((name.rpartition(":")[2], self._parser.CurrentByteIndex, 0))

    def _end(self, _name: str) -> None:
        if self._open:
            number = self._open.pop()
            name, start, _ = self.parts[number]
            self.parts[number] = (name, start, self._parser.CurrentByteIndex)


def _whole(record: int, offset: int, content: bytes, path: str) -> SourceField:
    return SourceField(
        name="", offset=offset, length=len(content), hex=content.hex(), table="", record=record, path=path
    )


def _lost(record: int) -> InvariantBroken:
    return InvariantBroken(f"the original has no record {record} where it was loaded from", code="PROVENANCE")
