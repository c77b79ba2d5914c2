"""The command line. One module a command; a module is imported when its command runs, not before.

To add a command: write `cli/<name>.py` with a click command, and name it in COMMANDS with one line for `--help`. A
command takes `@click.pass_obj` for its Invocation (settings, catalogue), writes data to stdout through `cli.output`,
raises HubError for what it can't do, and returns its exit code where that is not 0.
"""

import os
import sys
from typing import NoReturn

import click

from integrationhub.cli.boundary import run
from integrationhub.cli.invocation import Invocation, global_options
from integrationhub.cli.lazy import LazyGroup

COMMANDS = {
    "demo": ("integrationhub.cli.demo:demo", "The main job in one go, and where to look next."),
    "ingest": ("integrationhub.cli.ingest:ingest", "Take files now, as the daemon would."),
    "check": ("integrationhub.cli.ingest:check", "Say what would happen if files arrived now."),
    "run": ("integrationhub.cli.run:run", "The daemon: take, store, publish until SIGTERM."),
    "status": ("integrationhub.cli.status:status", "Connectors, what waits and why, what is left to publish."),
    "send": ("integrationhub.cli.send:send", "Announce files on the queue, for tests and drills."),
    "replay": ("integrationhub.cli.replay:replay", "Take recorded deliveries in order, as they would have run."),
    "state": ("integrationhub.cli.replay:state", "Print the canonical state."),
    "trace": ("integrationhub.cli.trace:trace", "From a canonical row back to its source bytes."),
    "decode": ("integrationhub.cli.decode:decode", "Print the records of a mainframe file."),
    "export": ("integrationhub.cli.export:export", "Write canonical rows as JSON lines, CSV or Parquet."),
    "arrears": ("integrationhub.cli.arrears:arrears", "Judge cases, explain them, prove the totals."),
    "migrate": (
        "integrationhub.cli.migrate:migrate",
        "Move old cases: rehearse, approve, transfer, sign off, back out.",
    ),
    "api": ("integrationhub.cli.api:api", "Share debts and their provenance with other services, read-only."),
    "store": ("integrationhub.cli.store:store", "Upgrade the store; check every invariant over it."),
    "estate": ("integrationhub.cli.estate:estate", "Make a synthetic legacy estate with its truth."),
    "init": ("integrationhub.cli.init:init", "Write a commented configuration file and the folders."),
    "config": ("integrationhub.cli.config:config", "Check or show the settings in effect."),
    "quarantine": ("integrationhub.cli.quarantine:quarantine", "Work what could not be taken."),
    "suspense": ("integrationhub.cli.suspense:suspense", "Work money whose debt was not found."),
    "connector": ("integrationhub.cli.connector:connector", "List, show, pause and resume connectors."),
    "mapping": ("integrationhub.cli.mapping:mapping", "Check, test, explain and compare mappings."),
    "doctor": ("integrationhub.cli.doctor:doctor", "Say what is installed, reachable, writable."),
    "version": ("integrationhub.cli.version:version", "Print the version."),
}
"""Command → (where it is, what it does), in the order of `--help`."""


@click.group(
    name="integrationhub",
    cls=LazyGroup,
    entries=COMMANDS,
    params=global_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.pass_context
def program(context: click.Context) -> None:
    """Bring legacy debt files and messages into one reconciled canonical model.

    These options may also follow the command.
    """
    context.ensure_object(Invocation)


FORBIDDEN_TO_OTHERS = 0o007
"""Permissions that no file of the hub gives to users outside its group: what it keeps is personal."""


def main() -> NoReturn:
    """Run the command line of this process and end with its exit code."""
    os.umask(os.umask(0) | FORBIDDEN_TO_OTHERS)
    sys.exit(run(program))
