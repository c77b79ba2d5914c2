"""Planted faults: each is found before anything runs, all of them at once, with where and what."""

import pytest

from integrationhub.errors import ConfigurationError, NotFound
from integrationhub.mapping.compile import Mapping
from integrationhub.mapping.spec import json_schema
from tests.unit.mapping.extract import SPECS
from tests.unit.mapping.specs import CODES, HISTORY, RULES, changed, layout, specs

WHO = 'who = { from = "WHO", as = "int", empty = [0] }'
CODE = 'code = { from = "CODE", as = "code", codes = "toy-code" }'
OUTCOME = "CASE [FLAG] WHEN 'Y' THEN 'SUCCESS' ELSE 'FAILED' END"
CHECK = '\n[[checks]]\ncode = "ODD"\nmust = "[PENCE] % 2 = 0"\nfield = "PENCE"\ntext = "The amount must be even."\n'
PIVOT = 'table = "EVENT"\npivots = [{ table = "NOTE", as = "note", count = 2 }]'
JOIN = 'table = "EVENT"\njoins = [{ table = "CASE", as = "own", on = [["GRP", "GRP"]] }]'

FAULTS = {
    "no TOML": (('version = "1"', "version = "), "text 2:"),
    "an unknown key": (('owner = "tests"', 'owner = "tests"\nspeed = "high"'), "speed: Extra inputs"),
    "an unknown key of a field": ((WHO, 'who = { from = "WHO", as = "int", colour = 1 }'), "colour: Extra inputs"),
    "no owner": (('owner = "tests"\n', ""), "owner: Field required"),
    "a version that is no number": (('version = "1"', 'version = "new"'), "version: String should match"),
    "an unknown entity": (('entity = "history"', 'entity = "histories"'), "histories (did you mean history?)"),
    "an unknown canonical field": (("outcome =", "outcum ="), "no canonical field outcum (did you mean outcome?)"),
    "a required field not filled": (('class = { value = "CONTACT" }\n', ""), "required field class is not filled"),
    "a field that is not a spec's": (("[fields]", "[fields]\nversion = { value = 1 }"), "version is filled by the hub"),
    "the key filled": (("[fields]", '[fields]\nhistory_id = { value = "x" }'), "history_id is filled by the hub"),
    "a mark filled twice": (
        ("[fields]", '[fields]\nfrom_date_mark = { value = "OPEN" }'), "from_date_mark comes with from_date",
    ),
    "a number for a code": ((CODE, "code = { value = 1 }"), "code is code, but is given a number"),
    "text for a date": (("[fields]", '[fields]\nto_date = { value = "x" }'), "to_date is date, but is given text"),
    "text for a date by SQL": (
        ("[fields]", '[fields]\nto_date = { sql = "[FLAG]" }'), "to_date is date, but is given text",
    ),
    "a date for text": (
        ('source_ref = { from = "SEQ", as = "digits", length = 4 }',
         'source_ref = { from = "DAY", as = "date", rule = "bare" }'),
        "source_ref is text, but is given a date",
    ),
    "a code outside the model": (('"CONTACT"', '"CALL"'), "class has no code CALL"),
    "a code outside the model by SQL": (("'FAILED'", "'FAILURE'"), "outcome has no code FAILURE"),
    "an unknown source table": (('table = "EVENT"', 'table = "EVENTS"'), "EVENTS (did you mean EVENT?)"),
    "an unknown source field": (('from = "CODE"', 'from = "CODES"'), "EVENT has no field CODES (did you mean CODE?)"),
    "an unknown source field in SQL": (("[FLAG]", "[FLAGS]"), "EVENT has no field FLAGS"),
    "an unknown source field in a key": (('"GRP", "SEQ"]', '"GRP", "NO"]'), "EVENT has no field NO"),
    "an unknown joined table": (
        ('table = "EVENT"', JOIN.replace('"CASE"', '"CASES"')), "no source table CASES (did you mean CASE?)",
    ),
    "an unknown joined field": (('table = "EVENT"', JOIN.replace('"GRP"]]', '"GROUP"]]')), "CASE has no field GROUP"),
    "a pivot over its count": (
        ('table = "EVENT"\n\n[let]\n' + WHO,
         PIVOT + '\n\n[let]\nwho = { from = "note.3.NUMBER", as = "int" }'),
        "number from 1 to 2",
    ),
    "text from a number": (
        ("[let]", '[let]\nlabel = { from = "SEQ", as = "text" }'), "the conversion reads text, not",
    ),
    "a number from text": ((WHO, 'who = { from = "FLAG", as = "int" }'), "the conversion reads whole numbers"),
    "a date from text": (('from = "DAY"', 'from = "FLAG"'), "the conversion reads whole numbers"),
    "digits from text": (('from = "SEQ", as = "digits"', 'from = "FLAG", as = "digits"'), "reads whole numbers"),
    "pence from text": (
        ("[let]", '[let]\nsum = { from = "FLAG", as = "pence" }'), "the conversion reads whole numbers",
    ),
    "an unknown code list": (('"toy-code"', '"toy-codes"'), "no code list toy-codes (did you mean toy-code?)"),
    "an unknown date rule": (('rule = "day"', 'rule = "days"'), "no date rule days (did you mean day?)"),
    "a rule with placeholders and no mark": (
        ("[let]", '[let]\nopened = { from = "DAY", as = "date", rule = "day" }'), None,
    ),
    "SQL that is none": ((OUTCOME, "CASE [FLAG]"), "this is no SQL expression"),
    "SQL that reads a file": ((OUTCOME, "read_csv('x')"), "READ_CSV is not allowed"),
    "SQL with a sub-query": ((OUTCOME, "(SELECT 'SUCCESS')"), "is not allowed"),
    "SQL that loops": ((OUTCOME, "WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r"), "is not allowed"),
    "SQL that asks the clock": ((OUTCOME, "CURRENT_DATE"), "CURRENT_DATE is not allowed"),
    "SQL with an unknown function": ((OUTCOME, "guess([FLAG])"), "GUESS is not allowed"),
    "SQL with fractions": ((OUTCOME, "[PENCE] * 1.5"), "only whole numbers are exact"),
    "SQL whose types don't fit": ((OUTCOME, "CASE WHEN [FLAG] > 1 THEN 'SUCCESS' END"), "types don't fit"),
    "names in a circle": (
        ("[let]", '[let]\na = { sql = "b + 1" }\nb = { sql = "a + 1" }'), "need each other in a circle: a, b",
    ),
    "a name that is let and field": (("[let]", '[let]\ncode = { value = "TEL" }'), "code is a let and a field"),
    "a fact of the delivery computed with": (
        ("[fields]", '[fields]\nto_date = { context = "as_at" }\nsource_case_ref = { sql = "CAST(to_date AS TEXT)" }'),
        "to_date is a fact of the delivery",
    ),
    "two ways at once": ((CODE, 'code = { value = "TEL", sql = "1" }'), "say exactly one of"),
    "no way at all": ((CODE, 'code = { when = "TRUE" }'), "say exactly one of"),
    "from without as": ((CODE, 'code = { from = "CODE" }'), "`from` and `as` belong together"),
    "a foreign option": ((WHO, 'who = { from = "WHO", as = "int", length = 2 }'), "length means nothing"),
    "a conversion without its option": ((WHO, 'who = { from = "WHO", as = "digits" }'), "needs length"),
    "a flag that contradicts itself": (
        (WHO, 'who = { from = "FLAG", as = "flag", yes = ["Y"], no = ["Y", ""] }'), "both true and false for 'Y'",
    ),
    "a short key": (('id = ["history", "TOY", "GRP", "SEQ"]', 'id = ["history", "TOY"]'), "key.id: Tuple should have"),
    "within without first or last": (
        ('"GRP", "SEQ"]', '"GRP", "SEQ"]\nwithin = ["GRP"]'), "`within` means nothing",
    ),
    "a filter over computed values": (
        ('table = "EVENT"', 'table = "EVENT"\nwhere = "who = 1"'), "source fields only",
    ),
    "a check that is no SQL": (("[fields]", CHECK.replace("% 2", "% %") + "\n[fields]"), "ODD: this is no SQL"),
    "a check of an unknown field": (
        ("[fields]", CHECK.replace('"PENCE"', '"PENNY"') + "\n[fields]"), "EVENT has no field PENNY",
    ),
    "a check of an unknown source": (
        ("[fields]", CHECK.replace("[[checks]]", '[[checks]]\nsource = "X"') + "\n[fields]"), "no source is called X",
    ),
    "a check with an odd severity": (
        ("[fields]", CHECK.replace("[[checks]]", '[[checks]]\nseverity = "loud"') + "\n[fields]"), "severity: Input",
    ),
    "a check without a sentence": (
        ("[fields]", CHECK.replace("The amount must be even.", "no") + "\n[fields]"), "text: String should have",
    ),
    "a validation that says nothing": (("[fields]", '\n[[validate]]\nfields = ["FLAG"]\n\n[fields]'), "say `as`"),
    "two sources of one name": (("[let]", '[[sources]]\ntable = "EVENT"\n\n[let]'), "two sources have the same name"),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, (_, expected) in FAULTS.items() if expected])
