"""Bytes and the value they stand for, one row a case; `FAULT` where they stand for none."""

from typing import Any

import numpy as np
import pytest

from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.decode.encode import RecordEncoder
from integrationhub.records import LOW_VALUES

FAULT = object()


def decoded(clauses: str, raw: bytes, **options: Any) -> object:
    copybook = parse_copybook(f"       01  R.\n           05  F  {clauses}.\n")
    decoder = RecordDecoder(copybook, **options)
    batch = decoder.decode(np.frombuffer(raw, np.uint8), np.array([0]), np.array([len(raw)]))
    value = batch.tables["R"]["F"][0].as_py()
    if len(batch.faults):
        assert value is None
        assert batch.faults.row(0, named=True) == {
            "record": 1,
            "offset": 0,
            "table": "R",
            "field": "F",
            "code": "PACKED_INVALID",
            "hex": raw.hex().upper(),
        }
        return FAULT
    return value


BOTH_POLICIES = [
    # packed: the sign is the last half byte
    ("PIC S9(3) COMP-3", "123C", 123),
    ("PIC S9(3) COMP-3", "123D", -123),
    ("PIC S9(3) COMP-3", "123F", 123),
    ("PIC 9(3) COMP-3", "123F", 123),
    ("PIC 9(3) COMP-3", "123C", 123),
    ("PIC S9(3) PACKED-DECIMAL", "000D", 0),
    ("PIC S9(5)V99 COMP-3", "0012345C", 12345),
    ("PIC S9(4) COMP-3", "01234D", -1234),
    ("PIC S9(1) COMP-3", "7D", -7),
    ("PIC S9(9)V99 COMP-3", "00000000001D", -1),
    ("PIC S9(11) COMP-3", "98765432109C", 98765432109),
    ("PIC S9(15) COMP-3", "999999999999999D", -999999999999999),
    ("PIC S9(17) COMP-3", "12345678901234567D", -12345678901234567),
    ("PIC S9(18) COMP-3", "0999999999999999999C", 999999999999999999),
    ("PIC S9(18) COMP-3", "1000000000000000000C", FAULT),
    ("PIC S9(3) COMP-3", "1A3C", FAULT),
    ("PIC S9(3) COMP-3", "A23C", FAULT),
    ("PIC S9(3) COMP-3", "1231", FAULT),
    ("PIC S9(3) COMP-3", "1239", FAULT),
    ("PIC S9(17) COMP-3", "F2345678901234567D", FAULT),
    ("PIC S9(17) COMP-3", "123456789012345670", FAULT),
    ("PIC 9(4) COMP-6", "1234", 1234),
    ("PIC 9(3) COMP-6", "0123", 123),
    ("PIC 9(18) COMP-6", "999999999999999999", 999999999999999999),
    ("PIC 9(4) COMP-6", "12A4", FAULT),
    # more than eighteen digits
    ("PIC S9(21) COMP-3", "123456789012345678901D", -123456789012345678901),
    ("PIC S9(31) COMP-3", "9999999999999999999999999999999C", 10**31 - 1),
    ("PIC S9(31) COMP-3", "999999999999999999999A999999999C", FAULT),
    ("PIC S9(20)", "F1" * 19 + "D1", -11111111111111111111),
    ("PIC 9(20) COMP-6", "12345678901234567890", 12345678901234567890),
    ("PIC S9(19) SIGN LEADING SEPARATE", "60" + "F9" * 19, -9999999999999999999),
    ("PIC S9(19) SIGN LEADING SEPARATE", "F0" + "F9" * 19, FAULT),
    # zoned: the zone of the last byte is the sign
    ("PIC 9(4)", "F1F2F3F4", 1234),
    ("PIC S9(4)", "F1F2F3C4", 1234),
    ("PIC S9(4)", "F1F2F3D4", -1234),
    ("PIC S9(4)", "F1F2F3F4", 1234),
    ("PIC S9", "D0", 0),
    ("PIC S9(9)V99", "F0F0F0F0F0F1F2F3F4F5D6", -123456),
    ("PIC S9(18)", "F9" * 17 + "D9", -999999999999999999),
    ("PIC 9(8)", "F1F9F9F9F1F2F3F1", 19991231),
    ("PIC 9(10)", "F7F0F0F0F0F0F0F0F0F1", 7000000001),
    ("PIC 9(4)", "F1F2F3FA", FAULT),
    ("PIC 9(4)", "F1C2F3F4", FAULT),
    ("PIC 9(4)", "40F2F3F4", FAULT),
    ("PIC 9(4)", "F1F24BF4", FAULT),
    ("PIC 9(4)", "F1F2F3D4", FAULT),
    ("PIC S9(4)", "F1F2F394", FAULT),
    ("PIC S9(4)", "C1F2F3F4", FAULT),
    # the sign over the first digit, and in a byte of its own
    ("PIC S9(3) SIGN LEADING", "D1F2F3", -123),
    ("PIC S9(3) SIGN LEADING", "C1F2F3", 123),
    ("PIC S9(3) SIGN LEADING", "F1F2D3", FAULT),
    ("PIC S9(10) SIGN IS LEADING", "D1F2F3F4F5F6F7F8F9F0", -1234567890),
    ("PIC S9(3) SIGN LEADING SEPARATE", "4EF1F2F3", 123),
    ("PIC S9(3) SIGN LEADING SEPARATE CHARACTER", "60F1F2F3", -123),
    ("PIC S9(3) SIGN TRAILING SEPARATE", "F1F2F360", -123),
    ("PIC S9(3) TRAILING SEPARATE", "F1F2F34E", 123),
    ("PIC S9(3) SIGN LEADING SEPARATE", "F0F1F2F3", FAULT),
    ("PIC S9(3) SIGN LEADING SEPARATE", "40F1F2F3", FAULT),
    ("PIC S9(3) SIGN LEADING SEPARATE", "60F1F2D3", FAULT),
    # binary: high byte first, never blank, not cut to the picture's digits
    ("PIC S9(4) COMP", "FFFE", -2),
    ("PIC 9(4) COMP", "FFFE", 65534),
    ("PIC S9(4) BINARY", "7FFF", 32767),
    ("PIC S9(9) COMP-4", "FFFFFFFE", -2),
    ("PIC 9(9) COMP", "FFFFFFFE", 4294967294),
    ("PIC S9(18) COMP-5", "FFFFFFFFFFFFFFFE", -2),
    ("PIC 9(18) COMP", "FFFFFFFFFFFFFFFF", 2**64 - 1),
    ("PIC S9(11) COMP", "8000000000000000", -(2**63)),
    ("PIC 9(4) COMP", "0000", 0),
    ("PIC 9(4) COMP", "4040", 16448),
    # hexadecimal floating point
    ("COMP-1", "41100000", 1.0),
    ("COMP-1", "C276A000", -118.625),
    ("COMP-1", "00000000", 0.0),
    ("COMP-2", "4110000000000000", 1.0),
    ("COMP-2", "C276A00000000000", -118.625),
    ("COMP-2", "3F10000000000000", 0.00390625),
]

