"""Who asks: bearer tokens, each for one client and one audience. The keys file holds their SHA-256, never a token.

"api_tokens": {"debt-portal": {"sha256": "…", "audience": "internal"}}
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrationhub.errors import ConfigurationError
from integrationhub.publish.cloudevents import FINANCE, INTERNAL

AUDIENCES = (INTERNAL, FINANCE)
"""Audiences that may read. Parents are not among them: what a parent sees is decided case by case, by events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A service that may read, and as whom."""

    name: str
    audience: str


class TokenBook:
    """The tokens that are valid. `digests`: hexadecimal SHA-256 of a token → its client."""

    def __init__(self, digests: Mapping[str, Client]) -> None:
        self._digests = digests

    @classmethod
    def of_file(cls, keys_file: Path | None) -> "TokenBook":
        """The tokens in a keys file; ConfigurationError names every faulty one."""
        told = {} if keys_file is None else json.loads(keys_file.read_text(encoding="utf-8")).get("api_tokens", {})
        faults = [fault for name, entry in told.items() for fault in _faults(name, entry)]
        if faults:
            raise ConfigurationError("api_tokens in the keys file is faulty", faults=faults, code="TOKENS_INVALID")
        return cls({entry["sha256"]: Client(name=name, audience=entry["audience"]) for name, entry in told.items()})

    def __len__(self) -> int:
        return len(self._digests)

    def client(self, authorization: str | None) -> Client | None:
        """The client whose token the Authorization header bears. Takes as long for a wrong one as for a right one."""
        scheme, _, token = (authorization or "").partition(" ")
        given = digest_of(token.strip())
        found = None
        for digest, client in self._digests.items():
            if hmac.compare_digest(digest, given):
                found = client
        return found if scheme.lower() == "bearer" else None


def digest_of(token: str) -> str:
    """What the keys file holds of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """A fresh token: 256 bits of chance."""
    return secrets.token_urlsafe(32)


def _faults(name: str, entry: Any) -> list[str]:  # noqa: ANN401 - JSON
    if not isinstance(entry, dict):
        return [f"api_tokens.{name}: must be an object with sha256 and audience"]
    faults = []
    digest = entry.get("sha256")
    if not isinstance(digest, str) or len(digest) != 64 or digest.strip("0123456789abcdef"):  # noqa: PLR2004 - SHA-256
        faults.append(f"api_tokens.{name}.sha256: must be 64 lower-case hexadecimal digits")
    if entry.get("audience") not in AUDIENCES:
        faults.append(f"api_tokens.{name}.audience: must be one of {', '.join(AUDIENCES)}")
    return faults
