"""A slice's rows made fit for the store: everything that needs no database, so that it can be done beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from integrationhub.canonical.model import ENTITIES
from integrationhub.store import seal, staging
from integrationhub.store.frames import conform
from integrationhub.store.staging import ENTITY_STAGES, Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRows:
    """The rows of a slice, fit to be written: `frames` by entity, and what of them is rendered already."""

    frames: Mapping[str, pl.DataFrame]
    rendered: Mapping[str, Rendered] = field(default_factory=dict)

    def of(self, entity: str) -> tuple[pl.DataFrame, Rendered | None]:
        """An entity's rows, and their rendering if there is one; a frame without columns where there are no rows."""
        return self.frames.get(entity, pl.DataFrame()), self.rendered.get(entity)

    def of_groups(self, groups: pl.DataFrame) -> "SliceRows":
        """The rows of these groups only; those that belong to no group stay."""
        kept = groups.select("group_id")
        frames = {
            name: frame.join(kept, on="group_id", how="semi", maintain_order="left")
            if ENTITIES[name].group_scoped
            else frame
            for name, frame in self.frames.items()
        }
        return SliceRows(frames=frames)


def fit(rows: Mapping[str, pl.DataFrame], *, delivery_id: str, sequence: int, render: bool = False) -> SliceRows:
    """The rows of a delivery with their columns checked and their ledger lines sealed.

    With `render`, also brought into the form in which PostgreSQL takes them. InvariantBroken: rows of another delivery,
    two rows with one identifier, or a required value missing.
    """
    frames = {
        name: conform(ENTITIES[name], frame, delivery_id=delivery_id, sequence=sequence) for name, frame in rows.items()
    }
    if "ledger" in frames:
        frames["ledger"] = seal.seal(frames["ledger"])
    ready = {name: staging.render(ENTITY_STAGES[name], frame) for name, frame in frames.items()} if render else {}
    return SliceRows(frames=frames, rendered=ready)
