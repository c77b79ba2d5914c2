"""`integrationhub decode`, sentence by sentence of INTERFACE.md: output, values, choices, exit codes."""

from decimal import Decimal

import pytest

from tests.unit.decode.commands import DecodeCommand, big, e

CUSTOMER = """
01  CUSTOMER.
    05  CUSTOMER-ID  PIC 9(5).
    05  NAME         PIC X(8).
    05  BALANCE      PIC S9(3)V99 COMP-3.
"""
ANNA = e("00001") + e("ANNA    ") + bytes.fromhex("12345D")
BERT = e("00002") + e(" BERT   ") + bytes.fromhex("00000C")


def one(decode: DecodeCommand, clauses: str, data: bytes, *options: str) -> dict[str, object]:
    (record,) = decode.fields(f"01  R.\n    05  F  {clauses}.", data, *options)
    return dict(record)


def test_a_json_line_is_one_record_with_its_number_offset_and_length(decode: DecodeCommand) -> None:
    assert decode(CUSTOMER, ANNA + BERT) == [
        {"_record": 1, "_offset": 0, "_length": 16, "CUSTOMER-ID": 1, "NAME": "ANNA", "BALANCE": Decimal("-123.45")},
        {"_record": 2, "_offset": 16, "_length": 16, "CUSTOMER-ID": 2, "NAME": "BERT", "BALANCE": 0},
    ]


def test_groups_are_nested_and_tables_are_lists_and_names_are_spelled_as_in_the_copybook(
    decode: DecodeCommand,
) -> None:
    copybook = """
01  Rec.
    05  addr.
        10  City      PIC X(2).
        10  Phone     PIC 9(2) OCCURS 2.
    05  Lines-X       OCCURS 2 TIMES.
        10  CODE-1    PIC X.
"""
    assert decode.fields(copybook, e("AB1122XY")) == [
        {"addr": {"City": "AB", "Phone": [11, 22]}, "Lines-X": [{"CODE-1": "X"}, {"CODE-1": "Y"}]}
    ]


def test_a_name_that_repeats_in_one_group_gets_its_number(decode: DecodeCommand) -> None:
    copybook = "01  R.\n    05  A PIC X.\n    05  A PIC X.\n    05  G.\n        10  A PIC X.\n    05  A PIC X."
    assert decode.fields(copybook, e("1234")) == [{"A": "1", "A-2": "2", "G": {"A": "3"}, "A-3": "4"}]


def test_a_single_item_at_level_01_is_a_field(decode: DecodeCommand) -> None:
    assert decode.fields("01  LINE-IN PIC X(3).", e("ab ")) == [{"LINE-IN": "ab"}]


NUMBERS = [
    ("PIC S9(5)V99 COMP-3", "001234" + "5C", "123.45"),
    ("PIC S9(17)V9 COMP-3", "0123456789012345671D"[:20], "-12345678901234567.1"),
    ("PIC 9(28)V9(10) COMP-3", "0" * 29 + "1234567891F", "0.1234567891"),
    ("PIC S9(4) COMP", "FFFE", "-2"),
    ("PIC 9(4) COMP", "FFFF", "65535"),
    ("PIC 9(4) COMP", "0000", "0"),
    ("PIC 9(18) COMP", "FFFFFFFFFFFFFFFF", "18446744073709551615"),
    ("PIC S9(9)V99 COMP", "0000000000003039", "123.45"),
    ("PIC S9(20) COMP", "FFFFFFFFFFFFFFFFFE", "-2"),
    ("PIC 99PPP", "F1F2", "12000"),
    ("PIC VPP99", "F1F2", "0.0012"),
    ("PIC S9(3) SIGN LEADING SEPARATE", "60F1F2F3", "-123"),
    ("PIC S9(3) SIGN TRAILING SEPARATE", "F1F2F34E", "123"),
    ("PIC 99V99 SIGN IS LEADING SEPARATE CHARACTER", "60F1F2F3F4", "-12.34"),
    ("COMP-1", "41100000", "1.0"),
    ("COMP-1", "C276A000", "-118.625"),
    ("COMP-2", "0000000000000000", "0.0"),
    ("PIC 9(4) COMP-6", "1234", "1234"),
]


@pytest.mark.parametrize(("clauses", "raw", "value"), NUMBERS)
def test_a_number_is_written_in_exact_decimal_notation(
    decode: DecodeCommand, clauses: str, raw: str, value: str
) -> None:
    assert one(decode, clauses, bytes.fromhex(raw)) == {"F": Decimal(value)}


