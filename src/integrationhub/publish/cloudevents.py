"""Bodies of the events that the hub publishes: CloudEvents 1.0, structured JSON (CNCF CloudEvents JSON format 1.0).

Source: outbound-events.md. What is here is pure: which types there are, what their data may hold, who may see them. A
field that is not in the table is refused, whoever put it there: this is the last place before the data leaves.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import InvariantBroken
from integrationhub.publish.traces import continued

TYPE_PREFIX = "uk.example.debt."
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

INTERNAL = "internal"
FINANCE = "finance"
PAYING_PARENT = "paying-parent"
RECEIVING_PARENT = "receiving-parent"

_DEBT = frozenset({"debt_ref", "source_system", "type", "benefit", "status", "balance_pence"})
_HOLD = frozenset({"debt_ref", "code", "from", "to"})

FIELDS: Mapping[str, frozenset[str]] = {
    "debt.created": _DEBT,
    "debt.changed": _DEBT | {"changed"},
    "debt.cleared": frozenset({"debt_ref"}),
    "debt.removed": frozenset({"debt_ref", "balance_pence"}),
    "receipt.posted": frozenset({"receipt_id", "debt_ref", "case_ref", "source", "amount_pence", "value_date"}),
    "receipt.reversed": frozenset({"receipt_id", "debt_ref", "amount_pence", "value_date"}),
    "receipt.suspended": frozenset({"receipt_id", "source", "amount_pence", "value_date", "reason"}),
    "hold.set": _HOLD,
    "hold.ended": _HOLD,
    "plan.offered": frozenset({"debt_ref", "instalment_pence", "frequency", "first_date"}),
    "mandate.changed": frozenset({"debt_ref", "mandate_status"}),
    "life-event.received": frozenset({"event_ref", "kind", "status", "effective_date"}),
    "identity.changed": frozenset({"debt_ref", "nino_status"}),
    "case.transferred": frozenset({"old_ref", "new_ref", "group_ref"}),
    "worklist.opened": frozenset({"worklist_id", "feed", "reason"}),
}
"""Event types without prefix, and the data fields each may hold."""

_PARENT_RECEIPT = frozenset({"case_ref", "amount_pence", "value_date"})

RESTRICTED: Mapping[tuple[str, str], frozenset[str]] = {
    ("receipt.posted", FINANCE): FIELDS["receipt.posted"] - {"case_ref"},
    ("receipt.posted", PAYING_PARENT): _PARENT_RECEIPT,
    ("receipt.posted", RECEIVING_PARENT): _PARENT_RECEIPT,
}
"""Where an audience may see less than the type holds: finance no case detail, a parent the receipt's bare facts."""

PARENT_TYPES: Mapping[str, tuple[str, ...]] = {
    "case.transferred": (PAYING_PARENT, RECEIVING_PARENT),
    "receipt.posted": (PAYING_PARENT, RECEIVING_PARENT),
    # A liability and a hold are the paying parent's own; they say nothing that the other parent may learn.
    "debt.changed": (PAYING_PARENT,),
    "hold.set": (PAYING_PARENT,),
}
"""The only types that a parent's audience may get."""

_NINO = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Da-d](?![A-Za-z0-9])")


class Event(Protocol):
    """A committed event, as the outbox keeps it: its row's columns."""

    @property
    def event_id(self) -> str:
        """32 hexadecimal digits, the same each time the event is sent."""

    @property
    def type(self) -> str:
        """One of FIELDS, without prefix."""

    @property
    def source(self) -> str:
        """See `event_source`."""

    @property
    def subject(self) -> str:
        """A debt, case or event reference that is not personal."""

    @property
    def audience(self) -> str:
        """One of `audiences(type)`."""

    @property
    def sequence(self) -> int:
        """1, 2, 3 … per subject and audience."""

    @property
    def correlation_id(self) -> str:
        """The delivery that caused the event."""

    @property
    def data(self) -> str:
        """A JSON object."""

    @property
    def time(self) -> datetime:
        """When the change was committed."""

    @property
    def traceparent(self) -> str | None:
        """The trace context that came with the delivery (W3C), where one did."""


