"""However a file is cut into buffers, and wherever reading begins, the records come out the same."""

import io
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from integrationhub.decode.codepage import code_page
from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.dump import DumpRules, FileDump
from integrationhub.decode.nested import Showing
from integrationhub.decode.recordfile import RecordFormat
from tests.unit.decode.commands import big, e

COPYBOOK = parse_copybook(
    """
       01  R.
           05  K  PIC 9.
           05  N  PIC 9.
           05  T  PIC X(2) OCCURS 0 TO 9 TIMES DEPENDING ON N.
           05  Z  PIC S9(3) COMP-3.
"""
)
ELEMENTS = st.lists(st.integers(0, 9), max_size=60)
FORMS = {
    "V": RecordFormat(kind="V"),
    "VB": RecordFormat(kind="VB"),
    "none": RecordFormat(kind="V", rdw="none"),
    "F": RecordFormat(kind="F", record_length=22),
    "D": RecordFormat(kind="D"),
}


def record(number: int, elements: int) -> bytes:
    return e(f"{number % 10}{elements}" + "ab" * elements) + bytes.fromhex(f"{number % 1000:03d}C")


def written(form: str, elements: list[int]) -> bytes:
    bodies = [record(number, count) for number, count in enumerate(elements)]
    if form == "F":
        return b"".join(body.ljust(22, b"\x40") for body in bodies)
    if form == "D":
        return b"".join(e(f"{number % 10}0") + b"\x15" for number in range(len(bodies)))
    if form == "VB":
        blocks = [b"".join(map(big, bodies[at : at + 3])) for at in range(0, len(bodies), 3)]
        return b"".join(map(big, blocks))
    return b"".join(bodies if form == "none" else map(big, bodies))


def lines(path: Path, form: str, *, first: int = 1, limit: int | None = None) -> list[bytes]:
    rules = DumpRules(
        form=FORMS[form],
        reading=Reading(page=code_page("cp1146"), missing="null"),
        showing=Showing(),
        first=first,
        limit=limit,
    )
    target = io.BytesIO()
    FileDump(COPYBOOK, rules, lambda *_: None).write([path], "jsonl", target)
    return target.getvalue().splitlines()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FORMS)), ELEMENTS, st.integers(30, 400), st.data())
def test_slices_decoded_alone_equal_the_whole(form: str, elements: list[int], chunk: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.dat"
        path.write_bytes(written(form, elements))
        whole = lines(path, form)
        assert len(whole) == len(elements)
        with patch("integrationhub.decode.recordfile.CHUNK", chunk):
            assert lines(path, form) == whole
            first = data.draw(st.integers(1, len(elements) + 2))
            limit = data.draw(st.integers(0, 5))
            assert lines(path, form, first=first, limit=limit) == whole[first - 1 :][:limit]
        assert lines(path, form, first=first) == whole[first - 1 :]
