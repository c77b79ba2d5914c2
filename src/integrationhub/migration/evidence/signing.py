"""Keys that sign evidence: Ed25519 (RFC 8032), in PEM (PKCS 8 and SubjectPublicKeyInfo)."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from integrationhub.errors import ConfigurationError, NotFound

PRIVATE_NAME = "evidence-key.pem"
PUBLIC_NAME = "evidence-key.pub.pem"


class Signer:
    """Signs with one private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def of_file(cls, path: Path) -> "Signer":
        """The key in a PEM file. NotFound, ConfigurationError: it isn't there, or is no Ed25519 private key."""
        try:
            key = serialization.load_pem_private_key(_read(path), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise _no_key(path, "private") from exc
        if not isinstance(key, Ed25519PrivateKey):
            raise _no_key(path, "private")
        return cls(key)

    @classmethod
    def made_in(cls, folder: Path) -> "Signer":
        """The key kept in a folder; it is made there, readable by its owner alone, with its public half, if missing."""
        path = folder / PRIVATE_NAME
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            key = Ed25519PrivateKey.generate()
            part = folder / f".{PRIVATE_NAME}.{os.getpid()}"
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                target.write(
                    key.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    )
                )
            try:
                path.hardlink_to(part)  # whoever comes second takes the key that is there
            except FileExistsError:
                pass
            finally:
                part.unlink()
        signer = cls.of_file(path)
        (folder / PUBLIC_NAME).write_bytes(signer.public_pem())
        return signer

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of the signature; the same for the same content."""
        return self._key.sign(content)

    def public_pem(self) -> bytes:
        """The public key, for whoever verifies."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def is_signed(content: bytes, signature: bytes, public_key: Path) -> bool:
    """Whether the signature over these bytes is by this key. NotFound, ConfigurationError: as for `Signer.of_file`."""
    try:
        key = serialization.load_pem_public_key(_read(public_key))
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise _no_key(public_key, "public") from exc
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(public_key, "public")
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise NotFound(f"{path}: the key can't be read", code="KEY_MISSING", remedy="name the key's PEM file") from exc


def _no_key(path: Path, kind: str) -> ConfigurationError:
    return ConfigurationError(f"{path}: no Ed25519 {kind} key in PEM", code="KEY_INVALID")
