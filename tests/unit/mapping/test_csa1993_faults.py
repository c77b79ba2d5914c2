"""R13 over every field of csa1993.md §4: what sets a group aside, and what is tolerated."""

from typing import Any

import polars as pl
import pytest

from integrationhub.mapping.compile import CompiledMapping
from integrationhub.records import LOW_VALUES
from tests.unit.mapping.extract import CONTEXT, OPEN, PLACES, RECORDS, group
from tests.unit.mapping.specs import told

DATE, CODE, MISSING = "DATE_INVALID", "CODE_UNKNOWN", "VALUE_MISSING"
ROW: dict[str, Any] = {"M-FROM": 96051, "M-TO": OPEN, "M-TYPE": "I", "M-WEEKLY": 4110, "M-INPUTS": "N"}
BENEFIT: dict[str, Any] = {"C-BEN-FROM": 96051, "C-BEN-TO": 96091, "C-BEN-TYPE": "IS"}
PACKED_IMPOSSIBLE = (95366, 96000, 96367, 366, 200001, -96060)
DISPLAY_IMPOSSIBLE = (19990229, 19991301, 19990100, 10)

CODED = [
    ("group", "G-STATUS"), ("group", "G-PV-MARKER"),
    ("case", "C-STATUS"), ("case", "C-LEDGER-COMPLETE"), ("case", "C-BENEFIT-KNOWN"), ("case", "C-QUERY-MARK"),
    ("nrp", "P-ROLE"), ("nrp", "P-SEX"), ("nrp", "P-PAYEE"),
    ("address", "A-KIND"), ("address", "A-CONFIDENTIAL"),
    ("charge", "L-KIND"), ("charge", "L-OWNER"),
    ("receipt", "L-OWNER"), ("receipt", "LR-METHOD"), ("receipt", "LR-BANK-STATUS"), ("receipt", "LR-HELD"),
    ("adjustment", "L-OWNER"), ("adjustment", "LA-REASON"),
    ("reversal", "L-OWNER"), ("reversal", "LV-REASON"),
    ("contact", "E-CLASS"), ("contact", "E-CODE"), ("contact", "E-OUTCOME"), ("enforcement", "E-CODE"),
]  # fmt: skip
"""Fields with a closed list; none of the lists has `#`."""

NOT_BLANK = [
    ("group", "G-STATUS"), ("case", "C-STATUS"), ("case", "C-LEDGER-COMPLETE"), ("case", "C-BENEFIT-KNOWN"),
    ("nrp", "P-ROLE"), ("nrp", "P-SEX"), ("address", "A-KIND"), ("charge", "L-KIND"),
    ("receipt", "L-OWNER"), ("receipt", "LR-METHOD"), ("receipt", "LR-HELD"),
    ("adjustment", "L-OWNER"), ("adjustment", "LA-REASON"), ("reversal", "L-OWNER"), ("reversal", "LV-REASON"),
    ("contact", "E-CLASS"), ("contact", "E-CODE"), ("contact", "E-OUTCOME"),
]  # fmt: skip
"""Fields whose list has no blank."""

OTHERS_CODE = [
    ("receipt", "L-OWNER", "M"), ("adjustment", "L-OWNER", "M"), ("reversal", "L-OWNER", "M"),
    ("contact", "E-CODE", "LOR"), ("enforcement", "E-CODE", "TEL"), ("address", "A-CONFIDENTIAL", "Y"),
    ("case", "C-QUERY-MARK", "N"), ("reversal", "LV-REASON", "OB"), ("adjustment", "LA-REASON", "BD"),
]  # fmt: skip
"""Codes that exist, but not in this place."""

