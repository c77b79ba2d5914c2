"""COBOL source lines to one text, each character of which still knows its line and column.

Fixed reference format (IBM Enterprise COBOL for z/OS Language Reference, "Reference format"): columns 1–6 are a
sequence number, column 7 is the indicator (`*` and `/` comment, `D` debugging line, `-` continuation), 8–72 hold the
program, what follows is ignored. Tabs go to the next multiple of eight. Listing directives (EJECT, SKIP1–3, TITLE) are
read over. Behind `>>SOURCE FORMAT FREE` the whole line is program and only `*>` begins a comment.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

INDICATOR = 6
FIRST = 7
LAST = 72
_IGNORED = frozenset("*/$Dd")
_LISTING = re.compile(r"\s*(EJECT|SKIP[123]|TITLE\b.*)\s*\.?\s*", re.IGNORECASE)
_DIRECTIVE = re.compile(r"\s*>>")
_FREE = re.compile(r"\s*>>\s*SOURCE\s+(FORMAT\s+)?(IS\s+)?FREE\b", re.IGNORECASE)
_UNPRINTABLE = dict.fromkeys(map(ord, "\x1a\x00\ufeff"))


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the source, line and column both from 1; `file` is named where it isn't the copybook itself."""

    line: int
    column: int
    file: str = ""


@dataclass(slots=True)
class SourceText:
    """The program text of a copybook and the way back from an index in it to line and column."""

    text: str = ""
    _starts: list[int] = field(default_factory=list)
    _places: list[Place] = field(default_factory=list)

    def place(self, index: int) -> Place:
        """Line and column of the character at that index; past the end, behind the last character."""
        piece = bisect_right(self._starts, index) - 1
        if piece < 0:
            return Place(1, FIRST + 1)
        start = self._places[piece]
        return Place(start.line, start.column + index - self._starts[piece], start.file)

    def parts(self, start: int, end: int) -> Iterator[tuple[str, Place]]:
        """The text between two indices in pieces, each with the place of its first character."""
        piece = max(bisect_right(self._starts, start) - 1, 0)
        while start < end:
            piece += 1
            stop = min(end, self._starts[piece] if piece < len(self._starts) else end)
            yield self.text[start:stop], self.place(start)
            start = stop

    @classmethod
    def joined(cls, pieces: list[tuple[str, Place]]) -> "SourceText":
        """One text of pieces that follow each other."""
        starts, length = [], 0
        for text, _ in pieces:
            starts.append(length)
            length += len(text)
        return cls("".join(text for text, _ in pieces), starts, [place for _, place in pieces])


def read_source(text: str, *, file: str = "") -> SourceText:
    """The program text of a copybook; lines that aren't continued end in a line feed. `file` goes into every place."""
    pieces: list[tuple[str, Place]] = []
    quote = ""  # the delimiter of the literal that the last line left open
    free = False
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.translate(_UNPRINTABLE).expandtabs(8)
        first, last = (0, len(line)) if free else (FIRST, LAST)
        area = line[first:last]
        indicator = " " if free else line[INDICATOR : INDICATOR + 1]
        free = free or _FREE.match(line) is not None
        if indicator in _IGNORED or not area.strip() or _LISTING.fullmatch(area) or _DIRECTIVE.match(line):
            continue
        continued = indicator == "-" and bool(pieces)
        start = _continuation_start(area, quote) if continued else 0
        code, quote = _strip_comment(area[start:], quote if continued else "")
        if quote and not free:  # an open literal runs to the last column, blanks included
            code = code.ljust(LAST - FIRST - start)
        piece = code if continued or not pieces else "\n" + code
        pieces.append((piece, Place(number, first + 1 + start - (len(piece) - len(code)), file)))
    return SourceText.joined(pieces)


def _continuation_start(area: str, quote: str) -> int:
    """Where the continued text begins: at the first character, behind the delimiter that reopens a literal."""
    start = len(area) - len(area.lstrip())
    return start + 1 if quote and area[start : start + 1] == quote else start


def _strip_comment(code: str, quote: str) -> tuple[str, str]:
    """The code in front of a floating comment (`*>`), and the delimiter of a literal still open at its end."""
    for index, character in enumerate(code):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif code.startswith("*>", index):
            return code[:index].rstrip(), ""
    return (code, quote) if quote else (code.rstrip(), "")
