"""E13, E02, E14, E07, E08 and the links between cases: receipts, headers, duplicates, orphans."""

from dataclasses import replace
from typing import Any

import pytest

from integrationhub.arrears.book import CLERICAL, SECRETARY_OF_STATE, Case, Clerical, Figures, Line
from integrationhub.arrears.verdict import corrected, judge
from tests.unit.arrears.cases import (
    adjustment,
    case,
    case_2003,
    charge,
    day,
    off,
    party,
    receipt,
    reversal,
    role,
    verdict,
)  # fmt: skip

TWINS = {"1000000001", "1000000002"}


def pair(*firsts: Line, **changes: Any) -> tuple[Case, Case]:
    """Two cases of one source group with different carers; the first has these receipts."""
    first = case(charge("2000-01-03", "2000-01-30"), *firsts, siblings=TWINS)
    second = case(
        charge("2000-01-03", "2000-01-30"), ref="1000000002", siblings=TWINS,
        roles=[role("NRP", "payer"), role("PWC", "other carer")], **changes,
    )  # fmt: skip
    return first, second


def test_of_equal_receipts_in_a_case_group_the_one_that_names_its_case_stays() -> None:
    named = receipt(5000, bank_reference="BK1", quoted="1000000002")
    first, second = pair(receipt(5000, bank_reference="BK1"))
    second.lines.append(replace(named, number=2))
    second.header = second.header.plus(Figures(rp=-5000))
    verdicts = judge([first, second])

    assert [item.causes for item in verdicts] == [("E13",), ()]
    assert verdicts[0].accepted == Figures(rp=28_000)


def test_of_equal_receipts_that_name_nothing_the_lowest_stays() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), receipt(5000, bank_reference="BK1"),
               receipt(5000, bank_reference="BK1"))  # fmt: skip

    assert verdict(one).causes == ("E13",)
    assert [line.number for line in one.lines] == [1, 2]


@pytest.mark.parametrize(
    "changes", [{"bank_reference": " "}, {"value_date": None}, {"effect": -4999}], ids=["reference", "date", "amount"]
)
def test_receipts_that_differ_or_cannot_be_compared_all_stay(changes: dict[str, Any]) -> None:
    other = replace(receipt(5000, bank_reference="BK1"), **changes)
    one = case(charge("2000-01-03", "2000-01-30"), replace(receipt(5000, bank_reference="BK1"), **changes),
               receipt(5000, bank_reference="BK1") if "effect" in changes else other)  # fmt: skip

    assert "E13" not in verdict(one).causes


def test_a_reversed_receipt_is_no_duplicate() -> None:
    back = receipt(5000, bank_reference="BK1")
    one = case(charge("2000-01-03", "2000-01-30"), back, receipt(5000, bank_reference="BK1"), reversal(back))

    assert verdict(one).outcome == "SOURCE"


def test_a_receipt_moves_to_the_case_that_was_quoted_with_its_custody() -> None:
    first, second = pair(receipt(5000, quoted="1000000002", held=True))
    verdicts = judge([first, second])

    assert [item.causes for item in verdicts] == [("E02",), ("E02",)]
    assert verdicts[0].accepted == Figures(rp=28_000)
    assert verdicts[1].accepted == Figures(rp=23_000, custodian=5_000)
    assert [corrected(one) for one in (first, second)] == [item.accepted for item in verdicts]


def test_a_receipt_moves_to_the_owner_that_was_quoted() -> None:
    one = case(
        charge("2000-01-03", "2000-01-09"), charge("2000-01-10", "2000-01-30", owner=SECRETARY_OF_STATE),
        receipt(5000, quoted="1000000001S"),
    )  # fmt: skip

    assert verdict(one).accepted == Figures(rp=7_000, sos=16_000)


def test_a_receipt_for_an_owner_without_charges_is_an_exception_where_it_stands() -> None:
    first, second = pair(receipt(5000, quoted="1000000002S"))
    verdicts = judge([first, second])

    assert [item.exceptions for item in verdicts] == [("E02",), ()]
    assert verdicts[1].accepted == second.header


def test_a_dishonoured_receipt_is_treated_as_reversed() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), receipt(5000, dishonoured=True, held=True))

    assert verdict(one).accepted == Figures(rp=28_000)
    assert corrected(one) == Figures(rp=28_000)


def test_a_dishonoured_receipt_on_the_wrong_case_moves_first() -> None:
    first, second = pair(receipt(5000, quoted="1000000002", dishonoured=True))

    assert [item.causes for item in judge([first, second])] == [("E02",), ("E02", "E14")]


@pytest.mark.parametrize("figure", ["rp", "sos", "unk", "custodian"])
def test_a_complete_ledger_holds_against_the_header(figure: str) -> None:
    one = off(case(charge("2000-01-03", "2000-01-30")), **{figure: 1})

    assert verdict(one).causes == ("E07",)
    assert corrected(one) == Figures(rp=28_000)


def test_an_archived_ledger_against_the_header_is_an_exception() -> None:
    opening = adjustment(100, "OB", effective=day("2000-01-02"))
    one = off(case(opening, charge("2000-01-03", "2000-01-30"), ledger_complete=False), rp=-1)

    assert verdict(one).exceptions == ("E07",)


