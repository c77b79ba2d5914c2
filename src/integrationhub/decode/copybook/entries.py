"""Data description entries: tokens of one sentence to a level, a name and its clauses.

Source: IBM Enterprise COBOL for z/OS Language Reference, "Data division – data description entry". Clauses may come in
any order; a clause that only matters to a running program (GLOBAL, EXTERNAL) is read over. Where a line begins with
what can only be a new entry, the full stop in front of it is taken as written, as compilers do. A faulty entry is
reported and skipped to its full stop, so that one fault does not hide the next.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from integrationhub.decode.copybook.faults import Faults
from integrationhub.decode.copybook.layout import FILLER, Condition, Occurs, Picture, Sign, Usage
from integrationhub.decode.copybook.picture import PictureFault, parse_picture
from integrationhub.decode.copybook.source import Place
from integrationhub.decode.copybook.tokens import Kind, Token, is_odd_hexadecimal, literal_text

USAGES = {
    "DISPLAY": Usage.DISPLAY,
    "COMP": Usage.BINARY,
    "COMP-0": Usage.BINARY,
    "COMP-1": Usage.FLOAT,
    "COMP-2": Usage.DOUBLE,
    "COMP-3": Usage.PACKED,
    "COMP-4": Usage.BINARY,
    "COMP-5": Usage.NATIVE,
    "COMP-6": Usage.PACKED_UNSIGNED,
    "BINARY": Usage.BINARY,
    "PACKED-DECIMAL": Usage.PACKED,
    "NATIONAL": Usage.NATIONAL,
    "DISPLAY-1": Usage.DBCS,
    "INDEX": Usage.INDEX,
    "POINTER": Usage.POINTER,
    "POINTER-32": Usage.POINTER,
    "FUNCTION-POINTER": Usage.POINTER,
    "PROCEDURE-POINTER": Usage.POINTER,
}
USAGES |= {name.replace("COMP", "COMPUTATIONAL"): usage for name, usage in USAGES.items() if name.startswith("COMP")}

_LEVELS = frozenset({*range(1, 50), 66, 77, 78, 88})
_NAMED = frozenset({66, 78, 88})
_REPETITION = re.compile(r"(?<=\()[A-Z0-9_-]*[A-Z][A-Z0-9_-]*(?=\))")  # by a constant's name
_LEVEL = re.compile(r"[0-9]{1,2}")
_RANGE = frozenset({"THRU", "THROUGH"})


@dataclass(slots=True)
class Entry:
    """One data description entry as written."""

    level: int
    name: str
    place: Place
    picture: Picture | None = None
    usage: Usage | None = None
    sign: Sign | None = None
    occurs: Occurs | None = None
    redefines: str | None = None
    synchronized: bool = False
    justified: bool = False
    blank_when_zero: bool = False
    value: str | None = None
    ranges: list[tuple[str, str]] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    written: str = ""
    renames: tuple[str, str] | None = None

    def condition(self) -> Condition:
        """The entry as a level 88."""
        return Condition(name=self.name, ranges=tuple(self.ranges), line=self.place.line)


class _Skip(Exception):
    """The rest of this entry can't be understood; its fault is noted."""


