"""What stands in a body, as paths and values: for showing it masked, for predicates, for differences.

A path is the names from the root down, joined by dots: `debt.amount` in JSON, `Event.Receipt.@amount` in XML (local
names, attributes with @). Items of lists share their list's path. What is neither JSON nor XML has one path a line.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from integrationhub.decode.xml.prolog import has_doctype

LARGEST = 1 << 20
"""Bytes of a body that is taken apart; of a larger one only the size is told."""

WHOLE = "(body)"
"""Path of the size of a body that can't be taken apart."""

_SHAPE_LENGTH = 40
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value and where it stands. JSON's null is None."""

    path: str
    value: str | None

    def shown(self, *, unmasked: bool) -> str | None:
        """The value, or its shape."""
        return self.value if unmasked or self.value is None else shape(self.value)


def shape(value: str) -> str:
    """What a value looks like: digits as 9, capitals as A, small letters as a, signs as they are."""
    masked = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda letter: "A" if letter[0].isupper() else "a", value))
    return masked if len(masked) <= _SHAPE_LENGTH else f"{masked[:_SHAPE_LENGTH]}… ({len(value)} characters)"


def has_shape(value: str | None, wanted: str) -> bool:
    """Whether a value is of a class (`null`, `empty`, `number`, `date`, `text`), or of exactly this shape."""
    match wanted:
        case "null":
            return value is None
        case "empty":
            return value is not None and not value.strip()
        case "number":
            return value is not None and _NUMBER.fullmatch(value) is not None
        case "date":
            return value is not None and _DATE.fullmatch(value) is not None
        case "text":
            return bool(value and value.strip()) and not any(has_shape(value, other) for other in ("number", "date"))
        case _:
            return value is not None and shape(value) == wanted


def leaves(body: bytes) -> list[Leaf]:
    """Every value of a body in its order; a body that can't be taken apart gives one leaf that tells its size."""
    if len(body) > LARGEST:
        return [Leaf(path=WHOLE, value=f"{len(body)} bytes")]
    return _json(body) or _xml(body) or _text(body)


def _json(body: bytes) -> list[Leaf]:
    if body.lstrip()[:1] not in (b"{", b"["):
        return []
    try:
        # Numbers stay as they are written: a predicate asks for the shape of the text, not of a float.
        document = json.loads(body, parse_int=str, parse_float=str, parse_constant=str)
        return list(_of_json("", document))
    except (ValueError, RecursionError):
        return []


def _of_json(path: str, value: object) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _of_json(f"{path}.{name}" if path else str(name), item)
    elif isinstance(value, list):
        for item in value:
            yield from _of_json(path, item)
    elif isinstance(value, bool):
        yield Leaf(path=path, value=str(value).lower())
    else:
        yield Leaf(path=path, value=None if value is None else str(value))


def _xml(body: bytes) -> list[Leaf]:
    if b"<" not in body[:64] or has_doctype(body):
        return []
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    return list(_of_xml("", root))


def _of_xml(path: str, element: "etree._Element") -> Iterator[Leaf]:
    name = etree.QName(element).localname
    path = f"{path}.{name}" if path else name
    for attribute, value in element.attrib.items():
        yield Leaf(path=f"{path}.@{etree.QName(attribute).localname}", value=str(value))
    if len(element) == 0 and (element.text or not element.attrib):
        yield Leaf(path=path, value=element.text or "")
    for child in element:
        yield from _of_xml(path, child)


def _text(body: bytes) -> list[Leaf]:
    try:
        lines = body.decode().splitlines()
    except UnicodeDecodeError:
        return [Leaf(path=WHOLE, value=f"{len(body)} bytes")]
    if any(not character.isprintable() and character != "\t" for line in lines for character in line):
        return [Leaf(path=WHOLE, value=f"{len(body)} bytes")]
    return [Leaf(path=f"line {number}", value=line) for number, line in enumerate(lines, start=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value that two bodies don't share; None where one of them has no such value."""

    path: str
    before: Leaf | None
    after: Leaf | None

    def line(self, *, unmasked: bool) -> str:
        """`path: before → after`; of two masked values that look alike it says that they differ."""
        before, after = (_told(leaf, unmasked=unmasked) for leaf in (self.before, self.after))
        same = " (another value of the same shape)" if before == after else ""
        return f"{self.path}: {before} → {after}{same}"


def _told(leaf: Leaf | None, *, unmasked: bool) -> str:
    if leaf is None:
        return "nothing"
    shown = leaf.shown(unmasked=unmasked)
    return "null" if shown is None else shown or "empty"


def changes(before: bytes, after: bytes) -> list[Change]:
    """What another version of a body alters, value by value, in the order of their paths."""
    old, new = _by_path(leaves(before)), _by_path(leaves(after))
    found = []
    for path in dict.fromkeys([*old, *new]):
        was, now = old.get(path, []), new.get(path, [])
        for place in range(max(len(was), len(now))):
            one = was[place] if place < len(was) else None
            other = now[place] if place < len(now) else None
            if one != other:
                found.append(Change(path=path, before=one, after=other))
    return found


def _by_path(found: Iterable[Leaf]) -> dict[str, list[Leaf]]:
    paths: dict[str, list[Leaf]] = {}
    for leaf in found:
        paths.setdefault(leaf.path, []).append(leaf)
    return paths
