"""The envelope of a record: what must stand in it, which version of it it brings (universal-credit.md §2, §4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrationhub.errors import RecordRejected

DELETE = "MONGO_DELETE"
IMPORT = "MONGO_IMPORT"
_TYPES = frozenset({"MONGO_INSERT", "MONGO_UPDATE", DELETE, IMPORT})
_HISTORIC = "HDI"
_KEY_ID = re.compile(r"cloudhsm:[0-9]+,[0-9]+")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?(Z|[+-][0-9]{4})")
_FIRST_VERSION = "1980-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """An encrypted record as it stands in the envelope, in base64."""

    key_id: str
    wrapped_key: str = field(repr=False)
    counter: str = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An envelope in good order. `version` is a UTC instant to the millisecond, as text that sorts as instants do."""

    database: str
    collection: str
    is_delete: bool
    message_id: object  # the `_id` of the message, which counts only where the record has none
    version: str
    is_version_defaulted: bool
    sealed: Sealed


def read_envelope(body: Mapping[str, Any]) -> Envelope:
    """The envelope in a body. RecordRejected: SCHEMA_INVALID."""
    for name in ("traceId", "unitOfWorkId", "timestamp"):
        _require(name in body and isinstance(body[name], str | None), name)
    _require(isinstance(body.get("version"), str), "version")
    outer, message = body.get("@type"), body.get("message")
    _require(outer in ("V4", _HISTORIC), "@type")
    if not isinstance(message, dict):
        raise _invalid("message")
    kind, inner = message.get("@type"), message.get("encryption")
    _require(isinstance(kind, str) and kind in _TYPES and (kind != IMPORT or outer == _HISTORIC), "message.@type")
    _require(_is_id(message.get("_id")), "message._id")
    if not isinstance(inner, dict):
        raise _invalid("message.encryption")
    sealed = Sealed(
        key_id=_text(inner, "keyEncryptionKeyId"),
        wrapped_key=_text(inner, "encryptedEncryptionKey"),
        counter=_text(inner, "initialisationVector"),
        body=_text(message, "dbObject"),
    )
    _require(_KEY_ID.fullmatch(sealed.key_id) is not None, "keyEncryptionKeyId")
    sent = _moment(body, "timestamp")
    changed, created = _moment(message, "_lastModifiedDateTime"), _moment(message, "createdDateTime")
    version = (sent if kind == DELETE else None) or changed or created
    return Envelope(
        database=_text(message, "db"),
        collection=_text(message, "collection"),
        is_delete=kind == DELETE,
        message_id=message["_id"],
        version=version or _FIRST_VERSION,
        is_version_defaulted=version is None,
        sealed=sealed,
    )


def _is_id(value: object) -> bool:
    """A whole number, or a text or object with something in it."""
    if isinstance(value, int):
        return not isinstance(value, bool)
    return isinstance(value, str | dict) and bool(value)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise _invalid(name)
    return value


def _moment(found: Mapping[str, Any], name: str) -> str | None:
    """The instant in UTC, cut to milliseconds; None where nothing is said."""
    value = found.get(name)
    if value is None or value == "":
        return None
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _invalid(name)
    seconds, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{seconds}{zone if zone == 'Z' else f'{zone[:3]}:{zone[3:]}'}")
        in_utc = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError):
        raise _invalid(name) from None
    return f"{in_utc}.{(fraction or '').ljust(3, '0')[:3]}Z"


def _require(holds: bool, name: str) -> None:  # noqa: FBT001
    if not holds:
        raise _invalid(name)


def _invalid(name: str) -> RecordRejected:
    return RecordRejected(f"the envelope does not fit its schema: {name}", code="SCHEMA_INVALID")
