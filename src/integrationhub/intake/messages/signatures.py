"""Signatures of messages: HMAC-SHA-256 over the body as it came, in lower-case hexadecimal."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from integrationhub.errors import ConfigurationError, RecordRejected
from integrationhub.sdk.message_rules import Signature
from integrationhub.sdk.transport import Incoming

KEYS_MISSING = "KEYS_MISSING"
"""Code of a feed whose messages can't be read for want of keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Knows the keys that may sign the messages of one feed."""

    rules: Signature
    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, rules: Signature, keys_file: Path | None) -> Self:
        """The verifier for a feed. ConfigurationError: one of its keys is not in the keys file."""
        content = {} if keys_file is None else json.loads(keys_file.read_text(encoding="utf-8"))
        known = {name: bytes.fromhex(key) for name, key in content.get("hmac_keys", {}).items() if name in rules.keys}
        if rules.secret is not None and rules.secret in content:
            known[rules.secret] = content[rules.secret].encode()
        missing = [name for name in (*rules.keys, *filter(None, [rules.secret])) if name not in known]
        if missing:
            raise ConfigurationError(
                f"the keys file has no HMAC key {', '.join(missing)}",
                code=KEYS_MISSING,
                remedy="name a file with the keys in the setting keys_file",
            )
        return cls(rules=rules, keys=known)

    def require(self, message: Incoming) -> None:
        """RecordRejected: SIGNATURE_INVALID where it is missing or wrong, KEY_UNKNOWN for a key of nobody's, or of
        another feed.
        """
        given = _header(message, self.rules.header)
        name = self.rules.secret or _header(message, self.rules.key_header)
        if given is None or name is None:
            raise RecordRejected("the message is not signed", code="SIGNATURE_INVALID")
        key = self.keys.get(name)
        if key is None:
            raise RecordRejected("the message is signed with a key that this feed does not know", code="KEY_UNKNOWN")
        right = self.rules.prefix + hmac.digest(key, message.body, "sha256").hex()
        if not hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")):
            raise RecordRejected("the signature is not that of the body", code="SIGNATURE_INVALID")


def _header(message: Incoming, name: str) -> str | None:
    """The value of a header; names are compared as HTTP has them, in any case."""
    wanted = name.casefold()
    value = next((value for key, value in message.headers.items() if key.casefold() == wanted), None)
    return value if isinstance(value, str) else None
