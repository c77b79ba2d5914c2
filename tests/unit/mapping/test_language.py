"""What the spec language does with rows: joins, sources, keys, conditions, checks, faults, marks."""

from dataclasses import replace
from datetime import date
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.canonical.identifiers import derive
from integrationhub.canonical.model import ENTITIES
from integrationhub.errors import ConfigurationError
from integrationhub.mapping.compile import CompiledMapping
from integrationhub.records import FAULT_SCHEMA
from tests.unit.mapping.specs import (
    CODES,
    CONTEXT,
    HISTORY,
    batch,
    changed,
    compiled,
    events,
    layout,
    mapped,
    specs,
    table,
    told,
)

JOINED = changed(
    (
        'table = "EVENT"',
        'table = "EVENT"\njoins = [{ table = "CASE", as = "own", on = [["GRP", "GRP"], ["WHO", "REF"]] }]',
    ),
    ("[fields]", '[fields]\nsource_case_ref = { from = "own.NAME", as = "text" }'),
)


def test_a_row_has_the_entitys_columns_in_order_and_its_provenance() -> None:
    compiled_mapping = compiled()

    rows = compiled_mapping.apply(batch(EVENT=events({"WHO": 0})), CONTEXT).rows["history"]

    entity = ENTITIES["history"]
    assert tuple(rows.columns) == entity.names()
    row = rows.row(0, named=True)
    assert row["history_id"] == derive("history", "TOY", 1, 1)
    assert row["group_id"] == derive("group", "TOY", 1)
    assert row["party_id"] is None
    assert (row["from_date"], row["from_date_mark"]) == (date(2015, 6, 30), None)
    assert (row["class"], row["code"], row["outcome"], row["case_id"]) == ("CONTACT", "TEL", "SUCCESS", None)
    assert (row["source_system"], row["source_ref"], row["delivery_id"]) == ("TOY", "0001", "d" * 32)
    assert (row["record_no"], row["byte_offset"], row["version"]) == (1, 100, 3 * 2**32 + 1)
    assert row["mapping_id"] == compiled_mapping.mapping_ids["history"]
    assert row["mapping_id"].startswith("toy/history@1+")


def test_no_rows_give_an_empty_frame_of_the_right_types() -> None:
    full = mapped(HISTORY, {}).rows["history"]

    for empty in (mapped(HISTORY), compiled().apply(replace(batch(), tables={}), CONTEXT)):
        assert empty.rows["history"].is_empty()
        assert empty.rows["history"].schema == full.schema
        assert empty.faults.schema == pl.Schema(FAULT_SCHEMA)


def test_one_row_at_a_time_gives_the_same_as_all_at_once() -> None:
    mapping = compiled()
    rows = events(*({"SEQ": number, "WHO": number % 3} for number in range(1, 1_300)))
    whole = table("EVENT", rows)

    together = mapping.apply(replace(batch(), tables={"EVENT": whole}), CONTEXT).rows["history"]
    parts = [
        mapping.apply(replace(batch(), tables={"EVENT": whole.slice(number, 1)}), CONTEXT).rows["history"]
        for number in range(0, 1_299, 100)
    ]

    assert together.height == 1_299
    assert pl.concat(parts).equals(together.gather_every(100))


def test_a_join_takes_the_first_row_that_agrees_and_leaves_the_others_alone() -> None:
    cases = [
        {"GRP": 1, "REF": 7, "NAME": "first"},
        {"GRP": 1, "REF": 7, "NAME": "second"},
        {"GRP": 2, "REF": 8, "NAME": "other group"},
        {"GRP": None, "REF": None, "NAME": "no key"},
    ]

    rows = mapped(JOINED, {"WHO": 8}, {"WHO": 7}, {"WHO": None}, {"WHO": 7}, CASE=cases).rows["history"]

    assert rows["source_case_ref"].to_list() == [None, "first", None, "first"]
    assert rows["record_no"].to_list() == [1, 2, 3, 4]


