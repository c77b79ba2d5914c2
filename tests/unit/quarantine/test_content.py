"""Bodies as paths and values: shapes, differences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.quarantine.content import changes, has_shape, leaves, shape

XML = b'<e:Event xmlns:e="urn:x" seq="4"><e:Receipt amount="12.50"><e:note>Paid</e:note><e:note/></e:Receipt></e:Event>'


def _pairs(body: bytes) -> list[tuple[str, str | None]]:
    return [(leaf.path, leaf.value) for leaf in leaves(body)]


def test_json_gives_a_path_to_every_value_as_it_was_written() -> None:
    body = b'{"debt": {"amount": 12.50, "parts": [1e2, null, true]}, "ref": ""}'
    assert _pairs(body) == [
        ("debt.amount", "12.50"),
        ("debt.parts", "1e2"),
        ("debt.parts", None),
        ("debt.parts", "true"),
        ("ref", ""),
    ]


def test_xml_gives_attributes_and_texts_by_local_names() -> None:
    assert _pairs(XML) == [
        ("Event.@seq", "4"),
        ("Event.Receipt.@amount", "12.50"),
        ("Event.Receipt.note", "Paid"),
        ("Event.Receipt.note", ""),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        b"<a>",
        b'{"a":',
        b"[" * 100_000,
    ],
)
def test_what_is_no_sound_document_is_read_as_lines_at_most(body: bytes) -> None:
    assert [leaf.path for leaf in leaves(body)] == ["line 1"]


def test_bytes_and_very_large_bodies_tell_their_size_only() -> None:
    assert _pairs(b"\x00\x01\xff") == [("(body)", "3 bytes")]
    assert _pairs(b" " * (1 << 20) + b"x") == [("(body)", "1048577 bytes")]


def test_a_shape_hides_every_letter_and_digit() -> None:
    assert shape("QQ123456C Smith £12.50") == "AA999999A Aaaaa £99.99"
    assert shape("9" * 50) == "9" * 40 + "… (50 characters)"


@given(st.text())
def test_no_shape_holds_another_digit_than_nine_or_another_letter_than_a(value: str) -> None:
    shown = shape(value).partition("…")[0]
    assert not {letter for letter in shown if letter.isalpha()} - {"A", "a"}
    assert not {digit for digit in shown if digit.isdecimal()} - {"9"}


@given(st.binary(max_size=200))
def test_any_bytes_can_be_taken_apart(body: bytes) -> None:
    assert all(leaf.path for leaf in leaves(body)) or body.lstrip()[:1] == b"["


@pytest.mark.parametrize(
    ("value", "wanted", "holds"),
    [
        (None, "null", True), ("", "null", False), (" ", "empty", True), ("12.50", "number", True),
        ("12,50", "number", False), ("2026-03-01", "date", True), ("2026-03-01T10:00:00Z", "date", True),
        ("Paid", "text", True), ("12", "text", False), ("AB12", "AA99", True), ("AB123", "AA99", False),
        (None, "AA99", False), (None, "text", False),
    ],
)  # fmt: skip
def test_values_are_told_by_class_or_exact_shape(value: str | None, wanted: str, holds: bool) -> None:
    assert has_shape(value, wanted) is holds


def test_a_difference_tells_each_value_that_was_altered_added_or_left_out() -> None:
    before = b'{"amount": "12.50", "list": [1, 2], "gone": "x", "same": "y"}'
    after = b'{"amount": "13.50", "list": [1], "new": null, "same": "y"}'
    assert [change.line(unmasked=True) for change in changes(before, after)] == [
        "amount: 12.50 → 13.50",
        "list: 2 → nothing",
        "gone: x → nothing",
        "new: nothing → null",
    ]


def test_a_masked_difference_of_two_values_that_look_alike_says_so() -> None:
    (change,) = changes(b'{"amount": "12.50"}', b'{"amount": "13.50"}')
    assert change.line(unmasked=False) == "amount: 99.99 → 99.99 (another value of the same shape)"
