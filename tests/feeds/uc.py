"""Writes messages of Universal Credit in the real format: sound ones, unless something else is asked for."""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

KEK_ID = "cloudhsm:7,14"
KEK = bytes(range(32))
DATA_KEY = bytes(range(32, 64))
COUNTER = b"\xff" * 15 + b"\xfe"  # runs over in the second block, as a counter of 128 bits must

REF = "UD0010000017"


def write_keys(folder: Path, **keks: bytes) -> Path:
    """A keys file."""
    file = folder / "keys.json"
    keys = {KEK_ID: KEK.hex(), **{name: key.hex() for name, key in keks.items()}}
    file.write_text(json.dumps({"kek": keys}), encoding="utf-8")
    return file


def debt(debt_id: str = "1", **other: Any) -> dict[str, Any]:
    """The payload of a sound debt."""
    return {
        "_id": {"debtId": debt_id}, "debtReference": REF, "citizenId": "c1", "nino": "QQ123456A",
        "person": {"firstName": "Test", "lastName": "Exampleton", "dateOfBirth": 19700131},
        "address": {"line1": "1 Sample Street", "line2": None, "town": "Testford", "postcode": "ZZ1 1AA"},
        "debtType": "OVERPAYMENT", "cause": "FRAUD", "decisionDate": 20200430, "originalAmount": "100.00",
        "recoveredAmount": "25", "balance": "75.0", "status": "OPEN", "debtManagerRef": None, **other,
    }  # fmt: skip


def advance(advance_id: str = "1", **other: Any) -> dict[str, Any]:
    """The payload of a sound advance."""
    return {
        "_id": {"advanceId": advance_id}, "debtReference": "UD0010000024", "citizenId": "c1", "nino": None,
        "person": {"firstName": "Test", "lastName": "Exampleton", "dateOfBirth": 0}, "advanceType": "NEW_CLAIM",
        "paidDate": 20200430, "amountPaid": "100", "repaid": "25", "outstanding": "75", "repaymentMonths": 12,
        "status": "OPEN", **other,
    }  # fmt: skip


def deduction(deduction_id: str = "1", **other: Any) -> dict[str, Any]:
    """The payload of a sound deduction."""
    return {
        "_id": {"deductionId": deduction_id}, "debtReference": REF, "nino": "QQ123456A",
        "assessmentPeriod": {"startDate": 20260203, "endDate": 20260302}, "deductedDate": 20260303,
        "amount": "15.00", "reversed": False, **other,
    }  # fmt: skip


def statement(statement_id: str = "1", **other: Any) -> dict[str, Any]:
    """The payload of a sound statement."""
    return {
        "_id": {"statementId": statement_id}, "people": [{"citizenId": "c1", "contractId": "k1"}],
        "assessmentPeriod": {"startDate": 20260203, "endDate": 20260302}, "deductions": "57.50",
        "totalPayment": "317.82", **other,
    }  # fmt: skip


def seal(plain: bytes, *, kek: bytes = KEK, data_key: bytes = DATA_KEY, counter: bytes = COUNTER) -> dict[str, str]:
    """The ciphertext and wrapped key of a record, in base64."""
    encryptor = Cipher(AES256(data_key[:32].ljust(32)), CTR(counter)).encryptor()
    return {
        "dbObject": b64encode(encryptor.update(plain)).decode(),
        "initialisationVector": b64encode(counter).decode(),
        "encryptedEncryptionKey": b64encode(aes_key_wrap(kek, data_key)).decode(),
    }


def message(
    payload: Mapping[str, Any] | bytes,
    collection: str = "debt",
    *,
    version: int | str | None = 1,
    kind: str = "MONGO_UPDATE",
    outer: Mapping[str, Any] | None = None,
    inner: Mapping[str, Any] | None = None,
    sealed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The envelope around a payload. A version is the second of an hour; `outer`, `inner`, `sealed` replace members."""
    plain = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    parts = {**seal(plain), "keyEncryptionKeyId": KEK_ID, **(sealed or {})}
    at = f"2026-02-20T06:00:{version:02}.037+0000" if isinstance(version, int) else version
    own = {
        "@type": kind, "_id": {"messageId": "m"}, "_lastModifiedDateTime": at, "db": "core", "collection": collection,
        "dbObject": parts.pop("dbObject"), "encryption": parts,
    } | dict(inner or {})  # fmt: skip
    return {
        "traceId": "t", "unitOfWorkId": None, "@type": "V4", "version": "core-4.release_152.16",
        "timestamp": "2026-02-20T07:00:00.000+0000", "message": own,
    } | dict(outer or {})  # fmt: skip
