"""PICTURE strings: which characters a field may hold, how many, and where the decimal point is thought to be.

Source: IBM Enterprise COBOL for z/OS Language Reference, "PICTURE clause". Symbols: `X` any, `A` letter, `9` digit,
`S` sign, `V` implied point, `P` scaling position (takes no storage), `N` and `G` double-byte, `B` blank, `0` zero,
`/` stroke, `Z` and `*` suppressed digits, `+ -` and `CR DB` signs, `.` and `,` insertion, a currency sign, `E` external
float.
"""

import re

from integrationhub.decode.copybook.layout import Category, Picture

CURRENCY = "$£€¥#"
MOST_POSITIONS = 134_217_727
_ELEMENT = re.compile(r"(CR|DB|[A-Z0-9/,.+*\-$£€¥#])(?:\((\d+)\))?")
_EDITING = set("BZ0/,.+-*E") | set(CURRENCY) | {"CR", "DB"}
_NUMBER = re.compile(r"S?(?:9*(?:V9*)?|P+V?9+|V?P+9+|9+P+V?)")
_WIDTH = {"S": 0, "V": 0, "P": 0, "CR": 2, "DB": 2}


class PictureFault(ValueError):
    """A picture that means nothing; the text says what was expected."""


def parse_picture(text: str) -> Picture:
    """What a picture says; PictureFault when it is none."""
    symbols = _symbols(text.upper())
    kinds = {symbol for symbol, _ in symbols}
    positions = sum(_WIDTH.get(symbol, 1) * count for symbol, count in symbols)
    if not 0 < positions <= MOST_POSITIONS:
        raise PictureFault("a picture with at least one character position")
    if kinds <= set("S9VP"):
        return _number(text, symbols, positions)
    if kinds <= set("NG") or kinds <= {"N", "B"} or kinds <= {"G", "B"}:
        return Picture(text=text, category=Category.TEXT, positions=positions)
    if kinds <= set("XA9"):
        return Picture(text=text, category=Category.TEXT, positions=positions)
    if kinds <= _EDITING | set("9VPXA") or (kinds <= set("S9.") and text[:1] in "Ss"):
        return _edited(text, symbols, positions)
    odd = sorted(kinds - _EDITING - set("9VPXASNG"))
    raise PictureFault(f"picture symbols that go together; found {' '.join(odd) or text}")


def _symbols(text: str) -> list[tuple[str, int]]:
    symbols: list[tuple[str, int]] = []
    index = 0
    while index < len(text):
        match = _ELEMENT.match(text, index)
        if match is None:
            raise PictureFault(f"a picture symbol, with its number in brackets if repeated, at character {index + 1}")
        count = int((match.group(2) or "1")[:10])
        if count < 1:
            raise PictureFault("a repetition of at least 1")
        symbols.append((match.group(1), count))
        index = match.end()
    if not symbols:
        raise PictureFault("a picture")
    return symbols


def _number(text: str, symbols: list[tuple[str, int]], positions: int) -> Picture:
    if positions > 38:  # noqa: PLR2004 - the widest decimal that columns can hold
        raise PictureFault("a number of at most 38 digits")
    flat = "".join(symbol * min(count, 99) for symbol, count in symbols)
    if not _NUMBER.fullmatch(flat):
        raise PictureFault("S first, then digits with at most one V, P only at one end")
    signed = flat.startswith("S")
    flat = flat.removeprefix("S")
    digits = flat.count("9")
    scaling = flat.count("P")
    if not scaling:
        _, _, fraction = flat.partition("V")
        scale = len(fraction)
    else:
        scale = digits + scaling if flat.lstrip("V").startswith("P") else -scaling
    return Picture(text=text, category=Category.NUMBER, positions=positions, digits=digits, scale=scale, signed=signed)


def _edited(text: str, symbols: list[tuple[str, int]], positions: int) -> Picture:
    digits = sum(count for symbol, count in symbols if symbol in "9Z*")
    fraction = 0
    behind = False
    for symbol, count in symbols:
        behind = behind or symbol in {"V", "."}
        fraction += count if behind and symbol in "9Z*" else 0
    signed = any(symbol in {"S", "+", "-", "CR", "DB"} for symbol, _ in symbols)
    return Picture(
        text=text, category=Category.EDITED, positions=positions, digits=digits, scale=fraction, signed=signed
    )