def test_a_join_with_nothing_gives_nulls() -> None:
    rows = mapped(JOINED, {"WHO": 7}).rows["history"]
    keyless = mapped(JOINED, {"WHO": None}, CASE=[{"GRP": 1, "REF": 7, "NAME": "x"}]).rows["history"]

    assert rows["source_case_ref"].to_list() == [None]
    assert keyless["source_case_ref"].to_list() == [None]


def test_a_join_can_be_narrowed_by_a_condition() -> None:
    text = JOINED.replace('["WHO", "REF"]] }', '["WHO", "REF"]], where = "[NAME] <> \'first\'" }')
    cases = [{"GRP": 1, "REF": 7, "NAME": "first"}, {"GRP": 1, "REF": 7, "NAME": "second"}]

    assert mapped(text, {}, CASE=cases).rows["history"]["source_case_ref"].to_list() == ["second"]


def test_a_table_can_be_joined_with_itself() -> None:
    text = changed(
        ('table = "EVENT"', 'table = "EVENT"\njoins = [{ table = "EVENT", as = "before", on = [["WHO", "SEQ"]] }]'),
        ("[fields]", '[fields]\nsource_case_ref = { sql = "CAST([before.SEQ] AS TEXT) || [before.CODE]" }'),
    )

    rows = mapped(text, {"WHO": 2}, {"WHO": 9, "CODE": "L"}).rows["history"]

    assert rows["source_case_ref"].to_list() == ["2L", None]


def test_rows_are_chosen_by_a_condition_over_own_or_joined_fields() -> None:
    own = changed(('table = "EVENT"', 'table = "EVENT"\nwhere = "[FLAG] = \'Y\'"'))
    joined = JOINED.replace('table = "EVENT"\n', 'table = "EVENT"\nwhere = "[own.NAME] IS NOT NULL"\n')
    cases = [{"GRP": 1, "REF": 7, "NAME": "x"}]

    assert mapped(own, {"FLAG": "N"}, {}, {"FLAG": None}).rows["history"]["record_no"].to_list() == [2]
    assert mapped(joined, {"WHO": 1}, {}, CASE=cases).rows["history"]["record_no"].to_list() == [2]


def test_occurrences_of_a_child_table_become_columns() -> None:
    text = changed(
        ('table = "EVENT"', 'table = "EVENT"\npivots = [{ table = "NOTE", as = "note", count = 2 }]'),
        (
            "[fields]",
            "[fields]\nsource_case_ref = { sql = \"COALESCE(note.[1.TEXT], '-') || COALESCE([note.2.TEXT], '-')\" }",
        ),
    )
    notes = [
        {"_record": 3, "_index": 1, "TEXT": "a"},
        {"_record": 3, "_index": 2, "TEXT": "b"},
        {"_record": 3, "_index": 3, "TEXT": "c"},
        {"_record": 1, "_index": 1, "TEXT": "d"},
    ]

    rows = mapped(text, {}, {}, {}, NOTE=notes).rows["history"]

    assert rows["source_case_ref"].to_list() == ["d-", "--", "ab"]
    assert mapped(text, {}).rows["history"]["source_case_ref"].to_list() == ["--"]


SOURCES = """
[[sources]]
name = "yes"
table = "EVENT"
where = "[FLAG] = 'Y'"

[sources.fields]
code = { value = "MTG" }

[[sources]]
name = "all"
table = "EVENT"

[sources.let]
extra = { value = 1 }
"""
TWO_SOURCES = changed(('[[sources]]\ntable = "EVENT"', SOURCES))


def test_sources_stand_one_below_the_other_each_with_its_own_fields() -> None:
    text = TWO_SOURCES.replace('id = ["history", "TOY", "GRP", "SEQ"]', 'id = ["history", "TOY", "SEQ", "code"]')

    found = mapped(text, {"FLAG": "N"}, {"FLAG": "Y"})

    assert found.rows["history"].select("record_no", "code").rows() == [(2, "MTG"), (1, "TEL"), (2, "TEL")]
    assert found.faults.is_empty()


