import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from integrationhub.errors import InvariantBroken
from integrationhub.publish.cloudevents import (
    FIELDS,
    allowed_fields,
    audiences,
    body,
    event_id,
    event_source,
    routing_key,
)

PARENTS = {"paying-parent", "receiving-parent"}


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    event_id: str = event_id("debt.created", "d1", "internal", "delivery-1")
    type: str = "debt.created"
    source: str = event_source("live", "csa1993")
    subject: str = "d1"
    audience: str = "internal"
    sequence: int = 7
    correlation_id: str = "delivery-1"
    data: str = '{"debt_ref": "d1", "status": "ACTIVE", "benefit": null, "balance_pence": 12345}'
    time: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    traceparent: str | None = None


def test_the_body_is_a_structured_cloudevent_with_the_documents_attributes() -> None:
    event = StoredEvent()
    assert json.loads(body(event)) == {
        "specversion": "1.0",
        "id": str(UUID(hex=event.event_id)),
        "source": "/hub/live/csa1993",
        "type": "uk.example.debt.debt.created",
        "subject": "d1",
        "time": "2026-03-02T09:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:example:hub:debt.created:1",
        "audience": "internal",
        "correlationid": "delivery-1",
        "sequence": "0000000007",
        "data": {"debt_ref": "d1", "status": "ACTIVE", "benefit": None, "balance_pence": 12345},
    }


def test_the_time_is_given_in_utc_to_the_microsecond() -> None:
    local = datetime(2026, 7, 2, 9, 0, 0, 120, tzinfo=timezone(timedelta(hours=1)))
    assert json.loads(body(replace(StoredEvent(), time=local)))["time"] == "2026-07-02T08:00:00.000120Z"


def test_the_same_change_has_the_same_id_and_another_audience_another() -> None:
    key = ("receipt.posted", "d1", "internal", "delivery-1")
    assert event_id(*key) == event_id(*key)
    others = {
        event_id(*key, "receipt-2"),
        event_id("receipt.posted", "d1", "finance", "delivery-1"),
        event_id("receipt.posted", "d2", "internal", "delivery-1"),
        event_id("receipt.posted", "d1", "internal", "delivery-2"),
        event_id("receipt.reversed", "d1", "internal", "delivery-1"),
    }
    assert len(others) == 5
    assert event_id(*key) not in others


def test_a_field_that_is_not_in_the_table_is_refused_without_its_value() -> None:
    with pytest.raises(InvariantBroken, match="surname") as raised:
        body(replace(StoredEvent(), data='{"debt_ref": "d1", "surname": "SECRETVALUE"}'))
    assert raised.value.code == "EVENT_FIELD"
    assert "SECRETVALUE" not in str(raised.value)


@pytest.mark.parametrize("amount", ["12.5", '"12"', "true", "1e3"])
def test_an_amount_that_is_not_whole_pence_is_refused(amount: str) -> None:
    with pytest.raises(InvariantBroken, match="balance_pence") as raised:
        body(replace(StoredEvent(), data=f'{{"balance_pence": {amount}}}'))
    assert raised.value.code == "EVENT_AMOUNT"


@pytest.mark.parametrize("subject", ["QQ123456C", "csa/qq 12 34 56 c", "QQ123456A-01"])
def test_a_subject_that_holds_a_national_insurance_number_is_refused_without_showing_it(subject: str) -> None:
    with pytest.raises(InvariantBroken) as raised:
        body(replace(StoredEvent(), subject=subject))
    assert raised.value.code == "EVENT_SUBJECT"
    assert subject not in str(raised.value)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(InvariantBroken, match=r"debt\.lost"):
        audiences("debt.lost")


@pytest.mark.parametrize("kind", FIELDS)
def test_a_load_reaches_no_parent(kind: str) -> None:
    assert not PARENTS & set(audiences(kind))


@pytest.mark.parametrize("kind", FIELDS)
def test_nothing_reaches_a_parent_during_a_hold_or_about_another_debt(kind: str) -> None:
    assert not PARENTS & set(audiences(kind, load=False, on_hold=True))
    assert not PARENTS & set(audiences(kind, load=False, child_maintenance=False))


def test_outside_loads_parents_see_the_documents_types_and_no_others() -> None:
    seen = {kind: PARENTS & set(audiences(kind, load=False)) for kind in FIELDS}
    assert {kind for kind, parents in seen.items() if "paying-parent" in parents} == {
        "case.transferred",
        "receipt.posted",
        "debt.changed",
        "hold.set",
    }
    assert {kind for kind, parents in seen.items() if "receiving-parent" in parents} == {
        "case.transferred",
        "receipt.posted",
    }


def test_finance_sees_receipts_and_nothing_else() -> None:
    receipts = {kind for kind in FIELDS if "finance" in audiences(kind)}
    assert receipts == {"receipt.posted", "receipt.reversed", "receipt.suspended"}
    assert "case_ref" not in allowed_fields("receipt.posted", "finance")


def test_a_parent_sees_the_bare_facts_of_a_receipt() -> None:
    for parent in PARENTS:
        assert allowed_fields("receipt.posted", parent) == {"case_ref", "amount_pence", "value_date"}


def test_a_life_event_goes_to_internal_systems_only() -> None:
    assert audiences("life-event.received", load=False) == ("internal",)
    event = replace(StoredEvent(), type="life-event.received", audience="receiving-parent", data="{}")
    with pytest.raises(InvariantBroken) as raised:
        body(event)
    assert raised.value.code == "EVENT_AUDIENCE"


def test_the_routing_key_is_audience_and_type() -> None:
    assert routing_key("internal", "debt.changed") == "internal.debt.changed"
