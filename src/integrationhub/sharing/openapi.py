"""The OpenAPI 3.1 description of the API, from the resources it serves."""

from collections.abc import Mapping
from typing import Any

from integrationhub.sharing.resources import BALANCE, DEBT, DEBT_ID, ENTRY, PROVENANCE, Attribute, schema_of
from integrationhub.store.sharing import FILTERS

CODE = "[A-Z0-9_]{1,64}"
"""What a filter's value looks like."""

_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string", "description": "stable code"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
    },
    "required": ["type", "status", "title", "detail", "remedy"],
}

_DEBT_ID = {
    "name": "debt_id", "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^(?:{DEBT_ID})$"},
}  # fmt: skip
_LIMIT = {
    "name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
}  # fmt: skip
_CURSOR = {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "from `next` of a page"}
_TAG = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": "ETag of an answer"}


def document() -> Mapping[str, Any]:
    """The whole description, as JSON."""
    field = {"name": "field", "in": "path", "required": True, "schema": {"type": "string", "enum": list(DEBT)}}
    filters = [{"name": name, "in": "query", "schema": {"type": "string", "pattern": f"^{CODE}$"}} for name in FILTERS]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Integration Hub: debts for other services",
            "version": "1",
            "description": "Read-only. What a token may see depends on its audience; nothing personal is shared.",
        },
        "security": [{"token": []}],
        "paths": {
            "/v1/debts": _get("Debts, by identifier", "Debts", [*filters, _LIMIT, _CURSOR]),
            "/v1/debts/{debt_id}": _get("One debt", "Debt", [_DEBT_ID]),
            "/v1/debts/{debt_id}/balances": _get("Its balances, each by who says so", "Balances", [_DEBT_ID]),
            "/v1/debts/{debt_id}/ledger": _get("Its ledger entries", "Entries", [_DEBT_ID, _LIMIT, _CURSOR]),
            "/v1/debts/{debt_id}/provenance/{field}": _get(
                "Where a field of it came from", "Provenance", [_DEBT_ID, field]
            ),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Debt": schema_of(DEBT),
                "Debts": _page_of(DEBT),
                "Balances": _list_of(BALANCE),
                "Entries": _page_of(ENTRY),
                "Provenance": schema_of(PROVENANCE),
                "Problem": _PROBLEM,
            },
        },
    }


def _get(summary: str, schema: str, parameters: list[Any]) -> Mapping[str, Any]:
    tag = {"schema": {"type": "string"}, "description": "changes when the answer changes"}
    found = {
        "description": summary,
        "headers": {"ETag": tag},
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    others = {
        "400": "A parameter is not of its form", "401": "No valid token", "404": "There is nothing",
        "503": "The store can't answer now",
    }  # fmt: skip
    return {
        "get": {
            "summary": summary,
            "operationId": schema.lower(),
            "parameters": [*parameters, _TAG],
            "responses": {
                "200": found,
                "304": {"description": "The client has this answer", "headers": {"ETag": tag}},
                **{status: {"description": text, "content": problem} for status, text in others.items()},
            },
        }
    }


def _list_of(shape: Mapping[str, Attribute]) -> Mapping[str, Any]:
    items = {"type": "array", "items": schema_of(shape)}
    return {"type": "object", "properties": {"items": items}, "required": ["items"], "additionalProperties": False}


def _page_of(shape: Mapping[str, Attribute]) -> Mapping[str, Any]:
    following = {"type": ["string", "null"], "description": "address of the next page"}
    properties = {"items": {"type": "array", "items": schema_of(shape)}, "next": following}
    return {
        "type": "object", "properties": properties, "required": ["items", "next"], "additionalProperties": False,
    }  # fmt: skip