def test_a_planted_fault_is_found(name: str) -> None:
    piece, expected = FAULTS[name]

    found = specs(changed(piece)).check(layout())

    assert expected is not None
    assert any(expected in fault for fault in found), found


def test_the_sound_spec_has_no_fault() -> None:
    assert specs(HISTORY).check(layout()) == ()
    assert specs(HISTORY).check() == ()


def test_a_let_may_have_placeholders_without_a_mark_in_the_model() -> None:
    piece, _ = FAULTS["a rule with placeholders and no mark"]

    assert specs(changed(piece)).check(layout()) == ()


def test_a_field_without_a_mark_must_not_have_placeholders() -> None:
    text = (SPECS / "debts.toml").read_text(encoding="utf-8")
    text = changed(
        ('opened = { sql = "effective" }', 'opened = { from = "C-EFF-DATE", as = "date", rule = "display" }'), text=text
    )

    found = Mapping.load([(SPECS / "dates.toml"), text]).check()

    assert "debts: opened has no _mark beside it, so its date rule may have no placeholders" in found


def test_all_faults_of_all_specs_are_told_at_once() -> None:
    broken = changed(("[FLAG]", "[FLAGS]"), ('"toy-code"', '"toy-codes"'), ("outcome =", "outcum ="))
    other = changed(('entity = "history"', 'entity = "roles"'))

    with pytest.raises(ConfigurationError) as caught:
        specs(broken, other).compile(layout())

    told = "\n".join(caught.value.faults)
    for fragment in ("toy-codes", "outcum", "roles: there is no canonical field", "required field outcome"):
        assert fragment in told
    assert caught.value.exit_code == 2


