"""A toy feed for tests of units: a decoder of lines, a judge of amounts, a connector and a mapping in a folder.

A file is a line `series,number` and then lines `key,pence`; a line `!` is a structural fault, a line `?` a control that
does not hold, `*` makes it a list of everything.
"""

import hashlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from integrationhub.accounts.book import Book
from integrationhub.accounts.entries import Debt, Receipt
from integrationhub.accounts.shelf import Wanted
from integrationhub.accounts.unit import Unit, Verdict
from integrationhub.canonical.model import Entity
from integrationhub.canonical.units.form import form, pence
from integrationhub.errors import RecordRejected
from integrationhub.mapping.tables import Layout
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.transport import Incoming
from integrationhub.sdk.units import Booked, ControlFact, FileFacts, FileInHand, Row

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PIECE = 700  # lines of a piece

CONNECTOR = """
[connector]
name = "toy"
version = "1.0.0"
title = "Toy"
source_system = "TOY"
document = "tests"
mappings = "toy"
aliases = ["toys"]

[delivery]
transports = ["folder", "queue"]
first_sequence = 1

[[delivery.files]]
file = 'TOY\\.(?P<sequence>\\d{3})\\.txt'
decoder = "toy"
records = true
compressed = true

[layout]
format = "units"

[messages]
signature = { header = "X-Signature", prefix = "sha256=", secret = "toy" }

[units]
judge = "toy"
reader = "toy-messages"
"""

SPEC = """
connector = "toy"
entity = "toy_rows"
version = "1"
title = "Rows of a toy feed"
owner = "tests"

[[sources]]
table = "ROW"

[fields]
source_ref = { from = "KEY", as = "text" }
amount = { from = "AMOUNT", as = "pence", missing = "null" }
"""


def forms() -> Iterator[Entity]:
    yield form("toy_rows", "Rows", pence("amount", "an amount"))


class ToyDecoder:
    @property
    def layout(self) -> Layout:
        return {"ROW": {"KEY": pl.String(), "AMOUNT": pl.Int64()}}

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        series, number = stream.readline().decode().strip().split(",")
        marks, rows = set[str](), list[tuple[int, int, str, int]]()
        total = 0
        for line in stream.read().decode().splitlines():
            if line in "!?*":
                marks.add(line)
                continue
            key, amount = line.split(",")
            total += 1
            rows.append((total, total * 10, key, int(amount)))
            if len(rows) == PIECE:
                yield batch(rows)
                rows = []
        if rows:
            yield batch(rows)
        return FileFacts(
            structure=Reason(code="TOY_STRUCTURE", text="!") if "!" in marks else None,
            series=series,
            sequence=int(number),
            control=Reason(code="CONTROL_TOTAL", text="?") if "?" in marks else None,
            controls=(ControlFact(name="records", expected=file.records, actual=total),),
            canonical={"seq": int(number)},
            credits=Booked(count=total, pence=0),
            whole="*" in marks,
        )


class ToyReader:
    """Messages `{"key": …, "amount": …}`."""

    @property
    def layout(self) -> Layout:
        return {"ROW": {"KEY": pl.String(), "AMOUNT": pl.Int64()}}

    def read(self, _message: Incoming, body: Mapping[str, Any]) -> Mapping[str, Sequence[Row]]:
        if not isinstance(body.get("key"), str):
            raise RecordRejected("the body does not fit its schema", code="SCHEMA_INVALID")
        return {"ROW": [{"KEY": body["key"], "AMOUNT": body["amount"]}]}


def batch(rows: list[tuple[int, int, str, int]]) -> DecodedBatch:
    schema = {"_record": pl.Int64, "_offset": pl.Int64, "KEY": pl.String, "AMOUNT": pl.Int64}
    return DecodedBatch(tables={"ROW": pl.DataFrame(rows, schema, orient="row").to_arrow()})


class ToyJudge:
    """Keys with DM are debts of that balance, others receipts: into suspense; one of no pence is excluded."""

    def wants(self, unit: Unit) -> Wanted:
        if unit.key.startswith("DM"):
            return Wanted(debts=frozenset({unit.key}))
        return Wanted(receipts=frozenset({("BANK", unit.key)}))

    def judge(self, unit: Unit, book: Book) -> Verdict:
        amount = unit.values["amount"]
        if unit.key.startswith("DM"):
            book.put(debt(unit.key, amount))
            return Verdict.loaded({"ref": unit.key})
        if book.receipt("BANK", unit.key):
            return Verdict.duplicate()
        if not amount:
            return Verdict.excluded("ZERO_AMOUNT")
        book.post(
            Receipt(source="BANK", key=unit.key, amount_pence=amount, value_date=unit.at.date(), reason="UNMATCHED")
        )
        return Verdict.exception("UNMATCHED", {"suspense": True})


def debt(ref: str, pence: int) -> Debt:
    return Debt(
        ref=ref, source_system="TOY", source_id=ref, version="1", content=str(pence), status="ACTIVE",
        kind="OVERPAYMENT", benefit="UC", cause=None, original_pence=pence, adjusted_pence=0, recovered_pence=0,
        written_off_pence=0, source_balance_pence=pence, as_at=date(2026, 3, 1), nino=None, nino_status=None,
        surname=None, dob=None, postcode=None,
    )  # fmt: skip


def installed(folder: Path) -> Path:
    """The catalogue folder of the toy feed."""
    for place, text in (("connectors/toy/connector.toml", CONNECTOR), ("mappings/toy/toy_rows.toml", SPEC)):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def handed_over(folder: Path, name: str, content: bytes, **changes: object) -> Path:
    """A data file with its trigger file; `changes` are keys of that with other values."""
    keys = {
        "FILE": name, "BYTES": len(content), "SHA256": hashlib.sha256(content).hexdigest(), "RECORDS": 1,
        **changes,
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / f"{name}.ctl").write_text("".join(f"{key}={value}\n" for key, value in keys.items()))
    return folder / name
