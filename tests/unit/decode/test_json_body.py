"""JSON bodies, read strictly (benefits-common.md §5)."""

import json

import pytest

from integrationhub.decode.json_body import LONG, read_body
from integrationhub.errors import RecordRejected

MIB = 1 << 20


def code_of(body: bytes) -> str:
    with pytest.raises(RecordRejected) as raised:
        read_body(body, largest=MIB)
    return raised.value.code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}" + b" " * MIB, "BODY_TOO_LARGE"),
        (b'{"a": "\xc3\x28"}', "ENCODING_INVALID"),
        (b"", "JSON_INVALID"),
        (b" ", "JSON_INVALID"),
        (b"\xef\xbb\xbf{}", "JSON_INVALID"),
        (b'{"a": NaN}', "JSON_INVALID"),
        (b'{"a": -Infinity}', "JSON_INVALID"),
        (b"[1]", "JSON_INVALID"),
        (b'"a"', "JSON_INVALID"),
        (b"null", "JSON_INVALID"),
        (b'{"a": 1} x', "JSON_INVALID"),
        (b'{"a": 1}{"a": 1}', "JSON_INVALID"),
        (b'{"a": 01}', "JSON_INVALID"),
        (b"{'a': 1}", "JSON_INVALID"),
        (b'{"a": "\x01"}', "JSON_INVALID"),
        (b'{"a": "\\ud800"}', "JSON_INVALID"),
        (b'{"\\udc00": 1}', "JSON_INVALID"),
        (b'{"a": ["\\ud83d", "x"]}', "JSON_INVALID"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "JSON_DUPLICATE_KEY"),
        (b'{"a": 1, "\\u0061": 1}', "JSON_DUPLICATE_KEY"),
        (b'{"a": 1, "a": 2, "b": NaN}', "JSON_INVALID"),  # the syntax is judged first
        (b'{"a": 1, "a": 2} x', "JSON_INVALID"),
        (b'{"a":' * 32 + b"{}" + b"}" * 32, "JSON_TOO_DEEP"),
    ],
)
def test_what_two_readers_could_understand_in_two_ways_is_refused(body: bytes, code: str) -> None:
    assert code_of(body) == code


def test_a_bottomless_body_is_refused_and_nothing_breaks() -> None:
    assert code_of(b"[" * 100_000) in {"JSON_TOO_DEEP", "JSON_INVALID"}
    assert code_of(b'{"a":' * 100_000) in {"JSON_TOO_DEEP", "JSON_INVALID"}


def test_the_deepest_and_the_widest_bodies_that_are_allowed_are_read() -> None:
    deepest = b'{"a":' * 31 + b"{}" + b"}" * 31
    assert read_body(deepest, largest=MIB) == json.loads(deepest)
    wide = json.dumps({"a": [{}] * 100, "b": [[1], [2]] * 50}).encode()
    assert read_body(wide, largest=MIB) == json.loads(wide)


def test_whole_numbers_of_more_than_18_digits_are_marked_however_long_they_are() -> None:
    found = read_body(b'{"a": 999999999999999999, "b": -1000000000000000000, "c": %s}' % (b"9" * 5_000), largest=MIB)
    assert found == {"a": 999_999_999_999_999_999, "b": LONG, "c": LONG}


def test_whole_surrogate_pairs_and_every_other_escape_are_text() -> None:
    assert read_body(b'{"a": "\\ud83d\\ude00 \\u00e9 \\\\ud800"}', largest=MIB) == {"a": "\U0001f600 é \\ud800"}


def test_no_error_tells_what_stood_in_the_body() -> None:
    for body in (b'{"secret": 1, "secret": 2}', b'{"secret"', b'{"secret": "\xff"}'):
        with pytest.raises(RecordRejected) as raised:
            read_body(body, largest=MIB)
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