def event_source(environment: str, feed: str) -> str:
    """The CloudEvents source: source + id is the consumers' de-duplication key."""
    return f"/hub/{environment}/{feed}"


def event_id(kind: str, subject: str, audience: str, delivery_id: str, *parts: object) -> str:
    """The identifier of one event. `parts` tell apart several of one type about one subject from one delivery."""
    return derive("event", kind, subject, audience, delivery_id, *parts)


def routing_key(audience: str, kind: str) -> str:
    """E.g. `internal.debt.changed`."""
    return f"{audience}.{kind}"


def audiences(
    kind: str, *, child_maintenance: bool = True, load: bool = True, on_hold: bool = False
) -> tuple[str, ...]:
    """Who may see an event of this type; each gets an event of its own.

    Nothing goes to a parent from a load or a transfer step, during a hold, or about another kind of debt.
    """
    _require_known(kind)
    seen_by = (INTERNAL, FINANCE) if kind.startswith("receipt.") else (INTERNAL,)
    parents = () if load or on_hold or not child_maintenance else PARENT_TYPES.get(kind, ())
    return seen_by + parents


def allowed_fields(kind: str, audience: str) -> frozenset[str]:
    """The data fields that this audience may see of this type; InvariantBroken when it may not see the type at all."""
    _require_known(kind)
    if audience not in audiences(kind, load=False):
        raise InvariantBroken(
            f"an event of type {kind} must not go to the audience {audience}",
            code="EVENT_AUDIENCE",
            remedy="the rule that made the event gives it the audiences of `publish.cloudevents.audiences`",
        )
    return RESTRICTED.get((kind, audience), FIELDS[kind])


def _require_known(kind: str) -> None:
    if kind not in FIELDS:
        raise InvariantBroken(f"there is no event type {kind}", code="EVENT_TYPE")


def cloudevents_id(event: Event) -> str:
    """The event's identifier as a UUID: the same digits, so that either form finds the event."""
    return str(UUID(hex=event.event_id))


def body(event: Event) -> bytes:
    """The event as it is sent; InvariantBroken where it holds what its audience may not see."""
    data = json.loads(event.data)
    _check(event, data)
    envelope = {
        "specversion": "1.0",
        "id": cloudevents_id(event),
        "source": event.source,
        "type": TYPE_PREFIX + event.type,
        "subject": event.subject,
        "time": _rfc3339(event.time),
        "datacontenttype": "application/json",
        "dataschema": f"urn:example:hub:{event.type}:1",
        "audience": event.audience,
        "correlationid": event.correlation_id,
        "sequence": f"{event.sequence:010d}",
        **trace_of(event),
        "data": data,
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def trace_of(event: Event) -> Mapping[str, str]:
    """The trace context as it goes on: headers, and CloudEvents' extension for distributed tracing."""
    return continued(event.traceparent, event_id=event.event_id)


def _check(event: Event, data: Mapping[str, object]) -> None:
    alien = sorted(data.keys() - allowed_fields(event.type, event.audience))
    if alien:
        raise InvariantBroken(
            f"event {event.event_id} of type {event.type} for {event.audience} holds fields that are not in the table "
            f"of outbound events: {', '.join(alien)}",
            code="EVENT_FIELD",
            remedy="the event is not sent; correct the rule that fills it",
        )
    inexact = sorted(name for name, value in data.items() if name.endswith("_pence") and not _is_pence(value))
    if inexact:
        raise InvariantBroken(
            f"event {event.event_id} of type {event.type}: not whole pence: {', '.join(inexact)}", code="EVENT_AMOUNT"
        )
    if _NINO.search(event.subject):
        raise InvariantBroken(
            f"the subject of event {event.event_id} is a personal reference",
            code="EVENT_SUBJECT",
            remedy="use the hub's opaque identifier",
        )


def _is_pence(value: object) -> bool:
    return value is None or type(value) is int  # bool is an int too


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