class EntryParser:
    """Reads the entries of one copybook from its tokens."""

    def __init__(self, tokens: list[Token], faults: Faults) -> None:
        self._tokens = tokens
        self._next = 0
        self._faults = faults
        self._constants: dict[str, str] = {}
        self._clauses: dict[str, Callable[[Entry], None]] = {
            "REDEFINES": self._redefines,
            "PIC": self._picture,
            "PICTURE": self._picture,
            "USAGE": self._usage,
            "SIGN": self._sign,
            "LEADING": self._sign_position,
            "TRAILING": self._sign_position,
            "OCCURS": self._occurs,
            "SYNC": self._synchronized,
            "SYNCHRONIZED": self._synchronized,
            "JUST": self._justified,
            "JUSTIFIED": self._justified,
            "BLANK": self._blank_when_zero,
            "VALUE": self._value,
            "VALUES": self._value,
            "RENAMES": self._renames,
            "EXTERNAL": self._ignored,
            "GLOBAL": self._ignored,
            "GROUP-USAGE": self._group_usage,
        }

    def entries(self) -> list[Entry]:
        """All entries that could be read, in source order."""
        found = []
        while self._peek().kind is not Kind.END:
            if self._take_if("EXEC"):  # DCLGEN puts SQL in front of its data items
                self._skip_statement()
                continue
            try:
                entry = self._entry()
            except _Skip:
                self._skip_sentence()
            else:
                found.append(entry)
                if entry.level == 78:  # noqa: PLR2004 - level of constants
                    self._constants[entry.name] = entry.value or ""
        return found

    def _skip_statement(self) -> None:
        while self._peek().kind is not Kind.END and not self._take_if("END-EXEC"):
            self._take()
        if self._peek().kind is Kind.STOP:
            self._take()

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.kind is not Kind.END:
            self._next += 1
        return token

    def _take_if(self, *words: str) -> Token | None:
        token = self._peek()
        return self._take() if token.kind is Kind.WORD and token.text in words else None

    def _fail(self, token: Token, expected: str) -> NoReturn:
        self._faults.add(token.place, f"expected {expected}, found {token.shown}")
        raise _Skip

    def _skip_sentence(self) -> None:
        while self._take().kind not in {Kind.STOP, Kind.END} and not self._begins_entry():
            pass

    def _begins_entry(self) -> bool:
        """Whether a new entry begins here though no full stop ended the last: a level number and a name on a line."""
        token = self._peek()
        if not token.first or not _LEVEL.fullmatch(token.text) or int(token.text) not in _LEVELS:
            return False
        behind = self._tokens[self._next + 1]
        return behind.kind is Kind.WORD and behind.text not in _RANGE and any(map(str.isalpha, behind.text))

    def _entry(self) -> Entry:
        token = self._peek()
        level = self._level()
        named = self._peek()
        name = FILLER
        if named.kind is Kind.WORD and named.text not in self._clauses and named.text not in USAGES:
            name = self._name("a data name")
        elif level in _NAMED:
            self._fail(named, f"a name behind level {level}")
        place = named.place if name != FILLER else token.place
        entry = Entry(level, name, place, written=FILLER if name == FILLER else named.written)
        while self._peek().kind not in {Kind.STOP, Kind.END} and not self._begins_entry():
            self._clause(entry)
        if self._peek().kind is Kind.STOP:
            self._take()
        if level == 88 and not entry.ranges:  # noqa: PLR2004 - COBOL's level for condition names
            self._fail(token, "VALUE in a level 88 entry")
        return entry

    def _level(self) -> int:
        token = self._take()
        if token.kind is not Kind.WORD or not (token.text.isascii() and token.text.isdigit()):
            self._fail(token, "a level number")
        if len(token.text) > 2 or int(token.text) not in _LEVELS:  # noqa: PLR2004 - levels have two digits
            self._fail(token, "a level number 01 to 49, 66, 77, 78 or 88")
        return int(token.text)

    def _name(self, expected: str) -> str:
        token = self._take()
        letters = token.text.replace("-", "").replace("_", "")
        if token.kind is not Kind.WORD or not letters.isalnum() or letters.isdigit():
            self._fail(token, f"{expected} of letters, digits and hyphens")
        return token.text

    def _number(self, expected: str) -> int:
        token = self._take()
        text = self._constants.get(token.text, token.text)
        if token.kind is not Kind.WORD or not (text.isascii() and text.isdigit()) or len(text) > 9:  # noqa: PLR2004 - more is no count
            self._fail(token, expected)
        return int(text)

    def _clause(self, entry: Entry) -> None:
        token = self._take()
        if token.kind is Kind.WORD and token.text in USAGES:
            self._once(entry, "USAGE", token.place)
            self._storage(entry, token)
        elif token.kind is Kind.WORD and token.text in self._clauses:
            self._once(entry, token.text, token.place)
            self._clauses[token.text](entry)
        else:
            self._fail(token, "a clause or a full stop")

    def _once(self, entry: Entry, word: str, place: Place) -> None:
        clause = {"PICTURE": "PIC", "VALUES": "VALUE", "LEADING": "SIGN", "TRAILING": "SIGN"}.get(word, word)
        if clause in entry.places:
            self._faults.add(place, f"expected {clause} once in an entry, found it again")
        entry.places[clause] = place

    def _redefines(self, entry: Entry) -> None:
        entry.redefines = self._name("the name of the item redefined,")

    def _picture(self, entry: Entry) -> None:
        self._take_if("IS")
        token = self._take()
        if token.kind is not Kind.WORD:
            self._fail(token, "a picture")
        text = _REPETITION.sub(lambda name: self._constants.get(name.group(), name.group()), token.text)
        try:
            entry.picture = parse_picture(text)
        except PictureFault as fault:
            self._faults.add(token.place, f"expected {fault}, found {token.shown}")

    def _usage(self, entry: Entry) -> None:
        self._take_if("IS")
        token = self._take()
        if token.kind is not Kind.WORD or token.text not in USAGES:
            self._fail(token, "a usage (DISPLAY, COMP to COMP-6, BINARY, PACKED-DECIMAL, NATIONAL, …)")
        self._storage(entry, token)

    def _storage(self, entry: Entry, token: Token) -> None:
        entry.usage = USAGES[token.text]
        self._take_if("NATIVE")

    def _group_usage(self, entry: Entry) -> None:
        self._take_if("IS")
        if not self._take_if("NATIONAL"):
            self._fail(self._peek(), "NATIONAL")
        entry.usage = Usage.NATIONAL

    def _sign(self, entry: Entry) -> None:
        self._take_if("IS")
        token = self._take_if("LEADING", "TRAILING")
        if token is None:
            self._fail(self._peek(), "LEADING or TRAILING")
        entry.sign = self._placed_sign(token)

    def _sign_position(self, entry: Entry) -> None:
        entry.sign = self._placed_sign(self._tokens[self._next - 1])

    def _placed_sign(self, token: Token) -> Sign:
        separate = self._take_if("SEPARATE") is not None
        if separate:
            self._take_if("CHARACTER")
        return Sign(leading=token.text == "LEADING", separate=separate)

    def _occurs(self, entry: Entry) -> None:
        place = self._peek().place
        least = most = self._number("the number of occurrences")
        ranged = self._take_if("TO") is not None
        if ranged:
            most = self._number("the largest number of occurrences")
        self._take_if("TIMES")
        depending, keys, indexes = None, [], []
        while True:
            if self._take_if("DEPENDING"):
                self._take_if("ON")
                depending = self._qualified_name()
            elif self._take_if("ASCENDING", "DESCENDING"):
                self._take_if("KEY")
                self._take_if("IS")
                keys += self._names()
            elif self._take_if("INDEXED"):
                self._take_if("BY")
                indexes += self._names()
            else:
                break
        if most < max(least, 1):
            self._faults.add(place, f"expected at least {max(least, 1)} as the largest number, found {most}")
        if depending is not None and not ranged:
            least = 0  # the old spelling: only the largest number is given
        elif depending is None and ranged:
            self._faults.add(place, "expected DEPENDING ON behind OCCURS … TO …, found nothing")
        entry.occurs = Occurs(least=least, most=most, depending_on=depending, indexes=tuple(indexes), keys=tuple(keys))

    def _qualified_name(self) -> str:
        name = self._name("a data name")
        while self._take_if("OF", "IN"):
            name = f"{self._name('a group name')}.{name}"
        return name

    def _names(self) -> list[str]:
        names = [self._name("a name")]
        while self._peek().kind is Kind.WORD and not self._ends_names(self._peek().text):
            names.append(self._name("a name"))
        return names

    def _ends_names(self, word: str) -> bool:
        return word in self._clauses or word in USAGES or word in {"ASCENDING", "DESCENDING", "INDEXED", "DEPENDING"}

    def _synchronized(self, entry: Entry) -> None:
        self._take_if("LEFT", "RIGHT")
        entry.synchronized = True

    def _justified(self, entry: Entry) -> None:
        self._take_if("RIGHT")
        entry.justified = True

    def _blank_when_zero(self, entry: Entry) -> None:
        self._take_if("WHEN")
        if not self._take_if("ZERO", "ZEROS", "ZEROES"):
            self._fail(self._peek(), "ZERO")
        entry.blank_when_zero = True

    def _value(self, entry: Entry) -> None:
        self._take_if("IS", "ARE")
        while self._peek().kind is Kind.LITERAL or (
            self._peek().kind is Kind.WORD
            and self._peek().text not in self._clauses
            and self._peek().text not in USAGES
            and not (entry.ranges and self._begins_entry())
        ):
            first = last = self._literal()
            if self._take_if("THRU", "THROUGH"):
                last = self._literal()
            entry.ranges.append((first, last))
        if not entry.ranges:
            self._fail(self._peek(), "a literal")
        entry.value = entry.ranges[0][0]

    def _literal(self) -> str:
        self._take_if("ALL")
        token = self._take()
        if token.kind not in {Kind.LITERAL, Kind.WORD}:
            self._fail(token, "a literal")
        if is_odd_hexadecimal(token):
            self._fail(token, "pairs of hexadecimal digits")
        return literal_text(token)

    def _renames(self, entry: Entry) -> None:
        first = last = self._qualified_name()
        if self._take_if(*_RANGE):
            last = self._qualified_name()
        entry.renames = first, last

    def _ignored(self, entry: Entry) -> None:
        """Read over: the clause says nothing about the bytes."""
