"""The published schemas of events are true of the events that are sent."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

from docs.generate.events import PROPERTIES, asyncapi, schema
from integrationhub.publish.cloudevents import FIELDS, allowed_fields, audiences, body, event_id, event_source

SAMPLES: dict[str, object] = {
    "amount_pence": -100, "balance_pence": None, "changed": ["status"], "first_date": None, "frequency": "WEEKLY",
    "instalment_pence": 500, "to": None, "from": "2026-03-02", "value_date": "2026-03-02",
    "effective_date": "2026-03-02",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sent:
    type: str
    audience: str
    data: str
    source: str = event_source("live", "bank-statements")
    subject: str = "DM0010000017"
    sequence: int = 3
    correlation_id: str = "delivery"
    time: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    traceparent: str | None = None

    @property
    def event_id(self) -> str:
        return event_id(self.type, self.subject, self.audience, self.correlation_id)


@pytest.mark.parametrize("kind", FIELDS)
def test_every_event_fits_the_schema_of_its_type(kind: str) -> None:
    for audience in audiences(kind, load=False):
        data = {name: SAMPLES.get(name, "x") for name in allowed_fields(kind, audience)}
        sent = json.loads(body(Sent(type=kind, audience=audience, data=json.dumps(data))))
        Draft202012Validator(schema(kind)).validate(sent)
        with pytest.raises(ValidationError):
            Draft202012Validator(schema(kind)).validate(sent | {"data": data | {"surname": "x"}})


def test_every_field_of_every_type_is_described_and_no_other() -> None:
    assert set(PROPERTIES) == set().union(*FIELDS.values())


def test_the_asyncapi_document_leads_from_every_routing_key_to_its_schema() -> None:
    told = json.loads(asyncapi())
    messages = told["components"]["messages"]
    for key, channel in told["channels"].items():
        (kind,) = channel["messages"]
        assert key.endswith(kind)
        assert messages[kind]["payload"] == {"$ref": f"schemas/events/{kind}.json"}
    assert set(messages) == set(FIELDS)
