"""Is this file the next one of its feed, a repeat, early, or wrong? A pure decision, no reading, no writing.

Source: csa1993.md §1.1. The checks run in the document's order, R01, R05/R06, R04, R02, R03, and the first that fails
is the one reported; their codes come from the connector's descriptor. What stops a feed holds every later sequence
number until the refused number comes again in good order, or an operator passes over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from integrationhub.receive.trigger import Trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import DeliveryCodes

FEED_STOPPED = "FEED_STOPPED"
"""Code of a file that waits behind a refused one."""

PAUSED = "PAUSED"
"""Code of a file that waits because an operator holds the connector."""


class Verdict(StrEnum):
    """What becomes of a file; PROCEED goes on to the checks of its content."""

    PROCEED = "PROCEED"
    DUPLICATE = "DUPLICATE"
    HELD = "HELD"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is known of a feed: the numbers it has used up, whether it stands still, whether an operator holds it.

    `accepted` maps sequence numbers to the SHA-256 of the accepted bytes, at least for the number that is offered.
    """

    last_sequence: int | None = None
    accepted: Mapping[int, str] = field(default_factory=dict)
    stopped_sequence: int | None = None
    stopped_code: str | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    """What the first record of the file says of itself, and its byte offset; None for what can't be read there."""

    offset: int | None = None
    sequence: int | None = None
    as_at: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A file that somebody handed over, measured: name, sequence number in the name, bytes, hash, trigger, header."""

    name: str
    sequence: int | None
    size: int
    sha256: str
    trigger: Trigger | Reason
    header: HeaderFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict, and the reason where it isn't PROCEED."""

    verdict: Verdict
    reason: Reason | None = None


def decide(offer: Offer, feed: FeedState, *, codes: DeliveryCodes, first_sequence: int | None = None) -> Decision:
    """What becomes of `offer` in a feed that stands at `feed`; the same arguments give the same decision.

    `first_sequence` is the number a feed without history begins with; None means any.
    """
    fault = _trigger_fault(offer, code=codes.trigger)
    if fault is not None:
        return Decision(verdict=Verdict.REJECTED, reason=fault)
    assert offer.sequence is not None  # _trigger_fault refuses names without one
    return _in_sequence(offer, offer.sequence, feed, codes, first_sequence)


def _in_sequence(
    offer: Offer, sequence: int, feed: FeedState, codes: DeliveryCodes, first_sequence: int | None
) -> Decision:
    """What becomes of an offer whose trigger, name and header agree."""
    used = _already_used(offer, sequence, feed, codes)
    if used is not None:
        return used
    waiting = must_wait(sequence, feed, first_sequence, codes)
    if waiting is not None:
        return Decision(verdict=Verdict.HELD, reason=waiting)
    damage = _transfer_fault(offer, codes)
    return Decision(verdict=Verdict.REJECTED if damage else Verdict.PROCEED, reason=damage)


def _transfer_fault(offer: Offer, codes: DeliveryCodes) -> Reason | None:
    """Why the bytes are not the ones that the trigger file speaks of."""
    assert isinstance(offer.trigger, Trigger)
    if offer.size != offer.trigger.size:
        text = f"the data file has {offer.size} bytes, its trigger file says {offer.trigger.size}"
        return Reason(code=codes.size, text=text, field="BYTES")
    if offer.sha256 != offer.trigger.sha256:
        text = "the data file's SHA-256 is not the one in its trigger file"
        return Reason(code=codes.hash, text=text, field="SHA256")
    return None


def _trigger_fault(offer: Offer, *, code: str) -> Reason | None:
    """Why trigger, name and header don't fit together; None if they do."""
    trigger = offer.trigger
    if isinstance(trigger, Reason):
        return trigger
    field, text = None, None
    if offer.sequence is None:
        text = "the file's name is not of the form that the connector's descriptor gives"
    elif trigger.file != offer.name:
        field, text = "FILE", "FILE in the trigger file is not the data file's name"
    elif trigger.sequence is not None and trigger.sequence != offer.sequence:
        field, text = "SEQUENCE", "SEQUENCE in the trigger file is not the one in the file's name"
    if text is not None:
        return Reason(code=code, text=text, field=field)
    return _header_fault(offer, trigger, code=code)


def _header_fault(offer: Offer, trigger: Trigger, *, code: str) -> Reason | None:
    """Why the header says otherwise than name and trigger; None if it doesn't, or there is none to compare with."""
    header = offer.header
    if header is None:
        return None
    if header.sequence is not None and header.sequence != offer.sequence:
        text = "the header's sequence is not the one in the file's name"
        return Reason(code=code, text=text, record=1, offset=header.offset, field="SEQUENCE")
    if trigger.as_at is not None and header.as_at != trigger.as_at:
        text = "ASAT in the trigger file is not the header's as-at date"
        return Reason(code=code, text=text, record=1, offset=header.offset, field="ASAT")
    return None


def _already_used(offer: Offer, sequence: int, feed: FeedState, codes: DeliveryCodes) -> Decision | None:
    """DUPLICATE or REJECTED when the number is used up."""
    if feed.last_sequence is None or sequence > feed.last_sequence:
        return None
    if feed.accepted.get(sequence) == offer.sha256:
        text = f"sequence {sequence} was accepted before with the same bytes; nothing changes"
        return Decision(verdict=Verdict.DUPLICATE, reason=Reason(code=codes.repeated, text=text))
    text = f"sequence {sequence} is used up (last accepted: {feed.last_sequence}) and its bytes were other ones"
    return Decision(verdict=Verdict.REJECTED, reason=Reason(code=codes.reused, text=text))


def must_wait(sequence: int, feed: FeedState, first_sequence: int | None, codes: DeliveryCodes) -> Reason | None:
    """What a file waits for: an operator, the refused number that stopped the feed, a missing one; None: nothing."""
    if feed.paused:
        return Reason(
            code=PAUSED, text="an operator holds the connector: `integrationhub connector resume` lets it go on"
        )
    if feed.stopped_sequence is not None and sequence > feed.stopped_sequence:
        text = (
            f"the feed stands still since sequence {feed.stopped_sequence} was refused ({feed.stopped_code}): deliver "
            f"it corrected, or pass over it with `integrationhub connector resume`"
        )
        return Reason(code=FEED_STOPPED, text=text)
    expected = first_sequence if feed.last_sequence is None else feed.last_sequence + 1
    if expected is not None and sequence > expected:
        text = f"sequence {expected} is missing: this file is kept and taken up by itself once that one is accepted"
        return Reason(code=codes.gap, text=text)
    return None
