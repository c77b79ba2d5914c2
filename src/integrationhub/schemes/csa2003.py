"""The 2003 scheme in numbers: weekly amounts, charges, assessments (csa2003.md §4).

Money is integer pence; divisions go to the nearest penny where the document writes `near`, and truncate where it writes
`//`. Periods are inclusive at both ends here as everywhere inside the hub: the extract's exclusive ends are converted
before. Owners of days are those of `csa1993.owner_runs`.
"""

from datetime import date

DAYS_IN_WEEK = 7
HIGHEST_NET_WEEKLY = 200_000
NIL_UP_TO, FLAT_UP_TO, REDUCED_BELOW = 500, 10_000, 20_000
FLAT_WEEKLY = 500
HALF_CARE_NIGHTS = 175
SHARED_CARE_FROM = (52, 104, 156)  # nights a year from which one, two, three sevenths are taken off
REDUCED_PERCENT = (25, 35, 45)  # for one, two, three or more children
BASIC_PERCENT = (15, 20, 25)


def near(dividend: int, divisor: int) -> int:
    """The quotient to the nearest integer; `dividend` is not negative, and ties cannot occur with these divisors."""
    return (2 * dividend + divisor) // (2 * divisor)


def weekly(monthly: int) -> int:
    """Weekly pence of a monthly amount: × 12 ÷ 52, rounded before anything is charged."""
    return near(monthly * 3, 13)


def charge(monthly: int, first: date, last: date) -> int:
    """Pence of one charge line; the day count includes both ends. `last` before `first` gives 0."""
    days = (last - first).days + 1
    return near(weekly(monthly) * days, DAYS_IN_WEEK) if days > 0 else 0


def monthly_amount(net_monthly: int, children: int, nights: int) -> int:
    """Monthly pence of an assessment with inputs; `nights` are those a year that the children stay with the payer."""
    net = min(near(net_monthly * 3, 13), HIGHEST_NET_WEEKLY)
    due = _after_shared_care(_before_shared_care(net, min(max(children, 1), 3) - 1), nights)
    if net > NIL_UP_TO:
        due = max(due, FLAT_WEEKLY)
    return near(due * 13, 3)


def _before_shared_care(net: int, place: int) -> int:
    """Weekly pence by the band that the net income lies in."""
    if net <= NIL_UP_TO:
        return 0
    if net <= FLAT_UP_TO:
        return FLAT_WEEKLY
    if net < REDUCED_BELOW:
        return FLAT_WEEKLY + (net - FLAT_UP_TO) * REDUCED_PERCENT[place] // 100
    return net * BASIC_PERCENT[place] // 100


def _after_shared_care(due: int, nights: int) -> int:
    if nights >= HALF_CARE_NIGHTS:
        return due // 2
    sevenths = sum(nights >= start for start in SHARED_CARE_FROM)
    return due * (DAYS_IN_WEEK - sevenths) // DAYS_IN_WEEK
