"""Envelopes, keys and decryption: each way to be unusable has its reason, in order (universal-credit.md §2, §3)."""

import json
import logging
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from integrationhub.accounts.book import Book
from integrationhub.decode.dataworks.envelope import Sealed
from integrationhub.decode.dataworks.sealed import FileKeys, opened
from integrationhub.errors import ConfigurationError, RecordRejected
from integrationhub.sdk.keys import KeyUnknown, UnwrapFailed
from tests.feeds import uc
from tests.unit.accounts.conftest import EmptyShelf
from tests.unit.accounts.feeds.messages import Messages, said
from tests.unit.universal_credit.conftest import UniversalCredit


@pytest.mark.parametrize(
    "changed",
    [
        {"outer": {"traceId": 1}},
        {"outer": {"@type": "V5"}},
        {"outer": {"version": None}},
        {"outer": {"timestamp": "2026-02-30T07:00:00.000+0000"}},
        {"outer": {"timestamp": "2026-02-20 07:00:00.000+0000"}},
        {"outer": {"timestamp": "2026-02-20T07:00:00.0000000+0000"}},
        {"outer": {"timestamp": 5}},
        {"outer": {"message": []}},
        {"inner": {"@type": "MONGO_DROP"}},
        {"inner": {"@type": "MONGO_IMPORT"}},
        {"inner": {"_id": {}}},
        {"inner": {"_id": ""}},
        {"inner": {"_id": None}},
        {"inner": {"_id": True}},
        {"inner": {"db": ""}},
        {"inner": {"collection": None}},
        {"inner": {"dbObject": ""}},
        {"inner": {"encryption": None}},
        {"inner": {"_lastModifiedDateTime": "2026-02-20T24:00:00.000Z"}},
        {"inner": {"_lastModifiedDateTime": "2026-02-20T06:00:00+9999"}},
        {"inner": {"createdDateTime": "yesterday"}},
        {"sealed": {"keyEncryptionKeyId": "cloudhsm:7"}},
        {"sealed": {"keyEncryptionKeyId": "cloudhsm:\u0667,14"}},
        {"sealed": {"initialisationVector": ""}},
        {"sealed": {"encryptedEncryptionKey": 7}},
    ],
)
def test_an_envelope_that_does_not_fit_its_schema_is_refused(feed: UniversalCredit, changed: dict[str, Any]) -> None:
    assert feed.told(uc.debt(), **changed) == "REJECTED SCHEMA_INVALID"


@pytest.mark.parametrize("name", ["traceId", "unitOfWorkId", "timestamp", "version", "@type", "message"])
def test_what_must_stand_in_an_envelope_may_not_be_left_out(feed: UniversalCredit, name: str) -> None:
    body = uc.message(uc.debt())
    del body[name]
    assert said(feed.take(body)) == "REJECTED SCHEMA_INVALID"


@pytest.mark.parametrize(
    "changed",
    [
        {"outer": {"traceId": None, "timestamp": ""}},
        {"outer": {"@type": "HDI", "dbObject_altered": True}, "kind": "MONGO_IMPORT"},
        {"inner": {"_id": 5, "createdDateTime": None}},
        {"inner": {"_id": "x"}},
    ],
)
def test_what_an_envelope_may_leave_open_is_open(feed: UniversalCredit, changed: dict[str, Any]) -> None:
    assert feed.told(uc.debt(), **changed) == "LOADED"


