"""A decrypted record: put back where its source has moved it, its identity, its effect, its content (§4, §5)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from integrationhub.decode.dataworks.envelope import Envelope
from integrationhub.errors import RecordRejected


class Effect(StrEnum):
    """What a message does with the record that it is about."""

    UPSERT = "UPSERT"
    ARCHIVE = "ARCHIVE"
    DELETE = "DELETE"


_MOVED = {"_removed": Effect.DELETE, "_archived": Effect.ARCHIVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as it was before it was moved. `id` is None where none is given."""

    payload: Mapping[str, Any] = field(repr=False)
    id: str | None
    effect: Effect

    @property
    def content(self) -> str:
        """A digest of what makes two messages about a record the same: its JSON, in whatever order, and the effect."""
        text = json.dumps(self.payload, sort_keys=True, separators=(",", ":"), default=_long)
        return hashlib.sha256(f"{self.effect} {text}".encode()).hexdigest()


def record_of(payload: Mapping[str, Any], envelope: Envelope) -> Record:
    """The record that a payload is, or that it holds. RecordRejected: SCHEMA_INVALID."""
    moved = [name for name in _MOVED if payload.get(name) is not None]
    if len(moved) > 1:
        raise RecordRejected("the record is both removed and archived", code="SCHEMA_INVALID")
    if moved:
        inner = payload[moved[0]]
        found: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
        return Record(payload=found, id=identity(found.get("_id")), effect=_MOVED[moved[0]])
    effect = Effect.DELETE if envelope.is_delete else Effect.UPSERT
    own = identity(payload.get("_id"))
    if own is None and envelope.is_delete:
        own = identity(envelope.message_id)
    return Record(payload=payload, id=own, effect=effect)


def identity(value: object) -> str | None:
    """The canonical id: objects with sorted keys and no spaces, dates in them and object ids as their text."""
    if isinstance(value, dict):
        if value.keys() == {"$oid"}:
            return identity(value["$oid"])
        plain = _without_dates(value)
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_long)
        return text if value else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _without_dates(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds; `read_body` has bounded its depth
    if isinstance(value, dict):
        return value["$date"] if value.keys() == {"$date"} else {key: _without_dates(one) for key, one in value.items()}
    return [_without_dates(one) for one in value] if isinstance(value, list) else value


def _long(_value: object) -> str:
    """What stands for a whole number that is too long to be held."""
    return "long"
