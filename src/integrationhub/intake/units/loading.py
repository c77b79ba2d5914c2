"""A spooled file judged and stored: a transaction for each part of its units, and one that accepts it.

A part that was committed is not judged again, so a killed load goes on where it stopped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from integrationhub.accounts.book import Book
from integrationhub.accounts.changes import DebtChanged
from integrationhub.accounts.entries import Origin
from integrationhub.accounts.unit import Admission, FileRules, Unit, Verdict
from integrationhub.canonical.identifiers import derive
from integrationhub.intake import refusals
from integrationhub.intake.report import Amount, FileReport, FileVerdict, controls_of
from integrationhub.intake.units.bench import Bench
from integrationhub.intake.units.heard import Heard, shown
from integrationhub.intake.units.spool import Spooled, keys_of, slices
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import Booked, FileFacts, FileInHand
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.slices import Slice
from integrationhub.store.unit_of_work import Store, Work
from integrationhub.store.worklist import WorklistItem

MISSING = "MISSING_FROM_FULL"
PAGE_MISSING = Reason(
    code="PAGE_MISSING",
    text="the page is kept; it is judged with the others once the last page of its statement is there",
)
REASONS_REPORTED = 1_000
_WORST = ("REJECTED", "EXCEPTION", "LOADED", "EXCLUDED", "SUPERSEDED", "DUPLICATE")
STALE = "STALE_VERSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A file whose units may be judged: those of its earlier pages first."""

    delivery: Delivery
    file: FileInHand
    facts: FileFacts
    admission: Admission
    files: Sequence[Spooled]

    @property
    def canonical(self) -> Mapping[str, Any] | None:
        """The key fields of the file, as they are shown."""
        return self.admission.canonical if self.admission.canonical is not None else self.facts.canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLoader:
    """Loads the files of one connector."""

    descriptor: Descriptor
    bench: Bench
    checkpoint: Callable[[str], None] = lambda _point: None

    def load(
        self, store: Store, admitted: Admitted, *, now: datetime, heard: Heard | None, progress: Callable[[int], None]
    ) -> FileReport:
        """Judge what is not judged yet, then accept the file."""
        with store.begin() as work:
            parts = work.slices.all(admitted.delivery.delivery_id)
        done = max((part.last_record for part in parts), default=0)
        for number, units in self._waiting(admitted, len(parts), done):
            self.checkpoint("before slice")
            with store.begin() as work:
                self.take(work, admitted, number, units, done=done, now=now, heard=heard)
                self.checkpoint("before commit")
                work.commit()
            self.checkpoint("after commit")
            done += len(units)
            progress(len(units))
            if not number % 25:
                store.refresh_statistics()
        with store.begin() as work:
            report = self.accept(work, admitted, now=now)
            self.checkpoint("before accept")
            work.commit()
        return report

    def _waiting(self, admitted: Admitted, number: int, done: int) -> Iterator[tuple[int, list[Unit]]]:
        if not admitted.admission.pending:
            yield from enumerate(slices(admitted.files, done=done), start=number)

    def try_out(self, work: Work, admitted: Admitted, *, now: datetime) -> FileReport:
        """The same in one transaction of the caller's."""
        done = 0
        for number, units in self._waiting(admitted, 0, 0):
            self.take(work, admitted, number, units, done=done, now=now, heard=None)
            done += len(units)
        return self.accept(work, admitted, now=now)

    def take(
        self,
        work: Work,
        admitted: Admitted,
        number: int,
        units: Sequence[Unit],
        *,
        done: int,
        now: datetime,
        heard: Heard | None,
    ) -> None:
        """Judge a part of the units; those before it were `done`."""
        delivery_id = admitted.delivery.delivery_id
        part = Slice(
            delivery_id=delivery_id,
            slice_no=number,
            first_record=done + 1,
            last_record=done + len(units),
            first_byte=units[0].offset,
            last_byte=units[-1].offset,
            committed_at=now,
        )
        if not work.slices.claim(part):
            return
        session = self.bench.hear(work, units)
        self.bench.write(work, session, at=now)
        debts = _debts(session.book)
        counts = {**_counts(session.judged), "debts": debts.count, "pence": debts.pence}
        work.slices.count(delivery_id, number, {**counts, "reasons": list(_reasons(session.judged))})
        if heard is not None:
            heard.records += [shown(unit, verdict) for unit, verdict in session.judged if verdict.listed]

    def accept(self, work: Work, admitted: Admitted, *, now: datetime) -> FileReport:
        """Close the file: what the feed remembers of it, what its source no longer has, its number, its report."""
        delivery, facts = admitted.delivery, admitted.facts
        missing = self._missing(work, admitted, now=now)
        self._close(work, admitted, now=now)
        report = self._report(work, admitted, missing)
        for page in admitted.admission.earlier:
            _complete(work, page)
        work.deliveries.save(
            replace(
                delivery,
                state=State.ACCEPTED,
                reasons=report.reasons,
                report=report.as_dict(),
                records=report.records,
                completed_at=now,
            )
        )
        if facts.sequence is not None and not admitted.admission.pending:
            work.accounts.use_up(self.descriptor.name, facts.series, facts.sequence)
        refused = work.deliveries.refused_like(delivery)
        refusals.settle(work, refused, at=now, why=f"{delivery.name} was accepted")
        return report

    def _close(self, work: Work, admitted: Admitted, *, now: datetime) -> None:
        if isinstance(self.bench.judge, FileRules):
            book = Book(work.accounts.shelf())
            book.judging(Origin(delivery_id=admitted.delivery.delivery_id, record=0, offset=0, mapping_id="", at=now))
            self.bench.judge.close(admitted.facts, admitted.file, book)
            work.accounts.flush(book.changes)

    def _missing(self, work: Work, admitted: Admitted, *, now: datetime) -> list[str]:
        """Debts that a full extract no longer has: they wait for a person, and nothing else changes."""
        if not admitted.facts.whole:
            return []
        listed = iter(keys_of(admitted.files[-1].folder))
        held = work.accounts.held_refs(self.descriptor.connector.source_system)
        missing = list(_without(held, listed))
        delivery_id = admitted.delivery.delivery_id
        items = [
            WorklistItem(
                exception_id=derive("worklist", delivery_id, MISSING, ref),
                code=MISSING,
                entity="accounts",
                source_ref=ref,
                opened_at=now,
                text="a full extract no longer has this debt; it stays as it is until a person decides",
                connector=self.descriptor.name,
                delivery_id=delivery_id,
            )
            for ref in missing
        ]
        self.bench.tell(work, self.bench.open(work, items), at=now)
        return missing

    def _report(self, work: Work, admitted: Admitted, missing: Sequence[str]) -> FileReport:
        parts: list[Mapping[str, Any]] = [part.counts for part in work.slices.all(admitted.delivery.delivery_id)]
        outcomes = {name: sum(part.get(name, 0) for part in parts) for name in _WORST}
        told = [Reason(**reason) for part in parts for reason in part["reasons"]]
        facts = [file.facts for file in admitted.files]
        waits = admitted.admission.pending
        return FileReport(
            path=admitted.delivery.path,
            connector=self.descriptor.name,
            sha256=admitted.delivery.sha256,
            verdict=FileVerdict.HELD if waits else FileVerdict.ACCEPTED,
            reasons=(PAGE_MISSING,) if waits else tuple(told[:REASONS_REPORTED]),
            records=sum(outcomes.values()),
            outcomes=outcomes,
            controls=controls_of(admitted.facts),
            debts=Amount(count=sum(part["debts"] for part in parts), pence=sum(part["pence"] for part in parts)),
            credits=sum((_amount(page.credits) for page in facts), start=Amount()),
            debits=sum((_amount(page.debits) for page in facts), start=Amount()),
            missing=tuple(missing),
        )


