"""The crosswalk: which target reference a source case went to, for whoever must find it again (handover.md §2)."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Literal

from integrationhub.errors import InvariantBroken

HEADING = (
    "phase", "case_group", "scheme", "source_ref", "target_ref", "relation", "accepted_outcome", "causes",
    "rp_outstanding", "rp_suspended", "sos_outstanding", "sos_suspended", "custodian", "accepted_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CrosswalkRow:
    """One source case. Money in pence; CS2's source reference is personal and stands here because it must."""

    phase: str
    case_group: str
    scheme: Literal["1993", "2003", "CLERICAL"]
    source_ref: str
    target_ref: str
    relation: Literal["MOVED", "DUPLICATE_OF"]
    accepted_outcome: str
    causes: tuple[str, ...] = ()
    rp_outstanding: int = 0
    rp_suspended: int = 0
    sos_outstanding: int = 0
    sos_suspended: int = 0
    custodian: int = 0
    accepted_on: date


def name_of(day: date, sequence: int) -> str:
    """The data file's name."""
    return f"CROSSWALK_{day:%Y%m%d}_{sequence:06d}.csv"


def write_crosswalk(target: BinaryIO, rows: Iterable[CrosswalkRow]) -> int:
    """Write heading and rows, UTF-8 with LF, and give the number of rows.

    InvariantBroken: rows are not in the order of scheme and source reference, or a case stands twice.
    """
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADING)
        last, count = ("", ""), 0
        for row in rows:
            if (row.scheme, row.source_ref) <= last:
                raise InvariantBroken("crosswalk rows are out of order, or a case stands twice", code="CROSSWALK_ORDER")
            last = (row.scheme, row.source_ref)
            writer.writerow(_cells(row))
            count += 1
    finally:
        text.detach()
    return count


def _cells(row: CrosswalkRow) -> list[str | int]:
    values = {name: getattr(row, name) for name in HEADING}
    return [*(values | {"causes": ";".join(row.causes), "accepted_on": row.accepted_on.isoformat()}).values()]
