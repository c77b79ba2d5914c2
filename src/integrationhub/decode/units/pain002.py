"""Decoder `pain002`: what the bank says of payments that were ordered (payments.md §5). One row is one status."""

import re
from collections.abc import Generator, Iterator
from functools import partial
from typing import BinaryIO

import polars as pl

from integrationhub.decode.bank import amounts
from integrationhub.decode.xml.prolog import is_xml
from integrationhub.decode.xml.repeated import RAW, Repeated, RepeatedReader
from integrationhub.decode.xml.stranger import XML_SCHEMA, XmlFault
from integrationhub.decode.xml.tree import Node
from integrationhub.records import DecodedBatch, Reason
from integrationhub.sdk.units import FileFacts, FileInHand, Options

TABLE = "TxInfAndSts"
LAYOUT: dict[str, pl.DataType] = {
    "OrgnlMsgId": pl.String(),
    "OrgnlEndToEndId": pl.String(),
    "TxSts": pl.String(),
    "RsnCd": pl.String(),
}
NAMED = b"pain.002"
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.([0-9]{2})")
_AGREED = frozenset({"03", "10"})
_GROUP = "CstmrPmtStsRpt/OrgnlGrpInfAndSts"
_SPEC = Repeated(
    record="CstmrPmtStsRpt/OrgnlPmtInfAndSts/TxInfAndSts",
    fields=("OrgnlEndToEndId", "TxSts", "StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry"),
)
_REJECTED = "RJCT"
_PLAIN = pl.CompatLevel.oldest()


class Pain002Decoder:
    """Reads payment status reports."""

    @property
    def layout(self) -> dict[str, dict[str, pl.DataType]]:
        """The one table."""
        return {TABLE: LAYOUT}

    def recognises(self, head: bytes) -> bool:
        """A document of this namespace, whatever its version."""
        return is_xml(head) and NAMED in head.replace(b"\0", b"")

    def decode(self, stream: BinaryIO, file: FileInHand) -> Generator[DecodedBatch, None, FileFacts]:
        """See the module. A group that is rejected as a whole, without naming payments, is one row."""
        reader = RepeatedReader(partial(_chosen, any_version=file.standalone))
        broken: list[Reason] = []
        try:
            for tables in reader.read(iter(partial(stream.read, RAW), b"")):
                rows = _rows(tables["record"], reader.tree)
                broken += [] if broken else _faults(rows)
                if not file.standalone:
                    yield _batch(rows)
        except XmlFault as exc:
            return FileFacts(structure=Reason(code=exc.code, text=exc.text, offset=exc.offset))
        group = reader.tree.first(_GROUP)
        if group is None or group.value("OrgnlMsgId") is None:
            broken.append(Reason(code=XML_SCHEMA, text="OrgnlGrpInfAndSts/OrgnlMsgId is missing"))
        elif reader.records == 0 and group.value("GrpSts") == _REJECTED and not file.standalone:
            yield _batch(_of_group(group))
        return FileFacts(structure=next(iter(broken), None), outcomes={"LOADED": reader.records})


def build(_options: Options) -> Pain002Decoder:
    """The decoder; it needs to know nothing."""
    return Pain002Decoder()


def _chosen(namespace: str, root: str, *, any_version: bool) -> Repeated | None:
    found = _NAMESPACE.fullmatch(namespace) if root == "Document" else None
    return _SPEC if found is not None and (any_version or found[1] in _AGREED) else None


def _rows(records: pl.DataFrame, tree: Node) -> pl.DataFrame:
    message = tree.value(f"{_GROUP}/OrgnlMsgId")
    return records.select(
        "_record",
        "_offset",
        OrgnlMsgId=pl.lit(message, dtype=pl.String),
        OrgnlEndToEndId=amounts.filled("OrgnlEndToEndId"),
        TxSts=amounts.filled("TxSts"),
        RsnCd=pl.coalesce(amounts.filled("StsRsnInf/Rsn/Cd"), amounts.filled("StsRsnInf/Rsn/Prtry")),
    )


def _faults(rows: pl.DataFrame) -> Iterator[Reason]:
    for name in ("OrgnlMsgId", "OrgnlEndToEndId", "TxSts"):
        bad = rows.filter(pl.col(name).is_null()).head(1)
        if len(bad):
            record, offset = bad.select("_record", "_offset").row(0)
            yield Reason(code=XML_SCHEMA, text=f"{name} is missing", record=record, offset=offset)


def _of_group(group: Node) -> pl.DataFrame:
    reason = group.value("StsRsnInf/Rsn/Cd") or group.value("StsRsnInf/Rsn/Prtry")
    row = {"_record": 1, "_offset": group.offset, "OrgnlMsgId": group.value("OrgnlMsgId"), "OrgnlEndToEndId": None}
    return pl.DataFrame(
        [row | {"TxSts": _REJECTED, "RsnCd": reason}], schema={"_record": pl.Int64(), "_offset": pl.Int64(), **LAYOUT}
    )


def _batch(rows: pl.DataFrame) -> DecodedBatch:
    return DecodedBatch(tables={TABLE: rows.to_arrow(compat_level=_PLAIN)})
