"""A national transfer in small, scripted: three books, three waves, two people, everything that goes wrong.

    python -m tests.drills.national_rehearsal --groups 2000 --dir build/national-rehearsal

Every step is a command as people type it, in a process of its own. What must be refused is tried and must be refused.
The drill ends with a failure as soon as anything is not as it must be.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrationhub.catalogue import shipped_connectors
from tests.drills.sources import answer_files

PLAN = "national"
BOOKS = {"csa1993": "CSCS.NIGHTLY.*.dat", "csa2003": "CS2.EXTRACT.*.xml.gz", "clerical": "CLERICAL_*.csv"}
PREPARER, APPROVER = "asha", "brian"


@dataclass(slots=True, kw_only=True)
class Drill:
    """An installation in a folder, and how it went so far."""

    folder: Path
    begun: float = field(default_factory=time.perf_counter)

    def say(self, text: str) -> None:
        """One line of the story."""
        sys.stdout.write(f"{time.perf_counter() - self.begun:7.1f} s  {text}\n")
        sys.stdout.flush()

    def hub(self, *arguments: object, code: int | None = 0, crash_at: str = "") -> str:
        """A command; its output. It must end with `code`; None: however it likes."""
        command = [sys.executable, "-m", "integrationhub", *map(str, arguments)]
        environment = os.environ | {
            "INTEGRATIONHUB_SYNTHETIC_IDENTITIES": "true",
            "INTEGRATIONHUB_CATALOGUE_FOLDERS": str(self.folder / "shelf"),
            "INTEGRATIONHUB_DATA_DIR": str(self.folder / "hub-data"),
            "INTEGRATIONHUB_TEST_CRASH_AT": crash_at,
        }
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if code is not None and done.returncode != code:
            raise SystemExit(
                f"{' '.join(command[2:])} ended with {done.returncode}, not {code}:\n{done.stderr[-2000:]}"
            )
        return done.stdout

    def migrate(self, command: str, *arguments: object, code: int = 0, who: str = "", crash_at: str = "") -> Any:  # noqa: ANN401 – any JSON
        """A command of `migrate` over the plan, and what it prints."""
        acting = ("--as", who) if who else ()
        words = ("plan", "check") if command == "plan check" else (command,)
        printed = self.hub("migrate", *words, PLAN, *arguments, *acting, "--json", code=code, crash_at=crash_at)
        return json.loads(printed) if printed.strip() else None

    def check(self, holds: bool, what: str) -> None:
        """Say that it holds, or end here."""
        if not holds:
            raise SystemExit(f"DOES NOT HOLD: {what}")
        self.say(f"         holds: {what}")


def main() -> None:
    """The whole drill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=2000, help="case groups to make (default: %(default)s)")
    parser.add_argument("--dir", type=Path, required=True, help="folder for everything; made anew")
    wanted = parser.parse_args()
    shutil.rmtree(wanted.dir, ignore_errors=True)
    drill = Drill(folder=wanted.dir.resolve())
    _books(drill, wanted.groups)
    _plan(drill)
    _pilot(drill)
    _main_wave(drill)
    _rest(drill)
    _books_close(drill)
    _reconcile(drill)
    for wave in ("pilot", "main", "rest"):
        _close(drill, wave)
    drill.hub("store", "check")
    drill.say("every invariant holds after the closing, too")
    _evidence(drill)
    drill.say("done")


def _books(drill: Drill, groups: int) -> None:
    estate = drill.folder / "estate"
    drill.hub("estate", "generate", "--out", estate, "--groups", groups, "--seed", 2016)
    for book, pattern in BOOKS.items():
        drill.hub("ingest", book, *sorted(estate.glob(pattern)))
    drill.say(f"an estate of {groups:,} groups in three books is taken and judged")


