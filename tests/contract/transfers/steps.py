"""The way of a wave in a few words, for tests."""

from collections import Counter
from typing import Any

from sqlalchemy import select

from integrationhub.bootstrap import Hub
from integrationhub.checkpoints import crash_points
from integrationhub.identity import Actor
from integrationhub.migration.approval import approve
from integrationhub.migration.live_run import Crew, Outcome, transfer
from integrationhub.migration.rehearsal import Rehearsed, rehearse
from integrationhub.migration.settling import note_agreed, waiting_groups
from integrationhub.store.transfer_decisions import DECISIONS
from integrationhub.store.transfer_moves import MOVES, TRANSFER_GROUPS

PLAN, WAVE = "csa-all", "main"
ALICE, BOB, CAROL = (Actor(name=name, authenticated=False) for name in ("alice", "bob", "carol"))


def rehearsed(hub: Hub, wave: str = WAVE, actor: Actor = ALICE) -> Rehearsed:
    (found,) = rehearse(hub.handling(PLAN), actor, [wave])
    return found


def approved(hub: Hub, wave: str = WAVE) -> None:
    rehearsed(hub, wave)
    approve(hub.handling(PLAN), BOB, wave, "the totals agree")


def moved(hub: Hub, wave: str = WAVE, *, freeze_only: bool = False, workers: int = 1) -> Outcome:
    crew = Crew(workers=workers, store_url=hub.settings.store_url, checkpoints=crash_points)
    return transfer(hub.handling(PLAN), ALICE, wave, crew, freeze_only=freeze_only)


def reconciled(hub: Hub, wave: str = WAVE) -> int:
    """Read the originals a second time and note what agrees; how many groups."""
    handling = hub.handling(PLAN)
    waiting = waiting_groups(handling, wave)
    with hub.store.read() as connection:
        run_id = handling.run(connection).run_id
    found = hub.reconciliation().run(run_id=run_id, wave=wave)
    assert all(book.holds for book in found)
    return note_agreed(handling, ALICE, "RECONCILE", waiting)


def transfer_rows(hub: Hub) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that transfers write, but for how long things took."""
    timed = {"seconds", "report"}
    with hub.store.read() as connection:
        return {
            table.name: sorted(
                tuple(str(value) for name, value in row._mapping.items() if name not in timed)
                 for row in connection.execute(select(table))
            )
            for table in (*DECISIONS, *MOVES)
        }  # fmt: skip


def states(hub: Hub) -> dict[str, int]:
    """State → groups."""
    with hub.store.read() as connection:
        return dict(Counter(connection.execute(select(TRANSFER_GROUPS.c.state)).scalars()))
