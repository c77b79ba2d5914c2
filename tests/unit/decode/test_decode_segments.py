"""`integrationhub decode`: redefinitions, several 01 levels, records below records, and CSV and Parquet."""

import csv
import io
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.decode.commands import DecodeCommand, big, e

ENTITY = """
01  ENTITY.
    05  KIND         PIC X.
    05  COMPANY.
        10  NAME     PIC X(4).
    05  DEPT REDEFINES COMPANY.
        10  TITLE    PIC X(4).
    05  EMPLOYEE REDEFINES COMPANY.
        10  NUMBER-9 PIC 9(3).
        10  FILLER   PIC X.
"""
KINDS = ["--segment-field", "kind", "--segment", "COMPANY=C", "--segment", "dept=D,d", "--segment", "EMPLOYEE=E"]
TREE = [*KINDS, "--segment-parent", "DEPT=COMPANY", "--segment-parent", "EMPLOYEE=DEPT"]


def test_every_redefinition_is_shown_without_segments(decode: DecodeCommand) -> None:
    assert decode.fields(ENTITY, e("C123 ")) == [
        {"KIND": "C", "COMPANY": {"NAME": "123"}, "DEPT": {"TITLE": "123"}, "EMPLOYEE": {"NUMBER-9": 123}}
    ]


def test_redefinitions_named_for_other_values_are_left_out_and_not_judged(decode: DecodeCommand) -> None:
    assert decode.fields(ENTITY, e("CACMEdTAX E007 X????"), *KINDS) == [
        {"KIND": "C", "COMPANY": {"NAME": "ACME"}},
        {"KIND": "d", "DEPT": {"TITLE": "TAX"}},
        {"KIND": "E", "EMPLOYEE": {"NUMBER-9": 7}},
        {"KIND": "X"},
    ]


def test_a_redefinition_that_no_segment_names_is_shown_in_every_record(decode: DecodeCommand) -> None:
    found = decode.fields(ENTITY, e("C123 "), "--segment-field", "KIND", "--segment", "DEPT=D")
    assert found == [{"KIND": "C", "COMPANY": {"NAME": "123"}, "EMPLOYEE": {"NUMBER-9": 123}}]


EXPORT = """
01  EXPORT-RECORD.
    05  REC-TYPE                PIC X(1).
    05  STAMP                   PIC X(4).
    05  STAMP-R REDEFINES STAMP.
        10  YEAR                PIC 9(4).
    05  RECORD-DATA             PIC X(8).
    05  CUSTOMER-DATA REDEFINES RECORD-DATA.
        10  CUST-ID             PIC 9(09) COMP.
        10  PHONES OCCURS 2 TIMES.
            15  PHONE           PIC X(2).
    05  ACCOUNT-DATA REDEFINES RECORD-DATA.
        10  LIMIT-X             PIC S9(03)V99.
        10  BALANCE             PIC S9(3)V99 COMP-3.
"""


def test_an_export_file_shows_each_record_by_its_own_redefinition(decode: DecodeCommand) -> None:
    customer = e("C2024") + (77).to_bytes(4) + e("abcd")
    account = e("A2024") + e("0123D") + bytes.fromhex("00150D")
    options = ["--segment-field", "REC-TYPE", "--segment", "CUSTOMER-DATA=C", "--segment", "ACCOUNT-DATA=A"]
    first, second = decode.fields(EXPORT, customer + account, *options)
    assert first.pop("RECORD-DATA").endswith("abcd")
    assert first == {
        "REC-TYPE": "C", "STAMP": "2024", "STAMP-R": {"YEAR": 2024},
        "CUSTOMER-DATA": {"CUST-ID": 77, "PHONES": [{"PHONE": "ab"}, {"PHONE": "cd"}]},
    }  # fmt: skip
    assert second["ACCOUNT-DATA"] == {"LIMIT-X": Decimal("12.34"), "BALANCE": Decimal("-1.50")}
    assert "_errors" not in second


