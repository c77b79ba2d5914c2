"""The two schemes' arithmetic behind one face. A row's amount is weekly in the 1993 scheme, monthly in the 2003 one."""

from collections.abc import Iterator, Sequence
from datetime import date

from integrationhub.arrears.book import RECEIVING_PARENT, SECRETARY_OF_STATE, Case
from integrationhub.schemes import csa1993, csa2003

_OWNERS = {csa1993.RECEIVING_PARENT: RECEIVING_PARENT, csa1993.SECRETARY_OF_STATE: SECRETARY_OF_STATE}


def rate(scheme: str, amount: int, first: date, last: date) -> int:
    """Pence of a charge line of these days (csa1993.md §5.1, csa2003.md §4)."""
    return csa1993.charge(amount, first, last) if scheme == "1993" else csa2003.charge(amount, first, last)


def weekly(scheme: str, amount: int) -> int:
    """Weekly pence of a row's amount."""
    return amount if scheme == "1993" else csa2003.weekly(amount)


def due_1993(net: int, exempt: int, nights: Sequence[int]) -> int:
    """What the 1993 formula gives, weekly (csa1993.md §5.2)."""
    return csa1993.weekly_amount(net, exempt, nights)


def due_2003(net_monthly: int, children: int, nights: int) -> int:
    """What the 2003 formula gives, monthly (csa2003.md §4)."""
    return csa2003.monthly_amount(net_monthly, children, nights)


def owner_runs(case: Case, first: date, last: date) -> Iterator[tuple[date, date, str]]:
    """The days in runs of one owner (csa1993.md §5.4); the case's benefit periods must be known."""
    spans = [(start, end) for start, end in case.benefits if start is not None and end is not None]
    return ((start, end, _OWNERS[owner]) for start, end, owner in csa1993.owner_runs(first, last, spans))


def owners_known(case: Case) -> bool:
    """Whether days can be told to owners: the benefit periods are complete and all their edges are known."""
    return case.benefit_known and all(start is not None and end is not None for start, end in case.benefits)
