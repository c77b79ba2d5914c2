"""The trigger file is read exactly as csa1993.md §1 says, and every fault names its key."""

from datetime import date

import pytest

from integrationhub.receive.trigger import LIMIT, Trigger, read_trigger
from integrationhub.records import Reason

KEYS = ("FILE", "BYTES", "RECORDS", "SHA256", "SEQUENCE", "ASAT")
GOOD = {
    "FILE": "CSCS.NIGHTLY.D20150701.S000101.dat",
    "BYTES": "193064",
    "RECORDS": "2041",
    "SHA256": "ab" * 32,
    "SEQUENCE": "101",
    "ASAT": "2015-06-30",
}


def written(**changes: str | None) -> bytes:
    pairs = {key: value for key, value in (GOOD | changes).items() if value is not None}
    return "".join(f"{key}={value}\n" for key, value in pairs.items()).encode("latin-1")


def test_a_good_trigger_gives_all_its_values() -> None:
    assert read_trigger(written(), required=KEYS, code="R01") == Trigger(
        file=GOOD["FILE"], size=193064, sha256="ab" * 32, sequence=101, records=2041, as_at=date(2015, 6, 30)
    )


def test_order_of_keys_unknown_keys_and_line_ends_do_not_matter() -> None:
    lines = [*reversed(written().decode().splitlines()), "SENDER=somebody", ""]
    assert read_trigger("\r\n".join(lines).encode(), required=KEYS, code="R01") == read_trigger(
        written(), required=KEYS, code="R01"
    )


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (written(ASAT=None), "ASAT"),
        (written(SHA256=None), "SHA256"),
        (written(SHA256="AB" * 32), "SHA256"),
        (written(BYTES="12e3"), "BYTES"),
        (written(BYTES="-1"), "BYTES"),
        (written(RECORDS="x"), "RECORDS"),
        (written(SEQUENCE=""), "SEQUENCE"),
        (written(ASAT="2015-02-30"), "ASAT"),
        (written(ASAT="30/06/2015"), "ASAT"),
        (written(FILE=""), "FILE"),
        (b"", "FILE"),
        (b"\xff\xfe", None),
        (b"FILE\n", None),
        (written() + b"BYTES=7\n", None),
        (b"X=" + b"y" * LIMIT, None),
    ],
)
def test_every_fault_is_a_reason_that_names_its_key(content: bytes, field: str | None) -> None:
    reason = read_trigger(content, required=KEYS, code="R01")
    assert isinstance(reason, Reason)
    assert (reason.code, reason.field) == ("R01", field)
