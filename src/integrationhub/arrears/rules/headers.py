"""E08 suspended parts and E07 balances: the header against the ledger as sent. And E07 of lines that don't add up."""

from collections.abc import Iterable

from integrationhub.arrears.arithmetic import rate
from integrationhub.arrears.book import CHARGE, REVERSAL, Case, Correction, Figures, Line, total

_BALANCES = ("rp", "sos", "unk", "custodian")
_SUSPENDED = ("susp_rp", "susp_sos")


def lines_as_sent(case: Case) -> None:
    """E07 (c) and reversals: findings on the ledger as sent. To be called before any rule changes a line."""
    case.sent = total(line.figures() for line in case.lines)
    for line in case.lines:
        if line.kind == CHARGE and not _rated_right(case, line):
            case.find("E07", "EXC", f"line {line.number}: its amount is not that of its days and rate")
        if line.kind == REVERSAL and not _undoes_a_line(case, line):
            case.find("E07", "EXC", f"line {line.number}: it reverses no line, or one of another amount or owner")


def _rated_right(case: Case, line: Line) -> bool:
    if line.first is None or line.last is None:
        return True
    return line.stored == rate(case.scheme, line.rate, line.first, line.last)


def _undoes_a_line(case: Case, line: Line) -> bool:
    """Whether the line reversed is there, with the same owner and amount; the 2003 scheme stores the opposite sign."""
    undone = line.undoes
    sign = 1 if case.scheme == "1993" else -1
    return undone is not None and line.stored == sign * undone.stored and line.owner == undone.owner


def suspended(case: Case) -> None:
    """E08: less is suspended in the header than in the ledger: the ledger holds; more: nobody knows."""
    more = [name for name in _SUSPENDED if getattr(case.header, name) > getattr(case.sent, name)]
    less = [name for name in _SUSPENDED if getattr(case.header, name) < getattr(case.sent, name)]
    for name in more:
        case.find("E08", "EXC", f"{_named(name)}: the header suspends more than the ledger")
    if less:
        _take_ledger(case, "E08", less)


def balances(case: Case) -> None:
    """E07 (a), (b): the header's balances are not the ledger's; a complete ledger holds."""
    wrong = [name for name in _BALANCES if getattr(case.header, name) != getattr(case.sent, name)]
    if wrong and case.ledger_complete:
        _take_ledger(case, "E07", wrong)
    elif wrong:
        evidence = "the header is not the sum of the ledger, whose older lines are archived"
        case.find("E07", "EXC", f"{', '.join(map(_named, wrong))}: {evidence}")


def _take_ledger(case: Case, rule: str, names: Iterable[str]) -> None:
    delta = Figures(**{name: getattr(case.sent, name) - getattr(case.header, name) for name in names})
    parts = ", ".join(f"{_named(name)} by {getattr(delta, name)} pence" for name in names)
    case.find(rule, "AUTO", f"the header differs from the ledger as sent: {parts}")
    case.corrections.append(
        Correction(rule=rule, action="HEADER", entry_id="", line_no=None, text="the ledger's sum holds", delta=delta)
    )


def _named(figure: str) -> str:
    return {
        "rp": "receiving parent's balance", "sos": "Secretary of State's balance", "unk": "balance of no owner",
        "custodian": "custodian cash", "susp_rp": "receiving parent's suspended part",
        "susp_sos": "Secretary of State's suspended part",
    }[figure]  # fmt: skip
