"""Records that look alike: the markup between their texts is learned once, then only the texts are read.

A bank writes every entry by the same template. Once a record has gone through the parser, its bytes become a pattern:
the markup letter by letter, and in place of each text any text that needs no parsing (no `<`, no `&`, no control
character). Bytes that fit the pattern are a record with the same elements, so the parser need not see them: what it
would have found is known from the record that was learned. A record that fits no pattern goes through the parser.

Which text belongs to which column is found by asking the parser itself: it is given the record once more, with a mark
in place of each text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Cell = str | list[str] | None
"""What a column has of a record: a text, the texts of a repeated element, or nothing."""

Rows = tuple[list[Cell], list[list[Cell]]]
"""A record's own row, and those of its children."""

LEARNED = 64
"""Patterns that are learned of a document at most: making one takes as long as parsing some hundred records."""

KEPT = 8
"""Patterns that are tried: those that fitted last."""

LONGEST = 16 * 1024
"""Bytes of a record that is worth learning."""

_TEXT = re.compile(rb">([^<]+)<")
_UNSURE = re.compile(rb"""[>"'&\]]""")
_NEVER = (b"<!", b"<?", b"~")
"""What keeps a record from being learned: comments and the like, and what marks could be mistaken for."""
_BLANKS = rb"[ \t\r\n]*"
_ANY = {True: rb"[^<&\]\x00-\x08\x0b-\x1f]*", False: rb"[^<&\]\x00-\x08\x0b-\x1f\x80-\xff]*"}
_MARK = re.compile(r"~([0-9]+)~")

Source = int | str | list[int | str] | None
"""Where a column's values come from: a group of the pattern, a constant, several of them, or nowhere."""


@dataclass(slots=True)
class Shape:
    """A pattern, where columns come from, and the records that fitted since they were last asked for."""

    pattern: re.Pattern[bytes]
    row: list[Source]
    children: list[list[Source]]
    records: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    texts: list[tuple[bytes, ...]] = field(default_factory=list)


class Shapes:
    """The patterns of one document. `utf8`: bytes above ASCII may be taken, since whoever asks has checked them."""

    def __init__(self, *, utf8: bool) -> None:
        self._any = _ANY[utf8]
        self._left = LEARNED
        self.known: list[Shape] = []
        self._retired: list[Shape] = []

    def take(self, buffer: bytes, place: int, *, offset: int, record: int) -> tuple[int, int]:
        """Take the records from a place in the buffer on that fit; the place behind them, and the last one's number.

        `offset` is that of the buffer's first byte in the document, `record` the number of the record before.
        """
        while (fitting := self._fitting(buffer, place)) is not None:
            shape, found = fitting
            match, texts, records, offsets = shape.pattern.match, shape.texts, shape.records, shape.offsets
            while found is not None:
                record += 1
                records.append(record)
                offsets.append(offset + found.start(1))
                texts.append(found.groups())
                place = found.end()
                found = match(buffer, place)
        return place, record

    def _fitting(self, buffer: bytes, place: int) -> tuple[Shape, re.Match[bytes] | None] | None:
        """The shape that fits at a place; it is the first to be tried from then on."""
        for position, shape in enumerate(self.known):
            found = shape.pattern.match(buffer, place)
            if found is not None:
                self.known.insert(0, self.known.pop(position))
                return shape, found
        return None

    def learn(self, raw: bytes, probe: Callable[[bytes], Rows]) -> None:
        """Learn the shape of a record that the parser has just taken. `probe` gives the rows of another one like it."""
        pieces = self._pieces(raw)
        if pieces is None:
            return
        marked = b"".join(piece if number % 2 == 0 else b"~%d~" % number for number, piece in enumerate(pieces))
        row, children = probe(marked)
        used: list[int] = []
        sources = [_source(cell, used) for cell in row], [[_source(cell, used) for cell in child] for child in children]
        groups = {number: place for place, number in enumerate(sorted(set(used)), start=1)}
        texts = self._any, b"(" + self._any + b")"
        pattern = b"".join(
            re.escape(piece) if number % 2 == 0 else texts[number in groups] for number, piece in enumerate(pieces)
        )
        self._left -= 1
        own, below = sources
        shape = Shape(
            pattern=re.compile(_BLANKS + b"()" + pattern),
            row=[_grouped(source, groups) for source in own],
            children=[[_grouped(source, groups) for source in child] for child in below],
        )
        self.known.insert(0, shape)
        self._retired += self.known[KEPT:]
        del self.known[KEPT:]

    def filled(self) -> Sequence[Shape]:
        """The shapes that records fitted; whoever asks empties them."""
        shapes = [shape for shape in (*self.known, *self._retired) if shape.records]
        self._retired.clear()
        return shapes

    def _pieces(self, raw: bytes) -> list[bytes] | None:
        """Markup and texts in turn, markup first and last; None where it isn't sure which is which."""
        if not self._left or len(raw) > LONGEST or any(mark in raw for mark in _NEVER):
            return None
        pieces, place = [], raw.index(b"<")
        for found in _TEXT.finditer(raw):
            text = found[1]
            if not text.strip():
                continue
            if _UNSURE.search(text):
                return None
            pieces += [raw[place : found.start(1)], text]
            place = found.end(1)
        return [*pieces, raw[place:]]


def _source(cell: Cell, used: list[int]) -> Source:
    if isinstance(cell, list):
        return [part for item in cell if (part := _single(item, used)) is not None]
    return _single(cell, used)


def _single(text: str | None, used: list[int]) -> int | str | None:
    found = _MARK.fullmatch(text) if text is not None else None
    if found is None:
        return text
    used.append(int(found[1]))
    return used[-1]


def _grouped(source: Source, groups: dict[int, int]) -> Source:
    if isinstance(source, list):
        return [groups[part] if isinstance(part, int) else part for part in source]
    return groups[source] if isinstance(source, int) else source