@pytest.mark.parametrize(
    ("reason", "changed"),
    [
        ("KEK_UNKNOWN", {"keyEncryptionKeyId": "cloudhsm:7,99", "encryptedEncryptionKey": "!"}),
        ("KEY_UNWRAP_FAILED", {"encryptedEncryptionKey": "!"}),
        ("KEY_UNWRAP_FAILED", {"encryptedEncryptionKey": b64encode(bytes(40)).decode()}),
        ("KEY_UNWRAP_FAILED", {"encryptedEncryptionKey": b64encode(bytes(39)).decode()}),
        ("KEY_UNWRAP_FAILED", uc.seal(b"{}", kek=bytes(32))),
        ("KEY_UNWRAP_FAILED", uc.seal(b"{}", data_key=bytes(16))),
        ("KEY_UNWRAP_FAILED", {**uc.seal(b"{}", kek=bytes(32)), "initialisationVector": "!"}),
        ("DECRYPT_FAILED", {"initialisationVector": "!"}),
        ("DECRYPT_FAILED", {"initialisationVector": b64encode(bytes(15)).decode()}),
        ("DECRYPT_FAILED", {"initialisationVector": b64encode(bytes(16)).decode()}),
        ("DECRYPT_FAILED", {"dbObject": "no base64"}),
        ("DECRYPT_FAILED", uc.seal(b"[]")),
        ("DECRYPT_FAILED", uc.seal(b"{\xff}")),
        ("DECRYPT_FAILED", uc.seal(b'{"a": NaN}')),
        ("DECRYPT_FAILED", uc.seal(b'{"a": "\\ud800"}')),
        ("JSON_DUPLICATE_KEY", uc.seal(b'{"a": {"b": 1, "b": 2}}')),
        ("JSON_TOO_DEEP", uc.seal(b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}")),
        ("SCHEMA_INVALID", uc.seal(b'{"_removed": {"_id": "1"}, "_archived": {"_id": "1"}}')),
    ],
)
def test_each_way_not_to_be_decrypted_has_its_reason(
    feed: UniversalCredit, reason: str, changed: dict[str, str]
) -> None:
    assert feed.told(uc.debt(), sealed=changed) == f"REJECTED {reason}"


def test_what_is_not_taken_is_told_before_anything_is_decrypted(feed: UniversalCredit) -> None:
    assert feed.told(b"x", "claimant", sealed={"encryptedEncryptionKey": "!"}) == "EXCLUDED COLLECTION_NOT_TAKEN"
    assert feed.told(b"x", inner={"db": "agent"}) == "EXCLUDED COLLECTION_NOT_TAKEN"


def test_key_wrap_is_that_of_the_standard() -> None:
    """The example of RFC 3394, 4.6: 256 bits of key data wrapped with 256 bits."""
    provider = FileKeys(lambda: {"kek": {"k": bytes(range(32)).hex()}})
    wrapped = "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
    key = provider.unwrap("k", bytes.fromhex(wrapped))
    assert key.hex().upper() == "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"
    with pytest.raises(UnwrapFailed):
        provider.unwrap("k", bytes.fromhex(wrapped)[:-1] + b"\0")


def test_a_new_key_needs_no_restart_and_old_ones_go_on() -> None:
    content: dict[str, Any] = {"kek": {"old": uc.KEK.hex()}}
    provider = FileKeys(lambda: content)
    wrapped = b64encode(b"").decode()
    with pytest.raises(KeyUnknown):
        provider.unwrap("new", wrapped.encode())
    content["kek"]["new"] = bytes(32).hex()
    for key_id, kek in (("old", uc.KEK), ("new", bytes(32))):
        sealed = uc.seal(b'{"a": 1}', kek=kek)
        found = Sealed(
            key_id=key_id,
            wrapped_key=sealed["encryptedEncryptionKey"],
            counter=sealed["initialisationVector"],
            body=sealed["dbObject"],
        )
        assert opened(found, provider) == {"a": 1}


@pytest.mark.parametrize("keys", [{"k": "00"}, {"k": "no hex"}, {"k": 5}, ["k"], "k"])
def test_keys_that_are_none_are_a_fault_of_the_configuration_and_are_not_shown(keys: object) -> None:
    with pytest.raises(ConfigurationError) as told:
        FileKeys(lambda: {"kek": keys}).unwrap("k", b"")
    assert "no hex" not in str(told.value)


def test_neither_keys_nor_what_they_open_are_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    messages = Messages("universal-credit", keys_file=uc.write_keys(tmp_path))
    secret = json.dumps(uc.debt())[:-1].encode()
    with pytest.raises(RecordRejected) as told:
        messages.unit(uc.message(secret))
    messages.take(uc.message(uc.debt()), Book(EmptyShelf()))
    chain = [told.value, told.value.__cause__]
    shown = f"{chain} {messages.reader!r} {caplog.text} {capsys.readouterr()}"
    assert told.value.__suppress_context__
    for hidden in ("Exampleton", "QQ123456", uc.KEK.hex(), uc.DATA_KEY.hex(), repr(uc.KEK)[2:-1]):
        assert hidden not in shown
