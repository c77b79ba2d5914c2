"""The CSCS extract read a second time, from csa1993.md alone: what it says, as tables of canonical words.

Byte positions are those of csa1993.md §4, counted from 1 in the record's body. A file is read in blocks, so its size
doesn't matter. What a value means in the hub is said here again, in this reader's own words, on purpose.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import polars as pl

from integrationhub.errors import FileRejected
from integrationhub.migration.reconcile.mainframe import Bytes, Places, Rows

BLOCK = 8 << 20
"""Bytes that are read at a time."""

_PREFIX = 4
_SHORTEST = 6
_SPARE = 4_096
"""Bytes behind a block, so that a field past its end can be looked at."""

_STATUS = {"L": "LIVE", "A": "ARREARS_ONLY", "C": "CLOSED", "X": "OFF_SYSTEM"}
_GROUP_STATUS = {"A": "ACTIVE", "F": "FROZEN", "W": "WITHDRAWN"}
_OWNER = {"R": "RECEIVING_PARENT", "S": "SECRETARY_OF_STATE", "M": "MIXED", "": "UNKNOWN"}
_BASIS = {"F": "FULL", "I": "INTERIM", "N": "NIL", "X": "CANCELLED"}
_BANK = {"C": "CLEARED", "D": "DISHONOURED", "": "UNKNOWN"}
_CUSTODY = {"H": "HELD", "P": "PAID", "K": "KEPT"}
_OUTCOME = {"S": "SUCCESS", "F": "FAILED", "W": "WITHDRAWN"}

_CASE, _BENEFIT, _ROW, _TABLE, _ADDRESS, _LINE = 89, 11, 51, 18, 25, 30
"""Lengths of the fixed parts of records 20, 30 and 27, and of an element of their tables."""


def tables(stream: BinaryIO) -> Iterator[Mapping[str, pl.DataFrame]]:
    """Blocks of a file as tables: headers, groups, cases, benefits, roles, addresses, assessments, lines, history."""
    for block in _blocks(stream):
        kinds = block.kinds()
        yield {
            name: read(kinds[code]) for code, found in _READERS.items() if len(kinds[code].rows) for name, read in found
        }


@dataclass(frozen=True, slots=True)
class _Kind:
    """The records of one type in a block, and where they stand in the file."""

    rows: Rows
    lengths: Places
    places: pl.DataFrame  # record_no, byte_offset

    def elements(self, first: int, size: int, counts: Places) -> tuple["_Kind", pl.Series]:
        """The elements of a table inside each record, with the records' places, and their numbers from 1."""
        numbers = _numbers(counts)
        chosen = np.repeat(np.arange(len(self.rows)), counts)
        inside = first + (numbers - 1) * size
        places = self.places[chosen].with_columns(pl.col("byte_offset") + pl.Series(inside))
        kind = _Kind(Rows(self.rows.buffer, self.rows.starts[chosen] + inside), self.lengths[chosen], places)
        return kind, pl.Series(numbers)

    def repeated(self, column: pl.Series, counts: Places) -> pl.Series:
        """A column of the records, once for each of their elements."""
        return column[np.repeat(np.arange(len(self.rows)), counts)]


@dataclass(frozen=True, slots=True)
class _Block:
    buffer: Bytes
    starts: Places
    lengths: Places
    first_byte: int
    first_record: int

    def kinds(self) -> Mapping[int, _Kind]:
        types = Rows(self.buffer, self.starts).display(1, 2).fill_null(-1).to_numpy()
        places = pl.DataFrame(
            {
                "record_no": np.arange(len(self.starts)) + self.first_record,
                "byte_offset": self.starts + self.first_byte,
            }
        )
        found = {}
        for code in _READERS:
            chosen = np.flatnonzero(types == code)
            found[code] = _Kind(Rows(self.buffer, self.starts[chosen]), self.lengths[chosen], places[chosen])
        return found


def _blocks(stream: BinaryIO) -> Iterator[_Block]:
    """Records behind four bytes that give their length, those four included (§1)."""
    rest, offset, record = b"", 0, 1
    while piece := stream.read(BLOCK):
        data = rest + piece
        starts, place = [], 0
        while place + _PREFIX <= len(data):
            length = int.from_bytes(data[place : place + _PREFIX])
            if length < _SHORTEST:
                raise FileRejected(f"byte {offset + place}: a record of {length} bytes", code="RECORD_LENGTH")
            if place + length > len(data):
                break
            starts.append(place + _PREFIX)
            place += length
        ends = np.array([*starts[1:], place + _PREFIX], np.int64) - _PREFIX
        begins = np.array(starts, np.int64)
        padded = np.frombuffer(data + bytes(_SPARE), np.uint8)
        yield _Block(padded, begins, ends[: len(begins)] - begins, offset, record)
        rest, offset, record = data[place:], offset + place, record + len(starts)
    if rest:
        raise FileRejected(f"byte {offset}: the file ends inside a record", code="RECORD_LENGTH")


