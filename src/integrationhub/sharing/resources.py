"""What other services may read: each resource's fields, their JSON Schemas, and who may see which.

Nothing personal is shared: no names, numbers, addresses or free text. A reference that contains a National Insurance
number (CS2 case references) is left empty; the opaque identifier stands for it everywhere.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrationhub.publish.cloudevents import FINANCE, INTERNAL

_PERSONAL = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2}(?![0-9])")

_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_PENCE = {"type": "integer", "description": "pence"}
_DATE = {"type": "string", "format": "date"}
_MAYBE_DATE = {"type": ["string", "null"], "format": "date"}
_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "opaque identifier"}

DEBT_ID = "[0-9a-f]{32}|(?:DM|UD)[0-9]{10}"
"""What a debt is known by: an opaque identifier, or the reference of a benefit debt."""

BOTH = frozenset({INTERNAL, FINANCE})
STAFF = frozenset({INTERNAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One field of a resource, and the audiences that see it."""

    schema: Mapping[str, Any]
    audiences: frozenset[str] = BOTH


DEBT: Mapping[str, Attribute] = {
    "debt_id": Attribute(schema={"type": "string", "pattern": f"^(?:{DEBT_ID})$"}),
    "ref": Attribute(schema={**_MAYBE, "description": "the source's reference, where it is not personal"}),
    "source_system": Attribute(schema=_TEXT),
    "host_system": Attribute(schema=_TEXT, audiences=STAFF),
    "scheme": Attribute(schema=_TEXT, audiences=STAFF),
    "kind": Attribute(schema=_TEXT),
    "cause": Attribute(schema=_MAYBE, audiences=STAFF),
    "legal_owner": Attribute(schema=_MAYBE),
    "status": Attribute(schema=_TEXT),
    "as_at": Attribute(schema=_DATE),
}

BALANCE: Mapping[str, Attribute] = {
    "kind": Attribute(schema={"type": "string", "enum": ["SOURCE", "RECOMPUTED", "ACCEPTED", "CURRENT"]}),
    "pence": Attribute(schema=_PENCE),
    "suspended_pence": Attribute(schema=_PENCE),
    "as_at": Attribute(schema=_DATE),
}

ENTRY: Mapping[str, Attribute] = {
    "entry_id": Attribute(schema=_ID),
    "line_no": Attribute(schema={"type": "integer"}),
    "kind": Attribute(schema=_TEXT),
    "owner": Attribute(schema=_TEXT),
    "pence": Attribute(schema=_PENCE),
    "suspended_pence": Attribute(schema=_PENCE),
    "posted": Attribute(schema=_MAYBE_DATE),
    "effective": Attribute(schema=_MAYBE_DATE),
    "reason": Attribute(schema=_MAYBE, audiences=STAFF),
    "reverses_line": Attribute(schema={"type": ["integer", "null"]}),
    "cancels_entry_id": Attribute(schema={**_ID, "type": ["string", "null"]}),
}

PROVENANCE: Mapping[str, Attribute] = {
    "field": Attribute(schema=_TEXT),
    "source_system": Attribute(schema=_TEXT),
    "connector": Attribute(schema=_MAYBE),
    "file": Attribute(schema={**_MAYBE, "description": "file name, or null for a message"}),
    "sha256": Attribute(schema={**_MAYBE, "description": "of the kept original"}),
    "delivery_id": Attribute(schema=_ID),
    "record": Attribute(schema={"type": "integer", "description": "record number in the original, from 1"}),
    "byte_offset": Attribute(schema={"type": "integer", "description": "of the record in the original"}),
    "mapping_id": Attribute(schema={**_TEXT, "description": "mapping spec and version that made the value"}),
}


def seen_by(audience: str, shape: Mapping[str, Attribute], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as this audience may see it."""
    return {name: _plain(row.get(name)) for name, item in shape.items() if audience in item.audiences}


def shareable(reference: str | None) -> str | None:
    """The reference, unless it is personal."""
    return None if reference is None or _PERSONAL.search(reference) else reference


def schema_of(shape: Mapping[str, Attribute]) -> dict[str, Any]:
    """The JSON Schema of a row: what only some audiences see may be missing."""
    return {
        "type": "object",
        "properties": {name: dict(item.schema) for name, item in shape.items()},
        "required": [name for name, item in shape.items() if item.audiences == BOTH],
        "additionalProperties": False,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column's value
    return value.isoformat() if hasattr(value, "isoformat") else value
