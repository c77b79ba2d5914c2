"""What records of CSCS become: the reading of csa1993.md that the 1993 mapping states, rule by rule."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.records import CanonicalBatch
from tests.unit.mapping.extract import CASE, CONTEXT, GROUP, NRP, OPEN, PWC, Extract, group, line

RP, SOS, UNKNOWN = "RECEIVING_PARENT", "SECRETARY_OF_STATE", "UNKNOWN"
REF = str(CASE)


def case(**values: Any) -> Extract:
    """A group with one case and nothing else; `values` are of the case."""
    extract = Extract()
    extract.add("CSX-GROUP")
    extract.add("CSX-CASE", **values)
    return extract


def only(batch: CanonicalBatch, entity: str, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of an entity's rows."""
    assert batch.faults.is_empty(), batch.faults
    return [tuple(row) for row in batch.rows[entity].select(columns).iter_rows()]


def debt(owner: str, ref: str = REF) -> str:
    return derive("debt", "CSCS", ref, owner)


def test_identifiers_are_derived_from_natural_keys(csa1993: CompiledMapping) -> None:
    rows = csa1993.apply(group().decoded(), CONTEXT).rows

    assert rows["groups"]["group_id"].to_list() == [derive("group", "CSCS", GROUP)]
    assert rows["groups"]["nrp_party_id"].to_list() == [derive("party", "CSCS", NRP)]
    assert rows["cases"]["case_id"].to_list() == [derive("case", "CSCS", REF)]
    assert rows["parties"]["party_id"].to_list() == [derive("party", "CSCS", NRP), derive("party", "CSCS", PWC)]
    assert rows["debts"]["debt_id"].to_list() == [debt(RP)]
    assert set(rows["ledger"]["debt_id"]) == {debt(RP)}
    assert set(rows["roles"]["case_id"]) == {derive("case", "CSCS", REF)}
    assert rows["receipts"]["payer_party_id"].to_list() == [derive("party", "CSCS", NRP)]


def test_references_are_the_sources_own(csa1993: CompiledMapping) -> None:
    rows = csa1993.apply(group(case={"C-CASE-REF": 7}, charge={"L-CASE-REF": 7}).decoded(), CONTEXT).rows

    assert rows["groups"]["source_ref"].to_list() == [str(GROUP)]
    assert rows["cases"]["source_ref"].to_list() == ["0000000007"]
    assert rows["parties"]["source_ref"].to_list() == [str(NRP), str(PWC)]
    assert rows["ledger"]["source_ref"].to_list()[0] == "0000000007/1"
    assert rows["debts"].select("source_ref", "application_ref").rows()[0] == ("0000000007", "0000000007")


WORKED_EXAMPLE: list[tuple[str, dict[str, Any]]] = [
    ("C", {"L-OWNER": "S", "L-AMOUNT": 16019, "LC-FROM": 96051, "LC-TO": 96091, "LC-WEEKLY": 2735}),
    ("C", {"L-AMOUNT": 35555, "LC-FROM": 96092, "LC-TO": 96182, "LC-WEEKLY": 2735}),
    ("R", {"L-AMOUNT": 10000, "LR-VALUE-DATE": 96129, "LR-HELD": "H"}),
    ("R", {"L-AMOUNT": 5500, "LR-VALUE-DATE": 96191, "LR-HELD": "P", "LR-BANK-STATUS": "D"}),
    ("V", {"L-AMOUNT": 5500, "LV-OF-SEQ": 4, "LV-REASON": "BD"}),
    ("C", {"L-AMOUNT": 72218, "LC-FROM": 96183, "LC-TO": 96305, "LC-WEEKLY": 4110, "LC-ASM-ROW": 2}),
    ("A", {"L-AMOUNT": -2000, "LA-REASON": "CR"}),
    ("R", {"L-OWNER": "S", "L-AMOUNT": 20000, "LR-VALUE-DATE": 96275, "LR-HELD": "K"}),
    ("A", {"L-AMOUNT": 30000, "LA-REASON": "SU"}),
]


