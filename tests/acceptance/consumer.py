"""A consumer of the hub's events that knows nothing of its code: plain pika, its own queue, the document's words."""

import json
import re
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import pika  # type: ignore[import-untyped]

EXCHANGE = "hub.events"
QUEUE = "somebody-elses-queue"
TYPE_PREFIX = "uk.example.debt."
ATTRIBUTES = {
    "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
    "audience", "correlationid", "sequence", "data",
}  # fmt: skip
DATA = {
    "debt.created": {"debt_ref", "source_system", "type", "benefit", "status", "balance_pence"},
    "debt.changed": {"debt_ref", "source_system", "type", "benefit", "status", "balance_pence", "changed"},
    "debt.removed": {"debt_ref", "balance_pence"},
    "worklist.opened": {"worklist_id", "feed", "reason"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it came from the broker."""

    routing_key: str
    body: bytes
    properties: Any

    @property
    def event(self) -> dict[str, Any]:
        """Its body."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def everything(self) -> str:
        """All that somebody can read of it."""
        return f"{self.routing_key}\n{self.body.decode()}\n{vars(self.properties)}"


class Consumer:
    """Bound to every event from the moment the block is entered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.messages: list[Message] = []

    def __enter__(self) -> Self:
        self._connection = pika.BlockingConnection(pika.URLParameters(self._url))
        self._channel = self._connection.channel()
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True)
        self._channel.queue_declare(QUEUE, durable=True)
        self._channel.queue_bind(QUEUE, EXCHANGE, "#")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def take(self) -> list[Message]:
        """Whatever has come since the last time; kept in `messages`, too."""
        found: list[Message] = []
        while True:
            method, properties, body = self._channel.basic_get(QUEUE, auto_ack=True)
            if method is None:
                self.messages += found
                return found
            found.append(Message(routing_key=method.routing_key, body=body, properties=properties))

    def take_until_quiet(self, seconds: float = 1.0) -> list[Message]:
        """Everything, until nothing has come for a while."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < seconds:
            if self.take():
                quiet_since = time.monotonic()
            self._connection.sleep(0.05)
        return self.messages

    @property
    def distinct(self) -> list[Message]:
        """Without repeats, as the document tells consumers to see them: by source and id."""
        seen: dict[tuple[str, str], Message] = {}
        for message in self.messages:
            seen.setdefault((message.event["source"], message.event["id"]), message)
        return list(seen.values())


def check_message(message: Message, *, environment: str = "local", feed: str = "csa1993") -> None:
    """Everything that outbound-events.md says of one message."""
    event, properties = message.event, message.properties
    kind = event["type"].removeprefix(TYPE_PREFIX)
    assert event.keys() == ATTRIBUTES
    assert event["specversion"] == "1.0"
    assert str(uuid.UUID(event["id"])) == event["id"]
    assert event["source"] == f"/hub/{environment}/{feed}"
    assert event["type"] == TYPE_PREFIX + kind
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"])
    assert datetime.fromisoformat(event["time"]).utcoffset() == timedelta(0)
    assert event["datacontenttype"] == "application/json"
    assert event["dataschema"] == f"urn:example:hub:{kind}:1"
    assert event["audience"] == "internal"
    assert event["correlationid"]
    assert re.fullmatch(r"\d{10}", event["sequence"])
    assert event["data"].keys() == DATA[kind]
    assert event["subject"] in event["data"].values()
    assert type(event["data"].get("balance_pence", 0)) is int
    assert message.routing_key == f"internal.{kind}"
    assert properties.content_type == "application/cloudevents+json; charset=utf-8"
    assert properties.message_id == event["id"]
    assert properties.delivery_mode == pika.DeliveryMode.Persistent.value
    assert properties.headers == {"ce-type": event["type"], "ce-audience": "internal"}


def check_sequences(messages: list[Message]) -> None:
    """The events of each subject and audience come in order and are numbered 1, 2, 3 …"""
    numbers: dict[tuple[str, str], list[int]] = {}
    for message in messages:
        event = message.event
        numbers.setdefault((event["subject"], event["audience"]), []).append(int(event["sequence"]))
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
