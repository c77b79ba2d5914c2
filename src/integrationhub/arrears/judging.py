"""Judges what has changed, and keeps the verdicts: after every accepted file, or when somebody asks.

    links → queue → case groups → verdicts, corrections and worklist, batch by batch in one transaction each

Everything is repeatable: a killed run goes on where its last committed batch ended, and a second run finds nothing to
do. The verdicts depend on what is stored, never on the order in which it came.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrationhub.arrears.book import CLERICAL, Case, Line
from integrationhub.arrears.casework import Surroundings, build
from integrationhub.arrears.exceptions import worklist_changes
from integrationhub.arrears.linking import link_changes
from integrationhub.arrears.persons import Link, case_groups, neighbours
from integrationhub.arrears.standing import facts_of
from integrationhub.arrears.verdict import Verdict, judge
from integrationhub.store import casework, clerical_pairs
from integrationhub.store.casework import Dossier
from integrationhub.store.unit_of_work import Reading, Store

CASES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How many source groups had changed, and how many cases were judged because of it."""

    groups: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Judges the cases of a store. One process at a time: others wait for their turn by coming again."""

    store: Store
    clock: Callable[[], datetime]
    checkpoint: Callable[[str], None] = lambda _point: None

    def run(self, *, everything: bool = False, progress: Callable[[int], None] = lambda _cases: None) -> Judged:
        """Judge what has changed since the last run, or everything; Conflict when another process is judging."""
        with self.store.exclusive("arrears"):
            if everything:
                with self.store.begin() as work:
                    work.verdicts.forget_links()
                    work.commit()
            groups = link_changes(self.store, now=self.clock())
            self.checkpoint("linked")
            cases = 0
            surroundings = self._surroundings()
            while batch := self._judge_some(surroundings):
                cases += batch
                progress(batch)
                self.checkpoint("judged batch")
        return Judged(groups=groups, cases=cases)

    def accepted(self) -> object:
        """Something that differs whenever another file was accepted; to be compared only."""
        with self.store.read() as connection:
            return casework.accepted_files(connection)

    def _surroundings(self) -> Surroundings:
        """What other books say of the cases, read once: whatever changes meanwhile is queued by the next run."""
        with self.store.read() as connection:
            return Surroundings(
                kept_twice=clerical_pairs.kept_twice(connection), orphan_payers=casework.orphan_payers(connection)
            )

    def _judge_some(self, surroundings: Surroundings) -> int:
        """Judge some cases of the queue with all the cases of their case groups; how many those were."""
        with self.store.begin() as work:
            connection = work.connection
            wanted = casework.queued(connection, limit=CASES_AT_ONCE)
            if not wanted:
                return 0
            case_ids, links = together(connection, wanted)
            groups = case_groups(sorted(case_ids), links)
            dossiers = build(Dossier(connection, case_ids), surroundings)
            now = self.clock()
            judged = [pair for group in groups for pair in judge_group([dossiers[c] for c in group if c in dossiers])]
            before = casework.previous_verdicts(connection, case_ids)
            verdicts = [verdict_row(case, verdict, group) for case, verdict, group in judged]
            corrections = [row for case, _, _ in judged for row in correction_rows(case)]
            work.verdicts.replace(case_ids, verdicts, corrections)
            worklist_changes(work, [(case, verdict) for case, verdict, _ in judged], before, now=now)
            work.verdicts.dequeue(case_ids)
            self.checkpoint("before judged")
            work.commit()
            return len(case_ids)


def together(connection: Reading, case_ids: Iterable[str]) -> tuple[set[str], list[Link]]:
    """These cases and all that belong together with them along any chain, with all their links."""
    found: set[str] = set()
    fresh = set(case_ids)
    links: list[Link] = []
    while fresh:
        mine = [Link._make(row) for row in casework.links_of(connection, "case_id", fresh)]
        links += mine
        found |= fresh
        parents, others = neighbours(fresh, mine)
        reached = {row.case_id for row in casework.links_of(connection, "group_id", {link.group_id for link in mine})}
        for row in casework.links_of(connection, "person_id", parents | others):
            is_parent = row.role in {"NRP", "GRP"}
            if (row.person_id in parents and row.role != "REP") or (row.person_id in others and is_parent):
                reached.add(row.case_id)
        fresh = reached - found
    return found, links


def judge_group(cases: Sequence[Case]) -> list[tuple[Case, Verdict, str]]:
    """Verdicts of one case group, with the group's identifier: that of its first case."""
    if not cases:
        return []
    ordered = sorted(cases, key=lambda case: (case.system, case.ref))
    name = min(case.case_id for case in cases)
    return [(case, verdict, name) for case, verdict in zip(ordered, judge(ordered), strict=True)]


def case_key(case: Case) -> str:
    """The case's key in exports; personal for the 2003 scheme, whose references hold a number."""
    book = "CL" if case.system == CLERICAL else {"1993": "93"}.get(case.scheme, "03")
    return f"{book}:{case.ref}"


def verdict_row(case: Case, verdict: Verdict, case_group_id: str) -> dict[str, Any]:
    """The verdict as the store keeps it."""
    accepted = verdict.accepted._asdict() if verdict.accepted else dict.fromkeys(case.header._fields)
    return {
        "case_id": case.case_id,
        "case_group_id": case_group_id,
        "group_id": case.group_id,
        "case_key": case_key(case),
        "outcome": verdict.outcome,
        "causes": list(verdict.causes),
        "flags": list(verdict.flags),
        "duplicate_of": case_key(case.duplicate_of) if case.duplicate_of else None,
        **{f"source_{name}": pence for name, pence in case.header._asdict().items()},
        **{f"recomputed_{name}": pence for name, pence in verdict.recomputed._asdict().items()},
        **{f"accepted_{name}": pence for name, pence in accepted.items()},
        "findings": [[item.code, item.kind, item.evidence] for item in case.findings],
        "facts": facts_of(case).as_document(),
    }


def correction_rows(case: Case) -> list[dict[str, Any]]:
    """The corrections as the store keeps them, in their order."""
    return [
        {
            "case_id": case.case_id, "position": position, "rule": item.rule, "action": item.action,
            "entry_id": item.entry_id or None, "line_no": item.line_no, "text": item.text,
            "line": line_document(item.line) if item.line else None,
            **{f"delta_{name}": pence for name, pence in item.delta._asdict().items()},
        }
        for position, item in enumerate(case.corrections, 1)
    ]  # fmt: skip


def line_document(line: Line) -> dict[str, Any]:
    """A corrected line as JSON."""
    days = {name: day.isoformat() for name in ("first", "last") if (day := getattr(line, name))}
    return {"kind": line.kind, "owner": line.owner, "pence": line.effect, "rate": line.rate, "row": line.row, **days}
