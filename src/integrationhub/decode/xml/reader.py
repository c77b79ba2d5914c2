"""An extract streamed through two parsers at once: expat for values and places, libxml2 for the schema.

expat tells the byte offset of every element (of its `<` in the uncompressed document), which libxml2 does not;
libxml2 validates while it parses, but tells its verdict only at the end. Both get the same pieces; neither keeps a
tree. A piece reaches libxml2 only after expat has taken it without meeting a DOCTYPE.

Elements of lists are numbered from 1 in the order of the document: that is a row's `_record`. Values are gathered in
columns and handed on every `ROWS` elements.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any
from xml.parsers import expat

import pyarrow as pa
from lxml import etree

from integrationhub.decode.xml.columns import Gatherer
from integrationhub.decode.xml.faults import Faults, Stop
from integrationhub.decode.xml.layout import DocumentLayout
from integrationhub.decode.xml.prolog import ASCII_LIKE, SCANNED, encoding_of, has_doctype

ROWS = 50_000
DEEPEST = 64
"""Levels of nesting beyond which a document is refused unseen; the deepest schema here has five."""

MOST_CHILDREN = 1_000_000
"""Rows that are held while an element does not end."""

LONGEST_TOKEN = 16 * 1024 * 1024
"""Bytes that one tag or comment may be long: a parser must hold it whole."""

_UNNAMED = "PARSER_LIMIT"
_DOCTYPE = b"<!DOCTYPE"
_SEPARATOR = " "


class DocumentReader:
    """Reads one document; `faults` has what is wrong with it, `header` and `control` what it says of itself."""

    def __init__(self, layout: DocumentLayout, *, root: str, faults: Faults) -> None:
        self._layout = layout
        self._root = root
        self._faults = faults
        self._gatherer = Gatherer(layout, faults)
        self._expat = self._new_expat()
        self._validator = _Validator(layout)
        self._path: list[str] = []
        self._fed = 0
        self._good = True
        self.header: dict[str, str] = {}
        self.control: dict[str, dict[str, str]] = {}

    @property
    def records(self) -> int:
        """Elements of lists met so far."""
        return self._gatherer.records

    def read(self, pieces: Iterable[bytes]) -> Iterator[dict[str, pa.Table]]:
        """Tables by name, batch by batch. The pieces are read to their end even when the document is refused early: a
        fault of its container counts before one of its content.
        """
        waiting = b""
        scanned = False
        for piece in pieces:
            waiting += piece
            if not scanned and len(waiting) < SCANNED:
                continue
            scanned = scanned or self._scan(waiting)
            yield from self._take(waiting)
            waiting = b""
        if not scanned:
            self._scan(waiting)
        yield from self._take(waiting, final=True)
        yield from self._gatherer.flush()
        self._close()

    def _scan(self, head: bytes) -> bool:
        if has_doctype(head):
            self._refuse_doctype(0)
            self._good = False
        elif encoding_of(head) != ASCII_LIKE:  # expat would follow a byte order mark, whatever it was told
            self._faults.note("wellformed", "the document is not UTF-8", offset=0)
            self._good = False
        return True

    def _take(self, piece: bytes, *, final: bool = False) -> Iterator[dict[str, pa.Table]]:
        if not self._good:
            return
        try:
            self._expat.Parse(piece, final)
        except Stop:
            self._good = False
        except expat.ExpatError as exc:
            self._good = False
            self._note_malformed(exc, piece)
        if not self._good:
            return
        self._fed += len(piece)
        if self._fed - self._expat.CurrentByteIndex > LONGEST_TOKEN:
            self._faults.note("invalid", f"a tag or comment is longer than {LONGEST_TOKEN} bytes", offset=self._fed)
            self._good = False
            return
        self._validate(piece)
        if self._gatherer.waiting >= ROWS and len(self._path) <= 2:  # noqa: PLR2004 - no element is open
            yield from self._gatherer.flush()
        elif self._gatherer.waiting > MOST_CHILDREN:
            self._faults.note("invalid", "one element has more children than any schema allows", record=self.records)
            self._good = False

    def _validate(self, piece: bytes) -> None:
        start = self._fed - len(piece)
        cuts = [offset - start for offset in self._gatherer.offsets_from(start)]
        for here, there in pairwise([0, *(cut for cut in cuts if cut), len(piece)]):
            broken = self._validator.feed(piece[here:there])
            if broken is not None:
                self._note_invalid(broken, start + there)

    def _close(self) -> None:
        broken = self._validator.close() if self._good else None
        if broken is not None:
            self._note_invalid(broken, self._fed)

    def _note_invalid(self, rule: str, end: int) -> None:
        record, offset = self._gatherer.before(end)
        text = f"the element is not valid against the schema ({rule})"
        self._faults.note("invalid", text, record=record, offset=offset)

    def _note_malformed(self, exc: expat.ExpatError, piece: bytes) -> None:
        offset = max(self._expat.ErrorByteIndex, 0)
        place = offset - self._fed
        if place >= 0 and piece[place:].startswith(_DOCTYPE):
            self._refuse_doctype(offset)
        elif self._expat.ErrorByteIndex >= 0:
            text = f"not well-formed or not UTF-8: {expat.errors.messages[exc.code]}"
            self._faults.note("wellformed", text, record=self.records or None, offset=offset)

    def _refuse_doctype(self, offset: int) -> None:
        self._faults.note("doctype", "a document type declaration; none is ever read", offset=offset)

    def _new_expat(self) -> Any:  # noqa: ANN401 - expat's parser has no public type
        parser = expat.ParserCreate("UTF-8", _SEPARATOR)
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        return parser

    def _declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        if version != "1.0":
            self._faults.note("wellformed", "the document is not XML 1.0", offset=0)
        if encoding is not None and encoding.upper() not in {"UTF-8", "UTF8"}:
            self._faults.note("wellformed", "the document declares another encoding than UTF-8", offset=0)

    def _doctype(self, *_: object) -> None:
        self._refuse_doctype(self._expat.CurrentByteIndex)
        raise Stop

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path, offset = self._path, self._expat.CurrentByteIndex
        space, _, local = name.rpartition(_SEPARATOR)
        depth = len(path)
        path.append(local)
        if depth > DEEPEST:
            self._faults.note("invalid", f"elements are nested more than {DEEPEST} deep", offset=offset)
            raise Stop
        if depth == 0:
            self._open_root(f"{{{space}}}{local}", attributes, offset)
        elif space != self._layout.namespace:
            return  # the schema will say so
        elif depth == 1 and local in self._layout.single:
            self.control[local] = attributes
        elif depth == 2:  # noqa: PLR2004 - root, list, element
            self._gatherer.start(path[1], local, attributes, offset)
        elif depth == 3:  # noqa: PLR2004 - root, list, element, child
            self._gatherer.start_child(local, attributes, offset)

    def _open_root(self, name: str, attributes: dict[str, str], offset: int) -> None:
        self.header = attributes
        if name != self._root:
            self._faults.note("root", f"the root element is not {self._root}", offset=offset)
            self._validator.give_up()

    def _end(self, _name: str) -> None:
        if len(self._path) == 4:  # noqa: PLR2004 - as above
            self._gatherer.end_child()
        self._path.pop()

    def _text(self, text: str) -> None:
        if len(self._path) == 4:  # noqa: PLR2004 - as above
            self._gatherer.add_text(text)


class _Validator:
    """libxml2 as a validator: nothing is resolved, fetched or kept.

    It is fed element by element, because for a broken attribute it tells no place: the bytes that made it complain do.
    """

    def __init__(self, layout: DocumentLayout) -> None:
        names = [item.name for item in layout.lists.values()]
        tags = [f"{{{layout.namespace}}}{name}" for name in names]
        self._parser: Any = etree.XMLPullParser(
            events=("end",),
            tag=tags,
            schema=layout.schema,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._idle = False

    def give_up(self) -> None:
        """Stop validating: the document is refused anyway."""
        self._idle = True

    def feed(self, piece: bytes) -> str | None:
        """Take the next bytes; the name of the rule that they break (never a value)."""
        if self._idle:
            return None
        try:
            self._parser.feed(piece)
            broken = self._rule(self._parser.feed_error_log)
            self._forget()
        except etree.XMLSyntaxError as exc:
            broken = self._rule(exc.error_log) or _UNNAMED
        self._idle = broken is not None
        return broken

    def close(self) -> str | None:
        """The rule that is broken by the end of the document."""
        if self._idle:
            return None
        try:
            self._parser.close()
        except etree.XMLSyntaxError as exc:
            return self._rule(exc.error_log) or _UNNAMED
        return None

    def _forget(self) -> None:
        """Drop what has been validated, so that no tree grows."""
        for _, element in self._parser.read_events():
            parent = element.getparent()
            element.clear()
            while parent is not None and element.getprevious() is not None:
                del parent[0]

    def _rule(self, log: Any) -> str | None:  # noqa: ANN401 - lxml's log has no public type
        return next((str(entry.type_name) for entry in log), None)
