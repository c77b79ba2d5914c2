"""MT940: the fields of statements line by line, strictly as agreed, or with the liberties that banks take.

What is agreed is payments.md §4. The liberties, for files that are judged alone: several statements, texts around them,
`:28:`, a statement that simply ends where the next one begins, balances without currency, amounts with padding or
without a comma, further kinds of transactions and marks, a line break inside `:61:`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from integrationhub.decode.bank.amounts import SCALE

LONGEST_LINE = 64 * 1024
LONGEST_FIELD = 256 * 1024
"""Bytes of a line, and characters of a field: the standard allows a fraction of it."""

_TAG = re.compile(r":([0-9]{2}[A-Z]?|NS):")
_WRAPPER = re.compile(r"\{1:[^{}]*\}(?:\{[23]:(?:[^{}]|\{[^{}]*\})*\})*\{4:")
_WRAPPER_END = re.compile(r"-\}(?:\{[5S]:(?:[^{}]|\{[^{}]*\})*\})*")
_ENTRY = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4})?(?P<mark>RC|RD|C|D)[A-Z]?(?P<amount>[0-9]{1,12},[0-9]{0,2})"
    r"[NF][A-Z0-9]{3}(?P<customer>(?:(?!//).)*)(?://(?P<bank>.*))?"
)
_LOOSE_ENTRY = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4}|[ ]{4})?(?P<mark>[RE]?[CD])[A-Z]?\s?"
    r"(?P<amount>[0-9]{1,15}(?:[,.][0-9]{0,5})?)(?:[A-Z][A-Z0-9 ]{3})?(?P<customer>(?:(?!//).)*)(?://(?P<bank>.*))?",
    re.IGNORECASE,
)
_BALANCE = re.compile(r"(?P<mark>[CD])(?P<day>[0-9]{6})(?P<currency>[A-Z]{3})(?P<amount>[0-9]{1,12},[0-9]{0,2})")
_LOOSE_BALANCE = re.compile(
    r"(?P<mark>[CD])(?P<day>[0-9]{6})(?P<currency>[A-Z]{3})?(?P<amount>[0-9]{1,15}(?:[,.][0-9]{0,5})?)", re.IGNORECASE
)
_NUMBER = re.compile(r"([0-9]{1,5})(?:/([0-9]{1,5}))?")
_STRUCTURED = re.compile(r"(?:[0-9]{3})?\?[0-9]{2}")
_SUBFIELD = re.compile(r"\?([0-9]{2})([^?]*)")
_NOBODY = "NONREF"


class StructureFault(Exception):
    """A statement isn't built as it should be: what is wrong, in which line."""

    def __init__(self, text: str, line: int, offset: int) -> None:
        super().__init__(text)
        self.text, self.line, self.offset = text, line, offset


class Watched:
    """A stream that notes where its first NUL byte stands, also among what nobody has read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._read = 0
        self.nul: int | None = None

    def readline(self, limit: int) -> bytes:
        """The next line, or so many bytes of it."""
        return self._note(self._stream.readline(limit))

    def drain(self) -> None:
        """Read to the end."""
        while self._note(self._stream.read(1 << 16)):
            pass

    def _note(self, piece: bytes) -> bytes:
        if self.nul is None and b"\0" in piece:
            self.nul = self._read + piece.index(b"\0")
        self._read += len(piece)
        return piece


@dataclass(frozen=True, slots=True)
class Tagged:
    """A field: its tag, its lines, and where it begins. The end of a statement is the tag `-`, text around it ``."""

    tag: str
    lines: list[str]
    line: int
    offset: int

    @property
    def value(self) -> str:
        """The first line."""
        return self.lines[0]

    @property
    def joined(self) -> str:
        """All lines without separator."""
        return "".join(self.lines)


def fields(stream: Watched, *, strict: bool) -> Iterator[Tagged]:
    """The fields of a file in order. StructureFault: a line is too long, or not in the agreed characters."""
    current: Tagged | None = None
    size = number = offset = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise StructureFault("a line is longer than any bank writes", number, offset)
        text = _text(raw, number, offset, strict=strict)
        found = _TAG.match(text)
        if found is not None or _is_frame(text):
            if current is not None:
                yield current
            tag, rest = (found[1], text[found.end() :]) if found is not None else (_frame_tag(text), text)
            current, size = Tagged(tag, [rest], number, offset), len(text)
        elif current is not None:
            current.lines.append(text)
            size += len(text)
        else:
            current, size = Tagged("", [text], number, offset), len(text)
        if size > LONGEST_FIELD:
            raise StructureFault("a field is longer than any bank writes", number, offset)
        offset += len(raw)
    if current is not None:
        yield current


def _text(raw: bytes, number: int, offset: int, *, strict: bool) -> str:
    if strict:
        try:
            return raw.decode("cp1252").rstrip("\r\n")
        except UnicodeDecodeError:
            raise StructureFault("a byte is no character of windows-1252", number, offset) from None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    return text.strip("\ufeff\r\n")


def _is_frame(text: str) -> bool:
    return text.rstrip() == "-" or text.startswith("-}") or _WRAPPER.match(text) is not None


def _frame_tag(text: str) -> str:
    if text.startswith("{"):
        return "{"
    return "-" if text.rstrip() == "-" else "-}"


def wrapper_fits(text: str, *, end: bool) -> bool:
    """Whether a line is the beginning, or the end, of a SWIFT message around a statement."""
    return (_WRAPPER_END if end else _WRAPPER).fullmatch(text.rstrip()) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A balance, signed and exact."""

    amount: int
    currency: str | None


