"""What fields are called in nested output: names as the copybook spells them, told apart within their group."""

from collections import Counter
from dataclasses import replace

from integrationhub.decode.copybook import Item
from integrationhub.decode.copybook.layout import FILLER


def outlined(record: Item, *, fillers: bool, taken: Counter[str] | None = None) -> Item:
    """The record with every shown item's key made of its own label and those of the groups around it, dots between.

    A label that its group (or `taken`) has already gets `-2`, `-3`. The 01 level is no part of a key unless it has
    nothing below it.
    """
    if not record.is_group:
        return replace(record, key=_unique(record.written or record.name, Counter() if taken is None else taken))
    return _labelled(record, "", fillers, Counter() if taken is None else taken)


def label(item: Item) -> str:
    """What an outlined item is called in its group."""
    return item.key.rpartition(".")[2]


def shown(item: Item, *, fillers: bool) -> bool:
    """Whether an item appears in the output: a filler only if wanted, a group if anything in it does."""
    if item.is_group:
        return any(shown(child, fillers=fillers) for child in item.children)
    return fillers or not item.is_filler


def _labelled(group: Item, prefix: str, fillers: bool, taken: Counter[str]) -> Item:  # noqa: FBT001 - handed down
    children = []
    for number, child in enumerate(group.children):
        if shown(child, fillers=fillers):
            key = prefix + _unique(FILLER if child.is_filler else child.written or child.name, taken)
        else:
            key = f"{prefix}#{number}"
        child = replace(child, key=key)  # noqa: PLW2901 - the same item with its key
        children.append(_labelled(child, f"{key}.", fillers, Counter()) if child.is_group else child)
    return replace(group, children=tuple(children))


def _unique(name: str, taken: Counter[str]) -> str:
    """The name, with its number behind where it isn't the first; counted whatever its case."""
    taken[name.upper()] += 1
    number = taken[name.upper()]
    return name if number == 1 else _unique(f"{name}-{number}", taken)
