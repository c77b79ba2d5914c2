"""Notices to a source system about one case each, and the files that carry them or their answers (handover.md §3)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from integrationhub.errors import InvariantBroken


class Action(StrEnum):
    """What the source is told to do with a case."""

    FREEZE = "FREEZE"
    RELEASE = "RELEASE"
    CLOSE = "CLOSE"


class Kind(StrEnum):
    """Whether a file carries our notices, or the source's answers to them."""

    NOTICE = "NOTICE"
    ANSWER = "ANSWER"


Owner = Literal["RECEIVING_PARENT", "SECRETARY_OF_STATE"]
OWNERS: tuple[Owner, ...] = ("RECEIVING_PARENT", "SECRETARY_OF_STATE")
"""Owners of debts that move, in the order in which files name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDebt:
    """What one owner of a case is owed, in pence; negative where overpaid, never netted."""

    owner: Owner
    outstanding: int = 0
    suspended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice about one case. `source_group` is CSCS's number of the group, None for CS2.

    Amounts are in pence and zero unless the action is CLOSE; so is the target reference None. `status` (`A` accepted,
    `J` rejected) and `reason` (`U` unknown case, `B` balance moved, `S` wrong state) stand in answers alone.
    """

    notice_id: int
    action: Action
    case_ref: str
    source_group: int | None = None
    target_ref: str | None = None
    custodian: int = 0
    effective: date
    debts: tuple[NoticeDebt, ...] = ()
    status: Literal["A", "J"] | None = None
    reason: Literal["U", "B", "S"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHead:
    """What a file says of itself; each system counts its files from 1, notices and answers apart."""

    sequence: int
    created: date
    kind: Kind = Kind.NOTICE


@dataclass(slots=True)
class Totals:
    """What a file's last record adds up: details or notices, and pence over all of them."""

    lines: int = 0
    outstanding: Counter[str] = field(default_factory=Counter)  # by owner
    suspended: int = 0
    custodian: int = 0

    def add(self, debts: Iterable[NoticeDebt], *, custodian: int, lines: int) -> None:
        """Take one notice into account."""
        for debt in debts:
            self.outstanding[debt.owner] += debt.outstanding
            self.suspended += debt.suspended
        self.custodian += custodian
        self.lines += lines


def in_order(notices: Iterable[Notice]) -> Iterator[Notice]:
    """The notices as they come, each of a later case reference than the one before it, fit to be sent.

    InvariantBroken: one is out of order, a case stands twice, an amount or a target reference stands where none may be.
    """
    last = ""
    for notice in notices:
        if notice.case_ref <= last:
            raise InvariantBroken("notices are not in the order of their case references", code="NOTICE_ORDER")
        last = notice.case_ref
        closing = notice.action is Action.CLOSE
        amounts = any(debt.outstanding or debt.suspended for debt in notice.debts) or notice.custodian
        if (notice.target_ref is None) is closing or (amounts and not closing):
            raise InvariantBroken(
                f"notice {notice.notice_id} ({notice.action}) lacks a target reference, or has one or amounts that its "
                "action forbids",
                code="NOTICE_SHAPE",
            )
        yield notice
