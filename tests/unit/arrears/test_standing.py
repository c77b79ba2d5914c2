"""Segments, the label and write-off classes as at a day, with their borders (arrears-errors.md §4)."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from integrationhub.arrears.book import RECEIVING_PARENT, SECRETARY_OF_STATE, Figures
from integrationhub.arrears.policy import FILE, Policy
from integrationhub.arrears.standing import (
    Facts,
    closure_clock,
    group_segment,
    months_before,
    representation_ends,
    standing,
    years_after,
)  # fmt: skip
from integrationhub.catalogue import shipped_connectors
from integrationhub.errors import ConfigurationError

DAY = date(2015, 6, 30)
THRESHOLDS = Policy.of_file(shipped_connectors() / "migration" / FILE).on(DAY)
OWED = Figures(rp=100_000, sos=50_000, susp_rp=10)


def facts(**changes: Any) -> Facts:
    plain = Facts(
        off=False, clerical=False, ends="9999-12-31", effective="2010-01-01", payee="4711",
        owners=(RECEIVING_PARENT, SECRETARY_OF_STATE), rows=(("2010-01-01", "9999-12-31", 1000),),
    )  # fmt: skip
    return replace(plain, **changes)


def segment(accepted: Figures = OWED, **changes: Any) -> str:
    return standing(facts(**changes), accepted, DAY, THRESHOLDS).segment


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("OFF", {"off": True, "ends": "2000-01-01"}),
        ("ARREARS_ONLY", {"ends": "2015-06-29"}),
        ("2", {"ends": "2015-06-30"}),
        ("5", {"enforced": (("2015-06-30", "2015-06-30"),)}),
        ("2", {"enforced": (("2015-07-01", "9999-12-31"), ("2014-01-01", "2015-06-29"))}),
        ("3", {"clerical": True, "rows": ()}),
        ("1", {"rows": (("2010-01-01", "2015-06-29", 1000),)}),
        ("1", {"rows": (("2010-01-01", "9999-12-31", 0),)}),
        ("2", {"paid": (("2015-03-31", 13_000),)}),
        ("3", {"paid": (("2015-04-01", 13_000),)}),
        ("4", {"paid": (("2015-04-01", 12_999),)}),
        ("4", {"paid": (("2015-06-30", 1),)}),
        ("2", {"paid": (("2015-07-01", 13_000),)}),
    ],
)
def test_the_first_segment_that_applies(expected: str, changes: dict[str, Any]) -> None:
    assert segment(**changes) == expected


def test_a_case_that_has_ended_and_owes_nothing_is_closed() -> None:
    assert segment(Figures(rp=100, sos=-100), ends="2015-06-29") == "CLOSED"


@pytest.mark.parametrize(
    ("label", "changes"),
    [
        (True, {}),
        (True, {"paid": (("2014-12-30", 1),), "reached": ("2014-12-30",)}),
        (False, {"paid": (("2014-12-31", 1),)}),
        (False, {"reached": ("2014-12-31",)}),
        (False, {"reached": ("2015-06-30",)}),
        (True, {"reached": ("2015-07-01",), "paid": (("2015-07-01", 1),)}),
    ],
)
def test_six_quiet_months_make_a_debt_uncollectable(label: bool, changes: dict[str, Any]) -> None:
    assert standing(facts(**changes), OWED, DAY, THRESHOLDS).uncollectable is label


def test_nobody_is_uncollectable_who_owes_nothing() -> None:
    assert not standing(facts(), Figures(), DAY, THRESHOLDS).uncollectable


def write_off(owner: str, pence: int, **changes: Any) -> str:
    accepted = Figures(rp=pence) if owner == RECEIVING_PARENT else Figures(sos=pence)
    stands = standing(facts(**{"ends": "2015-01-01", "owners": (owner,), **changes}), accepted, DAY, THRESHOLDS)
    return str(stands.debts[0]["writeoff"])


@pytest.mark.parametrize(
    ("pence", "effective", "expected"),
    [
        (0, "2010-01-01", "NONE"), (-1, "2010-01-01", "NONE"), (1, "2010-01-01", "FLOOR"),
        (6_499, "2010-01-01", "FLOOR"), (6_500, "2010-01-01", "NO_REPRESENTATION"),
        (50_000, "2010-01-01", "NO_REPRESENTATION"), (50_001, "2005-07-01", "REPRESENTATION"),
        (50_001, "2005-06-30", "NO_REPRESENTATION"), (100_000, "2005-06-30", "NO_REPRESENTATION"),
        (100_001, "2005-06-30", "REPRESENTATION"),
    ],
)  # fmt: skip
def test_the_class_of_a_parents_debt(pence: int, effective: str, expected: str) -> None:
    assert write_off(RECEIVING_PARENT, pence, effective=effective) == expected


def test_the_secretary_of_states_debts_are_written_off_without_representation() -> None:
    assert write_off(SECRETARY_OF_STATE, 1) == "GOV"


def test_a_running_case_or_one_that_pays_is_not_eligible() -> None:
    assert write_off(RECEIVING_PARENT, 10_000, ends="9999-12-31") == "NOT_ELIGIBLE"
    assert write_off(RECEIVING_PARENT, 10_000, paid=(("2015-01-15", 1),)) == "NOT_ELIGIBLE"
    assert write_off(RECEIVING_PARENT, 10_000, paid=(("2015-07-01", 1),)) == "NOT_ELIGIBLE"
    assert write_off(RECEIVING_PARENT, 10_000, paid=(("2014-12-30", 1),)) == "NO_REPRESENTATION"


def test_debts_name_their_payee() -> None:
    debts = standing(facts(), OWED, DAY, THRESHOLDS).debts

    assert [(item["payee"], item["outstanding"], item["suspended"]) for item in debts] == [
        ("4711", 100_000, 10), (SECRETARY_OF_STATE, 50_000, 0),
    ]  # fmt: skip


def test_months_are_clamped_to_the_end_of_the_month() -> None:
    assert months_before(date(2015, 8, 31), 6) == date(2015, 2, 28)
    assert months_before(date(2016, 8, 31), 6) == date(2016, 2, 29)
    assert years_after(date(2004, 2, 29), 10) == date(2014, 2, 28)


def test_the_closure_clock_runs_from_the_day_of_printing() -> None:
    clock = closure_clock(date(2015, 8, 31), THRESHOLDS)

    assert (clock.reminder, clock.liability_ends) == (date(2016, 1, 29), date(2016, 2, 29))
    assert representation_ends(date(2015, 1, 1), THRESHOLDS) == date(2015, 3, 2)


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (["1", None], "HELD"), (["1", "5", "3"], "5"), (["ARREARS_ONLY", "1"], "1"),
        (["ARREARS_ONLY", "CLOSED"], "ARREARS_ONLY"), (["CLOSED", "OFF"], "CLOSED"), (["OFF"], "CLOSED"),
    ],
)  # fmt: skip
def test_the_segment_of_a_case_group(segments: list[str | None], expected: str) -> None:
    assert group_segment(segments) == expected


def test_precedence_is_configuration() -> None:
    assert group_segment(["4", "5"], ["1", "2", "3", "5", "4"]) == "4"


def test_thresholds_hold_from_their_day() -> None:
    later = THRESHOLDS.model_copy(update={"valid_from": date(2020, 1, 1), "floor_pence": 1})
    policy = Policy([later, THRESHOLDS])

    assert policy.on(date(1995, 1, 1)) is THRESHOLDS
    assert policy.on(date(2019, 12, 31)) is THRESHOLDS
    assert policy.on(date(2020, 1, 1)) is later


def test_a_faulty_policy_names_its_faults(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("[[thresholds]]\nvalid_from = 2018-12-13\nfloor_pence = 'many'\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="floor_pence"):
        Policy.of_file(file)