@pytest.mark.parametrize(("repeats", "kept"), [("first", [(1, "TEL"), (2, "MTG")]), ("last", [(1, "TEL"), (2, "TEL")])])
def test_one_row_of_a_key_is_kept_over_all_sources(repeats: str, kept: list[tuple[int, str]]) -> None:
    text = TWO_SOURCES.replace('"GRP", "SEQ"]', f'"GRP", "SEQ"]\nrepeats = "{repeats}"')

    found = mapped(text, {"FLAG": "N"}, {"FLAG": "Y"})

    assert found.rows["history"].select("record_no", "code").rows() == kept
    assert found.faults.is_empty()


def test_within_keeps_one_row_of_a_key_for_each_group() -> None:
    text = changed(('"GRP", "SEQ"]', '"WHO"]\nrepeats = "last"\nwithin = ["GRP"]'))

    rows = mapped(text, {"GRP": 1}, {"GRP": 1}, {"GRP": 2}, {"GRP": 2, "WHO": 8}).rows["history"]

    assert rows["record_no"].to_list() == [2, 3, 4]
    assert tuple(rows.columns) == ENTITIES["history"].names()


def test_keys_that_repeat_are_numbered_in_file_order() -> None:
    text = changed(
        ('"GRP", "SEQ"]', '"GRP", "WHO"]\nrepeats = "number"'),
        (
            'source_ref = { from = "SEQ", as = "digits", length = 4 }',
            'source_ref = { sql = "CAST(occurrence AS TEXT)" }',
        ),
    )

    rows = mapped(text, {}, {"WHO": 8}, {}, {}).rows["history"]

    assert rows["source_ref"].to_list() == ["1", "1", "2", "3"]
    assert rows["history_id"].to_list()[2] == derive("history", "TOY", 1, 7, 2)


def test_a_key_that_repeats_is_a_fault_of_every_row_after_the_first() -> None:
    found = mapped(HISTORY, {"SEQ": 1}, {"SEQ": 2}, {"SEQ": 1}, {"SEQ": 1})

    assert told(found.faults) == [(3, "EVENT", "SEQ", "KEY_REPEATED"), (4, "EVENT", "SEQ", "KEY_REPEATED")]


def test_fields_can_be_unique_although_the_key_has_more_parts() -> None:
    text = changed(('"GRP", "SEQ"]', '"GRP", "SEQ", "CODE"]\nunique = ["GRP", "SEQ"]'))

    assert told(mapped(text, {"SEQ": 1}, {"SEQ": 1, "CODE": "L"}).faults) == [(2, "EVENT", "SEQ", "KEY_REPEATED")]


def test_all_faults_of_a_row_are_told_in_file_order() -> None:
    found = mapped(HISTORY, {}, {"CODE": "?", "DAY": 20150230, "SEQ": 10_000}, {"CODE": "#"})

    assert sorted(told(found.faults)) == [
        (2, "EVENT", "CODE", "CODE_UNKNOWN"),
        (2, "EVENT", "DAY", "DATE_INVALID"),
        (2, "EVENT", "SEQ", "DIGITS_INVALID"),
        (3, "EVENT", "CODE", "CODE_UNKNOWN"),
    ]
    assert found.faults["record"].is_sorted()
    assert found.faults["offset"].to_list() == [200, 200, 200, 300]
    assert found.rows["history"].height == 3


def test_a_sentinel_is_a_mark_and_no_fault() -> None:
    found = mapped(HISTORY, {"DAY": 19000101})

    assert found.rows["history"].select("from_date", "from_date_mark").row(0) == (None, "SENTINEL")
    assert found.faults.is_empty()


