"""Who is one person, and which cases belong together (csa1993.md §7)."""

import random

from hypothesis import given
from hypothesis import strategies as st

from integrationhub.arrears.persons import Link, case_groups, person_of


def links(*rows: tuple[str, str, str]) -> list[Link]:
    """Links from (case, role, person), each case in a source group of its own."""
    return [Link(case, role, f"party {person}", person, "CSCS", f"group of {case}") for case, role, person in rows]


def grouped(*rows: tuple[str, str, str]) -> list[list[str]]:
    return sorted(case_groups({case for case, _, _ in rows}, links(*rows)))


def test_the_suffix_of_a_number_does_not_tell_people_apart() -> None:
    assert person_of("a", "QQ123456A", usable=True) == person_of("b", "QQ123456", usable=True)
    assert person_of("a", "QQ123456A", usable=True) != person_of("a", "QQ123457A", usable=True)


def test_a_number_that_is_not_usable_joins_nobody() -> None:
    assert person_of("a", "TN123456A", usable=False) != person_of("b", "TN123456A", usable=False)
    assert person_of("a", None, usable=False) == person_of("a", None, usable=False)


def test_cases_of_one_payer_belong_together() -> None:
    assert grouped(("1", "NRP", "p"), ("2", "NRP", "p"), ("3", "NRP", "q")) == [["1", "2"], ["3"]]


def test_partners_children_and_carers_who_pay_elsewhere_make_a_chain() -> None:
    chain = [("1", "NRP", "a"), ("1", "PTN", "b"), ("2", "NRP", "b"), ("2", "QCH", "c"), ("3", "NRP", "c"),
             ("3", "PWC", "d"), ("4", "NRP", "d"), ("5", "NRP", "e")]  # fmt: skip

    assert grouped(*chain) == [["1", "2", "3", "4"], ["5"]]


def test_a_shared_carer_child_or_representative_alone_links_nothing() -> None:
    shared = [(case, role, person) for case in ("1", "2") for role, person in
              [("NRP", f"payer of {case}"), ("PWC", "carer"), ("QCH", "child"), ("REP", "friend")]]  # fmt: skip

    assert grouped(*shared) == [["1"], ["2"]]


def test_a_representative_who_pays_elsewhere_links_nothing() -> None:
    assert grouped(("1", "NRP", "a"), ("1", "REP", "b"), ("2", "NRP", "b")) == [["1"], ["2"]]


def test_cases_of_one_source_group_stay_together() -> None:
    rows = [Link("1", "NRP", "x", "a", "CSCS", "g"), Link("2", "NRP", "y", "b", "CSCS", "g")]

    assert case_groups({"1", "2"}, rows) == [["1", "2"]]


def test_a_case_without_people_is_a_group_of_its_own() -> None:
    assert case_groups({"1"}, []) == [["1"]]


ROLES = st.sampled_from(["NRP", "PWC", "QCH", "PTN", "REP"])
ROWS = st.lists(st.tuples(st.sampled_from("123456"), ROLES, st.sampled_from("abcde")), max_size=25)


def reachable(rows: list[tuple[str, str, str]]) -> list[tuple[str, ...]]:
    """The same by the words of the document: pairs of cases, and their closure."""
    cases = sorted({case for case, _, _ in rows})
    payers = {case: {person for one, role, person in rows if one == case and role == "NRP"} for case in cases}
    linking = {case: {person for one, role, person in rows if one == case and role in ("PTN", "QCH", "PWC")}
               for case in cases}  # fmt: skip
    near = {(a, b) for a in cases for b in cases
            if a == b or payers[a] & payers[b] or linking[a] & payers[b] or payers[a] & linking[b]}  # fmt: skip
    for _ in cases:
        near |= {(a, d) for a, b in near for c, d in near if b == c}
    return sorted({tuple(b for b in cases if (a, b) in near) for a in cases})


@given(ROWS, st.randoms())
def test_groups_are_the_closure_of_the_documents_pairs_in_any_order(
    rows: list[tuple[str, str, str]], chance: random.Random
) -> None:
    shuffled = links(*rows)
    chance.shuffle(shuffled)
    found = sorted(tuple(sorted(group)) for group in case_groups({case for case, _, _ in rows}, shuffled))

    assert found == reachable(rows)
