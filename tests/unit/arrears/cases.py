"""Cases for the rules' tests: sound ones, to be changed in the one thing that a test is about."""

from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

from integrationhub.arrears.arithmetic import rate
from integrationhub.arrears.book import (
    ADJUSTMENT,
    CHARGE,
    CS2,
    CSCS,
    OPEN,
    RECEIPT,
    RECEIVING_PARENT,
    REVERSAL,
    Case,
    Figures,
    Line,
    Party,
    Role,
    Row,
    total,
)  # fmt: skip
from integrationhub.arrears.verdict import Verdict, judge

START = date(2000, 1, 3)
_numbers = count(1)


def day(text: str) -> date:
    return date.fromisoformat(text)


def charge(first: str, last: str, *, at: int = 7000, number: int = 0, scheme: str = "1993", **changes: Any) -> Line:
    """A charge at £10 a day unless `at` says otherwise, by assessment row 1, rated right."""
    span = day(first), day(last)
    pence = rate(scheme, at, *span)
    line = Line(
        entry_id=f"{next(_numbers):032x}", number=number, kind=CHARGE, owner=RECEIVING_PARENT, effect=pence,
        stored=pence, first=span[0], last=span[1], rate=at, row=1,
    )  # fmt: skip
    return replace(line, **changes)


def receipt(pence: int, on: str = "2000-03-01", **changes: Any) -> Line:
    """Money paid out to the parent with care."""
    line = Line(
        entry_id=f"{next(_numbers):032x}", number=0, kind=RECEIPT, owner=RECEIVING_PARENT, effect=-pence, stored=pence,
        value_date=day(on), bank_reference=f"BK{next(_numbers):010d}",
    )  # fmt: skip
    return replace(line, **changes)


def adjustment(pence: int, reason: str, **changes: Any) -> Line:
    moves = {"SU": (0, pence), "SL": (0, -pence)}.get(reason, (pence, 0))
    line = Line(
        entry_id=f"{next(_numbers):032x}", number=0, kind=ADJUSTMENT, owner=RECEIVING_PARENT, effect=moves[0],
        suspends=moves[1], stored=pence, reason=reason, effective=START,
    )  # fmt: skip
    return replace(line, **changes)


def reversal(of: Line, **changes: Any) -> Line:
    of.undone = True
    line = Line(
        entry_id=f"{next(_numbers):032x}", number=0, kind=REVERSAL, owner=of.owner, effect=-of.effect, stored=of.stored,
        undoes=of,
    )  # fmt: skip
    return replace(line, **changes)


def party(name: str, **changes: Any) -> Party:
    return replace(Party(party_id=name, ref=name, person=name, nino_unusable=False), **changes)


def role(kind: str, name: str, **changes: Any) -> Role:
    return replace(Role(kind=kind, party=party(name), last=OPEN, unknown=False, payee=kind == "PWC"), **changes)


def row(number: int = 1, first: str = "2000-01-03", last: str | None = None, *, amount: int = 7000, **more: Any) -> Row:
    end = OPEN if last is None else day(last)
    return replace(Row(number=number, first=day(first), last=end, basis="FULL", amount=amount), **more)


def case(*lines: Line, ref: str = "1000000001", **changes: Any) -> Case:
    """A case charged from 3 January 2000 to the last charge's end, whose header is the sum of its lines."""
    for number, line in enumerate(lines, 1):
        line.number = line.number or number
    ends = [line.last for line in lines if line.kind == CHARGE and line.last]
    made = Case(
        case_id=f"case {ref}", group_id="group", ref=ref, system=CSCS, scheme="1993", status="LIVE", effective=START,
        liability_end=OPEN, last_charged=max(ends, default=START), ledger_complete=True, benefit_known=True,
        queried=False, header=total(line.figures() for line in lines), rows=[row()] if ends else [], lines=list(lines),
        roles=[role("NRP", "payer"), role("PWC", "carer"), role("QCH", "child")], siblings={ref}, nrp_party="payer",
    )  # fmt: skip
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def case_2003(*lines: Line, ref: str = "QQ123456A/01", **changes: Any) -> Case:
    return case(*lines, ref=ref, **{"system": CS2, "scheme": "2003", **changes})


def verdict(one: Case) -> Verdict:
    """The verdict of a case that stands alone."""
    return judge([one])[0]


def off(one: Case, **delta: int) -> Case:
    """The case with its header moved away from its ledger."""
    one.header = one.header.plus(Figures(**delta))
    return one
