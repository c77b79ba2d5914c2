"""The page of the canonical model, and one JSON Schema an entity, from `canonical.model`."""

import json

from docs.generate.tables import document, table
from integrationhub.canonical.model import ENTITIES, Entity, Field, Type

INTRODUCTION = """\
Every row ends with its provenance: the source's own reference, the file or message, record number, byte offset, and the
mapping with its version. Money is integer pence. Identifiers are 32 hexadecimal digits, derived from natural keys. A
date that may be empty for a reason has a companion `…_mark`: OPEN (no end), NOT_RECORDED, SENTINEL (a value that stands
for none). Personal fields are never logged.

Each entity has a JSON Schema in [schemas/](schemas/)."""

_JSON_TYPES: dict[Type, dict[str, object]] = {
    Type.ID: {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    Type.TEXT: {"type": "string"},
    Type.CODE: {"type": "string"},
    Type.INT: {"type": "integer"},
    Type.PENCE: {"type": "integer", "description": "pence"},
    Type.DATE: {"type": "string", "format": "date"},
    Type.BOOL: {"type": "boolean"},
}


def page() -> str:
    """Every entity with its fields."""
    parts: list[str | list[str]] = ["# The canonical model", INTRODUCTION]
    for entity in ENTITIES.values():
        parts += [
            f"## {entity.name}",
            f"{entity.title}. {_nature(entity)}",
            table(("field", "type", "meaning"), map(_row, entity.all_fields())),
        ]
    return document(*parts)


def _nature(entity: Entity) -> str:
    if entity.append_only:
        return "Rows are only ever added; a mistake is cancelled by a further row."
    return "Replaced together with its source group." if entity.group_scoped else "Kept across source groups."


def _row(field: Field) -> tuple[str, str, str]:
    kind = str(field.type) + ("" if field.required else ", may be empty")
    codes = f": {', '.join(field.codes)}" if field.codes else ""
    target = f" → {field.references}" if field.references else ""
    return f"`{field.name}`", kind + target, field.title + codes + (" (personal)" if field.personal else "")


def schemas() -> dict[str, str]:
    """File name → JSON Schema of one entity."""
    return {f"schemas/{entity.name}.json": json.dumps(_schema(entity), indent=2) + "\n" for entity in ENTITIES.values()}


def _schema(entity: Entity) -> dict[str, object]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:integrationhub:canonical:{entity.name}",
        "title": entity.title,
        "type": "object",
        "properties": {field.name: _property(field) for field in entity.all_fields()},
        "required": list(entity.names()),
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, object]:
    """An empty field is null, never absent."""
    schema = {**_JSON_TYPES[field.type], "title": field.title}
    if field.codes:
        schema["enum"] = [*field.codes, *([] if field.required else [None])]
    if not field.required:
        schema["type"] = [schema["type"], "null"]
    return schema
