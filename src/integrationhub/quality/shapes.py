"""The shapes of a connector's source fields, from its copybook."""

from collections.abc import Iterator

from integrationhub.decode.copybook import parse_copybook
from integrationhub.decode.copybook.layout import Category, Item
from integrationhub.mapping.shapes import FieldShape, Shapes
from integrationhub.sdk.descriptor import Descriptor


def shapes_of(descriptor: Descriptor) -> Shapes:
    """The shapes of all fields of a connector's layout; of documents and books nothing is known but their types."""
    if descriptor.records is None:
        return Shapes()
    copybook = parse_copybook(descriptor.copybook_text, name=descriptor.layout.copybook)
    low_values = frozenset(descriptor.layout.low_values.fields)
    fields: dict[tuple[str, str], FieldShape] = {}
    occurs: dict[str, int] = {}
    for record in copybook.records:
        for table, variant, item in _elementary(record, record.name, ""):
            if item.picture is not None:
                text = item.picture.category is Category.TEXT
                size = item.picture.positions if text else item.picture.digits
                fields[table, item.key] = FieldShape(
                    text=text, size=size, variant=variant, low_values=item.key in low_values
                )
        occurs |= {item.name: item.occurs.most for item in record.walk() if item.occurs is not None}
    return Shapes(fields=fields, occurs=occurs)


def _elementary(item: Item, table: str, variant: str) -> Iterator[tuple[str, str, Item]]:
    """Elementary items with the table that they stand in and the redefinition around them."""
    if item.occurs is not None:
        table = item.name
    if not item.is_group:
        yield table, variant, item
        return
    redefined = {child.redefines for child in item.children if child.redefines}
    for child in item.children:
        own = child.name if child.redefines or child.name in redefined else variant
        yield from _elementary(child, table, own)
