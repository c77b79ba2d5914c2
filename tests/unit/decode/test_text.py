from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.decode.codepage import code_page
from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.decoder import RecordDecoder
from integrationhub.errors import ConfigurationError


def decoded(*raw: bytes, **options: Any) -> list[str | None]:
    width = len(raw[0])
    copybook = parse_copybook(f"       01  R.\n           05  F PIC X({width}).\n")
    starts = np.arange(len(raw), dtype=np.int64) * width
    batch = RecordDecoder(copybook, **options).decode(
        np.frombuffer(b"".join(raw), np.uint8), starts, np.full(len(raw), width)
    )
    column = batch.tables["R"]["F"]
    assert column.type == pa.string()
    column.validate(full=True)
    return list(column.to_pylist())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("5B", "£"),
        ("9F", "€"),
        ("7B", "#"),
        ("C1C2C3", "ABC"),
        ("C1404040", "A"),
        ("40C140", " A"),
        ("404040", ""),
        ("51", "é"),
        ("CC", "ö"),
        ("5BF1F04BF0F09F", "£10.00€"),
        ("C100C1", "A\0A"),
        ("0000", None),
        ("0040", "\0"),
    ],
)
def test_the_uk_code_page_reads_these_bytes_as(raw: str, text: str | None) -> None:
    assert decoded(bytes.fromhex(raw)) == [text]


@pytest.mark.parametrize(("trim", "text"), [("right", "  é"), ("left", "é  "), ("both", "é"), ("none", "  é  ")])
def test_blanks_are_trimmed_on_the_sides_asked_for(trim: str, text: str) -> None:
    assert decoded(bytes.fromhex("4040514040"), trim=trim) == [text]


PAGES = ["cp1146", "cp037", "cp500", "cp1047", "cp273", "cp1140", "latin-1", "ascii", "cp1252"]


@settings(deadline=None)
@given(page=st.sampled_from(PAGES), rows=st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=20))
def test_a_column_reads_as_the_codec_reads_each_value(page: str, rows: list[bytes]) -> None:
    expected = [None if not any(raw) else raw.decode(page, errors="replace").rstrip(" ") for raw in rows]
    assert decoded(*rows, encoding=page) == expected


@pytest.mark.parametrize("name", ["cp9999", "utf-16", "utf-8", "shift_jis", "gbk", "base64"])
def test_what_is_no_single_byte_code_page_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        code_page(name)


@pytest.mark.parametrize(("name", "codec"), [("IBM-1047", "cp1047"), ("1146", "cp1146"), ("ccsid 37", "cp037")])
def test_a_code_page_is_found_by_the_name_that_ibm_gives_it(name: str, codec: str) -> None:
    assert code_page(name).name == code_page(codec).name
