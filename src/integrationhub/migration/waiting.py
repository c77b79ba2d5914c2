"""What of a plan waits for a person: exceptions of its cases and groups that a run has held, on one worklist."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from integrationhub.errors import NotFound
from integrationhub.identity import Actor
from integrationhub.migration.handling import Handling
from integrationhub.store import transfer_sources
from integrationhub.store.worklist import ItemState, Worklist, WorklistItem

NEXT = {
    "cases": "settle the finding at the source; the corrected record re-enters by itself",
    "case_groups": "look at what has changed, then rehearse the group's wave again",
}
"""What to do next, by what the item is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionDesk:
    """The worklist of a plan: items of source groups that have a case of the plan's schemes."""

    handling: Handling

    def items(self, *, everything: bool = False, only: Collection[str] = ()) -> list[dict[str, Any]]:
        """Items, oldest first; those that are resolved where `everything` is asked for."""
        now = self.handling.clock()
        kinds = self.handling.bound.plan.plan.schemes
        with self.handling.store.read() as connection:
            ours = transfer_sources.source_groups(connection, kinds)
            found = Worklist(connection).items()
        return [
            {"exception_id": item.exception_id, "code": item.code, "entity": item.entity, "source_ref": item.source_ref,
             "group": ours[item.group_id], "owner": item.owner, "state": item.state.value, "text": item.text,
             "opened_at": item.opened_at.isoformat(), "age_days": (now - item.opened_at).days,
             "due": item.due.isoformat() if item.due else None, "next_action": NEXT.get(item.entity, NEXT["cases"])}
            for item in found
            if _wanted(item, everything=everything, only=only) and item.group_id is not None and item.group_id in ours
        ]  # fmt: skip

    def assign(self, exception_ids: Sequence[str], owner: str) -> None:
        """Give items to somebody, all or none; NotFound: one of them is not open."""
        with self.handling.store.begin() as work:
            for exception_id in exception_ids:
                work.worklist.assign(exception_id, owner)
            work.commit()

    def resolve(self, exception_ids: Sequence[str], actor: Actor, reason: str) -> None:
        """Close items with what was found and done. NotFound: none of them is open."""
        with self.handling.store.begin() as work:
            resolution = f"{actor.name}: {reason}"
            if not work.worklist.resolve(exception_ids, at=self.handling.clock(), resolution=resolution):
                raise NotFound("none of these exceptions is open", code="NO_EXCEPTION")
            work.commit()


def _wanted(item: WorklistItem, *, everything: bool, only: Collection[str]) -> bool:
    if only:
        return item.exception_id in only
    return everything or item.state is not ItemState.RESOLVED
