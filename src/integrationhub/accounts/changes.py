"""What judges changed in one transaction: the rows to write, where each is from, and what happened in which order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from integrationhub.accounts.entries import Debt, Note, Origin, Receipt, Reversal


@dataclass(frozen=True, slots=True)
class DebtChanged:
    """A debt is other than it was; `before` is None for one that nobody knew."""

    before: Debt | None
    after: Debt
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Posted:
    """Money came."""

    receipt: Receipt
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Reversed:
    """Money went back."""

    reversal: Reversal
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Moved:
    """Money that waited in suspense was given to a debt or case."""

    receipt: Receipt
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Said:
    """A judge lets the world know something that follows from no row."""

    event: str
    data: Mapping[str, Any]
    origin: Origin | None


Happening: TypeAlias = DebtChanged | Posted | Reversed | Moved | Said


@dataclass(slots=True, kw_only=True)
class Changes:
    """For the store: rows to write, and for the world what happened, in order."""

    debts: dict[str, Debt] = field(default_factory=dict)  # as they are now
    receipts: list[Receipt] = field(default_factory=list)  # new ones, in the order of posting
    reversals: list[Reversal] = field(default_factory=list)
    moved: list[Receipt] = field(default_factory=list)  # suspense given to a debt later
    notes: dict[tuple[str, str, str], Note] = field(default_factory=dict)
    happened: list[Happening] = field(default_factory=list)
    origins: dict[object, Origin] = field(default_factory=dict)  # of debts by reference, notes by key

    @property
    def deliveries(self) -> set[str]:
        """The deliveries that changed something."""
        known = (*self.origins.values(), *(item.origin for item in self.happened))
        return {origin.delivery_id for origin in known if origin is not None}

    @property
    def told(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What judges said, in order: event type, data."""
        return [(item.event, item.data) for item in self.happened if isinstance(item, Said)]
