"""The events that the hub publishes: a page, a JSON Schema a type, and an AsyncAPI 3.0 document for consumers."""

import json
from collections.abc import Mapping
from typing import Any

from docs.generate.tables import document, table
from integrationhub.publish.cloudevents import (
    CONTENT_TYPE,
    FIELDS,
    TYPE_PREFIX,
    allowed_fields,
    audiences,
    routing_key,
)
from integrationhub.sdk.transport import EVENTS_EXCHANGE

INTRODUCTION = """\
Every committed change is told by [CloudEvents 1.0](https://cloudevents.io) in structured mode on the topic exchange
`{exchange}`, persistent and confirmed, at least once, in order per subject and audience. `source` and `id` together
tell repeats. An event goes to an audience of its own: what an audience may not see is not in its events, and an event
that holds anything else is never sent. Consumers find each type's JSON Schema in [schemas/events/](schemas/events/) and
the whole as AsyncAPI in [asyncapi.json](asyncapi.json)."""

_DATE = {"type": "string", "format": "date"}
_OPEN_DATE = {"type": ["string", "null"], "format": "date"}
_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}

PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "amount_pence": {"type": "integer", "description": "pence; negative where money goes back"},
    "balance_pence": {"type": ["integer", "null"], "description": "pence"},
    "benefit": {**_MAYBE, "description": "benefit code, where the debt has one"},
    "case_ref": {**_TEXT, "description": "child maintenance case; opaque where its own reference is personal"},
    "changed": {"type": "array", "items": {"type": "string"}, "description": "names of the changed fields"},
    "code": {**_TEXT, "description": "kind of hold"},
    "debt_ref": {**_TEXT, "description": "reference of the debt, never personal"},
    "effective_date": _DATE,
    "event_ref": {**_TEXT, "description": "opaque reference of the life event"},
    "feed": {**_TEXT, "description": "connector"},
    "first_date": _OPEN_DATE,
    "frequency": {"type": "string", "enum": ["WEEKLY", "FORTNIGHTLY", "FOUR_WEEKLY", "MONTHLY"]},
    "from": _DATE,
    "group_ref": {**_TEXT, "description": "opaque reference of the case group"},
    "instalment_pence": {"type": "integer", "description": "pence"},
    "kind": _TEXT,
    "mandate_status": _TEXT,
    "new_ref": _TEXT,
    "nino_status": _TEXT,
    "old_ref": _TEXT,
    "reason": {**_TEXT, "description": "reason code"},
    "receipt_id": {**_TEXT, "description": "opaque identifier of the receipt"},
    "source": {**_TEXT, "description": "where the money came from"},
    "source_system": _TEXT,
    "status": _TEXT,
    "to": _OPEN_DATE,
    "type": {**_TEXT, "description": "kind of debt"},
    "value_date": _DATE,
    "worklist_id": {**_TEXT, "description": "opaque identifier of the worklist item"},
}
"""JSON Schema of each data field that a type may hold."""


def page() -> str:
    """Every type, its audiences and what each may see."""
    rows = [
        (f"`{TYPE_PREFIX}{kind}`", audience, ", ".join(f"`{name}`" for name in sorted(allowed_fields(kind, audience))))
        for kind in FIELDS
        for audience in audiences(kind, load=False)
    ]
    return document(
        "# Events", INTRODUCTION.format(exchange=EVENTS_EXCHANGE), table(("type", "audience", "data it may hold"), rows)
    )


def schemas() -> dict[str, str]:
    """File name → JSON Schema of one type's event."""
    return {f"schemas/events/{kind}.json": _text(schema(kind)) for kind in FIELDS}


def schema(kind: str) -> Mapping[str, Any]:
    """The JSON Schema of a whole event of this type."""
    audience = {"type": "string", "enum": list(audiences(kind, load=False))}
    attributes: dict[str, Any] = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid"},
        "source": {"type": "string", "pattern": "^/hub/[^/]+/[^/]+$"},
        "type": {"const": TYPE_PREFIX + kind},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": f"urn:example:hub:{kind}:1"},
        "audience": audience,
        "correlationid": {"type": "string"},
        "sequence": {"type": "string", "pattern": "^[0-9]{10}$"},
        "traceparent": {"type": "string"},
        "data": {
            "type": "object",
            "properties": {name: PROPERTIES[name] for name in sorted(FIELDS[kind])},
            "additionalProperties": False,
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:example:hub:{kind}:1",
        "title": kind,
        "type": "object",
        "properties": attributes,
        "required": [name for name in attributes if name != "traceparent"],
        "additionalProperties": False,
    }


def asyncapi() -> str:
    """The AsyncAPI document: one channel for each audience and type."""
    channels, operations = {}, {}
    for kind in FIELDS:
        for audience in audiences(kind, load=False):
            key = routing_key(audience, kind)
            channels[key] = {
                "address": key,
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
                "bindings": {"amqp": {"is": "routingKey", "exchange": {"name": EVENTS_EXCHANGE, "type": "topic"}}},
            }
            operations[f"send {key}"] = {"action": "send", "channel": {"$ref": f"#/channels/{key}"}}
    messages = {
        kind: {"name": kind, "contentType": CONTENT_TYPE, "payload": {"$ref": f"schemas/events/{kind}.json"}}
        for kind in FIELDS
    }
    return _text(
        {
            "asyncapi": "3.0.0",
            "info": {"title": "Integration Hub events", "version": "1"},
            "defaultContentType": CONTENT_TYPE,
            "channels": channels,
            "operations": operations,
            "components": {"messages": messages},
        }
    )


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
