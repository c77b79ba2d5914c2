"""A feed's book inside one transaction: what it has accepted, what stopped it, and how a file changes that."""

from dataclasses import replace

from integrationhub.intake import refusals
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.intake.staging import Staged
from integrationhub.receive.acceptance import Decision, FeedState, Offer, Verdict, decide, must_wait
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.store.deliveries import Delivery, State
from integrationhub.store.feeds import Feed
from integrationhub.store.unit_of_work import Work


class FeedBook:
    """The feed of one connector, locked until the transaction ends."""

    def __init__(self, work: Work, descriptor: Descriptor) -> None:
        self._work = work
        self._descriptor = descriptor
        self._feed = work.feeds.lock(descriptor.name)

    @property
    def feed(self) -> Feed:
        """The feed as it stands."""
        return self._feed

    def decide(self, offer: Offer) -> Decision:
        """What becomes of an offered file (receive.acceptance)."""
        rules = self._descriptor.delivery
        return decide(offer, self._state(offer.sequence), codes=rules.codes, first_sequence=self._first())

    def may_go(self, delivery: Delivery) -> bool:
        """Whether a held file need not wait any longer."""
        if delivery.sequence is None:
            return False
        state = self._state(delivery.sequence)
        return must_wait(delivery.sequence, state, self._first(), self._descriptor.delivery.codes) is None

    def record(self, delivery: Delivery, decision: Decision) -> None:
        """Store a judged delivery, and stop or clear the feed. A repeat leaves no trace but a cleared stop."""
        if decision.verdict is not Verdict.DUPLICATE:
            known = self._work.deliveries.get(delivery.delivery_id)
            if known is not None:
                delivery = replace(delivery, received_at=known.received_at)
            if known is None or known.state is not State.LOADING:
                self._work.deliveries.save(delivery)
        if decision.verdict is Verdict.REJECTED:
            self._refuse(delivery)
        elif self._feed.stopped_sequence == delivery.sequence and self._is_corrected(decision):
            self._clear()

    def _is_corrected(self, decision: Decision) -> bool:
        """Whether the refused number has come in good order, as far as one can tell before its content is read."""
        gap = self._descriptor.delivery.codes.gap
        waits_for_earlier = decision.reason is not None and decision.reason.code == gap
        return decision.verdict is Verdict.DUPLICATE or waits_for_earlier

    def remedy(self, sequence: int | None) -> str:
        """What to do about a refused file with this number."""
        name, last = self._descriptor.name, self._feed.last_sequence
        if sequence is None:
            return f"files of {name} are named like {self._descriptor.delivery.file}; this one holds up no other"
        resume = f"integrationhub connector resume {name}"
        if last is not None and sequence <= last:
            return f"the feed stands still: find out which file is right, then let it go on: {resume}"
        if last is not None and sequence > last + 1:
            return f"deliver it corrected; later files wait until then, or until: {resume}"
        return (
            f"deliver it corrected, with the same number; later files wait until then, or until the number is passed "
            f"over: {resume} --skip {sequence} --reason TEXT"
        )

    def staged(self, delivery_id: str, staged: Staged, refused: FileReport | None) -> Delivery:
        """Store what the check of the content gave: on to loading, or refused and the feed stopped."""
        delivery = self._work.deliveries.get(delivery_id)
        assert delivery is not None  # recorded before its content is read
        kind = "F" if staged.verdict.full_book else "C"
        if refused is None:
            delivery = replace(delivery, state=State.LOADING, slices=len(staged.slices), book_kind=kind)
        else:
            delivery = replace(
                delivery,
                state=State.REJECTED,
                reasons=refused.reasons,
                report=refused.as_dict(),
                records=refused.records,
                completed_at=delivery.received_at,
            )
        self._work.deliveries.save(delivery)
        if refused is not None:
            self._refuse(delivery)
        return delivery

    def repeat_of(self, offer: Offer, path: str, decision: Decision) -> FileReport:
        """The report of a repeated file: every record is a duplicate, nothing was created or changed."""
        assert offer.sequence is not None
        accepted = self._work.deliveries.accepted(self._descriptor.name, offer.sequence)
        assert accepted is not None
        assert accepted.report is not None  # an accepted file has its report
        first = FileReport.from_dict(accepted.report)
        return FileReport(
            path=path,
            connector=first.connector,
            sha256=first.sha256,
            verdict=FileVerdict.DUPLICATE,
            reasons=(decision.reason,) if decision.reason else (),
            records=first.records,
            outcomes={"DUPLICATE": first.records},
            controls=first.controls,
        )

    def _state(self, sequence: int | None) -> FeedState:
        accepted = None
        if sequence is not None:
            accepted = self._work.deliveries.accepted(self._descriptor.name, sequence)
        return FeedState(
            last_sequence=self._feed.last_sequence,
            accepted={} if accepted is None or sequence is None else {sequence: accepted.sha256},
            stopped_sequence=self._feed.stopped_sequence,
            stopped_code=self._feed.stopped_code,
            paused=self._feed.paused,
        )

    def _first(self) -> int | None:
        first = self._descriptor.delivery.first_sequence
        return first if isinstance(first, int) else None

    def _refuse(self, delivery: Delivery) -> None:
        refusals.refuse(self._work, delivery, at=delivery.completed_at or delivery.received_at)
        self._stop(delivery)

    def _stop(self, delivery: Delivery) -> None:
        """Stop the feed at a refused number; one that has none stops nothing, an earlier stop stays."""
        if delivery.sequence is None:
            return
        stopped = self._feed.stopped_sequence
        if stopped is not None and stopped < delivery.sequence:
            return
        self._feed = replace(
            self._feed,
            stopped_sequence=delivery.sequence,
            stopped_code=delivery.reasons[0].code,
            stopped_at=delivery.received_at,
        )
        self._work.feeds.save(self._feed)

    def _clear(self) -> None:
        self._feed = replace(self._feed, stopped_sequence=None, stopped_code=None, stopped_at=None)
        self._work.feeds.save(self._feed)
