"""Answers of source systems, taken in as files like any other: measured, judged against their own feed, checked whole,
then applied notice by notice (handover.md §3).

An answer has one effect however often it is taken, so a killed run goes on from the beginning; the last transaction
accepts the file. An answer to a notice that was never sent, or that was answered otherwise before, waits for a person.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.controls import ControlVerdict, Stated
from integrationhub.errors import FileRejected
from integrationhub.intake.changes import worklist_events
from integrationhub.intake.report import Control, FileReport, FileVerdict
from integrationhub.intake.staging import Staged, StagedSlice
from integrationhub.mapping.compile import MappingContext
from integrationhub.migration.handover.notices import FileHead, Kind, Notice
from integrationhub.migration.watching import CONTRADICTED, REPEATED, UNKNOWN, Answer
from integrationhub.receive.originals import Originals
from integrationhub.receive.trigger import Trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.store.worklist import WorklistItem

AT_ONCE = 500
MOST_REASONS = 1_000
ENTITY = "notices"

EXCEPTIONS = {
    UNKNOWN: ("NOTICE_UNKNOWN", "no notice {number} about this case and action was ever sent"),
    CONTRADICTED: ("NOTICE_CONTRADICTED", "notice {number} was answered otherwise before; that answer stays"),
}
"""Outcome → reason code and sentence of an answer that a person must look at."""


class AnswerReader(Protocol):
    """Reads one system's return files."""

    def read(self, source: BinaryIO) -> tuple[FileHead, Iterator[Notice]]:
        """Head and notices; FileRejected, at the latest when the notices are used up, if the file is unsound."""

    def records_in(self, size: int) -> int | None:
        """How many records a file of so many bytes has; None where the size doesn't tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStager:
    """Checks an answer file; nothing is spooled."""

    reader: AnswerReader

    def stage(
        self,
        stream: BinaryIO,
        spool: Path,
        *,
        context: MappingContext,
        trigger: Trigger,
        cuts: Sequence[int] = (),  # noqa: ARG002 - there is one slice
        progress: Callable[[int], None] = lambda _bytes: None,
    ) -> Staged:
        """See intake.staging.Stager."""
        count, fault = 0, None
        try:
            count = sum(1 for _ in _answered(self.reader, stream, context.sequence))
            _require_records(self.reader.records_in(trigger.size), trigger)
        except FileRejected as exc:
            fault = Reason(code=exc.code, text=exc.text)
        size = stream.tell()
        progress(size)
        controls = (Stated(name="notices", expected=count, actual=count),) if fault is None else ()
        verdict = ControlVerdict(fault=fault, controls=controls, full_book=False, records=count, units=count)
        if fault is not None:
            return Staged(verdict=verdict, slices=())
        piece = StagedSlice(
            number=0, first_record=1, last_record=max(count, 1), start=0, end=trigger.size, records=count,
            quarantined=(), totals={}, folder=spool,
        )  # fmt: skip
        return Staged(verdict=verdict, slices=(piece,))


def _answered(reader: AnswerReader, stream: BinaryIO, sequence: int) -> Iterator[Notice]:
    """The notices of a file of answers; FileRejected where it is none."""
    head, notices = reader.read(stream)
    if head.kind is not Kind.ANSWER or head.sequence != sequence:
        raise FileRejected("the file is no ANSWER, or its sequence is not the one in its name", code="HEADER_INVALID")
    for notice in notices:
        if notice.status is None:
            raise FileRejected(f"notice {notice.notice_id} has no answer", code="NOTICE_INVALID")
        yield notice


def _require_records(found: int | None, trigger: Trigger) -> None:
    if found not in (None, trigger.records):
        raise FileRejected("RECORDS in the trigger file is not the number of records", code="CONTROL_COUNT")


@dataclass(slots=True)
class _Taken:
    """What became of answers so far, and the first reasons why some need a person."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: list[Reason] = field(default_factory=list)

    @property
    def exceptions(self) -> int:
        """Answers that wait for a person."""
        return sum(self.outcomes[outcome] for outcome in EXCEPTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLoader:
    """Applies the answers of a checked file. `take` applies some in one transaction and gives an outcome for each."""

    descriptor: Descriptor
    reader: AnswerReader
    originals: Originals
    take: Callable[[Work, Sequence[Answer]], list[str]]
    environment: str
    checkpoint: Callable[[str], None] = lambda _point: None

    def load(
        self, store: Store, delivery: Delivery, staged: Staged, *, now: datetime, progress: Callable[[int], None]
    ) -> FileReport:
        """Apply all answers, then accept the file; the report as it was stored."""
        taken = _Taken()
        with self.originals.open(delivery.sha256) as stream:
            _, notices = self.reader.read(stream)
            while part := list(islice(notices, AT_ONCE)):
                with store.begin() as work:
                    self._apply(work, delivery, part, taken, now=now)
                    self.checkpoint("before answers commit")
                    work.commit()
        progress(sum(piece.end for piece in staged.slices))
        self.checkpoint("before answers accepted")
        with store.begin() as work:
            report = self._accept(work, delivery, staged, taken, now=now)
            work.commit()
        return report

    def merge(
        self,
        work: Work,
        delivery: Delivery,
        staged: Staged,
        _piece: StagedSlice,
        *,
        now: datetime,
    ) -> FileReport:
        """What `load` would give, in a transaction that is undone."""
        taken = _Taken()
        with self.originals.open(delivery.sha256) as stream:
            _, notices = self.reader.read(stream)
            self._apply(work, delivery, notices, taken, now=now)
        return self._accept(work, delivery, staged, taken, now=now)

    def _apply(
        self, work: Work, delivery: Delivery, notices: Iterable[Notice], taken: _Taken, *, now: datetime
    ) -> None:
        answers = [
            Answer(
                notice_id=notice.notice_id, status=notice.status or "", reason=notice.reason, case_ref=notice.case_ref,
                action=notice.action.value, delivery_id=delivery.delivery_id,
            )
            for notice in notices
        ]  # fmt: skip
        items = []
        for answer, outcome in zip(answers, self.take(work, answers), strict=True):
            taken.outcomes[outcome] += 1
            if outcome in EXCEPTIONS:
                items.append(self._item(answer, outcome, delivery, now))
        taken.reasons += [Reason(code=item.code, text=item.text) for item in items[: MOST_REASONS - len(taken.reasons)]]
        if work.worklist.open(items):
            place = {"connector": self.descriptor.name, "delivery_id": delivery.delivery_id}
            work.outbox.add(worklist_events(items, environment=self.environment, **place), at=now)

    def _item(self, answer: Answer, outcome: str, delivery: Delivery, now: datetime) -> WorklistItem:
        code, sentence = EXCEPTIONS[outcome]
        return WorklistItem(
            exception_id=derive("worklist", delivery.delivery_id, code, answer.notice_id),
            code=code,
            entity=ENTITY,
            source_ref=str(answer.notice_id),
            opened_at=now,
            text=sentence.format(number=answer.notice_id),
            connector=self.descriptor.name,
            delivery_id=delivery.delivery_id,
        )

    def _accept(self, work: Work, delivery: Delivery, staged: Staged, taken: _Taken, *, now: datetime) -> FileReport:
        report = self._report(delivery, staged, taken)
        work.deliveries.save(
            replace(
                delivery, state=State.ACCEPTED, reasons=report.reasons, report=report.as_dict(),
                records=report.records, slices=None, completed_at=now,
            )
        )  # fmt: skip
        feed = work.feeds.lock(self.descriptor.name)
        if feed.stopped_sequence == delivery.sequence:
            feed = replace(feed, stopped_sequence=None, stopped_code=None, stopped_at=None)
        work.feeds.save(replace(feed, last_sequence=delivery.sequence))
        return report

    def _report(self, delivery: Delivery, staged: Staged, taken: _Taken) -> FileReport:
        count, repeated = staged.verdict.units, taken.outcomes[REPEATED]
        loaded = count - taken.exceptions - repeated
        return FileReport(
            path=delivery.path,
            connector=self.descriptor.name,
            sha256=delivery.sha256,
            verdict=FileVerdict.ACCEPTED,
            reasons=tuple(taken.reasons),
            records=count,
            outcomes={"LOADED": loaded, "DUPLICATE": repeated, "EXCEPTION": taken.exceptions},
            controls=tuple(
                Control(name=item.name, expected=item.expected, actual=item.actual) for item in staged.verdict.controls
            ),
        )