def test_the_documents_worked_example_adds_up(csa1993: CompiledMapping) -> None:
    extract = case(C_BAL_RP=95773, C_BAL_SOS=-3981, C_SUSP_RP=30000, C_CUST_CASH=10000)
    for number, (kind, values) in enumerate(WORKED_EXAMPLE, start=1):
        line(extract, kind, **{"L-SEQ": number, **values})

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    ledger = batch.rows["ledger"].group_by("debt_id").agg(pl.col("pence", "suspended_pence").sum())
    balances = batch.rows["balances"].select("debt_id", "pence", "suspended_pence")
    assert sorted(ledger.rows()) == sorted(balances.rows())
    assert sorted(balances.rows()) == sorted([(debt(RP), 95773, 30000), (debt(SOS), -3981, 0)])
    assert batch.rows["ledger"]["stored_pence"].sum() == 192792
    assert batch.rows["cases"]["source_custodian_pence"].to_list() == [10000]
    assert batch.faults.is_empty()


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("C", {"L-AMOUNT": 500}, ("LIABILITY", 500, 0)),
        ("R", {"L-AMOUNT": 500}, ("RECEIPT", -500, 0)),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "OB"}, ("OPENING", 500, 0)),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "DR"}, ("ADJUSTMENT", 500, 0)),
        ("A", {"L-AMOUNT": -500, "LA-REASON": "CR"}, ("ADJUSTMENT", -500, 0)),
        ("A", {"L-AMOUNT": -500, "LA-REASON": "WO"}, ("WRITE_OFF", -500, 0)),
        ("A", {"L-AMOUNT": -500, "LA-REASON": "TR"}, ("ADJUSTMENT", -500, 0)),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "TR"}, ("ADJUSTMENT", 500, 0)),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "SU"}, ("ADJUSTMENT", 0, 500)),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "SL"}, ("ADJUSTMENT", 0, -500)),
    ],
)
def test_a_line_moves_the_balance_or_the_suspended_part(
    csa1993: CompiledMapping, kind: str, values: dict[str, Any], expected: tuple[str, int, int]
) -> None:
    extract = case()
    line(extract, kind, **values)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    assert only(batch, "ledger", "kind", "pence", "suspended_pence") == [expected]
    assert only(batch, "ledger", "stored_pence") == [(values["L-AMOUNT"],)]


@pytest.mark.parametrize(
    ("kind", "values", "effect"),
    [
        ("C", {"L-AMOUNT": 500}, -500),
        ("R", {"L-AMOUNT": 500}, 500),
        ("A", {"L-AMOUNT": -500, "LA-REASON": "CR"}, 500),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "DR"}, -500),
        ("A", {"L-AMOUNT": 500, "LA-REASON": "SU"}, 0),
        ("V", {"L-AMOUNT": 500, "LV-OF-SEQ": 99}, 0),
    ],
)
def test_a_reversal_undoes_the_line_it_names_on_that_lines_owner(
    csa1993: CompiledMapping, kind: str, values: dict[str, Any], effect: int
) -> None:
    extract = case()
    line(extract, kind, L_SEQ=1, L_OWNER="S", **values)
    line(extract, "V", L_SEQ=2, L_OWNER="R", LV_OF_SEQ=1, L_AMOUNT=values["L-AMOUNT"])

    found = only(
        csa1993.apply(extract.decoded(), CONTEXT), "ledger", "kind", "pence", "owner", "debt_id", "reverses_line"
    )

    assert found[1] == ("REVERSAL", effect, RP, debt(SOS), 1)


def test_a_reversal_of_nothing_moves_nothing_and_stays_with_its_own_owner(csa1993: CompiledMapping) -> None:
    extract = case()
    line(extract, "V", L_SEQ=2, LV_OF_SEQ=1, L_AMOUNT=500)
    line(extract, "C", L_SEQ=1, L_CASE_REF=CASE + 1, L_AMOUNT=500)  # that number, but in another case

    found = only(csa1993.apply(extract.decoded(), CONTEXT), "ledger", "pence", "debt_id")

    assert found == [(0, debt(RP)), (500, None)]


@pytest.mark.parametrize(
    ("owner", "canonical", "debt_owner"),
    [("R", RP, RP), ("S", SOS, SOS), ("M", "MIXED", UNKNOWN), ("", UNKNOWN, UNKNOWN)],
)
def test_the_owner_of_a_charge_decides_its_debt(
    csa1993: CompiledMapping, owner: str, canonical: str, debt_owner: str
) -> None:
    extract = case()
    line(extract, "C", L_OWNER=owner)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    assert only(batch, "ledger", "owner", "debt_id") == [(canonical, debt(debt_owner))]
    assert only(batch, "debts", "legal_owner", "debt_id") == [(debt_owner, debt(debt_owner))]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"C-BAL-RP": 1}, [(RP, 1, 0)]),
        ({"C-BAL-RP": -1, "C-BAL-SOS": -2, "C-BAL-UNK": -3}, [(RP, -1, 0), (SOS, -2, 0), (UNKNOWN, -3, 0)]),
        ({"C-SUSP-RP": 5}, [(RP, 0, 5)]),
        ({"C-SUSP-SOS": 6}, [(SOS, 0, 6)]),
        ({"C-BAL-SOS": 7, "C-SUSP-SOS": 6}, [(SOS, 7, 6)]),
    ],
)
def test_a_debt_exists_for_each_owner_with_a_balance_or_suspended_part(
    csa1993: CompiledMapping, values: dict[str, int], expected: list[tuple[str, int, int]]
) -> None:
    batch = csa1993.apply(case(**values).decoded(), CONTEXT)

    owners = dict(only(batch, "debts", "debt_id", "legal_owner"))
    balances = only(batch, "balances", "debt_id", "pence", "suspended_pence")
    assert [(owners[debt_id], pence, suspended) for debt_id, pence, suspended in balances] == expected
    assert len(owners) == len(expected)


