"""The lists of an extract as tables, read from its XML Schema: elements are rows, attributes are columns.

A list element's attributes become columns by their declared types; a child element with text that may occur once
becomes a column, one that may repeat, or has attributes of its own, becomes a child table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lxml import etree

from integrationhub.errors import ConfigurationError

Kind = Literal["text", "date", "money", "flag", "int"]

_XS = "{http://www.w3.org/2001/XMLSchema}"
_BUILT_IN: Mapping[str, Kind] = {
    "date": "date",
    "boolean": "flag",
    "decimal": "money",
    "nonNegativeInteger": "int",
    "positiveInteger": "int",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One kind of element. `columns`: attribute → kind; `texts`: text children that are columns of this table.

    `text` says that the element's own text is its column of the same name.
    """

    name: str
    columns: Mapping[str, Kind]
    texts: tuple[str, ...] = ()
    children: Mapping[str, "Element"] = field(default_factory=dict)
    text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLayout:
    """The lists of a document by the name of the list's element, and the validator for the whole."""

    namespace: str
    lists: Mapping[str, Element]
    single: Mapping[str, Element]  # elements that stand once below the root, e.g. the control
    schema: etree.XMLSchema

    def tables(self) -> Iterator[Element]:
        """Every table: the lists' elements and their children."""
        for element in self.lists.values():
            yield element
            yield from element.children.values()


def read_layout(schema: bytes, *, name: str, root: str) -> DocumentLayout:
    """The layout in an XML Schema. ConfigurationError: it is no schema, or does not declare `root`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        tree = etree.fromstring(schema, parser)
        validator = etree.XMLSchema(tree)
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as exc:
        raise ConfigurationError(f"{name} is no XML Schema", code="SCHEMA_FAULTY") from exc
    declared = next((item for item in tree.findall(f"{_XS}element") if item.get("name") == root), None)
    if declared is None:
        raise ConfigurationError(f"{name} declares no element {root}", code="SCHEMA_FAULTY")
    kinds = {item.get("name", ""): _base(item) for item in tree.findall(f"{_XS}simpleType")}
    below = list(_below(declared))
    lists = {item.get("name", ""): inner for item in below for inner in _below(item)}
    return DocumentLayout(
        namespace=tree.get("targetNamespace", ""),
        lists={name: _element(item, kinds) for name, item in lists.items()},
        single={item.get("name", ""): _element(item, kinds) for item in below if not list(_below(item))},
        schema=validator,
    )


def _below(item: Any) -> Iterator[Any]:  # noqa: ANN401 - lxml's elements have no public type
    """The elements that an element's sequence declares."""
    yield from item.findall(f"{_XS}complexType/{_XS}sequence/{_XS}element")


def _element(item: Any, kinds: Mapping[str, Kind]) -> Element:  # noqa: ANN401 - as `_below`
    children = [_element(child, kinds) for child in _below(item)]
    once = {child.get("name") for child in _below(item) if child.get("maxOccurs", "1") == "1"}
    texts = tuple(child.name for child in children if child.text and child.name in once)
    return Element(
        name=item.get("name"),
        columns={
            attribute.get("name"): _kind(attribute.get("type"), kinds)
            for attribute in item.findall(f"{_XS}complexType/{_XS}attribute")
        },
        texts=texts,
        children={child.name: child for child in children if child.name not in texts},
        text=item.find(f"{_XS}complexType") is None,
    )


def _base(simple: Any) -> Kind:  # noqa: ANN401 - as `_below`
    restriction = simple.find(f"{_XS}restriction")
    return _kind(restriction.get("base") if restriction is not None else None, {})


def _kind(name: str | None, kinds: Mapping[str, Kind]) -> Kind:
    if name is None:
        return "text"
    return kinds.get(name) or _BUILT_IN.get(name.removeprefix("xs:"), "text")
