"""Trace context, from a message in to the events out."""

import pytest

from integrationhub.publish.traces import continued

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CAME = f"00-{TRACE}-00f067aa0ba902b7-01"
EVENT = "00112233445566778899aabbccddeeff"


def test_an_event_stays_in_the_trace_of_its_cause_with_a_span_of_its_own() -> None:
    assert continued(CAME, event_id=EVENT) == {"traceparent": f"00-{TRACE}-0011223344556677-01"}


def test_the_same_event_has_the_same_context_again() -> None:
    assert continued(CAME, event_id=EVENT) == continued(CAME, event_id=EVENT)


@pytest.mark.parametrize(
    "wrong",
    ["", "nonsense", CAME.upper(), f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{CAME[3:]}"],
)
def test_a_context_that_is_not_valid_is_as_good_as_none(wrong: str) -> None:
    assert continued(wrong, event_id=EVENT) == {}


def test_without_a_context_nothing_is_made_up() -> None:
    assert continued(None, event_id=EVENT) == {}


def test_an_event_whose_id_begins_with_zeros_has_a_valid_span_all_the_same() -> None:
    assert continued(CAME, event_id="0" * 16 + "f" * 16) == {"traceparent": f"00-{TRACE}-0000000000000001-01"}
