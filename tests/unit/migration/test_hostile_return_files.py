"""Whatever a return file holds, it is read or refused with a reason; nothing else escapes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationhub.errors import FileRejected
from integrationhub.migration.handover.cs2 import ReturnDocument
from integrationhub.migration.handover.cscs import ReturnFile
from tests.unit.migration.test_cs2_return_document import CLOSE as CS2_CLOSE
from tests.unit.migration.test_cs2_return_document import RETURNS as CS2
from tests.unit.migration.test_cs2_return_document import written as cs2_written
from tests.unit.migration.test_cscs_return_file import CLOSE as CSCS_CLOSE
from tests.unit.migration.test_cscs_return_file import RETURNS as CSCS
from tests.unit.migration.test_cscs_return_file import written as cscs_written

FILES: dict[str, tuple[ReturnFile | ReturnDocument, bytes]] = {
    "cscs": (CSCS, cscs_written([CSCS_CLOSE])),
    "cs2": (CS2, cs2_written([CS2_CLOSE])),
}


def read_or_refused(name: str, content: bytes) -> None:
    returns, _ = FILES[name]
    refused = ""
    try:
        list(returns.read(io.BytesIO(content))[1])
    except FileRejected as exc:
        refused = exc.code
    assert refused != "FileRejected", "a refusal has a stable code of its own"


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_altered_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    content = bytearray(FILES[name][1])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    read_or_refused(name, bytes(content))


@pytest.mark.parametrize("name", FILES)
@given(cut=st.integers(0, 2_000), filling=st.sampled_from([b"", b"\0" * 80, b"\x40" * 80, b" " * 80, b"<" * 80]))
def test_cut_and_filled_files_are_read_or_refused(name: str, cut: int, filling: bytes) -> None:
    read_or_refused(name, FILES[name][1][:cut] + filling)


@pytest.mark.parametrize("name", FILES)
@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    read_or_refused(name, content)
