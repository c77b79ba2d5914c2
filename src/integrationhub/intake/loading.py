"""A staged file into the store: one transaction a slice, the last one accepts the file.

    slice claimed → groups replaced → worklist → events → counts;  in the last slice's transaction also:
    what the book no longer has → the file is ACCEPTED, with its report → the feed moves on.

Every step is repeatable: a slice that was committed is not claimed again, so a killed load goes on where it stopped.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from integrationhub.intake import refusals
from integrationhub.intake.ahead import ahead
from integrationhub.intake.changes import debt_events, worklist_events, worklist_items
from integrationhub.intake.report import Amount, Control, FileReport, FileVerdict
from integrationhub.intake.staging import Staged, StagedSlice
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.event_changes import told, with_events, with_kept_events
from integrationhub.store.merge import SliceRows
from integrationhub.store.slices import Slice
from integrationhub.store.unit_of_work import Store, Work

REASONS_REPORTED = 1000
"""How many faults a file's report spells out."""


SET_ASIDE = "the groups set aside are on the worklist (integrationhub export exceptions) until they come corrected"
"""Remedy of a file that is loaded without some of its groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """Loads the staged files of one connector. `checkpoint` is called at named points, for fault tests."""

    descriptor: Descriptor
    environment: str
    checkpoint: Callable[[str], None] = lambda _point: None

    def load(
        self, store: Store, delivery: Delivery, staged: Staged, *, now: datetime, progress: Callable[[int], None]
    ) -> FileReport:
        """Merge what is not merged yet, then accept the file; the report as it was stored."""
        with store.begin() as work:
            done = work.slices.done(delivery.delivery_id)
        report: FileReport | None = None
        waiting = [piece for piece in staged.slices if piece.number not in done]
        progress(sum(piece.end - piece.start for piece in staged.slices if piece.number in done))
        for piece, rows in ahead((piece, _fit(store, delivery, piece)) for piece in waiting):
            self.checkpoint("before slice")
            with store.begin() as work:
                report = self.merge(work, delivery, staged, piece, rows, now=now)
                self.checkpoint("before commit")
                work.commit()
            self.checkpoint("after commit")
            store.refresh_statistics()
            progress(piece.end - piece.start)
        assert report is not None  # a file whose last slice was committed is ACCEPTED, and not loaded again
        return report

    def merge(
        self,
        work: Work,
        delivery: Delivery,
        staged: Staged,
        piece: StagedSlice,
        rows: SliceRows | None = None,
        *,
        now: datetime,
    ) -> FileReport | None:
        """Merge one slice in the transaction `work`; the report when it was the file's last one.

        `rows`: the slice's, where they have been made fit already.
        """
        part = Slice(
            delivery_id=delivery.delivery_id,
            slice_no=piece.number,
            first_record=piece.first_record,
            last_record=piece.last_record,
            first_byte=piece.start,
            last_byte=piece.end,
            committed_at=now,
        )
        if not work.slices.claim(part):
            return None
        sequence = delivery.sequence or 0
        fresh = rows or piece.rows()
        eventful = self._eventful(work, fresh)
        told_before = told(work.connection, eventful)
        merged = work.canonical.merge_groups(
            fresh,
            delivery_id=delivery.delivery_id,
            sequence=sequence,
            slice_no=piece.number,
            whole_groups=self._has_whole_groups(staged),
        )
        sound = set(merged.groups) - {group.group_id for group in piece.quarantined}
        work.worklist.resolve_groups(sound, at=now, resolution=f"came again with sequence {sequence}")
        self._set_aside(work, delivery, piece, now)
        told_now = told(work.connection, eventful)
        self._tell(work, delivery, with_events(work.connection, merged.debts, before=told_before, after=told_now), now)
        changed = _changed(merged.debts)
        counts = {
            "LOADED": piece.records - piece.set_aside,
            "EXCEPTION": piece.set_aside,
            "debts": changed.count,
            "pence": changed.pence,
        }
        work.slices.count(delivery.delivery_id, piece.number, counts)
        if len(work.slices.done(delivery.delivery_id)) < len(staged.slices):
            return None
        return self._accept(work, delivery, staged, piece, now)

    def _eventful(self, work: Work, rows: SliceRows | Mapping[str, pl.DataFrame]) -> set[str]:
        """Cases of the slice that have change events behind the book that was: the world was told of them."""
        frames = rows.frames if isinstance(rows, SliceRows) else rows
        if self.descriptor.events is None or "cases" not in frames:
            return set()
        return with_kept_events(work.connection, frames["cases"]["case_id"].to_list())

    def _has_whole_groups(self, staged: Staged) -> bool:
        """Whether groups come as a whole; a correction of a document carries single cases."""
        return staged.verdict.full_book or self.descriptor.document is None

    def _set_aside(self, work: Work, delivery: Delivery, piece: StagedSlice, now: datetime) -> None:
        code = self.descriptor.worklist_code
        place = {"connector": self.descriptor.name, "delivery_id": delivery.delivery_id}
        items = worklist_items(piece.quarantined, code=code, opened_at=now, **place)
        fresh = work.worklist.set_aside(items)
        work.outbox.add(worklist_events(fresh, environment=self.environment, **place), at=now)

    def _tell(self, work: Work, delivery: Delivery, changes: pl.DataFrame, now: datetime) -> None:
        connector, delivery_id = self.descriptor.name, delivery.delivery_id
        events = debt_events(changes, environment=self.environment, connector=connector, delivery_id=delivery_id)
        work.outbox.add(events, at=now)

    def _accept(self, work: Work, delivery: Delivery, staged: Staged, last: StagedSlice, now: datetime) -> FileReport:
        """Close the file: what is gone, the report, the delivery, the feed."""
        groups = [group for piece in staged.slices for group in piece.quarantined]
        closed = work.canonical.close_file(
            delivery_id=delivery.delivery_id,
            sequence=delivery.sequence or 0,
            slice_no=last.number,
            source_system=self.descriptor.connector.source_system,
            whole_book=staged.verdict.full_book,
            whole_groups=self._has_whole_groups(staged),
            held_groups=[group.group_id for group in groups],
            held_cases=[case for group in groups for case in group.case_ids],
        )
        self._tell(work, delivery, closed.debts, now)
        report = self._report(work, delivery, staged, gone=closed.gone_groups)
        work.deliveries.save(
            replace(
                delivery,
                state=State.ACCEPTED,
                reasons=report.reasons,
                report=report.as_dict(),
                records=report.records,
                slices=len(staged.slices),
                completed_at=now,
            )
        )
        if delivery.sequence is not None:
            why = f"{delivery.name} was accepted"
            refusals.settle_number(work, self.descriptor.name, delivery.sequence, at=now, why=why)
        feed = work.feeds.lock(self.descriptor.name)
        if feed.stopped_sequence == delivery.sequence:
            feed = replace(feed, stopped_sequence=None, stopped_code=None, stopped_at=None)
        work.feeds.save(replace(feed, last_sequence=delivery.sequence))
        return report

    def _report(self, work: Work, delivery: Delivery, staged: Staged, *, gone: Iterable[str]) -> FileReport:
        counts = [part.counts for part in work.slices.all(delivery.delivery_id)]
        return FileReport(
            path=delivery.path,
            connector=self.descriptor.name,
            sha256=delivery.sha256,
            verdict=FileVerdict.ACCEPTED,
            reasons=_reported(staged, self.descriptor.worklist_code),
            records=sum(piece.records for piece in staged.slices),
            outcomes={name: sum(count[name] for count in counts) for name in ("LOADED", "EXCEPTION")},
            controls=controls_of(staged),
            debts=Amount(count=sum(count["debts"] for count in counts), pence=sum(count["pence"] for count in counts)),
            missing=tuple(gone),
            remedy=SET_ASIDE if any(piece.quarantined for piece in staged.slices) else None,
        )


def _fit(store: Store, delivery: Delivery, piece: StagedSlice) -> SliceRows:
    return store.fit(piece.rows(), delivery_id=delivery.delivery_id, sequence=delivery.sequence or 0)


def controls_of(staged: Staged) -> tuple[Control, ...]:
    """The file's controls as the report shows them."""
    totals = staged.slices[0].totals if staged.slices else ()
    controls = []
    for item in staged.verdict.controls:
        control = Control(name=item.name, expected=item.expected, actual=item.actual)
        if staged.verdict.fault is None and item.name in totals:
            parts = staged.parts(item.name)
            control = replace(control, loaded=parts.loaded, set_aside=parts.set_aside)
        controls.append(control)
    return tuple(controls)


def _reported(staged: Staged, code: str) -> tuple[Reason, ...]:
    """The faults of quarantined groups, in file order; of very many the first, and how many more there are."""
    reasons = [reason for piece in staged.slices for group in piece.quarantined for reason in group.reasons]
    more = len(reasons) - REASONS_REPORTED
    if more <= 0:
        return tuple(reasons)
    rest = Reason(
        code=code or reasons[0].code, text=f"{more:,} more faults: `integrationhub export exceptions` has every group"
    )
    return (*reasons[:REASONS_REPORTED], rest)


def _changed(changes: pl.DataFrame) -> Amount:
    """Debts created or changed: how many, and the pence of their source balances now."""
    rows = changes.filter(pl.col("change") != "REMOVED")
    return Amount(count=len(rows), pence=int(rows["new_pence"].sum() or 0))