@pytest.mark.parametrize(
    ("clauses", "raw", "text"),
    [
        ("PIC 9(2)V9(10) COMP", "0000000000000000", "0.0000000000"),
        ("PIC S9(2)V9(10) COMP", "FFFFFFFFFFFFFFFF", "-0.0000000001"),
        ("PIC VP(7)9", "F1", "0.00000001"),
        ("PIC 9(2)V9(6)", "F0F0F0F0F0F0F0F1", "0.000001"),
    ],
)
def test_no_exponent_stands_in_a_decimal_number(decode: DecodeCommand, clauses: str, raw: str, text: str) -> None:
    printed = decode.text(f"01  R.\n    05  F  {clauses}.", bytes.fromhex(raw))
    assert f'"F":{text}' in printed


EDITED = [
    ("PIC Z,ZZ9.99-", " 1,234.50-"[1:], "-1234.50"),
    ("PIC Z,ZZ9.99-", "    0.05 ", "0.05"),
    ("PIC $$,$$9.99", "   $12.30", "12.30"),
    ("PIC £ZZ9.99", "£ 12.30", "12.30"),
    ("PIC 9(3).99CR", "012.30CR", "-12.30"),
    ("PIC 9(3).99DB", "012.30  ", "12.30"),
    ("PIC +9(3)", "+012", "12"),
    ("PIC -(5)9", "   -12", "-12"),
    ("PIC **9.99", "*12.34", "12.34"),
    ("PIC Z(3)V99", " 1234"[:5], "12.34"),
    ("PIC S9(3).99", "012.3M", "-12.34"),
]


@pytest.mark.parametrize(("clauses", "text", "value"), EDITED)
def test_an_edited_picture_of_digits_sign_point_comma_and_currency_is_a_number(
    decode: DecodeCommand, clauses: str, text: str, value: str
) -> None:
    assert one(decode, clauses, e(text)) == {"F": Decimal(value)}


@pytest.mark.parametrize(
    ("clauses", "text"), [("PIC 99/99/9999", "31/12/2020"), ("PIC XXBXX", "AB CD"), ("PIC 99B99", "12 34")]
)
def test_any_other_edited_picture_is_text(decode: DecodeCommand, clauses: str, text: str) -> None:
    assert one(decode, clauses, e(text)) == {"F": text}


def test_an_edited_number_that_is_none_is_null_and_named(decode: DecodeCommand) -> None:
    assert one(decode, "PIC ZZ9", e("1X2")) == {
        "F": None, "_errors": [{"field": "F", "code": "EDITED_INVALID", "hex": "F1E7F2"}]
    }  # fmt: skip
    assert one(decode, "PIC ZZ9 BLANK WHEN ZERO", e("   ")) == {"F": None}


NOTHING = [
    ("PIC 9(3)", "404040"),
    ("PIC 9(3)", "000000"),
    ("PIC S9(3) COMP-3", "4040"),
    ("PIC S9(3) COMP-3", "0000"),
]


@pytest.mark.parametrize(("clauses", "raw"), NOTHING)
def test_a_blank_or_low_values_number_is_null(decode: DecodeCommand, clauses: str, raw: str) -> None:
    assert one(decode, clauses, bytes.fromhex(raw)) == {"F": None}


INVALID = [
    ("PIC S9(3) COMP-3", "1A3C", "PACKED_INVALID"),
    ("PIC S9(3) COMP-3", "1234", "PACKED_INVALID"),
    ("PIC S9(3) COMP-3", "FFFF", "PACKED_INVALID"),
    ("PIC 9(3)", "F1C1F2", "PACKED_INVALID"),
    ("PIC 9(3)", "FFFFFF", "PACKED_INVALID"),
    ("PIC S9(2) SIGN LEADING SEPARATE", "F1F1F1", "PACKED_INVALID"),
]


@pytest.mark.parametrize(("clauses", "raw", "code"), INVALID)
def test_an_invalid_number_is_null_and_named_with_its_bytes(
    decode: DecodeCommand, clauses: str, raw: str, code: str
) -> None:
    assert one(decode, clauses, bytes.fromhex(raw)) == {
        "F": None,
        "_errors": [{"field": "F", "code": code, "hex": raw}],
    }


@pytest.mark.parametrize("raw", ["7FC00000", "7F800000"])
def test_nan_and_infinity_are_null_and_an_error(decode: DecodeCommand, raw: str) -> None:
    found = one(decode, "COMP-1", bytes.fromhex(raw), "--floats", "ieee")
    assert found == {"F": None, "_errors": [{"field": "F", "code": "FLOAT_INVALID", "hex": raw}]}


