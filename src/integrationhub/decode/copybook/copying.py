"""COPY statements: the text of other copybooks in their place, changed as REPLACING asks.

Source: IBM Enterprise COBOL for z/OS Language Reference, "COPY statement". Replacing compares text words: a word, a
literal, or one of `( ) : .` by itself, whatever the case and the spaces between them; so `==:TAG:==` is found at the
front of `:TAG:-NAME`. LEADING and TRAILING compare a part of a word. A copied text is expanded before it is changed, so
nested COPY statements take part in the replacing around them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from integrationhub.decode.copybook.faults import Faults
from integrationhub.decode.copybook.source import Place, SourceText, read_source

Library: TypeAlias = Callable[[str], tuple[str, str] | None]
"""Finds a copybook by the name in a COPY statement: what to call it in faults, and its text; None when it has none."""

DEEPEST = 32
MOST_CHARACTERS = 64 * 1024 * 1024
_WORD = re.compile(
    r"""
    (?P<skip>\s+|[,;](?=\s|$))
    |(?P<literal>(?:[XNGZ]X?)?(?:'(?:[^']|'')*'|"(?:[^"]|"")*"))
    |(?P<pseudo>==)
    |(?P<word>(?:(?!==|[.,;](?:\s|$)|[():'"])\S)+)
    |(?P<single>\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A text word: what it compares as, how it is written, and where it stands in the text."""

    text: str
    written: str
    start: int
    end: int
    pseudo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replacement:
    """What to look for and what to put there; `part` is LEADING, TRAILING or empty for whole words."""

    words: tuple[str, ...]
    by: str
    part: str = ""

    def match(self, words: Sequence[_Word], index: int) -> tuple[int, str] | None:
        """How many words from there on are replaced, and by what."""
        if not self.part:
            found = tuple(word.text for word in words[index : index + len(self.words)])
            return (len(found), self.by) if found == self.words else None
        word, written, wanted = words[index].text, words[index].written, self.words[0]
        if self.part == "LEADING" and word.startswith(wanted):
            return 1, self.by + written[len(wanted) :]
        if self.part == "TRAILING" and word.endswith(wanted):
            return 1, written[: len(written) - len(wanted)] + self.by
        return None


@dataclass(frozen=True, slots=True)
class _Copy:
    """A COPY statement: words [start, end) of the text."""

    name: str
    place: Place
    end: int
    replacements: tuple[_Replacement, ...]


class _Faulty(Exception):
    """A COPY statement can't be read; the fault is noted."""


def expand(source: SourceText, library: Library | None, faults: Faults) -> SourceText:
    """The text with every COPY statement carried out; what is wrong goes to `faults`."""
    return _Expansion(library, faults).expand(source, ())


class _Expansion:
    """Carries out the COPY statements of one copybook and of everything it copies."""

    def __init__(self, library: Library | None, faults: Faults) -> None:
        self._library = library
        self._faults = faults
        self._characters = 0

    def expand(self, source: SourceText, open_names: tuple[str, ...]) -> SourceText:
        words = _words(source.text)
        pieces: list[tuple[str, Place]] = []
        done = index = 0
        while index < len(words):
            if words[index].text != "COPY":
                index += 1
                continue
            pieces += source.parts(done, words[index].start)
            try:
                copy = _Statement(source, words, index, self._faults).read()
                pieces += self._copied(copy, open_names)
                index = copy.end
            except _Faulty:
                while index < len(words) and words[index].text != ".":
                    index += 1
                index += 1
            done = words[index - 1].end if index <= len(words) else len(source.text)
        if not done:
            return source
        pieces += source.parts(done, len(source.text))
        return SourceText.joined(pieces)

    def _copied(self, copy: _Copy, open_names: tuple[str, ...]) -> list[tuple[str, Place]]:
        found = self._library(copy.name) if self._library is not None else None
        if found is None:
            self._faults.add(copy.place, f"expected a copybook {copy.name!r} in the copy paths, found none")
            return []
        file, text = found
        self._characters += len(text)
        if file in open_names or len(open_names) >= DEEPEST:
            self._faults.add(copy.place, f"expected a copybook that doesn't copy itself, found {copy.name!r}")
            return []
        if self._characters > MOST_CHARACTERS:
            self._faults.add(copy.place, f"expected at most {MOST_CHARACTERS} characters in all copybooks together")
            return []
        inner = self.expand(read_source(text, file=file), (*open_names, file))
        return [("\n", copy.place), *_replaced(inner, copy.replacements), ("\n", copy.place)]


class _Statement:
    """Reads one COPY statement, from the word COPY to its full stop."""

    def __init__(self, source: SourceText, words: Sequence[_Word], index: int, faults: Faults) -> None:
        self._source = source
        self._words = words
        self._next = index + 1
        self._faults = faults

    def read(self) -> _Copy:
        """COPY name [OF library] [SUPPRESS] [REPLACING …]."""
        place = self._place()
        name = self._take("a copybook name").strip("'\"")
        if self._take_if("OF", "IN"):
            self._take("a library name")
        self._take_if("SUPPRESS")
        replacements: list[_Replacement] = []
        if self._take_if("REPLACING"):
            while self._peek() not in {".", ""}:
                replacements.append(self._replacement())
        if not self._take_if("."):
            self._fail("a full stop at the end of COPY")
        return _Copy(name, place, self._next, tuple(replacements))

    def _replacement(self) -> _Replacement:
        part = self._take_if("LEADING", "TRAILING")
        words, _ = self._operand()
        if not self._take_if("BY"):
            self._fail("BY")
        _, by = self._operand()
        if not words or (part and len(words) != 1):
            self._fail(f"one word behind {part}" if part else "a word to replace")
        return _Replacement(words=words, by=by, part=part)

    def _operand(self) -> tuple[tuple[str, ...], str]:
        """The words of a pseudo-text or of one word or literal, and its text as written."""
        if self._next < len(self._words) and self._words[self._next].pseudo:
            first = self._next + 1
            end = next((at for at in range(first, len(self._words)) if self._words[at].pseudo), None)
            if end is None:
                self._fail("== at the end of a pseudo-text")
            self._next = end + 1
            text = self._source.text[self._words[first - 1].end : self._words[end].start].strip()
            return tuple(word.text for word in self._words[first:end]), text
        word = self._take("a pseudo-text, a word or a literal")
        written = self._words[self._next - 1]
        return (word,), self._source.text[written.start : written.end]

    def _peek(self) -> str:
        return self._words[self._next].text if self._next < len(self._words) else ""

    def _take_if(self, *words: str) -> str:
        word = self._peek()
        if word not in words:
            return ""
        self._next += 1
        return word

    def _take(self, expected: str) -> str:
        word = self._peek()
        if word in {"", "."}:
            self._fail(expected)
        self._next += 1
        return word

    def _place(self) -> Place:
        known = self._next < len(self._words)
        return self._source.place(self._words[self._next].start if known else len(self._source.text))

    def _fail(self, expected: str) -> NoReturn:
        found = repr(self._peek()) if self._peek() else "end of the copybook"
        self._faults.add(self._place(), f"expected {expected}, found {found}")
        raise _Faulty


def _words(text: str) -> list[_Word]:
    found = []
    for match in _WORD.finditer(text):
        if match.lastgroup != "skip":
            literal = match.lastgroup == "literal"
            word = match.group() if literal else match.group().upper()
            pseudo = match.lastgroup == "pseudo"
            found.append(_Word(word, match.group(), match.start(), match.end(), pseudo))
    return found


def _replaced(source: SourceText, replacements: Sequence[_Replacement]) -> list[tuple[str, Place]]:
    """The text in pieces, every match of the first replacement that fits changed; what was put in is not looked at."""
    words = _words(source.text) if replacements else []
    pieces: list[tuple[str, Place]] = []
    done = index = 0
    while index < len(words):
        match = next((found for one in replacements if (found := one.match(words, index))), None)
        if match is None:
            index += 1
            continue
        count, by = match
        pieces += source.parts(done, words[index].start)
        pieces.append((by, source.place(words[index].start)))
        index += count
        done = words[index - 1].end
    pieces += source.parts(done, len(source.text))
    return pieces