PACKED = [
    ("case", "C-LIAB-END"), ("case", "C-LAST-CHARGED"), ("nrp", "P-ROLE-FROM"), ("nrp", "P-ROLE-TO"),
    ("address", "A-FROM"), ("charge", "LC-FROM"), ("charge", "LC-TO"), ("receipt", "LR-VALUE-DATE"),
    ("adjustment", "LA-EFF"), ("reversal", "LV-DATE"), ("contact", "E-TO"), ("enforcement", "E-TO"),
]  # fmt: skip
DISPLAY = [
    ("case", "C-EFF-DATE"),
    ("nrp", "P-BIRTH"),
    ("charge", "L-POSTED"),
    ("receipt", "L-POSTED"),
    ("contact", "E-FROM"),
]
UNTIL = [("case", "C-LIAB-END")]

CASES = [
    *((record, field, "#", CODE) for record, field in CODED),
    *((record, field, "", CODE) for record, field in NOT_BLANK),
    *((record, field, value, CODE) for record, field, value in OTHERS_CODE),
    *((record, field, value, DATE) for record, field in PACKED for value in PACKED_IMPOSSIBLE),
    *((record, field, value, DATE) for record, field in DISPLAY for value in DISPLAY_IMPOSSIBLE),
    *((record, field, 0, DATE) for record, field in UNTIL),
]


def faults(mapping: CompiledMapping, **changes: dict[str, Any]) -> set[tuple[int, str, str, str]]:
    """The faults of a group in which `changes` are all that is wrong."""
    return set(told(mapping.apply(group(**changes).decoded(), CONTEXT).faults))


def test_a_sound_group_has_no_fault(csa1993: CompiledMapping) -> None:
    batch = csa1993.apply(group().decoded(), CONTEXT)

    assert batch.faults.is_empty()
    assert batch.notes.is_empty()


@pytest.mark.parametrize(("record", "field", "value", "code"), CASES)
def test_a_bad_value_is_a_fault_of_its_record_and_field(
    csa1993: CompiledMapping, record: str, field: str, value: str | int, code: str
) -> None:
    found = faults(csa1993, **{record: {field: value}})

    assert (PLACES[record], RECORDS[record][0], field, code) in found
    assert {(number, name) for number, _, name, _ in found} == {(PLACES[record], field)}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        *(("M-FROM", value, DATE) for value in PACKED_IMPOSSIBLE),
        *(("M-TO", value, DATE) for value in (*PACKED_IMPOSSIBLE, 0)),
        ("M-TYPE", "#", CODE), ("M-TYPE", "", CODE), ("M-INPUTS", "#", CODE), ("M-INPUTS", "", CODE),
    ],
)  # fmt: skip
def test_a_bad_value_in_an_assessment_row_is_a_fault(
    csa1993: CompiledMapping, field: str, value: str | int, code: str
) -> None:
    rows = [{**ROW, "M-TO": 96100}, {**ROW, "M-FROM": 96101, field: value}]

    found = faults(csa1993, assessment={"M-ROW": rows})

    assert (PLACES["assessment"], "M-ROW", field, code) in found
    assert {name for _, _, name, _ in found} == {field}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        *(("C-BEN-FROM", value, DATE) for value in PACKED_IMPOSSIBLE),
        *(("C-BEN-TO", value, DATE) for value in (*PACKED_IMPOSSIBLE, 0)),
        ("C-BEN-TYPE", "#", CODE), ("C-BEN-TYPE", "", CODE),
    ],
)  # fmt: skip
def test_a_bad_value_in_a_benefit_period_is_a_fault(
    csa1993: CompiledMapping, field: str, value: str | int, code: str
) -> None:
    found = faults(csa1993, case={"C-BENEFIT": [BENEFIT, {**BENEFIT, field: value}]})

    assert found == {(PLACES["case"], "C-BENEFIT", field, code)}


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ("case", "C-EFF-DATE"), ("case", "C-LIAB-END"), ("case", "C-LAST-CHARGED"), ("nrp", "P-BIRTH"),
        ("nrp", "P-CASE-REF"), ("nrp", "P-ROLE-TO"), ("address", "A-FROM"), ("charge", "L-CASE-REF"),
        ("charge", "L-POSTED"), ("charge", "LC-FROM"), ("charge", "LC-TO"), ("charge", "LC-WEEKLY"),
        ("charge", "LC-ASM-ROW"), ("receipt", "LR-VALUE-DATE"), ("adjustment", "LA-EFF"), ("reversal", "LV-DATE"),
        ("contact", "E-CASE-REF"), ("contact", "E-FROM"), ("contact", "E-TO"),
    ],
)  # fmt: skip
def test_a_number_without_digits_is_a_fault(csa1993: CompiledMapping, record: str, field: str) -> None:
    width = {"C-EFF-DATE": 8, "P-BIRTH": 8, "L-POSTED": 8, "E-FROM": 8, "LC-ASM-ROW": 2}
    length = 10 if field.endswith("CASE-REF") else width.get(field, 4)

    found = faults(csa1993, **{record: {field: b"\x40" * length}})

    assert {(number, name) for number, _, name, _ in found} == {(PLACES[record], field)}