@pytest.mark.parametrize(
    ("clauses", "one", "two"),
    [("PIC 9(2)", e("01"), e("02")), ("PIC S9(3) COMP-3", b"\0\x1c", b"\0\x2c"), ("PIC 9 COMP", b"\0\1", b"\0\2")],
)
def test_a_numeric_segment_field_compares_as_a_number(
    decode: DecodeCommand, clauses: str, one: bytes, two: bytes
) -> None:
    copybook = f"01  R.\n    05  K {clauses}.\n    05  A PIC X.\n    05  B REDEFINES A PIC 9."
    options = ["--segment-field", "K", "--segment", "A=1", "--segment", "B=2"]
    assert decode.fields(copybook, one + e("x") + two + e("7"), *options) == [{"K": 1, "A": "x"}, {"K": 2, "B": 7}]


LEVELS = """
01  HEAD.
    05  KIND   PIC X.
    05  TITLE  PIC X(4).
01  ROW.
    05  KIND   PIC X.
    05  SUM-1  PIC 9(4).
"""


def test_several_01_levels_share_the_records_bytes(decode: DecodeCommand) -> None:
    assert decode.fields(LEVELS, e("R0012")) == [{"KIND": "R", "TITLE": "0012", "KIND-2": "R", "SUM-1": 12}]


def test_a_segment_names_the_01_level_of_a_record(decode: DecodeCommand) -> None:
    options = ["--segment-field", "KIND", "--segment", "HEAD=H", "--segment", "ROW=R"]
    assert decode.fields(LEVELS, e("HABCDR0012"), *options) == [
        {"KIND": "H", "TITLE": "ABCD"}, {"KIND": "R", "SUM-1": 12}
    ]  # fmt: skip


def test_children_are_lists_under_their_name_inside_the_parents_group(decode: DecodeCommand) -> None:
    data = e("CACME" + "dTAX " + "E001 " + "E002 " + "DLAW " + "CBETA" + "DPAY " + "E003 ")
    found = decode(ENTITY, data, *TREE)
    assert [record["_record"] for record in found] == [1, 6]
    assert [record["COMPANY"] for record in found] == [
        {
            "NAME": "ACME",
            "DEPT": [
                {"TITLE": "TAX", "EMPLOYEE": [{"NUMBER-9": 1}, {"NUMBER-9": 2}]},
                {"TITLE": "LAW", "EMPLOYEE": []},
            ],
        },
        {"NAME": "BETA", "DEPT": [{"TITLE": "PAY", "EMPLOYEE": [{"NUMBER-9": 3}]}]},
    ]


def test_01_levels_nest_as_well(decode: DecodeCommand) -> None:
    options = ["--segment-field", "KIND", "--segment", "HEAD=H", "--segment", "ROW=R", "--segment-parent", "ROW=HEAD"]
    assert decode.fields(LEVELS, e("HABCDR0012R0013HEFGH"), *options) == [
        {"KIND": "H", "TITLE": "ABCD", "ROW": [{"KIND": "R", "SUM-1": 12}, {"KIND": "R", "SUM-1": 13}]},
        {"KIND": "H", "TITLE": "EFGH", "ROW": []},
    ]


def test_a_child_without_a_parent_and_a_record_of_no_segment_are_lines_of_their_own(decode: DecodeCommand) -> None:
    found = decode(ENTITY, e("E001 X????CACMEX????DTAX "), *TREE)
    assert [(record["_record"], record["KIND"]) for record in found] == [(1, "E"), (2, "X"), (3, "C"), (4, "X")]
    assert found[2]["COMPANY"]["DEPT"] == [{"TITLE": "TAX", "EMPLOYEE": []}]


