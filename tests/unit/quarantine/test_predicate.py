"""`--where`: parsed, all faults at once, nothing evaluated."""

from datetime import UTC, datetime, timedelta

import pytest

from integrationhub.errors import ConfigurationError
from integrationhub.quarantine.predicate import FieldTerm, parse
from integrationhub.store.quarantine import QuarantineFilter, QuarantineState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_terms_become_a_filter_of_open_items() -> None:
    assert parse("connector=csa2003 code=EV older-than=2d", now=NOW).chosen == QuarantineFilter(
        connector="csa2003", code="EV", state="OPEN", until=NOW - timedelta(days=2)
    )


def test_state_and_kind_may_be_written_small_and_values_in_quotation_marks() -> None:
    parsed = parse("state=discarded kind=file label='with care' newer-than=90m", now=NOW)
    assert parsed.chosen == QuarantineFilter(
        state="DISCARDED", kind="FILE", label="with care", since=NOW - timedelta(minutes=90)
    )


def test_a_field_is_compared_in_the_body_that_is_fetched_only_then() -> None:
    parsed = parse("field:Event.@seq=number field:Event.x=absent", now=NOW)
    assert parsed.fields == (FieldTerm(path="Event.@seq", shape="number"), FieldTerm(path="Event.x", shape="absent"))
    assert parsed.holds(lambda: b'<Event seq="4"/>')
    assert not parsed.holds(lambda: b'<Event seq="four"/>')
    assert not parsed.holds(lambda: b'<Event seq="4"><x/></Event>')
    assert parse("code=EV", now=NOW).holds(lambda: pytest.fail("the body was fetched"))


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse("code colour=red older-than=soon state=GONE code=A code=B __import__('os')=1", now=NOW)
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "code", "colour", "older-than", "state", "code", "__import__(os)",
    ]  # fmt: skip
    assert refused.value.exit_code == 2


def test_of_a_body_that_cannot_be_taken_apart_no_field_is_known_to_be_absent() -> None:
    assert not parse("field:debt.id=absent", now=NOW).holds(lambda: b"\x00\xff")


def test_another_state_counts_where_the_text_names_none() -> None:
    discarded = QuarantineState.DISCARDED
    assert parse("field:my.state=text", now=NOW, state=discarded).chosen.state == "DISCARDED"
    assert parse("code=A state=OPEN", now=NOW, state=discarded).chosen.state == "OPEN"


@pytest.mark.parametrize("text", ["", "   ", "code='EV", "older-than=2d older-than=3d"])
def test_what_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(text, now=NOW)
