"""The way of a file of a benefit, payment or event feed (benefits-common.md §4, §8), on one page.

    receive    kept as an original, measured, judged by its trigger file
    decode     read to its end: units on the spool, facts of the file
    gate       its structure, its number, its controls; early ones wait
    judge      unit by unit, in parts of one transaction each, with everything that follows; then the file is accepted
    release    files that waited for this one are taken up

It shares its outside, and what it does around a file, with `pipeline.Pipeline`; what it does with one is its own.
"""

import io
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Admission
from integrationhub.canonical.identifiers import derive
from integrationhub.decode.archives.gz import inflate_into
from integrationhub.errors import NotFound
from integrationhub.intake import refusals
from integrationhub.intake.measure import Measured, keep
from integrationhub.intake.report import FileReport, FileVerdict, controls_of
from integrationhub.intake.units.gate import Gate, Stop, trigger_fault
from integrationhub.intake.units.heard import Hearing
from integrationhub.intake.units.loading import Admitted, UnitLoader
from integrationhub.intake.units.rows import Arrived
from integrationhub.intake.units.spool import Spooled, spool
from integrationhub.mapping.compile import CompiledMapping, MappingContext
from integrationhub.pipeline import Pipeline, Progress, silent, unheard
from integrationhub.receive.acceptance import Offer
from integrationhub.receive.folder import FoundFile
from integrationhub.receive.trigger import Trigger, read_trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import FileKind, UnitRules
from integrationhub.sdk.units import FileFacts, FileInHand, UnitDecoder
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.unit_of_work import Work
from integrationhub.telemetry import UnitOfWork