def _plan(drill: Drill) -> None:
    """The shipped plan over all schemes, but letters must have been printed, and batches are small."""
    shipped, target = shipped_connectors() / "migration" / "csa-all", drill.folder / "shelf" / "migration" / PLAN
    target.mkdir(parents=True)
    for name in ("plan.toml", "policy.toml"):
        text = shipped.joinpath(name).read_text("utf-8")
        text = text.replace('waits_for = "NONE"', 'waits_for = "NOTICE"')
        text = text.replace("groups_per_transaction = 50", "groups_per_transaction = 10")
        target.joinpath(name).write_text(text, "utf-8")
    found = drill.migrate("segment")
    waves = {wave["wave"]: wave["groups"] for wave in found["waves"]}
    out = {item["code"]: item["groups"] for item in found["exclusions"]}
    drill.say(f"plan {drill.migrate('plan check')['hash'][:12]}: waves {waves}; stay out {out}")
    drill.say(f"         {found['pilot']['verdict']}")
    drill.check(sum(waves.values()) + sum(out.values()) + found["left"] == found["groups"], "every group has its place")
    drill.migrate("transfer", "--wave", "pilot", who=PREPARER, code=5)
    drill.say("a live run without a rehearsal is refused")


def _pilot(drill: Drill) -> None:
    drill.migrate("rehearse", "--wave", "pilot", who=PREPARER)
    drill.migrate("gate", "--wave", "pilot", who=PREPARER, code=6)
    drill.migrate("approve", "--wave", "pilot", "--reason", "looked at", who=APPROVER)
    drill.migrate("transfer", "--wave", "pilot", who=PREPARER, code=6)
    drill.say("a gate fails: no letters were printed, so the rehearsal would hold the groups; the live run is refused")
    drill.migrate("notices", "--wave", "pilot", "--printed", "2015-07-02", who=PREPARER)
    _rehearse_and_approve(drill, "pilot")
    _move(drill, "pilot")
    _sign(drill, "pilot")


def _rehearse_and_approve(drill: Drill, wave: str) -> None:
    rehearsed = drill.migrate("rehearse", "--wave", wave, who=PREPARER)["rehearsals"][0]
    drill.check(rehearsed["verdict"] == "PASSED" and not rehearsed["changed"], f"the rehearsal of {wave} left no trace")
    drill.migrate("approve", "--wave", wave, "--reason", "mine", who=PREPARER, code=4)
    drill.migrate("approve", "--wave", wave, "--reason", "the totals agree", who=APPROVER)
    drill.say(f"{wave}: {rehearsed['movable']} groups at {rehearsed['groups_per_second']}/s; approval refused to the "
              f"preparer, given by the approver")  # fmt: skip


def _move(drill: Drill, wave: str) -> dict[str, Any]:
    moved: dict[str, Any] = drill.migrate("transfer", "--wave", wave, who=PREPARER)
    drill.check(moved["left"] == 0, f"{wave}: {moved['groups']} groups moved, held {moved['held']}")
    return moved


def _sign(drill: Drill, wave: str) -> None:
    drill.migrate("signoff", "--wave", wave, "--reason", "mine", who=PREPARER, code=4)
    drill.migrate("signoff", "--wave", wave, "--reason", "too early", who=APPROVER, code=6)
    found = drill.migrate("reconcile", "--wave", wave, who=PREPARER)
    drill.check(found["holds"], f"{wave}: not signed off before {found['reconciled_groups']} groups were reconciled")
    signed = drill.migrate("signoff", "--wave", wave, "--reason", "all gates hold", who=APPROVER)
    drill.migrate("backout", "--wave", wave, who=PREPARER, code=5)
    drill.say(f"{wave}: signed off, {signed['groups']} groups, {signed['rp'] + signed['sos']:,} pence; no way back now")


def _main_wave(drill: Drill) -> None:
    drill.migrate("notices", "--wave", "main", "--printed", "2015-07-02", who=PREPARER)
    _rehearse_and_approve(drill, "main")
    drill.migrate("transfer", "--wave", "main", who=PREPARER, code=-signal.SIGKILL, crash_at="before transferred:2")
    before = drill.migrate("status")["waves"][1]["groups"]
    drill.say(f"main: killed -9 in the middle of its second transaction: {before}")
    _move(drill, "main")
    said = drill.migrate("backout", "--wave", "main", who=PREPARER)
    drill.say(f"main: backed out, {said['backed_out']} groups; {said['lasting'][0]}")
    drill.migrate("transfer", "--wave", "main", who=PREPARER, code=5)
    _rehearse_and_approve(drill, "main")
    _move(drill, "main")
    _in_flight(drill)
    _sign(drill, "main")