def test_too_little_suspended_is_corrected_and_too_much_is_an_exception() -> None:
    def suspending(by: int) -> Case:
        return off(case(charge("2000-01-03", "2000-01-30"), adjustment(300, "SU"), adjustment(100, "SL")), susp_rp=by)

    assert verdict(suspending(0)).outcome == "SOURCE"
    assert verdict(suspending(-1)).causes == ("E08",)
    assert verdict(suspending(1)).exceptions == ("E08",)


def test_a_charge_that_is_not_its_days_times_its_rate_is_an_exception() -> None:
    assert verdict(case(charge("2000-01-03", "2000-01-30", stored=27_999, effect=27_999))).exceptions == ("E07",)


@pytest.mark.parametrize("changes", [{"stored": 1}, {"owner": SECRETARY_OF_STATE}, {"undoes": None, "effect": 0}])
def test_a_reversal_of_nothing_or_of_something_else_is_an_exception(changes: dict[str, Any]) -> None:
    back = receipt(5000)
    one = case(charge("2000-01-03", "2000-01-30"), back, reversal(back, **changes))

    assert verdict(one).exceptions == ("E07",)


def test_of_equal_cases_the_higher_owes_nothing() -> None:
    first, second = case(charge("2000-01-03", "2000-01-30")), case(charge("2000-01-03", "2000-01-30"), ref="1000000002")
    verdicts = judge([second, first])

    assert verdicts[0].causes == ("E04",)
    assert verdicts[0].accepted == Figures() == corrected(second)
    assert second.duplicate_of is first
    assert verdicts[1].outcome == "SOURCE"


def test_equal_cases_with_other_ledgers_are_both_exceptions() -> None:
    first, second = case(charge("2000-01-03", "2000-01-30")), case(charge("2000-01-03", "2000-01-29"), ref="1000000002")

    assert [item.exceptions for item in judge([first, second])] == [("E04",), ("E04",)]


def test_a_duplicate_has_no_flags_and_no_other_findings() -> None:
    def doubtful(ref: str) -> Case:
        return off(case(charge("2000-01-03", "2000-01-30"), ref=ref, queried=True), rp=5)

    verdicts = judge([doubtful("1000000001"), doubtful("1000000002")])

    assert (verdicts[1].causes, verdicts[1].flags) == (("E04",), ())
    assert (verdicts[0].causes, verdicts[0].flags) == (("E07",), ("E01",))


def test_money_that_names_an_unknown_case_is_an_exception() -> None:
    one = case(charge("2000-01-03", "2000-01-30"), receipt(5000, quoted="1099999999"))

    assert verdict(one).exceptions == ("E10",)


@pytest.mark.parametrize("kind", ["NRP", "PWC"])
def test_a_case_without_a_parent_is_an_exception(kind: str) -> None:
    one = case(charge("2000-01-03", "2000-01-30"))
    one.roles = [item for item in one.roles if item.kind != kind]

    assert verdict(one).exceptions == ("E10",)


def test_flags_stand_beside_any_outcome() -> None:
    marked = [
        role("NRP", "payer"),
        replace(role("PWC", "carer"), party=party("carer", doubled=True, nino_unusable=True)),
    ]
    one = off(case(charge("2000-01-03", "2000-01-30", posted_unknown=True), roles=marked, orphan_role=True), rp=1)
    found = verdict(one)

    assert found.causes == ("E07",)
    assert found.flags == ("E04", "E06", "E10", "E12")


def test_a_quoted_reference_of_the_2003_scheme_may_name_the_owner_behind_a_slash() -> None:
    one = case_2003(
        charge("2004-01-03", "2004-01-09", at=20_000, scheme="2003"),
        receipt(100, quoted="QQ123456A/01/R", stored=-100),
        rows=[],
    )
    one.rows = [replace(case(charge("2004-01-03", "2004-01-09")).rows[0], first=day("2004-01-03"), amount=20_000)]

    assert verdict(one).outcome == "SOURCE"


def clerical(**changes: Any) -> Case:
    book = Clerical(charged=(1000, 200), received=(400, 0))
    return case(
        ref="CL0000001", system=CLERICAL, header=Figures(rp=600, sos=200), clerical=replace(book, **changes)
    )  # fmt: skip


def test_a_clerical_case_is_accepted_as_keyed() -> None:
    assert verdict(clerical()).accepted == Figures(rp=600, sos=200)


def test_a_clerical_case_has_no_flags_but_e06_and_e12() -> None:
    one = clerical(dates_unknown=True)
    one.liability_end = day("2010-01-01")
    one.roles = [replace(role("NRP", "payer"), party=party("payer", doubled=True, nino_unusable=True))]

    assert verdict(one).flags == ("E06", "E12")


def test_a_clerical_case_names_all_its_codes() -> None:
    one = clerical(double_entry_agrees=False, received=(401, 0), application_unknown=True)
    one.kept_twice = True

    assert verdict(one).exceptions == ("DE", "E03", "E06", "E07")
