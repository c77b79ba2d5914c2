"""References in the texts of receipts (benefits-common.md §9)."""

import pytest

from integrationhub.accounts.book import Book
from integrationhub.accounts.matching import Matcher
from tests.unit.accounts.conftest import MakeDebt

REF = "DM0010000017"


@pytest.mark.parametrize(
    "text",
    [
        REF, "dm0010000017", "DM 0010000017", "DM-0010000017", "DM/0010000017", "DM00 1000-0017", "FOR DM0010000017 X",
        "\uff24\uff2d0010000017", "(DM0010000017)",
    ],
)  # fmt: skip
def test_a_debt_reference_is_found_however_it_is_written(
    book: Book, matcher: Matcher, debt: MakeDebt, text: str
) -> None:
    debt(REF)
    found = matcher.match([text], book)
    assert found.debt is not None
    assert (found.debt.ref, found.by_reference) == (REF, True)


@pytest.mark.parametrize(
    "text",
    [
        "XDM0010000017",
        "DM00100000178",
        "DM0010000017 8",
        "DM0010000017-8",
        "DM//0010000017",
        "DM001000001",
        "DM001000001\u0667",
    ],
)
def test_what_only_looks_like_a_reference_is_none(book: Book, matcher: Matcher, debt: MakeDebt, text: str) -> None:
    debt(REF)
    assert matcher.match([text], book).reason == "UNMATCHED"


def test_the_first_class_with_a_known_target_decides(book: Book, matcher: Matcher, debt: MakeDebt) -> None:
    debt(REF, nino="QQ123456A")
    assert matcher.match(["121000000018", REF], book).debt is not None
    unknown_debt = matcher.match(["DM9999999999, 121000000018"], book)
    assert unknown_debt.case is not None
    assert matcher.match(["121000000018 7000123466"], book).case is not None


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["DM0010000017", "DM0010000024"], "AMBIGUOUS_REF"),
        (["DM0010000017 DM0010000017"], None),
        (["DM0010000031"], "DEBT_CLOSED"),
        (["DM0010000031 DM0010000017"], "AMBIGUOUS_REF"),
        (["121000000573"], "DEBT_CLOSED"),
        (["1210000005730"], "UNMATCHED"),
        (["QQ 12 34 56 A"], "AMBIGUOUS_NINO"),
        (["QQ123457A"], None),
        (["QQ123458A"], "UNMATCHED"),
        (["TN010170M"], "UNMATCHED"),
        (["QQ123456"], "UNMATCHED"),
        ([None, ""], "UNMATCHED"),
    ],
)
def test_each_way_not_to_find_one_target_has_its_reason(
    book: Book, matcher: Matcher, debt: MakeDebt, texts: list[str | None], reason: str | None
) -> None:
    debt("DM0010000017", nino="QQ123456A")
    debt("DM0010000024", nino="QQ123456")
    debt("DM0010000031", nino="QQ123457A", status="CLEARED", source_balance_pence=0)
    debt("DM0010000048", nino="QQ123457B", status="SUSPENDED")
    debt("DM0010000055", nino="QQ123458A", source_balance_pence=0)
    assert matcher.match(texts, book).reason == reason


def test_without_test_identities_a_test_number_matches_nobody(book: Book, debt: MakeDebt) -> None:
    debt(REF, nino="QQ123456A")
    assert Matcher(synthetic=False).match(["QQ123456A"], book).reason == "UNMATCHED"


def test_what_is_wanted_beforehand_is_all_that_a_match_looks_up(matcher: Matcher) -> None:
    wanted = matcher.wants([f"{REF}, 121000000018", "7000123466 QQ123456A"])
    assert wanted.debts == {REF}
    assert wanted.cases == {"121000000018", "7000123466"}
    assert wanted.ninos == {"QQ123456"}
