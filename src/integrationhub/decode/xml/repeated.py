"""Large documents that are one kind of record many times over, streamed to columns; what stands around them is a tree.

Columns are called by the paths of their elements below the record: `Amt`, `Amt@Ccy`, `BookgDt/Dt`. Where an element
occurs several times, the first one counts, or, if `lists` names it, all do, line by line. A record may have children of
one kind, which make a table of their own.

Every table has `_record` (from 1 over the whole document) and `_offset`; that of the records also `_section`, the
number of the element that the record stands in, that of the children also `_index`.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from integrationhub.decode.xml.alike import Cell, Rows, Shape, Shapes, Source
from integrationhub.decode.xml.stranger import (
    DEEPEST,
    SEPARATOR,
    XML_INVALID,
    XML_NAMESPACE,
    StrangerParser,
    XmlFault,
    encoding_in,
    whole_heads,
)
from integrationhub.decode.xml.tree import Node

AT_ONCE = 8_192
"""Records that are gathered before they are handed on."""

MOST_NODES = 100_000
MOST_CHILDREN = 100_000
MOST_TEXT = 16 * 1024 * 1024
"""Elements around the records, children of one record, and characters of one record or of the tree: no more is held."""

RAW = 1 << 20
STEP = 4 * 1024
_BLANKS = b" \t\r\n"
_ILLEGAL = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")  # U+FFFE and U+FFFF are valid UTF-8, but no characters of XML


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Which elements are records and which of theirs are columns. `record`: path below the root."""

    record: str
    fields: tuple[str, ...]
    child: str = ""
    child_fields: tuple[str, ...] = ()
    lists: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Step:
    """An element of a record that matters, as the parser meets it on its way down."""

    steps: dict[str, "_Step"] = field(default_factory=dict)  # by full name
    attributes: dict[str, int] = field(default_factory=dict)
    column: int | None = None
    is_list: bool = False
    of_child: bool = False
    is_child: bool = False