def test_inputs_of_the_formula_must_be_readable_even_where_they_are_not_used(csa1993: CompiledMapping) -> None:
    children = [{"M-CH-PARTY": 0, "M-CH-NIGHTS": b"\x40\x40\x40"}, {}, {}, {}]
    row = {
        **ROW,
        "M-NET": b"\x00\x00\x00\xaa",
        "M-EXEMPT": b"\xff\xff\xff\xff",
        "M-CHILDREN": b"\x40",
        "M-CHILD": children,
    }

    found = faults(csa1993, assessment={"M-ROW": [row]})

    assert {name for _, _, name, _ in found} == {"M-NET", "M-EXEMPT", "M-CHILDREN", "M-CH-NIGHTS"}


def test_all_faults_of_a_group_are_told_at_once(csa1993: CompiledMapping) -> None:
    found = faults(
        csa1993,
        group={"G-STATUS": "#"},
        nrp={"P-BIRTH": 19990229, "P-SEX": "#", "P-ROLE-TO": 95366},
        receipt={"LR-METHOD": "##", "LR-HELD": "#", "L-OWNER": "#", "LR-VALUE-DATE": 366},
    )

    assert {(number, name) for number, _, name, _ in found} == {
        (1, "G-STATUS"), (3, "P-BIRTH"), (3, "P-SEX"), (3, "P-ROLE-TO"),
        (7, "LR-METHOD"), (7, "LR-HELD"), (7, "L-OWNER"), (7, "LR-VALUE-DATE"),
    }  # fmt: skip
    assert len(found) == 8


@pytest.mark.parametrize(("record", "used"), [("charge", 53), ("receipt", 74), ("reversal", 49)])
def test_only_the_redefinition_that_applies_is_judged(csa1993: CompiledMapping, record: str, used: int) -> None:
    extract = group()
    body = extract.bodies[PLACES[record] - 1]
    extract.bodies[PLACES[record] - 1] = body[:used] + b"\xff" * (len(body) - used)

    assert csa1993.apply(extract.decoded(), CONTEXT).faults.is_empty()


SENTINELS = {"packed": (1, 80001, LOW_VALUES, 0, OPEN), "display": (19000101, 19800101, LOW_VALUES, 0, 99_999_999)}
MARKS = [
    ("case", "C-EFF-DATE", "display", ("cases", "effective_date")),
    ("case", "C-LAST-CHARGED", "packed", ("cases", "last_charged")),
    ("nrp", "P-BIRTH", "display", ("parties", "birth_date")),
    ("charge", "L-POSTED", "display", ("ledger", "posted")),
    ("charge", "LC-FROM", "packed", ("ledger", "from_date")),
    ("charge", "LC-FROM", "packed", ("ledger", "effective")),
    ("charge", "LC-TO", "packed", ("ledger", "to_date")),
    ("receipt", "LR-VALUE-DATE", "packed", ("ledger", "effective")),
    ("receipt", "LR-VALUE-DATE", "packed", ("receipts", "value_date")),
    ("adjustment", "LA-EFF", "packed", ("ledger", "effective")),
    ("reversal", "LV-DATE", "packed", ("ledger", "effective")),
    ("contact", "E-FROM", "display", ("history", "from_date")),
]


