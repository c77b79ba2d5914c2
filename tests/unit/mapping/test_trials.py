"""Golden cases: a mapping's own run, and what a case that does not hold says."""

from typing import Any

import pytest

from integrationhub.errors import ConfigurationError
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.mapping.trial import Trials
from tests.unit.mapping.extract import SPECS
from tests.unit.mapping.specs import HISTORY, compiled, layout, specs

HEAD = 'connector = "toy"\nentity = "history"\n'
SOUND = """
[rows.event]
table = "EVENT"
values = { GRP = 1, SEQ = 1, CODE = "T", DAY = 20150630, FLAG = "Y", WHO = 7 }

[[cases]]
name = "a call is a contact"
given = ["event"]
expect = [{ class = "CONTACT", code = "TEL", from_date = 2015-06-30, outcome = "SUCCESS", source_ref = "0001",
  party_id = { id = ["party", "TOY", "7"] }, empty = ["to_date"] }]
""".replace(",\n  ", ", ")


def differences(text: str, mapping: CompiledMapping | None = None) -> list[tuple[int, str, str, str]]:
    trials = Trials()
    trials.add("cases.toml", HEAD + text)
    (result,) = trials.run(mapping or compiled())
    return [(one.row, one.field, one.expected, one.found) for one in result.differences]


def test_every_case_of_the_1993_mapping_holds(csa1993: CompiledMapping) -> None:
    results = list(Trials.of(csa1993, SPECS).run(csa1993))

    assert [(one.name, one.differences) for one in results if not one.holds] == []
    assert {one.entity for one in results} == set(csa1993.entities)


def test_a_case_that_holds_has_no_difference() -> None:
    assert differences(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('outcome = "SUCCESS"', 'outcome = "FAILED"', (1, "outcome", "FAILED", "SUCCESS")),
        ("from_date = 2015-06-30", "from_date = 2015-06-29", (1, "from_date", "2015-06-29", "2015-06-30")),
        ('empty = ["to_date"]', 'empty = ["code"]', (1, "code", "empty", "TEL")),
        ('class = "CONTACT"', 'klass = "CONTACT"', (1, "klass", "CONTACT", "no such field (did you mean class?)")),
        ('given = ["event"]', 'given = ["event", "event"]', (0, "rows", "1", "2")),
        (
            'given = ["event"]', 'given = ["events"]',
            (0, "given", "rows that the mapping can read", "given row 1: there is no row events (did you mean event?)"),
        ),
        (
            'given = ["event"]', 'given = [{ row = "event", CODES = "T" }]',
            (0, "given", "rows that the mapping can read", "EVENT has no field CODES (did you mean CODE?)"),
        ),
        (
            'given = ["event"]', 'given = [{ row = "event", DAY = "monday" }]',
            (0, "given", "rows that the mapping can read", "a value given for EVENT is not of its field's type"),
        ),
        ('"event"]', '{ row = "event", CODE = "Z" }]', (0, "faults", "none", "CODE_UNKNOWN CODE row 1")),
        (
            'name = "a call is a contact"', 'name = "a call"\nfaults = [{ code = "DATE_INVALID" }]',
            (0, "faults", "DATE_INVALID", "none"),
        ),
        ('name = "a call is', 'entity = "ledger"\nname = "a call is', (0, "entity", "ledger", "no spec fills it")),
    ],
)  # fmt: skip
def test_a_difference_is_told_field_by_field(old: str, new: str, expected: tuple[Any, ...]) -> None:
    assert old in SOUND
    assert expected in differences(SOUND.replace(old, new))


def test_cases_may_stand_in_the_spec_and_change_nothing_of_its_version() -> None:
    case = '\n[[cases]]\nname = "inline"\ngiven = [{ table = "EVENT", GRP = 1, SEQ = 2, CODE = "L", DAY = 20150630 }]\n'
    with_case = compiled(HISTORY + case + 'expect = [{ code = "NOC", source_ref = "0002" }]\n')

    (result,) = Trials.of(with_case).run(with_case)

    assert [(one.field, one.found) for one in result.differences] == [("faults", "VALUE_MISSING WHO row 1")]
    assert with_case.mapping_ids == compiled(HISTORY).mapping_ids


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[cases]", "Expected"),
        ('[[cases]]\nname = "nothing is given"\ngiven = []\n', "given"),
        ('[[cases]]\nname = "no row"\ngiven = [{ GRP = 1 }]\n', "say `row` or `table`"),
        ('[[cases]]\nname = "odd key"\ngiven = ["event"]\nspeed = 1\n', "speed"),
    ],
)
def test_a_faulty_file_of_cases_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Trials().add("cases.toml", HEAD + text)

    assert any(told in fault for fault in caught.value.faults)


def test_a_case_without_an_entity_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        Trials().add("x.toml", 'connector = "toy"\n[[cases]]\nname = "which entity?"\ngiven = ["event"]\n')


def test_a_case_chooses_the_version_by_its_date_and_layout() -> None:
    old = HISTORY.replace('owner = "tests"', 'owner = "tests"\nvalid_to = 2014-12-31')
    new = HISTORY.replace('owner = "tests"', 'owner = "tests"\nvalid_from = 2015-01-01').replace(
        "CONTACT", "ENFORCEMENT"
    )
    both = specs(old, new).compile(layout())

    assert differences(SOUND.replace('given = ["event"]', 'as_at = 2014-01-01\ngiven = ["event"]'), both) == []
    assert (1, "class", "CONTACT", "ENFORCEMENT") in differences(SOUND, both)