def test_what_is_absent_is_missing_unless_the_spec_allows_it() -> None:
    strict = mapped(HISTORY, {"DAY": None})
    lenient = mapped(changed(('rule = "day" }', 'rule = "day", missing = "null" }')), {"DAY": None})

    assert told(strict.faults) == [(1, "EVENT", "DAY", "VALUE_MISSING")]
    assert lenient.faults.is_empty()


def test_what_the_decoder_could_not_read_is_not_missing_too() -> None:
    decoder = pl.DataFrame([(1, 100, "EVENT", "DAY", "PACKED_INVALID", "0f")], schema=dict(FAULT_SCHEMA), orient="row")

    found = compiled().apply(batch(decoder, EVENT=events({"DAY": None, "CODE": "?"}, {"DAY": None})), CONTEXT)

    assert sorted(told(found.faults)) == [
        (1, "EVENT", "CODE", "CODE_UNKNOWN"),
        (1, "EVENT", "DAY", "PACKED_INVALID"),
        (2, "EVENT", "DAY", "VALUE_MISSING"),
    ]


def test_a_required_value_that_is_empty_without_a_reason_is_missing() -> None:
    text = changed(("ELSE 'FAILED' END", "END"))

    assert told(mapped(text, {"FLAG": "N"}, {"FLAG": "Y"}).faults) == [(1, "EVENT", "FLAG", "VALUE_MISSING")]
    assert told(mapped(text, {"FLAG": "N", "CODE": "?"}).faults) == [(1, "EVENT", "CODE", "CODE_UNKNOWN")]


def test_a_condition_says_which_rows_have_a_field() -> None:
    text = changed(
        ("[fields]", '[fields]\nto_date = { from = "OTHER-DAY", as = "date", rule = "day", when = "[FLAG] = \'N\'" }')
    )

    found = mapped(
        text, {"OTHER-DAY": 99}, {"FLAG": "N", "OTHER-DAY": 20150101}, {"FLAG": "N"}, {"FLAG": "N", "OTHER-DAY": 99}
    )

    assert found.rows["history"]["to_date"].to_list() == [None, date(2015, 1, 1), None, None]
    assert told(found.faults) == [(3, "EVENT", "OTHER-DAY", "VALUE_MISSING"), (4, "EVENT", "OTHER-DAY", "DATE_INVALID")]


def test_a_default_stands_for_what_is_absent_but_hides_no_fault() -> None:
    text = changed(('codes = "toy-code" }', 'codes = "toy-code", default = "MTG" }'))

    found = mapped(text, {"CODE": None}, {"CODE": "?"}, {"CODE": "T"})

    assert found.rows["history"]["code"].to_list() == ["MTG", None, "TEL"]
    assert told(found.faults) == [(2, "EVENT", "CODE", "CODE_UNKNOWN")]


def test_of_alternatives_the_one_that_is_there_counts_and_takes_the_blame() -> None:
    text = changed(
        ('from = "DAY", as = "date"', 'from = ["DAY", "OTHER-DAY"], as = "date"'),
    )

    found = mapped(
        text, {"DAY": None, "OTHER-DAY": 20150101}, {"DAY": None, "OTHER-DAY": 99}, {"DAY": 98}, {"DAY": None}
    )

    assert found.rows["history"]["from_date"].to_list() == [date(2015, 1, 1), None, None, None]
    assert told(found.faults) == [(2, "EVENT", "OTHER-DAY", "DATE_INVALID"), (3, "EVENT", "DAY", "DATE_INVALID")]


