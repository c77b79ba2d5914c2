"""Where the keys of encrypted feeds come from: a keys file, or whatever else can unwrap a data key, such as an HSM.

A provider is asked to unwrap, never to hand out a key-encryption key, so that one in hardware can stay there.
Rotation is by id: every message names the key that its data key is wrapped with, so old and new ones work side by side.
"""

from importlib.metadata import entry_points
from typing import Protocol

from integrationhub.errors import ConfigurationError

GROUP = "integrationhub.key_providers"
"""Entry points of installed packages: a name, and a function without parameters that gives a KeyProvider."""


class KeyUnknown(Exception):
    """There is no key-encryption key of that id."""


class UnwrapFailed(Exception):
    """The wrapped key is damaged, of another length, or wrapped with another key."""


class KeyProvider(Protocol):
    """Unwraps data keys. Neither keys nor what they open may stand in texts of errors or in logs."""

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """The data key in `wrapped` (AES key wrap, RFC 3394). KeyUnknown; UnwrapFailed."""
        ...


def installed(name: str) -> KeyProvider:
    """The provider that an installed package offers by that name. ConfigurationError: none does."""
    for found in entry_points(group=GROUP, name=name):
        provider: KeyProvider = found.load()()
        return provider
    raise ConfigurationError(
        f"no installed package offers a key provider {name}",
        code="KEY_PROVIDER_UNKNOWN",
        remedy=f"install one that has the entry point {name} in the group {GROUP}, or take out key_provider",
    )
