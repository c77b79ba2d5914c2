"""`integrationhub migrate`: move old cases by a plan; rehearse, approve, transfer, sign off, or back out.

One module for what belongs together; a module is imported when one of its commands runs.
"""

import click

from integrationhub.cli.lazy import LazyGroup

_HERE = "integrationhub.cli.migrate"

COMMANDS = {
    "plan": (f"{_HERE}.plan:plan", "Check a plan: every fault at once, and its hash."),
    "profile": (f"{_HERE}.plan:profile", "Judge the data quality of the plan's sources before mapping."),
    "segment": (f"{_HERE}.cohort:segment", "Segments, waves, exclusions, and how the pilot compares."),
    "group": (f"{_HERE}.cohort:group", "One case group: parties, cases, three balances per debt, history."),
    "notices": (f"{_HERE}.notices:notices", "Clocks that are due; record that notices were printed."),
    "rehearse": (f"{_HERE}.decide:rehearse", "Everything but the effect; a forecast."),
    "gate": (f"{_HERE}.decide:gate", "Measure the gates of a wave; override one."),
    "approve": (f"{_HERE}.decide:approve", "Approve a rehearsed wave, as a second person."),
    "transfer": (f"{_HERE}.move:transfer", "The live run of an approved wave."),
    "pause": (f"{_HERE}.move:pause", "Let the live run stop after what it has in hand."),
    "resume": (f"{_HERE}.move:resume", "Go on with a paused wave."),
    "status": (f"{_HERE}.move:status", "How a run stands, wave by wave."),
    "exceptions": (f"{_HERE}.exceptions:exceptions", "What waits for a person; assign it, resolve it."),
    "backout": (f"{_HERE}.settle:backout", "Return a group or a wave to its sources."),
    "parallel": (f"{_HERE}.settle:parallel", "Compare old and new balances of a day."),
    "handover": (f"{_HERE}.files:handover", "Hand out what waits for the source systems."),
    "reconcile": (f"{_HERE}.prove:reconcile", "Compare every value with the original bytes; gross over, under, net."),
    "signoff": (f"{_HERE}.settle:signoff", "Sign a wave off, as a second person."),
    "close": (f"{_HERE}.settle:close", "Tell the sources that a wave's cases are gone; close what they accepted."),
    "evidence": (f"{_HERE}.prove:evidence", "Write a signed evidence pack, or verify one offline."),
}  # fmt: skip
"""Command → (where it is, what it does), in the order in which they are used."""


@click.group(cls=LazyGroup, entries=COMMANDS)
def migrate() -> None:
    """Move old cases by a plan: rehearse, approve, transfer, sign off, or back out.

    PLAN is a folder under migration/: csa-1993, csa-2003, csa-all, or one of your own.
    """
