"""csa1993.md §1.1, R01–R06: the order of the checks, and what stops, holds or repeats a feed."""

from dataclasses import replace
from datetime import date

import pytest

from integrationhub.receive.acceptance import FEED_STOPPED, Decision, FeedState, HeaderFacts, Offer, Verdict, decide
from integrationhub.receive.trigger import Trigger
from integrationhub.records import Reason
from integrationhub.sdk.descriptor import DeliveryCodes

CODES = DeliveryCodes(trigger="R01", repeated="R05", reused="R06", gap="R04", size="R02", hash="R03")
AS_AT = date(2015, 6, 30)
SHA, OTHER = "a" * 64, "b" * 64


def offer(sequence: int = 102, *, size: int = 10, sha256: str = SHA) -> Offer:
    name = f"CSCS.NIGHTLY.D20150701.S{sequence:06}.dat"
    trigger = Trigger(file=name, size=10, sha256=sha256, sequence=sequence, records=2, as_at=AS_AT)
    header = HeaderFacts(sequence=sequence, as_at=AS_AT)
    return Offer(name=name, sequence=sequence, size=size, sha256=sha256, trigger=trigger, header=header)


def verdict(item: Offer, feed: FeedState) -> tuple[str, str | None]:
    decision = decide(item, feed, codes=CODES)
    return decision.verdict.value, decision.reason.code if decision.reason else None


AFTER_101 = FeedState(last_sequence=101, accepted={101: OTHER})


def test_a_feed_without_history_starts_with_any_number() -> None:
    assert decide(offer(734), FeedState(), codes=CODES) == Decision(verdict=Verdict.PROCEED)


def test_a_feed_with_a_configured_first_number_waits_for_it() -> None:
    decision = decide(offer(2), FeedState(), codes=CODES, first_sequence=1)
    assert (decision.verdict, decision.reason and decision.reason.code) == (Verdict.HELD, "R04")


@pytest.mark.parametrize(
    ("item", "feed", "expected"),
    [
        (offer(102), AFTER_101, ("PROCEED", None)),
        (offer(103), AFTER_101, ("HELD", "R04")),
        (offer(101, sha256=OTHER), AFTER_101, ("DUPLICATE", "R05")),
        (offer(101), AFTER_101, ("REJECTED", "R06")),
        (offer(99), AFTER_101, ("REJECTED", "R06")),
        (offer(102, size=11), AFTER_101, ("REJECTED", "R02")),
        (replace(offer(102), sha256=OTHER), AFTER_101, ("REJECTED", "R03")),
    ],
)
def test_sequence_size_and_hash_are_judged(item: Offer, feed: FeedState, expected: tuple[str, str | None]) -> None:
    assert verdict(item, feed) == expected


@pytest.mark.parametrize(
    "item",
    [
        replace(offer(), trigger=Reason(code="R01", text="unreadable")),
        replace(offer(), sequence=None),
        replace(offer(), name="CSCS.NIGHTLY.D20150701.S000999.dat"),
        replace(offer(), header=HeaderFacts(sequence=7, as_at=AS_AT)),
        replace(offer(), header=HeaderFacts(sequence=102, as_at=date(2015, 6, 29))),
        replace(offer(), header=HeaderFacts(sequence=102, as_at=None)),
    ],
)
def test_a_trigger_that_disagrees_with_name_or_header_is_refused(item: Offer) -> None:
    assert verdict(item, AFTER_101) == ("REJECTED", "R01")


def test_a_trigger_whose_sequence_is_another_one_is_refused() -> None:
    item = offer()
    assert isinstance(item.trigger, Trigger)
    assert verdict(replace(item, trigger=replace(item.trigger, sequence=101)), AFTER_101) == ("REJECTED", "R01")


def test_the_first_failing_check_in_the_documents_order_is_reported() -> None:
    bad_size_and_hash = replace(offer(103, size=11), sha256=OTHER)
    assert verdict(bad_size_and_hash, AFTER_101) == ("HELD", "R04")
    assert verdict(replace(bad_size_and_hash, sequence=None), AFTER_101) == ("REJECTED", "R01")
    assert verdict(replace(offer(102, size=11), sha256=OTHER), AFTER_101) == ("REJECTED", "R02")
    assert verdict(replace(offer(101, size=11), sha256=OTHER), AFTER_101) == ("DUPLICATE", "R05")


def test_a_stopped_feed_holds_later_numbers_and_takes_the_refused_one() -> None:
    stopped = replace(AFTER_101, stopped_sequence=102, stopped_code="R03")
    assert verdict(offer(103), stopped) == ("HELD", FEED_STOPPED)
    assert verdict(offer(102), stopped) == ("PROCEED", None)
    assert verdict(offer(101, sha256=OTHER), stopped) == ("DUPLICATE", "R05")


def test_a_feed_whose_very_first_file_was_refused_holds_later_numbers_too() -> None:
    stopped = FeedState(stopped_sequence=101, stopped_code="R12")
    assert verdict(offer(102), stopped) == ("HELD", FEED_STOPPED)
    assert verdict(offer(101), stopped) == ("PROCEED", None)