def test_a_debt_has_the_cases_facts_and_its_payee(csa1993: CompiledMapping) -> None:
    extract = case(C_BAL_RP=1, C_BAL_SOS=1, C_BAL_UNK=1)

    found = only(
        csa1993.apply(extract.decoded(), CONTEXT),
        "debts", "payee_role", "scheme", "host_system", "kind", "cause", "status", "opened", "as_at",
    )  # fmt: skip

    same = ("1993", "CSCS", "CHILD_MAINTENANCE_ARREARS", "NOT_APPLICABLE", "ACTIVE", date(1996, 2, 20), CONTEXT.as_at)
    assert found == [("PWC", *same), ("SECRETARY_OF_STATE", *same), (None, *same)]


def test_an_orphan_is_loaded_without_case_and_debt(csa1993: CompiledMapping) -> None:
    extract = case()
    extract.add("CSX-PARTY-ROLE", P_CASE_REF=CASE + 1)
    line(extract, "R", L_CASE_REF=CASE + 1, L_SEQ=3)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    other = str(CASE + 1)
    assert only(batch, "ledger", "case_id", "debt_id", "source_case_ref", "line_no") == [(None, None, other, 3)]
    assert only(batch, "receipts", "case_id", "source_case_ref") == [(None, other)]
    assert only(batch, "roles", "case_id", "source_case_ref") == [(None, other)]
    assert only(batch, "allocations", "pence") == []
    assert only(batch, "debts", "debt_id") == []


def test_an_orphan_that_names_a_case_of_another_group_is_not_mistaken_for_its_line(csa1993: CompiledMapping) -> None:
    extract = case()
    line(extract, "R")
    extract.add("CSX-GROUP", G_SRC_GROUP=GROUP + 1)
    line(extract, "R", L_SRC_GROUP=GROUP + 1)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    found = only(batch, "receipts", "receipt_id", "case_id")
    assert found[0][0] == derive("receipt", "CSCS", REF, 1)
    assert found[1][0] not in {None, found[0][0]}
    assert found[1][1] is None
    assert batch.rows["ledger"]["case_id"].null_count() == 1


def test_a_receipt_pays_the_debt_of_its_owner_in_whole(csa1993: CompiledMapping) -> None:
    extract = case()
    line(extract, "R", L_OWNER="S", L_AMOUNT=2000)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    assert only(batch, "allocations", "receipt_id", "debt_id", "pence") == [
        (derive("receipt", "CSCS", REF, 1), debt(SOS), 2000)
    ]
    assert only(
        batch, "receipts", "pence", "owner", "method", "value_date",
        "bank_reference", "quoted_reference", "bank_status", "custody",
    ) == [(2000, SOS, "SO", date(1996, 5, 8), "BK0000000001", "1000000001R", "CLEARED", "HELD")]  # fmt: skip


def test_a_receipt_may_say_little(csa1993: CompiledMapping) -> None:
    extract = case()
    line(extract, "R", LR_PAYER_PARTY=0, LR_QUOTED="", LR_BANK_STATUS="", LR_BANK_REF="", LR_HELD="K")

    found = only(
        csa1993.apply(extract.decoded(), CONTEXT),
        "receipts", "payer_party_id", "quoted_reference", "bank_status", "bank_reference", "custody",
    )  # fmt: skip

    assert found == [(None, None, "UNKNOWN", None, "KEPT")]


def test_the_last_record_of_a_party_in_its_group_counts(csa1993: CompiledMapping) -> None:
    extract = case()
    extract.add("CSX-PARTY-ROLE", P_SURNAME="OLD")
    extract.add("CSX-PARTY-ROLE", P_SURNAME="NEW", P_ROLE="REP")
    extract.add("CSX-GROUP", G_SRC_GROUP=GROUP + 1)
    extract.add("CSX-PARTY-ROLE", P_SURNAME="NEWER", P_SRC_GROUP=GROUP + 1)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    # One row a group: if a group is set aside, the party of the other is not lost with it.
    assert only(batch, "parties", "surname", "record_no", "party_id") == [
        ("NEW", 4, derive("party", "CSCS", NRP)),
        ("NEWER", 6, derive("party", "CSCS", NRP)),
    ]
    assert batch.rows["roles"].height == 3


