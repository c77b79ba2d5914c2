"""Debt notices for tests: messages of the connectors in tests/connectors, and hubs that know these."""

import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from integrationhub.bootstrap import Hub
from integrationhub.catalogue import Catalogue
from integrationhub.config import Settings
from integrationhub.intake.messages.taker import InboxTaker
from integrationhub.sdk.transport import Incoming

CONNECTORS = Path(__file__).parents[2] / "connectors"
KEY = bytes(range(32))


def notice(debt: str = "D1", version: int = 1, **changes: object) -> dict[str, Any]:
    """What a notice says."""
    said: dict[str, Any] = {
        "version": version,
        "asAt": "2026-01-31",
        "debt": {
            "reference": debt, "kind": "OVERPAYMENT", "cause": "CLAIMANT_ERROR", "status": "ACTIVE",
            "opened": "2024-02-29", "balance": f"{version}.50", "suspended": "0",
        },
        "debtor": {
            "reference": f"P-{debt}", "nino": "QQ123456A", "surname": "Example", "forenames": "Alex",
            "birthDate": "1980-02-29",
        },
    }  # fmt: skip
    for name, value in changes.items():
        part = said["debt"] if name in said["debt"] else said["debtor"] if name in said["debtor"] else said
        part[name] = value
    return said


def message(
    body: bytes | Mapping[str, Any], *, message_id: str | None = None, headers: Mapping[str, object] | None = None
) -> Incoming:
    """A message with this body, signed."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = {"x-key-id": "steps-1", "x-body-hmac-sha256": hmac.digest(KEY, content, "sha256").hex()}
    return Incoming(
        tag=1,
        queue="integrationhub.debt-notices",
        exchange="notices",
        routing_key="debt.changed",
        message_id=message_id,
        body=content,
        content_type="application/json",
        headers=signed if headers is None else headers,
    )


def open_hub(store_url: str, folder: Path) -> Hub:
    """A hub at that store which knows the connectors for tests."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"hmac_keys": {"steps-1": KEY.hex()}}), encoding="utf-8")
    settings = Settings(
        data_dir=folder,
        database_url=store_url.replace("postgresql://", "postgresql+psycopg://"),
        synthetic_identities=True,
        keys_file=keys,
        catalogue_folders=(CONNECTORS,),
    )
    return Hub(settings, Catalogue.standard(folders=[CONNECTORS]))


def taker_of(hub: Hub, connector: str) -> InboxTaker[Any]:
    """The hub's taker of a connector."""
    return hub.taker(connector)
