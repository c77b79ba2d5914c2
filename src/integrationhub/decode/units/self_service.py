"""Commands from online accounts as rows: one a message (self-service.md).

A payload that doesn't fit its command leaves its fields empty, and says so in `payloadFits`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from integrationhub.canonical.identifiers import derive
from integrationhub.decode.json_fields import Fields
from integrationhub.errors import RecordRejected
from integrationhub.sdk.transport import Incoming
from integrationhub.sdk.units import Options, Row

TABLE = "Command"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NONCE = range(16, 65)
_PART = 60
_FREE_TEXT = 2000
_FREQUENCIES = frozenset({"WEEKLY", "FORTNIGHTLY", "FOUR_WEEKLY", "MONTHLY"})
_GROUNDS = frozenset({"AMOUNT", "NOT_MINE", "ALREADY_PAID", "APPEAL_PENDING", "OTHER"})
_ADDRESS = ("sao", "pao", "street", "locality", "town", "administrativeArea", "postcode")


class Reader:
    """Reads commands."""

    layout: Mapping[str, Mapping[str, pl.DataType]] = {
        TABLE: {
            "commandId": pl.String(),
            "content": pl.String(),
            "commandType": pl.String(),
            "schemaVersion": pl.Int64(),
            "issuedAt": pl.String(),
            "nonce": pl.String(),
            "nino": pl.String(),
            "vot": pl.String(),
            "payloadFits": pl.String(),
            **dict.fromkeys((*_ADDRESS, "uprn"), pl.String()),
            "effectiveDate": pl.Int64(),
            "debtRef": pl.String(),
            "instalmentPence": pl.Int64(),
            "frequency": pl.String(),
            "firstDate": pl.Int64(),
            "grounds": pl.String(),
            "text": pl.String(),
        }
    }

    def read(self, message: Incoming, body: Mapping[str, Any]) -> Mapping[str, Sequence[Row]]:
        """See `UnitReader`."""
        command = Fields(body)
        account = command.inner("account")
        account.text("accountId")
        payload, kind = command.inner("payload"), command.text("commandType")
        said = {
            "commandId": _uuid(command, "commandId"),
            "content": hashlib.sha256(message.body).hexdigest(),
            "commandType": kind,
            "schemaVersion": command.whole("schemaVersion"),
            "issuedAt": command.moment("issuedAt").isoformat(),
            "nonce": _nonce(command),
            "nino": account.text("nino"),
            "vot": account.text("vot"),
        }
        return {TABLE: [{**self._empty, **said, **_payload(kind, payload)}]}

    @property
    def _empty(self) -> Row:
        return dict.fromkeys(self.layout[TABLE])


def build(_options: Options) -> Reader:
    """The reader of the feed."""
    return Reader()


def _uuid(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not _UUID.fullmatch(value):
        raise RecordRejected(f"{name} is no UUID", code="SCHEMA_INVALID")
    return value.lower()


def _nonce(command: Fields) -> str:
    """What stands for the nonce: only whether two are equal is ever asked."""
    nonce = command.text("nonce")
    if len(nonce) not in _NONCE:
        raise RecordRejected("the nonce is too short or too long", code="SCHEMA_INVALID")
    return derive("nonce", nonce)


def _payload(kind: str, payload: Fields) -> Row:
    try:
        read = _PAYLOADS.get(kind)
        return {"payloadFits": "true", **(read(payload) if read else {})}
    except RecordRejected:  # it is no fault of the message's schema, but a command that a person must look at
        return {"payloadFits": "false"}


def _address_change(payload: Fields) -> Row:
    address = payload.inner("address")
    parts = {name: address.maybe_text(name, longest=_PART) for name in _ADDRESS}
    told = {name for name, part in parts.items() if part is not None and part.strip()}
    if not ({"pao", "sao"} & told and {"street", "town"} & told and "postcode" in told):
        raise _unfit()
    payload.text("effectiveDate")
    return {**parts, "uprn": _uprn(address), "effectiveDate": payload.maybe_day("effectiveDate")}


def _uprn(address: Fields) -> str | None:
    try:
        return address.maybe_text("uprn", longest=_PART)
    except RecordRejected:
        number = address.maybe_whole("uprn")
        return None if number is None else str(number)


def _plan_offer(payload: Fields) -> Row:
    payload.text("firstDate")
    return {
        "debtRef": payload.text("debtRef"),
        "instalmentPence": payload.pence("instalmentPence"),
        "frequency": _one_of(payload, "frequency", _FREQUENCIES),
        "firstDate": payload.maybe_day("firstDate"),
    }


def _dispute(payload: Fields) -> Row:
    return {
        "debtRef": payload.text("debtRef"),
        "grounds": _one_of(payload, "grounds", _GROUNDS),
        "text": payload.text("text", longest=_FREE_TEXT),
    }


def _one_of(payload: Fields, name: str, codes: frozenset[str]) -> str:
    value = payload.text(name)
    if value not in codes:
        raise _unfit()
    return value


def _unfit() -> RecordRejected:
    return RecordRejected("the payload does not fit its command", code="PAYLOAD_INVALID")


_PAYLOADS: Mapping[str, Callable[[Fields], Row]] = {
    "address.change": _address_change, "plan.offer": _plan_offer, "debt.dispute": _dispute,
}  # fmt: skip
