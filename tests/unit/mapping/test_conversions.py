"""Conversions other than dates, as tables of values."""

import re
from itertools import product
from string import ascii_uppercase
from typing import Any

import polars as pl
import pytest

from integrationhub.errors import ConfigurationError
from integrationhub.mapping.conversions import Environment, convert
from integrationhub.mapping.spec import Conversion

EASTERN = "".join(map(chr, range(0x0661, 0x0667)))  # digits, but not of a NINO
E12 = r"^(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]\d{6}[A-D ]?$"
ADMINISTRATIVE = ("OO", "CR", "FY", "MW", "NC", "PP", "PY", "PZ")
CODES = {"size": {"S": "SMALL", "L": "LARGE", "": "UNKNOWN"}, "none": {}}


def read(options: Conversion, values: list[Any], dtype: type[pl.DataType], *, synthetic: bool = False) -> list[Any]:
    environment = Environment(codes=CODES, synthetic_identities=synthetic)
    frame = pl.DataFrame({"v": pl.Series(values, dtype=dtype)})
    return frame.select(convert(pl.col("v"), options, environment).value.alias("x"))["x"].to_list()


def test_text_loses_blanks_and_low_values_and_blank_is_nothing() -> None:
    values = ["EXAMPLE", " A  B ", "", "   ", "\x00\x00", "A\x00B\x00", " \x00 C", "£É", None]

    assert read(Conversion(conversion="text"), values, pl.String) == [
        "EXAMPLE", "A  B", None, None, None, "AB", "C", "£É", None,
    ]  # fmt: skip


def test_plain_text_keeps_all_but_blanks_at_its_end_and_has_no_control_characters() -> None:
    values = ["  A  B ", "", "  ", "e\u0301", "A\tB\r\n", "A\x00B", "\x00", "A\x85", "A\x7f", "A\x1fB", None]
    frame = pl.DataFrame({"v": pl.Series(values, dtype=pl.String)})
    plain = convert(pl.col("v"), Conversion(conversion="plain"), Environment())

    assert read(Conversion(conversion="plain"), values, pl.String) == [
        "  A  B", None, None, "\u00e9", "A\tB\r\n", None, None, None, None, None, None,
    ]  # fmt: skip
    assert plain.code == "TEXT_CONTROL_CHAR"
    assert plain.bad is not None
    assert frame.select(plain.bad).to_series().arg_true().to_list() == [5, 6, 7, 8, 9]


def test_digits_are_text_of_fixed_length() -> None:
    options = Conversion(conversion="digits", length=10)

    assert read(options, [1000000001, 7, 0, -1, 10_000_000_000, None], pl.Int64) == [
        "1000000001", "0000000007", "0000000000", None, None, None,
    ]  # fmt: skip


def test_digits_can_have_values_that_mean_nothing() -> None:
    options = Conversion(conversion="digits", length=3, empty=(0,))

    assert read(options, [0, 12], pl.Int64) == [None, "012"]


def test_whole_numbers_can_have_values_that_mean_nothing() -> None:
    assert read(Conversion(conversion="int"), [0, 5, None], pl.Int64) == [0, 5, None]
    assert read(Conversion(conversion="int", empty=(0, 9)), [0, 5, 9, None], pl.Int64) == [None, 5, None, None]


def test_pence_are_the_digits_of_a_pounds_field() -> None:
    assert read(Conversion(conversion="pence"), [-3981, 0, 95773, None], pl.Int64) == [-3981, 0, 95773, None]


def test_pounds_are_read_as_pence_where_they_are_written_as_they_must_be() -> None:
    amounts = {
        "0": 0, "0.00": 0, "12": 1200, "12.5": 1250, "12.05": 1205, "-0.01": -1, "-0": 0,
        "999999999.99": 99_999_999_999,
        "1234567890": None, "1.234": None, "1.": None, ".5": None, "+1": None, "1,000": None, " 1": None, "1\n": None,
        "\u0661": None, "--1": None, "": None, "NaN": None, None: None,
    }  # fmt: skip
    assert read(Conversion(conversion="pounds"), list(amounts), pl.String) == list(amounts.values())


