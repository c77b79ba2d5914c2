"""What a copybook alone can't say: record types, redefinitions, ODO, short records."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from integrationhub.decode.columns import Floats
from integrationhub.decode.copybook import Copybook, parse_copybook
from integrationhub.decode.copybook_file import CopybookFileDecoder
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.encode import RecordEncoder
from integrationhub.errors import ConfigurationError, RecordRejected
from integrationhub.records import DecodedBatch


def layout(*lines: str) -> Copybook:
    return parse_copybook("".join(f"       {line}\n" for line in lines))


def decode(decoder: RecordDecoder, *bodies: bytes) -> DecodedBatch:
    lengths = np.array([len(body) for body in bodies], np.int64)
    return decoder.decode(np.frombuffer(b"".join(bodies), np.uint8), np.cumsum(lengths) - lengths, lengths)


def rows(batch: DecodedBatch, name: str) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in row.items() if key[0] != "_" or key == "_index"}
        for row in batch.tables[name].to_pylist()
    ]


def text(value: str) -> bytes:
    return value.encode("cp1146")


TWO_KINDS = layout(
    "01 A.", "  05 K PIC 9(3) COMP-3.", "  05 X PIC X(2).", "01 B.", "  05 L PIC 9(3) COMP-3.", "  05 Y PIC 99."
)


def test_a_numeric_record_type_compares_as_a_number() -> None:
    decoder = RecordDecoder(TWO_KINDS, record_types={"1": "A", "007": "B", "2": "A"})
    bodies = [b"\x00\x1c" + text("ab"), b"\x00\x7f" + text("42"), b"\x00\x2f" + text("cd"), b"\x00\xaf" + text("ef")]
    batch = decode(decoder, *bodies)
    assert rows(batch, "A") == [{"K": 1, "X": "ab"}, {"K": 2, "X": "cd"}]
    assert rows(batch, "B") == [{"L": 7, "Y": 42}]


def test_rules_that_name_what_the_copybook_has_not_are_refused_all_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        RecordDecoder(
            TWO_KINDS,
            record_types={"1": "A", "2": "C"},
            record_type_field="NO-FIELD",
            redefines={"X": ("M", {"1": "Z"})},
            low_values=frozenset({"W"}),
        )
    assert list(caught.value.faults) == [
        "no 01 level C",
        "no field NO-FIELD in the first 01 level",
        "no item Z that shares its bytes with X",
        "no field M that decides how X is read",
        "no field W",
    ]


def test_several_01_levels_without_record_types_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="2 01 levels"):
        RecordDecoder(TWO_KINDS)


@pytest.mark.parametrize("value", ["toolong", "€€€", "x"])
def test_a_record_type_that_the_field_can_not_hold_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError):
        RecordDecoder(layout("01 A.", "  05 K PIC 9(3) COMP."), record_types={value: "A"})
    if value != "x":
        with pytest.raises(ConfigurationError):
            RecordDecoder(layout("01 A.", "  05 K PIC X(2)."), record_types={value: "A"})


REDEFINED = layout(
    "01 R.",
    "  05 A PIC X(4).",
    "  05 B REDEFINES A PIC 9(4).",
    "  05 C REDEFINES A.",
    "    10 D PIC X OCCURS 2.",
    "    10 E PIC S9(4) COMP.",
    "  05 KIND PIC X(9).",
)


def test_without_a_rule_every_redefinition_is_read_in_every_record() -> None:
    batch = decode(RecordDecoder(REDEFINED), text("0123A"), text("abcdB"))
    assert rows(batch, "R") == [
        {"A": "0123", "B": 123, "D": "01", "E": -3341, "KIND": "A"},
        {"A": "abcd", "B": None, "D": "ab", "E": -31868, "KIND": "B"},
    ]
    assert batch.faults["field"].to_list() == ["B"]


def test_the_deciding_field_may_stand_behind_and_several_values_may_mean_one_item() -> None:
    rule = {"A": ("KIND", {"NUMBER": "B", "FIGURES": "B", "PARTS": "C"})}
    kinds = ["NUMBER", "PARTS", "FIGURES", "OTHER"]
    decoder = RecordDecoder(REDEFINED, redefines=rule)
    batch = decode(decoder, *(text(f"0123{kind:9}") for kind in kinds))
    assert rows(batch, "R") == [
        {"B": 123, "D": None, "E": None, "KIND": "NUMBER"},
        {"B": None, "D": "01", "E": -3341, "KIND": "PARTS"},
        {"B": 123, "D": None, "E": None, "KIND": "FIGURES"},
        {"B": None, "D": None, "E": None, "KIND": "OTHER"},
    ]
    bodies = [RecordEncoder(REDEFINED, redefines=rule).encode("R", row) for row in rows(batch, "R")[:3]]
    assert rows(decode(decoder, *bodies), "R") == rows(batch, "R")[:3]


def test_the_redefined_item_itself_may_be_given_as_bytes() -> None:
    encoder = RecordEncoder(REDEFINED, redefines={"A": ("KIND", {"NUMBER": "B"})})
    assert encoder.encode("R", {"A": text("12x4"), "KIND": "NUMBER"}) == text("12x4NUMBER   ")
    with pytest.raises(RecordRejected, match="A has 4 bytes"):
        encoder.encode("R", {"A": text("12x"), "KIND": "NUMBER"})


NESTED = layout(
    "01 R.",
    "  05 KIND PIC 9.",
    "  05 T OCCURS 2.",
    "    10 N PIC 9.",
    "    10 A PIC X(3).",
    "    10 B REDEFINES A.",
    "      15 U OCCURS 0 TO 3 DEPENDING ON N PIC 9.",
)


def test_a_redefinition_inside_a_table_may_be_decided_by_the_record() -> None:
    decoder = RecordDecoder(NESTED, redefines={"A": ("KIND", {"1": "A", "2": "B"})})
    batch = decode(decoder, text("11abc2def"), text("2212303456"[:9]))
    assert rows(batch, "T") == [
        {"_index": 1, "N": 1, "A": "abc"},
        {"_index": 2, "N": 2, "A": "def"},
        {"_index": 1, "N": 2, "A": None},
        {"_index": 2, "N": 0, "A": None},
    ]
    assert rows(batch, "U") == [{"_index": 1, "U": 1}, {"_index": 2, "U": 2}]


def test_a_field_of_the_record_decides_in_its_tables_when_encoding_too() -> None:
    encoder = RecordEncoder(NESTED, redefines={"A": ("KIND", {"01": "A", "2": "B"})})
    assert encoder.encode("R", {"KIND": 1, "T": [{"A": "abc"}, {"A": "def"}]}) == text("10abc0def")
    assert encoder.encode("R", {"KIND": 2, "T": [{"N": 1, "U": [7]}]}) == text("217  0   ")
    assert encoder.encode("R", {"KIND": 3, "T": [{"N": 1, "U": [7]}]}) == text("31   0   ")


def test_a_fixed_table_of_elements_of_varying_size_is_written_whole() -> None:
    varying = layout("01 R.", "  05 T OCCURS 3.", "    10 N PIC 9.", "    10 U PIC X OCCURS 0 TO 2 DEPENDING ON N.")
    body = RecordEncoder(varying).encode("R", {"T": [{"U": "ab"}]})
    assert body == text("2ab00")
    assert [row["U"] for row in rows(decode(RecordDecoder(varying), body), "T")] == ["ab", "", ""]


VARYING = layout(
    "01 R.",
    "  05 N PIC 9.",
    "  05 T OCCURS 0 TO 3 DEPENDING ON N.",
    "    10 M PIC 9.",
    "    10 U OCCURS 1 TO 2 DEPENDING ON M PIC X(2).",
    "    10 V PIC X.",
    "  05 Z PIC X(3).",
)


def test_tables_in_tables_move_everything_behind_them() -> None:
    batch = decode(RecordDecoder(VARYING), text("21aax2bbccyend"), text("0END"))
    assert rows(batch, "R") == [{"N": 2, "Z": "end"}, {"N": 0, "Z": "END"}]
    assert rows(batch, "T") == [{"_index": 1, "M": 1, "V": "x"}, {"_index": 2, "M": 2, "V": "y"}]
    assert batch.tables["U"].drop(["_offset"]).to_pylist() == [
        {"_record": 1, "_index": 1, "_parent_index": 1, "U": "aa"},
        {"_record": 1, "_index": 1, "_parent_index": 2, "U": "bb"},
        {"_record": 1, "_index": 2, "_parent_index": 2, "U": "cc"},
    ]
    assert batch.tables["U"]["_offset"].to_pylist() == [2, 6, 8]


@pytest.mark.parametrize(
    ("body", "field"), [("13aax", "M"), ("10x", "M"), ("4", "N"), ("11aax", None), ("21aax1bby", None)]
)
def test_a_count_deep_inside_counts_for_the_length(body: str, field: str | None) -> None:
    raw = np.frombuffer(text(body), np.uint8)
    fault = RecordDecoder(VARYING).length_check(raw, np.zeros(1, np.int64), np.array([len(raw)])).first()
    assert fault is not None
    assert fault.field == field


def test_tables_take_their_largest_size_where_the_odo_mode_says_so() -> None:
    flat = layout("01 R.", "  05 N PIC 9.", "  05 T PIC X(2) OCCURS 0 TO 3 DEPENDING ON N.", "  05 Z PIC X.")
    batch = decode(RecordDecoder(flat, odo="max"), text("1aabbccz"))
    assert rows(batch, "R") == [{"N": 1, "Z": "z"}]
    assert rows(batch, "T") == [{"_index": 1, "T": "aa"}]
    assert RecordEncoder(flat, odo="max").encode("R", {"T": ["aa"], "Z": "z"}) == text("1aa    z")


def test_a_field_past_the_end_of_a_short_record_is_null_and_a_cut_text_shows_what_is_there() -> None:
    flat = layout("01 R.", "  05 A PIC X(4).", "  05 B PIC 9(2).", "  05 C PIC X.", "  05 D PIC S9(4) COMP.")
    bodies = [text("abcd12x") + b"\0\1", text("abcd12x") + b"\0", text("abcd1"), text("ab"), b""]
    batch = decode(RecordDecoder(flat, blanks="fault"), *bodies)
    assert rows(batch, "R") == [
        {"A": "abcd", "B": 12, "C": "x", "D": 1},
        {"A": "abcd", "B": 12, "C": "x", "D": None},
        {"A": "abcd", "B": None, "C": None, "D": None},
        {"A": "ab", "B": None, "C": None, "D": None},
        {"A": None, "B": None, "C": None, "D": None},
    ]
    assert not len(batch.faults)


def test_tables_of_one_name_are_told_apart_by_their_01_level() -> None:
    both = layout(
        "01 A.", "  05 K PIC X.", "  05 T PIC 9 OCCURS 2.", "01 B.", "  05 K PIC X.", "  05 T PIC 9 OCCURS 3."
    )
    decoder = RecordDecoder(both, record_types={"a": "A", "b": "B"})
    assert decoder.table_names == ("A", "A.T", "B", "B.T")
    batch = decode(decoder, text("a12"), text("b345"))
    assert [row["T"] for row in rows(batch, "A.T")] == [1, 2]
    assert [row["T"] for row in rows(batch, "B.T")] == [3, 4, 5]


def test_the_types_of_columns_follow_from_the_pictures() -> None:
    flat = layout(
        "01 R.",
        "  05 A PIC X.",
        "  05 B PIC S9(18).",
        "  05 C PIC 9(18) COMP.",
        "  05 D PIC S9(19) COMP-3.",
        "  05 E COMP-1.",
        "  05 F PIC 9(4)V99.",
    )
    schema = RecordDecoder(flat).decode(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64)).tables["R"]
    assert [field.type for field in schema.schema][3:] == [
        pa.string(),
        pa.int64(),
        pa.uint64(),
        pa.decimal128(20, 0),
        pa.float64(),
        pa.int64(),
    ]


@pytest.mark.parametrize(
    "values",
    [{"X": "abc"}, {"X": "\u4e2d"}, {"X": 5}, {"K": 1000}, {"K": -1}, {"K": "1"}, {"K": b"\0"}, {"NO-FIELD": 1}],
)
def test_a_value_that_does_not_fit_is_refused_and_not_shown(values: dict[str, Any]) -> None:
    flat = layout("01 A.", "  05 K PIC 9(3).", "  05 X PIC X(2).")
    with pytest.raises(RecordRejected) as caught:
        RecordEncoder(flat).encode("A", values)
    assert next(iter(values)) in str(caught.value)
    assert all(str(value) not in str(caught.value) for value in values.values() if value not in {5, 1, "1"})


def test_fields_that_are_not_given_have_their_value_clause_or_zero_or_blanks() -> None:
    flat = layout(
        "01 A.",
        "  05 T PIC X(2) VALUE 'RH'.",
        "  05 N PIC 9(3) VALUE 002.",
        "  05 P PIC S9(3)V9 COMP-3 VALUE -5.5.",
        "  05 Z PIC 9(2).",
        "  05 FILLER PIC X(2).",
        "  05 S PIC X(2) VALUE SPACES.",
        "  05 L PIC X(2) VALUE LOW-VALUES.",
        "  05 H PIC X(2) VALUE X'C1'.",
        "  05 Y PIC X(2) VALUE ALL ZEROES.",
        "  05 B PIC S9(4) COMP.",
    )
    expected = text("RH002") + b"\x00\x05\x5d" + text("00    ") + b"\0\0" + text("A 00") + b"\0\0"
    assert RecordEncoder(flat).encode("A", {}) == expected


@pytest.mark.parametrize("floats", ["ibm", "ieee"])
@pytest.mark.parametrize("value", [0.0, 1.0, -118.625, 2.0**-200, 1e60, 0.1])
def test_floats_read_back_in_either_format(floats: Floats, value: float) -> None:
    flat = layout("01 A.", "  05 F COMP-2.")
    body = RecordEncoder(flat, floats=floats).encode("A", {"F": value})
    assert rows(decode(RecordDecoder(flat, floats=floats), body), "A") == [{"F": pytest.approx(value, rel=1e-15)}]


def test_a_float_beyond_the_hexadecimal_range_is_refused() -> None:
    with pytest.raises(RecordRejected):
        RecordEncoder(layout("01 A.", "  05 F COMP-1.")).encode("A", {"F": 1e80})


def test_the_entry_point_bundles_copybook_framing_and_decoding() -> None:
    decoder = CopybookFileDecoder(
        "       01 R.\n           05 A PIC 9(3).\n",
        name="r.cpy",
        framing={"kind": "F", "record_length": 3},
        layout={"signs": "strict"},
    )
    data = np.frombuffer(text("123456"), np.uint8)
    frames = decoder.scan(data, 0, final=True)
    assert decoder.record_names == decoder.table_names == ("R",)
    assert decoder.length_check(data, frames.starts, frames.lengths).holds
    assert decoder.record_types_of(data, frames.starts, frames.lengths).tolist() == [0, 0]
    batch = decoder.decode(data, frames.starts, frames.lengths, first_record=5, base=90)
    assert batch.tables["R"].to_pylist() == [
        {"_record": 5, "_offset": 90, "_length": 3, "A": 123},
        {"_record": 6, "_offset": 93, "_length": 3, "A": 456},
    ]