BY_POLICY = [
    ("PIC S9(3) COMP-3", "123A", 123, FAULT),
    ("PIC S9(3) COMP-3", "123B", -123, FAULT),
    ("PIC S9(3) COMP-3", "123E", 123, FAULT),
    ("PIC S9(4)", "F1F2F3A4", 1234, FAULT),
    ("PIC S9(4)", "F1F2F3B4", -1234, FAULT),
    ("PIC S9(4)", "F1F2F3E4", 1234, FAULT),
    ("PIC 9(4)", "F1F2F3C4", 1234, FAULT),
    ("PIC S9(21) COMP-3", "000000000000000000001B", -1, FAULT),
]

BLANK = [
    # clauses, bytes, value when blanks are null, value when they are a fault
    ("PIC 9(4)", "40404040", None, FAULT),
    ("PIC S9(4)", "00000000", None, FAULT),
    ("PIC S9(4) SIGN LEADING SEPARATE", "4040404040", None, FAULT),
    ("PIC S9(7) COMP-3", "00000000", None, FAULT),
    ("PIC S9(7) COMP-3", "40404040", None, FAULT),
    ("PIC S9(7) COMP-3", "FFFFFFFF", FAULT, FAULT),
    ("PIC 9(4)", "FFFFFFFF", FAULT, FAULT),
    ("PIC X(4)", "00000000", None, None),
    ("PIC X(4)", "40404040", "", ""),
]

