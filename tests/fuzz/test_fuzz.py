"""Whatever the bytes, the decoder ends in time with records or with an error of its own."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
VOCABULARY = """
    01 05 10 66 77 78 88 FILLER A B N T PIC PICTURE IS X(3) 9(5)V99 S9(4) SV9 ZZ9.99- 99/99 N(2) PPP9 COMP COMP-1
    COMP-3 COMP-6 DISPLAY SYNC OCCURS 0 3 9 TO TIMES DEPENDING ON REDEFINES RENAMES THRU VALUE VALUES ZERO SPACES 'TEXT'
    X'00' SIGN LEADING TRAILING SEPARATE JUST BLANK WHEN INDEXED BY ASCENDING KEY COPY PART REPLACING == :TAG: BY . . .
    , ; - * EXEC END-EXEC
"""
WORDS = VOCABULARY.split()

copybook_text = st.lists(
    st.tuples(
        st.sampled_from(("       ", "       ", "      -", "      *", "\t", "")), st.lists(st.sampled_from(WORDS))
    ),
    max_size=12,
).map(lambda lines: "\n".join(start + " ".join(words) for start, words in lines).encode("latin-1"))

digits = st.lists(
    st.sampled_from(b"\xf0\xf1\xf2\xf3\xf9\xc1\xd2\x40\x00\x0c\x1d\x0f\x5c\x60\x4e\x4b\xff\x15"), max_size=200
)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(copybook_text)
def test_no_words_of_a_copybook_break_the_parser_or_what_uses_its_layout(data: bytes) -> None:
    targets.copybook(data)


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    targets.copybook(data)
    targets.statement(data)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(st.integers(0, 255), st.one_of(st.binary(max_size=400), digits.map(bytes)))
def test_no_bytes_break_the_decoder_in_any_format(form: int, data: bytes) -> None:
    targets.records(bytes([form]) + data)


@pytest.mark.parametrize("data", [b";\t%OPY\t\t2\nOY\t\xb2", b"'.\x0b\t\xb3\x0b\t\xb3"])
def test_what_broke_the_parser_once_does_so_no_more(data: bytes) -> None:
    targets.copybook(data)
    targets.statement(data)


@pytest.mark.parametrize(
    "text",
    [
        "       01  A" + " OCCURS 9" * 5000,
        "       01  A PIC " + "9(" * 20_000,
        "       01  A VALUE " + "'" * 20_001,
        "       01  R.\n" + "".join(f"       {level:02d}  A.\n" for level in range(2, 50)),
        "       01  R.\n       COPY PART REPLACING " + "==A== BY ==AA== " * 2000 + ".",
        "       COPY PART.\n" * 2000,
        "       01  R.\n" + "           05  T OCCURS 9999.\n" * 3,
        "       01  A PIC X OCCURS 999999999.",
    ],
    ids=["clauses", "brackets", "quotes", "levels", "replacing", "copies", "tables", "elements"],
)
def test_long_copybooks_end_in_time(text: str) -> None:
    started = time.monotonic()
    targets.copybook(text.encode("latin-1"))
    assert time.monotonic() - started < 20