def balance(field: Tagged, *, strict: bool) -> Balance:
    """The balance in `:60F:`, `:60M:`, `:62F:` or `:62M:`."""
    found = (_BALANCE if strict else _LOOSE_BALANCE).fullmatch(field.value.strip())
    if found is None or _day(found["day"]) is None or (strict and len(field.lines) > 1):
        raise StructureFault(f":{field.tag}: is no balance", field.line, field.offset)
    amount = _exact(found["amount"])
    return Balance(amount=amount if found["mark"].upper() == "C" else -amount, currency=found["currency"])


def number(field: Tagged, *, strict: bool) -> tuple[str | None, int]:
    """Statement number as written, and page, in `:28C:`."""
    found = _NUMBER.fullmatch(field.joined.strip())
    if found is None and not strict:
        return None, 1
    if found is None:
        raise StructureFault(f":{field.tag}: is no statement number", field.line, field.offset)
    return found[1], int(found[2] or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry: days as CCYYMMDD, the mark, the amount exactly, references, and the text of `:86:`.

    `is_booked` is false for marks that only announce an entry (`EC`, `ED`).
    """

    line: int
    offset: int
    value_date: int
    entry_date: int | None
    credit: bool
    reversal: bool
    amount: int
    customer_ref: str | None
    bank_ref: str | None
    is_booked: bool = True


def entry(field: Tagged, *, strict: bool) -> Line:
    """The entry in `:61:`."""
    found = (_ENTRY if strict else _LOOSE_ENTRY).fullmatch(field.value.rstrip())
    if not strict and len(field.lines) > 1 and (found is None or not found["amount"]):
        found = _LOOSE_ENTRY.fullmatch((field.lines[0] + field.lines[1]).rstrip())
    valued = _day(found["value"]) if found is not None else None
    if found is None or valued is None:
        raise StructureFault(":61: is no entry", field.line, field.offset)
    mark = found["mark"].upper()
    customer = found["customer"].strip()
    booked = _near(valued, (found["entry"] or "").strip())
    if booked is None and strict and found["entry"]:
        raise StructureFault(":61: has an entry date that is no day", field.line, field.offset)
    return Line(
        line=field.line,
        offset=field.offset,
        value_date=_whole(valued),
        entry_date=None if booked is None else _whole(booked),
        credit=mark in {"C", "RD", "EC"},
        reversal=mark in {"RC", "RD"},
        amount=_exact(found["amount"]),
        customer_ref=None if customer in {"", _NOBODY} else customer,
        bank_ref=(found["bank"] or "").strip() or None,
        is_booked=not mark.startswith("E"),
    )


def remittance(field: Tagged) -> str | None:
    """What the payer wrote in `:86:`: of a structured one the sub-fields 20 to 29, of another everything."""
    text = field.joined.strip()
    if _STRUCTURED.match(text):
        text = "".join(part for code, part in _SUBFIELD.findall(text) if "20" <= code <= "29")
    return text or None


def _exact(text: str) -> int:
    whole, _, part = text.replace(".", ",").partition(",")
    return int(whole) * SCALE + int(part.ljust(5, "0"))


def _day(text: str) -> date | None:
    try:
        return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


def _near(valued: date, text: str) -> date | None:
    """The day MMDD that is nearest to another one: years aren't written."""
    found = []
    for year in (valued.year - 1, valued.year, valued.year + 1):
        try:
            found.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    return min(found, key=lambda day: abs(day - valued), default=None)


def _whole(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