IEEE = [
    ("COMP-1", "3F800000", 1.0),
    ("COMP-2", "C05DA80000000000", -118.625),
    ("COMP-2", "7FF0000000000000", FAULT),
    ("COMP-2", "7FF8000000000000", FAULT),
]


@pytest.mark.parametrize("signs", ["ibm", "strict"])
@pytest.mark.parametrize(("clauses", "raw", "value"), BOTH_POLICIES)
def test_a_number_means_the_same_under_both_sign_policies(clauses: str, raw: str, value: object, signs: str) -> None:
    assert decoded(clauses, bytes.fromhex(raw), signs=signs) == value


@pytest.mark.parametrize(("clauses", "raw", "ibm", "strict"), BY_POLICY)
def test_the_rarer_sign_codes_count_under_the_ibm_policy_only(
    clauses: str, raw: str, ibm: object, strict: object
) -> None:
    assert decoded(clauses, bytes.fromhex(raw), signs="ibm") == ibm
    assert decoded(clauses, bytes.fromhex(raw), signs="strict") == strict


@pytest.mark.parametrize(("clauses", "raw", "null", "fault"), BLANK)
def test_blank_and_low_values_numbers_follow_the_blanks_policy(
    clauses: str, raw: str, null: object, fault: object
) -> None:
    assert decoded(clauses, bytes.fromhex(raw), blanks="null") == null
    assert decoded(clauses, bytes.fromhex(raw), blanks="fault") == fault


@pytest.mark.parametrize("blanks", ["null", "fault"])
@pytest.mark.parametrize("clauses", ["PIC 9(8)", "PIC S9(7) COMP-3", "PIC S9(8) SIGN LEADING SEPARATE"])
def test_low_values_read_as_their_reserved_number_where_that_is_asked_for(clauses: str, blanks: str) -> None:
    width = {"PIC 9(8)": 8, "PIC S9(7) COMP-3": 4}.get(clauses, 9)
    assert decoded(clauses, bytes(width), low_values=frozenset({"F"}), blanks=blanks) == LOW_VALUES


def test_low_values_leave_zero_and_blanks_alone() -> None:
    options: dict[str, Any] = {"low_values": frozenset({"F"}), "blanks": "fault"}
    assert decoded("PIC 9(4)", bytes.fromhex("F0F0F0F0"), **options) == 0
    assert decoded("PIC 9(4)", bytes.fromhex("40404040"), **options) is FAULT


@pytest.mark.parametrize(("clauses", "raw", "value"), IEEE)
def test_floats_are_ieee_where_that_is_asked_for(clauses: str, raw: str, value: object) -> None:
    assert decoded(clauses, bytes.fromhex(raw), floats="ieee") == value


@pytest.mark.parametrize(
    ("clauses", "raw", "value"),
    [
        case
        for case in BOTH_POLICIES
        if case[2] is not FAULT
        and not ("S9" in case[0] and case[1][-2] == "F")
        and case[1] not in {"000D", "123C", "D0"}
    ],
)
def test_a_value_is_written_as_the_bytes_it_was_read_from(clauses: str, raw: str, value: object) -> None:
    copybook = parse_copybook(f"       01  R.\n           05  F  {clauses}.\n")
    written = RecordEncoder(copybook).encode("R", {"F": value})
    assert decoded(clauses, written) == value
    if "9(3) COMP-3" not in clauses:
        assert written.hex().upper() == raw


def test_every_two_byte_packed_number_is_read_as_the_standard_says() -> None:
    raw = np.arange(65536, dtype=">u2").view(np.uint8)
    starts = np.arange(65536, dtype=np.int64) * 2
    decoder = RecordDecoder(parse_copybook("       01  R.\n           05  F PIC S9(3) COMP-3.\n"), blanks="fault")
    batch = decoder.decode(raw, starts, np.full(65536, 2))
    expected = []
    for number in range(65536):
        digits, sign = f"{number >> 4:03X}", number & 15
        magnitude = int(digits) if digits.isdigit() and sign > 9 else None
        expected.append(magnitude if magnitude is None or sign not in {11, 13} else -magnitude)
    assert batch.tables["R"]["F"].to_pylist() == expected
    assert len(batch.faults) == expected.count(None)
