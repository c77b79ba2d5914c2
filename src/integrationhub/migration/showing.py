"""One wave in one go, as the demo shows it: rehearsed, refused to its preparer, approved, moved, signed off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.errors import NotAllowed
from integrationhub.identity import Actor
from integrationhub.migration.approval import approve
from integrationhub.migration.handling import Handling
from integrationhub.migration.live_run import Crew, Outcome, transfer
from integrationhub.migration.moving import SILENT
from integrationhub.migration.rehearsal import rehearse
from integrationhub.migration.settling import Day, compare, sign_off

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
    signed: Mapping[str, int]


def show_wave(handling: Handling, wave: str, *, store_url: str) -> ShownWave:
    """Take a wave from its rehearsal to its sign-off."""
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
    signed = sign_off(handling, APPROVER, wave, "every gate holds")
    return ShownWave(
        plan=handling.bound.name, wave=wave, rehearsal=rehearsed.report, refused=refused, moved=moved, day=day,
        signed=signed,
    )  # fmt: skip