def test_an_error_in_a_table_says_in_which_element(decode: DecodeCommand) -> None:
    copybook = "01  R.\n    05  T OCCURS 3.\n        10  N PIC 9."
    (found,) = decode.fields(copybook, e("1?3"))
    assert found == {
        "T": [{"N": 1}, {"N": None}, {"N": 3}],
        "_errors": [{"field": "N", "code": "PACKED_INVALID", "hex": "6F", "index": [2]}],
    }


@pytest.mark.parametrize(
    ("signs", "nibble", "value"),
    [
        *[("ibm", nibble, 12) for nibble in "ACEF"],
        *[("ibm", nibble, -12) for nibble in "BD"],
        *[("strict", nibble, 12) for nibble in "CF"],
        ("strict", "D", -12),
        *[("strict", nibble, None) for nibble in "ABE"],
    ],
)
def test_signs_follow_the_policy(decode: DecodeCommand, signs: str, nibble: str, value: int | None) -> None:
    assert one(decode, "PIC S9(3) COMP-3", bytes.fromhex(f"012{nibble}"), "--signs", signs)["F"] == value
    assert one(decode, "PIC S9(2)", bytes.fromhex(f"F1{nibble}2"), "--signs", signs)["F"] == value


@pytest.mark.parametrize(("trim", "text"), [("both", "A B"), ("left", "A B  "), ("right", " A B"), ("none", " A B  ")])
def test_text_is_trimmed_as_asked(decode: DecodeCommand, trim: str, text: str) -> None:
    assert one(decode, "PIC X(6)", e(" A B  "), "--trim", trim) == {"F": text}


def test_pound_and_euro_are_where_the_british_code_page_has_them(decode: DecodeCommand) -> None:
    assert one(decode, "PIC X(2)", b"\x5b\x9f") == {"F": "£€"}


def test_ascii_files_have_ascii_digits_and_signs(decode: DecodeCommand) -> None:
    copybook = (
        "01  R.\n    05  A PIC X(3).\n    05  B PIC 9(3).\n    05  C PIC S9(2).\n    05  D PIC S9 LEADING SEPARATE."
    )
    (found,) = decode.fields(copybook, b"abc0121}-5", "--encoding", "ascii")
    assert found == {"A": "abc", "B": 12, "C": -10, "D": -5}


def test_text_of_several_bytes_a_character_goes_through_its_codec(decode: DecodeCommand) -> None:
    assert one(decode, "PIC X(6)", "né€".encode(), "--encoding", "utf-8") == {"F": "né€"}
    assert one(decode, "PIC N(3)", "né ".encode("utf-16-be")) == {"F": "né"}
    assert one(decode, "PIC G(2) USAGE DISPLAY-1", "日本".encode("shift_jis"), "--encoding", "shift_jis") == {
        "F": "日本"
    }


FILLERS = """
01  R.
    05  A PIC X.
    05  FILLER PIC X.
    05  FILLER.
        10  B PIC X.
        10  FILLER PIC X.
    05  PIC X.
"""


def test_fillers_are_dropped_but_not_the_fields_in_a_filler_group(decode: DecodeCommand) -> None:
    assert decode.fields(FILLERS, e("a1b23")) == [{"A": "a", "FILLER": {"B": "b"}}]


def test_kept_fillers_have_keys_that_begin_with_filler(decode: DecodeCommand) -> None:
    assert decode.fields(FILLERS, e("a1b23"), "--fillers", "keep") == [
        {"A": "a", "FILLER": "1", "FILLER-2": {"B": "b", "FILLER": "2"}, "FILLER-3": "3"}
    ]


ODO = """
01  R.
    05  N PIC 9.
    05  T PIC X OCCURS 0 TO 3 TIMES DEPENDING ON N.
    05  Z PIC X(2).
"""


@pytest.mark.parametrize(
    ("data", "items"), [("0zz", []), ("1azz", ["a"]), ("3abczz", ["a", "b", "c"])], ids=["none", "one", "most"]
)
def test_depending_on_moves_the_fields_behind_it(decode: DecodeCommand, data: str, items: list[str]) -> None:
    assert decode.fields(ODO, big(e(data)), "--record-format", "V") == [{"N": int(data[0]), "T": items, "Z": "zz"}]


def test_depending_on_moves_nothing_where_tables_take_their_largest_size(decode: DecodeCommand) -> None:
    assert decode.fields(ODO, e("1a--zz"), "--odo", "max") == [{"N": 1, "T": ["a"], "Z": "zz"}]


