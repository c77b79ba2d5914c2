"""E06 bad dates, E11 charges after the end, E05 overlaps and gaps, E01 wrong assessments, E09 owners not known.

A rule that changes a charge line rates it anew at once, by its row's amount as it stands then; E01 comes after the
rules that change dates, and rates the lines of a corrected row once more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeGuard

from integrationhub.arrears.arithmetic import owner_runs, owners_known, rate
from integrationhub.arrears.book import CHARGE, OPEN, OPENING_REASONS, Case, Figures, Line, Row

DAY = timedelta(1)
Run = tuple[date, date]


def _rate_anew(case: Case, line: Line) -> None:
    """Give a charge the amount of its dates and of its row; one without a row keeps its own rate (E01 c holds it)."""
    row = case.row(line.row)
    assert line.first is not None and line.last is not None  # noqa: PT018 – one fact: the line's dates are known
    line.rate = row.amount if row else line.rate
    line.effect = line.stored = rate(case.scheme, line.rate, line.first, line.last)


def _hold_at_another_rate(case: Case, line: Line) -> None:
    """E01 (c) of a charge whose amount its row does not hold; to be asked before the line is rated by the row."""
    row = case.row(line.row)
    if row is not None and row.amount != line.rate:
        case.find("E01", "EXC", f"line {line.number}: it is not charged at the amount of its row {row.number}")


def dates(case: Case) -> None:
    """E06: a charge begins on a day that nobody knows (a), or another date that much rests on is (b)."""
    for known, name in (
        (case.effective, "the effective date"), (case.last_charged, "the last day charged"),
        (case.liability_end, "the end of liability"),
    ):  # fmt: skip
        if known is None:
            case.find("E06", "EXC", f"{name} is not known")
    for row in case.rows:
        if row.first is None or row.last is None:
            case.find("E06", "EXC", f"assessment row {row.number} has a day that is not known")
    before: Line | None = None
    for line in case.charges():
        if line.last is None:
            case.find("E06", "EXC", f"line {line.number}: its last day is not known")
        elif line.first is None:
            _begin(case, line, before)
        before = line


def _begin(case: Case, line: Line, before: Line | None) -> None:
    """E06: a charge begins on a day that nobody knows (a), or another day is missing that much rests on (b)."""
    row = case.row(line.row)
    evidence = f"line {line.number}: its first day is not known"
    if row is None or row.first is None or line.last is None:
        case.find("E06", "EXC", f"{evidence}, nor is that of its assessment row")
        return
    days = [row.first]
    if before is not None and before.last is not None:
        days.append(before.last + DAY)
    opened = opening_day(case)
    if opened is not None:
        days.append(opened + DAY)
    if max(days) > line.last:
        case.find("E06", "EXC", f"{evidence}, and what is known leaves it no day")
        return
    _hold_at_another_rate(case, line)
    was = line.figures()
    line.first = max(days)
    _rate_anew(case, line)
    case.find("E06", "AUTO", evidence)
    case.change("E06", "CHANGED", line, was, f"{evidence}; it begins on {line.first}")


def opening_day(case: Case) -> date | None:
    """The day of the opening balance of a ledger whose older lines are archived; None if there is none, or unknown."""
    if case.ledger_complete:
        return None
    known = [line.effective for line in case.lines if line.reason in OPENING_REASONS and line.effective is not None]
    return max(known, default=None)


def after_the_end(case: Case) -> None:
    """E11 (b): days charged after liability has ended, while a relationship was left open."""
    end = case.liability_end
    if end is None or end == OPEN:
        return
    for line in case.charges():
        if line.last is None or line.last <= end:
            continue
        evidence = f"line {line.number}: it charges days after the end of liability"
        if not relationship_open(case):
            case.find("E11", "EXC", f"{evidence}, though all relationships have ended")
            continue
        case.find("E11", "AUTO", f"{evidence}, and a relationship is open")
        if line.first is not None and line.first > end:
            case.drop("E11", line, evidence)
        elif line.first is not None:
            _hold_at_another_rate(case, line)
            was = line.figures()
            line.last = end
            _rate_anew(case, line)
            case.change("E11", "CHANGED", line, was, f"{evidence}; cut at {end}")


def relationship_open(case: Case) -> bool:
    """Whether a child or the parent with care is still in the case (E11 a)."""
    return any(role.kind in {"QCH", "PWC"} and role.last == OPEN for role in case.roles)


def coverage(case: Case) -> None:
    """E05: (a) days charged more than once, (b) days of liability not charged, (c) days between two rows."""
    for row, following in zip(case.rows, case.rows[1:], strict=False):
        between = row.last not in {None, OPEN} and following.first is not None
        if between and row.last + DAY < following.first:  # type: ignore[operator]  # both are known
            case.find("E05", "EXC", f"days between assessment rows {row.number} and {following.number}")
    charges = case.charges()
    if all(map(_has_days, charges)):
        covered = _without_overlaps(case, charges)
        if all(row.first is not None and row.last is not None for row in case.rows):
            _fill_gaps(case, covered)


def _has_days(line: Line) -> bool:
    return line.first is not None and line.last is not None


def _known(day: date | None) -> TypeGuard[date]:
    return day is not None


def _without_overlaps(case: Case, charges: Sequence[Line]) -> list[Run]:
    """Give every day to the first line that covers it; the days that are covered, as runs in order."""
    covered: list[Run] = []
    for line in charges:
        assert _known(line.first)
        assert _known(line.last)
        left = _uncovered((line.first, line.last), covered)
        if line.first <= line.last and left != [(line.first, line.last)]:
            _cut(case, line, left)
        covered = sorted([*covered, *left])
    return covered


def _uncovered(span: Run, covered: Sequence[Run]) -> list[Run]:
    """What of a span is in no covered run, in order; `covered` is in order and its runs do not overlap."""
    first, last = span
    left = []
    for start, end in covered:
        if end < first:
            continue
        if start > last:
            break
        if start > first:
            left.append((first, start - DAY))
        if end >= last:
            return left
        first = end + DAY
    return [*left, (first, last)] if first <= last else left


def _cut(case: Case, line: Line, left: Sequence[Run]) -> None:
    evidence = f"line {line.number}: days that an earlier line has charged"
    case.find("E05", "AUTO", evidence)
    if not left:
        case.drop("E05", line, evidence)
        return
    _hold_at_another_rate(case, line)
    was = line.figures()
    parts = [line, *(replace(line, entry_id="") for _ in left[1:])]
    for part, (first, last) in zip(parts, left, strict=True):
        part.first, part.last = first, last
        _rate_anew(case, part)
    case.change("E05", "CHANGED", line, was, f"{evidence}; {left[0][0]} to {left[0][1]} is left")
    for part in parts[1:]:
        case.add("E05", part, f"{evidence}; {part.first} to {part.last} is left too")


def _fill_gaps(case: Case, covered: list[Run]) -> None:
    start, end = _charging_days(case, covered)
    if start is None or end is None:
        return
    for row in case.rows:
        assert _known(row.first)
        assert _known(row.last)
        span = max(row.first, start), min(row.last, end)
        if not row.charged or row.amount <= 0 or span[0] > span[1]:
            continue
        missing = _uncovered(span, covered)
        for first, last in missing:
            _charge_missing(case, row, first, last)
        covered = sorted([*covered, *missing])


def _charging_days(case: Case, covered: Sequence[Run]) -> tuple[date | None, date | None]:
    """First and last day that must be charged; None where that is not known.

    When the opening balance's day is not known, days behind the first charge must be charged all the same.
    """
    known = case.last_charged is not None and case.liability_end is not None
    end = min(case.liability_end, case.last_charged) if known else None  # type: ignore[type-var]  # both are dates
    if case.ledger_complete:
        return (case.rows[0].first if case.rows else None), end
    opened = opening_day(case)
    if opened is not None:
        return opened + DAY, end
    return (covered[0][0] if covered else None), end


def _charge_missing(case: Case, row: Row, first: date, last: date) -> None:
    evidence = f"{first} to {last} is not charged, though assessment row {row.number} covers it"
    if not owners_known(case):
        case.find("E05", "EXC", f"{evidence}; whose days they are is not known")
        return
    case.find("E05", "AUTO", evidence)
    for start, end, owner in owner_runs(case, first, last):
        pence = rate(case.scheme, row.amount, start, end)
        line = Line(
            entry_id="", number=0, kind=CHARGE, owner=owner, effect=pence, stored=pence, first=start, last=end,
            rate=row.amount, row=row.number,
        )  # fmt: skip
        case.add("E05", line, f"{evidence}; {start} to {end} is charged")


def assessments(case: Case) -> None:
    """E01 (c) charges that are not at their row's amount, (a) rows that are not what the formula gives."""
    for line in (line for line in case.lines if line.kind == CHARGE):
        if case.row(line.row) is None:
            case.find("E01", "EXC", f"line {line.number}: its assessment row does not exist")
        _hold_at_another_rate(case, line)
    for row in case.rows:
        if row.due is not None and row.due != row.amount:
            _correct(case, row, row.due)


