"""Judges what has changed, and keeps the verdicts: after every accepted file, or when somebody asks.

    links → queue → case groups → verdicts, corrections and worklist, batch by batch in one transaction each

Everything is repeatable: a killed run goes on where its last committed batch ended, and a second run finds nothing to
do. The verdicts depend on what is stored, never on the order in which it came.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from integrationhub.arrears.accepting import Accepting
from integrationhub.arrears.casework import Surroundings
from integrationhub.arrears.exceptions import worklist_changes
from integrationhub.arrears.judgement import Judgement, judge_cases, together
from integrationhub.arrears.judges import Judges
from integrationhub.arrears.linking import link_changes
from integrationhub.store import casework, clerical_pairs
from integrationhub.store.unit_of_work import Store, Work

CASES_AT_ONCE = 500
WORTH_PROCESSES = 4_000
"""From so many waiting cases on, further processes are started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How many source groups had changed, and how many cases were judged because of it."""

    groups: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Judges the cases of a store, one at a time of its kind: others wait for their turn by coming again.

    Where much waits, `processes` judge; this one alone writes.
    """

    store: Store
    clock: Callable[[], datetime]
    environment: str
    processes: int = 1
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
            cases, surroundings = 0, self._surroundings()
            if self.processes > 1 and self._is_much():
                cases = self._judge_apart(surroundings, progress)
            while batch := self._judge_some(surroundings):
                cases += batch
                progress(batch)
                self.checkpoint("judged batch")
        return Judged(groups=groups, cases=cases)

    def _is_much(self) -> bool:
        """Whether so many cases wait that processes are worth their start."""
        with self.store.read() as connection:
            return len(casework.queued(connection, limit=WORTH_PROCESSES)) == WORTH_PROCESSES

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
            wanted = casework.queued(work.connection, limit=CASES_AT_ONCE)
            if not wanted:
                return 0
            return self._keep(work, judge_cases(work.connection, together(work.connection, wanted), surroundings))

    def _judge_apart(self, surroundings: Surroundings, progress: Callable[[int], None]) -> int:
        """Judge the queue in processes of their own, and keep here what they come to, batch by batch."""
        cases, handed_out = 0, set[str]()
        with Judges(url=self.store.url, processes=self.processes, surroundings=surroundings) as judges:
            for judgement in judges.judge(self._batches(handed_out)):
                with self.store.begin() as work:
                    kept = self._keep(work, judgement)
                handed_out -= judgement.case_ids
                cases += kept
                progress(kept)
                self.checkpoint("judged batch")
        return cases

    def _batches(self, handed_out: set[str]) -> Iterator[set[str]]:
        """The queue in parts, each with all that belongs together with its cases, without those already handed out."""
        last = ""
        while True:
            with self.store.read() as connection:
                wanted = casework.queued(connection, limit=CASES_AT_ONCE, after=last)
                if not wanted:
                    return
                case_ids = together(connection, set(wanted) - handed_out)
            last = wanted[-1]
            handed_out |= case_ids
            if case_ids:
                yield case_ids

    def _keep(self, work: Work, judgement: Judgement) -> int:
        """Keep what was judged, in this transaction, and commit it; how many cases that were."""
        now, before = self.clock(), casework.previous_verdicts(work.connection, judgement.case_ids)
        accepting = Accepting.watch(work, judgement.case_ids, environment=self.environment)
        work.verdicts.replace(
            judgement.case_ids,
            [case.verdict for case in judgement.cases],
            [row for case in judgement.cases for row in case.corrections],
        )
        accepting.tell(at=now)
        worklist_changes(work, judgement.cases, before, now=now)
        work.verdicts.dequeue(judgement.case_ids)
        self.checkpoint("before judged")
        work.commit()
        return len(judgement.case_ids)
