import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.decode.copybook import parse_copybook
from integrationhub.errors import ConfigurationError


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_copybook(text, name="bad.cpy")
    assert caught.value.exit_code == 2
    return list(caught.value.faults)


def test_all_faults_are_named_with_file_line_column_and_what_was_expected() -> None:
    text = (
        "       01  A.\n"
        "           05  B PIC X(.\n"
        "           05  C PIC 9Q.\n"
        "           05  D OCCURS 3 TO 2 TIMES PIC X.\n"
        "           05  E FOO.\n"
        "           99  F PIC X.\n"
        "           05  G PIC X PIC X.\n"
    )
    assert faults(text) == [
        "bad.cpy:2:22: expected a picture symbol, with its number in brackets if repeated, at character 2, found 'X('",
        "bad.cpy:3:22: expected picture symbols that go together; found Q, found '9Q'",
        "bad.cpy:4:25: expected DEPENDING ON behind OCCURS … TO …, found nothing",
        "bad.cpy:4:25: expected at least 3 as the largest number, found 2",
        "bad.cpy:5:18: expected a clause or a full stop, found 'FOO'",
        "bad.cpy:6:12: expected a level number 01 to 49, 66, 77, 78 or 88, found '99'",
        "bad.cpy:7:24: expected PIC once in an entry, found it again",
    ]


IN_THEIR_PLACE = [
    ([""], "1:1: expected at least one data item in columns 8 to 72, found none"),
    (["01  A."], "1:12: expected PIC on A, which has nothing below it"),
    (["01  A PIC X.", "    05  B PIC X."], "2:16: expected level 01 or lower behind an item with PIC"),
    (["01  A.", "  05  B PIC X.", "  07  C PIC X."], "3:14: expected level 05 or lower behind an item with PIC"),
    (["88  A VALUE 1."], "1:12: expected a data item in front of level 88, found none"),
    (["01  A PIC X.", "  88 B."], "2:10: expected VALUE in a level 88 entry, found '88'"),
    (
        ["01  A.", "  05  B PIC X.", "  05  C REDEFINES A PIC X."],
        "3:16: expected the item directly in front to be redefined, found 'A'",
    ),
    (
        ["01  A.", "  05  T PIC X OCCURS 0 TO 3 DEPENDING ON N."],
        "2:22: expected 'N' in front of the table in the same record, found none",
    ),
    (
        ["01  A.", "  05  N PIC X.", "  05  T PIC X OCCURS 0 TO 3 DEPENDING ON N."],
        "3:22: expected a whole number as 'N'",
    ),
    (["01  A PIC X COMP-3."], "1:20: expected a numeric picture with PACKED, found 'X'"),
    (["01  A PIC 9 SIGN LEADING."], "1:20: expected S in the picture of an item with a SIGN clause"),
    (["01  A PIC 9(39)."], "1:18: expected a number of at most 38 digits, found '9(39)'"),
    (
        ["01  A PIC 9V9V9."],
        "1:18: expected S first, then digits with at most one V, P only at one end, found '9V9V9'",
    ),
    (["01  A PIC X(0)."], "1:18: expected a repetition of at least 1, found 'X(0)'"),
    (["01  A PIC X VALUE 'OPEN."], "1:26: expected a literal, found literal without an end"),
    (
        ["01  A USAGE FOO."],
        "1:20: expected a usage (DISPLAY, COMP to COMP-6, BINARY, PACKED-DECIMAL, NATIONAL, …), found 'FOO'",
    ),
    (["01  A PIC X BLANK WHEN SPACE."], "1:31: expected ZERO, found 'SPACE'"),
    (["01  A PIC X VALUE X'C'."], "1:26: expected pairs of hexadecimal digits"),
    (["01  A PIC X VALUE X'CG'."], "1:26: expected pairs of hexadecimal digits"),
    (["01  A PIC X(999999999)."], "1:18: expected a picture with at least one character position"),
]


@pytest.mark.parametrize(("lines", "fault"), IN_THEIR_PLACE)
def test_a_fault_says_what_belongs_in_its_place(lines: list[str], fault: str) -> None:
    assert faults("".join(f"       {line}\n" for line in lines))[0].startswith(f"bad.cpy:{fault}")


WORDS = """
01 05 10 77 88 66 78 A B FILLER PIC X(3) S9(4)V99 9( Z(3).99 COMP-3 OCCURS 3 TO 5 TIMES DEPENDING ON REDEFINES VALUE
'X' ' THRU SIGN LEADING SEPARATE . SYNC BLANK WHEN ZERO INDEXED BY RENAMES - *
"""


def faults_or_lengths(text: str) -> tuple[list[str], list[int]]:
    try:
        copybook = parse_copybook(text)
    except ConfigurationError as exc:
        return list(exc.faults), []
    return [], [record.length for record in copybook.records]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*WORDS.split(), "\n"]), max_size=40))
def test_any_words_in_any_order_give_a_layout_or_faults(words: list[str]) -> None:
    found, lengths = faults_or_lengths("       " + " ".join(words).replace("\n", "\n       "))
    assert bool(found) != bool(lengths)
    assert all(fault.startswith("copybook:") for fault in found)
    assert all(length > 0 for length in lengths)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_gives_a_layout_or_faults(text: str) -> None:
    found, lengths = faults_or_lengths(text)
    assert bool(found) != bool(lengths)
