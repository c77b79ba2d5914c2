"""The way of a file, from hand-over to canonical rows, on one page.

    receive    kept as an original, measured, judged against its feed          R01–R06
    decode     cut into slices, its structure and controls checked             R07–R12
    map        canonical rows on the spool, faulty groups taken out            R13
    store      slice by slice in one transaction each, with worklist and events; the last one accepts the file
    release    files that waited for this one are taken up

Publishing is a separate step (publish.relay). Whatever is killed anywhere here ends, when the file is handed over again
or the hub starts again, in the state that an undisturbed run would have left.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from integrationhub.errors import InvariantBroken, NotFound, RecordRejected
from integrationhub.intake.feed import FeedBook
from integrationhub.intake.loading import controls_of
from integrationhub.intake.measure import HeaderReader, Measured, keep, measure, missing_trigger
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.intake.staging import Staged, StagedSlice, Stager
from integrationhub.mapping.compile import MappingContext
from integrationhub.receive.acceptance import Decision, Verdict
from integrationhub.receive.folder import FoundFile
from integrationhub.receive.originals import Originals
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.telemetry import UnitOfWork

Progress = Callable[[int, int], None]
"""Told of bytes done and bytes in all; a file is gone through twice, to check it and to load it."""


def silent(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def unheard() -> None:
    """For those who need not know when a file is on record."""


def _summing(progress: Progress, total: int) -> Callable[[int], None]:
    """Takes bytes just done, tells `progress` of all bytes done."""
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        progress(done, total)

    return advance


class FileLoader(Protocol):
    """Brings a checked file into the store; `intake.loading.Loader` does it for rows of canonical entities."""

    @property
    def checkpoint(self) -> Callable[[str], None]:
        """Told of named points of the work, for fault tests."""

    def load(
        self, store: Store, delivery: Delivery, staged: Staged, *, now: datetime, progress: Callable[[int], None]
    ) -> FileReport:
        """Everything that is not in yet; the report as it was stored. The last transaction accepts the file."""

    def merge(
        self, work: Work, delivery: Delivery, staged: Staged, piece: StagedSlice, *, now: datetime
    ) -> FileReport | None:
        """One slice in a transaction of the caller's; the report when it was the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Takes the files of one connector. Safe to run in several processes: a feed is worked on by one at a time."""

    descriptor: Descriptor
    header_of: HeaderReader
    stager: Stager
    loader: FileLoader
    store: Store
    originals: Originals
    work_folder: Path
    synthetic_identities: bool
    clock: Callable[[], datetime]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the feed; Conflict when another process works on it."""
        with self.store.exclusive(f"feed {self.descriptor.name}"):
            yield

    def is_paused(self) -> bool:
        """Whether an operator holds this connector."""
        with self.store.begin() as work:
            return work.feeds.get(self.descriptor.name).paused

    def has_work(self) -> bool:
        """Whether there is something that `resume` would take up."""
        with self.store.begin() as work:
            return bool(work.deliveries.unfinished(self.descriptor.name)) or bool(self._ready(work))

    def resume(self, progress: Progress = silent) -> list[FileReport]:
        """Finish what a killed run left half done, and take up what need not wait any longer."""
        with self.store.begin() as work:
            unfinished = work.deliveries.unfinished(self.descriptor.name)
        reports = [self._take(self._measure_again(delivery), self.clock(), progress) for delivery in unfinished]
        return reports + self._release(self.clock(), progress)

    def take(
        self,
        found: FoundFile,
        *,
        expected_sha256: str | None = None,
        now: datetime | None = None,
        progress: Progress = silent,
        recorded: Callable[[], None] = unheard,
    ) -> FileReport:
        """Take one handed-over file: the report, with the names of waiting files that were taken up after it.

        `recorded` is called once the file is kept and on record: from then on it is taken up again by itself.
        TransientError: a service is away; the same call later goes on where this one stopped.
        RecordRejected `NOTICE_MISMATCH`: the bytes are not the ones that were announced.
        """
        taken = self.take_found(found, expected_sha256=expected_sha256, now=now, progress=progress, recorded=recorded)
        return taken[0]

    def take_again(self, delivery_id: str) -> FileReport:
        """Take the kept original of a refused file up again, as if it were handed over now.

        NotFound: no such delivery. Conflict: another process works on the feed.
        """
        with self.exclusive():
            with self.store.begin() as work:
                delivery = work.deliveries.get(delivery_id)
            if delivery is None or delivery.trigger_sha256 is None:
                raise NotFound(f"there is no file with delivery {delivery_id}", code="DELIVERY_UNKNOWN")
            now = self.clock()
            report = self._take(self._measure_again(delivery), now, silent)
            if report.verdict is not FileVerdict.REJECTED:
                self._release(now, silent)
            return self.latest(report)

    def take_found(
        self,
        found: FoundFile,
        *,
        expected_sha256: str | None = None,
        now: datetime | None = None,
        progress: Progress = silent,
        recorded: Callable[[], None] = unheard,
    ) -> tuple[FileReport, list[FileReport]]:
        """See `take`; also the reports of the files that were taken up after it."""
        now = now or self.clock()
        if found.trigger is None:
            waits = missing_trigger(found.name, self.descriptor)
            return self._report(str(found.path), "", FileVerdict.HELD, waits), []
        sha256, trigger_sha256 = keep(found.path, found.trigger, self.originals)
        self.loader.checkpoint("kept")
        if expected_sha256 not in (None, sha256):
            raise RecordRejected("the file's bytes are not the ones that its notice announced", code="NOTICE_MISMATCH")
        measured = self._measure(found.name, str(found.path), sha256, trigger_sha256)
        report = self._take(measured, now, progress, recorded)
        if report.verdict is FileVerdict.REJECTED:
            return report, []
        # Also a file that is held may have ended a stop: the corrected one of a number that is not the next.
        released = self._release(now, progress)
        names = [Path(item.path).name for item in released if item.verdict is not FileVerdict.REJECTED]
        return replace(report, released=tuple(names)), released

    def take_all(self, files: Iterable[FoundFile], watch: Callable[[FoundFile], Progress]) -> list[FileReport]:
        """Take files one after the other, after what a killed run left half done; the reports as things stand then.

        A file that the killed run had begun, or that was taken up here after an earlier one, is reported as what it has
        become, not as a repeat of itself.
        """
        with self.exclusive():
            finished = {report.sha256: report for report in self.resume()}
            taken = []
            for item in files:
                report, released = self.take_found(item, progress=watch(item))
                finished |= {other.sha256: other for other in released}
                taken.append(report)
        for place, report in enumerate(taken):
            if report.verdict is FileVerdict.DUPLICATE and report.sha256 in finished:
                taken[place] = finished[report.sha256].with_path(report.path)
        return [self.latest(report) for report in taken]

    def latest(self, report: FileReport) -> FileReport:
        """The report of the same file as things stand now: one that waited may have been taken up since."""
        if report.verdict is not FileVerdict.HELD or not report.sha256:
            return report
        with self.store.begin() as work:
            same = work.deliveries.same_content(self.descriptor.name, report.sha256)
        accepted = [item.report for item in same if item.state is State.ACCEPTED and item.report]
        return FileReport.from_dict(accepted[-1]).with_path(report.path) if accepted else report

    def check(self, found: FoundFile, *, progress: Progress = silent) -> FileReport:
        """The report that `take` would give, with no effect: everything happens in a transaction that is undone."""
        if found.trigger is None:
            return self._report(str(found.path), "", FileVerdict.HELD, missing_trigger(found.name, self.descriptor))
        with tempfile.TemporaryDirectory(prefix="integrationhub-check-") as folder:
            trial = replace(self, originals=Originals(f"{folder}/originals"), work_folder=Path(folder))
            return trial.try_out(found, progress)

    def _take(
        self, measured: Measured, now: datetime, progress: Progress, recorded: Callable[[], None] = unheard
    ) -> FileReport:
        """Judge a measured file and go the whole way with it."""
        offer, name = measured.offer, self.descriptor.name
        with UnitOfWork("file", connector=name, file=offer.name, delivery_id=measured.delivery_id) as line:
            with self.store.begin() as work:
                book = FeedBook(work, self.descriptor)
                decision = book.decide(offer)
                report = self._judged(measured, decision, book)
                book.record(self._delivery(measured, decision, report, now), decision)
                work.commit()
            self.loader.checkpoint("judged")
            recorded()
            if report is None:
                report = self._load(measured, now, progress)
            line.note(verdict=report.verdict.value, records=report.records, sequence=offer.sequence, bytes=offer.size)
            line.note(reason=report.reasons[0].code if report.reasons else None)
        return report

    def _judged(self, measured: Measured, decision: Decision, book: FeedBook) -> FileReport | None:
        """The report of a file that goes no further; None when it goes on."""
        if decision.verdict is Verdict.PROCEED:
            return None
        if decision.verdict is Verdict.DUPLICATE:
            return book.repeat_of(measured.offer, measured.path, decision)
        verdict = FileVerdict(decision.verdict.value)
        report = self._report(measured.path, measured.offer.sha256, verdict, decision.reason)
        refused = verdict is FileVerdict.REJECTED
        return replace(report, remedy=book.remedy(measured.offer.sequence)) if refused else report

    def _load(self, measured: Measured, now: datetime, progress: Progress) -> FileReport:
        """Check the content, then load it, or refuse the file."""
        spool = self.work_folder / measured.delivery_id
        advance = _summing(progress, 2 * measured.offer.size)
        staged = self._stage(measured, spool, advance)
        self._require_reconciled(staged)
        self.loader.checkpoint("staged")
        with self.store.begin() as work:
            book = FeedBook(work, self.descriptor)
            refused = self._refused(measured, staged, book)
            delivery = book.staged(measured.delivery_id, staged, refused)
            work.commit()
        report = refused or self.loader.load(self.store, delivery, staged, now=now, progress=advance)
        shutil.rmtree(spool, ignore_errors=True)
        return report

    def _require_reconciled(self, staged: Staged) -> None:
        """Every penny of the trailer is in the canonical rows or set aside with a reason, or nothing is loaded."""
        broken = staged.unreconciled() if staged.verdict.fault is None else ()
        if broken:
            raise InvariantBroken(
                f"the mapping of {self.descriptor.name} loses or makes money: {', '.join(broken)} of the trailer is "
                f"not loaded + set aside; nothing of the file was loaded",
                code="NOT_RECONCILED",
                remedy="correct the mapping spec, then hand the file over again",
            )

    def _stage(self, measured: Measured, spool: Path, advance: Callable[[int], None]) -> Staged:
        assert measured.offer.sequence is not None
        assert measured.as_at is not None  # judged before, with the trigger
        context = MappingContext(
            delivery_id=measured.delivery_id,
            sequence=measured.offer.sequence,
            as_at=measured.as_at,
            source_system=self.descriptor.connector.source_system,
            synthetic_identities=self.synthetic_identities,
        )
        with self.store.begin() as work:
            merged = work.slices.all(measured.delivery_id)  # by a run that was killed
        cuts = [part.last_byte for part in merged]  # the size of slices may have been set anew since
        with self.originals.open(measured.offer.sha256) as stream:
            return self.stager.stage(
                stream, spool, context=context, trigger=measured.trigger, cuts=cuts, progress=advance
            )

    def _refused(self, measured: Measured, staged: Staged, book: FeedBook) -> FileReport | None:
        fault = staged.verdict.fault
        if fault is None:
            return None
        report = self._report(measured.path, measured.offer.sha256, FileVerdict.REJECTED, fault)
        remedy = book.remedy(measured.offer.sequence)
        return replace(report, records=staged.verdict.units, controls=controls_of(staged), remedy=remedy)

    def _release(self, now: datetime, progress: Progress) -> list[FileReport]:
        """Take up waiting files in sequence order for as long as one goes through."""
        taken: list[FileReport] = []
        while True:
            with self.store.begin() as work:
                ready = self._ready(work)
            if not ready:
                return taken
            taken.append(self._take(self._measure_again(ready[0]), now, progress))

    def _ready(self, work: Work) -> list[Delivery]:
        """Held files that need not wait any longer, in sequence order."""
        book = FeedBook(work, self.descriptor)
        return [item for item in work.deliveries.waiting(self.descriptor.name) if book.may_go(item)]

    def try_out(self, found: FoundFile, progress: Progress) -> FileReport:
        """What `check` does, with originals and work folder as they are."""
        assert found.trigger is not None
        sha256, trigger_sha256 = keep(found.path, found.trigger, self.originals)
        measured = self._measure(found.name, str(found.path), sha256, trigger_sha256)
        with self.store.begin() as work:  # never committed, and not held while the content is checked
            book = FeedBook(work, self.descriptor)
            report = self._judged(measured, book.decide(measured.offer), book)
        if report is not None:
            return report
        staged = self._stage(measured, self.work_folder / "spool", _summing(progress, 2 * measured.offer.size))
        self._require_reconciled(staged)
        now = self.clock()
        with self.store.begin() as work:  # never committed
            book = FeedBook(work, self.descriptor)
            refused = self._refused(measured, staged, book)
            if refused is not None:
                return refused
            decision = book.decide(measured.offer)
            book.record(self._delivery(measured, decision, None, now), decision)
            delivery = book.staged(measured.delivery_id, staged, None)
            reports = [self.loader.merge(work, delivery, staged, piece, now=now) for piece in staged.slices]
        accepted = reports[-1]
        assert accepted is not None
        return accepted

    def _measure(self, name: str, path: str, sha256: str, trigger_sha256: str) -> Measured:
        return measure(
            name,
            path=path,
            sha256=sha256,
            trigger_sha256=trigger_sha256,
            originals=self.originals,
            descriptor=self.descriptor,
            header_of=self.header_of,
        )

    def _measure_again(self, delivery: Delivery) -> Measured:
        assert delivery.trigger_sha256 is not None  # files are recorded with their trigger
        return self._measure(delivery.name, delivery.path, delivery.sha256, delivery.trigger_sha256)

    def _delivery(self, measured: Measured, decision: Decision, report: FileReport | None, now: datetime) -> Delivery:
        offer = measured.offer
        reasons = (decision.reason,) if decision.reason else ()
        return Delivery(
            delivery_id=measured.delivery_id,
            connector=self.descriptor.name,
            name=offer.name,
            sha256=offer.sha256,
            trigger_sha256=measured.trigger_sha256,
            bytes=offer.size,
            sequence=offer.sequence,
            as_at=measured.as_at,
            state=State.RECEIVED if report is None else State(report.verdict.value),
            reasons=reasons,
            report=report.as_dict() if report else None,
            path=measured.path,
            original_uri=self.originals.uri(offer.sha256),
            received_at=now,
            completed_at=now if report and report.verdict is not FileVerdict.HELD else None,
        )

    def _report(self, path: str, sha256: str, verdict: FileVerdict, reason: Reason | None) -> FileReport:
        return FileReport(
            path=path,
            connector=self.descriptor.name,
            sha256=sha256,
            verdict=verdict,
            reasons=(reason,) if reason else (),
        )