def value_and_mark(
    mapping: CompiledMapping, record: str, field: str, value: int, target: tuple[str, str]
) -> tuple[object, object]:
    """The canonical date and its mark that a source value ends as."""
    batch = mapping.apply(group(**{record: {field: value}}).decoded(), CONTEXT)
    assert batch.faults.is_empty()
    entity, name = target
    row = batch.rows[entity].filter(pl.col("record_no") == PLACES[record]).row(0, named=True)
    return row[name], row[f"{name}_mark"]


@pytest.mark.parametrize(("record", "field", "kind", "target"), MARKS)
def test_a_sentinel_in_an_ordinary_date_is_a_mark_not_a_fault(
    csa1993: CompiledMapping, record: str, field: str, kind: str, target: tuple[str, str]
) -> None:
    for value in SENTINELS[kind]:
        assert value_and_mark(csa1993, record, field, value, target) == (None, "SENTINEL")


@pytest.mark.parametrize(
    ("place", "value", "target", "mark"),
    [
        (("case", "C-LIAB-END"), OPEN, ("cases", "liability_end"), "OPEN"),
        (("nrp", "P-ROLE-FROM"), 0, ("roles", "from_date"), "NOT_RECORDED"),
        (("nrp", "P-ROLE-FROM"), LOW_VALUES, ("roles", "from_date"), "SENTINEL"),
        (("nrp", "P-ROLE-FROM"), OPEN, ("roles", "from_date"), "SENTINEL"),
        (("nrp", "P-ROLE-TO"), OPEN, ("roles", "to_date"), "OPEN"),
        (("nrp", "P-ROLE-TO"), LOW_VALUES, ("roles", "to_date"), "SENTINEL"),
        (("nrp", "P-ROLE-TO"), 0, ("roles", "to_date"), "SENTINEL"),
        (("nrp", "P-ROLE-TO"), 80001, ("roles", "to_date"), "SENTINEL"),
        (("address", "A-FROM"), 0, ("addresses", "valid_from"), "NOT_RECORDED"),
        (("address", "A-FROM"), 1, ("addresses", "valid_from"), "SENTINEL"),
        (("address", "A-FROM"), LOW_VALUES, ("addresses", "valid_from"), "SENTINEL"),
        (("contact", "E-TO"), 0, ("history", "to_date"), "NOT_RECORDED"),
        (("contact", "E-TO"), LOW_VALUES, ("history", "to_date"), "SENTINEL"),
        (("enforcement", "E-TO"), OPEN, ("history", "to_date"), "OPEN"),
    ],
)
def test_open_ends_and_days_never_recorded_have_their_marks(
    csa1993: CompiledMapping, place: tuple[str, str], value: int, target: tuple[str, str], mark: str
) -> None:
    assert value_and_mark(csa1993, *place, value, target) == (None, mark)


@pytest.mark.parametrize("value", [1, 80001])
def test_an_end_of_liability_may_lie_on_a_day_that_is_a_sentinel_elsewhere(
    csa1993: CompiledMapping, value: int
) -> None:
    found, mark = value_and_mark(csa1993, "case", "C-LIAB-END", value, ("cases", "liability_end"))

    assert found is not None
    assert mark is None


def test_low_values_in_a_to_field_are_a_fault(csa1993: CompiledMapping) -> None:
    assert {name for _, _, name, _ in faults(csa1993, case={"C-LIAB-END": bytes(4)})} == {"C-LIAB-END"}
    row = {**ROW, "M-TO": bytes(4)}
    assert {name for _, _, name, _ in faults(csa1993, assessment={"M-ROW": [row]})} == {"M-TO"}
    benefit = {**BENEFIT, "C-BEN-TO": bytes(4)}
    assert {name for _, _, name, _ in faults(csa1993, case={"C-BENEFIT": [benefit]})} == {"C-BEN-TO"}


