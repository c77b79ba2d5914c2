"""What may be taken from earnings (employer-deductions.md §2)."""

from datetime import date

import pytest

from integrationhub.accounts.earnings import Rates, attachable, nearest
from integrationhub.catalogue import shipped_connectors
from integrationhub.errors import ConfigurationError

LIST = (shipped_connectors() / "connectors/employer-deductions/rates.csv").read_text()
TABLE = Rates.parse(LIST).on(date(2026, 3, 6))


def rated(net: int, frequency: str, rate: str = "S") -> int:
    assert TABLE is not None
    return TABLE.rated(net, frequency=frequency, rate=rate)


def test_the_examples_of_the_document_come_out() -> None:
    assert rated(38500, "W") == 5775
    assert (rated(25000, "W"), attachable(25000, 6000)) == (1750, 4000)
    assert (rated(162000, "M"), attachable(162000, 48600)) == (24300, 16200)
    assert (rated(10000, "W"), rated(10001, "W")) == (0, 300)
    assert nearest(10050, 3) == 301


LIMITS = [
    (10000, 43000, 0, 5), (16000, 69000, 3, 6), (22000, 95000, 5, 10), (27000, 116000, 7, 14), (37500, 161500, 11, 22),
    (52000, 224000, 15, 30),
]  # fmt: skip


@pytest.mark.parametrize(("weekly", "monthly", "standard", "higher"), LIMITS)
def test_the_upper_limit_of_each_band_belongs_to_it(weekly: int, monthly: int, standard: int, higher: int) -> None:
    for frequency, limit in (("W", weekly), ("F", 2 * weekly), ("4", 4 * weekly), ("M", monthly)):
        for rate, percent in (("S", standard), ("H", higher)):
            assert rated(limit, frequency, rate) == nearest(limit, percent)
            assert rated(limit + 1, frequency, rate) > nearest(limit + 1, percent)


def test_above_the_last_limit_a_fifth_or_two_fifths_are_taken() -> None:
    assert (rated(52001, "W"), rated(52001, "W", "H")) == (10400, 20800)


@pytest.mark.parametrize(
    ("pence", "percent", "expected"), [(50, 1, 0), (51, 1, 1), (150, 1, 1), (10049, 3, 301), (10051, 3, 302)]
)
def test_half_a_penny_is_left_and_more_is_taken(pence: int, percent: int, expected: int) -> None:
    assert nearest(pence, percent) == expected


def test_other_deductions_never_make_the_attachable_part_negative() -> None:
    assert (attachable(10000, 4001), attachable(101, 0)) == (0, 40)


def test_there_are_no_rates_before_the_first_table() -> None:
    rates = Rates.parse(LIST)
    assert rates.on(date(2013, 4, 7)) is None
    assert rates.on(date(2013, 4, 8)) is not None


def test_a_later_table_takes_over_on_its_day() -> None:
    ended = LIST.replace("2013-04-08,,", "2013-04-08,2026-04-05,")
    both = Rates.parse(ended + "2026-04-06,,weekly,,50,60\n2026-04-06,,monthly,,50,60\n")
    new = both.on(date(2026, 4, 6))
    assert new is not None
    assert new.rated(100, frequency="W", rate="S") == 50
    assert both.on(date(2026, 4, 5)) != new


@pytest.mark.parametrize(
    "text",
    [
        LIST + "2026-04-06,,weekly,,50,60\n2026-04-06,,monthly,,50,60\n",
        LIST.replace("2013-04-08,,weekly,,20,40\n", ""),
        LIST.replace("10000", "ten"),
        LIST.replace("standard_percent", "percent"),
        LIST.replace("2013-04-08,,weekly,10000", "2013-04-08,2030-01-01,weekly,10000"),
    ],
)
def test_rates_that_leave_a_question_open_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Rates.parse(text)