def test_source_fields_that_go_nowhere_are_validated_all_the_same() -> None:
    text = (
        HISTORY
        + '\n[[validate]]\nfields = ["OTHER-DAY", "UNTIL"]\nas = "date"\nrule = "until"\nwhen = "[FLAG] = \'N\'"\n'
        + '\n[[validate]]\nfields = "PENCE"\nas = "present"\n'
    )

    found = mapped(
        text,
        {"OTHER-DAY": 96366, "UNTIL": 95366},
        {"FLAG": "N", "OTHER-DAY": 96366, "UNTIL": 95366, "PENCE": None},
        {"FLAG": "N"},
    )

    assert sorted(told(found.faults)) == [
        (2, "EVENT", "PENCE", "VALUE_MISSING"),
        (2, "EVENT", "UNTIL", "DATE_INVALID"),
        (3, "EVENT", "OTHER-DAY", "VALUE_MISSING"),
    ]


CHECKED = (
    HISTORY
    + """
[[checks]]
code = "ODD"
must = "[PENCE] % 2 = 0"
when = "[FLAG] = 'Y'"
field = "PENCE"
text = "The amount must be even."

[[checks]]
code = "LATE"
must = "from_date >= DATE '2015-01-01'"
severity = "note"
field = "DAY"
text = "The day is long ago."
"""
)


def test_a_check_is_broken_where_it_is_false_not_where_it_is_unknown() -> None:
    found = mapped(CHECKED, {"PENCE": 1}, {"PENCE": 2}, {"PENCE": None}, {"PENCE": 1, "FLAG": "N"})

    assert told(found.faults) == [(1, "EVENT", "PENCE", "ODD")]
    assert found.notes.is_empty()


def test_a_note_is_told_apart_from_faults() -> None:
    found = mapped(CHECKED, {"PENCE": 2, "DAY": 20141231})

    assert found.faults.is_empty()
    assert told(found.notes) == [(1, "EVENT", "DAY", "LATE")]
    assert compiled(CHECKED).checks["history"][1].severity == "note"


def test_a_row_can_look_at_the_one_before_it() -> None:
    text = HISTORY + (
        '\n[[checks]]\ncode = "OVERLAP"\nmust = "from_date > LAG(from_date) OVER (PARTITION BY [GRP])"\n'
        'field = "DAY"\ntext = "Days of a group must rise."\n'
    )

    found = mapped(text, {"DAY": 20150102}, {"DAY": 20150101, "GRP": 2}, {"DAY": 20150103}, {"DAY": 20150103})

    assert told(found.faults) == [(4, "EVENT", "DAY", "OVERLAP")]


@pytest.mark.parametrize(("as_at", "code"), [(date(2009, 12, 31), "LET"), (date(2010, 1, 1), "NOC")])
def test_a_code_list_speaks_of_the_day_of_the_delivery(as_at: date, code: str) -> None:
    found = mapped(HISTORY, {"CODE": "L"}, context=replace(CONTEXT, as_at=as_at))

    assert found.rows["history"]["code"].to_list() == [code]


def test_a_code_that_is_not_valid_yet_is_unknown() -> None:
    codes = CODES + "N,NOC,new,2016-01-01,,tests\n"

    found = compiled(codes=codes).apply(batch(EVENT=events({"CODE": "N"})), CONTEXT)

    assert told(found.faults) == [(1, "EVENT", "CODE", "CODE_UNKNOWN")]


def test_source_fields_may_be_called_like_canonical_ones() -> None:
    text = HISTORY.replace('"CODE"', '"code"').replace(
        "[fields]", '[fields]\nsource_case_ref = { sql = "source.code || code" }'
    )
    events_table = table("EVENT", events({})).rename_columns(
        ["code" if name == "CODE" else name for name in table("EVENT", []).column_names]
    )

    found = specs(text).compile().apply(replace(batch(), tables={"EVENT": events_table}), CONTEXT)

    assert found.rows["history"]["source_case_ref"].to_list() == ["TTEL"]


