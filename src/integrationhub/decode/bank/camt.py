"""camt.052, camt.053 and camt.054: what is read of their entries, and what they say of themselves.

Source: payments.md §3; ISO 20022 message definitions of bank to customer cash management.
"""

import re
from collections.abc import Iterator

import polars as pl

from integrationhub.decode.bank import amounts
from integrationhub.decode.bank.statement import Heading
from integrationhub.decode.bank.totals import Totals
from integrationhub.decode.xml.repeated import Repeated
from integrationhub.decode.xml.tree import Node

STATEMENT, REPORT, NOTIFICATION = "053", "052", "054"
_KINDS = {
    STATEMENT: ("BkToCstmrStmt", "Stmt"),
    REPORT: ("BkToCstmrAcctRpt", "Rpt"),
    NOTIFICATION: ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.(052|053|054)\.001\.([0-9]{2})")
AGREED = {STATEMENT: {"02", "08"}, NOTIFICATION: {"02", "08"}}

FIELDS = (
    "Amt", "Amt@Ccy", "CdtDbtInd", "RvslInd", "Sts", "Sts/Cd", "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm",
    "AcctSvcrRef", "BkTxCd/Domn/Fmly/Cd", "NtryDtls/Btch/MsgId", "AddtlNtryInf",
)  # fmt: skip
PART_FIELDS = (
    "AmtDtls/TxAmt/Amt", "Amt", "Refs/EndToEndId", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Ustrd", "AddtlTxInf",
)  # fmt: skip
_LISTS = frozenset({"RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Ustrd"})

BOOKED = "BOOK"
ISSUED_DIRECT_DEBITS = "IDDT"
CREDIT, DEBIT = "CRDT", "DBIT"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_DIGITS = re.compile(r"[0-9]{1,18}")
_NOBODY = "NOTPROVIDED"


def choose(namespace: str, root: str, *, any_version: bool) -> Repeated | None:
    """What is read of a document with this root; None: it is none of the feed's."""
    found = _NAMESPACE.fullmatch(namespace)
    if found is None or root != "Document":
        return None
    kind, version = found.groups()
    if not any_version and version not in AGREED.get(kind, ()):
        return None
    message, part = _KINDS[kind]
    return Repeated(
        record=f"{message}/{part}/Ntry", fields=FIELDS, child="NtryDtls/TxDtls", child_fields=PART_FIELDS, lists=_LISTS
    )


def kind_of(namespace: str) -> str:
    """The kind of a document that was chosen."""
    found = _NAMESPACE.fullmatch(namespace)
    assert found is not None
    return found[1]


def statements(tree: Node, kind: str) -> list[Node]:
    """The statements, reports or notifications of a document."""
    return list(tree.all("/".join(_KINDS[kind])))


def heading(statement: Node) -> Heading:
    """What a statement, report or notification says of itself."""
    faults: list[str] = []
    value = statement.value
    account = value("Acct/Id/IBAN") or value("Acct/Id/Othr/Id")
    paging = f"{statement.name}Pgntn"
    balances = _balances(statement, faults)
    page, is_last = value(f"{paging}/PgNb"), value(f"{paging}/LastPgInd")
    if (page is None) is not (is_last is None) or (is_last or "true") not in _FLAGS:
        faults.append("the page is not numbered, or not said to be the last or not")
    return Heading(
        account="".join(account.split()) if account else None,
        reference=value("Id"),
        sequence=_number(value("ElctrncSeqNb"), "ElctrncSeqNb", faults),
        page=_number(page or "1", "PgNb", faults) or 0,
        is_last=_FLAGS.get(is_last or "true", True),
        opening=balances.get("OPBD"),
        previous=balances.get("PRCD"),
        closing=balances.get("CLBD"),
        count=_number(value("TxsSummry/TtlNtries/NbOfNtries"), "NbOfNtries", faults),
        total=_amount(value("TxsSummry/TtlNtries/Sum"), "TtlNtries", faults),
        credit=_amount(value("TxsSummry/TtlCdtNtries/Sum"), "TtlCdtNtries", faults),
        debit=_amount(value("TxsSummry/TtlDbtNtries/Sum"), "TtlDbtNtries", faults),
        faults=faults,
    )


def _number(text: str | None, name: str, faults: list[str]) -> int | None:
    if text is None:
        return None
    if _DIGITS.fullmatch(text) is None:
        faults.append(f"{name} is no number")
        return None
    return int(text)


def _amount(text: str | None, name: str, faults: list[str]) -> int | None:
    found = amounts.exact(text)
    if text is not None and found is None:
        faults.append(f"the sum in {name} is no amount")
    return found


def _balances(statement: Node, faults: list[str]) -> dict[str, int]:
    """The first balance of each code, signed."""
    found: dict[str, int] = {}
    for balance in statement.all("Bal"):
        code = balance.value("Tp/CdOrPrtry/Cd")
        if code not in {"OPBD", "PRCD", "CLBD"}:
            continue
        value, side = amounts.exact(balance.value("Amt")), balance.value("CdtDbtInd")
        if value is None or side not in {CREDIT, DEBIT}:
            faults.append(f"the balance {code} has no amount or no side")
        else:
            found.setdefault(code, value if side == CREDIT else -value)
    return found


def entries(records: pl.DataFrame, parts: pl.DataFrame | None, *, standalone: bool) -> pl.DataFrame:
    """The entries of a batch with typed columns, those of their first part, and what their parts come to."""
    amount = pl.col("Amt").str.strip_chars(amounts.BLANKS)
    status = pl.coalesce(amounts.filled("Sts/Cd"), amounts.filled("Sts"))
    return (
        records.with_columns(
            Status=status.fill_null(BOOKED) if standalone else status,
            Side=pl.col("CdtDbtInd").str.strip_chars(amounts.BLANKS),
            Returned=pl.col("RvslInd").str.strip_chars(amounts.BLANKS).replace({"1": "true", "0": "false"}),
            Whole=amounts.whole_part(amount),
            Small=amounts.small_part(amount),
            Booked=pl.coalesce(amounts.filled("BookgDt/Dt"), amounts.filled("BookgDt/DtTm")),
            Valued=pl.coalesce(amounts.filled("ValDt/Dt"), amounts.filled("ValDt/DtTm")),
        )
        .with_columns(Pence=amounts.pence(amount, pl.col("Whole"), pl.col("Small")))
        .join(_parts(parts), on="_record", how="left", maintain_order="left")
        .with_columns(pl.col("Parts").fill_null(0))
    )


def typed_parts(parts: pl.DataFrame) -> pl.DataFrame:
    """The parts of entries with their amounts."""
    amount = pl.coalesce(amounts.filled("AmtDtls/TxAmt/Amt"), amounts.filled("Amt"))
    whole, small = amounts.whole_part(amount), amounts.small_part(amount)
    end_to_end = amounts.filled("Refs/EndToEndId")
    return parts.select(
        "_record",
        "_index",
        Exact=whole * amounts.SCALE + small,
        PartPence=amounts.pence(amount, whole, small),
        EndToEndId=pl.when(end_to_end != _NOBODY).then(end_to_end),
        CdtrRef=amounts.filled("RmtInf/Strd/CdtrRefInf/Ref"),
        Ustrd=amounts.filled("RmtInf/Ustrd"),
        AddtlTxInf=amounts.filled("AddtlTxInf"),
    )


def _parts(parts: pl.DataFrame | None) -> pl.DataFrame:
    """Of each entry the number of its parts, what they come to, and their texts."""
    typed = typed_parts(parts if parts is not None else _no_parts())
    texts = [pl.col(name).drop_nulls().str.join("\n").alias(name) for name in ("CdtrRef", "Ustrd", "AddtlTxInf")]
    if len(typed) == typed["_record"].n_unique():  # the usual case, without grouping
        return typed.with_columns(Parts=pl.lit(1, dtype=pl.Int32), PartsPence=pl.col("PartPence")).drop(
            "_index", "Exact", "PartPence"
        )
    return (
        typed.group_by("_record", maintain_order=True)
        .agg(
            pl.col("EndToEndId").drop_nulls().first(),
            *texts,
            Parts=pl.len().cast(pl.Int32),
            PartsPence=pl.when(pl.col("PartPence").is_not_null().all()).then(pl.col("PartPence").sum()),
        )
        .with_columns(pl.col("CdtrRef", "Ustrd", "AddtlTxInf").replace("", None))
    )


def _no_parts() -> pl.DataFrame:
    schema = {"_record": pl.Int64(), "_index": pl.Int32(), **dict.fromkeys(PART_FIELDS, pl.String())}
    return pl.DataFrame(schema=schema)


def is_split() -> pl.Expr:
    """Whether the transactions of an entry are judged one by one: a plain booked credit that they add up to.

    A credit of issued direct debits that names its submission is a whole: the submission has its parts.
    """
    plain = (
        (pl.col("Status") == BOOKED) & (pl.col("Side") == CREDIT) & (pl.col("Returned").fill_null("false") == "false")
    )
    is_bulk = (pl.col("BkTxCd/Domn/Fmly/Cd") == ISSUED_DIRECT_DEBITS) & pl.col("NtryDtls/Btch/MsgId").is_not_null()
    in_pounds = pl.col("Amt@Ccy").str.strip_chars(amounts.BLANKS) == "GBP"
    adds_up = (pl.col("Parts") > 1) & (pl.col("PartsPence") == pl.col("Pence")) & (pl.col("Pence") > 0)
    return (plain & in_pounds & ~is_bulk.fill_null(value=False) & adds_up).fill_null(value=False)


def faults(found: pl.DataFrame, *, standalone: bool) -> Iterator[tuple[int, int, str]]:
    """Entries that the standard doesn't allow: number, byte, and what is wrong."""
    rules = {
        "Amt is missing or no amount": pl.col("Whole").is_null(),
        "Amt has no currency": pl.col("Amt@Ccy").is_null(),
        "CdtDbtInd is neither CRDT nor DBIT": pl.col("Side").is_in([CREDIT, DEBIT]).not_().fill_null(value=True),
        "RvslInd is neither true nor false": ~pl.col("Returned").is_in(["true", "false"]),
        "BookgDt is no date": ~amounts.is_day(pl.col("Booked")),
        "ValDt is no date": ~amounts.is_day(pl.col("Valued")),
    }
    if not standalone:
        rules["Sts is missing"] = pl.col("Status").is_null()
        rules["BookgDt and ValDt are both missing"] = pl.col("Booked").is_null() & pl.col("Valued").is_null()
    for text, broken in rules.items():
        bad = found.filter(broken.fill_null(value=False)).head(1)
        if len(bad):
            record, offset = bad.select("_record", "_offset").row(0)
            yield record, offset, text


def add_up(found: pl.DataFrame, totals: list[Totals]) -> None:
    """Add the entries of a batch to the totals of the statements that they stand in."""
    booked = pl.col("Status") == BOOKED
    groups = found.group_by("_section", (pl.col("Side") == CREDIT).alias("credit"), booked.alias("booked")).agg(
        pl.len(), pl.col("Whole").sum(), pl.col("Small").sum()
    )
    for section, credit, is_booked, count, whole, small in groups.iter_rows():
        totals[section - 1].add(whole * amounts.SCALE + small, count=count, credit=bool(credit), booked=bool(is_booked))