def _correct(case: Case, row: Row, due: int) -> None:
    evidence = f"assessment row {row.number}: the formula gives {due} pence, not {row.amount}"
    case.find("E01", "AUTO", evidence)
    row.amount = due
    for line in case.charges():
        if line.row == row.number and _has_days(line):
            was = line.figures()
            _rate_anew(case, line)
            case.change("E01", "CHANGED", line, was, f"{evidence}; the line is rated anew")


def owners(case: Case) -> None:
    """E09: a charge without one owner gets that of its days, when they have one and it is known."""
    for line in case.charges():
        if line.owner not in {"UNKNOWN", "MIXED"}:
            continue
        evidence = f"line {line.number}: the owner is not known or mixed"
        owner = _owner_of_days(case, line)
        if owner is None:
            case.find("E09", "EXC", f"{evidence}, and its days do not tell")
            continue
        was: Figures = line.figures()
        line.owner = owner
        case.find("E09", "AUTO", evidence)
        case.change("E09", "CHANGED", line, was, f"{evidence}; its days are {owner}'s")


def _owner_of_days(case: Case, line: Line) -> str | None:
    if line.first is None or line.last is None or not owners_known(case):
        return None
    found = {owner for _, _, owner in owner_runs(case, line.first, line.last)}
    return found.pop() if len(found) == 1 else None
