"""The CS2 extract read a second time, from csa2003.md alone: its elements as tables of text, a column an attribute.

Expat reads the document as a stream. What the attributes mean (dates, money, exclusive ends) is said in csa2003.sql.
A document type declaration ends the reading; nothing is ever resolved or fetched.
"""

import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO
from xml.parsers import expat

import polars as pl

from integrationhub.errors import FileRejected

PIECE = 1 << 20
ROWS = 50_000
NAMESPACE = "urn:synthetic:cs2:extract:4 "

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "CS2Extract": ("sequence", "asAt", "kind"),
    "Party": ("id", "nino", "surname", "forenames", "birth", "sex"),
    "Address": ("id", "partyRef", "kind", "confidential", "postcode", *(f"line_{number}" for number in range(1, 6))),
    "Case": (
        "ref", "status", "applicationDate", "awardEnd", "chargedTo", "ledgerComplete", "benefitKnown", "queryMark",
        "custodianCash", "lastEventSeq", "note",
    ),
    "Benefit": ("caseRef", "nth", "from", "to", "type"),
    "Relationship": ("id", "caseRef", "partyRef", "role", "from", "to", "payee"),
    "Assessment": ("id", "caseRef", "from", "to", "type", "monthly", "netMonthly", "children", "nights"),
    "Schedule": ("id", "caseRef", "owner", "balance", "suspended"),
    "Transaction": (
        "id", "scheduleRef", "no", "type", "posted", "amount", "from", "to", "assessmentRef", "monthly",
        "bankReference", "valueDate", "quotedReference", "payerRef", "method", "bankStatus", "disbursement", "reason",
        "effective", "reverses",
    ),
    "Activity": ("id", "caseRef", "class", "code", "from", "to", "outcome", "partyRef"),
}  # fmt: skip
"""Elements and their attributes (§2); `line_…`, `note` and `nth` stand for children and their order."""

_LIST, _ELEMENT, _CHILD = 1, 2, 3
"""Depths: root 0, lists 1, elements 2, children of elements 3."""


def empty() -> Mapping[str, pl.DataFrame]:
    """Every table, without rows."""
    return {name: _frame(name, []) for name in COLUMNS}


def tables(stream: BinaryIO) -> Iterator[Mapping[str, pl.DataFrame]]:
    """A gzip document's elements, in batches."""
    reader = _Reader()
    with gzip.open(stream) as document:
        while piece := document.read(PIECE):
            reader.feed(piece)
            if reader.waiting >= ROWS:
                yield reader.taken()
    reader.feed(b"", final=True)
    yield reader.taken()


class _Reader:
    def __init__(self) -> None:
        self._rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self._depth = 0
        self._records = 0
        self._element: dict[str, Any] = {}
        self._children = 0
        self._text: list[str] | None = None
        self.waiting = 0
        parser: Any = expat.ParserCreate("UTF-8", " ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._parser = parser

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        try:
            self._parser.Parse(piece, final)
        except expat.ExpatError as exc:
            raise FileRejected("the document is not well-formed", code="XML_INVALID") from exc

    def taken(self) -> Mapping[str, pl.DataFrame]:
        found = {name: _frame(name, rows) for name, rows in self._rows.items()}
        self._rows.clear()
        self.waiting = 0
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.removeprefix(NAMESPACE)
        if self._depth == 0:
            self._keep(name, attributes)
        elif self._depth == _ELEMENT and name in COLUMNS:
            self._records += 1
            self._children = 0
            self._element = self._keep(name, attributes)
        elif self._depth == _CHILD:
            self._children += name != "Note"
            if name == "Benefit":
                self._keep(name, attributes | {"caseRef": self._element["ref"], "nth": str(self._children)})
            elif name in ("Line", "Note"):
                self._text = []
        self._depth += 1

    def _keep(self, name: str, attributes: dict[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {
            "record_no": self._records, "byte_offset": self._parser.CurrentByteIndex, **attributes,
        }  # fmt: skip
        self._rows[name].append(row)
        self.waiting += 1
        return row

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._text is not None:
            target = "note" if name.endswith("Note") else f"line_{self._children}"
            self._element[target] = "".join(self._text)
            self._text = None


def _refuse(*_: object) -> None:
    raise FileRejected("a document type declaration; none is ever read", code="XML_DTD")


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    places = {"record_no": pl.Int64(), "byte_offset": pl.Int64()}
    return pl.DataFrame(rows, schema={**places, **dict.fromkeys(COLUMNS[name], pl.String())}, orient="row")
