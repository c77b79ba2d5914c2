"""What a copybook can't say about its records: which 01 level a record is, which redefinition applies."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from integrationhub.decode.copybook import Copybook, Item
from integrationhub.decode.plan import Frame, Odo, Planner, Redefines
from integrationhub.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRules:
    """A copybook and the rules for reading its records.

    `record_types` maps values of the record-type field to 01 levels (several values may name one level); without it
    the copybook's only 01 level is meant. `record_type_field` is a field of the first 01 level, by default its first.
    `redefines` maps a redefined item to the field that decides and, by that field's values, the item that is meant:
    `{"L-DATA": ("L-KIND", {"C": "L-CHARGE", "R": "L-RECEIPT"})}`. Without a rule all redefinitions are read in every
    record. `odo` is as in `plan.Odo`.
    """

    copybook: Copybook
    record_types: Mapping[str, str] | None = None
    record_type_field: str | None = None
    redefines: Redefines = field(default_factory=dict)
    odo: Odo = "shift"

    def check(self, *, fields: Iterable[str] = ()) -> None:
        """ConfigurationError with everything that the rules, or `fields`, name and the copybook hasn't."""
        faults = list(self._faults(set(fields)))
        if faults:
            raise ConfigurationError(
                f"the rules for copybook {self.copybook.name} don't fit it: {faults[0]}",
                faults=faults,
                code="LAYOUT_INVALID",
                remedy="correct the rules, or the copybook",
            )

    def _faults(self, fields: set[str]) -> Iterator[str]:
        levels = {record.name for record in self.copybook.records}
        if self.record_types is None and len(levels) > 1:
            yield f"{len(levels)} 01 levels, and no record types that say which one a record is"
        for name in dict.fromkeys((self.record_types or {}).values()):
            if name not in levels:
                yield f"no 01 level {name}"
        if self.record_types is not None and self._type_field() is None:
            yield f"no field {self.record_type_field} in the first 01 level"
        items = [item for record in self.copybook.records for item in record.walk()]
        known = {name for item in items for name in (item.name, item.key)}
        for area, (decider, values) in self.redefines.items():
            sharing = {item.name for item in items if item.redefines == area or (item.name == area and item.redefined)}
            yield from (f"no item {name} that shares its bytes with {area}" for name in {*values.values()} - sharing)
            if decider not in known:
                yield f"no field {decider} that decides how {area} is read"
        yield from (f"no field {name}" for name in sorted(fields - known))

    def _type_field(self) -> Item | None:
        for item in self.copybook.records[0].walk():
            if not item.is_group and self.record_type_field in {None, item.name, item.key}:
                return item
        return None

    @property
    def type_field(self) -> Item | None:
        """The record-type field, when records are told apart by one."""
        return self._type_field() if self.record_types is not None else None

    def names(self) -> tuple[str, ...]:
        """The 01 levels that records may be."""
        if self.record_types is None:
            return (self.copybook.records[0].name,)
        return tuple(dict.fromkeys(self.record_types.values()))

    def values_of(self, name: str) -> tuple[str, ...]:
        """The record-type values that stand for an 01 level."""
        return tuple(value for value, level in (self.record_types or {}).items() if level == name)

    def plan(self, name: str) -> Frame:
        """How a record of that 01 level is walked."""
        return Planner(self.copybook.record(name), redefines=self.redefines, odo=self.odo).plan()
