"""Clerical books read a second time, from clerical.md alone: one row a case, by its first keying.

A book is always whole and keyed by hand, so it is small: it is read in one piece.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, BinaryIO

import polars as pl

_SENTINELS = (date(1900, 1, 1), date(1980, 1, 1))
_MONEY = re.compile(r"(?P<minus>-?|\()£?(?P<pounds>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<pence>[0-9]{2}))?\)?")
_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")

_MONEYS = {
    "Weekly Amount": "weekly_pence", "Charged RP": "charged_rp_pence", "Charged SoS": "charged_sos_pence",
    "Received RP": "received_rp_pence", "Received SoS": "received_sos_pence", "Balance RP": "balance_rp_pence",
    "Balance SoS": "balance_sos_pence", "Custodian Cash": "custodian_pence",
}  # fmt: skip
_DATES = {
    "Application Date": ("effective_date", None), "Liability End": ("liability_end", "OPEN"),
    "Last Payment": ("last_payment", "NOT_RECORDED"), "Last Contact": ("last_contact", "NOT_RECORDED"),
    "As At": ("keyed_as_at", None), "NRP Born": ("nrp_birth_date", None), "PWC Born": ("pwc_birth_date", None),
}  # fmt: skip
"""Column → canonical date, and what a blank means; nothing where it means nothing."""

_TEXTS = {
    "Clerical Ref": "source_ref", "System Ref": "former_case_ref", "Notes": "notes", "NRP Surname": "nrp_surname",
    "NRP Forenames": "nrp_forenames", "PWC Surname": "pwc_surname", "PWC Forenames": "pwc_forenames",
}  # fmt: skip

_SCHEMA: Mapping[str, Any] = {
    "record_no": pl.Int64(),
    "byte_offset": pl.Int64(),
    **dict.fromkeys(_TEXTS.values(), pl.String()),
    "key_no": pl.Int64(),
    "scheme": pl.String(),
    "nrp_nino": pl.String(),
    "pwc_nino": pl.String(),
    "pwc_address_confidential": pl.Boolean(),
    "children": pl.Int64(),
    **dict.fromkeys(_MONEYS.values(), pl.Int64()),
    **{name: kind for day, _ in _DATES.values() for name, kind in ((day, pl.Date()), (f"{day}_mark", pl.String()))},
}


def empty() -> Mapping[str, pl.DataFrame]:
    """Every table, without rows."""
    return {"rows": pl.DataFrame(schema=_SCHEMA)}


def tables(stream: BinaryIO) -> Iterator[Mapping[str, pl.DataFrame]]:
    """The book's cases: the row with key 1 of each, or the one with key 2 where there is none (§4)."""
    text = stream.read().decode("cp1252")
    chosen: dict[str, tuple[int, int, dict[str, str]]] = {}
    for place in sorted(_rows(text), key=lambda place: _plain(place[2]["Key"]) or ""):  # the first of a key stays first
        chosen.setdefault(_plain(place[2]["Clerical Ref"]) or "", place)
    chosen.pop("", None)
    rows = [{"record_no": number, "byte_offset": offset, **_case(row)} for number, offset, row in chosen.values()]
    yield {"rows": pl.DataFrame(rows, schema=_SCHEMA, orient="row")}


def _rows(text: str) -> Iterator[tuple[int, int, dict[str, str]]]:
    """Number from 1 behind the heading, byte offset, and cells of every row; cp1252 has a byte a character."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(iter(lines.readline, ""))
    heading = next(reader)
    offset = lines.tell()
    for number, cells in enumerate(reader, start=1):
        yield number, offset, dict(zip(heading, cells, strict=True))
        offset = lines.tell()


def _case(row: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: _text(row[column]) for column, name in _TEXTS.items()}
    found |= {name: _pence(_plain(row[column])) for column, name in _MONEYS.items()}
    for column, (name, blank) in _DATES.items():
        found[name], found[f"{name}_mark"] = _day(_plain(row[column]), blank)
    found["key_no"] = int(_listed(row["Key"], ("1", "2")) or 0)
    found["scheme"] = _listed(row["Scheme"], ("1993", "2003")) or "1993"
    for party in ("NRP", "PWC"):
        found[f"{party.lower()}_nino"] = (_plain(row[f"{party} NINO"]) or "").replace(" ", "").upper() or None
    answer = _listed(row["PWC Address Confidential"], ("Y", "N"))
    found["pwc_address_confidential"] = None if answer is None else answer == "Y"
    children = _listed(row["Children"], tuple("123456789"))
    found["children"] = None if children is None else int(children)
    return found


def _plain(text: str) -> str | None:
    """Without blanks at its ends, runs of blanks as one; None where nothing is left (§3)."""
    return " ".join(text.replace("\xa0", " ").split()) or None


def _text(text: str) -> str | None:
    """As `_plain`; but what a spreadsheet would evaluate is stored as it is (§1)."""
    plain = _plain(text)
    return text if plain is not None and text.startswith(("=", "+", "-", "@", "\t", "\r")) else plain


def _listed(text: str, values: Sequence[str]) -> str | None:
    plain = _plain(text)
    return plain if plain in values else None


def _pence(text: str | None) -> int | None:
    """§2: optional minus or brackets, optional £, commas by thousands or none, no or two decimals."""
    match = _MONEY.fullmatch(text or "")
    if match is None or (match["minus"] == "(") is not (text or "").endswith(")"):
        return None
    value = int(match["pounds"].replace(",", "")) * 100 + int(match["pence"] or 0)
    return -value if match["minus"] else value


def _day(text: str | None, blank: str | None) -> tuple[date | None, str | None]:
    """The date and its mark."""
    match = _DATE.fullmatch(text or "")
    if text is None:
        return None, blank
    try:
        day = date(int(match[3]), int(match[2]), int(match[1])) if match else None
    except ValueError:
        day = None
    return (None, "SENTINEL") if day in _SENTINELS else (day, None)
