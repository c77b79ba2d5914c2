"""Webhooks of GOV.UK Pay as rows: one a message (gov-pay.md). Card, cardholder, e-mail and address are never read."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from integrationhub.decode.json_fields import Fields, number_of
from integrationhub.errors import RecordRejected
from integrationhub.sdk.transport import Incoming
from integrationhub.sdk.units import Options, Row

TABLE = "Webhook"
_REFUNDED = "card_payment_refunded"


class Reader:
    """Reads webhooks."""

    layout: Mapping[str, Mapping[str, pl.DataType]] = {
        TABLE: {
            "messageId": pl.String(),
            "content": pl.String(),
            "apiVersion": pl.Int64(),
            "created": pl.Int64(),
            "resourceType": pl.String(),
            "eventType": pl.String(),
            "paymentId": pl.String(),
            "provider": pl.String(),
            "reference": pl.String(),
            "description": pl.String(),
            "amount": pl.Int64(),
            "totalAmount": pl.Int64(),
            "amountSubmitted": pl.Int64(),
            "capturedDate": pl.Int64(),
            "settledDate": pl.Int64(),
        }
    }

    def read(self, message: Incoming, body: Mapping[str, Any]) -> Mapping[str, Sequence[Row]]:
        """See `UnitReader`."""
        event = Fields(body)
        resource = event.inner("resource")
        refunds, settlement = resource.maybe_inner("refund_summary"), resource.maybe_inner("settlement_summary")
        row = {
            "messageId": event.name("webhook_message_id"),
            "content": hashlib.sha256(message.body).hexdigest(),
            "apiVersion": event.whole("api_version"),
            "created": number_of(event.moment("created_date").date()),
            "resourceType": event.text("resource_type"),
            "eventType": event.text("event_type"),
            "paymentId": resource.name("payment_id"),
            "provider": resource.text("payment_provider"),
            "reference": resource.text("reference"),
            "description": resource.maybe_text("description"),
            "amount": resource.pence("amount"),
            "totalAmount": resource.maybe_pence("total_amount"),
            "amountSubmitted": refunds.maybe_pence("amount_submitted"),
            "capturedDate": settlement.maybe_day("captured_date"),
            "settledDate": settlement.maybe_day("settled_date"),
        }
        if event.text("resource_id") != row["paymentId"]:
            raise RecordRejected("resource_id and payment_id name different payments", code="SCHEMA_INVALID")
        if row["eventType"] == _REFUNDED:
            refunds.pence("amount_submitted")
        return {TABLE: [row]}


def build(_options: Options) -> Reader:
    """The reader of the feed."""
    return Reader()