def _complete(work: Work, delivery_id: str) -> None:
    """The last page is there: this one waits no longer."""
    page = work.deliveries.get(delivery_id)
    if page is not None and page.report is not None:
        report = replace(FileReport.from_dict(page.report), verdict=FileVerdict.ACCEPTED, reasons=())
        work.deliveries.save(replace(page, reasons=(), report=report.as_dict()))


def _amount(booked: Booked) -> Amount:
    return Amount(count=booked.count, pence=booked.pence)


def _counts(judged: Iterable[tuple[Unit, Verdict]]) -> Counter[str]:
    """Records by outcome: of one whose units have several, the worst."""
    worst: dict[tuple[str, int], str] = {}
    for unit, verdict in judged:
        place = (unit.delivery_id, unit.record)
        outcome = Fate.SUPERSEDED if verdict.reason == STALE else verdict.fate
        known = worst.get(place)
        if known is None or _WORST.index(outcome) < _WORST.index(known):
            worst[place] = outcome.value
    return Counter(worst.values())


def _reasons(judged: Iterable[tuple[Unit, Verdict]]) -> Iterator[dict[str, object]]:
    told = ((unit, verdict) for unit, verdict in judged if verdict.fate in (Fate.EXCEPTION, Fate.REJECTED))
    for (unit, verdict), _ in zip(told, range(REASONS_REPORTED), strict=False):
        what = "a person must decide about it" if verdict.fate is Fate.EXCEPTION else "nothing of it is loaded"
        text = f"record {unit.record}: {what}"
        yield Reason(code=verdict.reason or "", text=text, record=unit.record, offset=unit.offset).as_dict()


def _debts(book: Book) -> Amount:
    changed = {item.after.ref: item.after for item in book.changes.happened if isinstance(item, DebtChanged)}
    return Amount(count=len(changed), pence=sum(debt.source_balance_pence for debt in changed.values()))


def _without(held: Iterable[str], listed: Iterator[str]) -> Iterator[str]:
    """What is held and not listed; both in order."""
    last = next(listed, None)
    for ref in held:
        while last is not None and last < ref:
            last = next(listed, None)
        if last != ref:
            yield ref
