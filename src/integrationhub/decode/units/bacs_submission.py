"""Submissions in Bacs Standard 18 (payments.md §1), as the connector `bacs` takes them."""

import re
from collections.abc import Collection, Generator
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from integrationhub.decode.bacs.standard18 import TABLE, Standard18
from integrationhub.records import DecodedBatch
from integrationhub.sdk.units import Booked, FileFacts, FileInHand, Options

if TYPE_CHECKING:
    from integrationhub.sdk.units import Layout


_BEGINNING = re.compile(rb"\s*(?:VOL1|HDR1|UHL1)")


class SubmissionDecoder:
    """`users`: our service user numbers."""

    def __init__(self, users: Collection[str]) -> None:
        self._users = users

    @property
    def layout(self) -> "Layout":
        """One table: the data lines."""
        texts, numbers = ("SERIAL", "CODE", "REFERENCE"), ("AMOUNT", "PROCESSING-DATE", "FILE-DATE")
        return {TABLE: dict.fromkeys(texts, pl.String()) | dict.fromkeys(numbers, pl.Int64())}

    def recognises(self, head: bytes) -> bool:
        """Whatever begins with a label, or has a header label further down."""
        return _BEGINNING.match(head) is not None or b"\nUHL1" in head

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """The data lines; contras and instructions among them."""
        known = not file.standalone
        reader = Standard18(
            serial=file.named.get("serial") if known else None,
            users=self._users if known else None,
            records=file.records,
            standalone=file.standalone,
        )
        yield from reader.batches(stream)
        booked = reader.booked
        return FileFacts(
            structure=reader.structure,
            control=reader.control,
            controls=reader.controls,
            canonical={"serial": reader.serial, "collections_pence": reader.collected_pence},
            credits=Booked(count=booked.credits, pence=booked.credit_pence),
            debits=Booked(count=booked.debits, pence=booked.debit_pence),
            outcomes=_outcomes(reader) if file.standalone else {},
        )


def _outcomes(reader: Standard18) -> dict[str, int]:
    """Of a file that is judged alone: balances are no entries."""
    return {"LOADED": reader.data_lines - reader.balances, "EXCLUDED": reader.balances}


def build(options: Options) -> SubmissionDecoder:
    """The decoder with the agreed service users."""
    return SubmissionDecoder(frozenset(options.values["service_users"]))
