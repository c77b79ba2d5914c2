"""Advices of Bacs in XML (payments.md §2), as the connector `bacs` takes them."""

from collections.abc import Collection, Generator
from typing import TYPE_CHECKING, BinaryIO

import polars as pl

from integrationhub.decode.bacs.advice import ADVICES, RETURNS, AdviceReader
from integrationhub.decode.xml.prolog import is_xml
from integrationhub.records import DecodedBatch
from integrationhub.sdk.units import Booked, FileFacts, FileInHand, Options

if TYPE_CHECKING:
    from integrationhub.sdk.units import Layout

_DATES = ("ORIGINAL-DATE", "CURRENT-DATE", "EFFECTIVE-DATE")
_FIELDS = {
    RETURNS: ("KEY", "REFERENCE", "ORIGINAL-DATE", "AMOUNT", "CURRENCY", "RETURN-CODE", "CURRENT-DATE"),
    ADVICES: (
        "KEY", "ADVICE-TYPE", "RECORD-TYPE", "REFERENCE", "REASON-CODE", "EFFECTIVE-DATE", "PAYER-NAME",
        "PAYER-SORT-CODE", "PAYER-ACCOUNT", "NEW-SORT-CODE", "NEW-ACCOUNT",
    ),
}  # fmt: skip
_NUMBERS = frozenset({*_DATES, "AMOUNT"})
_LAYOUT: "Layout" = {
    table: {name: pl.Int64() if name in _NUMBERS else pl.String() for name in names} for table, names in _FIELDS.items()
}
_PLACE = {"_record": pl.Int64(), "_offset": pl.Int64()}


class AdviceDecoder:
    """`users`: our service user numbers."""

    def __init__(self, users: Collection[str]) -> None:
        self._users = users

    @property
    def layout(self) -> "Layout":
        """Returned debits, and what banks say of instructions."""
        return _LAYOUT

    def recognises(self, head: bytes) -> bool:
        """Whatever looks like XML."""
        return is_xml(head)

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """The items of an advice of either kind."""
        reader = AdviceReader(name=file.name, users=None if file.standalone else self._users)
        for rows in reader.rows(stream):
            tables = {
                table: pl.DataFrame(own, schema=_PLACE | dict(_LAYOUT[table])).to_arrow()
                for table, own in rows.items()
                if own
            }
            if tables:
                yield DecodedBatch(tables=tables)
        returned = reader.items if RETURNS in reader.kinds else 0
        return FileFacts(
            structure=reader.structure,
            control=reader.control,
            controls=reader.controls,
            canonical=None if reader.advice is None else {"advice": reader.advice},
            debits=Booked(count=returned, pence=reader.returned_pence),
            outcomes={"LOADED": reader.items} if file.standalone else {},
        )


def build(options: Options) -> AdviceDecoder:
    """The decoder with the agreed service users."""
    return AdviceDecoder(frozenset(options.values["service_users"]))