UNCOMPRESSED = "UNCOMPRESSED-BYTES"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPipeline(Pipeline):
    """Takes the files of one connector whose records are judged in units. `hearing` is told every verdict, if given."""

    decoders: Mapping[str, UnitDecoder]
    mapping: CompiledMapping
    units: UnitLoader
    hearing: Hearing | None = None

    def has_work(self) -> bool:
        """See `Pipeline`."""
        with self.store.begin() as work:
            return bool(work.deliveries.unfinished(self.descriptor.name)) or bool(self._ready(work))

    def check(self, found: FoundFile, *, progress: Progress = silent) -> FileReport:
        """See `Pipeline`."""
        if found.path.is_file():
            return Pipeline.check(self, found, progress=progress)
        return self._without_data(found)

    def try_out(self, found: FoundFile, progress: Progress) -> FileReport:
        """See `Pipeline`."""
        assert found.trigger is not None
        sha256, trigger_sha256 = keep(found.path, found.trigger, self.originals)
        measured, now = self._measure(found.name, str(found.path), sha256, trigger_sha256), self.clock()
        with self.store.begin() as work:  # never committed, and not held while the content is read
            stop = self._gate(work).before_content(measured.offer)
        if stop is not None:
            return self._stopped_report(measured, stop, FileFacts())
        read = self._read(measured, self.work_folder / "spool", received_at=now)
        progress(measured.offer.size, 2 * measured.offer.size)
        with self.store.begin() as work:  # never committed
            decided = self._decide(work, measured, read, now)
            if isinstance(decided, Stop):
                return self._stopped_report(measured, decided, read.facts)
        admitted = self._admitted(measured, read, decided, self.work_folder, now)
        with self.store.begin() as work:  # never committed
            work.deliveries.save(admitted.delivery)
            return self.units.try_out(work, admitted, now=now)

    def take_found(
        self,
        found: FoundFile,
        *,
        expected_sha256: str | None = None,
        now: datetime | None = None,
        progress: Progress = silent,
        recorded: Callable[[], None] = unheard,
    ) -> tuple[FileReport, list[FileReport]]:
        """See `Pipeline`."""
        if not found.path.is_file():
            return self._without_data(found), []
        taken = Pipeline.take_found  # super() finds no way in a dataclass with slots
        return taken(self, found, expected_sha256=expected_sha256, now=now, progress=progress, recorded=recorded)

    def _without_data(self, found: FoundFile) -> FileReport:
        """What becomes of a trigger file whose data file is not there."""
        assert found.trigger is not None  # `find_files` has seen it
        trigger = self._trigger(found.name, found.trigger.read_bytes())
        offer = Offer(name=found.name, sequence=None, size=0, sha256="", trigger=trigger, header=None)
        fault = trigger_fault(offer, self.descriptor)
        if fault is not None:
            return self._report(str(found.path), "", FileVerdict.REJECTED, fault)
        text = "the data file is missing: the trigger file is taken with it once it is there"
        reason = Reason(code=self._rules.codes.waiting, text=text)
        return self._report(str(found.path), "", FileVerdict.HELD, reason)

    def _take(
        self, measured: Measured, now: datetime, progress: Progress, recorded: Callable[[], None] = unheard
    ) -> FileReport:
        offer, name = measured.offer, self.descriptor.name
        with UnitOfWork("file", connector=name, file=offer.name, delivery_id=measured.delivery_id) as line:
            report, received_at = self._before_content(measured, now)
            self.units.checkpoint("judged")
            recorded()
            if report is None:
                report = self._judge(measured, now, received_at, progress)
            line.note(verdict=report.verdict.value, records=report.records, sequence=offer.sequence, bytes=offer.size)
            line.note(reason=report.reasons[0].code if report.reasons else None)
        return report

    def _before_content(self, measured: Measured, now: datetime) -> tuple[FileReport | None, datetime]:
        """The report of a file that goes no further, and when it came first."""
        with self.store.begin() as work:
            stop = self._gate(work).before_content(measured.offer)
            known = work.deliveries.get(measured.delivery_id)
            received_at = known.received_at if known is not None else now
            report = None
            if stop is not None:
                report = self._stop(work, measured, stop, now=now, received_at=received_at)
            elif known is None or known.state is not State.LOADING:
                work.deliveries.save(self._unit_delivery(measured, State.RECEIVED, received_at))
            work.commit()
        return report, received_at

    def _judge(self, measured: Measured, now: datetime, received_at: datetime, progress: Progress) -> FileReport:
        """Read the content, then load it, or refuse the file, or let it wait."""
        folder, size = self.work_folder / measured.delivery_id, measured.offer.size
        read = self._read(measured, folder / "last", received_at=received_at)
        progress(size, 2 * size)
        self.units.checkpoint("staged")
        with self.store.begin() as work:
            decided = self._decide(work, measured, read, received_at)
            if isinstance(decided, Stop):
                report = self._stop(work, measured, decided, now=now, received_at=received_at, facts=read.facts)
                work.commit()
                shutil.rmtree(folder, ignore_errors=True)
                return report
        admitted = self._admitted(measured, read, decided, folder, received_at)
        with self.store.begin() as work:
            work.deliveries.save(admitted.delivery)
            work.commit()
        heard = None if self.hearing is None else self.hearing.of(measured.offer.sha256)
        if heard is not None:
            heard.canonical = admitted.canonical
        report = self.units.load(self.store, admitted, now=now, heard=heard, progress=lambda _units: None)
        progress(2 * size, 2 * size)
        shutil.rmtree(folder, ignore_errors=True)
        return report

    def _admitted(
        self, measured: Measured, read: Spooled, admission: Admission, folder: Path, received_at: datetime
    ) -> Admitted:
        """The file with its earlier pages, whose records are counted through."""
        files: list[Spooled] = []
        before = 0
        for number, delivery_id in enumerate(admission.earlier):
            with self.store.begin() as work:
                page = work.deliveries.get(delivery_id)
            if page is None:
                raise NotFound("an earlier page of the statement is not kept", code="DELIVERY_UNKNOWN")
            part = self._read(
                self._measure_again(page),
                folder / f"page {number:03}",
                received_at=page.received_at,
                units_before=before,
            )
            files.append(part)
            before += part.records()
        if before:
            read = self._read(measured, folder / "last", received_at=received_at, units_before=before)
        return Admitted(
            delivery=self._unit_delivery(measured, State.LOADING, received_at, read.facts),
            file=self._in_hand(measured, received_at, before),
            facts=read.facts,
            admission=admission,
            files=[*files, read],
        )

    def _read(self, measured: Measured, folder: Path, *, received_at: datetime, units_before: int = 0) -> Spooled:
        file, kind = self._in_hand(measured, received_at, units_before), self._kind(measured.offer.name)
        as_at = kind.as_at(measured.offer.name)
        arrived = Arrived(feed=self.descriptor.name, delivery_id=measured.delivery_id, at=received_at, as_at=as_at)
        context = MappingContext(
            delivery_id=measured.delivery_id,
            sequence=0,
            as_at=as_at or received_at.date(),
            source_system=self.descriptor.connector.source_system,
            synthetic_identities=self.synthetic_identities,
        )
        reading = partial(
            spool,
            folder=folder,
            file=file,
            decoder=self.decoders[kind.decoder],
            mapping=self.mapping,
            context=context,
            arrived=arrived,
        )
        with self.originals.open(measured.offer.sha256) as stream:
            if not measured.offer.name.endswith(".gz"):
                return reading(stream)
            folder.parent.mkdir(parents=True, exist_ok=True)
            plain = folder.with_suffix(".plain")
            stated = int(measured.trigger.extra[UNCOMPRESSED])
            with plain.open("wb") as target:
                fault = inflate_into(target, stream, delivered=measured.offer.size, stated=stated)
        if fault is not None:
            return Spooled(facts=FileFacts(structure=fault), folder=folder, arrived=arrived)
        with plain.open("rb") as content:
            return reading(content)

    def _decide(self, work: Work, measured: Measured, read: Spooled, received_at: datetime) -> Stop | Admission:
        file = self._in_hand(measured, received_at, 0)
        return self._gate(work).of_content(read.facts, file, Book(work.accounts.shelf()))

    def _stop(
        self,
        work: Work,
        measured: Measured,
        stop: Stop,
        *,
        now: datetime,
        received_at: datetime,
        facts: FileFacts | None = None,
    ) -> FileReport:
        """Store what stops a file, and tell it. A repeat that the name tells leaves no trace."""
        report = self._stopped_report(measured, stop, facts or FileFacts())
        stored = replace(
            self._unit_delivery(measured, State.RECEIVED, received_at, facts),
            state=State(stop.verdict.value),
            reasons=report.reasons,
            report=report.as_dict(),
            records=report.records,
            completed_at=None if stop.verdict is FileVerdict.HELD else now,
        )
        known = work.deliveries.get(measured.delivery_id)
        if stop.verdict is not FileVerdict.DUPLICATE or (known is not None and known.state is not State.ACCEPTED):
            work.deliveries.save(stored)
        if stop.verdict is FileVerdict.REJECTED:
            refusals.refuse(work, stored, at=now)
        return report

    def _stopped_report(self, measured: Measured, stop: Stop, facts: FileFacts) -> FileReport:
        report = self._report(measured.path, measured.offer.sha256, stop.verdict, stop.reason)
        if stop.first is not None:
            records, controls = stop.first.records, stop.first.controls
            return replace(report, records=records, outcomes={"DUPLICATE": records}, controls=controls)
        if stop.verdict is FileVerdict.REJECTED:
            remedy = "deliver the corrected file, under the same name and number; what was refused uses up neither"
            return replace(report, controls=controls_of(facts), remedy=remedy)
        return report

    def _ready(self, work: Work) -> list[Delivery]:
        gate = self._gate(work)
        return [item for item in work.deliveries.waiting(self.descriptor.name) if gate.may_go(item)]

    def _gate(self, work: Work) -> Gate:
        return Gate(work=work, descriptor=self.descriptor, judge=self.units.bench.judge)

    def _measure(self, name: str, path: str, sha256: str, trigger_sha256: str) -> Measured:
        with self.originals.open(trigger_sha256) as stream:
            trigger = self._trigger(name, stream.read())
        with self.originals.open(sha256) as stream:
            size = stream.seek(0, io.SEEK_END)
        number = self.descriptor.delivery.sequence_of(name) if self.descriptor.delivery.fits(name) else None
        return Measured(
            path=path,
            delivery_id=derive("delivery", self.descriptor.name, name, sha256, trigger_sha256),
            trigger_sha256=trigger_sha256,
            offer=Offer(name=name, sequence=number, size=size, sha256=sha256, trigger=trigger, header=None),
        )

    def _trigger(self, name: str, content: bytes) -> Trigger | Reason:
        rules, kind = self.descriptor.delivery, self.descriptor.delivery.kind_of(name)
        required = ["FILE", "BYTES", "SHA256"]
        required += ["RECORDS"] if kind is not None and kind.records else []
        required += [UNCOMPRESSED] if name.endswith(".gz") else []
        return read_trigger(content, required=required, code=rules.codes.trigger, others=False)

    def _kind(self, name: str) -> FileKind:
        kind = self.descriptor.delivery.kind_of(name)
        assert kind is not None  # another name was refused with its trigger file
        return kind

    def _in_hand(self, measured: Measured, received_at: datetime, units_before: int) -> FileInHand:
        offer = measured.offer
        return FileInHand(
            name=offer.name,
            named=self._kind(offer.name).named(offer.name) or {},
            size=offer.size,
            sha256=offer.sha256,
            records=measured.trigger.records,
            received_at=received_at,
            delivery_id=measured.delivery_id,
            units_before=units_before,
        )

    def _unit_delivery(
        self, measured: Measured, state: State, received_at: datetime, facts: FileFacts | None = None
    ) -> Delivery:
        offer = measured.offer
        return Delivery(
            delivery_id=measured.delivery_id,
            connector=self.descriptor.name,
            name=offer.name,
            sha256=offer.sha256,
            trigger_sha256=measured.trigger_sha256,
            bytes=offer.size,
            sequence=offer.sequence if facts is None else facts.sequence,
            series="" if facts is None else facts.series,
            as_at=None if facts is None else facts.as_at,
            state=state,
            path=measured.path,
            original_uri=self.originals.uri(offer.sha256),
            received_at=received_at,
        )

    @property
    def _rules(self) -> UnitRules:
        assert self.descriptor.units is not None
        return self.descriptor.units
