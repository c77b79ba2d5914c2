"""What source fields can hold at most, as a record layout says: for the search for codes and rules that never apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """A field: text or number, how many characters or digits, the redefinition that it stands in ("" none)."""

    text: bool
    size: int
    variant: str = ""
    low_values: bool = False  # may all its bytes be X'00'?

    def can_be(self, value: str) -> bool:
        """Whether the field could hold this text, or a number written so."""
        if self.text:
            return len(value) <= self.size
        digits = value.removeprefix("-")
        return digits.isdecimal() and len(digits.lstrip("0")) <= self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """The shapes of all fields by table and name, and the largest number of occurrences of each child table."""

    fields: Mapping[tuple[str, str], FieldShape] = field(default_factory=dict)
    occurs: Mapping[str, int] = field(default_factory=dict)
