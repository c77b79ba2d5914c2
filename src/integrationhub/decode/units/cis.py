"""Answers to identity questions as rows: one a message (cis.md). What it says of the person beyond the number is not
read.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from integrationhub.decode.json_fields import Fields
from integrationhub.sdk.transport import Incoming
from integrationhub.sdk.units import Options, Row

TABLE = "Response"


class Reader:
    """Reads answers."""

    layout: Mapping[str, Mapping[str, pl.DataType]] = {
        TABLE: {
            "responseId": pl.String(),
            "content": pl.String(),
            "requestId": pl.String(),
            "result": pl.String(),
            "nino": pl.String(),
            "supersededBy": pl.String(),
            "confidence": pl.Int64(),
        }
    }

    def read(self, message: Incoming, body: Mapping[str, Any]) -> Mapping[str, Sequence[Row]]:
        """See `UnitReader`."""
        answer = Fields(body)
        answer.text("respondedAt")
        row = {
            "responseId": answer.name("responseId"),
            "content": hashlib.sha256(message.body).hexdigest(),
            "requestId": answer.name("requestId"),
            "result": answer.text("result"),
            "nino": answer.maybe_text("nino"),
            "supersededBy": answer.maybe_text("supersededBy"),
            "confidence": answer.maybe_whole("confidence"),
        }
        return {TABLE: [row]}


def build(_options: Options) -> Reader:
    """The reader of the feed."""
    return Reader()
