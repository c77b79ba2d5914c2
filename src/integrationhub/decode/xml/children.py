"""A document from strangers whose root holds one kind of record: its children one after the other, each as a tree.

The whole document is read before it is known to be in order: what is not well-formed counts before what stands in an
unknown namespace. A child is held whole, within limits.
"""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

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

READ = 1 << 16
LARGEST = 1 << 20
"""Characters of texts and attributes in one child, and of the root's attributes."""

BLANKS = " \t\r\n"
"""What XML takes for white space."""

MOST = 10_000
"""Elements in one child."""


class Children:
    """Iterate once. `root` has the root's attributes from the first child on. XmlFault: the document is refused."""

    def __init__(self, stream: BinaryIO, *, namespace: str, root: str) -> None:
        self._stream = stream
        self._named = f"{namespace}{SEPARATOR}"
        self._wanted = root
        self.root = Node(name="", path="", offset=0, attributes={})
        self._parser = StrangerParser()
        self._parser.handle(self._start, self._end, self._text)
        self._open: list[Node] = []
        self._done: list[Node] = []
        self._depth = self._size = self._count = 0
        self._stranger: XmlFault | None = None

    def __iter__(self) -> Iterator[Node]:
        first = True
        for piece in whole_heads(iter(partial(self._stream.read, READ), b"")):
            if first:
                encoding_in(piece)
                first = False
            self._parser.feed(piece)
            done, self._done = self._done, []
            yield from done
        self._parser.feed(b"", final=True)
        yield from self._done
        if self._stranger is not None:
            raise self._stranger

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._parser.too_deep()
        local = name.removeprefix(self._named)
        if local == name or (self._depth == 1 and local != self._wanted):
            self._stranger = self._stranger or XmlFault(
                XML_NAMESPACE, "an element that is not of this feed's documents", self._parser.place
            )
        values = dict(zip(attributes[::2], attributes[1::2], strict=True))
        node = Node(name=local, path="", offset=self._parser.place, attributes=values)
        self._measure(sum(map(len, attributes)))
        if self._depth == 1:
            self.root = node
        else:
            if self._open:
                self._open[-1].children.append(node)
            self._open.append(node)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._open:
            node = self._open.pop()
            if not self._open:
                self._size = self._count = 0
                self._done += [] if self._stranger else [node]

    def _text(self, text: str) -> None:
        if self._open:
            self._measure(len(text))
            self._open[-1].text += text

    def _measure(self, size: int) -> None:
        self._size += size
        self._count += 1
        if self._size > LARGEST or self._count > MOST:
            raise XmlFault(XML_INVALID, "a record is larger than any can be", self._parser.place)


def digest_parts(node: Node) -> Iterator[str]:
    """What an element says, in one form: attributes sorted, texts without blanks around them."""
    yield f"<{node.name}"
    for name, value in sorted(node.attributes.items()):
        yield f"{name}={value}"
    yield f">{node.text.strip(BLANKS)}"
    for child in node.children:
        yield from digest_parts(child)
    yield "</"
