"""A small document, or what stands around the records of a large one, as a tree of plain nodes."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """An element: local name, attributes, text (of an element without children), children, and where it begins."""

    name: str
    path: str  # local names from below the root, joined by `/`; the root's is empty
    offset: int
    attributes: dict[str, str]
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def all(self, path: str) -> Iterator["Node"]:
        """Every element at a path below this one, in the order of the document."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.all(rest)
                else:
                    yield child

    def first(self, path: str) -> "Node | None":
        """The first element at a path below this one."""
        return next(self.all(path), None)

    def value(self, path: str) -> str | None:
        """The text of the first element at a path, without blanks around it; None where it is blank or missing."""
        found = self.first(path)
        return (found.text.strip(" \t\r\n") or None) if found is not None else None
