"""Dead parts planted one by one: the spec runs as if they were not there, and `check` says so."""

import pytest

from integrationhub.mapping.shapes import FieldShape, Shapes
from tests.unit.mapping.specs import CODES, HISTORY, changed, layout, specs

SHAPES = Shapes(
    fields={
        ("EVENT", "GRP"): FieldShape(text=False, size=4),
        ("EVENT", "SEQ"): FieldShape(text=False, size=4),
        ("EVENT", "CODE"): FieldShape(text=True, size=1),
        ("EVENT", "DAY"): FieldShape(text=False, size=8),
        ("EVENT", "FLAG"): FieldShape(text=True, size=1),
        ("EVENT", "WHO"): FieldShape(text=False, size=3),
        ("EVENT", "OTHER"): FieldShape(text=True, size=5, variant="ONE"),
        ("EVENT", "PENCE"): FieldShape(text=False, size=7, variant="TWO"),
        ("EVENT", "OTHER-DAY"): FieldShape(text=False, size=8, variant="ONE"),
    },
    occurs={"NOTE": 2},
)
LET = "[let]\n"
FIELDS = "[fields]\n"
TABLE = 'table = "EVENT"'
OUTCOME = "CASE [FLAG] WHEN 'Y' THEN 'SUCCESS' ELSE 'FAILED' END"
WHO = 'who = { from = "WHO", as = "int", empty = [0] }'


def check(must: str, when: str = "") -> str:
    condition = f'when = "{when}"\n' if when else ""
    return (
        f'[[checks]]\ncode = "ODD"\nmust = "{must}"\n{condition}field = "PENCE"\ntext = "The amount must be even."\n\n'
    )


DEAD = {
    "a let that nothing uses": (
        (LET, LET + 'spare = { from = "OTHER", as = "text" }\n'),
        "the let spare is used nowhere",
    ),
    "a let of one source that nothing uses": (
        (TABLE, TABLE + "\n[sources.let]\nspare = { value = 1 }\n"),
        "the let spare is used nowhere",
    ),
    "a join that nothing uses": (
        (TABLE, TABLE + '\njoins = [{ table = "CASE", as = "own", on = [["GRP", "GRP"]] }]'),
        "nothing of own is used",
    ),
    "a pivot that nothing uses": (
        (TABLE, TABLE + '\npivots = [{ table = "NOTE", as = "note", count = 2 }]'),
        "nothing of note is used",
    ),
    "a pivot wider than its table": (
        (
            (TABLE, TABLE + '\npivots = [{ table = "NOTE", as = "note", count = 3 }]'),
            (FIELDS, FIELDS + 'source_case_ref = { from = "note.1.TEXT", as = "text" }\n'),
        ),
        "the pivot note asks for 3, NOTE occurs 2 times",
    ),
    "a condition that never holds": (
        (WHO, 'who = { from = "WHO", as = "int", empty = [0], when = "1 = 2" }'),
        "when of who never holds",
    ),
    "a condition that contradicts itself": (
        (FIELDS, check("[PENCE] > 0", "[FLAG] = 'Y' AND [FLAG] = 'N'") + FIELDS),
        "when of ODD never holds",
    ),
    "a condition that always holds": (
        (WHO, 'who = { from = "WHO", as = "int", empty = [0], when = "TRUE" }'),
        "when of who always holds",
    ),
    "a check that can't be broken": (
        (FIELDS, check("class = 'CONTACT'") + FIELDS),
        "must of ODD always holds",
    ),
    "a check of a constant that is something else": (
        (FIELDS, check("[PENCE] > 0", "class = 'ENFORCEMENT'") + FIELDS),
        "when of ODD never holds",
    ),
    "a filter that lets nothing through": (
        (TABLE, TABLE + "\nwhere = \"[FLAG] = 'Y' AND [FLAG] <> 'Y'\""),
        "where never holds",
    ),
    "a comparison with a code outside the field's list": (
        (FIELDS, check("[PENCE] > 0", "[CODE] = 'Z'") + FIELDS),
        "CODE is never 'Z'",
    ),
    "a comparison with a text that is too long": ((OUTCOME, OUTCOME.replace("'Y'", "'YES'")), "FLAG is never 'YES'"),
    "a comparison with a number that is too large": (
        (FIELDS, check("[PENCE] > 0", "[WHO] = 4711") + FIELDS),
        "WHO is never '4711'",
    ),
    "a branch behind the same branch": (
        (OUTCOME, "CASE [FLAG] WHEN 'Y' THEN 'SUCCESS' WHEN 'Y' THEN 'FAILED' ELSE 'FAILED' END"),
        "CASE has a second branch WHEN 'Y'",
    ),
    "branches behind one that always applies": (
        (OUTCOME, "CASE WHEN TRUE THEN 'SUCCESS' WHEN [FLAG] = 'N' THEN 'FAILED' END"),
        "CASE never gets past WHEN TRUE",
    ),
    "an alternative behind a constant": (
        (OUTCOME, "COALESCE('SUCCESS', [FLAG])"),
        "COALESCE never gets past its constant",
    ),
    "an alternative named twice": (
        (FIELDS, FIELDS + 'source_case_ref = { sql = "COALESCE([OTHER], [OTHER])" }\n'),
        "COALESCE names the same value twice",
    ),
    "a constant that stands twice in a list": (
        (FIELDS, check("[FLAG] IN ('Y', 'N', 'Y')") + FIELDS),
        "IN names the same constant twice",
    ),
    "a field behind one that every row has": (
        (
            'source_ref = { from = "SEQ", as = "digits", length = 4 }',
            'source_ref = { from = ["SEQ", "PENCE"], as = "digits", length = 7 }',
        ),
        "source_ref never gets past SEQ, which every row has",
    ),
    "two fields of one redefinition as alternatives": (
        (LET, LET + 'odd = { from = ["OTHER", "OTHER-DAY"], as = "flag", yes = ["Y"], no = ["N"] }\n'),
        "odd names two fields of ONE",
    ),
    "a default behind a constant": (
        ('class = { value = "CONTACT" }', 'class = { value = "CONTACT", default = "CONTACT" }'),
        "its default never stands",
    ),
    "an option that says nothing": (
        (FIELDS, FIELDS + 'source_case_ref = { from = "OTHER", as = "text", missing = "null" }\n'),
        "missing = 'null' says nothing",
    ),
    "an empty value that is too large": ((WHO, WHO.replace("[0]", "[99999]")), "WHO can't be '99999'"),
    "a flag that can't be": (
        (LET, LET + 'is_on = { from = "FLAG", as = "flag", yes = ["YES"], no = [""] }\n'),
        "FLAG can't be 'YES'",
    ),
    "fewer digits than the field has": (("length = 4", "length = 2"), "SEQ has 4 digits, length 2"),
    "a key that is the same in every row": (
        (('id = ["history", "TOY", "GRP", "SEQ"]', 'id = ["history", "TOY", "class"]'),),
        "the key is the same in every row",
    ),
    "a check that stands twice": (
        (FIELDS, 2 * check("[PENCE] % 2 = 0") + FIELDS),
        "the check [PENCE] % 2 = 0 stands twice",
    ),
    "a validation that stands twice": (
        (FIELDS, 2 * '[[validate]]\nfields = "OTHER"\nas = "present"\n\n' + FIELDS),
        "the validation of OTHER stands twice",
    ),
    "two sources with the same rows": (
        (LET, '[[sources]]\nname = "again"\ntable = "EVENT"\n\n' + LET),
        "two sources give the same rows of EVENT",
    ),
    "a date rule that nothing uses": (("class =", "class ="), "the date rule until is used nowhere"),
}
"""What was planted → (the pieces of the sound spec exchanged, what is told)."""

