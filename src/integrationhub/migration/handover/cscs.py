"""Return files of CSCS: records of 80 bytes, EBCDIC, no RDW, no separators (handover.md §6, csa1993-return.cpy).

    header · details, one a case and owner, by case reference, receiving parent before Secretary of State · trailer

A case without debt has one detail with a blank owner. Custodian cash stands on the first detail of its case. Files are
written and read record by record in blocks, so their size doesn't matter.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import Any, BinaryIO, Literal

import numpy as np

from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.encode import RecordEncoder
from integrationhub.errors import FileRejected
from integrationhub.migration.handover.notices import (
    Action,
    FileHead,
    Kind,
    Notice,
    NoticeDebt,
    Owner,
    Totals,
    in_order,
)

LENGTH = 80
SYSTEM = "CSCS"
VERSION = 2
BLOCK = 8_192
"""Records that are read at a time."""

TYPES = {"RH": "RTN-HEADER", "RD": "RTN-DETAIL", "RT": "RTN-TRAILER"}
_ACTIONS = {Action.FREEZE: "F", Action.RELEASE: "R", Action.CLOSE: "C"}
_OWNERS: Mapping[str, str] = {"RECEIVING_PARENT": "R", "SECRETARY_OF_STATE": "S"}
_OWNER_OF: Mapping[str, Owner] = {"R": "RECEIVING_PARENT", "S": "SECRETARY_OF_STATE"}
_REASONS: Mapping[str, Literal["U", "B", "S"]] = {"U": "U", "B": "B", "S": "S"}
_EPOCH = 1900


def name_of(head: FileHead) -> str:
    """The data file's name."""
    return f"CSCS.RETURN.D{head.created:%Y%m%d}.S{head.sequence:06d}.dat"


class ReturnFile:
    """Writes and reads files of one copybook."""

    def __init__(self, copybook: str) -> None:
        layout = parse_copybook(copybook, name="csa1993-return.cpy")
        self._encoder = RecordEncoder(layout, record_types=TYPES, record_type_field="RH-TYPE")
        self._decoder = RecordDecoder(layout, record_types=TYPES, record_type_field="RH-TYPE", blanks="fault")

    def write(self, target: BinaryIO, head: FileHead, notices: Iterable[Notice]) -> int:
        """Write a whole file and give its number of records, header and trailer included."""
        totals = Totals()
        created = head.created.year * 10_000 + head.created.month * 100 + head.created.day
        target.write(
            self._encoder.encode(
                "RTN-HEADER", {"RH-SEQUENCE": head.sequence, "RH-CREATED": created, "RH-KIND": head.kind.value}
            )
        )
        for notice in in_order(notices):
            details = list(_details(notice))
            totals.add(notice.debts, custodian=notice.custodian, lines=len(details))
            target.writelines(self._encoder.encode("RTN-DETAIL", detail) for detail in details)
        target.write(self._encoder.encode("RTN-TRAILER", _trailer(head, totals)))
        return totals.lines + 2

    def read(self, source: BinaryIO) -> tuple[FileHead, Iterator[Notice]]:
        """What a file says of itself, and its notices as they are read; the trailer is judged when they are used up.

        FileRejected: `LENGTH_NOT_MULTIPLE`, `HEADER_INVALID`, `TRAILER_INVALID`, `RECORD_TYPE_UNKNOWN`,
        `PACKED_INVALID`, `CONTROL_COUNT`, `CONTROL_TOTAL`; nothing that was read before counts then.
        """
        rows = self._rows(source)
        first = next(rows, None)
        head = None if first is None or first[0] != "RTN-HEADER" else _head(first[1])
        if head is None:
            raise FileRejected("the first record is no header of this layout", code="HEADER_INVALID")
        return head, self._notices(head, rows)

    def records_in(self, size: int) -> int:
        """How many records a file of so many bytes has."""
        return size // LENGTH

    def _notices(self, head: FileHead, rows: "Iterator[tuple[str, dict[str, Any]]]") -> Iterator[Notice]:
        totals, trailer = Totals(), None
        for key, details in groupby(rows, key=lambda row: (row[0], row[1].get("RD-NOTICE-ID"))):
            records = [row for _, row in details]
            if trailer is not None or key[0] == "RTN-HEADER" or (key[0] == "RTN-TRAILER" and len(records) > 1):
                raise FileRejected("header or trailer stand in the middle of the file", code="TRAILER_INVALID")
            if key[0] == "RTN-TRAILER":
                (trailer,) = records
                continue
            notice = _notice(records)
            totals.add(notice.debts, custodian=notice.custodian, lines=len(records))
            yield notice
        _require_totals(head, totals, trailer)

    def _rows(self, source: BinaryIO) -> "Iterator[tuple[str, dict[str, Any]]]":
        """Level and values of every record, in order."""
        number = 1
        while block := source.read(BLOCK * LENGTH):
            if len(block) % LENGTH:
                raise FileRejected(f"the file is not a multiple of {LENGTH} bytes", code="LENGTH_NOT_MULTIPLE")
            starts = np.arange(0, len(block), LENGTH, dtype=np.int64)
            lengths = np.full(len(starts), LENGTH, np.int64)
            decoded = self._decoder.decode(np.frombuffer(block, np.uint8), starts, lengths, first_record=number)
            yield from self._in_order(decoded.tables, decoded.faults, number, len(starts))
            number += len(starts)

    def _in_order(self, tables: Any, faults: Any, first: int, count: int) -> "Iterator[tuple[str, dict[str, Any]]]":  # noqa: ANN401
        if len(faults):
            place = faults.row(0, named=True)
            raise FileRejected(f"record {place['record']}: {place['field']} can't be decoded", code="PACKED_INVALID")
        rows = {row["_record"]: (level, row) for level in TYPES.values() for row in tables[level].to_pylist()}
        for number in range(first, first + count):
            if number not in rows:
                raise FileRejected(f"record {number} is of no known type", code="RECORD_TYPE_UNKNOWN")
            yield rows[number]


