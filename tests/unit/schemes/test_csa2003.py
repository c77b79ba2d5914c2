"""The arithmetic of csa2003.md §4: its worked example, its bands and borders."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.schemes.csa2003 import charge, monthly_amount, near, weekly


def test_the_worked_example() -> None:
    assert near(108_333 * 3, 13) == 25_000
    assert monthly_amount(108_333, 2, 60) == 18_568
    assert weekly(18_568) == 4_285
    assert charge(18_568, date(2008, 2, 1), date(2008, 3, 14)) == 26_322


@given(st.integers(0, 10**9), st.sampled_from([3, 7, 13]))
def test_near_is_the_closest_integer(dividend: int, divisor: int) -> None:
    assert abs(Fraction(dividend, divisor) - near(dividend, divisor)) < Fraction(1, 2)


@given(st.integers(0, 500_000), st.integers(1, 9_000))
def test_a_charge_is_rounded_twice_first_to_the_week(monthly: int, days: int) -> None:
    first = date(2004, 2, 29)
    a_week = round(Fraction(monthly * 12, 52))

    assert weekly(monthly) == a_week
    assert charge(monthly, first, first + timedelta(days - 1)) == round(Fraction(a_week * days, 7))


def test_a_charge_that_ends_before_it_begins_is_nil() -> None:
    assert charge(10_000, date(2008, 3, 2), date(2008, 3, 1)) == 0


def monthly_of(net_weekly: int) -> int:
    """The least monthly income whose weekly one is this."""
    return next(m for m in range(net_weekly * 13 // 3 - 3, net_weekly * 13 // 3 + 5) if near(m * 3, 13) == net_weekly)


@pytest.mark.parametrize(
    ("net", "children", "due"),
    [
        (0, 1, 0), (500, 1, 0), (501, 1, 500), (10_000, 1, 500), (10_004, 1, 501), (19_999, 3, 500 + 9_999 * 45 // 100),
        (20_000, 1, 3_000), (20_000, 2, 4_000), (20_000, 3, 5_000), (20_000, 7, 5_000), (200_000, 1, 30_000),
        (900_000, 1, 30_000),
    ],
)  # fmt: skip
def test_the_bands_of_net_income(net: int, children: int, due: int) -> None:
    assert monthly_amount(monthly_of(net), children, 0) == near(due * 13, 3)


@pytest.mark.parametrize(
    ("nights", "due"),
    [(0, 3_000), (51, 3_000), (52, 2_571), (103, 2_571), (104, 2_142), (155, 2_142), (156, 1_714), (174, 1_714),
     (175, 1_500), (366, 1_500)],
)  # fmt: skip
def test_shared_care_takes_sevenths_or_half(nights: int, due: int) -> None:
    assert monthly_amount(monthly_of(20_000), 1, nights) == near(due * 13, 3)


def test_shared_care_never_leaves_less_than_the_flat_amount() -> None:
    assert monthly_amount(monthly_of(10_000), 1, 200) == near(500 * 13, 3)
