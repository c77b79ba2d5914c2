"""What decoded columns and tables are called."""

from collections import Counter
from dataclasses import replace

from integrationhub.decode.copybook.layout import Item


def column_keys(record: Item) -> Item:
    """The record with every item's `key`: its bare name, or as many group names in front as tell it apart.

    Namesakes that even the whole path doesn't tell apart get `-2`, `-3` behind, in source order.
    """
    paths = Counter(_suffix(item.path, 1) for item in record.walk() if not item.is_filler)
    for depth in range(2, max(len(item.path) for item in record.walk()) + 1):
        paths.update(
            _suffix(item.path, depth) for item in record.walk() if not item.is_filler and len(item.path) >= depth
        )
    return _keyed(record, paths, Counter())


def _suffix(path: tuple[str, ...], depth: int) -> tuple[str, ...]:
    return path[-depth:]


def _keyed(item: Item, paths: Counter[tuple[str, ...]], taken: Counter[str]) -> Item:
    depth = 1
    while paths[_suffix(item.path, depth)] > 1 and depth < len(item.path):
        depth += 1
    key = ".".join(_suffix(item.path, depth))
    taken[key] += 1
    if taken[key] > 1 and not item.is_filler:
        key = f"{key}-{taken[key]}"
    return replace(item, key=key, children=tuple(_keyed(child, paths, taken) for child in item.children))
