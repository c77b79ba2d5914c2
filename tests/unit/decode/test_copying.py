"""COPY … REPLACING, RENAMES, constants, and the quirks of copybooks found in the wild."""

from pathlib import Path

import pytest

from integrationhub.decode.copybook import Copybook, parse_copybook
from integrationhub.errors import ConfigurationError
from tests.unit.decode.commands import DecodeCommand, e


def fixed(text: str) -> str:
    return "".join(f"       {line}\n" for line in text.strip("\n").split("\n"))


def parsed(text: str, **copied: str) -> Copybook:
    def library(name: str) -> tuple[str, str] | None:
        key = name.replace("-", "_").upper()
        return (f"{name.lower()}.cpy", fixed(copied[key])) if key in copied else None

    return parse_copybook(fixed(text), name="main.cpy", library=library)


def fields(copybook: Copybook) -> dict[str, tuple[int, int]]:
    return {item.written: (item.offset, item.length) for record in copybook.records for item in record.walk()}


def faults(text: str, **copied: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parsed(text, **copied)
    return list(caught.value.faults)


def test_copy_puts_the_text_of_another_copybook_in_its_place() -> None:
    found = parsed("01  R.\nCOPY PART-A.\n    05  Z PIC X.", PART_A="05  A PIC X(3).\n    05  B PIC X.")
    assert fields(found) == {"R": (0, 5), "A": (0, 3), "B": (3, 1), "Z": (4, 1)}


REPLACING = [
    ("==:TAG:== BY ==CUST==", "05  :TAG:-NAME PIC X.", {"CUST-NAME"}),
    ("==(TAG)== BY ==CUST==", "05  (TAG)-NAME PIC X.", {"CUST-NAME"}),
    ("'TAG' BY CUST", "05  'TAG' PIC X.", {"CUST"}),
    ("OLD-NAME BY NEW-NAME", "05  old-name PIC X.\n05  OLD-NAME-2 PIC X.", {"NEW-NAME", "OLD-NAME-2"}),
    ("LEADING ==OLD== BY ==NEW==", "05  OLD-A PIC X.\n05  X-OLD PIC X.", {"NEW-A", "X-OLD"}),
    ("TRAILING ==-OLD== BY ==-NEW==", "05  A-OLD PIC X.\n05  OLD PIC X.", {"A-NEW", "OLD"}),
    ("LEADING ==WS-== BY ====", "05  WS-A PIC X.", {"A"}),
    ("==PIC X== BY ==PIC X(9)==", "05  A   PIC\n    X.", {"A"}),
    ("==A== BY ==B== ==C== BY ==D==", "05  A PIC X.\n05  C PIC X.", {"B", "D"}),
    ("==A== BY ==B==, ==B== BY ==C==", "05  A PIC X.\n05  B PIC X.", {"B", "C"}),
]


@pytest.mark.parametrize(("clause", "text", "names"), REPLACING)
def test_replacing_changes_words_pseudo_text_and_parts_of_words(clause: str, text: str, names: set[str]) -> None:
    found = parsed(f"01  R.\nCOPY PART REPLACING {clause}.", PART=text)
    assert set(fields(found)) - {"R"} == names


def test_replacing_reaches_numbers_and_pictures() -> None:
    found = parsed("01  R.\nCOPY PART REPLACING ==:LEN:== BY ==7==.", PART="05  A PIC X(:LEN:).")
    assert fields(found)["A"] == (0, 7)


def test_copies_nest_and_the_replacing_outside_reaches_in() -> None:
    found = parsed(
        "01  R.\nCOPY OUTER REPLACING ==:P:== BY ==X==.",
        OUTER="05  :P:-G.\nCOPY INNER OF LIB SUPPRESS.",
        INNER="10  :P:-A PIC X.",
    )
    assert list(fields(found)) == ["R", "X-G", "X-A"]


def test_a_fault_in_a_copied_text_names_that_file() -> None:
    (fault,) = faults("01  R.\nCOPY PART.", PART="05  A PIC X.\n05  B PIC 9(.")
    assert fault.startswith("part.cpy:2:18: expected a picture symbol")


def test_copies_that_can_not_be_carried_out_are_faults_all_of_them() -> None:
    text = "01  R.\nCOPY NOWHERE.\nCOPY LOOP.\nCOPY PART REPLACING A.\nCOPY PART REPLACING ==A BY ==B.\nCOPY"
    assert [fault.split(": ", 1)[1] for fault in faults(text, LOOP="COPY LOOP.", PART="05  A PIC X.")] == [
        "expected a copybook 'NOWHERE' in the copy paths, found none",
        "expected BY, found '.'",
        "expected BY, found 'B'",
        "expected a copybook name, found end of the copybook",
        "expected a copybook that doesn't copy itself, found 'LOOP'",
    ]


def test_copy_paths_are_searched_in_turn_for_the_name_and_the_name_with_cpy_in_any_case(
    decode: DecodeCommand, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    (first / "part-a.CPY").write_text(fixed("05  A PIC X."))
    (second / "PART-A").write_text(fixed("05  WRONG PIC X."))
    (second / "PART-B").write_text(fixed("05  B PIC X."))
    (second / "PART-B.cpy").write_text(fixed("05  WRONG PIC X."))
    paths = ["--copy-path", str(first), "--copy-path", str(second)]
    assert decode.fields("01  R.\nCOPY Part-A.\nCOPY 'PART-B'.", e("xy"), *paths) == [{"A": "x", "B": "y"}]
    decode.text("01  R.\nCOPY PART-A.", e("x"), code=2)


def test_constants_give_lengths_and_numbers_of_elements() -> None:
    found = parsed("78  LEN VALUE 4.\n78  MOST VALUE 3.\n01  R.\n    05  A PIC X(LEN) OCCURS MOST TIMES.")
    assert found.records[0].length == 12
    assert found.constants == (("LEN", "4"), ("MOST", "3"))


def test_renames_are_kept_with_their_bytes() -> None:
    found = parsed(
        "01  R.\n    05  A PIC X(2).\n    05  B PIC X(3).\n    05  C PIC X.\n"
        "66  BC RENAMES B THRU C.\n66  AA RENAMES A."
    )
    assert [(one.name, one.offset, one.length) for one in found.renames] == [("BC", 2, 4), ("AA", 0, 2)]
    assert "expected an item 'Q'" in faults("01  R.\n    05  A PIC X.\n66  B RENAMES Q.")[0]
    assert "expected 'A' behind 'B'" in faults("01  R.\n    05  A PIC X.\n    05  B PIC X.\n66  C RENAMES B THRU A.")[0]


QUIRKS = [
    "1  R.\n  5  A PIC X(0002).\n  5  B PIC S9(7)V99 COMP-3.",
    "05  A PIC X(2).\n05  B PIC S9(7)V99 USAGE IS COMPUTATIONAL-3.",
    "01  R\n    05  A PIC XX\n    05  B PIC S9(7)V99 PACKED-DECIMAL",
    "01  R.\n    05  A PIC X(2) VALUE\n        'AB'.\n    05  B PIC S9(7)V9(2) COMP-3\n        VALUE ZERO.",
    "01  R.\n    10  A PIC X(2).\n    05  B PIC S9(7)V99 COMP-3.",
    "01  R.\n    05  A PIC XX.\n        88  Y VALUES 'A' 'B',\n            'C' THRU 'F'.\n    05  B PIC S9(9) COMP-3.",
    "EXEC SQL DECLARE T TABLE (A CHAR(2)) END-EXEC.\n01  R.\n    05  A PIC XX.\n    05  B PIC S9(7)V99 COMP-3.",
    "    EJECT\n01  R.\n    SKIP2\n    05  A PIC XX.\n    05  B PIC S9(7)V99 COMP-3.",
    "01  R.\n    05  A PIC XX.\t\n\t    05  B PIC S9(7)V99 COMP-3.",
]


@pytest.mark.parametrize("text", QUIRKS)
def test_copybooks_are_understood_as_people_write_them(text: str) -> None:
    for variant in (text, text.lower()):
        found = fields(parsed(variant))
        assert (found.get("A") or found["a"], found.get("B") or found["b"]) == ((0, 2), (2, 5))


def test_columns_1_to_6_and_past_72_are_ignored_and_comments_read_over() -> None:
    text = (
        "000100 01  R.".ljust(72)
        + "CHANGED\n"
        + "*******    05  X PIC X.\n"
        + "000200     05  A PIC X(\n000300-    3).\n"
        + "XYZABC/    05  Y PIC X.\n"
        + "           05  B PIC X. *> remark\n"
    )
    assert fields(parse_copybook(text)) == {"R": (0, 4), "A": (0, 3), "B": (3, 1)}


def test_free_source_format_is_read_where_it_is_announced() -> None:
    text = ">>SOURCE FORMAT IS FREE\n01 R.\n05 A PIC X(3). *> remark\n" + " " * 80 + "05 B PIC X.\n"
    assert fields(parse_copybook(text)) == {"R": (0, 4), "A": (0, 3), "B": (3, 1)}
