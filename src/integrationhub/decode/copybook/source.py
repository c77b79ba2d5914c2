"""COBOL source lines to one text, each character of which still knows its line and column.

Fixed reference format (IBM Enterprise COBOL for z/OS Language Reference, "Reference format"): columns 1–6 are a
sequence number, column 7 is the indicator (`*` and `/` comment, `D` debugging line, `-` continuation), 8–72 hold the
program, what follows is ignored. Tabs go to the next multiple of eight. Listing directives (EJECT, SKIP1–3, TITLE) are
read over.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

INDICATOR = 6
FIRST = 7
LAST = 72
_IGNORED = frozenset("*/$Dd")
_LISTING = re.compile(r"\s*(EJECT|SKIP[123]|TITLE\b.*)\s*\.?\s*", re.IGNORECASE)
_UNPRINTABLE = dict.fromkeys(map(ord, "\x1a\x00\ufeff"))


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the source, line and column both from 1."""

    line: int
    column: int


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
        return Place(start.line, start.column + index - self._starts[piece])


def read_source(text: str) -> SourceText:
    """The program text of a copybook in fixed reference format; lines that aren't continued end in a line feed."""
    pieces: list[str] = []
    starts: list[int] = []
    places: list[Place] = []
    length = 0
    quote = ""  # the delimiter of the literal that the last line left open
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.translate(_UNPRINTABLE).expandtabs(8)
        area = line[FIRST:LAST]
        indicator = line[INDICATOR : INDICATOR + 1]
        if indicator in _IGNORED or not area.strip() or _LISTING.fullmatch(area):
            continue
        continued = indicator == "-" and bool(pieces)
        start = _continuation_start(area, quote) if continued else 0
        code, quote = _strip_comment(area[start:], quote if continued else "")
        if quote:  # an open literal runs to the last column, blanks included
            code = code.ljust(LAST - FIRST - start)
        piece = code if continued or not pieces else "\n" + code
        pieces.append(piece)
        starts.append(length)
        places.append(Place(number, FIRST + 1 + start - (len(piece) - len(code))))
        length += len(piece)
    return SourceText("".join(pieces), starts, places)


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