def test_the_mapping_id_follows_content_not_comments() -> None:
    def hashed(text: str, codes: str = CODES) -> str:
        return compiled(text, codes=codes).mapping_ids["history"]

    same = hashed(HISTORY)

    assert hashed("# a comment\n" + HISTORY.replace("[let]", "\n\n[let]")) == same
    assert hashed(changed(('version = "1"', 'version = "1.1"'))).startswith("toy/history@1.1+")
    others = {
        hashed(changed(("'FAILED'", "'WITHDRAWN'"))),
        hashed(HISTORY, CODES.replace("T,TEL", "T,MTG")),
        specs(HISTORY).compile().mapping_ids["history"],
    }
    assert len(others - {same}) == 2


def test_a_table_without_a_field_that_the_specs_ask_for_is_a_configuration_error() -> None:
    mapping = specs(HISTORY).compile()
    lacking = table("EVENT", events({})).drop_columns(["CODE", "DAY"])

    with pytest.raises(ConfigurationError) as caught:
        mapping.apply(replace(batch(), tables={"EVENT": lacking}), CONTEXT)

    assert caught.value.faults == ("EVENT has no field CODE", "EVENT has no field DAY")


def test_a_type_that_does_not_fit_is_told_without_the_value() -> None:
    mapping = specs(changed(("[fields]", '[fields]\nto_date = { sql = "[OTHER]" }'))).compile()

    with pytest.raises(ConfigurationError) as caught:
        mapping.apply(batch(EVENT=events({"OTHER": "SECRETVALUE"})), CONTEXT)

    assert "SECRETVALUE" not in f"{caught.value}{caught.value.__cause__}"
    assert caught.value.__suppress_context__


def test_lineage_names_source_fields_through_everything_between() -> None:
    found = {line.field: line for line in compiled(JOINED).lineage()}

    assert [str(place) for place in found["party_id"].fields] == ["EVENT.WHO"]
    assert found["party_id"].expression == "identifier(party, TOY, who)"
    assert [str(place) for place in found["source_case_ref"].fields] == ["CASE.NAME (own)"]
    assert found["from_date_mark"].expression == "mark of date(DAY, rule day: ccyymmdd)"
    assert found["record_no"].expression == "the record's number in the file"
    assert found["case_id"].expression == "not filled by this source"
    assert found.keys() == set(ENTITIES["history"].names())


def test_a_field_is_explained_with_its_steps_and_reason_codes() -> None:
    found = {one.lineage.field: one for one in compiled().explain_fields("history")}

    assert found["code"].reasons == ("CODE_UNKNOWN", "VALUE_MISSING")
    assert found["code"].lineage.expression == "code(CODE, list toy-code)"
    assert found["party_id"].steps == (("who", "int(WHO, empty 0)"),)
    assert found["outcome"].codes == ("SUCCESS", "FAILED", "WITHDRAWN")
    assert found["class"].lineage.expression == "'CONTACT'"


def test_layouts_can_be_read_off_decoded_tables() -> None:
    assert layout()["EVENT"]["CODE"] == pl.String
    assert layout()["NOTE"]["_index"] == pl.Int64


SINCE = """
connector = "toy"

[dates.since]
format = "ccyymmdd"
absent = "open"
sentinels = ["1900-01-01"]

[dates.said]
format = "ccyymmdd"
sentinels = ["1900-01-01"]
"""


@cache
def dated_by(rule: str) -> CompiledMapping:
    text = changed(('rule = "day" }', f'rule = "{rule}", missing = "null" }}'))
    return specs(text, SINCE).compile(layout())


@pytest.mark.parametrize("rule", ["since", "said"])
@settings(deadline=None)
@given(days=st.lists(st.sampled_from([None, 20150231, 20150630, 19000101]), min_size=1, max_size=8))
def test_a_bad_date_is_told_whatever_stands_in_the_other_rows(rule: str, days: list[int | None]) -> None:
    found = dated_by(rule).apply(batch(EVENT=events(*({"DAY": day} for day in days))), CONTEXT)

    bad = [(number, "EVENT", "DAY", "DATE_INVALID") for number, day in enumerate(days, start=1) if day == 20150231]
    assert told(found.faults) == bad
