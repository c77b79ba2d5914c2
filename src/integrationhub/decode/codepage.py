"""Code pages: one byte to one character, as tables that whole columns go through at once.

EBCDIC code pages come from Python's codecs and the `ebcdic` package (cp1146 is the UK page: pound sign X'5B', euro sign
X'9F'); ASCII and Latin pages work as well. Pages whose characters have several bytes (utf-8, shift_jis, gb18030) have
no such tables: their text goes through the codec value by value, where the caller allows it.
"""

import codecs
import re
from dataclasses import dataclass, replace
from functools import lru_cache

import ebcdic  # type: ignore[import-untyped]  # noqa: F401 - importing it registers its code pages
import numpy as np
import numpy.typing as npt

from integrationhub.decode.copybook.layout import Usage
from integrationhub.errors import ConfigurationError

NOT_ASCII = 0xFF
"""What a byte becomes in `CodePage.ascii` when its character is no ASCII character."""

_NUMBERED = re.compile(r"(?:IBM|CCSID|CP)?[-_ ]?(\d{2,5})", re.IGNORECASE | re.ASCII)
_NO_CHARACTER = "\ufffd"
_SECOND_BYTES = (0x40, 0x80, 0xA1)  # each double-byte page has pairs that end in one of these


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodePage:
    """A code page. One with characters of several bytes (`multibyte`) has only single bytes in its tables.

    `ascii` maps every byte to its ASCII character or NOT_ASCII; `utf8` (256 × 3 bytes) and `utf8_lengths` hold every
    byte's character in UTF-8. Bytes without a character stand for U+FFFD.
    """

    name: str
    ascii: bytes
    utf8: npt.NDArray[np.uint8]
    utf8_lengths: npt.NDArray[np.int64]
    space: int
    plus: int
    minus: int
    ebcdic: bool
    multibyte: bool = False

    def decode(self, raw: bytes) -> str:
        """The text of some bytes; what is no character becomes U+FFFD."""
        return raw.decode(self.name, errors="replace")

    def encode(self, text: str) -> bytes:
        """The text in this code page; UnicodeEncodeError when a character isn't in it."""
        return text.encode(self.name)


@lru_cache(maxsize=32)
def code_page(name: str, *, multibyte: bool = False) -> CodePage:
    """The code page of that name; ConfigurationError when there is none, or when it is no single-byte page and
    `multibyte` doesn't allow that.
    """
    try:
        codec = _codec(name)
        texts = [bytes([byte]).decode(codec, errors="replace") for byte in range(256)]
        signs = [sign.encode(codec) for sign in (" ", "+", "-", "0")]
    except (LookupError, UnicodeError) as exc:
        raise _unknown(name, "there is no such code page") from exc
    if any(len(sign) != 1 for sign in signs) or any(len(text) > 1 for text in texts):
        raise _unknown(name, "its characters have no fixed bytes")
    several = any(len(text) != 1 for text in texts) or _has_pairs(codec, texts)
    if several and not multibyte:
        raise _unknown(name, "it is no single-byte code page")
    return _tabulated(codec, texts, signs, several=several)


def _codec(name: str) -> str:
    """The codec of a name; IBM's names of a page (`IBM-1047`, `1047`, `CCSID 37`) stand for the page of that number."""
    try:
        return codecs.lookup(name).name
    except LookupError:
        match = _NUMBERED.fullmatch(name.strip())
        if match is None:
            raise
        return codecs.lookup(f"cp{int(match.group(1)):03d}").name


def _tabulated(codec: str, texts: list[str], signs: list[bytes], *, several: bool) -> CodePage:
    utf8 = [text.encode() or b"\0" for text in texts]
    table = np.zeros((256, 3), np.uint8)
    for byte, encoded in enumerate(utf8):
        table[byte, : len(encoded)] = list(encoded)
    return CodePage(
        name=codec,
        ascii=bytes(encoded[0] if len(encoded) == 1 else NOT_ASCII for encoded in utf8),
        utf8=table,
        utf8_lengths=np.array([len(encoded) for encoded in utf8], np.int64),
        space=signs[0][0],
        plus=signs[1][0],
        minus=signs[2][0],
        ebcdic=signs[3] == b"\xf0",
        multibyte=several,
    )


def _unknown(name: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"encoding {name!r} can't be used: {why}", code="ENCODING_UNKNOWN", remedy="name a code page, as cp1146"
    )


def text_page(usage: Usage, page: CodePage) -> CodePage:
    """The page of a text field: NATIONAL is UTF-16, high byte first, whatever the page of the file."""
    return replace(page, name="utf-16-be", multibyte=True) if usage is Usage.NATIONAL else page


def _ascii_digits() -> npt.NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[ord(" ")] = 0x40
    table[ord("+")], table[ord("-")] = 0x4E, 0x60
    for digit in range(10):
        table[ord("0") + digit] = 0xF0 + digit
        table[ord("p") + digit] = 0xD0 + digit
        table[ord("{ABCDEFGHI"[digit])] = 0xC0 + digit
        table[ord("}JKLMNOPQR"[digit])] = 0xD0 + digit
    return table


ASCII_DIGITS = _ascii_digits()
"""ASCII DISPLAY numbers to EBCDIC: digits, signs, and both ways of a sign over a digit: translated from EBCDIC (`{A…I`
plus, `}J…R` minus) and Micro Focus' (`p…y` minus). What is none of them becomes X'00'."""


def _has_pairs(codec: str, texts: list[str]) -> bool:
    """Whether a byte that is no character alone makes one with a byte behind it."""
    return any(
        len(bytes([first, second]).decode(codec, errors="replace")) == 1
        for first, text in enumerate(texts)
        if text == _NO_CHARACTER
        for second in _SECOND_BYTES
    )
