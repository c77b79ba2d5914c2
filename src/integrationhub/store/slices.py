"""Slices that were merged. A slice is claimed and merged in one transaction, so a repeated one finds itself done."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from integrationhub.errors import InvariantBroken
from integrationhub.store.dialect import affected, insert_new
from integrationhub.store.schema import SLICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a file that ends on a group boundary. Records are counted from 1; the byte range is half open."""

    delivery_id: str
    slice_no: int
    first_record: int
    last_record: int
    first_byte: int
    last_byte: int
    committed_at: datetime
    counts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSums:
    """Control sums of ledger entries that were added: how many, and the pence of the three amounts."""

    entries: int = 0
    pence: int = 0
    suspended_pence: int = 0
    stored_pence: int = 0

    def __add__(self, other: "LedgerSums") -> "LedgerSums":
        return LedgerSums(
            entries=self.entries + other.entries,
            pence=self.pence + other.pence,
            suspended_pence=self.suspended_pence + other.suspended_pence,
            stored_pence=self.stored_pence + other.stored_pence,
        )


NOTHING = LedgerSums()


class Slices:
    """What has been merged of each delivery."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, part: Slice) -> bool:
        """Take the slice for this transaction; False when it is done already.

        Where another transaction is at it this very moment, the answer waits for that one's end.
        """
        zero = {f"ledger_{name}": value for name, value in asdict(NOTHING).items()}
        return insert_new(self._connection, SLICES, {**asdict(part), **zero})

    def count(self, delivery_id: str, slice_no: int, counts: Mapping[str, Any]) -> None:
        """Store what became of the slice's records."""
        self._update(delivery_id, slice_no, {"counts": dict(counts)})

    def add_ledger(self, delivery_id: str, slice_no: int, sums: LedgerSums) -> None:
        """Add to the control sums of the slice; the merge does this itself."""
        changes = {f"ledger_{name}": SLICES.c[f"ledger_{name}"] + value for name, value in asdict(sums).items()}
        self._update(delivery_id, slice_no, changes)

    def done(self, delivery_id: str) -> frozenset[int]:
        """Numbers of the slices that were merged."""
        return frozenset(
            self._connection.execute(select(SLICES.c.slice_no).where(SLICES.c.delivery_id == delivery_id)).scalars()
        )

    def all(self, delivery_id: str) -> list[Slice]:
        """The merged slices of a delivery in order."""
        columns = [SLICES.c[name] for name in Slice.__dataclass_fields__]
        statement = select(*columns).where(SLICES.c.delivery_id == delivery_id).order_by(SLICES.c.slice_no)
        return [Slice(**row) for row in self._connection.execute(statement).mappings()]

    def _update(self, delivery_id: str, slice_no: int, changes: Mapping[str, object]) -> None:
        chosen = (SLICES.c.delivery_id == delivery_id) & (SLICES.c.slice_no == slice_no)
        if affected(self._connection, update(SLICES).where(chosen).values(**changes)) != 1:
            raise InvariantBroken(f"slice {slice_no} was not claimed before it was merged", code="SLICE_NOT_CLAIMED")
