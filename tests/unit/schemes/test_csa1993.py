"""The 1993 scheme's arithmetic against the interface document's worked example and its boundaries."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.schemes import csa1993
from integrationhub.schemes.csa1993 import Line

INCOME_SUPPORT = [(date(1996, 2, 20), date(1996, 3, 31))]


def test_the_worked_example_rates_its_charges() -> None:
    assert csa1993.charge(2735, date(1996, 2, 20), date(1996, 3, 31)) == 16019
    assert csa1993.charge(2735, date(1996, 4, 1), date(1996, 6, 30)) == 35555
    assert csa1993.charge(4110, date(1996, 7, 1), date(1996, 10, 31)) == 72218


def test_the_worked_example_gives_its_weekly_amount() -> None:
    assert csa1993.weekly_amount(18240, 12770, [60]) == 2735


def test_the_worked_example_splits_its_days_between_owners() -> None:
    runs = list(csa1993.owner_runs(date(1996, 2, 20), date(1996, 6, 30), INCOME_SUPPORT))

    assert runs == [(date(1996, 2, 20), date(1996, 3, 31), "S"), (date(1996, 4, 1), date(1996, 6, 30), "R")]


def test_the_worked_example_comes_to_its_balances() -> None:
    total = csa1993.balances(
        [
            Line(seq=1, kind="C", owner="S", pence=16019),
            Line(seq=2, kind="C", owner="R", pence=35555),
            Line(seq=3, kind="R", owner="R", pence=10000, held="H"),
            Line(seq=4, kind="R", owner="R", pence=5500, held="P"),
            Line(seq=5, kind="V", owner="R", pence=5500, reverses=4),
            Line(seq=6, kind="C", owner="R", pence=72218),
            Line(seq=7, kind="A", owner="R", pence=-2000, reason="CR"),
            Line(seq=8, kind="R", owner="S", pence=20000, held="K"),
            Line(seq=9, kind="A", owner="R", pence=30000, reason="SU"),
        ]
    )

    assert (total.rp, total.sos, total.unk) == (95773, -3981, 0)
    assert (total.susp_rp, total.susp_sos, total.custodian) == (30000, 0, 10000)


@pytest.mark.parametrize(
    ("net", "exempt", "nights", "weekly"),
    [
        (10000, 10000, [0], 0),  # nothing assessable
        (9000, 10000, [0], 0),  # exempt income above net
        (10001, 10000, [0], 500),  # the least that is ever charged
        (80000, 10000, [0], 30000),  # capped
        (20000, 10000, [103], 5000),
        (20000, 10000, [104], 5000 * 261 // 365),
        (20003, 10000, [0, 0], 5001),
        (20000, 10000, [104, 0, 0], (1668 * 261 // 365) + 1666 + 1666),  # the rest goes to the first child
        (20000, 10000, [365], 500),
    ],
)
def test_an_assessment_follows_the_formula_at_its_edges(net: int, exempt: int, nights: list[int], weekly: int) -> None:
    assert csa1993.weekly_amount(net, exempt, nights) == weekly


def test_days_after_the_rule_ended_are_the_receiving_parents_in_spite_of_benefit() -> None:
    benefit = [(date(2008, 1, 1), date.max)]

    assert csa1993.owner_of(date(2008, 10, 1), date(2008, 10, 26), benefit) == "S"
    assert csa1993.owner_of(date(2008, 10, 27), date(2009, 1, 1), benefit) == "R"
    assert csa1993.owner_of(date(2008, 10, 26), date(2008, 10, 27), benefit) is None


def test_touching_benefit_periods_make_one_run() -> None:
    touching = [(date(2000, 1, 1), date(2000, 1, 31)), (date(2000, 2, 1), date(2000, 2, 29))]

    assert csa1993.owner_of(date(2000, 1, 10), date(2000, 2, 20), touching) == "S"


def test_an_open_period_ends_the_runs() -> None:
    assert list(csa1993.owner_runs(date(2009, 1, 1), date.max, [])) == [(date(2009, 1, 1), date.max, "R")]


def test_a_reversal_acts_on_the_owner_of_the_line_it_reverses() -> None:
    total = csa1993.balances(
        [
            Line(seq=1, kind="R", owner="S", pence=700, held="H"),
            Line(seq=2, kind="V", owner="R", pence=700, reverses=1),
            Line(seq=3, kind="V", owner="R", pence=50, reverses=9),
        ]
    )

    assert (total.rp, total.sos, total.custodian) == (0, 0, 0)


def test_charges_of_mixed_and_unknown_owner_are_counted_together() -> None:
    mixed = [Line(seq=1, kind="C", owner="M", pence=10), Line(seq=2, kind="C", owner=" ", pence=5)]

    assert csa1993.balances(mixed).unk == 15


def test_a_lifted_suspension_lowers_the_suspended_part_only() -> None:
    lines = [
        Line(seq=1, kind="A", owner="S", pence=900, reason="SU"),
        Line(seq=2, kind="A", owner="S", pence=400, reason="SL"),
        Line(seq=3, kind="A", owner="S", pence=-70, reason="WO"),
    ]

    total = csa1993.balances(lines)

    assert (total.sos, total.susp_sos, total.susp_rp) == (-70, 500, 0)


DAY = st.dates(date(1993, 4, 5), date(2015, 6, 30))
PERIOD = st.tuples(DAY, DAY).map(lambda pair: (min(pair), max(pair)))


@given(PERIOD, st.lists(PERIOD, max_size=6))
def test_owner_runs_cover_every_day_once_and_agree_day_by_day(
    span: tuple[date, date], benefits: list[tuple[date, date]]
) -> None:
    runs = list(csa1993.owner_runs(*span, benefits))

    assert runs[0][0] == span[0]
    assert runs[-1][1] == span[1]
    for (_, end, owner), (start, _, following) in pairwise(runs):
        assert start == end + timedelta(1)
        assert owner != following
    for first, last, owner in runs:
        for day in (first, last):
            kept = day <= date(2008, 10, 26) and any(a <= day <= b for a, b in benefits)
            assert owner == ("S" if kept else "R")


@given(st.integers(0, 30_000), DAY, st.integers(0, 900), st.integers(0, 900))
def test_a_charge_cut_in_two_never_gains_and_loses_at_most_a_penny(
    weekly: int, first: date, before: int, after: int
) -> None:
    middle = first + timedelta(before)
    last = middle + timedelta(1 + after)

    whole = csa1993.charge(weekly, first, last)
    parts = csa1993.charge(weekly, first, middle) + csa1993.charge(weekly, middle + timedelta(1), last)

    assert whole - 1 <= parts <= whole