CODE_LISTS = {
    "a code that no field can hold": (CODES + "LONG,LET,too long,,,tests\n", "CODE can't be 'LONG'"),
    "a code that held before the spec does": (
        CODES + "O,LET,an old letter,,1999-12-31,tests\n",
        "'O' holds on no day that the spec is for",
    ),
}


def dead(*pieces: tuple[str, str], codes: str = CODES) -> tuple[str, ...]:
    mapping = specs(changed(*pieces), codes=codes)
    assert mapping.check(layout()) == ()
    return mapping.dead(SHAPES)


@pytest.mark.parametrize("name", DEAD)
def test_a_planted_dead_part_is_found(name: str) -> None:
    pieces, expected = DEAD[name]
    pairs = pieces if isinstance(pieces[0], tuple) else (pieces,)

    found = dead(*pairs)

    assert any(expected in part for part in found), found


@pytest.mark.parametrize("name", CODE_LISTS)
def test_a_planted_dead_code_is_found(name: str) -> None:
    codes, expected = CODE_LISTS[name]

    found = dead(('owner = "tests"', 'owner = "tests"\nvalid_from = 2005-01-01'), codes=codes)

    assert any(expected in part for part in found), found


def test_a_code_list_of_the_connector_that_nothing_uses_is_dead() -> None:
    mapping = specs(changed(('as = "code", codes = "toy-code"', 'as = "text"')))

    assert "the code list toy-code is used nowhere" in mapping.dead()


def test_an_identifier_that_names_rows_by_another_key_is_found() -> None:
    groups = (
        'connector = "toy"\nentity = "groups"\nversion = "1"\ntitle = "Groups"\nowner = "tests"\n'
        '[key]\nid = ["grp", "TOY", "GRP"]\n[[sources]]\ntable = "CASE"\n'
    )

    found = specs(HISTORY, groups).dead()

    assert "history: group_id names rows of groups, whose key is of grp, TOY and 1 names" in found


def test_the_sound_spec_has_no_dead_part_but_unused_date_rules() -> None:
    assert [part for part in dead(("class =", "class =")) if not part.startswith("the date rule")] == []
