"""Random ledgers through another arithmetic: day by day, with fractions, and no rule engine."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.arrears.book import CHARGE, RECEIVING_PARENT, SECRETARY_OF_STATE, Case, Figures, Line
from integrationhub.arrears.verdict import corrected, judge
from tests.unit.arrears.cases import START, adjustment, case, charge, receipt, reversal, row

DAYS = 120
WATERSHED = date(2008, 10, 26)
BEGIN = WATERSHED - timedelta(60)


def nth(number: int) -> date:
    return BEGIN + timedelta(number)


SPANS = st.tuples(st.integers(0, DAYS - 1), st.integers(1, 40)).map(lambda s: (s[0], min(s[0] + s[1], DAYS) - 1))
OWNERS = st.sampled_from([RECEIVING_PARENT, SECRETARY_OF_STATE])


@st.composite
def cases(draw: st.DrawFn, scheme: str = "1993") -> Case:
    """A case of two rows with charges anywhere, benefits, receipts, adjustments; the header is right."""
    edge = draw(st.integers(1, DAYS - 2))
    amounts = draw(st.tuples(st.integers(1, 30_000), st.integers(0, 30_000)))
    rows = [row(1, str(nth(0)), str(nth(edge - 1)), amount=amounts[0]), row(2, str(nth(edge)), amount=amounts[1])]
    lines: list[Line] = []
    for first, last in draw(st.lists(SPANS, max_size=6)):
        number = 1 if first < edge else 2
        last = min(last, edge - 1) if number == 1 else last  # noqa: PLW2901 – a charge crosses no row
        lines.append(charge(str(nth(first)), str(nth(last)), at=amounts[number - 1], scheme=scheme, row=number,
                            owner=draw(OWNERS)))  # fmt: skip
    for pence, owner, back in draw(st.lists(st.tuples(st.integers(1, 9_999), OWNERS, st.booleans()), max_size=4)):
        lines.append(
            receipt(pence, owner=owner, held=draw(st.booleans()), stored=pence if scheme == "1993" else -pence)
        )
        if back:
            undo = reversal(lines[-1])
            undo.stored = pence
            lines.append(undo)
    for pence, reason in draw(st.lists(st.tuples(st.integers(1, 999), st.sampled_from(["DR", "SU"])), max_size=3)):
        lines.append(adjustment(pence, reason))
    spans = draw(st.lists(SPANS, max_size=2))
    return case(
        *lines, scheme=scheme, system="CSCS" if scheme == "1993" else "CS2", rows=rows, effective=START,
        last_charged=nth(DAYS - 1), benefits=[(nth(first), nth(last)) for first, last in spans],
    )  # fmt: skip


def rated(scheme: str, amount: int, days: int) -> int:
    if scheme == "1993":
        return floor(Fraction(amount * days, 7))
    return round(Fraction(round(Fraction(amount * 12, 52)) * days, 7))


def simple(one: Case) -> Figures:
    """What the case comes to: every day has one payer's line, the rest is added up."""
    numbered = sorted((line for line in one.lines if line.kind == CHARGE), key=lambda line: line.number)
    days: dict[date, tuple[str, str, int]] = {}
    for line in numbered:
        assert line.first
        assert line.last
        for offset in range((line.last - line.first).days + 1):
            days.setdefault(line.first + timedelta(offset), (str(line.number), line.owner, line.row or 0))
    for offset in range(DAYS):
        day = nth(offset)
        number = next(item.number for item in one.rows if item.covers(day))
        on_benefit = any(first <= day <= last for first, last in one.benefits)  # type: ignore[operator]
        owner = SECRETARY_OF_STATE if on_benefit and day <= WATERSHED else RECEIVING_PARENT
        if one.rows[number - 1].amount > 0:
            days.setdefault(day, ("new", owner, number))
    sums = {RECEIVING_PARENT: 0, SECRETARY_OF_STATE: 0}
    runs = sorted(days.items())
    for _, run in groupby(enumerate(runs), key=lambda item: (item[1][0].toordinal() - item[0], item[1][1])):
        found = [day for _, day in run]
        _, owner, number = found[0][1]
        sums[owner] += rated(one.scheme, one.rows[number - 1].amount, len(found))
    for line in one.lines:
        if line.kind != CHARGE:
            sums[line.owner] += line.effect
    held = sum(-line.effect for line in one.lines if line.held and not line.undone)
    suspended = sum(line.suspends for line in one.lines)
    return Figures(sums[RECEIVING_PARENT], sums[SECRETARY_OF_STATE], 0, suspended, 0, held)


@pytest.mark.parametrize("scheme", ["1993", "2003"])
@given(data=st.data())
def test_overlaps_and_gaps_come_to_what_a_count_of_days_gives(scheme: str, data: st.DataObject) -> None:
    one = data.draw(cases(scheme))
    expected, header = simple(one), one.header
    (found,) = judge([one])

    assert found.exceptions == ()
    assert found.accepted == found.recomputed == expected
    assert corrected(one) == expected
    assert (found.outcome == "SOURCE") == (not one.corrections)
    assert found.outcome == "RECOMPUTED" or expected == header


@given(cases(), st.integers(-50, 50), st.integers(-50, 0))
def test_a_complete_ledger_holds_whatever_the_header_says(one: Case, wrong: int, suspended: int) -> None:
    expected = simple(one)
    one.header = one.header.plus(Figures(rp=wrong, custodian=wrong, susp_rp=suspended))
    (found,) = judge([one])

    assert found.accepted == expected == corrected(one)
    assert ("E07" in found.causes, "E08" in found.causes) == (wrong != 0, suspended < 0)