def _details(notice: Notice) -> Iterator[dict[str, Any]]:
    debts = sorted(notice.debts, key=lambda debt: _OWNERS[debt.owner])
    for place, debt in enumerate(debts or (None,)):
        yield {
            "RD-NOTICE-ID": notice.notice_id,
            "RD-ACTION": _ACTIONS[notice.action],
            "RD-CASE-REF": int(notice.case_ref),
            "RD-SRC-GROUP": notice.source_group,
            "RD-OWNER": _OWNERS[debt.owner] if debt else " ",
            "RD-TARGET-REF": int(notice.target_ref or 0),
            "RD-OUTSTANDING": debt.outstanding if debt else 0,
            "RD-SUSPENDED": debt.suspended if debt else 0,
            "RD-CUSTODIAN": notice.custodian if place == 0 else 0,
            "RD-EFFECTIVE": (notice.effective.year - _EPOCH) * 1_000 + notice.effective.timetuple().tm_yday,
            "R-STATUS": notice.status or " ",
            "R-REASON": notice.reason or " ",
        }


def _trailer(head: FileHead, totals: Totals) -> dict[str, int]:
    return {
        "RT-SEQUENCE": head.sequence,
        "RT-DETAILS": totals.lines,
        "RT-OUTSTANDING-RP": totals.outstanding["RECEIVING_PARENT"],
        "RT-OUTSTANDING-SOS": totals.outstanding["SECRETARY_OF_STATE"],
        "RT-SUSPENDED": totals.suspended,
        "RT-CUSTODIAN": totals.custodian,
    }


def _plain(text: str | None) -> str:
    """A text field's content; the decoder gives null for one that is all low-values."""
    return (text or "").strip()


def _head(row: Mapping[str, Any]) -> FileHead | None:
    text = str(row["RH-CREATED"])
    try:
        created = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        kind = Kind(_plain(row["RH-KIND"]))
    except ValueError:
        return None
    if _plain(row["RH-SYSTEM"]) != SYSTEM or row["RH-VERSION"] != VERSION or not row["RH-SEQUENCE"]:
        return None
    return FileHead(sequence=row["RH-SEQUENCE"], created=created, kind=kind)


def _notice(rows: list[dict[str, Any]]) -> Notice:
    """One notice from its details; where they contradict each other the file is refused."""
    first = rows[0]
    same = ("RD-ACTION", "RD-CASE-REF", "RD-SRC-GROUP", "RD-TARGET-REF", "RD-EFFECTIVE")
    owners = [_plain(row["RD-OWNER"]) for row in rows]
    if (
        any(row[name] != first[name] for row in rows for name in same)
        or len(set(owners)) < len(owners)
        or any(owner not in ("", *_OWNER_OF) for owner in owners)
        or ("" in owners and len(owners) > 1)
    ):
        raise FileRejected("details of one notice contradict each other", code="NOTICE_INVALID")
    statuses = {_plain(row["R-STATUS"]) for row in rows}
    reasons = sorted({_plain(row["R-REASON"]) for row in rows} - {""})
    if statuses - {"", "A", "J"} or any(reason not in _REASONS for reason in reasons):
        raise FileRejected("an answer is none of those that the layout names", code="NOTICE_INVALID")
    actions = {code: action for action, code in _ACTIONS.items()}
    day, target = first["RD-EFFECTIVE"], first["RD-TARGET-REF"]
    if first["RD-ACTION"] not in actions or not 0 < day % 1_000 <= 366:  # noqa: PLR2004 - days of a year
        raise FileRejected("a notice has no known action, or no day", code="NOTICE_INVALID")
    return Notice(
        notice_id=first["RD-NOTICE-ID"],
        action=actions[first["RD-ACTION"]],
        case_ref=f"{first['RD-CASE-REF']:010d}",
        source_group=first["RD-SRC-GROUP"],
        target_ref=f"{target:012d}" if target else None,
        custodian=sum(row["RD-CUSTODIAN"] for row in rows),
        effective=date(_EPOCH + day // 1_000, 1, 1) + timedelta(day % 1_000 - 1),
        debts=tuple(
            NoticeDebt(owner=_OWNER_OF[owner], outstanding=row["RD-OUTSTANDING"], suspended=row["RD-SUSPENDED"])
            for owner, row in zip(owners, rows, strict=True)
            if owner
        ),
        status="J" if "J" in statuses else "A" if statuses == {"A"} else None,
        reason=_REASONS[reasons[0]] if reasons else None,
    )


def _require_totals(head: FileHead, totals: Totals, trailer: Mapping[str, Any] | None) -> None:
    if trailer is None or trailer["RT-SEQUENCE"] != head.sequence:
        raise FileRejected("the last record is no trailer of this file", code="TRAILER_INVALID")
    expected = _trailer(head, totals)
    wrong = [name for name, value in expected.items() if trailer[name] != value]
    if wrong:
        code = "CONTROL_COUNT" if wrong[0] == "RT-DETAILS" else "CONTROL_TOTAL"
        raise FileRejected(f"the trailer's {wrong[0]} differs from what the details add up to", code=code)
