"""Messages of feeds that are judged in units: checked in order, judged in batches, and each with one outcome."""

import hmac
import json
from collections.abc import Sequence
from typing import Any

import pytest

from integrationhub.bootstrap import Hub
from integrationhub.sdk.messages import Outcome
from integrationhub.sdk.transport import Incoming
from integrationhub.store.state import read_state
from tests.unit.intake.conftest import SECRET
from tests.unit.intake.toy import NOW


def message(body: bytes | dict[str, Any], **headers: object) -> Incoming:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = "sha256=" + hmac.digest(SECRET.encode(), content, "sha256").hex()
    return Incoming(
        tag=1, queue="integrationhub.toy", exchange="", routing_key="", message_id=None, body=content,
        content_type="application/json", headers={"x-signature": signature, **headers},
    )  # fmt: skip


def told(outcomes: Sequence[Outcome]) -> list[tuple[str, str | None]]:
    return [(outcome.fate.value, outcome.code) for outcome in outcomes]


def test_a_batch_is_judged_in_order_each_message_seeing_what_those_before_it_changed(hub: Hub) -> None:
    bodies: list[dict[str, Any]] = [
        {"key": "R1", "amount": 5},
        {"key": "R1", "amount": 5},
        {"key": "R2", "amount": 0},
        {"key": 3},
    ]

    outcomes = hub.taker("toy").take([message(body) for body in bodies], now=NOW)

    assert told(outcomes) == [
        ("EXCEPTION", "UNMATCHED"), ("DUPLICATE", "DUPLICATE"), ("EXCLUDED", "ZERO_AMOUNT"),
        ("REJECTED", "SCHEMA_INVALID"),
    ]  # fmt: skip
    with hub.store.read() as connection:
        state = read_state(connection, as_at=NOW.date())
    assert (state["suspense_pence"], state["suspense_count"]) == (5, 1)
    assert state["events_internal"] == {"receipt.suspended": 1, "worklist.opened": 1}


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b" " * ((1 << 20) + 1), {}, "BODY_TOO_LARGE"),
        (b"\xff", {"x-signature": "sha256=" + "0" * 64}, "SIGNATURE_INVALID"),
        (b"{}", {"x-signature": None}, "SIGNATURE_INVALID"),
        (b"\xff", {}, "ENCODING_INVALID"),
        (b"", {}, "JSON_INVALID"),
        (b"[" * 100_000, {}, "JSON_TOO_DEEP"),
        (b'{"key": "a", "key": "b"}', {}, "JSON_DUPLICATE_KEY"),
        (b"{}", {}, "SCHEMA_INVALID"),
    ],
)
def test_unusable_messages_are_refused_by_the_first_check_that_fails(
    hub: Hub, body: bytes, headers: dict[str, object], code: str
) -> None:
    assert told(hub.taker("toy").take([message(body, **headers)], now=NOW)) == [("REJECTED", code)]
