"""Segments: which redefinition, or which 01 level, a record uses, and which record stands below which."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from integrationhub.decode.columns import Reading
from integrationhub.decode.copybook import Copybook, Item
from integrationhub.decode.numbers import Block, Integers, Mask
from integrationhub.decode.rows import gather
from integrationhub.decode.selector import Codes, Selector
from integrationhub.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRules:
    """`field` is a field of the first 01 level; `values` say for a group (or 01 level) with which of its values records
    use it; `parents` say below which group another one stands. Names in upper case.
    """

    field: str | None = None
    values: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    parents: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def faults(self, copybook: Copybook) -> list[str]:
        """Everything that the rules name and the copybook hasn't, and rules that contradict each other."""
        known = {item.name for record in copybook.records for item in record.walk()}
        found = []
        if self.values and self.field is None:
            found.append("segments need the segment field that tells them apart")
        if self.parents and not self.values:
            found.append("a segment parent needs segments")
        if self.field is not None and self.item(copybook) is None:
            found.append(f"no segment field {self.field} in the first 01 level")
        found += [f"no group {name} for a segment" for name in self.values if name not in known]
        named = {*self.parents, *self.parents.values()} if self.values else set()
        found += [f"no segment {name} to stand below or above another" for name in sorted(named - set(self.values))]
        found += [f"segment {child} stands below itself" for child in self.parents if child in self.above(child)]
        return found

    def item(self, copybook: Copybook) -> Item | None:
        """The segment field."""
        for item in copybook.records[0].walk():
            if not item.is_group and item.name == self.field:
                return item
        return None

    def above(self, child: str) -> list[str]:
        """The segments around one, from the inside out; ends where a name comes again."""
        found: list[str] = []
        name = self.parents.get(child)
        while name is not None and name not in found:
            found.append(name)
            name = self.parents.get(name)
        return found


class Segmenter:
    """Tells which segments the records of a batch use."""

    def __init__(self, rules: SegmentRules, copybook: Copybook, reading: Reading) -> None:
        found = rules.faults(copybook)
        if found:
            raise ConfigurationError(
                f"the segments don't fit copybook {copybook.name}: {found[0]}",
                faults=found,
                code="SEGMENT_INVALID",
                remedy="correct --segment-field, --segment or --segment-parent",
            )
        self._space = reading.page.space
        self._item = rules.item(copybook)
        distinct = list(dict.fromkeys(value for values in rules.values.values() for value in values))
        self._codes = {
            name: np.array([distinct.index(value) for value in values], np.int16)
            for name, values in rules.values.items()
        }
        self._selector: Selector | None = None
        if self._item is not None and distinct:
            self._selector = Selector(self._item, [[value] for value in distinct], reading)

    def matches(self, buffer: Block, starts: Integers, ends: Integers) -> dict[str, Mask]:
        """For every segment named, which records use it."""
        if self._selector is None or self._item is None:
            return {}
        width = self._item.length
        block, inside = gather(buffer, starts + self._item.offset, ends, width, self._space)
        codes: Codes = self._selector.select(block)
        if inside is not None:
            codes[inside <= 0] = -1
        return {name: np.isin(codes, values) for name, values in self._codes.items()}