def test_the_same_role_twice_gives_two_rows(csa1993: CompiledMapping) -> None:
    extract = case()
    extract.add("CSX-PARTY-ROLE", P_ROLE_TO=96100)
    extract.add("CSX-PARTY-ROLE", P_ROLE_FROM=96101)

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    assert batch.rows["roles"]["role_id"].n_unique() == 2
    assert only(batch, "roles", "to_date", "to_date_mark") == [(date(1996, 4, 9), None), (None, "OPEN")]


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_numbers_count_in_the_synthetic_profile_only(csa1993: CompiledMapping, synthetic: bool) -> None:
    context = type(CONTEXT)(
        delivery_id="d" * 32, sequence=1, as_at=CONTEXT.as_at, source_system="CSCS", synthetic_identities=synthetic
    )

    batch = csa1993.apply(group().decoded(), context)

    assert only(batch, "parties", "nino", "nino_status", "nino_usable") == [
        ("QQ123456A", "UNVERIFIED" if synthetic else "INVALID", synthetic),
        (None, "ABSENT", False),
    ]


def test_addresses_keep_their_mark_and_lines(csa1993: CompiledMapping) -> None:
    lines = ["LINE 1", "LINE 2", "", "LINE 4", "LINE 5"]
    batch = csa1993.apply(group(address={"A-CONFIDENTIAL": "C", "A-KIND": "P", "A-LINE": lines}).decoded(), CONTEXT)

    columns = ("kind", "confidential", "postcode", "line_1", "line_2", "line_3", "line_4", "line_5")
    assert only(batch, "addresses", *columns) == [
        ("PREVIOUS", True, "ZZ1 1ZZ", "LINE 1", "LINE 2", None, "LINE 4", "LINE 5")
    ]


def test_an_assessment_row_with_inputs_has_them(csa1993: CompiledMapping) -> None:
    children = [{"M-CH-PARTY": 9, "M-CH-NIGHTS": nights} for nights in (60, 0, 104, 0)]
    rows = [
        {"M-FROM": 96051, "M-TO": 96182, "M-TYPE": "F", "M-WEEKLY": 2735, "M-INPUTS": "Y", "M-NET": 18240,
         "M-EXEMPT": 12770, "M-CHILDREN": 3, "M-CHILD": children},
        {"M-FROM": 96183, "M-TO": OPEN, "M-TYPE": "X", "M-WEEKLY": 0, "M-INPUTS": "N", "M-CHILD": children},
    ]  # fmt: skip

    batch = csa1993.apply(group(assessment={"M-ROW": rows}).decoded(), CONTEXT)

    columns = (
        "row_no", "from_date", "to_date", "to_date_mark", "basis", "weekly_pence", "inputs_held", "net_weekly_pence",
        "exempt_weekly_pence", "children", "nights_1", "nights_2", "nights_3", "nights_4",
    )  # fmt: skip
    assert only(batch, "liability_periods", *columns) == [
        (1, date(1996, 2, 20), date(1996, 6, 30), None, "FULL", 2735, True, 18240, 12770, 3, 60, 0, 104, None),
        (2, date(1996, 7, 1), None, "OPEN", "CANCELLED", 0, False, None, None, None, None, None, None, None),
    ]


def test_history_of_the_whole_group_has_no_case(csa1993: CompiledMapping) -> None:
    batch = csa1993.apply(group(contact={"E-CASE-REF": 0, "E-OUTCOME": "F"}).decoded(), CONTEXT)

    assert only(batch, "history", "case_id", "source_case_ref", "class", "code", "outcome", "party_id") == [
        (None, None, "CONTACT", "TEL", "FAILED", derive("party", "CSCS", NRP)),
        (derive("case", "CSCS", REF), REF, "ENFORCEMENT", "LOR", "SUCCESS", None),
    ]


def test_a_withdrawn_group_is_out_of_the_book(csa1993: CompiledMapping) -> None:
    extract = Extract()
    extract.add("CSX-GROUP", G_STATUS="W", G_CASE_COUNT=0)
    extract.add("CSX-GROUP", G_SRC_GROUP=GROUP + 1, G_STATUS="F", G_PV_MARKER="Y")

    batch = csa1993.apply(extract.decoded(), CONTEXT)

    assert only(batch, "groups", "source_status", "state", "case_count", "potentially_violent", "as_at") == [
        ("WITHDRAWN", "WITHDRAWN", 0, False, CONTEXT.as_at),
        ("FROZEN", "IN_BOOK", 1, True, CONTEXT.as_at),
    ]


def test_versions_rise_with_sequence_and_record(csa1993: CompiledMapping) -> None:
    rows = csa1993.apply(group().decoded(), CONTEXT).rows

    for frame in rows.values():
        assert (frame["version"] == 101 * 2**32 + frame["record_no"]).all()
