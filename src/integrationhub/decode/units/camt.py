"""Decoder `camt`: bank statements and notifications in XML (payments.md §3).

One row of `Ntry` is one thing to be judged: an entry, or, where a plain booked credit has several transactions that add
up to it, each of them. All rows of an entry have its number as `_record`. Amounts come in pence, dates as CCYYMMDD,
texts that may occur several times line by line.
"""

from collections.abc import Generator, Iterator
from functools import partial
from typing import BinaryIO

import polars as pl

from integrationhub.decode.bank import amounts, camt
from integrationhub.decode.bank.statement import Statement, alone
from integrationhub.decode.bank.totals import Totals, together
from integrationhub.decode.xml.prolog import is_xml
from integrationhub.decode.xml.repeated import RAW, RepeatedReader
from integrationhub.decode.xml.stranger import XML_SCHEMA, XmlFault
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.units import FileFacts, FileInHand, Options

TABLE = "Ntry"
PAYMENT_STATUS = b"pain.002"
LAYOUT: dict[str, pl.DataType] = {
    "Kind": pl.String(),  # 052 053 054
    "Acct": pl.String(),
    "Id": pl.String(),  # of the statement
    "Number": pl.Int64(),  # of the entry over all pages
    "Part": pl.Int32(),  # of the transaction, where each is judged for itself
    "Parts": pl.Int32(),
    "Sts": pl.String(),
    "Ccy": pl.String(),
    "CdtDbtInd": pl.String(),
    "RvslInd": pl.String(),
    "Amt": pl.Int64(),  # pence; null where it has more decimals, or more digits than were agreed
    "BookgDt": pl.Int64(),
    "ValDt": pl.Int64(),
    "AcctSvcrRef": pl.String(),
    "Fmly": pl.String(),
    "MsgId": pl.String(),
    "EndToEndId": pl.String(),
    "Ref": pl.String(),
    "Ustrd": pl.String(),
    "AddtlTxInf": pl.String(),
    "AddtlNtryInf": pl.String(),
}
_PLAIN = pl.CompatLevel.oldest()


class CamtDecoder:
    """Reads camt files. Options: `accounts`, ours by number or IBAN."""

    def __init__(self, options: Options) -> None:
        self._accounts = frozenset(options.values.get("accounts", ()))

    @property
    def layout(self) -> dict[str, dict[str, pl.DataType]]:
        """The one table."""
        return {TABLE: LAYOUT}

    def recognises(self, head: bytes) -> bool:
        """Whatever looks like XML and isn't known to be something else."""
        return is_xml(head) and PAYMENT_STATUS not in head.replace(b"\0", b"")

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """See the module. In a file that is judged alone, entries may stand in several statements."""
        reader = RepeatedReader(partial(camt.choose, any_version=file.standalone))
        totals: list[Totals] = []
        broken: list[Reason] = []
        try:
            for tables in reader.read(iter(partial(stream.read, RAW), b"")):
                parts = tables.get("child")
                found = camt.entries(tables["record"], parts, standalone=file.standalone)
                camt.add_up(found, _grown(totals, reader))
                broken += [] if broken else _schema_faults(found, standalone=file.standalone)
                if file.standalone:
                    continue
                named = _named(found, reader)
                broken += [] if broken else _unnamed(named)
                yield DecodedBatch(tables={TABLE: _rows(named, parts, file).to_arrow(compat_level=_PLAIN)})
        except XmlFault as exc:
            return FileFacts(structure=Reason(code=exc.code, text=exc.text, offset=exc.offset))
        return self._facts(reader, _grown(totals, reader), broken, file)

    def _facts(self, reader: RepeatedReader, totals: list[Totals], broken: list[Reason], file: FileInHand) -> FileFacts:
        kind = camt.kind_of(reader.namespace)
        headings = [camt.heading(item) for item in camt.statements(reader.tree, kind)]
        made = [Statement(heading=heading, totals=own) for heading, own in zip(headings, totals, strict=True)]
        every = together(totals)
        if file.standalone:
            control, controls = alone(made)
            faults = [*broken, *(Reason(code=XML_SCHEMA, text=text) for item in headings for text in item.faults)]
            return FileFacts(
                structure=next(iter(faults), None),
                control=control,
                controls=controls,
                credits=every.credited,
                debits=every.debited,
                outcomes=every.outcomes,
            )
        structure = self._structure(made, broken, is_numbered=kind == camt.STATEMENT)
        if structure is not None:
            return FileFacts(structure=structure)
        (statement,) = made
        is_numbered = kind == camt.STATEMENT
        return FileFacts(
            series=statement.heading.account or "" if is_numbered else "",
            sequence=statement.heading.sequence if is_numbered else None,
            control=statement.sum_fault(),
            controls=statement.controls(),
            credits=every.credited,
            debits=every.debited,
            more={"kind": kind, **statement.for_judge()},
        )

    def _structure(self, made: list[Statement], broken: list[Reason], *, is_numbered: bool) -> Reason | None:
        if broken:
            return broken[0]
        if len(made) != 1:
            return Reason(code=XML_SCHEMA, text=f"the file has {len(made)} statements; one was agreed")
        (statement,) = made
        missing = next(iter([*statement.heading.faults, *statement.lacks(is_numbered=is_numbered)]), None)
        if missing is not None:
            return Reason(code=XML_SCHEMA, text=missing)
        if statement.heading.account not in self._accounts:
            return Reason(code="WRONG_ADDRESSEE", text="the statement is of an account that is not ours")
        return None


