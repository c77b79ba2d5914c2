"""One wave in one go, as the demo shows it: rehearsed, refused to its preparer, approved, moved, proved, signed off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.errors import NotAllowed
from integrationhub.identity import Actor
from integrationhub.migration.approval import approve
from integrationhub.migration.handling import Handling
from integrationhub.migration.live_run import Crew, Outcome, transfer
from integrationhub.migration.moving import SILENT
from integrationhub.migration.reconcile.desk import ReconciliationDesk
from integrationhub.migration.rehearsal import rehearse
from integrationhub.migration.settling import Day, compare, note_agreed, sign_off, waiting_groups

PREPARER, APPROVER = (Actor(name=name, authenticated=False) for name in ("asha", "brian"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWave:
    """What happened to a wave."""

    plan: str
    wave: str
    rehearsal: Mapping[str, Any]
    refused: str
    moved: Outcome
    day: Day
    reconciled: int  # values that were compared with the original bytes, and agree
    signed: Mapping[str, int]


def show_wave(handling: Handling, wave: str, desk: ReconciliationDesk, *, store_url: str) -> ShownWave:
    """Take a wave from its rehearsal to its sign-off. InvariantBroken: it does not agree with the original bytes."""
    (rehearsed,) = rehearse(handling, PREPARER, [wave])
    try:
        approve(handling, PREPARER, wave, "demo")
        refused = ""
    except NotAllowed as exc:
        refused = exc.text
    approve(handling, APPROVER, wave, "the totals agree")
    crew = Crew(workers=1, store_url=store_url, checkpoints=lambda: SILENT)
    moved = transfer(handling, PREPARER, wave, crew)
    day = compare(handling, PREPARER, wave)
    reconciled = _reconcile(handling, wave, desk)
    signed = sign_off(handling, APPROVER, wave, "every gate holds")
    return ShownWave(
        plan=handling.bound.name, wave=wave, rehearsal=rehearsed.report, refused=refused, moved=moved, day=day,
        reconciled=reconciled, signed=signed,
    )  # fmt: skip


def _reconcile(handling: Handling, wave: str, desk: ReconciliationDesk) -> int:
    waiting = waiting_groups(handling, wave)
    with handling.store.read() as connection:
        run_id = handling.run(connection).run_id
    found = desk.run(run_id=run_id, wave=wave)
    if all(book.holds for book in found):
        note_agreed(handling, PREPARER, "RECONCILE", waiting)
    return sum(part.values for book in found for part in book.compared)
