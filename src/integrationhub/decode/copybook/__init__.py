"""COBOL copybooks: text to a layout tree.

    copybook = parse_copybook(text, name="csa1993.cpy")
    for record in copybook.records: ...

source → copying → tokens → entries → builder → layout
"""

from integrationhub.decode.copybook.builder import build_copybook
from integrationhub.decode.copybook.copying import Library, expand
from integrationhub.decode.copybook.entries import EntryParser
from integrationhub.decode.copybook.faults import Faults
from integrationhub.decode.copybook.layout import (
    Category,
    Condition,
    Copybook,
    Item,
    Occurs,
    Picture,
    Rename,
    Sign,
    Usage,
)
from integrationhub.decode.copybook.source import Place, read_source
from integrationhub.decode.copybook.tokens import tokenize

__all__ = [
    "Category",
    "Condition",
    "Copybook",
    "Item",
    "Occurs",
    "Picture",
    "Rename",
    "Sign",
    "Usage",
    "parse_copybook",
]


def parse_copybook(text: str, *, name: str = "copybook", library: Library | None = None) -> Copybook:
    """The layout tree of a copybook; `name` is what faults call the file, `library` finds what COPY names.

    ConfigurationError lists every fault as `name:line:column: expected …, found …`.
    """
    faults = Faults(name)
    source = expand(read_source(text), library, faults)
    faults.raise_any()
    entries = EntryParser(tokenize(source), faults).entries()
    faults.raise_any()
    if not entries:
        faults.add(Place(1, 1), "expected at least one data item in columns 8 to 72, found none")
        faults.raise_any()
    copybook = build_copybook(name, entries, faults)
    faults.raise_any()
    return copybook
