"""E06, E11, E05, E01 and E09: what the rules find in charge lines, and what they make of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from integrationhub.arrears.book import OPEN, RECEIVING_PARENT, SECRETARY_OF_STATE, Case, Line
from integrationhub.arrears.verdict import corrected
from tests.unit.arrears.cases import adjustment, case, case_2003, charge, day, reversal, role, row, verdict


def spans(one: Case) -> list[tuple[str, str, int]]:
    return sorted((str(line.first), str(line.last), line.effect) for line in one.lines if line.kind == "CHARGE")


def test_a_sound_case_is_accepted_as_sent() -> None:
    one = case(charge("2000-01-03", "2000-03-31"))
    found = verdict(one)

    assert (found.outcome, found.causes, found.flags) == ("SOURCE", (), ())
    assert found.accepted == one.header


def test_a_day_belongs_to_the_first_line_that_covers_it() -> None:
    one = case(charge("2000-01-10", "2000-01-19"), charge("2000-01-03", "2000-01-30"), last_charged=day("2000-01-30"))
    found = verdict(one)

    assert found.causes == ("E05",)
    assert spans(one) == [("2000-01-03", "2000-01-09", 7000), ("2000-01-10", "2000-01-19", 10000),
                          ("2000-01-20", "2000-01-30", 11000)]  # fmt: skip
    assert found.accepted == corrected(one)


def test_every_run_that_is_left_is_cut_to_whole_pence_by_itself() -> None:
    one = case(charge("2000-01-05", "2000-01-06", at=100), charge("2000-01-03", "2000-01-08", at=100),
               rows=[row(amount=100)])  # fmt: skip
    verdict(one)

    assert [pence for _, _, pence in spans(one)] == [28, 28, 28]


def test_a_line_without_a_day_of_its_own_is_dropped() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), charge("2000-01-05", "2000-01-06"))

    assert verdict(one).causes == ("E05",)
    assert len(one.lines) == 1


def test_a_reversed_charge_covers_no_day_and_is_cut_by_none() -> None:
    wrong = charge("2000-01-03", "2000-01-30")
    one = case(wrong, reversal(wrong), charge("2000-01-03", "2000-01-30"))

    assert verdict(one).outcome == "SOURCE"


def test_missing_days_are_charged_cut_at_row_edges_and_owners() -> None:
    one = case(
        charge("2000-01-03", "2000-01-09"), charge("2000-02-07", "2000-02-13", row=2), rows=[
            row(1, last="2000-01-23"), row(2, "2000-01-24", amount=7000)],
        benefits=[(day("2000-01-30"), day("2000-02-02"))],
    )  # fmt: skip
    found = verdict(one)
    added = [(str(line.first), str(line.last), line.owner) for line in one.lines if not line.entry_id]

    assert found.causes == ("E05",)
    assert sorted(added) == [
        ("2000-01-10", "2000-01-23", RECEIVING_PARENT), ("2000-01-24", "2000-01-29", RECEIVING_PARENT),
        ("2000-01-30", "2000-02-02", SECRETARY_OF_STATE), ("2000-02-03", "2000-02-06", RECEIVING_PARENT),
    ]  # fmt: skip


def test_days_behind_the_last_charged_one_are_no_debt_yet() -> None:
    assert verdict(case(charge("2000-01-03", "2000-01-30"))).outcome == "SOURCE"


def test_missing_days_without_known_benefits_are_an_exception() -> None:
    one = case(charge("2000-01-10", "2000-01-30"), benefit_known=False)

    assert verdict(one).exceptions == ("E05",)


def test_days_before_an_opening_balance_are_in_it() -> None:
    opening = adjustment(100_000, "OB", effective=day("2000-01-09"))
    one = case(opening, charge("2000-01-10", "2000-01-30"), ledger_complete=False)

    assert verdict(one).outcome == "SOURCE"


def test_an_opening_balance_of_an_unknown_day_fills_no_gap_before_the_first_charge() -> None:
    opening = adjustment(100_000, "OB", effective=None, effective_unknown=True)
    one = case(opening, charge("2000-06-10", "2000-06-30"), charge("2000-07-10", "2000-07-16"), ledger_complete=False)
    found = verdict(one)

    assert (found.causes, found.flags) == (("E05",), ("E06",))
    assert [str(line.first) for line in one.lines if not line.entry_id] == ["2000-07-01"]


def test_days_between_two_rows_are_an_exception() -> None:
    one = case(charge("2000-01-03", "2000-01-09"), rows=[row(1, last="2000-01-09"), row(2, "2000-01-11")])

    assert verdict(one).exceptions == ("E05",)


def test_rows_that_meet_leave_no_day_between() -> None:
    one = case(charge("2000-01-03", "2000-01-09"), rows=[row(1, last="2000-01-09"), row(2, "2000-01-10")])

    assert verdict(one).outcome == "SOURCE"


def test_an_unknown_first_day_is_the_latest_of_what_is_known() -> None:
    lost = replace(charge("2000-01-03", "2000-01-30"), first=None)
    one = case(charge("2000-01-03", "2000-01-16"), lost)

    assert verdict(one).causes == ("E06",)
    assert spans(one)[1] == ("2000-01-17", "2000-01-30", 14000)


def test_an_unknown_first_day_that_would_fall_behind_the_last_is_an_exception() -> None:
    lost = replace(charge("2000-01-03", "2000-01-16"), first=None)

    assert verdict(case(charge("2000-01-03", "2000-01-16"), lost)).exceptions == ("E06",)


@pytest.mark.parametrize("missing", ["effective", "last_charged"])
def test_a_missing_date_that_much_rests_on_is_an_exception(missing: str) -> None:
    one = case(charge("2000-01-03", "2000-01-30"))
    setattr(one, missing, None)

    assert verdict(one).exceptions == ("E06",)


def test_days_after_the_end_are_cut_when_a_relationship_was_left_open() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), charge("2000-01-31", "2000-02-06"), liability_end=day("2000-01-16"))
    found = verdict(one)

    assert (found.causes, found.flags) == (("E11",), ("E11",))
    assert spans(one) == [("2000-01-03", "2000-01-16", 14000)]


def test_days_after_the_end_are_an_exception_when_all_relationships_ended() -> None:
    end = day("2000-01-16")
    ended = [role("NRP", "payer"), role("PWC", "carer", last=end), role("QCH", "child", last=end)]
    one = case(charge("2000-01-03", "2000-01-30"), liability_end=end, roles=ended)

    assert verdict(one).exceptions == ("E11",)


def test_a_row_that_is_not_what_the_formula_gives_is_corrected_and_its_lines_rated_anew() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), rows=[row(amount=7000, due=7700)], queried=True)
    found = verdict(one)

    assert (found.causes, found.flags) == (("E01",), ())
    assert found.accepted is not None
    assert found.accepted.rp == 30_800


def test_a_doubt_that_nothing_bears_out_is_a_flag() -> None:
    assert verdict(case(charge("2000-01-03", "2000-01-30"), queried=True)).flags == ("E01",)


def test_a_charge_at_another_amount_than_its_row_is_an_exception() -> None:
    assert verdict(case(charge("2000-01-03", "2000-01-30"), rows=[row(amount=7001)])).exceptions == ("E01",)


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        ((charge("2000-01-03", "2000-01-16", at=7001), charge("2000-01-17", "2000-01-30")),
         {"liability_end": day("2000-01-30"), "last_charged": day("2000-01-30")}),
        ((charge("2000-01-17", "2000-01-30"), charge("2000-01-03", "2000-01-20", at=7001)),
         {"last_charged": day("2000-01-30")}),
        ((charge("2000-01-03", "2000-01-30", at=7001),), {"liability_end": day("2000-01-16")}),
        ((replace(charge("2000-01-03", "2000-01-30", at=7001), first=None),), {}),
    ],
    ids=["left as it is", "cut by E05", "cut by E11", "begun by E06"],
)  # fmt: skip
def test_a_rule_that_rates_a_charge_anew_does_not_hide_that_it_was_at_another_amount(
    lines: tuple[Line, ...], changes: dict[str, Any]
) -> None:
    assert verdict(case(*lines, **changes)).exceptions == ("E01",)


def test_a_charge_of_no_row_is_an_exception() -> None:
    assert verdict(case(charge("2000-01-03", "2000-01-30", row=2))).exceptions == ("E01",)


def test_a_charge_without_an_owner_gets_that_of_its_days() -> None:
    last_day = day("2008-10-26")
    one = case(
        charge("2000-01-03", "2008-10-26", owner="UNKNOWN"), charge("2008-10-27", "2008-12-31", owner="MIXED"),
        benefits=[(day("1999-01-01"), OPEN)],
    )  # fmt: skip
    found = verdict(one)

    assert found.causes == ("E09",)
    assert [line.owner for line in one.lines] == [SECRETARY_OF_STATE, RECEIVING_PARENT]
    assert found.accepted is not None
    assert found.accepted.unk == 0
    assert one.lines[0].last == last_day


def test_a_charge_without_an_owner_that_straddles_is_an_exception() -> None:
    one = case(charge("2008-10-20", "2008-11-01", owner="MIXED"), benefits=[(day("2000-01-01"), OPEN)],
               rows=[row(first="2008-10-20")])  # fmt: skip

    assert verdict(one).exceptions == ("E09",)


def test_the_2003_scheme_rates_to_the_nearest_penny_by_the_month() -> None:
    one = case_2003(
        charge("2008-02-01", "2008-03-14", at=18_568, scheme="2003"),
        rows=[row(first="2008-02-01", amount=18_568, due=18_568)],
    )
    found = verdict(one)

    assert found.outcome == "SOURCE"
    assert one.header.rp == 26_322


def test_every_correction_is_itemised() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), charge("2000-01-20", "2000-02-20", owner="UNKNOWN"),
               charge("2000-03-01", "2000-04-01"), liability_end=day("2000-03-20"))  # fmt: skip
    found = verdict(one)

    assert found.causes == ("E05", "E09", "E11")
    assert found.accepted == corrected(one)
    assert all(item.text and item.rule for item in one.corrections)
    assert {line.first + timedelta(0) for line in one.lines if line.first}  # dates stay dates