def _numbers(counts: Places) -> Places:
    """1 … n for each count n."""
    ends = np.cumsum(counts)
    return np.arange(1, int(counts.sum()) + 1, dtype=np.int64) - np.repeat(ends - counts, counts)


def _counts(column: pl.Series, most: int) -> Places:
    counts: Places = np.clip(column.fill_null(0).to_numpy(), 0, most).astype(np.int64)
    return counts


def _frame(found: _Kind, /, **columns: pl.Series) -> pl.DataFrame:
    return found.places.with_columns(column.alias(name) for name, column in columns.items())


def _ten(column: pl.Series) -> pl.Series:
    """A case reference of ten digits."""
    return column.cast(pl.String).str.zfill(10)


def _group(kind: _Kind, position: int = 3) -> pl.Series:
    return kind.rows.binary(position, 4).cast(pl.String)


def _headers(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    return _frame(kind, sequence=rows.binary(10, 4), as_at=rows.packed_date("as_at", 28, "day")[0])


def _groups(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    return _frame(
        kind,
        grp=_group(kind),
        nrp_party=rows.binary(7, 4).cast(pl.String),
        case_count=rows.binary(11, 2),
        source_status=rows.code(13, 1, _GROUP_STATUS),
        payment_method=rows.text(14, 2),
        potentially_violent=rows.flag(16, "Y"),
    )


def _cases(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    dates = [
        *rows.display_date("effective_date", 18),
        *rows.packed_date("liability_end", 26, "until"),
        *rows.packed_date("last_charged", 30, "day"),
    ]
    return _frame(
        kind,
        grp=_group(kind),
        source_ref=_ten(rows.display(7, 10)),
        status=rows.code(17, 1, _STATUS),
        **{column.name: column for column in dates},
        ledger_complete=rows.flag(34, "Y"),
        benefit_known=rows.flag(35, "Y"),
        accuracy_query=rows.flag(36, "R"),
        bal_rp=rows.zoned(37, 11),
        bal_sos=rows.separate(48, 12),
        bal_unk=rows.packed(60, 6),
        susp_rp=rows.packed(66, 6),
        susp_sos=rows.packed(72, 6),
        source_custodian_pence=rows.binary(78, 8),
        note=_notes(kind),
    )


def _notes(kind: _Kind) -> pl.Series:
    """The note stands behind the benefit periods; its length is in the record (§4, record 20)."""
    benefits = _counts(kind.rows.display(86, 2), 6)
    lengths = _counts(kind.rows.binary(88, 2), 80)
    behind = Rows(kind.rows.buffer, kind.rows.starts + _CASE + _BENEFIT * benefits)
    text = behind.text(1, 80).fill_null("")
    cut = pl.select(pl.lit(text).str.slice(0, pl.lit(pl.Series(lengths))).str.strip_chars_end(" ")).to_series()
    return cut.set(cut == "", None)


def _benefits(kind: _Kind) -> pl.DataFrame:
    counts = _counts(kind.rows.display(86, 2), 6)
    own, numbers = kind.elements(_CASE, _BENEFIT, counts)
    case = kind.repeated(_ten(kind.rows.display(7, 10)), counts)
    dates = [*own.rows.packed_date("from_date", 1, "day"), *own.rows.packed_date("to_date", 5, "until")]
    return _frame(
        own,
        grp=kind.repeated(_group(kind), counts),
        source_ref=case + "/benefit/" + numbers.cast(pl.String),
        case=case,
        **{column.name: column for column in dates},
        benefit=own.rows.text(9, 3),
    )


def _roles(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    case, party, role = _ten(rows.display(7, 10)), rows.binary(17, 4).cast(pl.String), rows.text(21, 3)
    dates = [
        *rows.display_date("birth_date", 103),
        *rows.packed_date("from_date", 112, "day or nothing"),
        *rows.packed_date("to_date", 116, "role until"),
    ]
    nino = rows.text(24, 9).str.replace_all(" ", "").str.to_uppercase()
    return _frame(
        kind,
        grp=_group(kind),
        source_ref=case + "/" + party + "/" + role,
        source_case_ref=case,
        party=party,
        role=role,
        nino=nino.set(nino == "", None),
        surname=rows.text(33, 35),
        forenames=rows.text(68, 35),
        **{column.name: column for column in dates},
        sex=rows.text(111, 1),
        is_payee=rows.flag(120, "Y"),
    )


def _addresses(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    counts = _counts(rows.display(25, 1), 5)
    lines = {}
    for number in range(5):
        text = rows.text(_ADDRESS + 1 + _LINE * number, _LINE)
        lines[f"line_{number + 1}"] = text.set(pl.Series(counts <= number), None)
    return _frame(
        kind,
        grp=_group(kind),
        party=rows.binary(7, 4).cast(pl.String),
        kind=rows.code(11, 1, {"C": "CURRENT", "P": "PREVIOUS"}),
        confidential=rows.flag(12, "C"),
        **{column.name: column for column in rows.packed_date("valid_from", 13, "day or nothing")},
        postcode=rows.text(17, 8),
        **lines,
    )


def _assessments(kind: _Kind) -> pl.DataFrame:
    counts = _counts(kind.rows.packed(17, 2), 24)
    own, numbers = kind.elements(_TABLE, _ROW, counts)
    rows, case = own.rows, kind.repeated(_ten(kind.rows.display(7, 10)), counts)
    held, children = rows.flag(14, "Y"), rows.display(23, 1)
    dates = [*rows.packed_date("from_date", 1, "day"), *rows.packed_date("to_date", 5, "until")]
    nights = {}
    for number in range(1, 5):
        column = rows.display(24 + 7 * (number - 1) + 4, 3)
        nights[f"nights_{number}"] = column.set(~(held & (children >= number).fill_null(value=False)), None)
    return _frame(
        own,
        grp=kind.repeated(_group(kind), counts),
        source_ref=case + "/assessment/" + numbers.cast(pl.String),
        source_case_ref=case,
        row_no=numbers,
        **{column.name: column for column in dates},
        basis=rows.code(9, 1, _BASIS),
        weekly_pence=rows.packed(10, 4),
        inputs_held=held,
        net_weekly_pence=rows.packed(15, 4).set(~held, None),
        exempt_weekly_pence=rows.packed(19, 4).set(~held, None),
        children=children.set(~held, None),
        **nights,
    )


def _lines(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    case, number, letter = _ten(rows.display(7, 10)), rows.binary(17, 4), rows.text(21, 1)
    charge, receipt, adjusted, undone = (letter == each for each in "CRAV")
    places = {"C": ("from_date", 40), "R": ("value_date", 52), "A": ("adjusted", 42), "V": ("undone", 46)}
    dates = [*rows.display_date("posted", 23)]
    for code, (name, position) in places.items():
        dates += [column.set(letter != code, None) for column in rows.packed_date(name, position, "day")]
    dates += [column.set(~charge, None) for column in rows.packed_date("to_date", 44, "day")]
    return _frame(
        kind,
        grp=_group(kind),
        source_ref=case + "/" + number.cast(pl.String),
        source_case_ref=case,
        line_no=number,
        letter=letter,
        owner=rows.code(22, 1, _OWNER),
        amount=rows.zoned(31, 9),
        **{column.name: column for column in dates},
        weekly_pence=rows.packed(48, 4).set(~charge, None),
        assessment_row=rows.display(52, 2).set(~charge, None),
        bank_reference=rows.text(40, 12).set(~receipt, None),
        quoted_reference=rows.text(56, 11).set(~receipt, None),
        payer=rows.binary(67, 4).set(~receipt, None),
        method=rows.text(71, 2).set(~receipt, None),
        bank_status=rows.code(73, 1, _BANK).set(~receipt, None),
        custody=rows.code(74, 1, _CUSTODY).set(~receipt, None),
        adjustment=rows.text(40, 2).set(~adjusted, None),
        authority=rows.text(46, 8).set(~adjusted, None),
        text=rows.text(54, 26).set(~adjusted, None),
        reverses_line=rows.binary(40, 4).set(~undone, None),
        reversal=rows.text(44, 2).set(~undone, None),
    )


def _history(kind: _Kind) -> pl.DataFrame:
    rows = kind.rows
    ref, party = rows.display(7, 10), rows.binary(34, 4)
    dates = [*rows.display_date("from_date", 21), *rows.packed_date("to_date", 29, "history until")]
    return _frame(
        kind,
        grp=_group(kind),
        source_case_ref=_ten(ref).set(ref == 0, None),
        **{"class": rows.code(17, 1, {"E": "ENFORCEMENT", "C": "CONTACT"})},
        code=rows.text(18, 3),
        **{column.name: column for column in dates},
        outcome=rows.code(33, 1, _OUTCOME),
        party=party.cast(pl.String).set(party == 0, None),
    )


_READERS: Mapping[int, tuple[tuple[str, Callable[[_Kind], pl.DataFrame]], ...]] = {
    0: (("headers", _headers),),
    10: (("groups", _groups),),
    20: (("cases", _cases), ("benefits", _benefits)),
    25: (("roles", _roles),),
    27: (("addresses", _addresses),),
    30: (("assessments", _assessments),),
    40: (("lines", _lines),),
    50: (("history", _history),),
}
"""Record type → the tables that stand in its records, and what reads each."""


def empty() -> Mapping[str, pl.DataFrame]:
    """Every table, without rows."""
    nothing = np.zeros(0, np.int64)
    places = pl.DataFrame(schema={"record_no": pl.Int64, "byte_offset": pl.Int64})
    kind = _Kind(Rows(np.zeros(_SPARE, np.uint8), nothing), nothing, places)
    return {name: read(kind) for found in _READERS.values() for name, read in found}
