"""What the fuzzers call: each takes any bytes and may end in the hub's own errors only.

Used by the property tests (`test_fuzz.py`) and by the coverage-guided runs (`make fuzz`).
"""

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from integrationhub.decode.codepage import code_page
from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import Copybook, parse_copybook
from integrationhub.decode.dump import DumpRules, FileDump
from integrationhub.decode.nested import Showing
from integrationhub.decode.recordfile import RecordFormat
from integrationhub.errors import ConfigurationError, FileRejected

MOST_LAYOUT_BYTES = 4096
"""Layouts beyond this are parsed but not used: a record of a hundred megabytes is no fault, and no use to a fuzzer."""

LAYOUT = """
       01  R.
           05  K  PIC 9.
           05  N  PIC 9.
           05  T  OCCURS 0 TO 3 TIMES DEPENDING ON N.
               10  P  PIC S9(3)V99 COMP-3.
               10  M  PIC 9.
               10  U  PIC X(2) OCCURS 1 TO 2 TIMES DEPENDING ON M.
           05  E  PIC Z,ZZ9.99-.
           05  F  COMP-1.
           05  D  COMP-2.
           05  B  PIC S9(9) COMP.
           05  A  PIC X(4).
           05  C REDEFINES A PIC S9(4) SIGN TRAILING SEPARATE.
           05  L  PIC S9(25) COMP-3.
           05  W  PIC N(2).
"""

FORMATS = (
    RecordFormat(kind="F"),
    RecordFormat(kind="FB", bdw="little"),
    RecordFormat(kind="V"),
    RecordFormat(kind="V", rdw="little", rdw_adjustment=4),
    RecordFormat(kind="V", rdw="u32"),
    RecordFormat(kind="V", rdw="none"),
    RecordFormat(kind="VB"),
    RecordFormat(kind="VB", bdw="little", rdw="none"),
    RecordFormat(kind="D"),
    RecordFormat(kind="F", length_field="N", rdw_adjustment=5),
    RecordFormat(kind="F", record_start=2, record_end=1, file_start=3, file_end=2),
)


def copybook(data: bytes) -> None:
    """Any text as a copybook; what parses is used to decode."""
    text = data.decode("latin-1")
    try:
        layout = parse_copybook(text, library={"PART": ("PART.cpy", text)}.get)
    except ConfigurationError:
        return
    if sum(record.length for record in layout.records) <= MOST_LAYOUT_BYTES:
        _dump(layout, data, FORMATS[0])


def statement(data: bytes) -> None:
    """Any text behind `COPY … REPLACING` and as a clause."""
    text = data.decode("latin-1").replace("\n", " ")
    for line in (f"01  R. COPY PART REPLACING {text}", f"01  R {text}"):
        copybook("\n".join(f"       {line[at : at + 60]}" for at in range(0, len(line), 60)).encode("latin-1"))


def records(data: bytes) -> None:
    """Any bytes as a file of records; the first byte says in which format."""
    _dump(_layout(), data[1:], FORMATS[(data[:1] or b"\0")[0] % len(FORMATS)])


def _layout() -> Copybook:
    return parse_copybook(LAYOUT)


def _dump(layout: Copybook, data: bytes, form: RecordFormat) -> None:
    rules = DumpRules(
        form=form,
        reading=Reading(page=code_page("cp1146"), floats="ieee", trim="both", edited="number", missing="null"),
        showing=Showing(fillers=True),
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        for to in ("jsonl", "csv", "parquet"):
            try:
                FileDump(layout, rules, _unreported).write([Path(file.name)], to, io.BytesIO())
            except (FileRejected, ConfigurationError):
                continue


def _unreported(record: int, offset: int, fields: object) -> None:
    raise AssertionError(record, offset, fields)


TARGETS: Mapping[str, Callable[[bytes], None]] = {"copybook": copybook, "statement": statement, "records": records}