def _grown(totals: list[Totals], reader: RepeatedReader) -> list[Totals]:
    """The totals with one for every statement that has begun."""
    totals += [Totals() for _ in range(len(reader.sections) - len(totals))]
    return totals


def _named(found: pl.DataFrame, reader: RepeatedReader) -> pl.DataFrame:
    """Entries with what they have of their statement."""
    kind = camt.kind_of(reader.namespace)
    headings = [camt.heading(item) for item in camt.statements(reader.tree, kind)]
    statements = pl.DataFrame(
        {
            "_section": pl.Series(range(1, len(headings) + 1), dtype=pl.Int32),
            "Acct": pl.Series([item.account for item in headings], dtype=pl.String),
            "Id": pl.Series([item.reference for item in headings], dtype=pl.String),
        }
    )
    return found.join(statements, on="_section", how="left", maintain_order="left").with_columns(Kind=pl.lit(kind))


def _unnamed(named: pl.DataFrame) -> Iterator[Reason]:
    bad = named.filter(pl.col("Id").is_null() | pl.col("Acct").is_null()).head(1)
    if len(bad):
        record, offset = bad.select("_record", "_offset").row(0)
        text = "Id or Acct of the statement are missing, or stand behind its entries"
        yield Reason(code=XML_SCHEMA, text=text, record=record, offset=offset)


def _rows(found: pl.DataFrame, parts: pl.DataFrame | None, file: FileInHand) -> pl.DataFrame:
    """What is judged: entries, and in the place of those that are split, their transactions."""
    rows = found.select(
        "_record",
        "_offset",
        "Kind",
        "Acct",
        "Id",
        "Parts",
        "EndToEndId",
        "Ustrd",
        "AddtlTxInf",
        Number=pl.col("_record") + file.units_before,
        Part=pl.lit(None, dtype=pl.Int32),
        Sts="Status",
        Ccy=pl.col("Amt@Ccy").str.strip_chars(amounts.BLANKS),
        CdtDbtInd="Side",
        RvslInd="Returned",
        Amt="Pence",
        BookgDt=amounts.day(pl.col("Booked")),
        ValDt=amounts.day(pl.col("Valued")),
        AcctSvcrRef=amounts.filled("AcctSvcrRef"),
        Fmly=amounts.filled("BkTxCd/Domn/Fmly/Cd"),
        MsgId=amounts.filled("NtryDtls/Btch/MsgId"),
        Ref="CdtrRef",
        AddtlNtryInf=amounts.filled("AddtlNtryInf"),
        IsSplit=camt.is_split(),
    ).select("_record", "_offset", *LAYOUT, "IsSplit")
    if parts is None or not rows["IsSplit"].any():
        return rows.drop("IsSplit")
    own = camt.typed_parts(parts).select(
        "_record",
        "EndToEndId",
        "Ustrd",
        "AddtlTxInf",
        Part=pl.col("_index").cast(pl.Int32),
        Amt="PartPence",
        Ref="CdtrRef",
    )
    names = own.columns[1:]
    split = rows.filter("IsSplit").drop(names).join(own, on="_record", maintain_order="left_right")
    together = pl.concat([rows.filter(~pl.col("IsSplit")), split.select(rows.columns)])
    return together.sort("_record", "Part", maintain_order=True).drop("IsSplit")


def _schema_faults(found: pl.DataFrame, *, standalone: bool) -> Iterator[Reason]:
    for record, offset, text in camt.faults(found, standalone=standalone):
        yield Reason(code=XML_SCHEMA, text=text, record=record, offset=offset)


def build(options: Options) -> CamtDecoder:
    """The decoder for the accounts that are ours."""
    return CamtDecoder(options)
