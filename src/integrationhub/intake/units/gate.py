"""What becomes of a file before its units are judged: the checks of benefits-common.md §4 and §8 in their order.

    by its bytes     trigger file → repeat by name → size → hash → empty
    by its content   structure → repeat by content → number → paging → controls

A number that is not the next one is HELD until the missing one is there. A refused file uses up neither its name nor
its number.
"""

from dataclasses import dataclass

from integrationhub.accounts.book import Book
from integrationhub.accounts.unit import Admission, FileRules, Judge, Refusal
from integrationhub.intake.report import FileReport, FileVerdict
from integrationhub.receive.acceptance import PAUSED, Offer
from integrationhub.receive.trigger import Trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import Descriptor
from integrationhub.sdk.messages import Fate
from integrationhub.sdk.units import FileFacts, FileInHand
from integrationhub.store.deliveries import Delivery
from integrationhub.store.unit_of_work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The file goes no further."""

    verdict: FileVerdict
    reason: Reason | None = None
    first: FileReport | None = None  # of a repeat: what became of the file when it came first


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Decides in one transaction; the feed is locked until it ends."""

    work: Work
    descriptor: Descriptor
    judge: Judge

    def before_content(self, offer: Offer) -> Stop | None:
        """What the bytes alone tell; None: the content is to be read."""
        fault = trigger_fault(offer, self.descriptor)
        if fault is not None:
            return _refused(fault)
        assert isinstance(offer.trigger, Trigger)
        if self.work.feeds.lock(self.descriptor.name).paused:
            text = "an operator holds the connector: `integrationhub connector resume` lets it go on"
            return Stop(verdict=FileVerdict.HELD, reason=Reason(code=PAUSED, text=text))
        known = self.work.deliveries.accepted_as(self.descriptor.name, offer.name)
        if known:
            return self._repeat(known, offer.sha256, "its name was taken before, by other content")
        return self._damage(offer, offer.trigger)

    def of_content(self, facts: FileFacts, file: FileInHand, book: Book) -> Stop | Admission:
        """What the content tells, once it was read."""
        if facts.structure is not None:
            return _refused(facts.structure)
        rules = self.judge if isinstance(self.judge, FileRules) else FileRules()
        repeated = rules.repeats(facts, file, book)
        if repeated is not None:
            return self._stopped(repeated)
        early = self._number(facts, file.sha256)
        if early is not None:
            return early
        admitted = rules.admit(facts, file, book)
        if isinstance(admitted, Refusal):
            return self._stopped(admitted)
        return admitted if facts.control is None else _refused(facts.control)

    def may_go(self, delivery: Delivery) -> bool:
        """Whether a held file need not wait any longer."""
        if self.work.feeds.get(self.descriptor.name).paused:
            return False
        return delivery.sequence is None or delivery.sequence <= self.expected(delivery.series or "", delivery.sequence)

    def expected(self, series: str, offered: int) -> int:
        """The next number of a series; the one that is offered where it may begin with any."""
        last = self.work.accounts.last_in_series(self.descriptor.name, series)
        if last is None:
            last = self.work.feeds.get(self.descriptor.name).last_sequence
        if last is not None:
            return last + 1
        first = self.descriptor.delivery.first_sequence
        return first if isinstance(first, int) else offered

    def _damage(self, offer: Offer, trigger: Trigger) -> Stop | None:
        codes = self.descriptor.delivery.codes
        assert self.descriptor.units is not None
        if offer.size != trigger.size:
            text = f"the data file has {offer.size} bytes, its trigger file says {trigger.size}"
            return _refused(Reason(code=codes.size, text=text, field="BYTES"))
        if offer.sha256 != trigger.sha256:
            text = "the data file's SHA-256 is not the one in its trigger file"
            return _refused(Reason(code=codes.hash, text=text, field="SHA256"))
        if not offer.size:
            return _refused(Reason(code=self.descriptor.units.codes.empty, text="the data file has no bytes"))
        return None

    def _number(self, facts: FileFacts, sha256: str) -> Stop | None:
        """What the number of the file within its series tells (§8)."""
        if facts.sequence is None:
            return None
        assert self.descriptor.units is not None
        number, codes = facts.sequence, self.descriptor.units.codes
        expected = self.expected(facts.series, number)
        if number == expected:
            return None
        if number > expected:
            text = f"number {expected} is missing: this file is kept and taken up by itself once that one is accepted"
            return Stop(verdict=FileVerdict.HELD, reason=Reason(code=codes.gap, text=text))
        known = self.work.deliveries.accepted_in(self.descriptor.name, facts.series, number)
        return self._repeat([known] if known else [], sha256, f"number {number} is used up, by other content")

    def _repeat(self, known: list[Delivery], sha256: str, otherwise: str) -> Stop:
        same = next((delivery for delivery in known if delivery.sha256 == sha256), None)
        if same is None:
            assert self.descriptor.units is not None
            return _refused(Reason(code=self.descriptor.units.codes.reused, text=otherwise))
        text = "the file was accepted before; nothing changes"
        first = FileReport.from_dict(same.report) if same.report else None
        code = self.descriptor.delivery.codes.repeated
        return Stop(verdict=FileVerdict.DUPLICATE, reason=Reason(code=code, text=text), first=first)

    def _stopped(self, refusal: Refusal) -> Stop:
        verdicts = {Fate.DUPLICATE: FileVerdict.DUPLICATE, Fate.HELD: FileVerdict.HELD}
        return Stop(verdict=verdicts.get(refusal.fate, FileVerdict.REJECTED), reason=refusal.reason)


def trigger_fault(offer: Offer, descriptor: Descriptor) -> Reason | None:
    """Why trigger file and name don't fit together; None if they do."""
    trigger, code = offer.trigger, descriptor.delivery.codes.trigger
    if isinstance(trigger, Reason):
        return trigger
    if descriptor.delivery.kind_of(offer.name) is None:
        return Reason(code=code, text="the file's name is not of a form that the connector's descriptor gives")
    if trigger.file != offer.name:
        return Reason(code=code, text="FILE in the trigger file is not the data file's name", field="FILE")
    return None


def _refused(reason: Reason) -> Stop:
    return Stop(verdict=FileVerdict.REJECTED, reason=reason)