def test_codes_are_looked_up_and_unknown_ones_are_null() -> None:
    options = Conversion(conversion="code", codes="size")

    assert read(options, ["S", "L", "", "s", "X", "SL", None], pl.String) == [
        "SMALL", "LARGE", "UNKNOWN", None, None, None, None,
    ]  # fmt: skip
    assert read(Conversion(conversion="code", codes="none"), ["S"], pl.String) == [None]


def test_flags_know_their_values_only() -> None:
    options = Conversion(conversion="flag", yes=("Y",), no=("N", ""))

    assert read(options, ["Y", "N", "", "y", "X", None], pl.String) == [True, False, False, None, None, None]


@pytest.mark.parametrize(
    ("written", "number", "real", "synthetic"),
    [
        ("QQ123456A", "QQ123456A", "INVALID", "UNVERIFIED"),
        ("qq 12 34 56 a", "QQ123456A", "INVALID", "UNVERIFIED"),
        ("QQ123456A\x00", "QQ123456A", "INVALID", "UNVERIFIED"),
        ("QQ123456", "QQ123456", "INVALID", "UNVERIFIED"),
        ("QQ123456E", "QQ123456E", "INVALID", "INVALID"),
        ("QQ12345", "QQ12345", "INVALID", "INVALID"),
        ("QQ1234567", "QQ1234567", "INVALID", "INVALID"),
        (f"QQ{EASTERN}A", f"QQ{EASTERN}A", "INVALID", "INVALID"),
        ("1A000000", "1A000000", "INVALID", "INVALID"),
        ("", None, "ABSENT", "ABSENT"),
        ("         ", None, "ABSENT", "ABSENT"),
        ("TN010170M", "TN010170M", "TEMPORARY", "TEMPORARY"),
        ("TN", "TN", "TEMPORARY", "TEMPORARY"),
        ("PY000001A", "PY000001A", "ADMINISTRATIVE", "ADMINISTRATIVE"),
        ("PZ", "PZ", "ADMINISTRATIVE", "ADMINISTRATIVE"),
    ],
)
def test_a_nino_is_normalised_and_judged(written: str, number: str | None, real: str, synthetic: str) -> None:
    for profile, expected in ((False, real), (True, synthetic)):
        assert read(Conversion(conversion="nino"), [written], pl.String, synthetic=profile) == [number]
        assert judged([written], synthetic=profile) == [(expected, expected == "UNVERIFIED")]


def judged(numbers: list[str], *, synthetic: bool) -> list[tuple[str, bool]]:
    """Status and usability of each number."""
    status = read(Conversion(conversion="nino_status"), numbers, pl.String, synthetic=synthetic)
    usable = read(Conversion(conversion="nino_usable"), numbers, pl.String, synthetic=synthetic)
    return list(zip(status, usable, strict=True))


def test_every_prefix_is_judged_by_the_documents_format_rule() -> None:
    numbers = [f"{first}{second}000000" for first, second in product(ascii_uppercase, repeat=2)]

    for number, (status, usable) in zip(numbers, judged(numbers, synthetic=False), strict=True):
        if number.startswith("TN"):
            expected = "TEMPORARY"
        elif number.startswith(ADMINISTRATIVE):
            expected = "ADMINISTRATIVE"
        else:
            expected = "UNVERIFIED" if re.match(E12, number) else "INVALID"
        assert (status, usable) == (expected, expected == "UNVERIFIED"), number[:2]


def test_no_nino_at_all_is_absent() -> None:
    assert read(Conversion(conversion="nino_status"), [None], pl.String) == ["ABSENT"]
    assert read(Conversion(conversion="nino_usable"), [None], pl.String) == [False]


@pytest.mark.parametrize(
    "options", [Conversion(conversion="code", codes="sizes"), Conversion(conversion="date", rule="x")]
)
def test_an_unknown_list_or_rule_is_a_configuration_error(options: Conversion) -> None:
    with pytest.raises(ConfigurationError, match="there is no"):
        convert(pl.col("v"), options, Environment(codes=CODES))


@pytest.mark.parametrize(
    "options",
    [
        {"as": "code"},
        {"as": "date"},
        {"as": "digits"},
        {"as": "flag", "yes": ["Y"]},
        {"as": "text", "length": 3},
        {"as": "pence", "empty": [0]},
        {"as": "money"},
        {"as": "code", "codes": "size", "sides": 3},
    ],
)
def test_a_conversion_takes_its_own_options_and_all_of_them(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Conversion.model_validate(options)