def test_a_count_out_of_its_range_is_named_and_the_table_ends_at_its_largest_size(decode: DecodeCommand) -> None:
    (found,) = decode.fields(ODO, big(e("4abczz")), "--record-format", "V")
    assert found["T"] == ["a", "b", "c"]
    assert found["_errors"] == [{"field": "N", "code": "COUNT_INVALID", "hex": "F4"}]


def test_a_fixed_record_with_depending_on_has_the_largest_length(decode: DecodeCommand) -> None:
    found = decode(ODO, e("0zz   1azz  "))
    assert [(record["_length"], record["Z"]) for record in found] == [(6, "zz"), (6, "zz")]


def test_a_field_past_the_end_of_a_short_record_is_null_and_a_cut_text_shows_what_is_there(
    decode: DecodeCommand,
) -> None:
    copybook = "01  R.\n    05  A PIC X(3).\n    05  B PIC 9(2).\n    05  C PIC S9(4) COMP.\n    05  T PIC X OCCURS 2."
    records = b"".join(map(big, [e("ab"), e("abc"), e("abc1"), e("abc12") + b"\0\1" + e("x")]))
    assert decode.fields(copybook, records, "--record-format", "V") == [
        {"A": "ab", "B": None, "C": None, "T": [None, None]},
        {"A": "abc", "B": None, "C": None, "T": [None, None]},
        {
            "A": "abc", "B": None, "C": None, "T": [None, None],
            "_errors": [{"field": "B", "code": "PACKED_INVALID", "hex": "F1"}],
        },
        {"A": "abc", "B": 12, "C": 1, "T": ["x", None]},
    ]  # fmt: skip


def test_a_record_with_an_invalid_value_is_left_out_and_reported_where_asked_for(decode: DecodeCommand) -> None:
    bad = e("0000?") + e("CARL    ") + bytes.fromhex("00000C")
    found = decode(CUSTOMER, ANNA + bad + BERT, "--where-invalid", "reject")
    assert [record["_record"] for record in found] == [1, 3]
    assert "record 2 at offset 16" in decode.errors
    assert "CUSTOMER-ID PACKED_INVALID" in decode.errors
    assert "CARL" not in decode.errors


def test_limit_ends_the_output(decode: DecodeCommand) -> None:
    assert [record["_record"] for record in decode(CUSTOMER, (ANNA + BERT) * 5, "--limit", "3")] == [1, 2, 3]
    assert decode(CUSTOMER, ANNA, "--limit", "0") == []


def test_a_missing_data_file_or_copybook_exits_3(decode: DecodeCommand) -> None:
    decode.text(CUSTOMER, ANNA)
    copybook = str(decode.folder / "file.cpy")
    assert decode.run(str(decode.folder / "none.dat"), "--copybook", copybook, code=3) == ""
    assert decode.run(str(decode.folder / "file.dat"), "--copybook", f"{copybook}x", code=3) == ""


@pytest.mark.parametrize(
    "options",
    [
        ["--record-format", "X"],
        ["--encoding", "cp9999"],
        ["--rdw", "middle"],
        ["--to", "xml"],
        ["--signs", "loose"],
        ["--segment", "CUSTOMER"],
        ["--segment", "CUSTOMER=1"],
        ["--segment-field", "NOBODY"],
        ["--segment-field", "NAME", "--segment", "NOBODY=1"],
        ["--segment-field", "NAME", "--segment", "CUSTOMER=1", "--segment-parent", "CUSTOMER=CUSTOMER"],
        ["--record-length-field", "NAME"],
    ],
)
def test_an_unknown_choice_exits_2(decode: DecodeCommand, options: list[str]) -> None:
    decode.text(CUSTOMER, ANNA, *options, code=2)


def test_a_faulty_copybook_exits_2_and_names_every_fault(decode: DecodeCommand) -> None:
    decode.text("01  R.\n    05  A PIC Q.\n    05  B PIC 9(.", b"", code=2)
    assert "file.cpy:2:" in decode.errors
    assert "file.cpy:3:" in decode.errors


@pytest.mark.parametrize("form", ["F", "FB", "V", "VB", "D"])
def test_an_empty_file_gives_no_records(decode: DecodeCommand, form: str) -> None:
    assert decode(CUSTOMER, b"", "--record-format", form) == []


def test_several_files_follow_each_other(decode: DecodeCommand) -> None:
    (decode.folder / "second.dat").write_bytes(BERT)
    decode.text(CUSTOMER, ANNA)
    names = [str(decode.folder / name) for name in ("file.dat", "second.dat")]
    found = decode.run(*names, "--copybook", str(decode.folder / "file.cpy"))
    assert [line[:12] for line in found.splitlines()] == ['{"_record":1', '{"_record":1']