class RepeatedReader:
    """Reads one document. After `read`, `tree` has its root with everything but the records.

    `choose` says what is read of a document, by namespace and local name of its root; of one that it doesn't know, the
    form is checked to the end, and nothing is read. `learn`: whether records that look alike are read by their pattern;
    it changes the speed alone.
    """

    def __init__(self, choose: Callable[[str, str], Repeated | None], *, learn: bool = True) -> None:
        self._choose = choose
        self._learn = learn
        self._spec = Repeated(record="", fields=())
        self._parser = StrangerParser()
        self._parser.handle(self._start, self._end, self._add_text)
        self._shapes: Shapes | None = None
        self._utf8 = True
        self._close = b""
        self._rest = b""
        self._stack: list[Node | _Step | None] = []
        self._here: Node | _Step | None = None
        self._steps = _Step()
        self._leaf = False
        self._text: list[str] = []
        self._row: list[Cell] | None = None
        self._child: list[Cell] | None = None
        self._children: list[list[Cell]] = []
        self._offset = self._section = self._nodes = self._held = 0
        self._ended = -1
        self._slow: list[tuple[int, int, Rows]] = []
        self._sections: list[int] = []  # the number of the last record before each section
        self.records = 0
        self.namespace = ""
        self._known = False
        self.tree = Node("", "", 0, {})

    def read(self, pieces: Iterable[bytes]) -> Iterator[dict[str, pl.DataFrame]]:
        """Tables `record` and `child`, batch by batch. XmlFault: the document is to be refused."""
        first = True
        for piece in whole_heads(pieces):
            if first:
                encoding = encoding_in(piece)
                self._utf8 = encoding in {None, "UTF-8"}
                first = False
                if self._learn and encoding != "UTF-16":
                    self._shapes = Shapes(utf8=self._utf8)
            for start in range(0, len(piece), RAW):
                self._take(piece[start : start + RAW])
                if self._waiting >= AT_ONCE:
                    yield self._flush()
        self._parser.feed(self._rest, final=True)
        if self._waiting:
            yield self._flush()
        if not self._known:
            raise XmlFault(XML_NAMESPACE, "the root element or its namespace is not one of the feed's", 0)

    @property
    def sections(self) -> Sequence[int]:
        """For each element that records stand in, the number of records before it."""
        return self._sections

    @property
    def _waiting(self) -> int:
        learned = self._shapes.known if self._shapes is not None else ()
        return len(self._slow) + sum(len(shape.records) for shape in learned)

    # bytes

    def _take(self, piece: bytes) -> None:
        if self._shapes is None:
            self._parser.feed(piece)
            return
        place = 0
        while not self._close and place < len(piece):
            self._parser.feed(piece[place : place + STEP])
            place += STEP
        if self._close:
            self._take_alike(self._shapes, self._rest + piece[place:])

    def _take_alike(self, shapes: Shapes, buffer: bytes) -> None:
        parser, place, clean = self._parser, 0, self._is_clean(buffer)
        while True:
            at_rest = self._ended == parser.fed and clean
            if at_rest:
                before = place
                place, self.records = shapes.take(buffer, place, offset=parser.fed - place, record=self.records)
                parser.skipped += place - before
                self._ended += place - before
            end = buffer.find(self._close, place)
            if end < 0:
                break
            raw = buffer[place : end + len(self._close)]
            place = end + len(self._close)
            parser.feed(raw)
            bare = raw.lstrip(_BLANKS)
            if at_rest and self._ended == parser.fed == self._offset + len(bare):
                shapes.learn(bare, self._probe)
        self._rest = buffer[place:]
        if len(self._rest) > RAW:
            parser.feed(self._rest)
            self._rest = b""

    def _is_clean(self, buffer: bytes) -> bool:
        """Whether a parser would take all bytes above ASCII as characters."""
        if buffer.isascii() or not self._utf8:
            return True
        try:
            codecs.getincrementaldecoder("utf-8")().decode(buffer)
        except UnicodeDecodeError:
            return False
        return not any(mark in buffer for mark in _ILLEGAL)

    def _probe(self, raw: bytes) -> Rows:
        """The rows of a record that stands in no document."""
        self._parser.feed(raw)
        self._parser.skipped -= len(raw)
        self._ended -= len(raw)
        self.records -= 1
        return self._slow.pop()[2]

    # elements

    def _start(self, name: str, attributes: list[str]) -> None:
        here = self._here
        if len(self._stack) >= DEEPEST:
            raise self._parser.too_deep()
        self._stack.append(here)
        self._leaf = True
        self._text.clear()
        if self._row is not None:
            self._here = step = here.steps.get(name) if isinstance(here, _Step) else None
            if step is not None:
                self._start_step(step, attributes)
        elif isinstance(here, Node):
            self._start_node(here, name, attributes)
        elif len(self._stack) == 1:
            self._start_root(name, attributes)

    def _start_root(self, name: str, attributes: list[str]) -> None:
        self.namespace, _, local = name.rpartition(SEPARATOR)
        spec = self._choose(self.namespace, local)
        if spec is not None:
            self._known, self._spec = True, spec
            self._here = self.tree = Node(local, "", self._parser.place, _paired(attributes))
            self._steps = self._plan()

    def _start_node(self, parent: Node, name: str, attributes: list[str]) -> None:
        space, _, local = name.rpartition(SEPARATOR)
        if space != self.namespace:
            local = name  # of another language: kept under a name that nobody asks for
        path = f"{parent.path}/{local}" if parent.path else local
        if path == self._spec.record:
            self._here = self._steps
            self._row, self._children, self._held = [None] * len(self._spec.fields), [], 0
            self._offset = self._parser.place
            self._start_step(self._steps, attributes)
            self._close = self._close or b"</" + self._parser.tag + b">"
            return
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise XmlFault(XML_INVALID, f"more than {MOST_NODES} elements outside records", self._parser.place)
        self._here = node = Node(local, path, self._parser.place, _paired(attributes))
        parent.children.append(node)
        if path == self._spec.record.rpartition("/")[0]:
            self._sections.append(self.records)

    def _start_step(self, step: _Step, attributes: list[str]) -> None:
        if step.is_child:
            self._child = [None] * len(self._spec.child_fields)
            self._children.append(self._child)
            if len(self._children) > MOST_CHILDREN:
                raise XmlFault(XML_INVALID, f"a record has more than {MOST_CHILDREN} parts", self._parser.place)
        if attributes and step.attributes:
            for name, value in _paired(attributes).items():
                if name in step.attributes:
                    self._put(step, step.attributes[name], value)

    def _end(self, _name: str) -> None:
        here = self._here
        if self._row is not None:
            if isinstance(here, _Step):
                self._end_step(here)
        elif self._leaf and isinstance(here, Node):
            here.text = "".join(self._text)
        self._leaf = False
        self._here = self._stack.pop()

    def _end_step(self, step: _Step) -> None:
        if self._leaf and step.column is not None:
            self._put(step, step.column, "".join(self._text))
        if step.is_child:
            self._child = None
        if step is self._steps:
            assert self._row is not None
            self.records += 1
            self._slow.append((self.records, self._offset, (self._row, self._children)))
            self._row = None
            self._ended = self._parser.place + len(self._close)

    def _add_text(self, text: str) -> None:
        if self._leaf and self._here is not None:
            self._held += len(text)
            if self._held > MOST_TEXT:
                raise XmlFault(XML_INVALID, f"more than {MOST_TEXT} characters in one record", self._parser.place)
            self._text.append(text)

    def _put(self, step: _Step, column: int, text: str) -> None:
        row = self._child if step.of_child else self._row
        if row is None:
            return
        if step.is_list:
            known = row[column]
            if isinstance(known, list):
                known.append(text)
            else:
                row[column] = [text]
        elif row[column] is None:
            row[column] = text

    def _plan(self) -> _Step:
        """The way down to every column, in the document's namespace."""
        top = _Step()
        for number, path in enumerate(self._spec.fields):
            self._plan_column(top, number, path)
        if self._spec.child:
            child = self._walk(top, self._spec.child)
            child.is_child = child.of_child = True
            for number, path in enumerate(self._spec.child_fields):
                self._plan_column(child, number, path, is_list=path in self._spec.lists, of_child=True)
        return top

    def _plan_column(
        self, step: _Step, number: int, path: str, *, is_list: bool = False, of_child: bool = False
    ) -> None:
        path, _, attribute = path.partition("@")
        step = self._walk(step, path)
        step.is_list = step.is_list or is_list
        step.of_child = of_child
        if attribute:
            step.attributes[attribute] = number
        else:
            step.column = number

    def _walk(self, step: _Step, path: str) -> _Step:
        for local in path.split("/"):
            name = f"{self.namespace}{SEPARATOR}{local}" if self.namespace else local
            step = step.steps.setdefault(name, _Step())
        return step

    # tables

    def _flush(self) -> dict[str, pl.DataFrame]:
        spec = self._spec
        records, children = [], []
        if self._slow:
            rows = [(record, offset, row) for record, offset, (row, _) in self._slow]
            records.append(_frame_of_rows(rows, spec.fields))
            below = [
                (record, offset, index, row)
                for record, offset, (_, found) in self._slow
                for index, row in enumerate(found, start=1)
            ]
            if below:
                places = [index for _, _, index, _ in below]
                frame = _frame_of_rows([(record, offset, row) for record, offset, _, row in below], spec.child_fields)
                children.append(frame.with_columns(pl.Series("_index", places, dtype=pl.Int32)))
            self._slow = []
        for shape in self._shapes.filled() if self._shapes is not None else ():
            own, below_it = _frames_of_shape(shape, spec)
            records.append(own)
            children += below_it
        own = pl.concat(records).sort("_record") if len(records) > 1 else records[0]
        section = pl.Series("_section", self._sections, dtype=pl.Int64).search_sorted(own["_record"], side="left")
        tables = {"record": own.with_columns(section.cast(pl.Int32).alias("_section"))}
        if children:
            tables["child"] = pl.concat(children).sort("_record", "_index") if len(children) > 1 else children[0]
        return tables