def _in_flight(drill: Drill) -> None:
    """Change events come for groups that have moved: whole groups go back, and move again with what was added."""
    drill.hub("ingest", "csa2003", drill.folder / "estate" / "events.jsonl", code=None)  # some are faulty on purpose
    held = drill.migrate("status")["waves"][1]["held"]
    drill.check(bool(held.get("BALANCE_MOVED")), f"main: change events came; back with their sources, whole: {held}")
    _rehearse_and_approve(drill, "main")
    _move(drill, "main")


def _rest(drill: Drill) -> None:
    drill.migrate("notices", "--wave", "rest", "--printed", "2015-07-02", who=PREPARER)
    _rehearse_and_approve(drill, "rest")
    policy = drill.folder / "shelf" / "migration" / PLAN / "policy.toml"
    text = policy.read_text("utf-8")
    policy.write_text(text.replace("threshold = 5\n", "threshold = 50\n", 1), "utf-8")
    drill.migrate("transfer", "--wave", "rest", who=PREPARER, code=5)
    policy.write_text(text, "utf-8")
    drill.say("rest: a gate was loosened after the approval: refused; put back: the approval holds again")
    _move(drill, "rest")
    _sign(drill, "rest")


def _books_close(drill: Drill) -> None:
    """Over everything that has moved: nothing is lost, nothing is there twice."""
    drill.hub("store", "check")
    drill.say(
        "         every invariant holds: what goes out comes in, accounts at the sources are empty, groups are whole"
    )
    debts = [json.loads(line) for line in drill.hub("export", "debts").splitlines()]
    entries = [json.loads(line) for line in drill.hub("export", "transfers").splitlines()]
    moved = {debt["debt_id"]: debt["accepted_pence"] for debt in debts if debt["host_system"] == "CMS"}
    held: dict[str, int] = {}
    for entry in entries:
        if entry["account_kind"] == "DEBT" and entry["host_system"] == "CMS":
            held[entry["account"]] = held.get(entry["account"], 0) + entry["pence"]
    drill.check(
        all(held[name] == pence for name, pence in moved.items()), f"{len(moved):,} debts hold what was accepted"
    )
    difference = sum(held.values()) - sum(moved.values())
    drill.check(difference == 0, f"{difference} pence unexplained of {sum(moved.values()):,}")


def _reconcile(drill: Drill) -> None:
    """The originals are read a second time, by another program: every value, every penny that moved."""
    found = drill.migrate("reconcile")
    values = sum(part["values"] for book in found["books"] for part in book["compared"])
    drill.check(
        found["holds"], f"{values:,} values equal the original bytes; {found['unexplained_pence']} pence unexplained"
    )
    changes = sum(total["changes_pence"] for total in found["moved"])
    drill.check(changes != 0, f"{changes:,} pence of it were added by change events, read a second time, too")
    over, under, net = (found[f"{name}_pence"] for name in ("gross_over", "gross_under", "net"))
    drill.say(f"         sources stated {over:,} pence too much and {under:,} too little, net {net:,}")


def _close(drill: Drill, wave: str) -> None:
    """CLOSE notices go out, the sources accept every notice, the groups are closed."""
    drill.migrate("close", "--wave", wave, who=PREPARER)
    for connector, system in (("csa1993", "CSCS"), ("csa2003", "CS2")):
        for path in answer_files(drill.folder / "hub-data" / "outgoing" / system.lower(), drill.folder / "answers"):
            drill.hub("ingest", connector, path)
    closed = drill.migrate("close", "--wave", wave, who=PREPARER)
    drill.check(
        closed["waiting"] == 0, f"{wave}: {closed['closed']} groups closed, every notice accepted by its source"
    )


def _evidence(drill: Drill) -> None:
    """A signed pack that is verified with the public key alone, and no longer once a byte of it is another one."""
    pack = drill.folder / "evidence"
    drill.hub("migrate", "evidence", PLAN, "--out", pack)
    key = drill.folder / "hub-data" / "keys" / "evidence-key.pub.pem"
    drill.hub("migrate", "evidence", "verify", pack, "--key", key)
    page = pack / "index.html"
    page.write_bytes(page.read_bytes().replace(b"0", b"1", 1))
    drill.hub("migrate", "evidence", "verify", pack, "--key", key, code=6)
    drill.say("the evidence is signed and verified; one altered byte is found")


if __name__ == "__main__":
    main()
