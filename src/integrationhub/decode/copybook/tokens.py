"""Source text to words, literals and full stops.

A COBOL separator is a space, a line end, or a full stop, comma or semicolon that one of these follows; so a full stop
inside `9(5).99` belongs to the picture and the one behind it ends the entry.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from integrationhub.decode.copybook.source import Place, SourceText

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|[,;](?=\s|$))
    |(?P<literal>(?:[XNGZ]X?)?(?:'(?:[^']|'')*'|"(?:[^"]|"")*"))
    |(?P<open>(?:[XNGZ]X?)?['"][^\n]*)
    |(?P<stop>\.(?=\s|$))
    |(?P<word>(?:(?!['"]|[.,;](?:\s|$))\S)+)
    |(?P<odd>\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Kind(StrEnum):
    """The kinds of token; the values are what a fault message calls them."""

    WORD = "word"
    LITERAL = "literal"
    STOP = "full stop"
    OPEN = "literal without an end"
    END = "end of the copybook"


@dataclass(frozen=True, slots=True)
class Token:
    """A word (upper case), a literal (as written) or a full stop, and where it stands.

    `written` is a word as it is spelled; `first` marks the first token of a line.
    """

    kind: Kind
    text: str
    place: Place
    written: str = ""
    first: bool = False

    @property
    def shown(self) -> str:
        """How a fault message names it."""
        return f"{self.text!r}" if self.kind in {Kind.WORD, Kind.LITERAL} else self.kind.value


def tokenize(source: SourceText) -> list[Token]:
    """All tokens in order, an END last."""
    tokens = []
    first = True
    for match in _TOKEN.finditer(source.text):
        kind = match.lastgroup
        if kind == "skip":
            first = first or "\n" in match.group()
            continue
        text, place = match.group(), source.place(match.start())
        if kind == "stop":
            tokens.append(Token(Kind.STOP, text, place))
        elif kind == "literal":
            tokens.append(Token(Kind.LITERAL, text, place))
        elif kind == "open":
            tokens.append(Token(Kind.OPEN, text, place))
        else:
            tokens.append(Token(Kind.WORD, text.upper(), place, text, first))
        first = False
    tokens.append(Token(Kind.END, "", source.place(len(source.text))))
    return tokens


def literal_text(token: Token) -> str:
    """What a literal or figurative constant stands for; a hexadecimal literal stays as it is written, in upper case."""
    text = token.text
    if token.kind is not Kind.LITERAL:
        return text
    if text[0] in "xX":
        return text.upper()
    if text[0] not in "'\"":
        text = text.lstrip("XNGZxngz")
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def is_odd_hexadecimal(token: Token) -> bool:
    """Whether it is a hexadecimal literal with anything but pairs of digits in it."""
    text = token.text
    if token.kind is not Kind.LITERAL or text[0] not in "xX":
        return False
    return len(text) % 2 == 0 or not set(text[2:-1]) <= set("0123456789abcdefABCDEF")