def test_names_of_source_fields_need_a_layout_to_be_judged() -> None:
    text = changed(("[FLAG]", "[FLAGS]"))

    assert specs(text).check() == ()
    assert specs(text).check(layout()) != ()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([RULES], "there is no spec of an entity"),
        ([], "there is no spec of an entity"),
        ([RULES, HISTORY, HISTORY], "text 3: a second spec of history"),
        ([RULES, RULES, HISTORY], "text 2: the date rule day stands twice"),
        (
            [RULES, HISTORY.replace('connector = "toy"', 'connector = "other"')],
            "belongs to other, the other specs to toy",
        ),
        ([RULES.replace('["1900-01-01"]', '["1900-01"]'), HISTORY], "dates.day.sentinels.0"),
        ([RULES.replace('["1900-01-01"]', '["zero", "zero"]'), HISTORY], "a placeholder has two meanings"),
        ([RULES.replace('"ccyymmdd"', '"yymmdd"'), HISTORY], "dates.day.format"),
    ],
)
def test_documents_are_judged_together(texts: list[str], expected: str) -> None:
    found = Mapping.load(texts).check()

    assert any(expected in fault for fault in found), found


def test_faults_of_a_code_list_that_is_used_are_the_specs_faults() -> None:
    found = specs(HISTORY, codes=CODES + "T,LET,telephone again,,,tests\n").check()

    assert found == ("code list toy-code: the source code 'T' has two meanings at once",)


def test_a_code_list_with_codes_outside_the_model_is_a_fault() -> None:
    found = specs(HISTORY, codes=CODES + "X,XXX,nobody knows,,,tests\n").check()

    assert found == ("history: code has no code XXX",)


def test_a_missing_file_is_not_found() -> None:
    with pytest.raises(NotFound):
        Mapping.load([SPECS / "nothing.toml"])


def test_the_json_schema_describes_both_kinds_of_files() -> None:
    schema = json_schema()

    assert {"EntitySpec", "RulesSpec"} <= schema["$defs"].keys()
    assert "from" in schema["$defs"]["FieldSpec"]["properties"]
    assert "validate" in schema["$defs"]["EntitySpec"]["properties"]
