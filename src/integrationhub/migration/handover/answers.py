"""Answers of source systems, taken in as files like any other: measured, judged against their own feed, checked whole,
then applied notice by notice (handover.md §3).

A repeated answer changes nothing, so a killed run goes on from the beginning; the last transaction accepts the file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Protocol

from integrationhub.decode.controls import ControlVerdict, Stated
from integrationhub.errors import FileRejected
from integrationhub.intake.report import Control, FileReport, FileVerdict
from integrationhub.intake.staging import Staged, StagedSlice
from integrationhub.mapping.compile import MappingContext
from integrationhub.migration.handover.notices import FileHead, Kind, Notice
from integrationhub.receive.originals import Originals
from integrationhub.receive.trigger import Trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.unit_of_work import Store, Work

AT_ONCE = 500
UNKNOWN, REPEATED = "UNKNOWN", "REPEATED"
MOST_REASONS = 1_000

Answer = tuple[int, str, str | None]
"""Notice, `A` or `J`, and the source's reason."""


class AnswerReader(Protocol):
    """Reads one system's return files."""

    def read(self, source: BinaryIO) -> tuple[FileHead, Iterator[Notice]]:
        """Head and notices; FileRejected, at the latest when the notices are used up, if the file is unsound."""


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


@dataclass(slots=True)
class _Taken:
    """What became of answers so far, and those to notices that were never sent."""

    outcomes: Counter[str] = field(default_factory=Counter)
    unknown: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLoader:
    """Applies the answers of a checked file. `take` applies some in one transaction and gives an outcome for each."""

    descriptor: Descriptor
    reader: AnswerReader
    originals: Originals
    take: Callable[[Work, Sequence[Answer]], list[str]]
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
                    self._apply(work, part, taken)
                    self.checkpoint("before answers commit")
                    work.commit()
        progress(sum(piece.end for piece in staged.slices))
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
            self._apply(work, notices, taken)
        return self._accept(work, delivery, staged, taken, now=now)

    def _apply(self, work: Work, notices: Iterable[Notice], taken: "_Taken") -> None:
        answers = [(notice.notice_id, notice.status or "", notice.reason) for notice in notices]
        for (notice_id, _, _), outcome in zip(answers, self.take(work, answers), strict=True):
            taken.outcomes[outcome] += 1
            if outcome == UNKNOWN:
                taken.unknown.append(notice_id)

    def _accept(self, work: Work, delivery: Delivery, staged: Staged, taken: "_Taken", *, now: datetime) -> FileReport:
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

    def _report(self, delivery: Delivery, staged: Staged, taken: "_Taken") -> FileReport:
        count, lost, repeated = staged.verdict.units, taken.outcomes[UNKNOWN], taken.outcomes[REPEATED]
        return FileReport(
            path=delivery.path,
            connector=self.descriptor.name,
            sha256=delivery.sha256,
            verdict=FileVerdict.ACCEPTED,
            reasons=tuple(
                Reason(code="NOTICE_UNKNOWN", text=f"no notice {number} was ever sent")
                for number in taken.unknown[:MOST_REASONS]
            ),
            records=count,
            outcomes={"LOADED": count - lost - repeated, "DUPLICATE": repeated, "EXCEPTION": lost},
            controls=tuple(
                Control(name=item.name, expected=item.expected, actual=item.actual) for item in staged.verdict.controls
            ),
        )