def test_children_find_their_parent_across_batches(decode: DecodeCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrationhub.decode.recordfile.CHUNK", 16)
    found = decode(ENTITY, e("CACME" + "DTAX " * 9 + "CBETA"), *TREE)
    assert [len(record["COMPANY"]["DEPT"]) for record in found] == [9, 0]


def test_a_bad_field_of_a_child_is_named_in_the_child(decode: DecodeCommand) -> None:
    (found,) = decode(ENTITY, e("CACMEDTAX E00? "), *TREE)
    assert "_errors" not in found
    assert found["COMPANY"]["DEPT"][0]["EMPLOYEE"] == [
        {"NUMBER-9": None, "_errors": [{"field": "NUMBER-9", "code": "PACKED_INVALID", "hex": "F0F06F"}]}
    ]


def test_a_child_left_out_is_missing_from_its_list_with_what_stands_below_it(decode: DecodeCommand) -> None:
    found = decode(ENTITY, e("CACMEDTAX E00? E002 "), *TREE, "--where-invalid", "reject")
    assert found[0]["COMPANY"]["DEPT"] == [{"TITLE": "TAX", "EMPLOYEE": [{"NUMBER-9": 2}]}]


TABLES = """
01  R.
    05  AMOUNT  PIC S9(3)V99.
    05  G.
        10  TEXT-1  PIC X(3).
        10  CODES   PIC X OCCURS 2.
    05  T OCCURS 2.
        10  N       PIC 9.
    05  H           PIC 9(2)PP.
"""


def test_csv_has_a_column_for_each_field_and_disarms_formulas(decode: DecodeCommand) -> None:
    text = decode.text(TABLES, e("0012L=A1xy1214" + "0001{b  zz1 00"), "--to", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0] == {
        "_record": "1", "_offset": "0", "_length": "14", "AMOUNT": "-1.23", "G.TEXT-1": "'=A1", "G.CODES": "x;y",
        "T": '[{"N":1},{"N":2}]', "H": "1400", "_errors": "",
    }  # fmt: skip
    assert rows[1]["AMOUNT"] == "0.10"
    assert rows[1]["T"] == '[{"N":1},{"N":null}]'


def test_parquet_has_groups_as_structures_tables_as_lists_and_exact_decimals(decode: DecodeCommand) -> None:
    out = decode.folder / "out.parquet"
    assert decode.text(TABLES, e("0012L=A1xy1214" + "0?01{b  zz1 00"), "--to", "parquet", "--out", str(out)) == ""
    rows: list[dict[str, Any]] = pq.read_table(out).to_pylist()
    assert rows[0] == {
        "_record": 1, "_offset": 0, "_length": 14, "AMOUNT": Decimal("-1.23"),
        "G": {"TEXT-1": "=A1", "CODES": ["x", "y"]}, "T": [{"N": 1}, {"N": 2}], "H": Decimal(1400), "_errors": None,
    }  # fmt: skip
    assert rows[1]["_errors"] == [{"field": "AMOUNT", "code": "PACKED_INVALID", "hex": "F06FF0F1C0"}]


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_tables_keep_one_shape_over_records_of_several_01_levels(decode: DecodeCommand, to: str) -> None:
    out = decode.folder / "out"
    options = ["--segment-field", "KIND", "--segment", "HEAD=H", "--segment", "ROW=R", "--to", to, "--out", str(out)]
    decode.text(LEVELS, e("HABCDR0012HEFGH"), *options)
    if to == "csv":
        assert out.read_text().splitlines() == [
            "_record,_offset,_length,KIND,TITLE,KIND-2,SUM-1,_errors",
            "1,0,5,H,ABCD,,,",
            "2,5,5,,,R,12,",
            "3,10,5,H,EFGH,,,",
        ]
    else:
        assert [row["SUM-1"] for row in pq.read_table(out).to_pylist()] == [None, 12, None]


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_an_empty_file_gives_a_table_without_rows(decode: DecodeCommand, to: str) -> None:
    out = decode.folder / "out"
    decode.text(TABLES, b"", "--to", to, "--out", str(out))
    assert (out.read_text().count("\n") == 1) if to == "csv" else (pq.read_table(out).num_rows == 0)


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_limit_and_reject_hold_for_tables_too(decode: DecodeCommand, to: str) -> None:
    out = decode.folder / "out"
    options = ["--to", to, "--out", str(out), "--limit", "2", "--where-invalid", "reject"]
    decode.text("01  R.\n    05  N PIC 9.", e("?1?234"), *options)
    found = (
        [int(line.split(",")[3]) for line in out.read_text().splitlines()[1:]]
        if to == "csv"
        else pq.read_table(out)["N"].to_pylist()
    )
    assert found == [1, 2]


def test_children_are_written_as_json_lines_only(decode: DecodeCommand) -> None:
    decode.text(ENTITY, b"", *TREE, "--to", "csv", code=2)


def test_a_file_that_can_not_be_finished_leaves_no_output_file(decode: DecodeCommand) -> None:
    out = decode.folder / "out.jsonl"
    decode.text(ENTITY, big(e("CACME")) + b"\0", "--record-format", "V", "--out", str(out), code=7)
    assert not out.exists()