def test_sentinels_in_tables_are_marks(csa1993: CompiledMapping) -> None:
    for value in SENTINELS["packed"]:
        change = {"C-BENEFIT": [{**BENEFIT, "C-BEN-FROM": value}]}
        batch = csa1993.apply(group(case=change, assessment={"M-ROW": [{**ROW, "M-FROM": value}]}).decoded(), CONTEXT)
        assert batch.faults.is_empty()
        assert batch.rows["benefit_periods"]["from_date_mark"].to_list() == ["SENTINEL"]
        assert batch.rows["liability_periods"]["from_date_mark"].to_list() == ["SENTINEL"]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ((96051, 96100), (96100, OPEN), "PERIODS_OVERLAP"),
        ((96051, 96100), (96040, 96099), "PERIODS_OVERLAP"),
        ((96051, OPEN), (96101, OPEN), "PERIODS_OVERLAP"),
        ((96051, 96100), (96101, OPEN), None),
        ((96051, 96100), (96200, OPEN), None),
        ((96051, 96100), (0, OPEN), None),
    ],
)
def test_assessment_rows_that_overlap_set_the_group_aside(
    csa1993: CompiledMapping, first: tuple[int, int], second: tuple[int, int], code: str | None
) -> None:
    rows = [{**ROW, "M-FROM": start, "M-TO": end} for start, end in (first, second)]

    found = faults(csa1993, assessment={"M-ROW": rows})

    assert found == ({(PLACES["assessment"], "M-ROW", "M-FROM", code)} if code else set())


@pytest.mark.parametrize(
    ("children", "held", "broken"), [(0, "Y", True), (5, "Y", True), (4, "Y", False), (0, "N", False)]
)
def test_the_formula_needs_one_to_four_children(
    csa1993: CompiledMapping, children: int, held: str, broken: bool
) -> None:
    row = {**ROW, "M-INPUTS": held, "M-CHILDREN": children, "M-NET": 18240, "M-EXEMPT": 12770}

    found = faults(csa1993, assessment={"M-ROW": [row]})

    assert found == ({(PLACES["assessment"], "M-ROW", "M-CHILDREN", "CHILDREN_COUNT")} if broken else set())


def test_a_line_number_that_repeats_in_a_case_sets_the_group_aside(csa1993: CompiledMapping) -> None:
    found = faults(csa1993, adjustment={"L-SEQ": 1})

    assert found == {(PLACES["adjustment"], "CSX-LEDGER", "L-SEQ", "KEY_REPEATED")}


def test_promises_of_the_document_that_no_rule_rests_on_are_notes(csa1993: CompiledMapping) -> None:
    batch = csa1993.apply(
        group(
            charge={"L-AMOUNT": -1, "LC-TO": 96100},
            assessment={"M-ROW": [{**ROW, "M-TO": 96050}]},
        ).decoded(),
        CONTEXT,
    )

    assert batch.faults.is_empty()
    assert sorted(told(batch.notes)) == [
        (PLACES["assessment"], "M-ROW", "M-TO", "PERIOD_REVERSED"),
        (PLACES["charge"], "CSX-LEDGER", "L-AMOUNT", "AMOUNT_SIGN"),
        (PLACES["charge"], "CSX-LEDGER", "LC-TO", "PERIOD_REVERSED"),
    ]


@pytest.mark.parametrize("amount", [0, -1])
def test_a_receipt_of_nothing_or_less_sets_the_group_aside(csa1993: CompiledMapping, amount: int) -> None:
    found = faults(csa1993, receipt={"L-AMOUNT": amount})

    assert found == {(PLACES["receipt"], "CSX-LEDGER", "L-AMOUNT", "AMOUNT_SIGN")}
