"""Decryption of a record: AES-256 key wrap (RFC 3394) around its own data key, AES-256-CTR around it (§3).

Whatever goes wrong, no key and nothing that was decrypted gets into an error's text.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from integrationhub.decode.dataworks.envelope import Sealed
from integrationhub.decode.json_body import read_body
from integrationhub.errors import ConfigurationError, RecordRejected
from integrationhub.sdk.keys import KeyProvider, KeyUnknown, UnwrapFailed

KEY_BYTES, COUNTER_BYTES = 32, 16
LARGEST = 1 << 20
"""Bytes of a record; the body around it has no more."""

_AS_THEY_ARE = frozenset({"JSON_DUPLICATE_KEY", "JSON_TOO_DEEP"})


@dataclass(slots=True)
class FileKeys:
    """A KeyProvider from the content of the keys file, member `kek`: key id → key in hexadecimal.

    `read` gives the content. It is read again when a key is asked for that was not there, so that new keys need no
    restart.
    """

    read: Callable[[], Mapping[str, Any]]
    _keys: dict[str, bytes] = field(default_factory=dict, repr=False)

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes:
        """See `KeyProvider`."""
        if key_id not in self._keys:
            self._keys = _keys_in(self.read())
        if key_id not in self._keys:
            raise KeyUnknown
        try:
            return aes_key_unwrap(self._keys[key_id], wrapped)
        except (InvalidUnwrap, ValueError):
            raise UnwrapFailed from None


def _keys_in(content: Mapping[str, Any]) -> dict[str, bytes]:
    try:
        keys = {name: bytes.fromhex(key) for name, key in content.get("kek", {}).items()}
    except (AttributeError, TypeError, ValueError):
        keys = {"": b""}
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise ConfigurationError(
            "the keys file has key-encryption keys that are not 32 bytes in hexadecimal",
            code="KEYS_INVALID",
            remedy="correct the member kek of the file that the setting keys_file names",
        ) from None
    return keys


def opened(sealed: Sealed, provider: KeyProvider) -> dict[str, Any]:
    """The record.

    RecordRejected: KEK_UNKNOWN, KEY_UNWRAP_FAILED, DECRYPT_FAILED, JSON_DUPLICATE_KEY or JSON_TOO_DEEP.
    """
    key = _data_key(sealed, provider)
    counter, body = _bytes(sealed.counter), _bytes(sealed.body)
    if counter is None or body is None or len(counter) != COUNTER_BYTES:
        raise RecordRejected("the record or its counter is not what it must be", code="DECRYPT_FAILED")
    decryptor = Cipher(AES256(key), CTR(counter)).decryptor()
    try:
        return read_body(decryptor.update(body) + decryptor.finalize(), largest=LARGEST)
    except RecordRejected as exc:
        code = exc.code if exc.code in _AS_THEY_ARE else "DECRYPT_FAILED"
        raise RecordRejected("the decrypted record is no JSON that can be used", code=code) from None


def _data_key(sealed: Sealed, provider: KeyProvider) -> bytes:
    wrapped = _bytes(sealed.wrapped_key)
    try:
        key = provider.unwrap(sealed.key_id, wrapped or b"")
    except KeyUnknown:
        raise RecordRejected("the key-encryption key is not known here", code="KEK_UNKNOWN") from None
    except UnwrapFailed:
        key = b""
    if len(key) != KEY_BYTES:
        raise RecordRejected("the record's key can't be unwrapped", code="KEY_UNWRAP_FAILED")
    return key


def _bytes(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