_PLACES: Mapping[str, pl.DataType] = {"_record": pl.Int64(), "_offset": pl.Int64()}


def _frame_of_rows(rows: Sequence[tuple[int, int, list[Cell]]], fields: Sequence[str]) -> pl.DataFrame:
    columns = zip(*(row for _, _, row in rows), strict=True)
    made = {
        "_record": pl.Series([record for record, _, _ in rows], dtype=pl.Int64),
        "_offset": pl.Series([offset for _, offset, _ in rows], dtype=pl.Int64),
    }
    for name, cells in zip(fields, columns, strict=True):
        made[name] = pl.Series([_lines(cell) if isinstance(cell, list) else cell for cell in cells], dtype=pl.String)
    return pl.DataFrame(made)


def _frames_of_shape(shape: Shape, spec: Repeated) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    places = {
        "_record": pl.Series(shape.records, dtype=pl.Int64),
        "_offset": pl.Series(shape.offsets, dtype=pl.Int64),
    }
    groups = [pl.Series(texts, dtype=pl.Binary).cast(pl.String) for texts in zip(*shape.texts, strict=True)]
    shape.records, shape.offsets, shape.texts = [], [], []
    own = pl.DataFrame(places | _columns(spec.fields, shape.row, groups))
    below = []
    for index, child in enumerate(shape.children, start=1):
        frame = pl.DataFrame(places | _columns(spec.child_fields, child, groups))
        below.append(frame.with_columns(pl.lit(index, dtype=pl.Int32).alias("_index")))
    return own, below


def _columns(fields: Sequence[str], sources: Sequence[Source], groups: Sequence[pl.Series]) -> dict[str, pl.Series]:
    return {name: _column(source, groups) for name, source in zip(fields, sources, strict=True)}


def _column(source: Source, groups: Sequence[pl.Series]) -> pl.Series:
    if isinstance(source, int):
        return groups[source]
    if isinstance(source, list):
        parts = [groups[part] if isinstance(part, int) else _constant(part, groups) for part in source]
        if len(parts) == 1:
            return _plain(parts[0])
        return pl.select(pl.concat_str([pl.lit(_plain(part)) for part in parts], separator="\n")).to_series()
    return _constant(source, groups)


def _constant(value: str | None, groups: Sequence[pl.Series]) -> pl.Series:
    return pl.Series([value], dtype=pl.String).new_from_index(0, len(groups[0]))


def _plain(texts: pl.Series) -> pl.Series:
    """Texts on one line each, so that lines can tell them apart."""
    return texts.str.replace_all("\n", " ", literal=True)


def _lines(texts: list[str]) -> str:
    return "\n".join(text.replace("\n", " ") for text in texts)


def _paired(attributes: list[str]) -> dict[str, str]:
    return dict(zip(attributes[::2], attributes[1::2], strict=True))
